"""A plan as text for people: grouped by organization, aligned, with before and after and why each step is held."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.escape import terminal_text
from reconciler.gates import Verdict
from reconciler.plan import Action, Stage, Status
from reconciler.report.folded import listed, unlisted_text
from reconciler.report.in_sync import NO_DOMAIN
from reconciler.report.terminal import Style, counted, render_diagnostics
from reconciler.targets.base import is_exchange_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.document import DomainDocument, PlanDocument, ServiceDocument, StepDocument

SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-", Action.NO_OP: " "}
_STATUS_STYLE = {
    Status.READY: "green",
    Status.HELD: "yellow",
    Status.MANUAL: "cyan",
    Status.UNKNOWN: "magenta",
    Status.DONE: "dim",
}
STAGE_MEANINGS = {
    Stage.UNKNOWN: "not everything could be observed",
    Stage.DECLARED: "verification values are still to be written",
    Stage.VERIFYING: "verification values are written; the MX waits",
    Stage.READY: "the MX can move now",
    Stage.SWITCHED: "mail goes through the gateway; something is left to do",
    Stage.PROTECTED: "in sync",
    Stage.LEAVING: "it leaves the gateway; something is left to do",
    Stage.GONE: "off-boarded; it may leave the manifests",
}


def render_text(document: PlanDocument, *, color: bool) -> str:
    """The whole plan as text; the last line has the counts, or what was left out."""
    style = Style(color=color)
    lines = list(render_diagnostics(document.diagnostics_as_data(), color=color))
    in_sync = [d for d in document.domains if d.stage is Stage.PROTECTED]
    shown = listed(document)
    width = max((_width(_shown(d)) for d in shown.domains), default=0)
    for organization, services, domains in by_organization(shown):
        block = [line for service in services for line in _service_lines(service, style)]
        block += [line for domain in domains for line in _domain_lines(domain, width, style)]
        if block:
            lines += ["", style(terminal_text(organization), "bold"), *block]
    if lines and (unlisted := unlisted_text(document, shown)):
        lines += ["", style(unlisted, "dim")]
    lines += ["", *_manual_hint(document), *_summary_lines(document, len(in_sync), style)]
    return "\n".join(lines).lstrip("\n") + "\n"


def by_organization(
    document: PlanDocument,
) -> Iterator[tuple[str, list[ServiceDocument], list[DomainDocument]]]:
    """Each organization with its services and domains, in the document's order."""
    names = dict.fromkeys([*(d.organization for d in document.domains), *(s.organization for s in document.services)])
    services, domains = defaultdict(list), defaultdict(list)
    for service in document.services:
        services[service.organization].append(service)
    for domain in document.domains:
        domains[domain.organization].append(domain)
    for name in names:
        yield name, services[name], domains[name]


def _service_lines(service: ServiceDocument, style: Style) -> Iterator[str]:
    steps = [s for s in service.steps if s.status is not Status.DONE]
    if steps:
        yield f"  {style(f'service {terminal_text(service.service)}', 'bold')}  {terminal_text(service.kind)}"
        for step in steps:
            yield from _step_lines(step, style)


def _domain_lines(domain: DomainDocument, width: int, style: Style) -> Iterator[str]:
    shown = _shown(domain)
    padding = " " * (width - _width(shown))
    stage = style("in sync" if domain.stage is Stage.PROTECTED else domain.stage.value, _stage_style(domain.stage))
    meaning = "" if domain.stage is Stage.PROTECTED else style(f": {STAGE_MEANINGS[domain.stage]}", "dim")
    if not domain.steps and domain.stage is not Stage.UNKNOWN:
        stage, meaning = style("nothing in DNS", "dim"), style(": its connection needs no MX change", "dim")
    yield f"  {style(shown, 'bold')}{padding}  {stage}{meaning}"
    for step in domain.steps:
        if step.status is not Status.DONE:
            yield from _step_lines(step, style)
    for line in domain.flow:
        yield f"    {style('mail, after', 'dim')} {style(terminal_text(line), 'dim')}"


def _stage_style(stage: Stage) -> str:
    if stage is Stage.PROTECTED:
        return "green"
    return "magenta" if stage is Stage.UNKNOWN else "yellow"


