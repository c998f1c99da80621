"""The spam rule of an origin, as a step: it is made with the first mail domain and goes with the last. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, Severity
from reconciler.gates import GateResult, Verdict
from reconciler.gates.attestations import is_in_force
from reconciler.plan import Action, Phase, Status
from reconciler.service_plan.step import ServiceStep
from reconciler.state import Unknown
from reconciler.targets.mail_rule import MailRule, MailRuleContent, RuleState, compare_rule
from reconciler.targets.registry import MAIL_RULE_TARGETS

if TYPE_CHECKING:
    from reconciler.catalog import Catalog
    from reconciler.manifest.fleet import Service, Source
    from reconciler.origin import MailRuleFact
    from reconciler.service_plan.waiting import Waiting

_Found = tuple[Status, str, tuple[GateResult, ...]]


def wanted_rule(catalog: Catalog) -> MailRule:
    """The spam rule that the catalog describes."""
    spam = catalog.spam_rule
    return MailRule(spam.name, spam.header, spam.pattern, spam.confidence_level)


def plan_mail_rule(
    fact: MailRuleFact, service: Service, catalog: Catalog, waiting: Waiting, *, is_needed: bool
) -> tuple[ServiceStep, list[Diagnostic]]:
    """The rule's one step, and what is worth saying about it; `is_needed` while a mail domain stays at the gateway."""
    rule = wanted_rule(catalog)
    text = (f"{rule.name}: {rule.header} matches {rule.pattern}, spam confidence level {rule.confidence_level}",)
    (status, reason, gates), found = _observed(fact, service, rule, waiting)
    is_there = status is Status.DONE
    before: tuple[str, ...] = text if is_there else ()
    after: tuple[str, ...] = text
    phase, action = Phase.EXPAND, Action.UPDATE
    if not is_needed and status is not Status.UNKNOWN:
        is_ours = _is_ours_there(fact, rule, is_attested=is_there)
        phase, action, before, after = Phase.CONTRACT, Action.DELETE, text if is_ours else (), ()
        gates = (waiting.switched(), waiting.early_removal()) if is_ours else ()
        held = any(g.verdict is not Verdict.PASS for g in gates)
        status, found = (Status.HELD if held else Status.MANUAL) if is_ours else Status.DONE, []
    if status in {Status.DONE, Status.UNKNOWN}:
        action = Action.NO_OP
    times = [g.not_before for g in gates if g.not_before is not None]
    own = f"{service.organization}/{service.name}/spam-rule"
    target, source = fact.rule.target or "console", fact.rule.source
    step = ServiceStep(
        own,
        phase,
        action,
        status,
        "mail-rule",
        target,
        before,
        after,
        (),
        gates,
        reason,
        source,
        max(times, default=None),
    )
    return step, found


def _is_ours_there(fact: MailRuleFact, rule: MailRule, *, is_attested: bool) -> bool:
    """By its name, whatever somebody made of it since; where no export shows it, as it is attested."""
    if isinstance(fact.observed, MailRuleContent):
        return any(r.name.casefold() == rule.name.casefold() for r in fact.observed.rules)
    return is_attested


def _observed(
    fact: MailRuleFact, service: Service, rule: MailRule, waiting: Waiting
) -> tuple[_Found, list[Diagnostic]]:
    if fact.observed is None or fact.rule.target is None:
        today = waiting.domains[0].today
        attested = [a for a in service.attestations if a.what == "mail-rule" and is_in_force(a, today)]
        if attested:
            return (Status.DONE, f"attested by {attested[0].by} on {attested[0].on.isoformat()}", ()), []
        return (Status.MANUAL, "", ()), []
    if isinstance(fact.observed, Unknown):
        return (Status.UNKNOWN, fact.observed.detail, ()), []
    state = compare_rule(rule, fact.observed, action=MAIL_RULE_TARGETS[fact.rule.target].action(rule))
    found = [_advisory(fact.rule.source, a.code, a.summary, a.detail) for a in fact.observed.advice]
    if state is RuleState.AMBIGUOUS:
        evidence = "several rules do what the spam rule does, and nobody can say which one is meant"
        advice = "keep one of them, then make a new export"
        return (Status.HELD, state.value, (GateResult("mail-rule", Verdict.HOLD, evidence, advice),)), found
    if state is RuleState.EQUAL_OTHER_NAME:
        summary = "an equal spam rule is there under another name"
        detail = f"It does the same work and is left alone. Rename it to {rule.name!r} to have it kept as ours."
        found.append(_advisory(fact.rule.source, "spam-rule-name", summary, detail))
    is_done = state in {RuleState.EQUAL, RuleState.EQUAL_OTHER_NAME}
    return ((Status.DONE if is_done else Status.MANUAL), state.value, ()), found


def _advisory(source: Source, code: str, summary: str, detail: str) -> Diagnostic:
    return Diagnostic(Severity.ADVISORY, code, summary, detail, source.file, source.line)
