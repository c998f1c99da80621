"""A whole life of two mail domains with real servers and mail that never stops; then the same without any care.

`make lab` runs it at full length and prints the counts.
"""

from __future__ import annotations

import os
import sys

import pytest
from mail_lab.laboratory import mail_laboratory
from mail_lab.life import live_a_whole_life
from mail_lab.naive import move_in_naive_order

ASKED = os.environ.get("RECONCILER_LAB_MESSAGES")
IS_WANTED = ASKED is not None or os.environ.get("RECONCILER_REQUIRE_SERVERS") == "1"
MESSAGES = int(ASKED or "300")
RATE = 4.0 if MESSAGES < 1000 else 12.0  # messages a second

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not IS_WANTED, reason="it takes minutes: `make lab` runs it, and so does CI"),
]


def show(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Print for people, however pytest captures."""
    with capsys.disabled():
        sys.stdout.write(f"\n{text}")


def test_a_naive_order_loses_mail(capsys: pytest.CaptureFixture[str]) -> None:
    """The control run: unless mail bounces here, the laboratory could not see that any is lost."""
    with mail_laboratory(rate=12.0) as laboratory:
        tally = move_in_naive_order(laboratory, 40)
    show(capsys, tally.table("In a naive order"))
    refused, came_back, withdrawn = (
        [i for i, why in tally.bounced.items() if words in why]
        for words in ("not through the gateway", "came back from the gateway", "was withdrawn")
    )
    assert refused, "nobody with the old MX in its cache was refused by the origin"
    assert came_back, "no mail was refused by the origin that came from an address that had been removed too early"
    assert withdrawn, "the gateway took mail for a domain whose verification had been removed"
    assert not tally.lost
    assert not tally.unexplained_duplicates
    assert not tally.past_the_gateway


def test_no_mail_is_lost_in_a_whole_life(capsys: pytest.CaptureFixture[str]) -> None:
    """Onboarding, multi-region on and off, a move to another region, off-boarding, with the real command line."""
    with mail_laboratory(rate=RATE) as laboratory:
        tally = live_a_whole_life(laboratory, MESSAGES)
    show(capsys, tally.table("A whole life"))
    assert len(tally.sent) >= MESSAGES
    assert not tally.lost
    assert not tally.bounced
    assert not tally.unexplained_duplicates
    assert not tally.past_the_gateway
    # the laboratory saw what it is there for: mail both ways, and an origin that was attacked open and restricted
    assert tally.through_gateway
    assert tally.arrived - tally.through_gateway
    assert tally.attacks_accepted
    assert tally.attacks_while_restricted
