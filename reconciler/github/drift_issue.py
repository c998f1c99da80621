"""Drift as one issue: opened, kept up to date, closed when nothing is left, and reopened when it comes back soon.

What decides is what `drift --detailed-exitcode` counts: what is ignored or only waits opens nothing. What could not be
read neither opens nor closes it. The findings that the issue tells of stand in a hidden line of its body, so that
people are written to when those change, and not when a finding grows older.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.document import digest_of
from reconciler.drift import DriftClass
from reconciler.errors import Severity
from reconciler.escape import markdown_code
from reconciler.github.errors import GithubError, UnansweredError
from reconciler.github.page import short
from reconciler.github.sticky import MAX_OCTETS, first_line
from reconciler.report.drift_markdown import render_drift_markdown
from reconciler.report.terminal import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.drift import DriftDocument, FindingDocument
    from reconciler.github.client import Api, Json
    from reconciler.github.page import Place

LABEL = "reconciler-drift"
TITLE = "Mail gateway drift"
MARKER = "<!-- reconciler:drift -->"
_REOPENED_WITHIN = timedelta(days=7)
_MOST_PRINTS = 500
_PRINT = 12  # hexadecimal digits of a fingerprint, as they stand in the issue
_MOST_TOLD = 10
_TRIES = 3
_STATE = re.compile(r"<!-- findings (?P<count>\d+) (?P<digest>[0-9a-f]{64})(?P<prints>(?: [0-9a-f]{12})*) -->")


@dataclass(frozen=True, slots=True)
class _Findings:
    """The findings that decide, as the issue remembers them; `prints` is empty where they are too many."""

    digest: str
    count: int
    prints: frozenset[str]

    @property
    def line(self) -> str:
        return f"<!-- findings {self.count} {self.digest}{''.join(f' {p}' for p in sorted(self.prints))} -->"


def keep_issue(api: Api, document: DriftDocument, place: Place, now: datetime, say: Callable[[str], None]) -> None:
    """Let the repository's drift issue tell what the document tells.

    Raises:
        GithubError: GitHub refuses, or does not answer.

    """
    deciding = [f for f in document.counting if f.drift_class not in {DriftClass.PENDING, DriftClass.UNKNOWN}]
    issue = _found(api, now)
    is_open = issue is not None and issue.get("state") == "open"
    if not deciding:
        _without_findings(api, document, place, issue if is_open else None, say)
    elif issue is None:
        _open(api, {"title": TITLE, "labels": [LABEL], "body": _body(document, _findings(deciding), place)}, now)
    else:
        change: Json = {"title": TITLE, "body": _body(document, _findings(deciding), place)}
        if not is_open:
            change |= {"state": "open", "state_reason": "reopened"}
        _label(api, issue)
        before, after = _remembered(issue), _findings(deciding)
        path = f"/issues/{issue['number']}"
        # the body first: when the comment is lost it is missing once, and is not made twice
        api.change("PATCH", path, change)
        if not is_open or before is None or before.digest != after.digest:
            told = _news(before if is_open else None, deciding, place)
            api.make(f"{path}/comments", {"body": told if is_open else f"It is back. {told}"})


def _without_findings(
    api: Api, document: DriftDocument, place: Place, issue: Json | None, say: Callable[[str], None]
) -> None:
    if issue is None:
        return
    path, nothing = f"/issues/{issue['number']}", _findings([])
    is_unknown = any(f.drift_class is DriftClass.UNKNOWN for f in document.counting)
    if is_unknown or any(d.severity is Severity.ERROR for d in document.diagnostics):
        say(f"issue {issue['number']} stays open: not everything could be read")
        # what it told of before stays remembered: it may be there still
        api.change("PATCH", path, {"body": _body(document, _remembered(issue) or nothing, place)})
        return
    api.change("PATCH", path, {"body": _body(document, nothing, place), "state": "closed", "state_reason": "completed"})
    seen = document.created_at.isoformat(sep=" ", timespec="minutes")
    api.make(f"{path}/comments", {"body": f"No drift any more, seen {seen} ([the run]({place.run_url}))."})


def _found(api: Api, now: datetime) -> Json | None:
    """Our issue: the open one, or the last one that was closed not long ago."""
    since = (now - _REOPENED_WITHIN).strftime("%Y-%m-%dT%H:%M:%SZ")
    opened = _ours(api, state="open", labels=LABEL)
    if not opened:
        closed = [
            (at, issue)
            for issue in _ours(api, state="closed", labels=LABEL, since=since)
            if (at := _closed_at(issue)) is not None and now - at < _REOPENED_WITHIN
        ]
        # somebody may have taken the label off
        opened = [] if closed else _ours(api, state="open")
        return max(closed, key=lambda entry: entry[0])[1] if closed else (opened[0] if opened else None)
    for surplus in opened[1:]:
        api.change("PATCH", f"/issues/{surplus['number']}", {"state": "closed", "state_reason": "not_planned"})
    return opened[0]


def _ours(api: Api, **query: str) -> list[Json]:
    found = (i for i in api.pages("/issues", **query) if "pull_request" not in i)
    ours = (i for i in found if first_line(i.get("body")) == MARKER and api.is_own(i))
    return sorted(ours, key=lambda issue: int(issue["number"]))


def _closed_at(issue: Json) -> datetime | None:
    try:
        return datetime.fromisoformat(str(issue.get("closed_at")))
    except ValueError:
        return None


def _open(api: Api, document: Json, now: datetime) -> None:
    _make_label(api)
    for left in reversed(range(_TRIES)):
        try:
            api.make("/issues", document)
        except UnansweredError:
            if not left:
                raise
            if _found(api, now) is None:
                continue
        return


def _make_label(api: Api) -> None:
    label = {"name": LABEL, "color": "b60205", "description": "Mail domains that are not as declared"}
    try:
        api.make("/labels", label)
    except UnansweredError:
        return  # an issue brings its label with it
    except GithubError as exc:
        if exc.status != 422:  # noqa: PLR2004 - it is there already
            raise


def _label(api: Api, issue: Json) -> None:
    names = [label.get("name") for label in issue.get("labels") or [] if isinstance(label, dict)]
    if LABEL not in names:
        api.make(f"/issues/{issue['number']}/labels", {"labels": [LABEL]})


def _findings(deciding: Sequence[FindingDocument]) -> _Findings:
    prints = sorted({f.fingerprint for f in deciding})
    kept = frozenset(p[:_PRINT] for p in prints) if len(prints) <= _MOST_PRINTS else frozenset()
    return _Findings(digest_of(prints).removeprefix("sha256:"), len(prints), kept)


def _remembered(issue: Json) -> _Findings | None:
    lines = str(issue.get("body") or "").splitlines()
    match = _STATE.fullmatch(lines[1].strip()) if len(lines) > 1 else None
    return _Findings(match["digest"], int(match["count"]), frozenset(match["prints"].split())) if match else None


def _body(document: DriftDocument, findings: _Findings, place: Place) -> str:
    head = f"{MARKER}\n{findings.line}\n"
    about = (
        f"Found by [a look at every domain]({place.run_url}), kept up to date by the next ones, and closed when "
        "nothing is left. To let a finding be, declare `ignore_drift` in its manifest.\n\n"
    )

    def source(file: str, line: int) -> str:
        return place.source(file, line, document.commit)

    room = MAX_OCTETS - len(head) - len(about)
    return f"{head}{about}{render_drift_markdown(document, room, source)}".rstrip()


def _news(before: _Findings | None, deciding: Sequence[FindingDocument], place: Place) -> str:
    """What changed since the findings that the issue told of; names where both are remembered."""
    now = _findings(deciding)
    run = f"([the run]({place.run_url}))"
    if before is None:
        new = list(deciding)
        told = f"{counted(now.count, 'finding')} {run}."
    elif (before.count and not before.prints) or not now.prints:
        return f"Other findings: {now.count:,}, and {before.count:,} before {run}."
    else:
        new = [f for f in deciding if f.fingerprint[:_PRINT] not in before.prints]
        told = f"{len(new):,} new, {len(before.prints - now.prints):,} gone, {now.count:,} now {run}."
    names = [_named(f) for f in new[:_MOST_TOLD]]
    more = [f"- {len(new) - _MOST_TOLD:,} more"] if len(new) > _MOST_TOLD else []
    return "\n".join([told, "", *names, *more]).rstrip()


def _named(finding: FindingDocument) -> str:
    whose = markdown_code(short(finding.domain or finding.organization))
    return f"- {finding.severity.value}: {whose} {markdown_code(finding.code)}"
