"""Builders of whole cases for the proof: one mail domain, its origin with at most one list, and the planner's plans."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from builders import (
    EU,
    EU_MULTI,
    MX_KEY,
    NOW,
    OLD_MX,
    PRIMARY,
    SECONDARY,
    SOURCE,
    TXT_KEY,
    catalog,
    domain,
    facts,
    present,
)

from reconciler.history import NO_HISTORY, TOKENS_VISIBLE, History, MxSighting
from reconciler.manifest.fleet import Lifecycle, Service, ServiceAllowlist
from reconciler.origin import AllowlistFact, OriginFacts
from reconciler.plan import Status, Step, plan_domain
from reconciler.proof import prove_plan
from reconciler.service_plan import plan_service
from reconciler.state import Rdata, mx_rdata
from reconciler.targets.base import AllowlistContent, DeclaredAllowlist, Enforcement, Intent, read_entries

if TYPE_CHECKING:
    from reconciler.gates import Facts
    from reconciler.mailflow import Proof
    from reconciler.manifest.fleet import Attestation, Domain
    from reconciler.plan import DomainPlan
    from reconciler.service_plan import ServicePlan
    from reconciler.state import Observation, Observed, Unknown

EU_ADDRESSES = catalog().addresses("eu", multi_region=False)
US_ADDRESSES = catalog().addresses("us", multi_region=False)
(MULTI,) = catalog().multi_region_addresses
US = mx_rdata(0, catalog().mx_host("us", multi_region=False))
DAY = 86400


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one mail domain and its origin, and the plans that the planner makes of it."""

    facts: Facts
    origin: OriginFacts | None
    plan: DomainPlan
    service_plan: ServicePlan | None

    def prove(self) -> Proof:
        """The proof of these plans."""
        return prove_plan(self.facts, self.plan, self.origin, self.service_plan)


def sighting(rdata: str, *, ttl: int = 3600, days: float = 30, gone: timedelta | None = None) -> MxSighting:
    """An MX that was first seen `days` ago, and last now, or `gone` ago."""
    last = NOW - (gone or timedelta(0))
    return MxSighting((Rdata(rdata),) if rdata else (), ttl, NOW - timedelta(days=days), last, last if gone else None)


def switched(old: str, new: str, *, ttl: int = 3600, ago: timedelta = timedelta(minutes=10)) -> History:
    """An MX that was there for long, and another one since a little while."""
    return History((sighting(old, ttl=ttl, gone=ago), sighting(new, days=ago / timedelta(days=1))))


def settled(rdata: str, *, ttl: int = 3600) -> History:
    """An MX that was there for long."""
    seen = sighting(rdata, ttl=ttl)
    return History((seen,), first_seen={TOKENS_VISIBLE: seen.first_seen})


def allowlist(
    *entries: str,
    target: str = "postfix-access",
    intent: Intent = Intent.RESTRICT,
    refusal: Enforcement = Enforcement.NONE,
) -> AllowlistFact:
    """A list that was read from an export."""
    return list_fact(AllowlistContent(read_entries(entries), refusal=refusal), target=target, intent=intent)


def list_fact(
    observed: AllowlistContent | Unknown | None, *, target: str = "postfix-access", intent: Intent = Intent.RESTRICT
) -> AllowlistFact:
    """A list of which this is known."""
    declared = DeclaredAllowlist(target, "", intent, exclusive=False)
    return AllowlistFact(ServiceAllowlist(declared, "exports/list", SOURCE), observed)


def case(
    declared: Domain,
    mx: Observed | Observation | str | None,
    *tokens: str,
    lists: tuple[AllowlistFact, ...] = (),
    attested: tuple[Attestation, ...] = (),
    history: History = NO_HISTORY,
    **changes: Any,  # noqa: ANN401
) -> Case:
    """The case of a domain with this MX (as rdata with a TTL of an hour, or as observed) and these tokens.

    What is attested for the service comes after the domain's own attestations, as in a fleet.
    """
    declared = replace(declared, attestations=(*declared.attestations, *attested))
    shown = present(MX_KEY, mx) if isinstance(mx, str) else mx
    txt = present(TXT_KEY, *tokens) if tokens else None
    known = facts(declared, txt=txt, mx=shown, allowlists=lists, history=history, **changes)
    plan = plan_domain(known, provider="bind", new_ttl=3600)
    if not lists:
        return Case(known, None, plan, None)
    allowlists = tuple(f.allowlist for f in lists)
    service = Service(
        "acme", "hq", "postfix", "mx", declared.region, declared.multi_region, allowlists, None, attested, (), SOURCE
    )
    origin = OriginFacts(service, lists, None)
    return Case(known, origin, plan, plan_service(origin, [known], catalog()))


HARD = Enforcement.HARD


