"""Why documents are not to be merged: they are of different worlds, or not all there. Pure."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.document import PlanDocument, digest_of
from reconciler.drift import DriftDocument, is_as_written
from reconciler.errors import ReconcilerError, error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from reconciler.document import ShardDocument
    from reconciler.errors import Diagnostic

MergeableDocument = PlanDocument | DriftDocument

MOST_APART: Final = timedelta(hours=6)
"""Shards that began further apart are not one look at the world: one of them is left from another run."""
_MOST_NAMED = 10


class MergeError(ReconcilerError):
    """Documents are not to be merged."""


class NamedDocument(NamedTuple):
    """A document, and the name by which messages call it: its file."""

    name: str
    document: MergeableDocument


class _Same(NamedTuple):
    """What has to be the same in all shards of one run: how it is found and told, and what to do where it is not."""

    what: str
    value: Callable[[MergeableDocument, ShardDocument], object]
    fix: str


_CHECKOUT = "Make all shards from one checkout."
_SAME: Final = (
    _Same("the commit", lambda d, _: d.commit, _CHECKOUT),
    _Same("the manifests", lambda d, _: d.manifests_digest, _CHECKOUT),
    _Same("the catalog", lambda d, _: d.catalog_digest, "Make all shards with one catalog and one version of this."),
    _Same("the settings that plans depend on", lambda d, _: getattr(d, "settings_digest", ""), _CHECKOUT),
    _Same("the limits, freezes and kill switch", lambda _, s: s.stops.model_dump_json(), _CHECKOUT),
    _Same(
        "the domains that were chosen",
        lambda d, s: (s.chosen, getattr(d, "left_out", None)),
        "Give every shard the same --domain, --organization and --changed-since.",
    ),
    _Same(
        "the journal that was read",
        lambda _, s: s.journal,
        "Give every shard the same copy of the journal, and let nothing write to it until all have read it.",
    ),
    _Same(
        "the number of shards", lambda _, s: s.count, "Make all shards of one run with the same --shard INDEX/COUNT."
    ),
    _Same("the version of the format", lambda d, _: d.format_version, "Make all shards with one version of this."),
)


def refuse_unlike(given: Sequence[NamedDocument]) -> None:
    """Refuse documents that are not all shards of one run.

    Raises:
        MergeError: they are not; all reasons.

    """
    reasons = [*_altered(given), *_unlike_kinds(given), *_whole(given)]
    if not reasons:
        shards = [(name, document, shard) for name, document in given if (shard := document.shard) is not None]
        reasons = [*_different(shards), *_apart(given), *_twice(shards), *_incomplete([s for _, _, s in shards])]
        reasons = reasons or list(_not_fitting(given))
    if reasons:
        raise MergeError(reasons)


def refuse_altered(given: Sequence[NamedDocument]) -> None:
    """Refuse documents that are not as they were made.

    Raises:
        MergeError: they are not; all of them.

    """
    if reasons := list(_altered(given)):
        raise MergeError(reasons)


def sides_of_a_freeze() -> MergeError:
    """Shards of drift that did not begin on the same side of the beginning or the end of a freeze."""
    summary = "a freeze begins or ends between the moments at which the shards were made"
    return MergeError([error("merge-freeze", summary, "Make all shards again, all of them before it or after it.")])


def _altered(given: Iterable[NamedDocument]) -> Iterator[Diagnostic]:
    """A plan was verified when it was read."""
    for name, document in given:
        if isinstance(document, DriftDocument) and not is_as_written(document):
            shard = " --shard INDEX/COUNT" if document.shard is not None else ""
            detail = f"Make it again with `reconciler drift{shard} --json-into FILE`."
            yield error("merge-altered", "it was altered after it was made: its digest does not fit", detail, file=name)


def _unlike_kinds(given: Sequence[NamedDocument]) -> Iterator[Diagnostic]:
    kinds = _by_value((name, document.kind) for name, document in given)
    if len(kinds) > 1:
        yield error("merge-kinds", f"plans and drifts are not one document: {_told(kinds)}", "Merge each for itself.")


def _whole(given: Sequence[NamedDocument]) -> Iterator[Diagnostic]:
    for name, document in given:
        if document.shard is None:
            detail = "Give the documents of shards alone, or this one alone."
            yield error("merge-whole", "it is about everything already, and no shard's", detail, file=name)


def _different(shards: Sequence[tuple[str, MergeableDocument, ShardDocument]]) -> Iterator[Diagnostic]:
    for same in _SAME:
        values = _by_value((name, same.value(document, shard)) for name, document, shard in shards)
        if len(values) > 1:
            # a value may be long, or mean nothing to people, so only who differs from whom is told
            groups = " / ".join(_names(names) for names in values.values())
            yield error("merge-differs", f"{same.what}: not the same in all shards: {groups}", same.fix)


def _apart(given: Sequence[NamedDocument]) -> Iterator[Diagnostic]:
    times = [document.created_at for _, document in given]
    if max(times) - min(times) > MOST_APART:
        first, last = (_named_at(given, moment) for moment in (min(times), max(times)))
        summary = f"the shards were not made in one run: {first}, and {last}"
        detail = f"Make those anew that are left from an earlier run; at most {MOST_APART} may lie between shards."
        yield error("merge-apart", summary, detail)


def _named_at(given: Iterable[NamedDocument], moment: datetime) -> str:
    name = next(name for name, document in given if document.created_at == moment)
    return f"{name} at {moment.isoformat(sep=' ', timespec='seconds')}"


def _twice(shards: Sequence[tuple[str, MergeableDocument, ShardDocument]]) -> Iterator[Diagnostic]:
    by_index = defaultdict(list)
    for name, document, shard in shards:
        by_index[shard.index, shard.count].append((name, document))
    for (index, count), found in sorted(by_index.items()):
        if any(document != found[0][1] for _, document in found):
            summary = f"shard {index}/{count} was made twice, and not the same: {_names([name for name, _ in found])}"
            yield error("merge-twice", summary, "Give one document of each shard: the one of this run.")


def _incomplete(shards: Sequence[ShardDocument]) -> Iterator[Diagnostic]:
    counts = {s.count for s in shards}
    for count in counts if len(counts) == 1 else ():
        missing = sorted(set(range(1, count + 1)) - {s.index for s in shards})
        if missing:
            summary = f"of {count} shards {len(missing)} are missing: {_names([f'{i}/{count}' for i in missing])}"
            yield error("merge-missing", summary, "Make these too: a part is not to be taken for the whole.")


def _not_fitting(given: Sequence[NamedDocument]) -> Iterator[Diagnostic]:
    """Where all say that they are of one run, their parts still have to be all of it, each once."""
    shards = {s.index: (s, document) for _, document in given if (s := document.shard) is not None}
    domains = sorted(pair for s, document in shards.values() for pair in _placed(s, document))
    services = sorted(at for s, _ in shards.values() for at in s.services)
    is_each_once = [at for at, _ in domains] == list(range(len(domains))) and len(set(services)) == len(services)
    is_all = all(s.chosen == digest_of([f"{name}." for _, name in domains]) for s, _ in shards.values())
    if not all(_is_consistent(s, d) for s, d in shards.values()) or not is_each_once or not is_all:
        summary = "the shards are not parts of one whole: a domain is in several of them, or in none"
        yield error("merge-parts", summary, "Make all shards with one version of this.")


def _placed(shard: ShardDocument, document: MergeableDocument) -> Iterator[tuple[int, str]]:
    names = [d.domain for d in document.domains]
    return zip(shard.domains, names, strict=False)  # that they are as many is asked beside it


def _is_consistent(shard: ShardDocument, document: MergeableDocument) -> bool:
    """Whether every position that a shard's document tells is one of something that is in it."""
    if len(shard.domains) != len(document.domains) or not set(shard.unhealthy) <= set(shard.domains):
        return False
    if isinstance(document, PlanDocument):
        return len(shard.services) == len(document.services)
    found = document.shard
    return found is None or (
        len(found.unhealthy_names) == len(found.unhealthy)
        and {p.position for p in found.open_domains} <= set(found.domains)
        and {p.position for p in found.open_services} <= set(found.services)
        and all(
            0 <= step.finding < len(document.findings)
            for part in (*found.open_domains, *found.open_services)
            for step in part.steps
        )
    )


def _by_value(pairs: Iterable[tuple[str, object]]) -> Mapping[object, list[str]]:
    found: dict[object, list[str]] = {}
    for name, value in pairs:
        found.setdefault(value, []).append(name)
    return found


def _told(values: Mapping[object, Sequence[str]]) -> str:
    return "; ".join(f"{value}: {_names(names)}" for value, names in values.items())


def _names(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
