"""The shell of `emit`: what others carry out. Gather (a plan, and what it does not hold), build, write files.

Nothing is changed in DNS here. Held steps are part of the sheets, which say what is waited for; octoDNS, which does not
know of waiting, gets the steps that are ready or done alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler import run
from reconciler.emit import instructions
from reconciler.emit.console_sheet import build_console_sheet
from reconciler.emit.domain_sheet import build_domain_sheet, is_manual, is_waiting_for_somebody
from reconciler.errors import Diagnostic, ExitCode, Severity
from reconciler.escape import terminal_text
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.manifest.load import load_manifests
from reconciler.names import Name, canonical_name
from reconciler.observe import Question
from reconciler.observe.build import build_observer
from reconciler.plan import Status
from reconciler.report.terminal import counted
from reconciler.run_validate import validate
from reconciler.selection import select_domains
from reconciler.state import Key, Present, Rdata, build_rrset, txt_rdata
from reconciler.templating import Templates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.document import DomainDocument, PlanDocument, StepDocument
    from reconciler.emit.console_sheet import ConsoleSheet
    from reconciler.emit.domain_sheet import DomainSheet
    from reconciler.emit.octodns import DomainRRsets
    from reconciler.invocation import Invocation
    from reconciler.manifest.fleet import Domain, Fleet
    from reconciler.selection import Selection
    from reconciler.state import RRset

# values that only the console can tell: its sheet is how one gets at them
_FROM_CONSOLE = frozenset({"no-primary-token", "no-secondary-token"})


@dataclass(frozen=True, slots=True)
class EmitResult:
    """What was done: `lines` for people, what to know beside them, and the exit codes that it adds up to."""

    lines: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    exit_codes: tuple[ExitCode, ...]


def emit_instructions(invocation: Invocation, selection: Selection, out: Path) -> EmitResult:
    """Write a sheet for each domain whose DNS a person edits, and one for each organization's console.

    A domain gets a sheet when it has a manual step, when it is named by `--domain`, or when it has one from before.
    While verification values are missing in the manifests there is no plan: then the console sheets alone are
    written, which say where to find the values and where to put them.
    """
    templates = Templates(invocation.settings.templates)
    fleet, diagnostics = load_manifests(
        invocation.manifests,
        catalog=invocation.catalog,
        today=invocation.now.date(),
        tolerated=_FROM_CONSOLE,
    )
    chosen = select_domains(fleet, selection)
    console_sheets = list(_console_sheets(invocation, fleet, chosen))
    if any(d.code in _FROM_CONSOLE for d in diagnostics):
        report = instructions.emit_instructions((), console_sheets, out=out, templates=templates)
        counts = f"0 domain sheets, {counted(len(console_sheets), 'console sheet')}."
        wait = "The domain sheets wait for the missing verification values: the console sheets say where they go."
        return EmitResult((*_file_lines(report), counts, wait), tuple(diagnostics), (ExitCode.INCOMPLETE,))
    document = run.plan(invocation, selection)
    domain_sheets = list(_domain_sheets(invocation, document, chosen, selection, out))
    report = instructions.emit_instructions(domain_sheets, console_sheets, out=out, templates=templates)
    now = sum(1 for sheet in domain_sheets if sheet.count("now"))
    counts = f"{counted(len(domain_sheets), 'domain sheet')} ({now} with something to do now)"
    last = f"{counts}, {counted(len(console_sheets), 'console sheet')}."
    return EmitResult((*_file_lines(report), last), tuple(document.diagnostics_as_data()), tuple(_exit_codes(document)))


def emit_octodns(invocation: Invocation, selection: Selection, out: Path) -> EmitResult:
    """Write what is ready or done, for octoDNS: a repository of its own, or an edit of somebody's."""
    from reconciler.emit import octodns  # noqa: PLC0415 - octoDNS is imported where it is needed alone

    document = run.plan(invocation, selection)
    fleet, _ = validate(invocation, ())
    declared = {d.name: d for d in fleet.domains}
    domains = [
        rrsets
        for planned in document.domains
        for rrsets in _octodns_rrsets(planned, declared[canonical_name(planned.domain)])
    ]
    report = octodns.emit_octodns(domains, out, provider=_only_provider(invocation, document))
    left_out = [s for d in document.domains for s in d.steps if s.status in (Status.HELD, Status.UNKNOWN)]
    emitted = f"{counted(len(domains) - len(report.refused), 'domain')} emitted, {len(report.refused)} refused"
    rest = f"{counted(len(left_out), 'step')} left out, {counted(len(report.unchanged), 'file')} unchanged"
    lines = [
        *(f"written    {terminal_text(path)}" for path in report.written),
        *(f"changed    {terminal_text(path)}" for path in report.changed),
        *(f"left out   {terminal_text(step.id)}: {step.status.value}" for step in left_out),
        f"{emitted}, {rest}.",
    ]
    codes = [*_exit_codes(document), *([ExitCode.ERROR] if report.refused else [])]
    if left_out:
        codes.append(ExitCode.INCOMPLETE)
    diagnostics = (*document.diagnostics_as_data(), *report.refused, *report.warnings)
    return EmitResult(tuple(lines), diagnostics, tuple(codes))


