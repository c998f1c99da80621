"""The comment about what became of a pull request's plan: what it told of writes stays, whatever a later try says.

Its marker remembers whether an apply `wrote`, `tried` to, or did `nothing`, and which plan was refused as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import ExitCode, sorted_diagnostics
from reconciler.escape import markdown_code, markdown_text
from reconciler.github.apply_page import apply_page, is_refused, is_used
from reconciler.github.page import short
from reconciler.github.parts import octets
from reconciler.github.sticky import MOST_PARTS, PART_OCTETS, first_line, keep_comments, own_comments
from reconciler.report.terminal import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.document.applied import ApplyDocument
    from reconciler.github.client import Api, Json
    from reconciler.github.page import Place

APPLY = "apply"
_WROTE, _TRIED, _NOTHING = "wrote", "tried", "nothing"
_PLAN_ID = re.compile(r"sha256:[0-9a-f]{64}")
_PART = re.compile(r"^\*Part \d+ of \d+\*\n\n")
_AGAIN = "<!-- again -->\n"
_AGAIN_LINE = re.compile(rf"(?:^|\n){_AGAIN}")
_MOST_KEPT = 2 * MOST_PARTS
_ROOM_FOR_AGAIN = 1500  # octets
_MOST_TOLD = 3  # domains in one line
_MAX_REASON = 200  # characters
_OLDER = "What still older runs wrote is in their artifacts."


@dataclass(frozen=True, slots=True)
class _Told:
    """What our comments say: their texts without markers and without the line of a later try."""

    state: str
    texts: Sequence[str]


def refusal_note(plan_id: str) -> str:
    """What a comment remembers of a plan that was refused as a whole: it will be refused again."""
    return f"refused {plan_id}" if _PLAN_ID.fullmatch(plan_id) else ""


def is_refusal_told(api: Api, number: int, plan_id: str) -> bool:
    """Whether a comment of ours says that this plan was refused as a whole."""
    ending = f"{refusal_note(plan_id)} -->"
    return any(first_line(comment.get("body")).endswith(ending) for _, comment in own_comments(api, number, APPLY))


def tell_apply(api: Api, number: int, document: ApplyDocument, place: Place, say: Callable[[str], None]) -> None:
    """Tell a pull request what an apply did, and keep what was told of earlier ones that wrote something.

    Raises:
        ReadOnlyTokenError: the token may not.
        GithubError: GitHub refuses, or does not answer.

    """
    found = own_comments(api, number, APPLY)
    if is_used(document) and found:
        say(f"pull request {number} was told what became of this plan before")
        return
    told = _read(found) if found else _Told(_NOTHING, ())
    state = _state(document)
    parts = [p.rstrip() for p in apply_page(document, place).parts(place, limit=PART_OCTETS, most=MOST_PARTS)]
    if told.state == _WROTE and state == _WROTE:
        parts = _above(parts, told.texts)
    elif told.state == _WROTE or (told.state == _TRIED and state == _NOTHING):
        # the title of this try would say that nothing was written
        parts, state = _below(told.texts, _again(document, place)), told.state
    refused = refusal_note(document.plan_id or "") if is_refused(document) else ""
    keep_comments(api, number, APPLY, parts, ", ".join(filter(None, (state, refused))))


def _state(document: ApplyDocument) -> str:
    became = {result.became for result in document.results}
    if "applied" in became:
        return _WROTE
    # one that ended early may have written what it does not know of
    is_early = document.exit_code is ExitCode.ERROR and not document.results
    return _TRIED if "failed" in became or is_early else _NOTHING


def _read(found: Sequence[tuple[int, Json]]) -> _Told:
    """What the comments say, in the order of their parts; of one part the first is the one that is kept."""
    bodies: dict[int, str] = {}
    for part, comment in found:
        bodies.setdefault(part, str(comment.get("body")).replace("\r\n", "\n"))
    marker = first_line(next(iter(bodies.values())))
    # without a note it is not known, and nothing that may tell of a write is thrown away
    states = (s for s in (_WROTE, _TRIED, _NOTHING) if f"<!-- {s}" in marker)
    state = next(states, _NOTHING if "<!-- refused " in marker else _WROTE)
    shown = (_PART.sub("", body.partition("\n")[2], count=1) for body in bodies.values())
    texts = [_AGAIN_LINE.split(text)[0].rstrip() for text in shown]
    return _Told(state, [text for text in texts if text])


def _above(parts: Sequence[str], earlier: Sequence[str]) -> list[str]:
    """What was written now, and below it what was written before; twice the same is told once."""
    if "\n\n".join(earlier).startswith("\n\n".join(parts)):
        return [*earlier]
    kept = [*parts]
    for text in earlier:
        if octets(kept[-1]) + octets(text) + _ROOM_FOR_AGAIN <= PART_OCTETS:
            kept[-1] = f"{kept[-1]}\n\n{text}"
        else:
            kept.append(text)
    return kept if len(kept) <= _MOST_KEPT else [*kept[: _MOST_KEPT - 1], _OLDER]


def _below(earlier: Sequence[str], line: str) -> list[str]:
    """What was told before, and at its end what became of the last try."""
    if octets(earlier[-1]) + octets(line) + 2 <= PART_OCTETS:
        return [*earlier[:-1], f"{earlier[-1]}\n\n{line}"]
    return [*earlier, line]


def _again(document: ApplyDocument, place: Place) -> str:
    seen = document.created_at.isoformat(sep=" ", timespec="minutes")
    return f"{_AGAIN}**Tried again {seen}**: {_became(document)}. See [the run]({place.run_url})."


def _became(document: ApplyDocument) -> str:
    results = [r for word in ("failed", "stale") for r in document.results if r.became == word]
    if results:
        words = {"failed": "failed", "stale": "refused"}
        told = [
            f"{markdown_code(short(r.domain))} {words[r.became]}, {_reason(r.code, r.message)}"
            for r in results[:_MOST_TOLD]
        ]
        more = len(results) - len(told)
        return "; ".join([*told, *([f"and {counted(more, 'domain')} more"] if more else [])])
    reasons = [_reason(d.code, d.summary) for d in sorted_diagnostics(d.as_data() for d in document.diagnostics)]
    if is_refused(document):
        return ", ".join(["refused", *reasons[:1]])
    if document.exit_code is ExitCode.ERROR:
        return ", ".join(["it did not come to its end", *reasons[:1]])
    return "nothing was left to write"


def _reason(code: str, message: str) -> str:
    cut = message if len(message) <= _MAX_REASON else f"{message[:_MAX_REASON]}…"
    return f"{markdown_code(code)}: {markdown_text(cut.rstrip('.'))}"