def _shown(domain: DomainDocument) -> str:
    return terminal_text(domain.written)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def _step_lines(step: StepDocument, style: Style) -> Iterator[str]:
    name = terminal_text(step.resource.name.removesuffix("."))
    status = style(step.status.value, _STATUS_STYLE[step.status])
    yield f"    {SYMBOLS[step.action]} {step.phase.value:<8} {step.resource.type:<3} {name}  {status}{_by(step)}"
    indent = " " * 8
    yield from (indent + line for line in (*value_lines(step, style), *_gate_lines(step, style)))


def value_lines(step: StepDocument, style: Style) -> Iterator[str]:
    """A step's values before and after, one a line; whatever stays is shown too."""
    for value in step.before:
        if value not in step.after:
            yield style(f"- {terminal_text(value)}", "red")
    for value in step.after:
        is_new = value not in step.before
        yield style(f"{'+' if is_new else ' '} {terminal_text(value)}", "green" if is_new else "dim")
    for value in step.untouched:
        yield style(f"= {terminal_text(value)}  (not ours, stays)", "dim")
    if step.after and step.ttl_before is not None and step.ttl_before != step.ttl:
        yield f"  TTL {step.ttl_before} -> {step.ttl}"
    if step.reason:
        word = style("unknown:", "magenta") if step.status is Status.UNKNOWN else style("note:", "cyan")
        yield f"{word} {terminal_text(step.reason)}"
    for value in step.wanted:
        yield f"{style('declared:', 'cyan')} {terminal_text(value)}"


def _gate_lines(step: StepDocument, style: Style) -> Iterator[str]:
    for gate in step.gates:
        if gate.verdict is not Verdict.PASS:
            yield f"{style(f'{gate.id}:', 'yellow')} {terminal_text(gate.evidence)}"
            if gate.advice:
                yield f"{' ' * len(gate.id)}  {style('->', 'dim')} {terminal_text(gate.advice)}"
        elif gate.is_waived or gate.advice:
            yield f"{style(f'{gate.id}:', 'cyan')} {terminal_text(gate.evidence)}"
            if gate.advice:
                yield f"{' ' * len(gate.id)}  {style('->', 'dim')} {terminal_text(gate.advice)}"


def _by(step: StepDocument) -> str:
    return f" by {terminal_text(step.provider)}" if step.status is Status.READY else ""


def _manual_hint(document: PlanDocument) -> Iterator[str]:
    if any(s.status is Status.MANUAL for d in document.domains for s in d.steps):
        yield "What is manual: `reconciler emit instructions --out DIR` writes a sheet for whoever runs that DNS."
    told = {
        Status.MANUAL: "What is manual at an origin: `reconciler emit {} --out DIR` writes what to run there.",
        Status.UNKNOWN: "What is unknown at an origin: `reconciler emit {} --out DIR` writes what exports it.",
    }
    for status, text in told.items():
        steps = [s for service in document.services for s in service.steps if s.status is status]
        # `emit exchange` has the scripts, `emit allowlists` all the rest
        for verb in sorted({"exchange" if is_exchange_target(s.resource.type) else "allowlists" for s in steps}):
            yield text.format(verb)


def _summary_lines(document: PlanDocument, in_sync: int, style: Style) -> Iterator[str]:
    left_out = document.left_out
    if left_out is None or document.domains:
        yield _summary_line(document, in_sync, style)
    if left_out is not None:
        yield terminal_text(left_out.reason)


def _summary_line(document: PlanDocument, in_sync: int, style: Style) -> str:
    counts = document.summary
    domains = f"{counted(len(document.domains), 'domain')}, {in_sync:,} in sync"
    if not document.has_changes and not counts.unknown:
        if document.shard is not None and not document.domains:
            return NO_DOMAIN
        is_all = in_sync == len(document.domains)  # others are off-boarded
        return f"{style('In sync.' if is_all else 'Nothing to do.', 'green')} {domains}."
    steps = f"{counts.create} to create, {counts.update} to update, {counts.delete} to delete"
    rest = f"{counts.held} held, {counts.manual} manual, {counts.unknown} unknown"
    return f"{style('Plan:', 'bold')} {steps}; {rest}. {domains}."