def _exit_codes(document: PlanDocument) -> Iterator[ExitCode]:
    if any(d.severity is Severity.ERROR for d in document.diagnostics):
        yield ExitCode.ERROR
    if document.summary.unknown:
        yield ExitCode.INCOMPLETE


def _file_lines(report: instructions.InstructionsReport) -> list[str]:
    return [f"written    {terminal_text(str(path))}" for path in report.written]


def _console_sheets(invocation: Invocation, fleet: Fleet, chosen: Sequence[Domain]) -> Iterator[ConsoleSheet]:
    """Whole organizations always: a sheet with some of the domains would look like all of them."""
    names = {domain.organization for domain in chosen}
    for organization in fleet.organizations:
        if organization.name in names:
            yield build_console_sheet(organization, catalog=invocation.catalog, now=invocation.now)


def _domain_sheets(
    invocation: Invocation, document: PlanDocument, chosen: Sequence[Domain], selection: Selection, out: Path
) -> Iterator[DomainSheet]:
    wanted = [d for d in document.domains if selection.domains or is_waiting_for_somebody(d) or _has_sheet(d, out)]
    declared = {domain.name: domain for domain in chosen}
    name_servers = _name_servers(invocation, wanted)
    for planned in wanted:
        zone = _zone(planned)
        yield build_domain_sheet(
            planned,
            declared[canonical_name(planned.domain)],
            name_servers=name_servers.get(zone, ()) if zone is not None else (),
            catalog=invocation.catalog,
            observed_at=invocation.now,
            notes=[d for d in document.diagnostics if d.domain == planned.domain],
        )


def _has_sheet(planned: DomainDocument, out: Path) -> bool:
    """Whether a sheet from before would go on asking for what is done."""
    path = instructions.domain_sheet_path(out, planned.organization, planned.domain)
    return is_manual(planned) and path.is_file()


def _zone(planned: DomainDocument) -> Name | None:
    return next((Name(s.resource.zone) for s in planned.steps if s.resource.zone is not None), None)


def _name_servers(invocation: Invocation, domains: Iterable[DomainDocument]) -> Mapping[Name, tuple[str, ...]]:
    """Every name server that the authoritative servers of each zone name."""
    zones = sorted({zone for domain in domains if (zone := _zone(domain)) is not None})
    questions = [Question(Key(zone, "NS"), zone, zone) for zone in zones]
    with invocation.progress("finding name servers", len(questions)) as advance:
        observations = list(build_observer(invocation.settings.observe, advance).observe(questions))
    return {
        o.key.name: tuple(
            sorted({str(r) for a in o.answers if isinstance(a.observed, Present) for r in a.observed.rrset.rdatas})
        )
        for o in observations
    }


def _octodns_rrsets(planned: DomainDocument, declared: Domain) -> Iterator[DomainRRsets]:
    from reconciler.emit.octodns import DomainRRsets  # noqa: PLC0415 - as in emit_octodns

    zone = _zone(planned)
    settled = {Key(Name(s.resource.name), s.resource.type): s for s in planned.steps if s.status in _SETTLED}
    if zone is None or not settled:
        return
    tokens = (declared.verification.primary, declared.verification.secondary)
    declared_values = {"TXT": frozenset(txt_rdata(t) for t in tokens if t is not None)}
    owned = {
        key: frozenset(Rdata(v) for v in (*step.before, *step.after)) | declared_values.get(key.type, frozenset())
        for key, step in settled.items()
    }
    rrsets = tuple(_rrset(key, step) for key, step in settled.items() if (*step.after, *step.untouched))
    yield DomainRRsets(canonical_name(planned.domain), zone, rrsets, owned)


_SETTLED = frozenset({Status.READY, Status.MANUAL, Status.DONE})


def _rrset(key: Key, step: StepDocument) -> RRset:
    return build_rrset(key, step.ttl or 0, tuple(Rdata(v) for v in (*step.after, *step.untouched)))


def _only_provider(invocation: Invocation, document: PlanDocument) -> tuple[str, Mapping[str, object]] | None:
    """The provider of every zone, when it is the same one; several have no common configuration."""
    names = {s.provider for d in document.domains for s in d.steps}
    if len(names) != 1 or MANUAL_PROVIDER in names:
        return None
    (name,) = names
    return name, invocation.settings.providers[name]
