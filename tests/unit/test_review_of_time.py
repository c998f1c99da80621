"""Moments at which an attentive reader found that mail, a wait, or a review could be lost: each stays found."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import EU, MX_KEY, NOW, OLD_MX, PRIMARY, TXT_KEY, catalog, domain, facts, present
from gate_builders import policy, ready

from reconciler.diff import Change
from reconciler.gates import Verdict
from reconciler.gates.early_removal import earliest_removal
from reconciler.gates.mta_sts import MtaSts
from reconciler.history import Waits
from reconciler.journal import open_journal, read_journal
from reconciler.journal.entries import AppliedChange, Look
from reconciler.journal.record import after_applied, after_look
from reconciler.plan import Status, plan_domain
from reconciler.state import Cause, Rdata, Unknown, mx_rdata

if TYPE_CHECKING:
    from pathlib import Path

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TWO_DAYS = 2 * 86400
US = mx_rdata(0, catalog().mx_host("us", multi_region=False))


def applied(before: Rdata, after: Rdata, hours: int) -> AppliedChange:
    """An MX that was written so long after NOW, with a TTL of two days."""
    return AppliedChange(
        domain=MX_KEY.name,
        organization="acme",
        step_id="acme.example/mx",
        change=Change(MX_KEY, MX_KEY.name, (before,), (after,), (), TWO_DAYS, TWO_DAYS),
        provider="bind",
        commit=None,
        run_id="r",
        plan_id=None,
        at=NOW + hours * HOUR,
    )


def test_a_switch_that_was_undone_and_done_again_without_a_look_in_between_has_its_full_wait() -> None:
    """The undone MX was in DNS for an hour; only what was written says so."""
    record = None
    for days in range(60, -1, -1):
        shown = frozenset({((EU,), TWO_DAYS)})
        record = after_look(record, Look(MX_KEY.name, "acme", shown, is_complete=True), NOW - days * DAY, Waits())
    record = after_applied(record, applied(EU, US, 0))
    now_shown = frozenset({((US,), TWO_DAYS)})
    record = after_look(record, Look(MX_KEY.name, "acme", now_shown, is_complete=True), NOW, Waits())
    record = after_applied(record, applied(US, EU, 46))
    record = after_applied(record, applied(EU, US, 47))
    moved = facts(
        domain(region="us"),
        mx=present(MX_KEY, US, ttl=TWO_DAYS),
        txt=present(TXT_KEY, PRIMARY),
        history=record.history,
    )
    assert earliest_removal(replace(moved, now=NOW + 50 * HOUR)).moment == NOW + 50 * HOUR + 2 * DAY + HOUR


@pytest.mark.parametrize(
    ("listed", "status"), [("mail.acme.example", Status.HELD), ("inbound-smtp.eu-west-1.amazonaws.com", Status.READY)]
)
def test_an_old_mx_stays_beside_the_gateways_while_an_enforced_policy_lists_it_alone(
    listed: str, status: Status
) -> None:
    """Whoever enforces it delivers to the old host only; the policy need not list what goes."""
    known = ready(mx=present(MX_KEY, EU, OLD_MX), around={"mta_sts": policy(listed)})
    (mx,) = (s for s in plan_domain(known, provider="bind", new_ttl=3600).steps if s.id.endswith("/mx"))
    assert (mx.phase, mx.status) == ("contract", status)


def test_a_restored_journal_tells_no_time_at_all(tmp_path: Path) -> None:
    """That others were deferred "since" a day of the copy says nothing of the days after it."""
    place = {"directory": tmp_path, "state_directory": tmp_path / "state"}
    file, copy, url = tmp_path / "journal.sqlite3", tmp_path / "copy", "sqlite:///journal.sqlite3"
    look = Look(
        MX_KEY.name,
        "acme",
        frozenset({((EU,), 3600)}),
        is_complete=True,
        open_steps=frozenset({"acme/hq/list/restrict-hard"}),
    )
    with open_journal(url, **place) as journal:
        journal.record_looks([look], NOW - 10 * DAY)
    shutil.copy(file, copy)
    with open_journal(url, **place) as journal:
        journal.record_looks([replace(look, open_steps=frozenset())], NOW - DAY)
    shutil.copy(copy, file)
    with read_journal(url, **place) as reader:
        assert not reader.histories([MX_KEY.name])[MX_KEY.name].first_seen
    with open_journal(url, **place) as journal:
        assert not journal.histories([MX_KEY.name])[MX_KEY.name].first_seen


def test_nobody_is_told_to_take_away_a_policy_that_senders_hold() -> None:
    """RFC 8461 section 8.3: without `none` first they enforce what they hold for as long as its max_age."""
    unread = Unknown(Cause.MALFORMED, "it is no policy")
    held = MtaSts().judge(ready(around={"mta_sts": unread}))
    assert held.verdict is Verdict.UNKNOWN
    assert "publish mode none with a new id first" in held.advice
