"""From looks and records to what is to be told: once while it lasts, its end to who was told, while it is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import NOW
from notify_builders import DAY, HOUR, applied, drift, endpoint, finding, held, result, unread

from reconciler.notify.follow import follow_looks, give_up, without_old
from reconciler.notify.look import look_of_apply, look_of_drift
from reconciler.notify.record import Endpoint, Event, Record, Records, Rule, Standing, changed

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.notify.look import Look

CHAT = endpoint()
LATER = NOW + HOUR


def look(*findings: dict[str, object], at: datetime = NOW, **changes: object) -> Look:
    return look_of_drift(drift(*findings, at=at, **changes), DAY)  # type: ignore[arg-type]


def following(*looks: Look, before: Records | None = None, to: Endpoint = CHAT, now: datetime = LATER) -> Records:
    return follow_looks(before or {}, looks, to, now)


def to_tell(records: Records) -> list[Event]:
    return sorted(r.event for r in records.values() if r.event is not None)


def taken(records: Records, now: datetime = LATER) -> Records:
    return {k: r.taken(now) if r.event else r for k, r in records.items()}


def only(records: Records) -> Record:
    (record,) = records.values()
    return record


def test_a_new_finding_is_told_once() -> None:
    records = following(look(finding()))
    assert to_tell(records) == [Event.DRIFT_OPENED]
    told = taken(records)
    assert to_tell(following(look(finding()), before=told)) == []
    assert to_tell(following(look(finding(), at=LATER), before=told)) == []


def test_its_end_is_told_once_and_then_it_can_begin_again() -> None:
    told = taken(following(look(finding())))
    ended = following(look(at=LATER), before=told)
    assert to_tell(ended) == [Event.DRIFT_CLOSED]
    done = taken(ended)
    assert to_tell(following(look(at=LATER + HOUR), before=done)) == []
    assert to_tell(following(look(finding(), at=LATER + HOUR), before=done)) == [Event.DRIFT_OPENED]


def test_an_older_document_neither_begins_nor_ends_anything() -> None:
    done = taken(following(look(at=LATER), before=taken(following(look(finding())))))
    assert to_tell(following(look(finding()), before=done)) == []
    told = taken(following(look(finding(), at=LATER)))
    assert to_tell(following(look(), before=told)) == []


def test_the_order_of_documents_does_not_matter() -> None:
    first, second = look(finding()), look(at=LATER)
    assert following(first, second) == following(second, first)
    assert to_tell(following(first, second)) == []


def test_unknown_ends_nothing() -> None:
    told = taken(following(look(finding()), to=endpoint(severities=frozenset({"critical"}))))
    assert to_tell(following(look(unread(), at=LATER), before=told)) == [Event.DRIFT_OPENED]
    assert [r.standing for r in told.values()] == [Standing.TOLD]


def test_what_was_never_told_ends_without_a_word() -> None:
    waiting = following(look(finding()))
    assert to_tell(following(look(at=LATER), before=waiting)) == []


def test_what_comes_back_before_its_end_was_told_never_went() -> None:
    ending = following(look(at=LATER), before=taken(following(look(finding()))))
    back = following(look(finding(), at=LATER + HOUR), before=ending)
    assert to_tell(back) == []
    assert only(back).standing is Standing.TOLD


@pytest.mark.parametrize(("severity", "events"), [("high", [Event.DRIFT_OPENED]), ("medium", [])])
def test_the_severity_of_an_endpoint_is_the_least_that_opens(severity: str, events: list[Event]) -> None:
    chat = endpoint(severities=frozenset({"critical", "high"}))
    assert to_tell(following(look(finding(severity=severity)), to=chat)) == events


def test_what_becomes_worse_is_told_then_and_closes_whatever_it_is_by_then() -> None:
    chat = endpoint(severities=frozenset({"critical"}))
    low = following(look(finding(severity="low")), to=chat)
    assert low == {}
    worse = following(look(finding(), at=LATER), before=low, to=chat)
    assert to_tell(worse) == [Event.DRIFT_OPENED]
    milder = following(look(finding(severity="low"), at=LATER + HOUR), before=taken(worse), to=chat)
    assert to_tell(milder) == []
    assert to_tell(following(look(at=LATER + DAY), before=milder, to=chat)) == [Event.DRIFT_CLOSED]


def test_what_waits_is_told_as_it_is_by_then() -> None:
    waiting = following(look(finding()))
    assert only(following(look(finding(summary="worse"), at=LATER), before=waiting)).matter.summary == "worse"
    ignored = following(look(finding(is_ignored=True), at=LATER), before=waiting)
    assert to_tell(ignored) == []
    assert to_tell(following(look(finding(), at=LATER + HOUR), before=ignored)) == [Event.DRIFT_OPENED]
    mild = following(look(finding(severity="low"), at=LATER), before=waiting, to=endpoint(severities=frozenset()))
    assert to_tell(mild) == []


def test_being_ignored_is_no_end() -> None:
    told = taken(following(look(finding())))
    assert to_tell(following(look(finding(is_ignored=True), at=LATER), before=told)) == []


def test_organizations_and_events_are_chosen() -> None:
    seen = look(finding(), held("b.example"), domains=[("acme", "acme.example"), ("acme", "b.example")])
    assert to_tell(following(seen, to=endpoint(organizations=frozenset({"globex"})))) == []
    assert to_tell(following(seen, to=endpoint(Event.HOLD_TOO_LONG))) == [Event.HOLD_TOO_LONG]
    only_opened = endpoint(Event.DRIFT_OPENED)
    told = taken(following(seen, to=only_opened))
    gone = look(at=LATER, domains=[("acme", "acme.example"), ("acme", "b.example")])
    assert to_tell(following(gone, before=told, to=only_opened)) == []


def test_rules_of_one_endpoint_add_up_and_do_not_undo_each_other() -> None:
    high = Rule(frozenset({Event.DRIFT_OPENED}), frozenset({"critical"}), frozenset({"acme"}))
    other = Rule(frozenset({Event.DRIFT_OPENED}), frozenset(), frozenset({"globex"}))
    chat = Endpoint("CHAT", (high, other))
    assert to_tell(following(look(finding()), to=chat)) == [Event.DRIFT_OPENED]


def test_endpoints_are_told_apart() -> None:
    told = taken(following(look(finding())))
    pager = endpoint(name="PAGER")
    both = following(look(finding()), before=told, to=pager)
    assert [r.endpoint for r in both.values() if r.event] == [pager.id]
    gone = following(look(at=LATER), before=taken(both), to=pager)
    assert [r.endpoint for r in gone.values() if r.event] == [pager.id]


def test_a_hold_is_told_once_until_it_is_over() -> None:
    chat = endpoint(Event.HOLD_TOO_LONG)
    told = taken(following(look(held()), to=chat))
    assert to_tell(following(look(held(hours=50), at=LATER), before=told, to=chat)) == []
    unknown = following(look(unread(), at=LATER), before=told, to=chat)
    assert to_tell(following(look(held(hours=50), at=LATER + HOUR), before=unknown, to=chat)) == []
    for over in (look(at=LATER), look(held(held_by=[]), at=LATER)):
        ended = following(over, before=told, to=chat)
        assert to_tell(ended) == []
        assert to_tell(following(look(held(), at=LATER + HOUR), before=ended, to=chat)) == [Event.HOLD_TOO_LONG]


def test_a_switch_is_told_once_for_each_apply() -> None:
    document = applied(result())
    told = taken(following(look_of_apply(document)))
    assert to_tell(following(look_of_apply(document), look(at=LATER), before=told)) == []
    again = look_of_apply(applied(result(), at=LATER))
    assert to_tell(following(again, before=told)) == [Event.SWITCH_DONE]


def test_what_is_no_longer_wanted_is_not_told() -> None:
    waiting = following(look(finding()), look_of_apply(applied(result())))
    assert to_tell(following(before=waiting, to=endpoint(Event.SWITCH_DONE))) == [Event.SWITCH_DONE]


def test_what_nobody_took_is_given_up_after_72_hours_and_stays_so_while_it_lasts() -> None:
    waiting = following(look(finding()), now=NOW)
    assert give_up(waiting, NOW + timedelta(hours=72)) == (waiting, [])
    late = NOW + timedelta(hours=72, seconds=1)
    given_up, missed = give_up(waiting, late)
    assert [r.key for r in missed] == list(waiting)
    assert only(given_up).standing is Standing.GIVEN_UP
    assert to_tell(following(look(finding(), at=late), before=given_up, now=late)) == []
    ended = following(look(at=late), before=given_up, now=late)
    assert to_tell(ended) == [], "who was not told of it is not told of its end"
    assert to_tell(following(look(finding(), at=late + HOUR), before=ended)) == [Event.DRIFT_OPENED]


def test_an_end_that_nobody_took_is_given_up_too() -> None:
    ending = following(look(at=LATER), before=taken(following(look(finding()))), now=NOW)
    given_up, missed = give_up(ending, NOW + timedelta(days=4))
    assert len(missed) == 1
    assert only(given_up).standing is Standing.ENDED


def test_trying_again_does_not_begin_the_72_hours_again() -> None:
    waiting = following(look(finding()), now=NOW)
    tried = following(look(finding(), at=NOW + DAY), before=waiting, now=NOW + DAY)
    assert only(tried).at == NOW


def test_what_can_no_longer_matter_is_forgotten() -> None:
    late = NOW + timedelta(days=4)
    chat = [CHAT]
    told = taken(following(look(finding()), look_of_apply(applied(result())), now=NOW), NOW)
    assert [r.matter.subject.value for r in without_old(told, chat, late).values()] == ["drift"]
    ended = {k: replace(r, standing=Standing.ENDED) for k, r in told.items()}
    assert without_old(ended, chat, late) == {}
    assert without_old(ended, chat, NOW + DAY) == ended
    assert without_old(told, [], NOW + timedelta(days=3)) == told, "its endpoint may come back"
    assert without_old(told, [], NOW + timedelta(days=31)) == {}


def test_changes_are_what_the_journal_must_keep() -> None:
    before = following(look(finding()))
    after = {**taken(before)}
    kept, dropped = changed(before, after)
    assert (kept, dropped) == ([only(after)], [])
    assert changed(before, {}) == ([], list(before))
    assert changed(before, before) == ([], [])
