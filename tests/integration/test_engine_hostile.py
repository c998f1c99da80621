"""The engine against forgers, garbage, silence and loss: the true answers, or failures in bounded time."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
from typing import TYPE_CHECKING

import pytest
from servers.engine_lab import Answering, asks_of, replies_of, run_answering, stream_replies, to_client, value_of
from servers.processes import free_port

from reconciler.observe.asking import ExchangeError
from reconciler.observe.attempts import Pace
from reconciler.observe.engine import Engine
from reconciler.observe.reply import Reply
from reconciler.observe.wire import mixed_case
from reconciler.state import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.engine_lab import Ask

    from reconciler.observe.asking import Address

pytestmark = pytest.mark.integration

PATIENT = Pace(timeout=5.0, attempts=3, in_flight=50, window=50)


def check_all_true(answering: Answering, count: int, pace: Pace = PATIENT) -> None:
    """Every question has its own answer."""
    results = replies_of(pace, asks_of(count, answering.endpoint))
    assert len(results) == count
    for ask, result in results:
        assert isinstance(result, Reply), result
        assert result.plain is not None
        assert result.plain.rdatas == (value_of(ask.query.name),)


FORGERIES = int(os.environ.get("RECONCILER_FORGERIES", "2000"))


def forged_before(query: bytes, answer: bytes, dice: random.Random) -> Iterator[bytes]:
    """Five forgeries, each with another answer: wrong id, case, type, opcode, and no answer at all."""
    false = answer.replace(b"\x04true", b"\x05false")
    end = query.index(b"\x00", 12) + 1
    question = query[12 : end + 4]
    other_case = mixed_case(question, dice.randbytes(len(question)))
    yield bytes((answer[0] ^ 1, answer[1])) + false[2:]
    if other_case != question:
        yield false.replace(question, other_case)
    yield false.replace(question, question[:-4] + b"\x00\x0f\x00\x01")
    yield false[:2] + bytes((false[2] | 0x08,)) + false[3:]
    yield query


def test_forged_answers_are_refused_and_the_true_ones_kept() -> None:
    """They come before the true one, from the true source and port: the worst that a forger may know."""
    dice = random.Random(1)  # noqa: S311 - test data

    def reply(query: bytes, answer: bytes) -> list[bytes]:
        return [*forged_before(query, answer, dice), answer]

    with run_answering(to_client(reply)) as answering:
        check_all_true(answering, FORGERIES // 5)


def test_answers_from_another_source_do_not_arrive() -> None:
    """A forger who knows id, case and port, and has another port himself (RFC 5452 section 4)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
        forger.bind(("127.0.0.1", 0))

        def reply(query: bytes, answer: bytes, client: Address) -> list[tuple[bytes, Address]]:
            forger.sendto(answer.replace(b"\x04true", b"\x05false"), client)
            assert query[:2] == answer[:2]
            return [(answer, client)]

        with run_answering(reply) as answering:
            check_all_true(answering, 200)


def test_ids_ports_and_case_are_random() -> None:
    with run_answering(to_client(lambda _q, answer: [answer])) as answering:
        check_all_true(answering, 400)
    assert len({query[:2] for query, _ in answering.asked}) > 380
    assert len({port for _, port in answering.asked}) >= 30
    cased = [query[13:18] for query, _ in answering.asked]
    assert len(set(cased)) > 20, "five letters, 32 cases"


def test_every_answer_twice_late_and_out_of_order_and_garbage_between() -> None:
    held: list[tuple[bytes, Address]] = []

    def reply(_query: bytes, answer: bytes, client: Address) -> list[tuple[bytes, Address]]:
        """Garbage at first; at every second question both answers, twice, the later one first."""
        held.append((answer, client))
        if len(held) % 2:
            return [(garbage, client) for garbage in (b"", b"\x00", os.urandom(40), answer[:15])]
        return [*reversed(held[-2:]), *held[-2:]]

    with run_answering(reply) as answering:
        check_all_true(answering, 400, Pace(timeout=0.5, attempts=4, in_flight=20, window=20))


def test_lost_datagrams_are_asked_for_again() -> None:
    dice = random.Random(2)  # noqa: S311 - test data
    with run_answering(to_client(lambda _q, answer: [answer] if dice.random() > 0.1 else [])) as answering:
        check_all_true(answering, 500, Pace(timeout=0.3, attempts=8, in_flight=100, window=100))


