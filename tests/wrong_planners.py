"""Deliberately wrong planners: each makes one mistake that loses mail, in a plan that was right.

A wrong planner changes the plan of a mail domain and of its origin where its mistake is possible, and gives every other
pair back as it was. None of them knows the world or the time: they only believe that something need not be waited for.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.catalog import load_catalog
from reconciler.gates import Verdict
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.plan import Action, DomainPlan, Phase, Status, Step
from reconciler.state import mx_exchange, mx_rdata
from reconciler.targets.base import Enforcement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.diff import Change
    from reconciler.names import Name
    from reconciler.service_plan import ServicePlan, ServiceStep
    from reconciler.state import Rdata

    Pair = tuple[DomainPlan, ServicePlan | None]
    WrongPlanner = Callable[[DomainPlan, ServicePlan | None], Pair]

_LOW_TTL = 3600


def _is_mx(step: Step) -> bool:
    return step.id.endswith("/mx")


def _mx(plan: DomainPlan) -> Step | None:
    return next((s for s in plan.steps if _is_mx(s)), None)


def _is_switched(plan: DomainPlan) -> bool:
    mx = _mx(plan)
    return mx is not None and mx.status is Status.DONE


def _is_verified(plan: DomainPlan) -> bool:
    return all(s.status is Status.DONE for s in plan.steps if s.id.endswith("/verification"))


def _opened(step: Step) -> Step:
    """The same step without what it waits for."""
    status = Status.MANUAL if step.provider == MANUAL_PROVIDER else Status.READY
    return replace(step, status=status, gates=(), not_before=None) if step.status is Status.HELD else step


def _opened_at_origin(step: ServiceStep) -> ServiceStep:
    held = step.status is Status.HELD
    return replace(step, status=Status.MANUAL, gates=(), not_before=None) if held else step


def _with_steps(plan: DomainPlan, change: Callable[[Step], Step]) -> DomainPlan:
    return replace(plan, steps=tuple(change(s) for s in plan.steps))


def _with_origin_steps(plan: ServicePlan | None, change: Callable[[ServiceStep], ServiceStep]) -> ServicePlan | None:
    return replace(plan, steps=tuple(change(s) for s in plan.steps)) if plan is not None else None


def _with_mx_opened(plan: DomainPlan) -> DomainPlan:
    return _with_steps(plan, lambda s: _opened(s) if _is_mx(s) else s)


def _with_retired_opened(plan: DomainPlan) -> DomainPlan:
    return _with_steps(plan, lambda s: _opened(s) if s.id.endswith("/verification/retired") else s)


def _is_restricting(step: ServiceStep) -> bool:
    return step.enforcement is not None and step.phase is Phase.CONTRACT


def _waits_only_for_time(step: Step | ServiceStep) -> bool:
    held = [g for g in step.gates if g.verdict is not Verdict.PASS]
    return bool(held) and all(g.not_before is not None for g in held)


def switch_before_allow(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The MX moves once the verification values are there, whatever the origin lets in."""
    wrong = not plan.domain.is_leaving and _is_verified(plan)
    return (_with_mx_opened(plan) if wrong else plan), service


