"""Applying many domains: real threads, and writers that a test holds and lets go."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from reconciler.apply import ApplyError, ProviderConfigError, StaleError
from reconciler.apply.batch import DomainWork, Outcome, apply_domains
from reconciler.diff import Change
from reconciler.names import Name
from reconciler.state import Key, Rdata

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.apply import ZoneWriter

SECONDS = 10  # for what must happen; nothing here waits so long when it is right


def _work(domain: str, provider: str = "one") -> DomainWork:
    name = Name(f"{domain}.example.")
    change = Change(Key(name, "TXT"), name, (), (Rdata('"x"'),), (), None, 60)
    return DomainWork(name, provider, name, (change,))


@dataclass
class Writer:
    """Writes nothing; `on_write` is called with the zone's first label, inside of a write."""

    on_write: Callable[[str], None] = lambda _zone: None
    started: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def write(self, zone: Name, changes: Sequence[Change]) -> None:
        """Keep what was asked for."""
        assert changes
        label = zone.partition(".")[0]
        self.started.append(label)
        self.on_write(label)
        self.ended.append(label)


def _apply(works: Sequence[DomainWork], writer: ZoneWriter, servers: dict[str, str] | None = None) -> list[Outcome]:
    by_provider = servers or {}
    return list(apply_domains(works, lambda _provider: writer, lambda p: by_provider.get(p, p)))


def _labels(outcomes: Sequence[Outcome]) -> list[str]:
    return [o.work.domain.partition(".")[0] for o in outcomes]


def test_every_domain_has_one_outcome_and_one_servers_writes_keep_their_order() -> None:
    writer = Writer()
    names = [f"d{i}" for i in range(50)]
    outcomes = _apply([_work(n) for n in names], writer)
    assert _labels(outcomes) == names == writer.started
    assert {o.error for o in outcomes} == {None}


def test_nothing_to_write_ends_at_once() -> None:
    assert _apply([], Writer()) == []


@pytest.mark.parametrize("providers", [("one", "one"), ("one", "two")])
def test_one_server_is_written_to_in_sequence(providers: tuple[str, str]) -> None:
    """Also when two providers lead to it."""
    inside = threading.Lock()

    def alone(_zone: str) -> None:
        assert inside.acquire(blocking=False), "two writes at once"
        threading.Event().wait(0.005)
        inside.release()

    works = [_work(f"d{i}", providers[i % 2]) for i in range(10)]
    outcomes = _apply(works, Writer(alone), {"one": "server", "two": "server"})
    assert len(outcomes) == 10


def test_two_servers_are_written_to_side_by_side() -> None:
    """Each write waits for the other: in sequence neither would end."""
    meeting = threading.Barrier(2, timeout=SECONDS)

    def meet(_zone: str) -> None:
        meeting.wait()

    outcomes = _apply([_work("a", "one"), _work("b", "two")], Writer(meet))
    assert sorted(_labels(outcomes)) == ["a", "b"]


def test_more_servers_than_threads_are_all_written_to() -> None:
    works = [_work(f"d{i}", f"provider{i}") for i in range(30)]
    assert len(_apply(works, Writer())) == 30


def test_a_domain_that_fails_stops_no_other() -> None:
    def fail(zone: str) -> None:
        if zone == "stale":
            raise StaleError("somebody was faster")
        if zone == "failed":
            raise ApplyError("REFUSED")

    outcomes = _apply([_work("stale"), _work("a"), _work("failed"), _work("b")], Writer(fail))
    assert _labels(outcomes) == ["stale", "a", "failed", "b"]
    assert [(str(o.error), o.is_stale) for o in outcomes if o.error] == [
        ("somebody was faster", True),
        ("REFUSED", False),
    ]


def test_a_provider_is_built_once_and_only_when_it_is_used() -> None:
    built: list[str] = []

    def build(provider: str) -> ZoneWriter:
        built.append(provider)
        return Writer()

    works = [_work(f"d{i}", ("one", "two")[i % 2]) for i in range(6)]
    list(apply_domains(works, build, lambda _provider: "server"))
    assert sorted(built) == ["one", "two"]


def test_a_provider_that_cannot_be_built_fails_its_domains_alone() -> None:
    built: list[str] = []

    def build(provider: str) -> ZoneWriter:
        built.append(provider)
        if provider == "bad":
            raise ProviderConfigError("no secret")
        return Writer()

    works = [_work("a", "bad"), _work("b", "good"), _work("c", "bad")]
    outcomes = {_labels([o])[0]: o.error for o in apply_domains(works, build, lambda _provider: "server")}
    assert {k: str(v) if v else "" for k, v in outcomes.items()} == {"a": "no secret", "b": "", "c": "no secret"}
    assert built.count("bad") == 1


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), SystemExit(3), KeyboardInterrupt()])
def test_an_unforeseen_exception_stops_the_run_and_hangs_nothing(error: BaseException) -> None:
    def fail(zone: str) -> None:
        if zone == "b":
            raise error

    writer = Writer(fail)
    applying = apply_domains([_work(n) for n in "abc"], lambda _p: writer, lambda p: p)
    assert _labels([next(applying)]) == ["a"]
    with pytest.raises(type(error)) as caught:
        next(applying)
    assert caught.value is error
    assert writer.started == ["a", "b"]


def test_a_builder_with_a_bug_stops_the_run() -> None:
    def build(_provider: str) -> ZoneWriter:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(apply_domains([_work("a")], build, lambda p: p))


def test_an_interrupt_ends_after_the_writes_under_way() -> None:
    """What has begun is finished, what has not is left, and nothing runs on afterwards."""
    begun, interrupted = threading.Event(), threading.Event()

    def slow(zone: str) -> None:
        if zone == "b":
            begun.set()
            assert interrupted.wait(SECONDS)

    writer = Writer(slow)
    applying = apply_domains([_work(n) for n in "abcd"], lambda _p: writer, lambda p: p)
    assert _labels([next(applying)]) == ["a"]
    assert begun.wait(SECONDS)
    threading.Timer(0.05, interrupted.set).start()
    with pytest.raises(KeyboardInterrupt):
        applying.throw(KeyboardInterrupt())
    assert writer.started == writer.ended == ["a", "b"]


def test_closing_ends_after_the_writes_under_way() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(zone: str) -> None:
        if zone == "b":
            begun.set()
            assert go_on.wait(SECONDS)

    writer = Writer(slow)
    applying = apply_domains([_work(n) for n in "abcd"], lambda _p: writer, lambda p: p)
    next(applying)
    assert begun.wait(SECONDS)
    threading.Timer(0.05, go_on.set).start()
    applying.close()
    assert writer.started == writer.ended == ["a", "b"]
