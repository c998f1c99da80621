"""The observer against forgers, and against a network that doubles, delays, reorders and spoils: truth is seen."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

import pytest
from servers.forging import TRUE, run_forging
from servers.observing import Asking, question
from servers.processes import free_port

from reconciler.observe.dns import LiveObserver
from reconciler.state import Present

if TYPE_CHECKING:
    from collections.abc import Sequence

    from servers.forging import Answers

    from reconciler.observe.asking import Address
    from reconciler.state import Observation

pytestmark = pytest.mark.integration

FORGERIES = 10_000
KINDS = {
    "id", "case", "type", "class", "name", "query", "no question", "source address", "source port", "port",
}  # fmt: skip


def observe_all(count: int, servers: Sequence[Address], **settings: float) -> list[Observation]:
    """The MX of so many domains, each in a zone of its own: two questions a domain."""
    asking = Asking(servers=tuple(servers), **settings)  # type: ignore[arg-type]  # numbers of both kinds
    return list(LiveObserver(asking).observe(question(f"d{number}.example.", "MX") for number in range(count)))


def assert_all_true(found: list[Observation], count: int) -> None:
    assert len({o.key for o in found}) == len(found) == count
    rdatas = {o.observed.rrset.rdatas if isinstance(o.observed, Present) else o.observed for o in found}
    assert rdatas == {(TRUE,)}


def test_ten_thousand_forged_answers_are_refused_and_the_true_ones_kept() -> None:
    count = FORGERIES // (2 * (len(KINDS) - 1)) + 20
    with run_forging() as server:
        found = observe_all(count, [server.endpoint], timeout=5.0, attempts=3, in_flight=50)
    assert_all_true(found, count)
    assert server.sent.total() >= FORGERIES
    assert set(server.sent) == KINDS
    assert min(server.sent.values()) > FORGERIES // 20, server.sent


def doubled_late_disordered_and_garbage() -> Answers:
    held: list[tuple[bytes, Address]] = []

    def answers(query: bytes, true: bytes, client: Address) -> list[tuple[bytes, Address]]:
        """First garbage and half an answer; with the next question both answers, twice, the later one first."""
        held.append((true, client))
        if len(held) % 2:
            return [(garbage, client) for garbage in (b"", query[:2], os.urandom(60), query[:2] + os.urandom(30))]
        return [*reversed(held[-2:]), *held[-2:]]

    return answers


def losing(share: float) -> Answers:
    dice = random.Random(3)  # noqa: S311 - test data
    return lambda _query, true, client: [(true, client)] if dice.random() > share else []


@pytest.mark.parametrize("answers", [doubled_late_disordered_and_garbage(), losing(0.1)], ids=["disorder", "loss"])
def test_a_bad_network_hides_nothing(answers: Answers) -> None:
    with run_forging(answers) as server:
        found = observe_all(300, [server.endpoint], timeout=0.5, attempts=8, in_flight=40)
    assert_all_true(found, 300)


@pytest.mark.parametrize("is_silent", [False, True], ids=["closed", "silent"])
def test_one_of_two_servers_is_dead(is_silent: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    """The other one's answers are seen, and time is bounded, however many domains ask the dead one."""
    with run_forging(lambda _q, true, client: [(true, client)]) as alive, run_forging(lambda _q, _t, _c: []) as silent:
        dead = silent.endpoint if is_silent else ("127.0.0.1", free_port("127.0.0.1"))
        begun = time.monotonic()
        found = observe_all(300, [alive.endpoint, dead], timeout=0.3, attempts=2, in_flight=100)
        took = time.monotonic() - begun
    assert_all_true(found, 300)
    assert all(len(o.answers) == 2 for o in found)
    assert took < 20
