"""What many domains have in the same words, told once, with the number of them and the first few names.

That is so for advisories alone: errors, warnings and worse findings are somebody's list of work, and each is told at
its own place. Documents hold all of it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from reconciler.errors import Diagnostic, Severity, sorted_diagnostics

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

_MOST_APART = 3  # what says the same so often is told one by one all the same
_NAMED = 3
_ITS_NAME = "\0"  # stands in no name

T = TypeVar("T")


class Told(NamedTuple):
    """One diagnostic as it is told; `also` is plain text on whom else it is said of, empty where that is nobody."""

    diagnostic: Diagnostic
    also: str = ""


def told(diagnostics: Iterable[Diagnostic]) -> list[Told]:
    """Diagnostics in the order of `sorted_diagnostics`; an advisory of many is told where the first one is."""
    return [
        Told(first, also_text([d.domain or d.place for d in others], "domains" if first.domain else "places"))
        for first, others in together(sorted_diagnostics(diagnostics), _said)
    ]


def together(items: Sequence[T], said: Callable[[T], Hashable]) -> list[tuple[T, list[T]]]:
    """Each item, or the first of many that say the same, with the others; what says None is told alone."""
    keys = [said(item) for item in items]
    alike: defaultdict[Hashable, list[T]] = defaultdict(list)
    for item, key in zip(items, keys, strict=True):
        if key is not None:
            alike[key].append(item)
    many = {key: found for key, found in alike.items() if len(found) > _MOST_APART}
    return [
        (item, many[key][1:] if key in many else [])
        for item, key in zip(items, keys, strict=True)
        if key not in many or item is many[key][0]
    ]


def also_text(names: Sequence[str], noun: str) -> str:
    """As in `the same for 7 more domains: a.example, b.example, c.example and 4 more`; empty without names."""
    if not names:
        return ""
    more = len(names) - _NAMED
    rest = f" and {more:,} more" if more > 0 else ""
    return f"the same for {len(names):,} more {noun}: {', '.join(names[:_NAMED])}{rest}"


def nameless(text: str, domain: str) -> str:
    """The text as it is for every domain: what is said of one names it."""
    return text.replace(domain, _ITS_NAME) if domain else text


def _said(diagnostic: Diagnostic) -> Hashable:
    if diagnostic.severity is not Severity.ADVISORY:
        return None
    words = (nameless(text, diagnostic.domain) for text in (diagnostic.summary, diagnostic.detail))
    return (diagnostic.code, bool(diagnostic.domain), *words)
