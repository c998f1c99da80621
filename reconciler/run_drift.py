"""The shell of `drift`: look as a plan does, ask the journal and git, decide, and, when told to, remember the look.

Nothing is written to DNS. With `record` the journal is opened under its lock, as an apply does, so that it keeps since
when each difference is seen; without it the journal is only read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.blame import authors_of, unchanged_since
from reconciler.continuation import shown_steps
from reconciler.decide import Wanted
from reconciler.document import DocumentHead, made, shown_domain
from reconciler.drift import (
    ORPHANED,
    AuthorDocument,
    DriftClass,
    DriftDocument,
    DriftDomainDocument,
    DriftSeverity,
    DriftShardDocument,
    LookDocument,
    Looked,
    ShownDocument,
    build_drift_document,
    find_in_parts,
    open_parts,
    other_diagnostics,
    worst_first,
)
from reconciler.errors import ExitCode, Severity
from reconciler.journal import DriftCounts
from reconciler.kept_plans import read_kept, why_over
from reconciler.limits import Stops
from reconciler.memory import open_memory
from reconciler.names import Name, display_name
from reconciler.plan import Stage, Status
from reconciler.run import plan_with_origins
from reconciler.session import looks_of, open_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.document import PlanDocument, ShardDocument
    from reconciler.drift import Finding, FoundInParts
    from reconciler.invocation import Invocation
    from reconciler.journal import Look
    from reconciler.journal.entries import Event
    from reconciler.manifest.fleet import Source
    from reconciler.memory import Memory
    from reconciler.observing import Begun
    from reconciler.run import Planned
    from reconciler.selection import Selection

_RESTORED = "journal-restored"


def drift(invocation: Invocation, selection: Selection, *, is_recorded: bool = False) -> DriftDocument:
    """What is not as declared, or not as it was last applied.

    Raises:
        ManifestError: the manifests, ignore rules included, cannot be used.
        JournalError: the journal cannot be read or, where the look is recorded, not be written or locked.

    """
    invocation = invocation.with_kept_probes()
    if not is_recorded:
        with open_memory(invocation.settings) as memory:
            return drift_begun(invocation, selection, memory)
    with open_session(invocation) as session:
        planned = _planned(invocation, selection, session.journal, is_recorded=True)
        document = drift_of(invocation, planned, session.journal)
        session.record_seen(planned)
        if selection.is_everything:  # counts of a part would look like a fleet that got better
            session.journal.record_counts(DriftCounts(document.created_at, counts_of(document)))
        return document


def drift_begun(
    invocation: Invocation, selection: Selection, memory: Memory, begun: Begun | None = None
) -> DriftDocument:
    """The same where it is not recorded, with what was begun of it by `run_in_sync`."""
    planned = _planned(invocation, selection, memory, begun, is_recorded=selection.shard is not None)
    return drift_of(invocation, planned, memory)


def _planned(
    invocation: Invocation, selection: Selection, memory: Memory, begun: Begun | None = None, *, is_recorded: bool
) -> Planned:
    """The plan that drift is told from; it is compared with those that were reviewed, where any of them goes on.

    Of a settled mail domain drift tells nothing. `is_recorded`: the journal keeps the look, now or with others' looks.
    """
    wanted = Wanted(documents=False, seen=is_recorded)
    is_reviewable = bool(memory.reviewed_plans())
    return plan_with_origins(invocation, selection, memory, wanted=wanted, is_reviewable=is_reviewable, begun=begun)


def drift_codes(document: DriftDocument, *, is_detailed: bool, fail_on: DriftSeverity | None) -> Iterator[ExitCode]:
    """The exit codes that a drift document means; what is ignored, or only waits, is no drift."""
    counting = document.counting
    waiting = {DriftClass.PENDING, DriftClass.UNKNOWN}
    if any(d.severity is Severity.ERROR for d in document.diagnostics):
        yield ExitCode.ERROR
    if is_detailed and any(f.drift_class not in waiting for f in counting):
        yield ExitCode.CHANGES
    if fail_on is not None and any(f.severity.is_at_least(fail_on) for f in counting):
        yield ExitCode.CHANGES
    if any(f.drift_class in waiting for f in counting):
        yield ExitCode.INCOMPLETE


def counts_of(document: DriftDocument) -> dict[str, int]:
    """What the journal keeps of a look at the whole fleet: the summary, severities and classes by their own names."""
    summary = document.summary
    severities = {severity.value: count for severity, count in summary.severities.items()}
    classes = {drift_class.value: count for drift_class, count in summary.classes.items()}
    whole = {"ignored": summary.ignored, "domains": summary.domains, "in_sync": summary.in_sync}
    return {**severities, **classes, **whole}


def drift_of(invocation: Invocation, planned: Planned, memory: Memory) -> DriftDocument:
    """The drift of a plan that was made just now; the journal is only read."""
    document = planned.document
    timelines = memory.timelines(_open_domains(planned))
    looked = Looked(
        document=document,
        facts=planned.facts,
        timelines=timelines,
        known=memory.known_domains() if any(d.code == ORPHANED for d in document.diagnostics) else {},
        ignore={(o.service.organization, o.service.name): o.service.ignore_drift for o, _ in planned.origins},
        unchanged=_unchanged(invocation, planned, timelines),
        reviewed=_kept_steps(invocation, memory, document),
        is_whole=all(d.code != _RESTORED for d in memory.diagnostics),
        files=planned.files,
    )
    found = find_in_parts(looked)
    findings = worst_first(found.every) if document.shard is None else found.every
    head = DocumentHead.model_validate(document.model_dump(include=set(DocumentHead.model_fields)))
    domains = _domain_documents(planned)
    shard = None if document.shard is None else _shard(invocation, planned, looked, found, document.shard)
    authors = _authors(invocation, findings)
    return build_drift_document(head, domains, findings, other_diagnostics(document), authors, shard)


def _shard(
    invocation: Invocation, planned: Planned, looked: Looked, found: FoundInParts, shard: ShardDocument
) -> DriftShardDocument:
    """What the drift of a shard says of it, for whoever merges it."""
    settings = invocation.settings
    stops = Stops(settings.limits, settings.freeze, settings.kill_switch)
    places = dict(zip((display_name(d.name) for d in planned.domains), shard.domains, strict=True))
    domains, services = open_parts(looked, found, [places[d.domain] for d in looked.document.domains], shard, stops)
    written = dict(zip(shard.domains, (d.written for d in planned.domains), strict=True))
    return DriftShardDocument(
        **dict(shard),
        unhealthy_names=[written[at] for at in shard.unhealthy],
        open_domains=domains,
        open_services=services,
        looks=[_look_document(look) for look in looks_of(planned)],
    )


def _look_document(look: Look) -> LookDocument:
    shown = sorted(look.shown, key=repr)
    return LookDocument(
        domain=look.domain,
        organization=look.organization,
        shown=[ShownDocument(values=list(values), ttl=ttl) for values, ttl in shown],
        is_complete=look.is_complete,
        open_steps=sorted(look.open_steps),
        tokens_visible=look.tokens_visible,
        next_hops=list(look.next_hops),
        is_switched=look.is_switched,
        is_gone=look.is_gone,
        lifecycle=look.lifecycle,
    )


def _kept_steps(invocation: Invocation, memory: Memory, document: PlanDocument) -> frozenset[str]:
    """The steps that go on by themselves, because a plan that was reviewed shows them."""
    rows = {row.plan_id: row for row in memory.reviewed_plans()}
    plans, _ = read_kept(rows.values())
    return shown_steps([p for i, p in plans.items() if why_over(invocation, rows[i], p) is None], document)


def _open_domains(planned: Planned) -> list[Name]:
    """The mail domains of which something is to be told; of the others nobody asks what happened."""
    document = planned.document
    told = {d.domain for d in document.diagnostics if d.domain}
    told |= {d.domain for d in document.domains if any(step.status is not Status.DONE for step in d.steps)}
    organizations = {s.organization for s in document.services if any(t.status is not Status.DONE for t in s.steps)}
    if not told and not organizations:
        return []
    return [d.name for d in planned.domains if d.organization in organizations or d.name.removesuffix(".") in told]


def _domain_documents(planned: Planned) -> list[DriftDomainDocument]:
    stages = {d.domain: d.stage for d in planned.document.domains}
    return [
        made(
            DriftDomainDocument,
            {
                "organization": domain.organization,
                "domain": (shown := shown_domain(domain)),
                # whoever has no document here is settled
                "stage": stages.get(shown, Stage.PROTECTED),
            },
        )
        for domain in planned.domains
    ]


def _unchanged(
    invocation: Invocation, planned: Planned, timelines: Mapping[Name, Sequence[Event]]
) -> frozenset[tuple[str, str]]:
    pairs = {
        (event.change.commit, facts.domain.source.file)
        for facts in planned.facts
        for event in timelines.get(facts.domain.name, ())
        if event.change is not None and event.change.commit is not None
    }
    return unchanged_since(pairs, invocation.commit)


def _authors(invocation: Invocation, findings: Sequence[Finding]) -> dict[Source, AuthorDocument]:
    sources = {f.source for f in findings if f.source is not None and f.cause.drift_class is not DriftClass.ORPHANED}
    known = authors_of(((s.file, s.line) for s in sources), invocation.commit)
    return {
        source: AuthorDocument(author=author.author, commit=author.commit, at=author.at)
        for source in sources
        if (author := known.get((source.file, source.line))) is not None
    }
