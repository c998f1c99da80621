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
from reconciler.decide import Decider, Origins, Planning, Wanted, in_order
from reconciler.declaration import Declarations
from reconciler.document import PlanHead, assemble_document, build_document, service_documents
from reconciler.errors import Diagnostic, PlanFileError, Severity, StalePlanError, sorted_diagnostics
from reconciler.gates import OF_THE_SERVICE
from reconciler.gather import facts_of, observe_origins
from reconciler.limits import Stops
from reconciler.memory import open_memory
from reconciler.names import display_name
from reconciler.neighbours import group_domains, service_key, services_around
from reconciler.observing import Begun, observe_domains, with_histories
from reconciler.orphans import find_orphans
from reconciler.plan import Status
from reconciler.review import Reviewed, match_review
from reconciler.run_validate import provider_of, validate
from reconciler.safety import Held, hold_plans
from reconciler.selection import Selection, select_domains
from reconciler.settings.planning import planning_digest
from reconciler.shards import part_of, shard_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.decide import Decided
    from reconciler.document import LeftOutDocument, PlanDocument, ShardDocument
    from reconciler.gates import Facts
    from reconciler.invocation import Invocation
    from reconciler.manifest.fleet import Domain, Fleet
    from reconciler.memory import Memory
    from reconciler.names import Name
    from reconciler.neighbours import ServiceKey
    from reconciler.origin import OriginFacts
    from reconciler.plan import DomainPlan
    from reconciler.seen import Seen
    from reconciler.service_plan import ServicePlan