def test_one_of_two_addresses_is_dead() -> None:
    with run_answering(to_client(lambda _q, answer: [answer])) as answering:
        dead = ("127.0.0.9", answering.endpoint[1])
        pace = Pace(timeout=0.3, attempts=2, in_flight=100, window=100)
        results = replies_of(pace, asks_of(300, dead, answering.endpoint))
    assert all(isinstance(result, Reply) for _, result in results)


def test_a_black_hole_ends_in_bounded_time() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", 0))
        pace = Pace(timeout=0.3, attempts=2, in_flight=100, window=100)
        begun = time.monotonic()
        results = replies_of(pace, asks_of(5000, hole.getsockname()))
    assert time.monotonic() - begun < 15
    assert len(results) == 5000
    assert {r.cause for _, r in results if isinstance(r, ExchangeError)} == {Cause.TIMEOUT}


def test_a_closed_port_is_no_silence() -> None:
    pace = Pace(timeout=5.0, attempts=2, in_flight=50, window=50)
    begun = time.monotonic()
    results = replies_of(pace, asks_of(100, ("127.0.0.1", free_port("127.0.0.1"))))
    assert {r.cause for _, r in results if isinstance(r, ExchangeError)} == {Cause.NETWORK}
    assert time.monotonic() - begun < 4


def test_truncation_leads_to_tcp_and_to_the_whole_answer() -> None:
    def truncated(_query: bytes, answer: bytes) -> list[bytes]:
        return [answer[:2] + bytes((answer[2] | 0x02,)) + answer[3:-3]]

    with run_answering(to_client(truncated)) as answering:
        check_all_true(answering, 50)
    assert answering.over_tcp == 50


@pytest.mark.parametrize("is_whole", [True, False], ids=["TCP, too", "UDP alone"])
def test_a_server_that_folds_case_is_asked_over_tcp(is_whole: bool) -> None:  # noqa: FBT001 - by name
    """Its answers over UDP cannot be told from forged ones."""

    def folded(answer: bytes) -> bytes:
        end = answer.index(b"\x00", 12)
        return answer[:12] + answer[12:end].lower() + answer[end:]

    over_tcp = folded if is_whole else bytes
    with run_answering(to_client(lambda _query, answer: [folded(answer)]), over_tcp) as answering:
        check_all_true(answering, 40, Pace(timeout=0.3, attempts=3, in_flight=10, window=10))
    assert answering.over_tcp == 40


def test_an_address_gets_its_rate_at_most() -> None:
    with run_answering(to_client(lambda _q, answer: [answer])) as answering:
        begun = time.monotonic()
        check_all_true(answering, 150, Pace(timeout=5.0, attempts=1, in_flight=50, window=50, rate=100.0))
        took = time.monotonic() - begun
    assert took > 1.2, "150 at 100 a second, less the burst"


def test_an_address_has_no_more_under_way_than_its_window() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", 0))
        hole.setblocking(False)  # noqa: FBT003 - the socket's own signature
        pace = Pace(timeout=5.0, attempts=1, in_flight=100, window=7)
        asyncio.run(_begin(pace, asks_of(50, hole.getsockname())))
        assert _datagrams(hole) == 7


async def _begin(pace: Pace, asks: Iterator[Ask]) -> None:
    engine = Engine(pace)
    for ask in asks:
        engine.start(ask.addresses, ask.query, lambda _reply: None)
    await asyncio.sleep(0.1)
    engine.stop()


def _datagrams(sock: socket.socket) -> int:
    count = 0
    try:
        while sock.recv(4096):
            count += 1
    except BlockingIOError:
        return count
    return count


def test_questions_are_taken_as_results_are() -> None:
    """Memory holds a few windows, not all questions: the results stream."""
    taken = 0

    def counted() -> Iterator[Ask]:
        nonlocal taken
        for ask in asks_of(10_000, answering.endpoint):
            taken += 1
            yield ask

    with run_answering(to_client(lambda _q, answer: [answer])) as answering:
        replies = stream_replies(Pace(timeout=5.0, attempts=1, in_flight=20, window=20), counted())
        _, reply = next(replies)
        replies.close()
    assert isinstance(reply, Reply)
    assert taken <= 40


def test_error_rcodes_without_a_question_are_failures() -> None:
    def refused(query: bytes, _answer: bytes) -> list[bytes]:
        return [query[:2] + b"\x80\x05" + bytes(8)]

    with run_answering(to_client(refused)) as answering:
        results = replies_of(Pace(timeout=1.0, attempts=1), asks_of(5, answering.endpoint))
    assert {r.cause for _, r in results if isinstance(r, ExchangeError)} == {Cause.REFUSED}