def cases() -> dict[str, Case]:
    """The moments of a mail domain's life at which a planner can go wrong; every plan is right."""
    plain = domain()
    multi = domain(multi_region=True)
    leaving = domain(lifecycle=Lifecycle.OFFBOARDED)
    low = domain(ttl=300)
    eu = EU_ADDRESSES
    return {
        "new": case(plain, OLD_MX, lists=(allowlist(),)),
        "new without lists": case(plain, OLD_MX),
        "new without an MX": case(plain, None, lists=(allowlist(),)),
        "verified": case(plain, OLD_MX, PRIMARY, lists=(allowlist(*eu[:-1]),), history=settled(OLD_MX)),
        "allowed": case(plain, OLD_MX, PRIMARY, lists=(allowlist(*eu),), history=settled(OLD_MX)),
        "switched": case(plain, EU, PRIMARY, lists=(allowlist(*eu),), history=switched(OLD_MX, EU)),
        "switched, only hard": case(
            plain, EU, PRIMARY, lists=(allowlist(*eu, target="plain"),), history=switched(OLD_MX, EU)
        ),
        "switched, long TTL": case(
            plain, EU, PRIMARY, lists=(allowlist(*eu),), history=switched(OLD_MX, EU, ttl=5 * DAY)
        ),
        "deferring": case(plain, EU, PRIMARY, lists=(allowlist(*eu, refusal=Enforcement.SOFT),), history=settled(EU)),
        "protected": case(plain, EU, PRIMARY, lists=(allowlist(*eu, refusal=HARD),), history=settled(EU)),
        "multi-region on": case(multi, EU, PRIMARY, lists=(allowlist(*eu, refusal=HARD),), history=settled(EU)),
        "multi-region off": case(
            plain, EU_MULTI, PRIMARY, SECONDARY, lists=(allowlist(*eu, MULTI, refusal=HARD),), history=settled(EU_MULTI)
        ),
        "multi-region just off": case(
            plain,
            EU,
            PRIMARY,
            SECONDARY,
            lists=(allowlist(*eu, MULTI, refusal=HARD),),
            history=switched(EU_MULTI, EU),
        ),
        "multi-region just off, history lost": case(
            plain, EU, PRIMARY, SECONDARY, lists=(allowlist(*eu, MULTI, refusal=HARD),)
        ),
        "on again half-way through off": case(
            multi, EU, PRIMARY, SECONDARY, lists=(allowlist(*eu, MULTI, refusal=HARD),), history=switched(EU_MULTI, EU)
        ),
        "low TTL": case(
            low,
            present(MX_KEY, EU_MULTI, ttl=DAY),
            PRIMARY,
            SECONDARY,
            lists=(allowlist(*eu, MULTI),),
            history=settled(EU_MULTI, ttl=DAY),
        ),
        "low TTL ahead": case(
            domain(switch_ttl=300),
            present(MX_KEY, EU_MULTI, ttl=DAY),
            PRIMARY,
            SECONDARY,
            lists=(allowlist(*eu, MULTI),),
            history=settled(EU_MULTI, ttl=DAY),
        ),
        "low TTL, switched": case(
            low,
            present(MX_KEY, EU, ttl=300),
            PRIMARY,
            SECONDARY,
            lists=(allowlist(*eu, MULTI),),
            history=switched(EU_MULTI, EU, ttl=DAY),
        ),
        "region move": case(
            domain(region="us"), EU, PRIMARY, lists=(allowlist(*eu, refusal=HARD),), history=settled(EU)
        ),
        "region moved": case(
            domain(region="us"),
            US,
            PRIMARY,
            lists=(allowlist(*eu, *US_ADDRESSES, refusal=HARD),),
            history=switched(EU, US),
        ),
        "leaving": case(leaving, EU, PRIMARY, lists=(allowlist(*eu, refusal=HARD),), history=settled(EU)),
        "leaving, open": case(leaving, EU, PRIMARY, lists=(allowlist(*eu),), history=settled(EU)),
        "left": case(leaving, OLD_MX, PRIMARY, lists=(allowlist(*eu),), history=switched(EU, OLD_MX)),
        "gone": case(leaving, OLD_MX, lists=(allowlist(),), history=settled(OLD_MX)),
    }


def with_plans(given: Case, plan: DomainPlan, service_plan: ServicePlan | None) -> Case:
    """The same case with other plans."""
    return replace(given, plan=plan, service_plan=service_plan)


def opened(given: Case, what: str = "mx", **changes: object) -> Case:
    """The case with one held step of the domain ready to be done."""

    def change(step: Step) -> Step:
        mine = step.id.endswith(f"/{what}")
        return replace(step, status=Status.READY, not_before=None, **changes) if mine else step  # type: ignore[arg-type]

    return replace(given, plan=replace(given.plan, steps=tuple(map(change, given.plan.steps))))
