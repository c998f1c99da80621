"""From what documents say and what is remembered to what is to be told. Pure: the time is an argument.

Level-triggered: a finding is told when no record says that it was, and its end when a record says that it was told and
a look that knows the domain's state no longer has it. So a run that was left out, or done twice, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.notify.record import BEGINNINGS, ENDINGS, PATIENCE, Record, Records, Standing, Subject, record_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from reconciler.notify.look import Look
    from reconciler.notify.record import Endpoint, Matter

_FORGET_UNUSED = timedelta(days=30)
"""For how long an endpoint that left the settings may come back without being told everything again."""
_TO_TELL = frozenset({Standing.WAITING, Standing.ENDING})


def follow_looks(before: Mapping[str, Record], looks: Iterable[Look], endpoint: Endpoint, now: datetime) -> Records:
    """The records of one endpoint and of others, after what documents say; their order does not matter."""
    records = dict(before)
    for look in sorted(looks, key=lambda seen: seen.at):
        _Follower(records, look, endpoint, now).follow()
    for record in [r for r in records.values() if r.endpoint == endpoint.id and r.event is not None]:
        if not _is_wanted(endpoint, record):
            records[record.key] = replace(record, standing=Standing.ENDED, at=now)
    return records


def give_up(before: Mapping[str, Record], now: datetime) -> tuple[Records, list[Record]]:
    """The records when what is tried for too long is tried no more, and what that was."""
    overdue = [r for r in before.values() if r.standing in _TO_TELL and now - r.at > PATIENCE]
    last = {Standing.WAITING: Standing.GIVEN_UP, Standing.ENDING: Standing.ENDED}
    return {**before, **{r.key: replace(r, standing=last[r.standing], at=now) for r in overdue}}, overdue


def without_old(before: Mapping[str, Record], endpoints: Iterable[Endpoint], now: datetime) -> Records:
    """The records that can still matter: no document that could begin an ended matter again counts any more."""
    used = {endpoint.id for endpoint in endpoints}
    return {key: r for key, r in before.items() if not _is_done(r, now) and not _is_unused(r, used, now)}


def _is_done(record: Record, now: datetime) -> bool:
    is_final = record.standing is Standing.ENDED or (
        record.matter.subject is Subject.SWITCH and record.standing in {Standing.TOLD, Standing.GIVEN_UP}
    )
    return is_final and now - record.at > PATIENCE


def _is_unused(record: Record, used: set[str], now: datetime) -> bool:
    return record.endpoint not in used and now - record.at > _FORGET_UNUSED


def _is_wanted(endpoint: Endpoint, record: Record) -> bool:
    return record.event is not None and endpoint.wants(record.event, record.matter)


@dataclass(frozen=True, slots=True)
class _Follower:
    """Follows one look, at one endpoint."""

    records: Records
    look: Look
    endpoint: Endpoint
    now: datetime

    def follow(self) -> None:
        for matter in (*self.look.drift.values(), *self.look.holds.values(), *self.look.switches):
            if self.endpoint.wants(BEGINNINGS[matter.subject], matter):
                self._begin(matter)
        mine = [r for r in self.records.values() if r.endpoint == self.endpoint.id and r.seen <= self.look.at]
        for record in mine:
            if record.matter.subject is not Subject.SWITCH and self._is_over(record):
                self._end(record)
            else:
                self._refresh(record)

    def _begin(self, matter: Matter) -> None:
        key = record_key(self.endpoint.id, matter.subject, matter.identity)
        known = self.records.get(key)
        fresh = Record(self.endpoint.id, matter, Standing.WAITING, self.now, self.look.at)
        if known is None or (known.standing is Standing.ENDED and known.seen < self.look.at):
            self.records[key] = fresh
        elif known.standing is Standing.ENDING and known.seen < self.look.at:
            # it came back before anybody was told that it had gone: for them it never went
            self.records[key] = replace(fresh, standing=Standing.TOLD)

    def _is_over(self, record: Record) -> bool:
        matter = record.matter
        if matter.subject is Subject.HOLD and matter.identity in self.look.unheld:
            return True
        return self.look.is_over(matter)

    def _end(self, record: Record) -> None:
        if record.standing in {Standing.ENDED, Standing.ENDING}:
            return
        ending = ENDINGS.get(record.matter.subject)
        is_told = record.standing is Standing.TOLD and ending and self.endpoint.wants(ending, record.matter)
        standing = Standing.ENDING if is_told else Standing.ENDED
        self.records[record.key] = replace(record, standing=standing, at=self.now, seen=self.look.at)

    def _refresh(self, record: Record) -> None:
        """What is not told yet is told as it is now; what nobody counts any more is not told at all."""
        matter, look = record.matter, self.look
        if matter.identity not in look.present:
            return
        found = (look.holds if matter.subject is Subject.HOLD else look.drift).get(matter.identity)
        if record.standing is Standing.WAITING and found is None:
            self.records[record.key] = replace(record, standing=Standing.ENDED, at=self.now, seen=look.at)
        elif found is not None and (record.standing is Standing.WAITING or found.breadth != matter.breadth):
            self.records[record.key] = replace(record, matter=found)