_FOR_WRITERS = Wanted()


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it was made from: the origins with their plans, by service, and the mail domains that it is of.

    `facts` and `seen` are what was kept of them: see `Wanted`. Where no documents of settled mail domains were wanted,
    the document is of the others alone. `files` are the manifests of all organizations that are declared, by name.
    """

    document: PlanDocument
    origins: tuple[tuple[OriginFacts, ServicePlan], ...] = ()
    domains: tuple[Domain, ...] = ()
    facts: tuple[Facts, ...] = ()
    seen: Mapping[Name, Seen] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def plan(invocation: Invocation, selection: Selection) -> PlanDocument:
    """Compare what is declared with what is observed, and put the differences in a safe order."""
    return plan_with_origins(invocation, selection, wanted=Wanted(seen=False)).document


def plan_with_origins(
    invocation: Invocation,
    selection: Selection,
    memory: Memory | None = None,
    switched: Mapping[str, int] = MappingProxyType({}),
    *,
    wanted: Wanted = _FOR_WRITERS,
    is_reviewable: bool = True,
    begun: Begun | None = None,
) -> Planned:
    """As `plan`, for whoever also writes; without a `memory` the journal is read and nothing of it changed.

    `switched` is how many mail domains of each organization this run has switched already. A plan that nobody reviews,
    nor compares with one that was reviewed, needs no digests: of ten thousand domains they take their time. What was
    `begun` with the same invocation, selection and memory goes on, without the documents of who is settled.
    """
    if memory is None:
        with open_memory(invocation.settings, is_offline=invocation.is_offline) as opened:
            return plan_with_origins(
                invocation, selection, opened, switched, wanted=wanted, is_reviewable=is_reviewable
            )
    if selection.shard is not None:
        invocation = invocation.sharing(selection.shard.count)
    begun = begun or Begun(validate(invocation, ()), None)
    digests = Declarations(begun.declared[0]) if is_reviewable else None
    return _plan_declared(invocation, begun, selection, memory, switched, wanted, digests)


def _plan_declared(
    invocation: Invocation,
    begun: Begun,
    selection: Selection,
    memory: Memory,
    switched: Mapping[str, int],
    wanted: Wanted,
    digests: Declarations | None,
) -> Planned:
    """The plan of manifests that are loaded."""
    fleet, diagnostics = begun.declared
    settings = invocation.settings
    scope = _scope(invocation, fleet, selection.whole, memory)
    part = part_of(fleet, selection, scope.domains)
    domains = scope.domains if part is None else part.domains
    decided = _decide(invocation, begun, domains, memory, wanted, digests)
    plans, origins = in_order(decided.plans, domains), tuple(decided.origins.values())
    stops = Stops(settings.limits, settings.freeze, settings.kill_switch, switched)
    # a part of a run cannot say what is too much for all of it
    held = Held(plans, origins)
    if part is None:
        held = hold_plans(plans, origins, stops, count=len(domains), now=invocation.now)
    read = {domain.source.file for domain in domains}
    found = [
        *(d for d in diagnostics if d.file in read),
        *_told(held.plans),
        *(d for _, p in held.origins for d in p.diagnostics),
        *memory.diagnostics,
        *decided.diagnostics,
        *held.diagnostics,
        *(scope.diagnostics if part is None or part.shard.index == 1 else ()),
        *invocation.diagnostics,
    ]
    service_plans = [p for _, p in held.origins]
    shard = shard_document(part, fleet, held.plans, service_plans, stops, memory.mark) if part is not None else None
    document = assemble_document(
        _head(invocation, fleet, scope.left_out, shard),
        decided.documents_with(held.plans, domains, _digest_of(digests)),
        service_documents(service_plans, {} if digests is None else _digests_of(digests, decided.origins.values())),
        sorted_diagnostics(found),
        is_reviewable=digests is not None and wanted.documents,
    )
    files = {o.name: o.source.file for o in fleet.organizations if o.domains}
    return Planned(document, held.origins, domains, in_order(decided.facts, domains), decided.seen, files)


def _decide(
    invocation: Invocation,
    begun: Begun,
    domains: Sequence[Domain],
    memory: Memory,
    wanted: Wanted,
    digests: Declarations | None,
) -> Decided:
    """Look at the mail domains and at whoever shares an origin with them, and decide as the answers come."""
    services, sharing, neighbours = services_around(begun.declared[0], domains)
    found = observe_origins(invocation, services)
    chosen = {d.name for d in domains} if neighbours else set()
    others = {d.name: d for d in neighbours if d.name not in chosen}
    everyone = (*domains, *others.values())
    settings = invocation.settings
    planning = Planning(
        invocation.catalog,
        lambda domain: provider_of(domain, settings),
        settings.new_rrset_ttl,
        _digest_of(digests),
    )
    origins = Origins(found, sharing, group_domains(sharing, neighbours, everyone), others)
    decider = Decider(planning, origins, wanted)
    observed = observe_domains(invocation, everyone)
    unsettled = begun.unsettled or with_histories(observed, memory.histories, decider.is_left_out)
    for facts in facts_of(invocation, everyone, unsettled, found):
        decider.add(facts)
    return decider.decided.with_origins_of(services)


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


def _digest_of(digests: Declarations | None) -> Callable[[Domain], str]:
    """What the manifests declare for a mail domain, as a digest; empty where nobody wants any."""
    return (lambda _domain: "") if digests is None else digests.of_domain


def _digests_of(digests: Declarations, origins: Iterable[tuple[OriginFacts, ServicePlan]]) -> dict[str, str]:
    """The digests of what the manifests declare for services, by `organization/service`."""
    return {f"{o.service.organization}/{o.service.name}": digests.of_service(o.service) for o, _ in origins}


def _told(plans: Iterable[DomainPlan]) -> Iterator[Diagnostic]:
    """What the domains' plans tell; what is the same for a whole service is told of its first domain alone."""
    seen: set[tuple[str, ServiceKey]] = set()
    for plan in plans:
        for diagnostic in plan.diagnostics:
            key = (diagnostic.code, service_key(plan.domain))
            if diagnostic.code not in OF_THE_SERVICE or key not in seen:
                seen.add(key)
                yield diagnostic


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
    fleet = (declared := validate(invocation, ()))[0]
    known = {display_name(d.name) for d in fleet.domains}
    still = tuple(name for name in domains if name in known)
    if still:
        selection, digests = Selection(domains=still), Declarations(fleet)
        return _plan_declared(invocation, Begun(declared, None), selection, memory, switched, _FOR_WRITERS, digests)
    return Planned(build_document(_head(invocation, fleet), [], []))


def ready_domains(document: PlanDocument) -> list[Reviewed]:
    """Everything that is ready in a plan that was made just now."""
    chosen = (Reviewed(d, tuple(s for s in d.steps if s.status is Status.READY)) for d in document.domains)
    return [r for r in chosen if r.steps]
