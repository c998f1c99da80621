"""From findings to the document, and to its text."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.document import DiagnosticDocument, DocumentHead, ResourceDocument, SourceDocument, digest_of
from reconciler.drift.finding import DriftClass, DriftSeverity
from reconciler.drift.models import (
    FORMAT_VERSION,
    AuthorDocument,
    DriftDocument,
    DriftDomainDocument,
    DriftShardDocument,
    DriftSummaryDocument,
    FindingDocument,
    IgnoreDocument,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reconciler.drift.finding import Finding
    from reconciler.manifest.fleet import DriftIgnore, Source

_WHEN = {"first_seen", "age_hours", "cause", "repair", "source", "changed_by", "not_before"}


def build_drift_document(
    head: DocumentHead,
    domains: Sequence[DriftDomainDocument],
    findings: Sequence[Finding],
    diagnostics: Sequence[DiagnosticDocument],
    authors: Mapping[Source, AuthorDocument],
    shard: DriftShardDocument | None = None,
) -> DriftDocument:
    """The document; `authors` are who changed the lines of sources, as far as known."""
    documents = [finding_document(f, head.created_at, authors) for f in findings]
    return assemble_drift_document(head, domains, documents, diagnostics, shard)


def assemble_drift_document(
    head: DocumentHead,
    domains: Sequence[DriftDomainDocument],
    findings: Sequence[FindingDocument],
    diagnostics: Sequence[DiagnosticDocument],
    shard: DriftShardDocument | None = None,
) -> DriftDocument:
    """The document of parts that are documents already, counted and sealed."""
    return DriftDocument(
        format_version=FORMAT_VERSION,
        kind="drift",
        digest=_digest(head, domains, findings, shard),
        **head.model_dump(include=set(DocumentHead.model_fields)),
        summary=_summary(domains, findings),
        domains=list(domains),
        findings=list(findings),
        diagnostics=list(diagnostics),
        shard=shard,
    )


def is_as_written(document: DriftDocument) -> bool:
    """Whether a document's digest is that of what it says."""
    return document.digest == _digest(document, document.domains, document.findings, document.shard)


def _digest(
    head: DocumentHead,
    domains: Sequence[DriftDomainDocument],
    findings: Sequence[FindingDocument],
    shard: DriftShardDocument | None,
) -> str:
    meaning = [d.model_dump(mode="json", by_alias=True, exclude=_WHEN) for d in findings]
    of_shard: dict[str, object] = {}
    if shard is not None:
        shown = [d.model_dump(mode="json", by_alias=True) for d in domains]
        of_shard = {"shard": shard.model_dump(mode="json", by_alias=True), "domains": shown}
    return digest_of({"kind": "drift", **_bound_to(head), "findings": meaning, **of_shard})


def render_drift_json(document: DriftDocument) -> str:
    """The JSON text: ASCII, so that whatever stands in it is obeyed by no terminal that shows it."""
    text = document.model_dump_json(indent=2, ensure_ascii=True, by_alias=True)
    return text.replace("\x7f", "\\u007f") + "\n"  # it stands in strings alone, and JSON does not ask for its escape


def _bound_to(head: DocumentHead) -> dict[str, str | None]:
    return {"commit": head.commit, "manifests": head.manifests_digest, "catalog": head.catalog_digest}


def _summary(domains: Sequence[DriftDomainDocument], findings: Sequence[FindingDocument]) -> DriftSummaryDocument:
    counting = [f for f in findings if not f.is_ignored]
    severities, classes = Counter(f.severity for f in counting), Counter(f.drift_class for f in counting)
    drifted = {f.domain for f in counting}
    return DriftSummaryDocument(
        severities={s: severities[s] for s in DriftSeverity},
        classes={c: classes[c] for c in DriftClass},
        ignored=len(findings) - len(counting),
        domains=len(domains),
        in_sync=sum(d.domain not in drifted for d in domains),
    )


def finding_document(finding: Finding, now: datetime, authors: Mapping[Source, AuthorDocument]) -> FindingDocument:
    """A finding at the time `now`, as it stands in a document."""
    cause, resource, source = finding.cause, finding.resource, finding.source
    return FindingDocument.model_validate(
        {
            "fingerprint": finding.fingerprint,
            "code": finding.code,
            "class": cause.drift_class,
            "is_certain": cause.is_certain,
            "severity": finding.severity,
            "organization": finding.organization,
            "domain": finding.domain,
            "resource": ResourceDocument(**resource._asdict()) if resource is not None else None,
            "expected": list(finding.expected),
            "observed": list(finding.observed),
            "first_seen": finding.first_seen,
            "age_hours": max(0, (now - finding.first_seen) // timedelta(hours=1)),
            "summary": finding.summary,
            "cause": cause.text,
            "repair": finding.repair,
            "held_by": list(finding.held_by),
            "not_before": finding.not_before,
            "source": _source(source) if source is not None else None,
            "changed_by": authors.get(source) if source is not None else None,
            "is_ignored": finding.ignored_by is not None,
            "ignored_by": _ignored(finding.ignored_by) if finding.ignored_by is not None else None,
        }
    )


def _source(source: Source) -> SourceDocument:
    return SourceDocument(file=source.file, line=source.line)


def _ignored(rule: DriftIgnore) -> IgnoreDocument:
    return IgnoreDocument(owner=rule.owner, reason=rule.reason, expires=rule.expires, source=_source(rule.source))
