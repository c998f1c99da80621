"""The origin's side of a plan: allowlists and the spam rule of one service, as steps. Pure.

The same order as for DNS: expand adds what the target state needs; contract takes away what only an old state needed,
and waits until every mail domain of the service was observed to be switched. The program writes to no origin: what is
to be done is `manual`, and `emit` writes how.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from reconciler.addresses import parse_address_set
from reconciler.allowlist_diff import compare, missing_addresses
from reconciler.errors import Diagnostic, Severity
from reconciler.gates import GateResult, Verdict
from reconciler.gates.allowlist import is_in_force, unattested_addresses
from reconciler.gates.switch_observed import SwitchObserved
from reconciler.plan import CACHES, Action, Phase, Status
from reconciler.state import Unknown
from reconciler.targets.mail_rule import MailRule, RuleState, compare_rule
from reconciler.targets.registry import MAIL_RULE_TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from reconciler.addresses import AddressSet
    from reconciler.catalog import Catalog
    from reconciler.gates import Facts
    from reconciler.manifest.fleet import Service, ServiceAllowlist, Source
    from reconciler.origin import AllowlistFact, MailRuleFact, OriginFacts
    from reconciler.targets.base import AllowlistContent, Enforcement


@dataclass(frozen=True, slots=True)
class ServiceStep:
    """One step at an origin. `before`, `after` and `untouched` are entries as written, or addresses to add.

    `not_before` is the earliest time at which it may be done. `enforcement` is what becomes of everybody else
    before and after a step that restricts or loosens; None for the others.
    """

    id: str
    phase: Phase
    action: Action
    status: Status
    kind: Literal["allowlist", "mail-rule"]
    target: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    untouched: tuple[str, ...]
    gates: tuple[GateResult, ...]
    reason: str
    source: Source
    not_before: datetime | None = None
    enforcement: tuple[Enforcement, Enforcement] | None = None


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """One service's steps, and what is worth saying about its origin.

    `is_switched` once every mail domain's MX was observed to be as desired: only then may an origin refuse others.
    `sharing` are the other services that declare one of its lists as well: their domains and addresses count too.
    """

    service: Service
    steps: tuple[ServiceStep, ...]
    diagnostics: tuple[Diagnostic, ...]
    is_switched: bool = False
    sharing: tuple[Service, ...] = ()


def plan_service(
    origin: OriginFacts,
    domains: Sequence[Facts],
    catalog: Catalog,
    sharing: Sequence[tuple[Service, Sequence[Facts]]] = (),
) -> ServicePlan:
    """Plan one service; `domains` are the facts of its mail domains that are filtered by MX.

    `sharing` are the services that declare one of its lists as well, each with the facts of its domains: one firewall
    before two organizations has to let in the gateway of both.
    """
    if not domains:
        return ServicePlan(origin.service, (), ())
    planner = _Planner(origin, domains, catalog, sharing)
    steps = [step for fact in origin.allowlists for step in planner.allowlist_steps(fact)]
    if origin.mail_rule is not None:
        steps.append(planner.mail_rule_step(origin.mail_rule))
    steps.sort(key=lambda s: list(Phase).index(s.phase))
    is_switched = planner.switched.verdict is Verdict.PASS
    return ServicePlan(origin.service, tuple(steps), tuple(planner.findings), is_switched, planner.sharing_services)


def gateway_addresses(service: Service, catalog: Catalog) -> tuple[str, ...]:
    """The gateway addresses of the service's target state, in the catalog's order."""
    return catalog.addresses(service.region, multi_region=service.multi_region)


def list_addresses(
    allowlist: ServiceAllowlist, service: Service, sharing: Sequence[Service], catalog: Catalog
) -> tuple[str, ...]:
    """The gateway addresses that a list of the service has to let in: its own, and those of whoever shares the list."""
    users = (service, *(s for s in sharing if any(_is_same_list(a, allowlist) for a in s.allowlists)))
    return tuple(dict.fromkeys(a for user in users for a in gateway_addresses(user, catalog)))


def list_key(allowlist: ServiceAllowlist) -> tuple[str, ...] | None:
    """What tells that two services declare one list: the same export of it; None where there is no export."""
    if allowlist.export is None:
        return None
    declared = allowlist.declared
    return (PurePosixPath(allowlist.export).as_posix(), declared.target, declared.name)


def _is_same_list(one: ServiceAllowlist, other: ServiceAllowlist) -> bool:
    return list_key(one) is not None and list_key(one) == list_key(other)


def wanted_rule(catalog: Catalog) -> MailRule:
    """The spam rule that the catalog describes."""
    spam = catalog.spam_rule
    return MailRule(spam.name, spam.header, spam.pattern, spam.confidence_level)


def known_addresses(catalog: Catalog) -> AddressSet:
    """Every address that the catalog knows as the gateway's, of any state: ours to remove when not needed."""
    texts = [a for r in catalog.regions for a in catalog.addresses(r, multi_region=True)]
    return parse_address_set(texts)


