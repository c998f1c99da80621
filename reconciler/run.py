"""The shell: one short function per verb. Gather, decide, act; the deciding is pure and lives elsewhere.

manifests -> desired
                     diff -> plan (gates) -> apply -> verify
world ---- observed                      -> emit, report
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from reconciler.catalog import load_catalog
from reconciler.desired import build_desired
from reconciler.document import PlanHead, build_document, load_document
from reconciler.errors import Diagnostic, ManifestError, Severity, StalePlanError, sorted_diagnostics
from reconciler.gates import Facts
from reconciler.manifest.fleet import MANUAL_PROVIDER, Service
from reconciler.manifest.load import load_manifests, validate_paths
from reconciler.names import display_name
from reconciler.observe import Question
from reconciler.observe.build import build_observer
from reconciler.observe.origin import observe_origin
from reconciler.plan import Status, plan_domain
from reconciler.review import Reviewed, match_review
from reconciler.selection import Selection, select_domains
from reconciler.service_plan import list_key, plan_service
from reconciler.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from reconciler.catalog import Catalog
    from reconciler.desired import DesiredDomain
    from reconciler.document import PlanDocument
    from reconciler.manifest.fleet import Domain, Fleet
    from reconciler.names import Name
    from reconciler.origin import OriginFacts
    from reconciler.service_plan import ServicePlan
    from reconciler.settings import Settings
    from reconciler.state import Key, Observation


ServiceKey = tuple[str, str]
"""An organization's name and a service's."""


class Progress(Protocol):
    """Shows how far a long piece of work is, where somebody is looking."""

    def __call__(self, what: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """A context whose value is called with how many of `total` are done."""
        ...


@dataclass(frozen=True, slots=True)
class Invocation:
    """What every verb needs: where the manifests are, the settings and catalog in force, the time, and the commit."""

    manifests: Path
    settings: Settings
    catalog: Catalog
    now: datetime
    commit: str | None
    progress: Progress


def open_invocation(
    *,
    manifests: Path,
    settings_file: Path,
    is_settings_required: bool,
    now: datetime,
    commit: str | None,
    progress: Progress,
) -> Invocation:
    """Read the settings and the catalog that they name."""
    settings = load_settings(settings_file, required=is_settings_required)
    return Invocation(manifests, settings, load_catalog(settings.catalog), now, commit, progress)


def validate(invocation: Invocation, paths: Sequence[Path]) -> tuple[Fleet, list[Diagnostic]]:
    """Check manifests offline; without paths the whole tree."""
    today = invocation.now.date()
    if paths:
        return validate_paths(list(paths), catalog=invocation.catalog, today=today)
    return load_manifests(invocation.manifests, catalog=invocation.catalog, today=today)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the origins that it was made from with their plans, by service."""

    document: PlanDocument
    origins: tuple[tuple[OriginFacts, ServicePlan], ...]


def plan(invocation: Invocation, selection: Selection) -> PlanDocument:
    """Compare what is declared with what is observed, and put the differences in a safe order."""
    return plan_with_origins(invocation, selection).document


def plan_with_origins(invocation: Invocation, selection: Selection) -> Planned:
    """As `plan`, for whoever also writes to the origins' side."""
    fleet, diagnostics = validate(invocation, ())
    check_providers(fleet, invocation.settings)
    domains = select_domains(fleet, selection)
    services, sharing, neighbours = _services_around(fleet, domains)
    origins = observe_origins(invocation, services)
    facts = _facts(invocation, dict.fromkeys((*domains, *neighbours)), origins)
    plans = [
        plan_domain(
            facts[domain.name],
            provider=_provider(domain, invocation.settings),
            new_ttl=invocation.settings.new_rrset_ttl,
        )
        for domain in domains
    ]
    by_service: dict[ServiceKey, list[Facts]] = defaultdict(list)
    for neighbour in neighbours:
        by_service[_service_key(neighbour)].append(facts[neighbour.name])
    service_plans = [
        plan_service(
            origin, by_service[key], invocation.catalog, [(s, by_service[_service_key(s)]) for s in sharing[key]]
        )
        for key, origin in origins.items()
    ]
    head = PlanHead(
        commit=invocation.commit,
        manifests_digest=fleet.digest,
        catalog_digest=invocation.catalog.digest,
        created_at=invocation.now,
        expires_at=invocation.now + timedelta(hours=invocation.settings.plan_expires_hours),
    )
    files = {domain.source.file for domain in domains}
    found = [
        *(d for d in diagnostics if d.file in files),
        *(d for p in plans for d in p.diagnostics),
        *(d for p in service_plans for d in p.diagnostics),
    ]
    document = build_document(head, plans, sorted_diagnostics(found), service_plans)
    return Planned(document, tuple(zip(origins.values(), service_plans, strict=True)))


def _service_key(declared: Domain | Service) -> ServiceKey:
    name = declared.name if isinstance(declared, Service) else declared.service
    return declared.organization, name


