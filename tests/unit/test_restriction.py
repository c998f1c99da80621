"""Keeping others out comes last and for now first; letting them in again comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from builders import (
    EU,
    MX_KEY,
    NOW,
    OLD_MX,
    PRIMARY,
    SOURCE,
    TODAY,
    TXT_KEY,
    attestation,
    catalog,
    domain,
    facts,
    present,
    settled,
)

from reconciler.history import DEFAULT_WAITS, with_mx_seen
from reconciler.manifest.fleet import Attestation, Lifecycle, Service, ServiceAllowlist
from reconciler.origin import AllowlistFact, OriginFacts
from reconciler.plan import Phase, Status
from reconciler.service_plan import ServicePlan, plan_service
from reconciler.state import Rdata
from reconciler.targets.base import AllowlistContent, DeclaredAllowlist, Enforcement, Intent
from reconciler.targets.registry import ALLOWLIST_TARGETS

if TYPE_CHECKING:
    from reconciler.gates import Facts

NONE, SOFT, HARD = Enforcement.NONE, Enforcement.SOFT, Enforcement.HARD
EU_ADDRESSES = catalog().addresses("eu", multi_region=False)
DAY = timedelta(days=1)


def table(enforcement: Enforcement) -> AllowlistContent:
    word = {NONE: "", SOFT: "DEFER", HARD: "REJECT"}[enforcement]
    rest = f"0.0.0.0/0 {word}\n::/0 {word}\n" if word else ""
    text = "".join(f"{a} OK\n" for a in EU_ADDRESSES) + rest
    return ALLOWLIST_TARGETS["postfix-access"].read(text, declared("postfix-access"))


def declared(target: str) -> DeclaredAllowlist:
    return DeclaredAllowlist(target, "", Intent.RESTRICT, exclusive=False)


def known(mx: str = EU, *, lifecycle: Lifecycle = Lifecycle.ACTIVE, **changes: object) -> Facts:
    made = facts(
        domain(lifecycle=lifecycle),
        txt=present(TXT_KEY, PRIMARY),
        mx=present(MX_KEY, mx),
        history=settled(mx),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


OWN = "acme/hq/postfix-access"


def planned(
    observed: AllowlistContent | None,
    *domains: Facts,
    attested: tuple[Attestation, ...] = (),
    target: str = "postfix-access",
) -> ServicePlan:
    service = Service("acme", "hq", "postfix", "mx", "eu", False, (), None, attested, (), SOURCE)  # noqa: FBT003
    fact = AllowlistFact(ServiceAllowlist(declared(target), "exports/list", SOURCE), observed)
    return plan_service(OriginFacts(service, (fact,), None), domains, catalog())


def restriction(plan: ServicePlan) -> list[tuple[str, Status, tuple[Enforcement, Enforcement] | None]]:
    return [(s.id.rpartition("/")[2], s.status, s.enforcement) for s in plan.steps if s.enforcement]


def test_others_are_kept_out_for_now_first_and_only_days_after_the_caches_are_empty() -> None:
    late = DEFAULT_WAITS._replace(restrict=timedelta(days=70))
    plan = planned(table(NONE), known(waits=late))
    assert restriction(plan) == [("restrict", Status.HELD, (NONE, SOFT))]
    assert plan.steps[-1].not_before == NOW - 60 * DAY + late.assumed_ttl + late.settle + late.restrict
    assert plan.enforcements == ((OWN, NONE),)
    plan = planned(table(NONE), known())
    assert restriction(plan) == [("restrict", Status.MANUAL, (NONE, SOFT))]
    assert plan.enforcements == ((OWN, SOFT),)
    assert plan.steps[-1].phase is Phase.CONTRACT


def test_the_domain_that_is_not_switched_holds_it() -> None:
    plan = planned(table(NONE), known(), known(OLD_MX))
    assert restriction(plan) == [("restrict", Status.HELD, (NONE, SOFT))]
    assert plan.steps[-1].gates[0].id == "switch-observed"


@pytest.mark.parametrize(("age", "status"), [(3 * DAY, Status.HELD), (4 * DAY, Status.MANUAL), (None, Status.HELD)])
def test_for_good_comes_days_after_for_now_or_after_the_first_look(age: timedelta | None, status: Status) -> None:
    one = known()
    own = "acme/hq/postfix-access/restrict-hard"
    if age is not None:
        one = replace(one, history=replace(one.history, first_seen={own: NOW - age}))
    plan = planned(table(SOFT), one)
    assert restriction(plan) == [("restrict-hard", status, (SOFT, HARD))]
    assert plan.enforcements == ((OWN, HARD if status is Status.MANUAL else SOFT),)
    assert plan.steps[-1].id == own


def test_what_is_in_place_stays_also_while_another_domain_comes() -> None:
    plan = planned(table(HARD), known(), known(OLD_MX))
    assert restriction(plan) == []
    assert plan.enforcements == ((OWN, HARD),)


@pytest.mark.parametrize("there", [SOFT, HARD])
def test_a_domain_that_leaves_has_everybody_let_in_first(there: Enforcement) -> None:
    plan = planned(table(there), known(), known(lifecycle=Lifecycle.OFFBOARDED))
    assert restriction(plan) == [("loosen", Status.MANUAL, (there, NONE))]
    assert plan.steps[0].phase is Phase.EXPAND
    assert plan.enforcements == ((OWN, NONE),)
    assert restriction(planned(table(NONE), known(lifecycle=Lifecycle.OFFBOARDED))) == []


def test_when_the_last_domain_has_left_the_gateways_addresses_go_and_not_before() -> None:
    leaving = known(lifecycle=Lifecycle.OFFBOARDED)
    (step,) = [s for s in planned(table(NONE), leaving).steps if s.status is not Status.DONE]
    assert (step.phase, step.status, step.after) == (Phase.CONTRACT, Status.HELD, ())
    gone = replace(leaving, **_mx("10 mail.acme.example."))
    (step,) = [s for s in planned(table(NONE), gone).steps if s.status is not Status.DONE]
    assert (step.status, step.before) == (Status.HELD, EU_ADDRESSES), "one hour since the switch back"
    assert [g.id for g in step.gates if g.not_before] == ["early-removal"]
    later = replace(gone, now=NOW + 2 * DAY)
    (step,) = [s for s in planned(table(NONE), later).steps if s.status is not Status.DONE]
    assert step.status is Status.MANUAL
    stays = planned(table(NONE), later, known())
    assert all(s.after == EU_ADDRESSES for s in stays.steps if not s.enforcement)


def _mx(value: str) -> dict[str, Any]:
    moved = with_mx_seen(settled(EU), frozenset({((Rdata(value),), 3600)}), NOW, is_complete=True)
    declared_leaving = domain(lifecycle=Lifecycle.OFFBOARDED)
    made = facts(declared_leaving, txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, value))
    return {"observations": made.observations, "history": moved}


@pytest.mark.parametrize(
    ("attested", "now"),
    [
        ((), NONE),
        ((attestation(what="restricted"),), HARD),
        ((attestation(what="restricted"), attestation(what="origin-open")), HARD),
        ((attestation(what="restricted"), attestation(what="origin-open", on=TODAY)), NONE),
    ],
)
def test_where_no_export_shows_it_a_person_attests(attested: tuple[Attestation, ...], now: Enforcement) -> None:
    """With the same day for both, mail is not bet on which was the later one."""
    plan = planned(None, known(lifecycle=Lifecycle.OFFBOARDED), attested=attested, target="plain")
    assert restriction(plan) == ([] if now is NONE else [("loosen", Status.MANUAL, (HARD, NONE))])
    content = AllowlistContent(table(NONE).entries)
    assert bool(restriction(planned(content, known(), attested=attested, target="plain"))) is (now is NONE)


def test_where_two_steps_do_it_the_gateway_is_let_in_before_others_are_kept_out() -> None:
    """A firewall's set and its rule are two things; a table is one file."""
    plan = planned(None, known(), target="firewalld")
    assert [(s.status, s.enforcement is None) for s in plan.steps][-1] == (Status.MANUAL, False)
    nobody = known()
    declared_bare = replace(nobody.domain, attestations=())
    nobody = replace(nobody, desired=replace(nobody.desired, domain=declared_bare))
    held = planned(None, nobody, target="firewalld").steps[-1]
    assert (held.status, held.gates[0].id) == (Status.HELD, "expand-first")
    assert planned(None, nobody, target="postfix-access").steps[-1].status is Status.MANUAL