def _judge_switches(domains: Sequence[Facts]) -> GateResult:
    """The first mail domain that is not switched yet, or that all are."""
    gate = SwitchObserved()
    for facts in domains:
        result = gate.judge(facts)
        if result.verdict is not Verdict.PASS:
            return replace(result, evidence=f"{facts.domain.written}: {result.evidence}")
    return GateResult(gate.id, Verdict.PASS, "every mail domain of the service is switched")


class _Planner:
    def __init__(
        self,
        origin: OriginFacts,
        domains: Sequence[Facts],
        catalog: Catalog,
        sharing: Sequence[tuple[Service, Sequence[Facts]]],
    ) -> None:
        self.service = origin.service
        self.domains = domains
        self.sharing_services = tuple(service for service, _ in sharing)
        self.switched = _judge_switches((*domains, *(facts for _, others in sharing for facts in others)))
        self.catalog = catalog
        self.findings: list[Diagnostic] = []

    def allowlist_steps(self, fact: AllowlistFact) -> Iterator[ServiceStep]:
        declared = fact.allowlist.declared
        own = "/".join(filter(None, (self.service.organization, self.service.name, declared.target, declared.name)))
        if fact.observed is None:
            missing = tuple(dict.fromkeys(a for facts in self.domains for a in unattested_addresses(facts)))
            reason = "" if missing else "attested"
            yield self._allowlist_step(own, fact, Phase.EXPAND, after=missing, reason=reason)
        elif isinstance(fact.observed, Unknown):
            yield self._allowlist_step(own, fact, Phase.EXPAND, unknown=fact.observed.detail)
        else:
            yield from self._observed_steps(own, fact, fact.observed)

    def _observed_steps(self, own: str, fact: AllowlistFact, content: AllowlistContent) -> Iterator[ServiceStep]:
        needed = list_addresses(fact.allowlist, self.service, self.sharing_services, self.catalog)
        found = compare(parse_address_set(needed), content, known_addresses(self.catalog))
        declared = fact.allowlist.declared
        gone = found.removable(exclusive=declared.exclusive)
        kept = tuple(e.written for e in found.kept(exclusive=declared.exclusive))
        ours = tuple(e.written for e in found.needed)
        missing = missing_addresses(needed, content)
        self._note(fact, content, tuple(e.written for e in found.wider))
        yield self._allowlist_step(own, fact, Phase.EXPAND, before=ours, after=(*ours, *missing), untouched=kept)
        if gone:
            yield self._allowlist_step(
                f"{own}/stale",
                fact,
                Phase.CONTRACT,
                before=(*ours, *(e.written for e in gone)),
                after=ours,
                untouched=kept,
                gates=(self.switched,),
                reason=CACHES,
            )

    def _allowlist_step(  # noqa: PLR0913 - the parts of a step
        self,
        own: str,
        fact: AllowlistFact,
        phase: Phase,
        *,
        before: tuple[str, ...] = (),
        after: tuple[str, ...] = (),
        untouched: tuple[str, ...] = (),
        gates: tuple[GateResult, ...] = (),
        unknown: str = "",
        reason: str = "",
    ) -> ServiceStep:
        is_done = before == after
        status = Status.DONE if is_done else Status.MANUAL
        if unknown:
            status = Status.UNKNOWN
        elif any(g.verdict is not Verdict.PASS for g in gates):
            status = Status.HELD
        action = Action.NO_OP if is_done or unknown else Action.UPDATE
        return ServiceStep(
            own,
            phase,
            action,
            status,
            "allowlist",
            fact.allowlist.declared.target,
            before,
            after,
            untouched,
            gates,
            unknown or reason,
            fact.allowlist.source,
        )

    def mail_rule_step(self, fact: MailRuleFact) -> ServiceStep:
        own = f"{self.service.organization}/{self.service.name}/spam-rule"
        spam = self.catalog.spam_rule
        after = (f"{spam.name}: {spam.header} matches {spam.pattern}, spam confidence level {spam.confidence_level}",)
        status, reason, gates = self._mail_rule_status(fact)
        action = Action.NO_OP if status in {Status.DONE, Status.UNKNOWN} else Action.UPDATE
        source = fact.rule.source
        before = after if status is Status.DONE else ()
        return ServiceStep(
            own,
            Phase.EXPAND,
            action,
            status,
            "mail-rule",
            fact.rule.target or "console",
            before,
            after,
            (),
            gates,
            reason,
            source,
        )

    def _mail_rule_status(self, fact: MailRuleFact) -> tuple[Status, str, tuple[GateResult, ...]]:
        if fact.observed is None or fact.rule.target is None:
            today = self.domains[0].today
            attested = [a for a in self.service.attestations if a.what == "mail-rule" and is_in_force(a, today)]
            if attested:
                return Status.DONE, f"attested by {attested[0].by} on {attested[0].on.isoformat()}", ()
            return Status.MANUAL, "", ()
        if isinstance(fact.observed, Unknown):
            return Status.UNKNOWN, fact.observed.detail, ()
        rule = wanted_rule(self.catalog)
        state = compare_rule(rule, fact.observed, action=MAIL_RULE_TARGETS[fact.rule.target].action(rule))
        self.findings += [self._advisory(fact.rule.source, a.code, a.summary, a.detail) for a in fact.observed.advice]
        if state is RuleState.AMBIGUOUS:
            evidence = "several rules do what the spam rule does, and nobody can say which one is meant"
            advice = "keep one of them, then make a new export"
            return Status.HELD, state.value, (GateResult("mail-rule", Verdict.HOLD, evidence, advice),)
        if state is RuleState.EQUAL_OTHER_NAME:
            summary = "an equal spam rule is there under another name"
            detail = f"It does the same work and is left alone. Rename it to {rule.name!r} to have it kept as ours."
            self.findings.append(self._advisory(fact.rule.source, "spam-rule-name", summary, detail))
        is_done = state in {RuleState.EQUAL, RuleState.EQUAL_OTHER_NAME}
        return (Status.DONE if is_done else Status.MANUAL), state.value, ()

    def _note(self, fact: AllowlistFact, content: AllowlistContent, wider: tuple[str, ...]) -> None:
        source = fact.allowlist.source
        self.findings += [self._advisory(source, a.code, a.summary, a.detail) for a in content.advice]
        if wider:
            summary = f"{fact.allowlist.declared.target} allows more than the gateway with {', '.join(wider)}"
            detail = "Allow its own addresses one by one, and remove the wide entry only if nobody else needs it."
            self.findings.append(self._advisory(source, "allowlist-wider", summary, detail))

    def _advisory(self, source: Source, code: str, summary: str, detail: str) -> Diagnostic:
        return Diagnostic(Severity.ADVISORY, code, summary, detail, source.file, source.line)
