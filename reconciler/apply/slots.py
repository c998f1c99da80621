"""Which of our lines in a master file holds which value, so that no line of somebody else loses its owner name.

A line that begins with a blank takes the owner name of the line before it (RFC 1035 section 5.1). A line of ours that
others depend on must stay a line of that owner: it gets another value of ours instead of going away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.apply.masterfile import MasterFileError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reconciler.apply.masterfile import Record
    from reconciler.state import Rdata


@dataclass(frozen=True, slots=True)
class Assignment:
    """For each of our lines its value, None where the line goes; `added` are the values that need a new line."""

    values: tuple[Rdata | None, ...]
    added: tuple[Rdata, ...]


def assign_slots(
    records: Sequence[Record], ours: Sequence[Record], held: Sequence[Rdata], wanted: Sequence[Rdata]
) -> Assignment:
    """Values for our lines: kept where they are wanted, then changed, then dropped; `held` belongs to `ours`.

    Raises:
        MasterFileError: a line that is not ours takes its owner name from one that would have to go.

    """
    values: list[Rdata | None] = [v if v in wanted and v not in held[:i] else None for i, v in enumerate(held)]
    missing = [v for v in wanted if v not in values]
    needed = [i for i in range(len(ours)) if _dependent(records, [ours[i]]) is not None]
    free = [i for i in needed if values[i] is None] + [i for i, v in enumerate(values) if v is None and i not in needed]
    for index, value in zip(free, missing, strict=False):
        values[index] = value
    _keep_needed(records, ours, values)
    return Assignment(tuple(values), tuple(v for v in wanted if v not in values))


def _keep_needed(records: Sequence[Record], ours: Sequence[Record], values: list[Rdata | None]) -> None:
    """Move values from lines that may go to lines that must stay, until no line loses its owner name."""
    for _ in range(len(ours) + 1):
        dropped = [ours[i] for i, v in enumerate(values) if v is None]
        dependent = _dependent(records, dropped)
        if dependent is None:
            return
        swap = next(_swaps(records, ours, values, dependent), None)
        if swap is None:
            break
        kept, given = swap
        values[kept], values[given] = values[given], None
    line = dependent.entry.line if dependent else 0
    raise MasterFileError("this line takes its owner name from a line that has to go; write the owner name here", line)


def _swaps(
    records: Sequence[Record], ours: Sequence[Record], values: Sequence[Rdata | None], dependent: Record
) -> Iterator[tuple[int, int]]:
    """Pairs (line that must stay, line that gives it its value and goes) that let `dependent` keep its owner."""
    carriers = [
        i
        for i, value in enumerate(values)
        if value is None and ours[i].owner_token and ours[i].entry.start < dependent.entry.start
    ]
    for carrier in carriers[-1:]:
        for donor in reversed([i for i, value in enumerate(values) if value is not None]):
            dropped = [ours[i] for i, v in enumerate(values) if i == donor or (v is None and i != carrier)]
            following = _dependent(records, dropped)
            if following is None or following.entry.start > dependent.entry.start:
                yield carrier, donor


def _dependent(records: Sequence[Record], dropped: Collection[Record]) -> Record | None:
    """The first record that would get another owner name when the lines of `dropped` go."""
    gone = {record.entry.start for record in dropped}
    last = records[0].owner if records else None
    for record in records:
        if record.entry.start in gone:
            continue
        if record.owner_token is None and record.owner != last:
            return record
        last = record.owner
    return None
