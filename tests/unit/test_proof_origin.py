"""An origin's lists in the model of mail: what an export says, what people attest, and what nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from builders import (
    EU,
    OLD_MX,
    PRIMARY,
    attestation,
    domain,
    waiver,
)
from proof_builders import (
    EU_ADDRESSES,
    HARD,
    Case,
    allowlist,
    case,
    list_fact,
    opened,
    settled,
    with_plans,
)
from wrong_planners import WRONG_PLANNERS

from reconciler.addresses import parse_address_set
from reconciler.manifest.fleet import Lifecycle
from reconciler.plan import Status
from reconciler.proof import IN_SYNC
from reconciler.state import Cause, Unknown
from reconciler.targets.base import Advice, AllowlistContent, Intent, read_entries

if TYPE_CHECKING:
    from reconciler.mailflow import Proof


def proved(given: Case) -> Proof:
    return given.prove()


@pytest.mark.parametrize(("gate", "is_ok"), [("allowlist", True), ("tls", False)])
def test_a_waived_allowlist_is_the_waivers_owners_risk(gate: str, *, is_ok: bool) -> None:
    given = case(domain(waivers=(waiver(gate),)), OLD_MX, PRIMARY, lists=(allowlist(),))
    assert proved(opened(given)).is_ok is is_ok


def test_of_a_list_that_cannot_be_read_nothing_is_known_to_be_allowed() -> None:
    given = case(domain(), OLD_MX, PRIMARY, lists=(list_fact(Unknown(Cause.UNREADABLE, "truncated")),))
    assert proved(given) == IN_SYNC
    failure = proved(opened(given)).failure
    assert failure is not None
    assert "does not allow" in failure.fate


def test_without_an_export_what_is_attested_is_allowed() -> None:
    lists = (list_fact(None),)
    assert proved(opened(case(domain(), OLD_MX, PRIMARY, lists=lists))).is_ok
    nobody = case(domain(attestations=()), OLD_MX, PRIMARY, lists=lists)
    assert proved(nobody).is_ok  # the addresses first, then the switch
    assert not proved(opened(nobody)).is_ok


@pytest.mark.parametrize(
    ("words", "is_ok"),
    [
        ((), True),
        (("restricted",), False),
        (("restricted-hard",), False),
        (("restricted", "origin-open"), True),
        (("origin-open", "restricted"), False),
    ],
)
def test_without_an_export_the_latest_word_tells_whether_others_are_kept_out(
    words: tuple[str, ...], *, is_ok: bool
) -> None:
    attested = tuple(attestation(what=w, on=date(2026, 11, day)) for day, w in enumerate(words, 1))
    leaving = domain(lifecycle=Lifecycle.OFFBOARDED)
    given = case(leaving, EU, PRIMARY, lists=(list_fact(None),), attested=attested, history=settled(EU))
    assert proved(given).is_ok
    assert proved(opened(given)).is_ok is is_ok


def test_an_attested_list_may_lose_its_addresses_when_nobody_needs_them() -> None:
    leaving = domain(lifecycle=Lifecycle.OFFBOARDED)
    given = case(leaving, EU, PRIMARY, lists=(list_fact(None),), attested=(attestation(),), history=settled(EU))
    assert proved(given).is_ok
    wrong = WRONG_PLANNERS["remove-address-at-once"](given.plan, given.service_plan)
    failure = with_plans(given, *wrong).prove().failure
    assert failure is not None
    assert failure.step == "acme/hq/postfix-access/stale"


def test_the_hardest_answer_that_anybody_gets_counts_when_the_mx_goes_back() -> None:
    """Though the list does not keep everybody out yet; while the step is held, people have still to say so."""
    half = Advice("restricts-nothing", "the rule is not for IPv6", "Add it.")
    content = AllowlistContent(read_entries(EU_ADDRESSES), refusal=HARD, advice=(half,))
    leaving = domain(lifecycle=Lifecycle.OFFBOARDED)
    given = case(leaving, EU, PRIMARY, lists=(list_fact(content),), history=settled(EU))
    held = tuple(replace(s, status=Status.HELD) if s.id.endswith("/mx") else s for s in given.plan.steps)
    assert proved(replace(given, plan=replace(given.plan, steps=held))).is_ok
    assert not proved(opened(given)).is_ok


@pytest.mark.parametrize(
    ("target", "words", "is_ok"),
    [
        ("exim-iplsearch", (), False),
        ("exim-iplsearch", ("restricted",), False),
        ("exim-iplsearch", ("restricted", "origin-open"), True),
        ("postfix-access", ("origin-open",), False),
    ],
)
def test_people_open_what_no_export_shows(target: str, words: tuple[str, ...], *, is_ok: bool) -> None:
    """Where it shows it, their word is no match for it."""
    leaving = domain(lifecycle=Lifecycle.OFFBOARDED)
    lists = (allowlist(*EU_ADDRESSES, target=target, refusal=HARD),)
    attested = tuple(attestation(what=w, on=date(2026, 11, day)) for day, w in enumerate(words, 1))
    given = case(leaving, EU, PRIMARY, lists=lists, attested=attested, history=settled(EU))
    assert opened(given).prove().is_ok is is_ok
    waived = replace(leaving, waivers=(waiver("origin-open"),))
    assert opened(case(waived, EU, PRIMARY, lists=lists, attested=attested, history=settled(EU))).prove().is_ok


def test_an_address_that_is_listed_and_refused_all_the_same_is_not_allowed() -> None:
    refused = parse_address_set(EU_ADDRESSES[:1])
    content = AllowlistContent(read_entries(EU_ADDRESSES), refused=refused)
    failure = proved(opened(case(domain(), OLD_MX, PRIMARY, lists=(list_fact(content),)))).failure
    assert failure is not None
    assert EU_ADDRESSES[0] in failure.fate


def test_a_list_that_only_lets_in_keeps_nobody_out() -> None:
    lists = (allowlist(*EU_ADDRESSES, intent=Intent.ALLOW, refusal=HARD),)
    given = case(domain(lifecycle=Lifecycle.OFFBOARDED), EU, PRIMARY, lists=lists, history=settled(EU))
    assert proved(opened(given)).is_ok
