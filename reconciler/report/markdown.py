"""A plan as Markdown for a pull request: the counts first, then what somebody must look at, then the rest folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import sorted_diagnostics
from reconciler.escape import markdown_code, markdown_text
from reconciler.gates import Verdict
from reconciler.plan import Stage, Status
from reconciler.report.text import SYMBOLS, by_organization

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.document import DomainDocument, PlanDocument, ServiceDocument, StepDocument


def render_markdown(document: PlanDocument) -> str:
    """The whole plan as GitHub-flavoured Markdown."""
    counts = document.summary
    in_sync = sum(d.stage is Stage.PROTECTED for d in document.domains)
    numbers = (counts.create, counts.update, counts.delete, counts.held, counts.manual, counts.unknown)
    lines = [
        "### Mail gateway plan",
        "",
        "| create | update | delete | held | manual | unknown | domains | in sync |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
        f"| {' | '.join(str(n) for n in (*numbers, len(document.domains), in_sync))} |",
        "",
        *_diagnostic_lines(document),
    ]
    for organization, services, domains in by_organization(document):
        lines += _organization_lines(organization, services, domains)
    lines += [
        f"Plan {markdown_code(document.digest)}, expires {document.expires_at.isoformat(timespec='minutes')}.",
        "",
    ]
    return "\n".join(lines)


def _diagnostic_lines(document: PlanDocument) -> Iterator[str]:
    for d in sorted_diagnostics(document.diagnostics_as_data()):
        place = f"{markdown_code(d.place)}: " if d.place else ""
        detail = " ".join(d.detail.split())
        yield f"- **{d.severity.value}** {place}{markdown_text(d.summary.rstrip('.'))}. {markdown_text(detail)}"
    if document.diagnostics:
        yield ""


def _organization_lines(
    organization: str, services: list[ServiceDocument], domains: list[DomainDocument]
) -> Iterator[str]:
    busy = [d for d in domains if any(s.status is not Status.DONE for s in d.steps)]
    yield f"#### {markdown_text(organization)}"
    yield ""
    for service in services:
        steps = [s for s in service.steps if s.status is not Status.DONE]
        if steps:
            yield f"**service {markdown_text(service.service)}** ({markdown_text(service.kind)})"
            yield ""
            yield from (line for step in steps for line in _step_lines(step))
            yield ""
    for domain in busy:
        yield f"**{markdown_code(domain.written)}** ({domain.stage.value})"
        yield ""
        for step in domain.steps:
            if step.status is not Status.DONE:
                yield from _step_lines(step)
        for line in domain.flow:
            yield f"- mail, after {markdown_text(line)}"
        yield ""
    if len(busy) < len(domains):
        yield f"{len(domains) - len(busy)} of {len(domains)} domains have nothing to do."
        yield ""


def _step_lines(step: StepDocument) -> Iterator[str]:
    name = markdown_code(step.resource.name.removesuffix("."))
    symbol = SYMBOLS[step.action].strip() or "?"
    yield f"- {markdown_code(symbol)} {step.phase.value} {step.resource.type} {name}: **{step.status.value}**"
    removed = [v for v in step.before if v not in step.after]
    added = [v for v in step.after if v not in step.before]
    kept = [v for v in step.after if v in step.before]
    for word, values in (("remove", removed), ("add", added), ("keep", kept), ("not ours, stays", step.untouched)):
        for value in values:
            yield f"  - {word} {markdown_code(value)}"
    if step.after and step.ttl_before is not None and step.ttl_before != step.ttl:
        yield f"  - TTL {step.ttl_before} to {step.ttl}"
    if step.reason:
        yield f"  - {'unknown' if step.status is Status.UNKNOWN else 'note'}: {markdown_text(step.reason)}"
    for gate in step.gates:
        if gate.verdict is not Verdict.PASS or gate.is_waived or gate.advice:
            advice = f" ({markdown_text(gate.advice)})" if gate.advice else ""
            yield f"  - {markdown_code(gate.id)} {gate.verdict.value}: {markdown_text(gate.evidence)}{advice}"