def _services_around(
    fleet: Fleet, domains: Sequence[Domain]
) -> tuple[list[Service], dict[ServiceKey, list[Service]], list[Domain]]:
    """The services of the domains that declare an allowlist or a spam rule; by service, who else declares a list of it.

    Third, all mail domains of all of these, because what an old state needed at an origin may go only when every
    domain of it is switched.
    """
    touched = {_service_key(d) for d in domains}
    services = [
        s
        for organization in fleet.organizations
        for s in organization.services
        if _service_key(s) in touched and (s.allowlists or s.spam_rule)
    ]
    filtered = [d for d in fleet.domains if d.is_filtered_by_mx]
    in_use = {_service_key(d) for d in filtered}
    users: dict[tuple[str, ...], list[Service]] = defaultdict(list)
    for service in (s for o in fleet.organizations for s in o.services if _service_key(s) in in_use):
        for key in filter(None, map(list_key, service.allowlists)):
            users[key].append(service)
    sharing = {}
    for service in services:
        found = {_service_key(u): u for key in filter(None, map(list_key, service.allowlists)) for u in users[key]}
        found.pop(_service_key(service), None)
        sharing[_service_key(service)] = list(found.values())
    keys = {*sharing, *(_service_key(u) for others in sharing.values() for u in others)}
    return services, sharing, [d for d in filtered if _service_key(d) in keys]


def observe_origins(invocation: Invocation, services: Iterable[Service]) -> dict[ServiceKey, OriginFacts]:
    """Read every export that the services declare."""
    settings = invocation.settings
    return {
        _service_key(service): observe_origin(
            service, settings.directory, now=invocation.now, max_age_hours=settings.export_max_age_hours
        )
        for service in services
    }


def _facts(
    invocation: Invocation, domains: Iterable[Domain], origins: Mapping[ServiceKey, OriginFacts]
) -> dict[Name, Facts]:
    desired = [build_desired(domain, invocation.catalog) for domain in domains]
    observations = observe_domains(invocation, desired)
    return {
        d.domain.name: Facts(
            d,
            observations[d.domain.name],
            invocation.catalog,
            invocation.now,
            origin.allowlists if (origin := origins.get(_service_key(d.domain))) else (),
        )
        for d in desired
    }


def observe_domains(invocation: Invocation, desired: Sequence[DesiredDomain]) -> dict[Name, dict[Key, Observation]]:
    """Observe every rrset that the domains desire, by mail domain."""
    questions = [Question(r.key, d.domain.name, d.domain.zone) for d in desired for r in d.rrsets]
    owner = {q.key: q.domain for q in questions}
    observations: dict[Name, dict[Key, Observation]] = defaultdict(dict)
    with invocation.progress("observing", len(questions)) as advance:
        for observation in build_observer(invocation.settings.observe, advance).observe(questions):
            observations[owner[observation.key]][observation.key] = observation
    return observations


def review(invocation: Invocation, file: Path) -> tuple[PlanDocument, PlanDocument, list[Reviewed]]:
    """Read a saved plan, make a fresh one of the same domains, and say what of the first may be written now.

    Returns the saved plan, the fresh one, and each domain that had something ready.
    """
    saved = load_document(file)
    if saved.expires_at < invocation.now:
        summary = f"the plan expired at {saved.expires_at.isoformat(timespec='seconds')}"
        detail = "Make a new one with `reconciler plan --out FILE`."
        raise StalePlanError([Diagnostic(Severity.ERROR, "plan-expired", summary, detail, str(file))])
    fleet, _ = validate(invocation, ())
    declared = {display_name(d.name) for d in fleet.domains}
    still = tuple(d.domain for d in saved.domains if d.domain in declared)
    fresh = plan(invocation, Selection(domains=still)) if still else saved.model_copy(update={"domains": []})
    return saved, fresh, match_review(saved, fresh)


def ready_domains(document: PlanDocument) -> list[Reviewed]:
    """Everything that is ready in a plan that was made just now."""
    chosen = (
        Reviewed(domain, tuple(s for s in domain.steps if s.status is Status.READY)) for domain in document.domains
    )
    return [r for r in chosen if r.steps]


def _provider(domain: Domain, settings: Settings) -> str:
    return domain.provider or settings.default_provider


def check_providers(fleet: Fleet, settings: Settings) -> None:
    """Raise ManifestError when a domain's provider is not in the settings."""
    known = {MANUAL_PROVIDER, *settings.providers}
    wrong = [
        Diagnostic(
            Severity.ERROR,
            "unknown-provider",
            f"provider {_provider(domain, settings)!r} is not in the settings",
            f"Use one of {', '.join(sorted(known))}, or add its octoDNS block under `providers:`.",
            domain.source.file,
            domain.source.line,
            domain=display_name(domain.name),
        )
        for domain in fleet.domains
        if _provider(domain, settings) not in known
    ]
    if wrong:
        raise ManifestError(sorted_diagnostics(wrong))
