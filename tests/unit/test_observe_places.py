"""Places at addresses: never more visits than allowed, none too soon, and no long wait for what is silent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.observe.places import MAX_ADDRESSES, Places

GOOD, BAD, SILENT, SKIPPED = "good", "bad", "silent", "skipped"
ONE, OTHER = "192.0.2.1", "192.0.2.2"


@dataclass
class Street:
    """Addresses that say the same to everybody, and who visits them when."""

    says: dict[str, str]
    seconds: float = 0.0
    now: int = 0
    most: dict[str, int] = field(default_factory=dict)
    most_over_all: int = 0
    there: dict[str, int] = field(default_factory=dict)
    begun: list[tuple[str, float]] = field(default_factory=list)
    given: list[float] = field(default_factory=list)

    async def visit(self, address: str, seconds: float) -> str:
        """A visit, counted."""
        self.given.append(seconds)
        self.begun.append((address, asyncio.get_running_loop().time()))
        self.now += 1
        self.there[address] = self.there.get(address, 0) + 1
        self.most[address] = max(self.most.get(address, 0), self.there[address])
        self.most_over_all = max(self.most_over_all, self.now)
        await asyncio.sleep(self.seconds)
        self.now -= 1
        self.there[address] -= 1
        return self.says.get(address, GOOD)

    def skip(self, address: str) -> str:
        """Nobody went there."""
        del address
        return SKIPPED

    def is_enough(self, found: str) -> bool:
        """Good is enough."""
        return found == GOOD

    def is_silence(self, found: str) -> bool:
        """Silence."""
        return found == SILENT


def walk(
    street: Street, *hosts: list[str], slots: int = 50, per_address: int = 2, spacing: float = 0.0, seconds: float = 8
) -> list[list[str]]:
    """What the visit of each host found, all begun at once."""

    async def everybody() -> list[list[str]]:
        places = Places(asyncio.Semaphore(slots), per_address, spacing)
        return list(await asyncio.gather(*(places.in_turn(addresses, seconds, street) for addresses in hosts)))

    return asyncio.run(everybody())


def test_the_first_address_that_is_enough_ends_the_visit() -> None:
    street = Street({ONE: BAD})
    assert walk(street, [ONE, OTHER, "192.0.2.3"]) == [[BAD, GOOD]]
    assert street.given == pytest.approx([8 / 3, 4.0], rel=0.1)


def test_only_so_many_addresses_are_tried() -> None:
    addresses = [f"192.0.2.{n}" for n in range(9)]
    assert walk(Street(dict.fromkeys(addresses, BAD)), addresses) == [[BAD] * MAX_ADDRESSES]


@given(
    st.lists(st.lists(st.sampled_from([ONE, OTHER, "::1"]), min_size=1, max_size=3), max_size=30),
    st.integers(1, 6),
    st.integers(1, 6),
    st.dictionaries(st.sampled_from([ONE, OTHER, "::1"]), st.sampled_from([GOOD, BAD, SILENT])),
)
def test_no_address_and_no_run_sees_more_visits_at_once_than_allowed(
    hosts: list[list[str]], slots: int, per_address: int, says: dict[str, str]
) -> None:
    street = Street(says)
    found = walk(street, *hosts, slots=slots, per_address=per_address)
    assert all(0 < len(one) <= len(addresses) for one, addresses in zip(found, hosts, strict=True))
    assert max(street.most.values(), default=0) <= per_address
    assert street.most_over_all <= slots


def test_visits_at_one_address_begin_apart_and_at_others_at_once() -> None:
    street = Street({})
    walk(street, *[[ONE]] * 4, [OTHER], spacing=0.2, per_address=4)
    times = sorted(t for address, t in street.begun if address == ONE)
    assert all(later - sooner > 0.1 for sooner, later in pairwise(times))
    assert next(t for address, t in street.begun if address == OTHER) < times[1]


def test_waiting_for_a_place_takes_none_of_the_time() -> None:
    street = Street({}, seconds=0.05)
    walk(street, *[[ONE]] * 4, per_address=1, seconds=1)
    assert street.given == [1.0] * 4


def test_a_busy_address_keeps_no_slot_from_others() -> None:
    street = Street({}, seconds=0.02)
    walk(street, *[[ONE]] * 10, [OTHER], slots=2, per_address=1)
    assert [address for address, _ in street.begun].index(OTHER) == 1


def test_an_address_that_was_silent_twice_is_not_waited_for_again() -> None:
    street = Street({ONE: SILENT})
    found = walk(street, *[[ONE]] * 100, [ONE, OTHER], per_address=2)
    assert len([address for address, _ in street.begun if address == ONE]) == 2
    assert found[-1] == [SKIPPED, GOOD]
    assert [one[0] for one in found].count(SKIPPED) == 99


def test_an_answer_between_silences_makes_an_address_worth_a_wait_again() -> None:
    street = Street({ONE: SILENT})

    async def turns() -> list[str]:
        places = Places(asyncio.Semaphore(9), 1, 0.0)
        found = []
        for says in (SILENT, GOOD, SILENT, SILENT, GOOD):
            street.says[ONE] = says
            found += await places.in_turn([ONE], 1, street)
        return found

    assert asyncio.run(turns()) == [SILENT, GOOD, SILENT, SILENT, SKIPPED]
