"""Laws of notifications, over any life of findings, looks, documents given late or twice, and endpoints that fail."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from builders import NOW
from hypothesis import given, settings
from hypothesis import strategies as st
from notify_builders import DAY, HOUR, drift, endpoint, finding, unread

from reconciler.notify.digest import build_messages
from reconciler.notify.follow import follow_looks, give_up, without_old
from reconciler.notify.look import look_of_drift
from reconciler.notify.record import PATIENCE, Event, Record, Records, Standing
from reconciler.notify.remembered import read_records, told_of

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from reconciler.drift import DriftDocument

CHAT = endpoint(Event.DRIFT_OPENED, Event.DRIFT_CLOSED)
DOMAINS = ("a.example", "b.example", "c.example")
CODES = ("mx-not-gateway", "token-removed", "ttl")
FOUND = {(d, c): f"acme|{d}|{c}" for d in DOMAINS for c in CODES}
EVERY = {**FOUND, **{(d, "not-observed"): f"acme|{d}|not-observed" for d in DOMAINS}}
SOME = st.frozensets(st.sampled_from(sorted(FOUND)), max_size=9)


@dataclass(frozen=True)
class Run:
    """One run: what there is, what of it is looked at and can be read, and which messages the endpoint takes."""

    there: frozenset[tuple[str, str]]
    looked: frozenset[str]
    unread: frozenset[str]
    pause: timedelta
    takes: tuple[bool, ...]
    older: int


FEW = settings(max_examples=200, deadline=None)
RUNS = st.lists(
    st.builds(
        Run,
        SOME,
        st.frozensets(st.sampled_from(DOMAINS)),
        st.frozensets(st.sampled_from(DOMAINS), max_size=1),
        st.sampled_from([HOUR, DAY, 4 * DAY]),
        st.lists(st.booleans(), min_size=1, max_size=4).map(tuple),
        st.integers(0, 3),
    ),
    max_size=8,
)


@dataclass
class World:
    """What really happened: what the endpoint was told, and what some look has surely seen gone since then."""

    records: Records = field(default_factory=dict)
    documents: list[DriftDocument] = field(default_factory=list)
    telling: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    gone: set[str] = field(default_factory=set)
    passed: timedelta = timedelta(0)

    def run(self, run: Run, per_run: int = 20) -> None:
        """As the shell does it: documents, decide, send, keep."""
        self.passed += run.pause
        now = NOW + self.passed
        self.documents.append(document(run, now))
        given_documents = [self.documents[-1], *self.documents[-1 - run.older : -1]]
        looks = [look_of_drift(d, DAY) for d in given_documents if now - d.created_at <= PATIENCE]
        for look in looks:
            self.gone |= {i for (d, _), i in EVERY.items() if ("acme", d) in look.known and i not in look.present}
        records, _ = give_up(follow_looks(self.records, looks, CHAT, now), now)
        records = without_old(records, [CHAT], now)
        for number, message in enumerate(build_messages(records.values(), per_run)):
            if run.takes[number % len(run.takes)]:
                for record in message.records:
                    self.tell(record)
                    records[record.key] = record.taken(now)
        self.records, unreadable = read_records(told_of(records.values()))
        assert not unreadable

    def tell(self, record: Record) -> None:
        """The endpoint took it; this is what must hold of it."""
        assert record.event is not None
        identity = record.matter.identity
        before = self.telling[identity]
        if record.event is Event.DRIFT_CLOSED:
            assert before[-1:] == [Event.DRIFT_OPENED], "closed only after it was opened"
            assert identity in self.gone, "unknown, or not looked at, closes nothing"
        else:
            assert not before or identity in self.gone, "told twice while it lasts"
            self.gone.discard(identity)
        before.append(record.event)


def document(run: Run, now: datetime) -> DriftDocument:
    read = run.looked - run.unread
    findings = [finding(d, c) for d, c in sorted(run.there) if d in read]
    nothing = [unread(d) for d in sorted(run.looked & run.unread)]
    return drift(*findings, *nothing, at=now, domains=[("acme", d) for d in sorted(run.looked)])


@FEW
@given(RUNS, st.integers(1, 3))
def test_nothing_is_told_twice_while_it_lasts_and_only_what_was_opened_and_is_gone_is_closed(
    runs: list[Run], per_run: int
) -> None:
    world = World()
    for run in runs:
        world.run(run, per_run)


@FEW
@given(RUNS, SOME)
def test_an_endpoint_that_takes_what_a_whole_look_says_knows_what_there_is(
    runs: list[Run], there: frozenset[tuple[str, str]]
) -> None:
    world = World()
    for run in runs:
        world.run(run)
    world.run(Run(there, frozenset(DOMAINS), frozenset(), HOUR, (True,), 0))
    given_up = {r.matter.identity for r in world.records.values() if r.standing is Standing.GIVEN_UP}
    opened = {i for i, events in world.telling.items() if events[-1] is Event.DRIFT_OPENED}
    lasting = {FOUND[place] for place in there}
    assert lasting - given_up <= opened
    told = {r.matter.identity for r in world.records.values() if r.standing is Standing.TOLD}
    assert told == lasting - given_up
    assert opened & told == lasting - given_up


@FEW
@given(RUNS)
def test_a_second_run_with_the_same_documents_tells_nothing(runs: list[Run]) -> None:
    world = World()
    for run in runs:
        world.run(run)
        before = {identity: list(events) for identity, events in world.telling.items()}
        again = look_of_drift(world.documents[-1], DAY)
        second = follow_looks(world.records, [again], CHAT, NOW + world.passed)
        fresh = {k for k, r in second.items() if r.event is not None}
        assert fresh == {k for k, r in world.records.items() if r.event is not None}
        assert before == world.telling


@FEW
@given(RUNS, st.randoms())
def test_the_order_of_documents_does_not_matter(runs: list[Run], random: Random) -> None:
    looks = [look_of_drift(document(run, NOW + number * HOUR), DAY) for number, run in enumerate(runs)]
    shuffled = list(looks)
    random.shuffle(shuffled)
    assert follow_looks({}, looks, CHAT, NOW + DAY) == follow_looks({}, shuffled, CHAT, NOW + DAY)
