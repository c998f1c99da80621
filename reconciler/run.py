"""The shell of `plan`, and of planning again; `run_*.py` are the shells of the other verbs.

Gather, decide, act; the deciding is pure and lives elsewhere.

manifests -> desired
                     diff -> plan (gates) -> apply -> verify
world ---- observed                      -> emit, report
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.changed import Scope, find_changes, narrowed
from reconciler.declaration import Declarations
from reconciler.document import PlanHead, build_document
from reconciler.errors import Diagnostic, PlanFileError, Severity, StalePlanError, sorted_diagnostics
from reconciler.gates import OF_THE_SERVICE
from reconciler.gather import gather_facts, observe_origins, service_key, services_around
from reconciler.limits import Stops
from reconciler.memory import open_memory
from reconciler.names import display_name
from reconciler.orphans import find_orphans
from reconciler.plan import Status, plan_domain
from reconciler.review import Reviewed, match_review
from reconciler.run_validate import check_providers, provider_of, validate
from reconciler.safety import make_safe
from reconciler.selection import Selection, select_domains
from reconciler.service_plan import plan_services
from reconciler.settings.planning import planning_digest
from reconciler.shards import part_of, shard_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reconciler.document import LeftOutDocument, PlanDocument, ShardDocument
    from reconciler.gates import Facts
    from reconciler.gather import ServiceKey
    from reconciler.invocation import Invocation
    from reconciler.manifest.fleet import Domain, Fleet, Service
    from reconciler.memory import Memory
    from reconciler.origin import OriginFacts
    from reconciler.plan import DomainPlan
    from reconciler.service_plan import ServicePlan
    from reconciler.settings import Settings


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it was made from: the origins with their plans, by service, and the facts of its domains.

    `files` are the manifests of all organizations that are declared, by name.
    """

    document: PlanDocument
    origins: tuple[tuple[OriginFacts, ServicePlan], ...]
    facts: tuple[Facts, ...]
    files: Mapping[str, str] = field(default_factory=dict)


def plan(invocation: Invocation, selection: Selection) -> PlanDocument:
    """Compare what is declared with what is observed, and put the differences in a safe order."""
    return plan_with_origins(invocation, selection).document


def plan_with_origins(
    invocation: Invocation,
    selection: Selection,
    memory: Memory | None = None,
    switched: Mapping[str, int] = MappingProxyType({}),
    *,
    is_reviewable: bool = True,
) -> Planned:
    """As `plan`, for whoever also writes; without a `memory` the journal is read and nothing of it changed.

    `switched` is how many mail domains of each organization this run has switched already. A plan that nobody reviews,
    nor compares with one that was reviewed, needs no digests: of ten thousand domains they take their time.
    """
    if memory is None:
        with open_memory(invocation.settings, is_offline=invocation.is_offline) as opened:
            return plan_with_origins(invocation, selection, opened, switched, is_reviewable=is_reviewable)
    if selection.shard is not None:
        invocation = invocation.sharing(selection.shard.count)
    declared = validate(invocation, ())
    return _plan_declared(invocation, declared, selection, memory, switched, is_reviewable=is_reviewable)


def _plan_declared(
    invocation: Invocation,
    declared: tuple[Fleet, list[Diagnostic]],
    selection: Selection,
    memory: Memory,
    switched: Mapping[str, int],
    *,
    is_reviewable: bool = True,
) -> Planned:
    """The plan of manifests that are loaded: what `validate` gave."""
    fleet, diagnostics = declared
    check_providers(fleet, invocation.settings)
    scope = _scope(invocation, fleet, selection.whole, memory)
    part = part_of(fleet, selection, scope.domains)
    domains = scope.domains if part is None else part.domains
    services, sharing, neighbours = services_around(fleet, domains)
    origins = observe_origins(invocation, services)
    everyone = dict.fromkeys((*domains, *neighbours))
    facts = gather_facts(invocation, everyone, origins, memory.histories(d.name for d in everyone))
    every_plan = {name: _plan_domain(known, invocation.settings) for name, known in facts.items()}
    plans = [every_plan.pop(d.name) for d in domains]
    planned_origins = plan_services(origins, sharing, [facts[n.name] for n in neighbours], invocation.catalog)
    settings = invocation.settings
    stops = Stops(settings.limits, settings.freeze, settings.kill_switch, switched)
    safe = make_safe(plans, facts, planned_origins, stops if part is None else None, list(every_plan.values()))
    read = {domain.source.file for domain in domains}
    found = [
        *(d for d in diagnostics if d.file in read),
        *_told(safe.plans),
        *(d for _, p in safe.origins for d in p.diagnostics),
        *memory.diagnostics,
        *safe.diagnostics,
        *(scope.diagnostics if part is None or part.shard.index == 1 else ()),
        *invocation.diagnostics,
    ]
    service_plans = [p for _, p in safe.origins]
    shard = shard_document(part, fleet, safe.plans, service_plans, stops, memory.mark) if part is not None else None
    head = _head(invocation, fleet, scope.left_out, shard)
    digests = _declared(fleet, domains, services) if is_reviewable else {}
    document = build_document(
        head,
        safe.plans,
        sorted_diagnostics(found),
        service_plans,
        safe.flows,
        digests,
        is_reviewable=is_reviewable,
    )
    files = {d.organization: d.source.file for d in fleet.domains}
    return Planned(document, safe.origins, tuple(facts[d.name] for d in domains), files)