def switch_before_token(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The MX moves while the verification values are not there yet."""
    wrong = not plan.domain.is_leaving and not _is_verified(plan)
    return (_with_mx_opened(plan) if wrong else plan), service


def remove_address_at_once(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """Addresses that only the old MX needs go at once."""
    return plan, _with_origin_steps(service, lambda s: _opened_at_origin(s) if s.id.endswith("/stale") else s)


def no_wait(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """Nothing ever waits for a time."""

    def hurried(step: Step) -> Step:
        return _opened(step) if _waits_only_for_time(step) else replace(step, not_before=None)

    def hurried_at_origin(step: ServiceStep) -> ServiceStep:
        return _opened_at_origin(step) if _waits_only_for_time(step) else replace(step, not_before=None)

    return _with_steps(plan, hurried), _with_origin_steps(service, hurried_at_origin)


def wrong_ttl(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The wait is for the new TTL and not for the old one; a low one is over by the next run."""
    mx = _mx(plan)
    if mx is None or mx.change is None:
        return plan, service
    if _is_switched(plan):
        return no_wait(plan, service) if mx.change.ttl < _LOW_TTL else (plan, service)
    less = timedelta(seconds=max(0, (mx.change.ttl_before or 0) - mx.change.ttl))

    def shortened(step: Step) -> Step:
        return replace(step, not_before=step.not_before - less) if step.not_before is not None else step

    def shortened_at_origin(step: ServiceStep) -> ServiceStep:
        return replace(step, not_before=step.not_before - less) if step.not_before is not None else step

    return _with_steps(plan, shortened), _with_origin_steps(service, shortened_at_origin)


def remove_token_in_use(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The verification values go once the MX has moved: as if they were needed only once."""
    if plan.domain.is_leaving or not _is_switched(plan):
        return plan, service

    def without(step: Step) -> Step:
        if not step.id.endswith("/verification") or step.change is None or step.status is not Status.DONE:
            return step
        action = Action.UPDATE if step.change.foreign else Action.DELETE
        change = replace(step.change, after=())
        gone = replace(step, phase=Phase.CONTRACT, action=action, status=Status.HELD, change=change)
        return _opened(gone) if change.removed else step

    return _with_steps(plan, without), service


def restrict_before_switch(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The origin keeps others out while the MX still names it."""
    if _is_switched(plan):
        return plan, service
    return plan, _with_origin_steps(service, lambda s: _opened_at_origin(s) if _is_restricting(s) else s)


def restrict_hard_at_once(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """Once the MX has moved the origin refuses others for good: no deferral first, and no days in between."""

    def hard(step: ServiceStep) -> ServiceStep:
        if not _is_restricting(step) or step.enforcement is None:
            return step
        return _opened_at_origin(replace(step, enforcement=(step.enforcement[0], Enforcement.HARD)))

    return plan, (_with_origin_steps(service, hard) if _is_switched(plan) else service)


def restrict_before_caches_ran_out(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The origin keeps others out, as it shall, but as soon as the MX has moved."""
    if not _is_switched(plan):
        return plan, service
    return plan, _with_origin_steps(service, lambda s: _opened_at_origin(s) if _is_restricting(s) else s)


def leave_before_loosening(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The MX goes back while the origin still keeps others out."""
    return (_with_mx_opened(plan) if plan.domain.is_leaving else plan), service


def leave_without_token(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The verification values of a leaving domain go before its MX does."""
    wrong = plan.domain.is_leaving and not _is_switched(plan)
    return (_with_retired_opened(plan) if wrong else plan), service


def switch_to_another_region(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The MX names the host of a region whose addresses nobody was told to allow."""
    catalog, domain = load_catalog(), plan.domain
    own = catalog.mx_host(domain.region, multi_region=domain.multi_region)
    hosts = (catalog.mx_host(r, multi_region=domain.multi_region) for r in catalog.regions)
    other = next(h for h in hosts if h != own)
    return _with_mx_hosts(plan, {own: other}, catalog.mx_preference), service


def next_hop_is_the_gateway(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The next hop is looked up in an MX that names the gateway; a leaving domain goes back to where it was before."""
    catalog, domain = load_catalog(), plan.domain
    host = catalog.mx_host(domain.region, multi_region=domain.multi_region != domain.is_leaving)
    if domain.is_leaving:
        plan = _with_mx_hosts(plan, dict.fromkeys(domain.next_hops, host), catalog.mx_preference)
    return replace(plan, domain=replace(domain, next_hops=(host,))), service


def _with_mx_hosts(plan: DomainPlan, hosts: Mapping[Name, Name], preference: int) -> DomainPlan:
    def renamed(rdatas: Iterable[Rdata]) -> tuple[Rdata, ...]:
        new = {mx_rdata(preference, hosts[h]) if (h := mx_exchange(v)) in hosts else v for v in rdatas}
        return tuple(sorted(new))

    def moved(step: Step) -> Step:
        if not _is_mx(step) or step.change is None or step.status is Status.DONE:
            return step
        return replace(step, change=replace(step.change, after=renamed(step.change.after)))

    return _with_steps(plan, moved)


def delete_before_adding(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The old MX goes first, and the new one comes in the next run."""
    steps: list[Step] = []
    for step in plan.steps:
        change = step.change
        if not _is_mx(step) or change is None or not (change.removed and change.added):
            steps.append(step)
            continue
        gone = replace(change, after=tuple(v for v in change.after if v in change.before))
        action = Action.UPDATE if gone.wanted else Action.DELETE
        steps.append(replace(step, id=f"{step.id}/old", action=action, change=gone))
        rest = _rest(change, gone)
        steps.append(replace(step, status=Status.HELD, action=Action.CREATE, change=rest, not_before=None))
    return replace(plan, steps=tuple(steps)), service


def _rest(change: Change, gone: Change) -> Change:
    return replace(change, before=gone.after, ttl_before=change.ttl_before if gone.wanted else None)


def drop_one_address(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """One gateway address is forgotten, and the gate forgets it too."""
    if plan.domain.is_leaving or service is None:
        return plan, service
    forgotten: list[str] = []

    def without_last(step: ServiceStep) -> ServiceStep:
        missing = [a for a in step.after if a not in step.before]
        if step.kind != "allowlist" or step.phase is not Phase.EXPAND or step.enforcement is not None or not missing:
            return step
        forgotten.append(missing[-1])
        after = tuple(a for a in step.after if a != missing[-1])
        return replace(step, after=after, status=Status.DONE if after == step.before else step.status)

    origin = _with_origin_steps(service, without_last)
    is_done = origin is not None and all(s.status is Status.DONE for s in origin.steps if s.phase is Phase.EXPAND)
    return (_with_mx_opened(plan) if forgotten and is_done and _is_verified(plan) else plan), origin


WRONG_PLANNERS: Mapping[str, WrongPlanner] = {
    "switch-before-allow": switch_before_allow,
    "switch-before-token": switch_before_token,
    "remove-address-at-once": remove_address_at_once,
    "no-wait": no_wait,
    "wrong-ttl": wrong_ttl,
    "remove-token-in-use": remove_token_in_use,
    "restrict-before-switch": restrict_before_switch,
    "restrict-hard-at-once": restrict_hard_at_once,
    "restrict-before-caches-ran-out": restrict_before_caches_ran_out,
    "leave-before-loosening": leave_before_loosening,
    "leave-without-token": leave_without_token,
    "switch-to-another-region": switch_to_another_region,
    "next-hop-is-the-gateway": next_hop_is_the_gateway,
    "delete-before-adding": delete_before_adding,
    "drop-one-address": drop_one_address,
}
