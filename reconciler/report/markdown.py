"""A plan as Markdown for a pull request: the counts first, then what somebody must look at, then the rest folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.document import DomainDocument
from reconciler.escape import markdown_code, markdown_text
from reconciler.gates import Verdict
from reconciler.plan import Stage, Status
from reconciler.report.alike import told
from reconciler.report.folded import has_many_in_sync, is_busy
from reconciler.report.terminal import counted
from reconciler.report.text import SYMBOLS, by_organization

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.document import PlanDocument, ServiceDocument, StepDocument
    from reconciler.errors import Diagnostic
    from reconciler.report.alike import Told


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
        *left_out_lines(document),
        *_diagnostic_lines(document),
    ]
    lines += _organizations_lines(document)
    lines += [
        f"Plan {markdown_code(document.digest)}, expires {document.expires_at.isoformat(timespec='minutes')}.",
        "",
    ]
    return "\n".join(lines)


def left_out_lines(document: PlanDocument) -> Iterator[str]:
    """What `--changed-since` left out, and an empty line."""
    if document.left_out is not None:
        yield markdown_text(document.left_out.reason)
        yield ""


def _diagnostic_lines(document: PlanDocument) -> Iterator[str]:
    yield from (told_markdown(entry) for entry in told(document.diagnostics_as_data()))
    if document.diagnostics:
        yield ""


def told_markdown(entry: Told) -> str:
    """A diagnostic as an item of a list, on one line, with whom else it is said of."""
    also = f" *{markdown_text(entry.also)}*" if entry.also else ""
    return f"{diagnostic_markdown(entry.diagnostic)}{also}"


def diagnostic_markdown(diagnostic: Diagnostic) -> str:
    """One diagnostic as an item of a list, on one line."""
    place = f"{markdown_code(diagnostic.place)}: " if diagnostic.place else ""
    detail = markdown_text(" ".join(diagnostic.detail.split()))
    return f"- **{diagnostic.severity.value}** {place}{markdown_text(diagnostic.summary.rstrip('.'))}. {detail}"


def _organizations_lines(document: PlanDocument) -> Iterator[str]:
    is_folded = has_many_in_sync(document)
    idle = []
    for organization, services, domains in by_organization(document):
        if is_folded and not any(map(is_busy, services)) and not any(map(is_busy, domains)):
            idle.append(len(domains))
        else:
            yield from _organization_lines(organization, services, domains)
    if idle:
        yield f"{counted(sum(idle), 'domain')} of {counted(len(idle), 'organization')} have nothing to do."
        yield ""


def _organization_lines(
    organization: str, services: list[ServiceDocument], domains: list[DomainDocument]
) -> Iterator[str]:
    busy = [d for d in domains if is_busy(d)]
    yield f"#### {markdown_text(organization)}"
    yield ""
    parts: list[ServiceDocument | DomainDocument] = [*services, *domains]
    for part in parts:
        if is_busy(part):
            yield from part_lines(part)
    if len(busy) < len(domains):
        yield f"{len(domains) - len(busy)} of {len(domains)} domains have nothing to do."
        yield ""


def part_lines(part: ServiceDocument | DomainDocument) -> Iterator[str]:
    """One service or domain with its open steps: a line that names it, a list, and an empty line."""
    if isinstance(part, DomainDocument):
        yield f"**{markdown_code(part.written)}** ({part.stage.value})"
    else:
        yield f"**service {markdown_text(part.service)}** ({markdown_text(part.kind)})"
    yield ""
    for step in part.steps:
        if step.status is not Status.DONE:
            yield from _step_lines(step)
    if isinstance(part, DomainDocument):
        yield from (f"- mail, after {markdown_text(line)}" for line in part.flow)
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
    for value in step.wanted:
        yield f"  - declared {markdown_code(value)}"
    for gate in step.gates:
        if gate.verdict is not Verdict.PASS or gate.is_waived or gate.advice:
            advice = f" ({markdown_text(gate.advice)})" if gate.advice else ""
            yield f"  - {markdown_code(gate.id)} {gate.verdict.value}: {markdown_text(gate.evidence)}{advice}"