def _scope(invocation: Invocation, fleet: Fleet, selection: Selection, memory: Memory) -> Scope:
    """The domains to plan, and what is told of those that are not declared any more."""
    chosen = select_domains(fleet, selection)
    if selection.changed_since is None:
        orphans = find_orphans(fleet, memory.known_domains()) if selection.is_everything else ()
        return Scope(chosen, diagnostics=tuple(orphans))
    changes = find_changes(
        selection.changed_since,
        fleet,
        manifests=invocation.manifests,
        settings=invocation.settings,
        catalog=invocation.catalog,
        today=invocation.now.date(),
    )
    known = memory.known_domains() if changes.undeclared else {}
    return narrowed(chosen, selection, changes, {name for name, domain in known.items() if domain.is_gone})


def _head(
    invocation: Invocation,
    fleet: Fleet,
    left_out: LeftOutDocument | None = None,
    shard: ShardDocument | None = None,
) -> PlanHead:
    return PlanHead(
        commit=invocation.commit,
        manifests_digest=fleet.digest,
        catalog_digest=invocation.catalog.digest,
        settings_digest=planning_digest(invocation.settings),
        created_at=invocation.now,
        expires_at=invocation.now + timedelta(hours=invocation.settings.plan_expires_hours),
        left_out=left_out,
        shard=shard,
    )


def _declared(fleet: Fleet, domains: Iterable[Domain], services: Iterable[Service]) -> dict[str, str]:
    """The digests of what the manifests declare, as `build_document` takes them."""
    declarations = Declarations(fleet)
    return {
        **{f"{s.organization}/{s.name}": declarations.of_service(s) for s in services},
        **{d.name: declarations.of_domain(d) for d in domains},
    }


def _told(plans: Iterable[DomainPlan]) -> Iterator[Diagnostic]:
    """What the domains' plans tell; what is the same for a whole service is told of its first domain alone."""
    seen: set[tuple[str, ServiceKey]] = set()
    for plan in plans:
        for diagnostic in plan.diagnostics:
            key = (diagnostic.code, service_key(plan.domain))
            if diagnostic.code not in OF_THE_SERVICE or key not in seen:
                seen.add(key)
                yield diagnostic


def _plan_domain(facts: Facts, settings: Settings) -> DomainPlan:
    return plan_domain(facts, provider=provider_of(facts.domain, settings), new_ttl=settings.new_rrset_ttl)


def refuse_outdated(invocation: Invocation, saved: PlanDocument, file: Path) -> None:
    """Refuse a plan, saved in `file`, of a shard, that is too old, or was made by another catalog or other settings.

    Raises:
        PlanFileError: it is a shard's plan.
        StalePlanError: one of these.

    """
    if saved.shard is not None:
        summary = f"the plan is that of shard {saved.shard.index}/{saved.shard.count}: no limit of the run is in it"
        detail = "Put the plans of all shards together with `reconciler merge FILE... --out FILE`, and apply that."
        raise PlanFileError([Diagnostic(Severity.ERROR, "plan-shard", summary, detail, str(file))])
    reason = None
    if saved.expires_at < invocation.now:
        reason = "plan-expired", f"the plan expired at {saved.expires_at.isoformat(timespec='seconds')}"
    reason = reason or why_outdated(invocation, saved)
    if reason is not None:
        detail = "Make a new one with `reconciler plan --out FILE`."
        raise StalePlanError([Diagnostic(Severity.ERROR, *reason, detail, str(file))])


def why_outdated(invocation: Invocation, saved: PlanDocument) -> tuple[str, str] | None:
    """A code and a sentence where a plan was made by another catalog, or by settings that plan otherwise."""
    if saved.catalog_digest != invocation.catalog.digest:
        return "catalog-changed", "the catalog of the gateway's facts is not the one that the plan was made by"
    if saved.settings_digest != planning_digest(invocation.settings):
        return "settings-changed", "the settings' providers, waits or TTL are not those that the plan was made by"
    return None


def review(invocation: Invocation, saved: PlanDocument, memory: Memory) -> tuple[Planned, list[Reviewed]]:
    """Make a fresh plan of the same domains as a saved one, and say what of that may be written now.

    Returns the fresh plan, and each domain that had something ready, or whose base moved.
    """
    fresh = plan_again(invocation, [d.domain for d in saved.domains], memory)
    return fresh, match_review(saved, fresh.document)


def plan_again(
    invocation: Invocation,
    domains: Iterable[str],
    memory: Memory,
    switched: Mapping[str, int] = MappingProxyType({}),
) -> Planned:
    """A fresh plan of those of these domains that are still declared; an empty one where none is."""
    fleet, diagnostics = validate(invocation, ())
    known = {display_name(d.name) for d in fleet.domains}
    still = tuple(name for name in domains if name in known)
    if still:
        return _plan_declared(invocation, (fleet, diagnostics), Selection(domains=still), memory, switched)
    return Planned(build_document(_head(invocation, fleet), [], []), (), ())


def ready_domains(document: PlanDocument) -> list[Reviewed]:
    """Everything that is ready in a plan that was made just now."""
    chosen = (
        Reviewed(domain, tuple(s for s in domain.steps if s.status is Status.READY)) for domain in document.domains
    )
    return [r for r in chosen if r.steps]
