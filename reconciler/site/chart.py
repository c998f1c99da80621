"""Drift over time as the geometry of an inline SVG: stacked areas in steps, because a count holds until the next look.

Pure. Units are those of the drawing, whose corner is at the top left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from reconciler.drift import DriftSeverity
from reconciler.report.terminal import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.journal.entries import DriftCounts

WIDTH, HEIGHT = 640, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 6, 10, 22
_BUCKETS = 240
_LISTED = 30
DRAWN = (DriftSeverity.CRITICAL, DriftSeverity.HIGH, DriftSeverity.MEDIUM, DriftSeverity.LOW)
"""From the bottom up; what is only told (`info`) is no trouble."""


class Tick(NamedTuple):
    """A mark of an axis: its place, and what it says."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One severity's area, as the `d` of a path; `last` is its newest count."""

    severity: DriftSeverity
    path: str
    last: int


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing, and the newest looks as numbers, the newest first."""

    layers: tuple[Layer, ...]
    levels: tuple[Tick, ...]
    times: tuple[Tick, ...]
    looks: tuple[DriftCounts, ...]
    earlier: int
    summary: str


def build_chart(counts: Sequence[DriftCounts]) -> Chart | None:
    """The drawing of at least two looks, oldest first; None where there are fewer, and so nothing over time."""
    if len(counts) < 2 or counts[0].at == counts[-1].at:  # noqa: PLR2004 - a line has two ends
        return None
    shown = _thinned(counts)
    top = _nice(max(sum(_stack(c)) for c in shown))
    return Chart(
        layers=tuple(_layers(shown, top)),
        levels=tuple(Tick(_height(level, top), str(level)) for level in sorted({0, top // 2, top})),
        times=_times(shown),
        looks=tuple(reversed(counts[-_LISTED:])),
        earlier=max(0, len(counts) - _LISTED),
        summary=_summary(counts),
    )


def _stack(counts: DriftCounts) -> tuple[int, ...]:
    return tuple(max(0, counts.counts.get(severity.value, 0)) for severity in DRAWN)


def _thinned(counts: Sequence[DriftCounts]) -> list[DriftCounts]:
    """As many as can be told apart: of those in between that fall together, the worst; the first and last stay."""
    start, end = counts[0].at, counts[-1].at
    worst: dict[int, DriftCounts] = {}
    for each in counts[1:-1]:
        bucket = int((each.at - start) / (end - start) * _BUCKETS)
        if bucket not in worst or _stack(each) >= _stack(worst[bucket]):
            worst[bucket] = each
    return [counts[0], *worst.values(), counts[-1]]


def _nice(number: int) -> int:
    """The least round number that is not below: even, so that half of it is a number of findings."""
    unit = 1
    while number > 10 * unit:
        unit *= 10
    halves = (6, 8, 10, 15, 20, 30, 40, 50) if unit > 1 else (10, 20, 30, 40, 50)
    return next(2 * half * unit // 10 for half in halves if number * 10 <= 2 * half * unit)


def _height(number: int, top: int) -> float:
    return round(HEIGHT - _BOTTOM - number / top * (HEIGHT - _TOP - _BOTTOM), 1)


def _layers(shown: Sequence[DriftCounts], top: int) -> list[Layer]:
    start, end = shown[0].at, shown[-1].at
    places = [round(_LEFT + (c.at - start) / (end - start) * (WIDTH - _LEFT - _RIGHT), 1) for c in shown]
    stacks = [_stack(c) for c in shown]
    layers = []
    for index, severity in enumerate(DRAWN):
        upper = [_height(sum(stack[: index + 1]), top) for stack in stacks]
        lower = [_height(sum(stack[:index]), top) for stack in stacks]
        path = _steps(places, upper, "M") + _steps(places[::-1], lower[::-1], "L", is_backwards=True) + "Z"
        layers.append(Layer(severity, path, stacks[-1][index]))
    return layers


def _steps(places: Sequence[float], heights: Sequence[float], begin: str, *, is_backwards: bool = False) -> str:
    """A line in steps: what was counted holds until the next look, in whichever direction it is drawn."""
    path = f"{begin}{places[0]:g} {heights[0]:g}"
    for place, height in zip(places[1:], heights[1:], strict=True):
        path += f"V{height:g}H{place:g}" if is_backwards else f"H{place:g}V{height:g}"
    return path


def _times(shown: Sequence[DriftCounts]) -> tuple[Tick, ...]:
    start, end = shown[0].at, shown[-1].at
    form = "%Y-%m-%d %H:%M" if start.date() == end.date() else "%Y-%m-%d"
    return (Tick(_LEFT, start.strftime(form)), Tick(WIDTH - _RIGHT, end.strftime(form)))


def _summary(counts: Sequence[DriftCounts]) -> str:
    first, last = sum(_stack(counts[0])), sum(_stack(counts[-1]))
    days = (counts[-1].at - counts[0].at).days
    most = max(sum(_stack(c)) for c in counts)
    over = f"over {counted(days, 'day')}" if days else "within a day"
    return f"{len(counts)} looks {over}: from {first} findings to {last}, at most {most}"
