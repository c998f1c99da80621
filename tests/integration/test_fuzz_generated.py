"""A hundred thousand answers, built octet by octet as the fuzzer builds them, and the walker's law on each.

Half of them are right; of the rest, pointers are astray, or counts, lengths and octets off. Neither a fuzzer nor a
server is needed; it is here because it takes too long to run once more under coverage.
"""

from __future__ import annotations

import random

import pytest
from fuzz.walker_target import built, fuzz_one, question_in
from wire_answers import check

ANSWERS = 100_000
PARTS = 4  # for as many processes


class Dice:
    """Draws as the fuzzer's provider does, without an end."""

    def __init__(self, seed: int) -> None:
        """Begin anew."""
        dice = random.Random(seed)  # noqa: S311 - a generator of test data
        self._random, self._octets = dice.random, dice.randbytes

    def ConsumeIntInRange(self, minimum: int, maximum: int, /) -> int:  # noqa: N802 - the fuzzer's name
        """An integer from `minimum` to `maximum`."""
        return minimum + int(self._random() * (maximum - minimum + 1))

    def ConsumeBytes(self, count: int, /) -> bytes:  # noqa: N802 - the fuzzer's name
        """So many octets."""
        return self._octets(count)

    def remaining_bytes(self) -> int:
        """How many an answer of random octets shall have."""
        return self.ConsumeIntInRange(0, 80)


@pytest.mark.parametrize("part", range(PARTS))
def test_built_answers_are_read_as_dnspython_reads_them_or_left(part: int) -> None:
    share = ANSWERS // PARTS
    dice = Dice(part)
    answers = (built(dice) for _ in range(share))
    accepted = sum(check(wire, question_in(wire)) for wire in answers)
    assert accepted > share // 8, "the law is about what is read"


def test_siblings_and_observations_are_alike() -> None:
    """Random octets, too; each with a sibling whose question has the same outline, and as the rules observe it."""
    dice = Dice(PARTS)
    assert sum(fuzz_one(dice) for _ in range(4000)) > 100
