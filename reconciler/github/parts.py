"""Long Markdown in parts, each below a limit: cut between blocks, never inside a fold, and what is left out is counted.

Sizes are octets of UTF-8: that is never less than the characters that GitHub counts. Blocks have no fence in them, and
their code spans end on the line on which they begin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

CLOSE = "</details>\n\n"
_ROOM_FOR_NOTES = 1500  # what is left out, told in the first part and in the last one


@dataclass(frozen=True, slots=True)
class Fold:
    """What is folded away under one line.

    `summary` is HTML without a line end, `size` the number of `blocks`; these are made only when they are needed. Each
    is Markdown and ends with an empty line. `is_open`: it is shown unfolded.
    """

    summary: str
    size: int
    blocks: Iterable[str]
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What did not fit: blocks, and the folds that they are in."""

    blocks: int
    folds: int


def octets(text: str) -> int:
    """The size of a text in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def fitted(block: str, room: int) -> str:
    """A block of at most `room` octets: whole lines, then how many more there are."""
    if octets(block) <= room:
        return block
    lines = block.rstrip("\n").split("\n")
    room -= 100  # for the last line
    kept = []
    for line in lines:
        room -= octets(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, f"- {len(lines) - len(kept)} more lines are left out here", "", ""])


def pack(
    head: str, folds: Sequence[Fold], tail: str, *, limit: int, most: int, note: Callable[[LeftOut], str]
) -> list[str]:
    """At most `most` texts of at most `limit` octets: the head begins the first, the tail ends the last.

    Where not every block fits, `note` says so, at the end of the first and of the last; the blocks that are there are
    the first ones.
    """
    packer = _Packer(limit - octets(tail) - _ROOM_FOR_NOTES, most)
    packer.add(fitted(head, packer.room))
    left_blocks = left_folds = 0
    for fold in folds:
        shown = packer.add_fold(fold)
        left_blocks += fold.size - shown
        left_folds += shown < fold.size
    parts = ["".join(part) for part in packer.parts]
    if left_blocks:
        told = note(LeftOut(left_blocks, left_folds))
        parts = [f"{part}{told}" if i in {0, len(parts) - 1} else part for i, part in enumerate(parts)]
    return [*parts[:-1], f"{parts[-1]}{tail}"]


@dataclass(slots=True)
class _Packer:
    room: int
    most: int
    parts: list[list[str]] = field(default_factory=lambda: [[]])
    used: int = 0
    is_full: bool = False

    def add(self, text: str) -> None:
        self.parts[-1].append(text)
        self.used += octets(text)

    def add_fold(self, fold: Fold) -> int:
        """Add as many of the blocks as fit; returns how many those are."""
        if self.is_full:
            return 0
        shown, is_open = 0, False
        opening = f"<details{' open' if fold.is_open else ''}><summary>{fold.summary}</summary>\n\n"
        overhead = octets(opening) + octets(CLOSE) + len(" (continued)")
        for whole in fold.blocks:
            block = fitted(whole, self.room - overhead)
            if self.used + octets(block) + (0 if is_open else overhead) > self.room:
                if is_open:
                    self.add(CLOSE)
                    is_open = False
                if not self._begins_another():
                    return shown
            if not is_open:
                self.add(opening.replace("</summary>", " (continued)</summary>") if shown else opening)
                # the end of the fold is paid for when it begins
                self.used += octets(CLOSE)
                is_open = True
            self.add(block)
            shown += 1
        if is_open:
            self.parts[-1].append(CLOSE)
        return shown

    def _begins_another(self) -> bool:
        if len(self.parts) == self.most:
            self.is_full = True
            return False
        self.parts.append([])
        self.used = 0
        return True
