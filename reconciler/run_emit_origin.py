"""The shell of `emit exchange` and `emit allowlists`: what brings the origins in line, for people to run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.decide import Wanted
from reconciler.emit.allowlists import EmittedAllowlist, EmittedMailRule, build_emission, emit_allowlists
from reconciler.errors import ExitCode, Severity
from reconciler.escape import terminal_text
from reconciler.plan import Status
from reconciler.run import plan_with_origins
from reconciler.run_emit import EmitResult
from reconciler.service_plan import known_addresses, list_addresses, list_id, wanted_rule
from reconciler.state import Unknown
from reconciler.targets.base import Enforcement, Intent, is_exchange_target
from reconciler.targets.enforcement import softened
from reconciler.targets.mail_rule import MailRuleEmission
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS
from reconciler.templating import Templates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.catalog import Catalog
    from reconciler.invocation import Invocation
    from reconciler.origin import OriginFacts
    from reconciler.run import Planned
    from reconciler.selection import Selection
    from reconciler.service_plan import ServicePlan
    from reconciler.targets.base import DeclaredAllowlist


def emit_origins(invocation: Invocation, selection: Selection, out: Path, *, is_exchange: bool) -> EmitResult:
    """Write scripts and lists for every declared allowlist and spam rule: Exchange's, or everybody else's.

    An entry that only an old state needed is removed by what is written only when the plan says that it may go. What
    keeps others out is written only once every mail domain is switched: before that it would refuse all mail.
    """
    planned = plan_with_origins(invocation, selection, wanted=Wanted(documents=False, seen=False), is_reviewable=False)
    every_list = (e for each in planned.origins for e in _lists(*each, invocation.catalog))
    every_rule = (e for each in planned.origins for e in _rules(*each, invocation.catalog))
    lists = [e for e in every_list if is_exchange_target(e.target.id) is is_exchange]
    rules = [e for e in every_rule if is_exchange_target(e.target.id) is is_exchange]
    report = emit_allowlists(lists, rules, out=out, templates=Templates(invocation.settings.templates))
    waiting = [e for e in lists if e.is_export_only]
    lines = (
        *(f"written    {terminal_text(str(path))}" for path in report.written),
        *(
            f"left out   {terminal_text(f'{e.emission.organization}/{e.emission.service}/{e.target.id}')}: "
            "what it allows now is unknown; run the export, then emit again"
            for e in waiting
        ),
        *(
            f"held back  {terminal_text(f'{e.emission.organization}/{e.emission.service}/{e.target.id}')}: "
            "lets the gateway in and keeps nobody out yet; emit again when the plan says that it may"
            for e in lists
            if e.is_lockdown_held
        ),
        f"{len(lists)} allowlists, {len(rules)} spam rules; {len(report.unchanged)} files unchanged.",
    )
    return EmitResult(lines, tuple(planned.document.diagnostics_as_data()), tuple(_exit_codes(planned, bool(waiting))))


def _lists(origin: OriginFacts, plan: ServicePlan, catalog: Catalog) -> Iterator[EmittedAllowlist]:
    service = origin.service
    for fact in origin.allowlists if plan.steps else ():
        declared = fact.allowlist.declared
        is_unknown = isinstance(fact.observed, Unknown)
        own = list_id(service, fact.allowlist)
        enforcement = _enforcement_now(own, plan)
        is_held = declared.intent is Intent.RESTRICT and enforcement is Enforcement.NONE and not is_unknown
        emission = build_emission(
            (service.organization, service.name),
            _declared_now(declared, enforcement),
            list_addresses(fact.allowlist, service, plan.sharing, catalog, is_needed=plan.is_needed),
            None if isinstance(fact.observed, Unknown) else fact.observed,
            known_addresses(catalog),
            may_remove=_is_manual(f"{own}/stale", plan),
            is_loosening=_is_manual(f"{own}/loosen", plan),
        )
        target = ALLOWLIST_TARGETS[declared.target]
        yield EmittedAllowlist(target, emission, fact.allowlist.source, is_unknown, is_held)


def _declared_now(declared: DeclaredAllowlist, enforcement: Enforcement) -> DeclaredAllowlist:
    """The list as it may be made now: what keeps others out comes when the plan says so, for now before for good.

    One that keeps others out already goes on doing so, as while an organization moves to another region.
    """
    if declared.intent is not Intent.RESTRICT or enforcement is Enforcement.HARD:
        return declared
    if enforcement is Enforcement.NONE:
        return replace(declared, intent=Intent.ALLOW)
    return softened(declared) or declared


def _enforcement_now(own: str, plan: ServicePlan) -> Enforcement:
    """What a list may do with everybody else now; what a limit, a freeze or the kill switch holds stays as it is."""
    for step in plan.steps:
        is_own = step.id in {f"{own}/restrict", f"{own}/restrict-hard", f"{own}/loosen"}
        if is_own and step.enforcement is not None and step.status is not Status.MANUAL:
            return step.enforcement[0]
    return dict(plan.enforcements).get(own, Enforcement.NONE)


def _is_manual(step_id: str, plan: ServicePlan) -> bool:
    """Whether a step is for a person to do now."""
    return any(step.id == step_id and step.status is Status.MANUAL for step in plan.steps)


def _rules(origin: OriginFacts, plan: ServicePlan, catalog: Catalog) -> Iterator[EmittedMailRule]:
    fact, service = origin.mail_rule, origin.service
    # once nothing needs the rule, what would make it anew is not written
    if fact is not None and fact.rule.target is not None and plan.steps and plan.is_needed:
        emission = MailRuleEmission(service.organization, service.name, wanted_rule(catalog))
        yield EmittedMailRule(MAIL_RULE_TARGETS[fact.rule.target], emission, fact.rule.source)


def _exit_codes(planned: Planned, is_something_left_out: bool) -> Iterator[ExitCode]:  # noqa: FBT001 - its one caller
    if any(d.severity is Severity.ERROR for d in planned.document.diagnostics):
        yield ExitCode.ERROR
    if is_something_left_out:
        yield ExitCode.INCOMPLETE
