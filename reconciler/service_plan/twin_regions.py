"""Regions that share one MX host: DNS does not tell which one mail comes from, so nothing of one goes early. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.addresses import parse_address_set
from reconciler.gates import GateResult, Verdict
from reconciler.gates.attestations import is_in_force
from reconciler.gates.observed import WANTED_VALUES_ALONE, has_wanted_values_alone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.gates import Facts
    from reconciler.manifest.fleet import Attestation, Service

_ID = "console"


def judge_twin_regions(stale: Sequence[str], active: Sequence[Facts], service: Service) -> GateResult | None:
    """Whether addresses of a region that shares the MX host may go from a list; None where there is no such region.

    The console is to show the new region, the old one's values are to be gone from DNS, and the time is to have passed
    in which the gateway withdraws a verification (`Catalog.propagation_hours`).
    """
    facts = active[0] if active else None
    if facts is None or facts.desired.mx is None:
        return None
    catalog, domain = facts.catalog, facts.domain
    host = catalog.mx_host(domain.region, multi_region=domain.multi_region)
    twins = sorted(catalog.regions_with_mx_host(host) - {domain.region})
    gone = parse_address_set(stale)
    shared = [r for r in twins if gone & parse_address_set(catalog.addresses(r, multi_region=False))]
    if not shared:
        return None
    attested = _attested(active, service)
    if attested is None:
        evidence = (
            f"the regions {shared[0]} and {domain.region} have one MX host, so DNS does not tell which one is used"
        )
        advice = f"see in the console that the move is done, then attest {{what: console, region: {domain.region}}}"
        return GateResult(_ID, Verdict.HOLD, evidence, advice)
    waiting = [f for f in active if not has_wanted_values_alone(f)]
    if waiting:
        evidence = f"{waiting[0].domain.written} still shows a value of another region, from which mail may come"
        return GateResult(_ID, Verdict.HOLD, evidence, "nothing to do once that value's step was applied")
    since = max(f.history.first_seen.get(WANTED_VALUES_ALONE, f.now) for f in active)
    moment = since + timedelta(hours=catalog.propagation_hours)
    if facts.now < moment:
        evidence = f"the gateway may relay from the old region until {moment.isoformat(sep=' ', timespec='minutes')}"
        return GateResult(_ID, Verdict.HOLD, evidence, "nothing to do: a run after that goes on", not_before=moment)
    evidence = f"the console shows the region {domain.region}, as {attested.by} attested on {attested.on.isoformat()}"
    return GateResult(_ID, Verdict.PASS, evidence)


def _attested(active: Sequence[Facts], service: Service) -> Attestation | None:
    facts = active[0]
    every = (*service.attestations, *(a for f in active for a in f.domain.attestations))
    found = (a for a in every if a.what == _ID and a.region == facts.domain.region and is_in_force(a, facts.today))
    return next(found, None)
