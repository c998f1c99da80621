"""What plans and drifts have in common when they are merged: parts by their positions, and what stops a run. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reconciler.limits import FreezeWindow, Limits, Stops

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.document import StopsDocument

T = TypeVar("T")


def in_order(parts: Iterable[tuple[Sequence[int], Sequence[T]]]) -> list[T]:
    """What the parts have, by the positions that are given with them."""
    pairs = [pair for positions, found in parts for pair in zip(positions, found, strict=True)]
    return [found for _, found in sorted(pairs, key=lambda pair: pair[0])]


def stops_of(document: StopsDocument) -> Stops:
    """What stops a run, in the core's form."""
    limits = Limits(
        document.switches_per_run,
        document.switches_per_organization,
        document.unhealthy_share,
        document.unhealthy_domains,
    )
    freeze = tuple(FreezeWindow(window.start, window.end, window.reason) for window in document.freeze)
    return Stops(limits, freeze, document.kill_switch)
