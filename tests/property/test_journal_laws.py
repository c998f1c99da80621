"""Laws of the journal: what comes out is what the pure functions say of what went in, over any number of runs."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from builders import MX_KEY, NOW, TXT_KEY
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_lab import ACME, OTHER, SqlitePlace, applied, opened, reading

from reconciler.history import DEFAULT_WAITS, NO_HISTORY, TOKENS_VISIBLE, History, pruned, with_mx_seen
from reconciler.journal import EventKind, Look
from reconciler.manifest.fleet import Lifecycle
from reconciler.names import Name
from reconciler.state import Key, Rdata

if TYPE_CHECKING:
    from reconciler.journal import AppliedChange

# where to sync costs nothing, if there is such a place
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - the folder in it has a name of its own
THIRD = Name("xn--bcher-kva.example.")
DOMAINS = st.sampled_from([ACME, OTHER, THIRD])
RRSETS = st.sampled_from(
    [((), None), ((Rdata("10 a."),), 300), ((Rdata("10 a."),), 60), ((Rdata("0 gw."), Rdata("10 a.")), None)]
)
STEPS = st.frozensets(st.sampled_from(["acme.example/mx", "acme.example/verification", "other/\u00fc"]))
HOPS = st.lists(st.sampled_from([Name("a.example."), Name("b.example.")]), unique=True, max_size=2).map(tuple)
# PostgreSQL, and UTF-8, have these two not; nothing that is recorded has them
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
PAUSES = st.sampled_from([timedelta(0), timedelta(microseconds=1), timedelta(hours=7), timedelta(days=30)])
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=9))])
LOOKS = st.builds(
    Look,
    DOMAINS,
    TEXTS,
    st.frozensets(RRSETS, max_size=3),
    is_complete=st.booleans(),
    open_steps=STEPS,
    tokens_visible=st.sampled_from([True, False, None]),
    next_hops=HOPS,
    is_switched=st.booleans(),
    is_gone=st.booleans(),
    lifecycle=st.sampled_from(Lifecycle),
)
RUNS = st.lists(st.tuples(PAUSES, ZONES, st.lists(LOOKS, max_size=4)), max_size=5)
VALUES = st.lists(st.sampled_from([Rdata(v) for v in ('"one"', '"two"', '"\\255\\""', "0 gw.")]), unique=True).map(
    tuple
)
APPLIED = st.builds(
    applied,
    domain=DOMAINS,
    organization=TEXTS,
    step_id=TEXTS,
    key=st.sampled_from([MX_KEY, TXT_KEY]),
    before=VALUES,
    after=VALUES,
    foreign=VALUES,
    ttl_before=st.none() | st.integers(0, 2**31 - 1),
    ttl=st.integers(0, 2**31 - 1),
    provider=TEXTS,
    commit=st.none() | TEXTS,
    run_id=st.sampled_from(["one", "two"]),
    plan_id=st.none() | TEXTS,
    at=st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 1, 1), timezones=ZONES),  # noqa: DTZ001 - that strategy adds the zone
)


def _looked(history: History, declared: tuple[Name, ...] | None, look: Look, now: datetime) -> History:
    """What the journal's contract says of one look, word for word."""
    history = pruned(with_mx_seen(history, look.shown, now, is_complete=look.is_complete), now, DEFAULT_WAITS)
    since = {step: history.first_seen.get(step, now) for step in look.open_steps}
    visible = history.first_seen.get(TOKENS_VISIBLE)
    if look.tokens_visible is not None:
        visible = (visible or now) if look.tokens_visible else None
    if visible is not None:
        since[TOKENS_VISIBLE] = visible
    if declared is None:
        history = replace(history, next_hops_since=now)
    elif sorted(declared) != sorted(look.next_hops):
        history = replace(history, next_hops=declared, next_hops_since=now)
    return replace(history, first_seen=since)


@settings(max_examples=40, deadline=None)
@given(runs=RUNS)
def test_histories_are_what_the_pure_functions_say(runs: list[tuple[timedelta, timezone, list[Look]]]) -> None:
    wanted: dict[Name, History] = {}
    last: dict[Name, Look] = {}
    now = NOW
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        place = SqlitePlace(Path(folder))
        for pause, zone, looks in runs:
            now = (now + pause).astimezone(zone)
            for look in looks:
                declared = last[look.domain].next_hops if look.domain in last else None
                wanted[look.domain] = _looked(wanted.get(look.domain, NO_HISTORY), declared, look, now)
                last[look.domain] = look
            with opened(place) as journal:
                journal.record_looks(iter(looks), now)
        with reading(place) as reader:
            names = [ACME, OTHER, THIRD]
            assert reader.histories(names) == {name: wanted.get(name, NO_HISTORY) for name in names}
            assert {
                name: (k.organization, k.lifecycle, k.is_switched, k.is_gone)
                for name, k in reader.known_domains().items()
            } == {name: (k.organization, k.lifecycle, k.is_switched, k.is_gone) for name, k in last.items()}


@settings(max_examples=40, deadline=None)
@given(runs=st.lists(st.lists(APPLIED, max_size=4), max_size=3))
def test_what_was_applied_comes_back_word_for_word(runs: list[list[AppliedChange]]) -> None:
    entries = [entry for run in runs for entry in run]
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, opened(SqlitePlace(Path(folder))) as journal:
        for run in runs:
            journal.record_applied(run)
        for run_id in ("one", "two"):
            assert journal.applied_in(run_id) == [e for e in entries if e.run_id == run_id]
        histories = journal.histories([ACME, OTHER, THIRD])
        for name, history in histories.items():
            own = [e for e in entries if e.domain == name]
            written: set[tuple[Key, Rdata]] = set()
            for entry in own:
                written -= {(entry.change.key, v) for v in entry.change.before if v not in entry.change.after}
                written |= {(entry.change.key, v) for v in entry.change.after if v not in entry.change.before}
            assert history.written == written
            told = [e.change for e in journal.timeline(name) if e.kind is EventKind.APPLIED]
            assert told == sorted(own, key=lambda e: e.at)


@settings(max_examples=40, deadline=None)
@given(runs=RUNS)
def test_a_timeline_ends_where_the_history_is(runs: list[tuple[timedelta, timezone, list[Look]]]) -> None:
    """Whoever reads the events alone knows which steps are open and which MX rrsets are shown."""
    now = NOW
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, opened(SqlitePlace(Path(folder))) as journal:
        for pause, zone, looks in runs:
            now = (now + pause).astimezone(zone)
            journal.record_looks(looks, now)
        for name, history in journal.histories([ACME, OTHER, THIRD]).items():
            steps: dict[str, datetime] = {}
            shown = set()
            for event in journal.timeline(name):
                match event.kind:
                    case EventKind.DIFFERENCE_SEEN:
                        steps[event.step_id] = event.at
                    case EventKind.DIFFERENCE_CLOSED:
                        del steps[event.step_id]
                    case EventKind.MX_SEEN:
                        shown.add((event.values, event.ttl))
                    case EventKind.MX_GONE:
                        shown.remove((event.values, event.ttl))
            assert steps == {k: v for k, v in history.first_seen.items() if k != TOKENS_VISIBLE}
            assert shown == {(s.rdatas, s.ttl) for s in history.mx if s.gone is None}
