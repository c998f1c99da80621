"""Builders of what the page is made from: small looks, a fleet of any size, and one that is hostile everywhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from builders import EU, MX_KEY, NOW, OLD_MX, PRIMARY, SECONDARY, TXT_KEY, document, domain, facts, present
from drift_builders import wrote
from hostile import hostile_document

from reconciler.document import DocumentHead
from reconciler.drift import DriftDomainDocument, Looked, build_drift_document, find_drift, other_diagnostics
from reconciler.drift.finding import DriftClass, DriftSeverity, Finding, Resource, uncertain
from reconciler.errors import Severity
from reconciler.journal.entries import DriftCounts, Event, EventKind
from reconciler.manifest.fleet import DriftIgnore, Source
from reconciler.names import Name
from reconciler.site import Coverage, CoverageState, Seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.document import PlanDocument
    from reconciler.drift import DriftDocument
    from reconciler.gates import Facts
    from reconciler.manifest.fleet import Domain

BOTH = present(TXT_KEY, PRIMARY, SECONDARY)
DONE = facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU))
BROKEN = facts(mx=present(MX_KEY, EU))
DECLARED = facts(mx=present(MX_KEY, OLD_MX))
HOUR = timedelta(hours=1)


def counts(hours_ago: int, **numbers: int) -> DriftCounts:
    """A recorded look."""
    return DriftCounts(NOW - hours_ago * HOUR, {"critical": 0, "high": 0, "medium": 0, "low": 0} | numbers)


def drift_of(plan: PlanDocument, findings: Sequence[Finding]) -> DriftDocument:
    """The drift document of a plan."""
    head = DocumentHead.model_validate(plan.model_dump(include=set(DocumentHead.model_fields)))
    domains = [DriftDomainDocument(organization=d.organization, domain=d.domain, stage=d.stage) for d in plan.domains]
    return build_drift_document(head, domains, findings, other_diagnostics(plan), {})


def seen(given: Facts = BROKEN, **changes: Any) -> Seen:  # noqa: ANN401
    """A look at acme.example."""
    plan = document(given)
    drift = drift_of(plan, find_drift(Looked(plan, (given,), timelines={})))
    return replace(Seen(plan, drift, (given.domain,), "the gateway"), **changes)


def renamed(declared: Domain, name: str, organization: str) -> Domain:
    """The same mail domain under another name."""
    return replace(declared, name=Name(f"{name}."), written=name, organization=organization)


def fleet(size: int, organizations: int) -> Seen:
    """Domains in turn done, broken and declared, by copies of three that were planned."""
    kinds = [seen(DONE), seen(BROKEN), seen(DECLARED)]
    domains, documents, drifted, findings = [], [], [], []
    for number in range(size):
        kind = kinds[number % len(kinds)]
        name, organization = f"d{number:05}.example", f"org-{number % organizations:04}"
        named = {"domain": name, "organization": organization}
        domains.append(renamed(kind.domains[0], name, organization))
        documents.append(kind.plan.domains[0].model_copy(update={**named, "written": name}))
        drifted.append(kind.drift.domains[0].model_copy(update=named))
        findings += [f.model_copy(update=named) for f in kind.drift.findings]
    plan = kinds[0].plan.model_copy(update={"domains": documents})
    severities = Counter(f.severity for f in findings)
    counted = {severity: severities[severity] for severity in DriftSeverity}
    numbers = {"severities": counted, "domains": size, "in_sync": -(-size // 3)}
    summary = kinds[1].drift.summary.model_copy(update=numbers)
    drift = kinds[0].drift.model_copy(update={"domains": drifted, "findings": findings, "summary": summary})
    events = [Event(NOW - n * HOUR, EventKind.DIFFERENCE_SEEN, f"step-{n}") for n in range(8, 0, -1)]
    timelines = {d.name: events for d in domains}
    return Seen(plan, drift, tuple(domains), "the gateway", timelines=timelines)


def hostile_seen(text: str) -> Seen:
    """The text in every place that DNS, a manifest, a journal or a commit can fill, and in some that they cannot."""
    plan = hostile_document(text)
    named = [d.model_copy(update={"domain": f"{text}{n}" if n else d.domain}) for n, d in enumerate(plan.domains)]
    told = [d.model_copy(update={"domain": "", "severity": Severity.WARNING}) for d in plan.diagnostics[:1]]
    plan = plan.model_copy(update={"domains": named, "diagnostics": [*plan.diagnostics, *told]})
    rule = DriftIgnore("bypass-mx", None, text, text, NOW.date(), Source(text, 3))
    finding = Finding(
        code=text,
        cause=uncertain(DriftClass.UNAPPLIED, text),
        severity=DriftSeverity.HIGH,
        organization=text,
        domain=plan.domains[0].domain,
        resource=Resource("rrset", text, text, text),
        expected=(text, text),
        observed=(text,),
        first_seen=NOW - 30 * HOUR,
        summary=text,
        repair=text,
        source=Source(text, 1),
        held_by=(text,),
    )
    others = [replace(finding, domain=""), replace(finding, domain=text), replace(finding, ignored_by=rule)]
    change = wrote(TXT_KEY, (), (PRIMARY,)).change
    assert change is not None
    events = [
        Event(NOW, EventKind.APPLIED, text, change=replace(change, provider=text, commit=text)),
        Event(NOW, EventKind.MX_SEEN, values=(text,), ttl=60),
        Event(NOW, EventKind.DIFFERENCE_SEEN, text),
    ]
    domains = tuple(
        replace(domain(service=text, region=text), name=Name(f"{d.domain}."), organization=text) for d in plan.domains
    )
    return Seen(
        plan,
        drift_of(plan, [finding, *others]),
        domains,
        text,
        coverage=(Coverage(text, text, CoverageState.MISSING, text),),
        timelines={d.name: events for d in domains},
        counts=(counts(5, high=3), counts(2, high=1)),
    )
