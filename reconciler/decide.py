"""Deciding about mail domains as their facts come, so that a fleet's facts are never all in memory. Pure.

A mail domain is planned alone; those of services that share an origin's lists are planned together, once the facts of
all of them are there. Nearly every mail domain of a fleet is settled: nothing is to be done for it and nothing to be
told, whatever becomes of the others. Of those only what is wanted is kept, of the others everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from reconciler.document import domain_document
from reconciler.gates.observed import is_more_observed, is_probed
from reconciler.neighbours import service_key
from reconciler.plan import Stage, Status, plan_domain
from reconciler.safety import prove_plans
from reconciler.seen import seen_at_sight, seen_in
from reconciler.service_plan import plan_services
from reconciler.settled import SettledAtSight, is_settled

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from reconciler.catalog import Catalog
    from reconciler.document import DomainDocument
    from reconciler.errors import Diagnostic
    from reconciler.gates import Facts
    from reconciler.history import History
    from reconciler.manifest.fleet import Domain, Service
    from reconciler.names import Name
    from reconciler.neighbours import Group, ServiceKey
    from reconciler.origin import OriginFacts
    from reconciler.plan import DomainPlan
    from reconciler.seen import Seen
    from reconciler.service_plan import ServicePlan
    from reconciler.state import Observation


_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is kept of settled mail domains: their documents, their facts, and of all what was seen of them."""

    documents: bool = True
    facts: bool = False
    seen: bool = True


@dataclass(frozen=True, slots=True)
class Planning:
    """How mail domains are planned: by which provider, with which TTL (seconds), and the digest of what is declared."""

    catalog: Catalog
    provider_of: Callable[[Domain], str]
    new_ttl: int
    declared: Callable[[Domain], str]


@dataclass(slots=True)
class Origins:
    """The origins that are planned, who shares their lists, and whose mail domains are planned together.

    `others` are the mail domains that were not chosen and share an origin with one that was: its steps are theirs too.
    """

    facts: Mapping[ServiceKey, OriginFacts]
    sharing: Mapping[ServiceKey, Sequence[Service]]
    groups: Mapping[ServiceKey, Group]
    others: Collection[Name]


@dataclass(slots=True)
class Decided:
    """What was decided, by mail domain and by service; `documents` are of settled mail domains, `plans` of the others.

    `facts` are those of mail domains that are not settled, or whose origin is not, and whatever else was wanted.
    """

    plans: dict[Name, DomainPlan] = field(default_factory=dict)
    flows: dict[Name, tuple[str, ...]] = field(default_factory=dict)
    documents: dict[Name, DomainDocument] = field(default_factory=dict)
    facts: dict[Name, Facts] = field(default_factory=dict)
    seen: dict[Name, Seen] = field(default_factory=dict)
    origins: dict[ServiceKey, tuple[OriginFacts, ServicePlan]] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def with_origins_of(self, services: Iterable[Service]) -> Decided:
        """The same with the origins in the order of these services."""
        return replace(self, origins={(key := service_key(s)): self.origins[key] for s in services})

    def documents_with(
        self, plans: Iterable[DomainPlan], domains: Iterable[Domain], declared: Callable[[Domain], str]
    ) -> list[DomainDocument]:
        """The documents of these mail domains in their order, as far as kept; `plans` are those that are shown."""
        made = {p.domain.name: domain_document(p, self.flows.get(p.domain.name, ()), declared(p.domain)) for p in plans}
        return [*in_order({**self.documents, **made}, domains)]


