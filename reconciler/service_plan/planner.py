"""All steps of one service's origin. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.addresses import parse_address_set
from reconciler.allowlist_diff import compare, missing_addresses
from reconciler.errors import Diagnostic, Severity
from reconciler.gates import GateResult, Verdict
from reconciler.gates.allowlist import unattested_addresses
from reconciler.gates.attestations import is_in_force
from reconciler.plan import Action, Phase, Status
from reconciler.service_plan.lists import NOBODY, Sharing, known_addresses, list_addresses, list_id
from reconciler.service_plan.mail_rule import plan_mail_rule
from reconciler.service_plan.restriction import plan_restriction
from reconciler.service_plan.step import ServiceStep
from reconciler.service_plan.twin_regions import judge_twin_regions
from reconciler.service_plan.waiting import Waiting
from reconciler.state import Unknown
from reconciler.targets.enforcement import is_written_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.catalog import Catalog
    from reconciler.gates import Facts
    from reconciler.manifest.fleet import Service, Source
    from reconciler.origin import AllowlistFact, OriginFacts
    from reconciler.targets.base import AllowlistContent, Enforcement


_OPEN = "restricts-nothing"

ServiceKey = tuple[str, str]
"""An organization's name and a service's."""


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """One service's steps, and what is worth saying about its origin.

    `sharing` are the services that are behind its lists as well, it may be among them: their addresses count too.
    `enforcements` tell for each list, by its `list_id`, what it may do with everybody else as of now, for all that its
    gates say. `is_needed` tells whether a mail domain of it stays behind the gateway.
    """

    service: Service
    steps: tuple[ServiceStep, ...]
    diagnostics: tuple[Diagnostic, ...]
    sharing: Sharing = NOBODY
    enforcements: tuple[tuple[str, Enforcement], ...] = ()
    is_needed: bool = True


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
    return _plan(origin, domains, catalog, _Behind(sharing))


def plan_services(
    origins: Mapping[ServiceKey, OriginFacts],
    sharing: Mapping[ServiceKey, Sequence[Service]],
    neighbours: Iterable[Facts],
    catalog: Catalog,
) -> list[tuple[OriginFacts, ServicePlan]]:
    """Every origin with its plan, each as from `plan_service`, in a time that grows with their number alone.

    `sharing` are by service all who are behind its lists, itself included; services that have the same have the same
    object. `neighbours` are the facts of all mail domains behind any of them.
    """
    domains: dict[ServiceKey, list[Facts]] = defaultdict(list)
    for facts in neighbours:
        domains[facts.domain.organization, facts.domain.service].append(facts)
    waiting = {key: Waiting(own) for key, own in domains.items()}
    behind: dict[int, _Behind] = {}
    planned = []
    for key, origin in origins.items():
        users = sharing[key]
        if id(users) not in behind:
            keys = [(s.organization, s.name) for s in users]
            behind[id(users)] = _Behind(
                [(s, domains[k]) for s, k in zip(users, keys, strict=True)], [waiting[k] for k in keys if k in waiting]
            )
        planned.append((origin, _plan(origin, domains[key], catalog, behind[id(users)])))
    return planned


class _Behind:
    """All who are behind the same lists: what they wait for, and those of them that stay."""

    def __init__(
        self, users: Sequence[tuple[Service, Sequence[Facts]]], waiting: Sequence[Waiting] | None = None
    ) -> None:
        each = [Waiting(facts) for _, facts in users if facts] if waiting is None else waiting
        # one for all, so that a service looks at two and not at every other one
        self.waiting = (Waiting((), each),) if each else ()
        staying = tuple(s for s, facts in users if any(not f.domain.is_leaving for f in facts))
        self.staying = Sharing(staying)


def _plan(origin: OriginFacts, domains: Sequence[Facts], catalog: Catalog, behind: _Behind) -> ServicePlan:
    if not domains:
        return ServicePlan(origin.service, (), ())
    planner = _Planner(origin, domains, catalog, behind)
    steps = [step for fact in origin.allowlists for step in planner.allowlist_steps(fact)]
    if origin.mail_rule is not None:
        rule, found = plan_mail_rule(
            origin.mail_rule, origin.service, catalog, planner.waiting, is_needed=bool(planner.active)
        )
        steps.append(rule)
        planner.findings += found
    steps.sort(key=lambda s: list(Phase).index(s.phase))
    return ServicePlan(
        origin.service,
        tuple(steps),
        tuple(planner.findings),
        planner.sharing,
        tuple(planner.enforcements),
        bool(planner.active),
    )


class _Planner:
    def __init__(
        self,
        origin: OriginFacts,
        domains: Sequence[Facts],
        catalog: Catalog,
        behind: _Behind,
    ) -> None:
        self.service = origin.service
        self.active = [f for f in domains if not f.domain.is_leaving]
        self.sharing = behind.staying
        self.waiting = Waiting(domains, behind.waiting)
        self.catalog = catalog
        self.findings: list[Diagnostic] = []
        self.enforcements: list[tuple[str, Enforcement]] = []

    def allowlist_steps(self, fact: AllowlistFact) -> Iterator[ServiceStep]:
        own = list_id(self.service, fact.allowlist)
        if isinstance(fact.observed, Unknown):
            steps = [self._step(own, fact, Phase.EXPAND, unknown=fact.observed.detail)]
        elif fact.observed is None:
            steps = [self._attested_step(own, fact)]
        else:
            steps = list(self._observed_steps(own, fact, fact.observed))
        yield from steps
        is_covering = all(s.status is Status.DONE for s in steps if s.phase is Phase.EXPAND)
        is_covering = is_covering or is_written_whole(fact.allowlist.declared.target)
        restriction = plan_restriction(own, fact, self.service, self.active, self.waiting, is_covering=is_covering)
        self.enforcements.append((own, restriction.now))
        yield from restriction.steps

    def _attested_step(self, own: str, fact: AllowlistFact) -> ServiceStep:
        if self.active:
            missing = tuple(dict.fromkeys(a for facts in self.active for a in unattested_addresses(facts)))
            return self._step(own, fact, Phase.EXPAND, after=missing, reason="" if missing else "attested")
        today = self.waiting.domains[0].today
        attested = [a for a in self.service.attestations if a.what == "allowlist" and is_in_force(a, today)]
        if not attested:
            return self._step(own, fact, Phase.CONTRACT, reason="nobody attests that it lets the gateway in")
        reason = "remove the attestation of the allowlist when this is done"
        before = list_addresses(fact.allowlist, self.service, NOBODY, self.catalog)
        return self._step(
            f"{own}/stale", fact, Phase.CONTRACT, before=before, gates=self._removal_gates(()), reason=reason
        )

    def _observed_steps(self, own: str, fact: AllowlistFact, content: AllowlistContent) -> Iterator[ServiceStep]:
        needed = self._needed(fact)
        found = compare(parse_address_set(needed), content, known_addresses(self.catalog))
        declared = fact.allowlist.declared
        gone = found.removable(exclusive=declared.exclusive)
        kept = tuple(e.written for e in found.kept(exclusive=declared.exclusive))
        ours = tuple(e.written for e in found.needed)
        missing = missing_addresses(needed, content)
        self._note(fact, content, tuple(e.written for e in found.wider))
        yield self._step(own, fact, Phase.EXPAND, before=ours, after=(*ours, *missing), untouched=kept)
        if gone:
            stale = tuple(e.written for e in found.stale)
            yield self._step(
                f"{own}/stale",
                fact,
                Phase.CONTRACT,
                before=(*ours, *(e.written for e in gone)),
                after=ours,
                untouched=kept,
                gates=self._removal_gates(stale),
            )

    def _needed(self, fact: AllowlistFact) -> tuple[str, ...]:
        is_needed = bool(self.active)
        return list_addresses(fact.allowlist, self.service, self.sharing, self.catalog, is_needed=is_needed)

    def _removal_gates(self, stale: tuple[str, ...]) -> tuple[GateResult, ...]:
        gates = [self.waiting.switched(), self.waiting.early_removal()]
        console = judge_twin_regions(stale, self.active, self.service)
        return (*gates, console) if console is not None else tuple(gates)

    def _step(  # noqa: PLR0913 - the parts of a step
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
        held = [g for g in gates if g.verdict is not Verdict.PASS]
        status = Status.DONE if is_done else Status.HELD if held else Status.MANUAL
        if unknown:
            status = Status.UNKNOWN
        return ServiceStep(
            own,
            phase,
            Action.NO_OP if is_done or unknown else Action.UPDATE,
            status,
            "allowlist",
            fact.allowlist.declared.target,
            before,
            after,
            untouched,
            gates,
            unknown or reason,
            fact.allowlist.source,
            max((g.not_before for g in held if g.not_before is not None), default=None),
        )

    def _note(self, fact: AllowlistFact, content: AllowlistContent, wider: tuple[str, ...]) -> None:
        source = fact.allowlist.source
        # a server that nobody's mail comes to through the gateway, or that is to be open, needs no advice for that
        is_leaving = self.waiting.is_anybody_leaving
        unwanted = {a.code for a in content.advice} if not self.active else {_OPEN} if is_leaving else set()
        told = [a for a in content.advice if a.code not in unwanted]
        self.findings += [self._advisory(source, a.code, a.summary, a.detail) for a in told]
        if wider:
            summary = f"{fact.allowlist.declared.target} allows more than the gateway with {', '.join(wider)}"
            detail = "Allow its own addresses one by one, and remove the wide entry only if nobody else needs it."
            self.findings.append(self._advisory(source, "allowlist-wider", summary, detail))

    def _advisory(self, source: Source, code: str, summary: str, detail: str) -> Diagnostic:
        return Diagnostic(Severity.ADVISORY, code, summary, detail, source.file, source.line)