class Decider:
    """Decides about mail domains whose facts it is given, in any order."""

    def __init__(self, planning: Planning, origins: Origins, wanted: Wanted) -> None:
        """Decide nothing yet."""
        self._planning = planning
        self._origins = origins
        self._wanted = wanted
        self._at_sight = SettledAtSight(planning.catalog)
        self._waiting: dict[int, dict[Name, Facts]] = {}
        self._alike: dict[Seen, Seen] = {}
        self.decided = Decided()

    def is_left_out(self, domain: Domain, values: Observation, mx: Observation, history: History) -> bool:
        """Whether a mail domain is settled at sight, and no facts of it are needed; what was seen of it is kept."""
        if self._wanted.documents or self._wanted.facts or self._origins.groups:
            return False
        if not self._at_sight.has_settled(domain, values, mx, history):
            return False
        if not self._wanted.seen:
            return True
        seen = seen_at_sight(values, mx)
        if seen is not None:
            self._keep_seen(domain.name, seen)
        return seen is not None

    def add(self, facts: Facts) -> None:
        """Decide about a mail domain, or keep its facts until those of its whole group are there."""
        groups = self._origins.groups
        group = groups.get(service_key(facts.domain)) if groups else None
        if group is None:
            if self._is_short_way(facts):
                self._see(facts)
            else:
                self._decide([facts], [])
            return
        waiting = self._waiting.setdefault(id(group), {})
        waiting[facts.domain.name] = facts
        if len(waiting) == len(group.members):
            self._decide_group(group, self._waiting.pop(id(group)))

    def _decide_group(self, group: Group, facts: Mapping[Name, Facts]) -> None:
        origins = {key: self._origins.facts[key] for key in group.services}
        neighbours = [facts[name] for name in group.neighbours]
        planned = plan_services(origins, self._origins.sharing, neighbours, self._planning.catalog)
        self._decide([facts[name] for name in group.members], planned)

    def _decide(self, given: Sequence[Facts], origins: Sequence[tuple[OriginFacts, ServicePlan]]) -> None:
        """Plan mail domains with all of their origins, which are planned already."""
        unfinished = {service_key(p.service) for _, p in origins if any(s.status is not Status.DONE for s in p.steps)}
        plans: list[DomainPlan] = []
        facts: dict[Name, Facts] = {}
        for each in given:
            if origins and service_key(each.domain) not in unfinished and self._is_short_way(each):
                self._see(each)
            else:
                facts[each.domain.name] = each
                plans.append(self._plan(each))
        proved = prove_plans(plans, facts, origins)
        for plan in proved.plans:
            name = plan.domain.name
            if name not in self._origins.others:
                is_origin_done = service_key(plan.domain) not in unfinished
                self._keep(plan, facts[name], proved.flows.get(name, ()), is_origin_done=is_origin_done)
        self.decided.origins.update((service_key(origin.service), (origin, plan)) for origin, plan in proved.origins)
        self.decided.diagnostics += proved.diagnostics

    def _is_short_way(self, facts: Facts) -> bool:
        """Whether nothing of the mail domain's plan is wanted."""
        if self._wanted.documents or self._wanted.facts:
            return False
        return self._is_settled_at_sight(facts) or is_settled(facts)

    def _is_settled_at_sight(self, facts: Facts) -> bool:
        desired, seen = facts.desired, facts.observations
        if desired.verification is None or desired.mx is None or is_probed(facts) or is_more_observed(facts):
            return False
        values, mx = seen[desired.verification.key], seen[desired.mx.key]
        return self._at_sight.has_settled(facts.domain, values, mx, facts.history)

    def _plan(self, facts: Facts) -> DomainPlan:
        return plan_domain(facts, provider=self._planning.provider_of(facts.domain), new_ttl=self._planning.new_ttl)

    def _keep(self, plan: DomainPlan, facts: Facts, flow: tuple[str, ...], *, is_origin_done: bool) -> None:
        self._see(facts)
        name = plan.domain.name
        is_done = _is_done(plan)
        if self._wanted.facts or not is_done or not is_origin_done:
            self.decided.facts[name] = facts
        if not is_done:
            self.decided.plans[name] = plan
            self.decided.flows[name] = flow
        elif self._wanted.documents:
            self.decided.documents[name] = domain_document(plan, flow, self._planning.declared(plan.domain))

    def _see(self, facts: Facts) -> None:
        name = facts.domain.name
        if self._wanted.seen and name not in self._origins.others and (seen := seen_in(facts)) is not None:
            self._keep_seen(name, seen)

    def _keep_seen(self, name: Name, seen: Seen) -> None:
        # most of a fleet show one of a few
        self.decided.seen[name] = self._alike.setdefault(seen, seen)


def in_order(found: Mapping[Name, _Value], domains: Iterable[Domain]) -> tuple[_Value, ...]:
    """What there is of these mail domains, in their order."""
    return tuple(found[d.name] for d in domains if d.name in found) if found else ()


def _is_done(plan: DomainPlan) -> bool:
    is_last = plan.stage is Stage.PROTECTED and not plan.diagnostics
    return is_last and all(step.status is Status.DONE for step in plan.steps)
