"""Annotations: what GitHub shows beside the lines of a pull request's files.

The runner takes 10 of a kind from one step and drops the rest without a word, so the tenth says how many more there
are: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from reconciler.drift import DriftSeverity
from reconciler.errors import Severity, sorted_diagnostics
from reconciler.escape import workflow_data, workflow_property
from reconciler.gates import Verdict
from reconciler.plan import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.document import DiagnosticDocument, PlanDocument, StepDocument
    from reconciler.document.applied import ApplyDocument
    from reconciler.drift import DriftDocument
    from reconciler.errors import Diagnostic

Kind = Literal["error", "warning", "notice"]

MOST_OF_A_KIND = 10
_KINDS: tuple[Kind, ...] = ("error", "warning", "notice")
_MAX_MESSAGE = 2000  # characters
_OF_DIAGNOSTICS: dict[Severity, Kind] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.ADVISORY: "notice",
}
_OF_DRIFT: dict[DriftSeverity, Kind] = {
    DriftSeverity.CRITICAL: "error",
    DriftSeverity.HIGH: "error",
    DriftSeverity.MEDIUM: "warning",
    DriftSeverity.LOW: "notice",
    DriftSeverity.INFO: "notice",
}


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation; without a file it stands at the run alone. `line` counts from 1, 0: none."""

    kind: Kind
    title: str
    message: str
    file: str = ""
    line: int = 0


def render_annotations(annotations: Iterable[Annotation]) -> str:
    """The workflow commands, the worst kind first; of one kind the first ones, as many as the runner shows."""
    given = list(annotations)
    return "".join(f"{line}\n" for kind in _KINDS for line in _lines(kind, [a for a in given if a.kind == kind]))


def _lines(kind: Kind, annotations: Sequence[Annotation]) -> Iterator[str]:
    shown = annotations if len(annotations) <= MOST_OF_A_KIND else annotations[: MOST_OF_A_KIND - 1]
    yield from (_command(a) for a in shown)
    if len(shown) < len(annotations):
        yield f"::{kind}::{len(annotations) - len(shown)} more: see the job's summary"


def _command(annotation: Annotation) -> str:
    properties = [("title", annotation.title)]
    # a path that leads out of the repository is no file of the pull request
    if annotation.file and not PurePosixPath(annotation.file).is_absolute() and ".." not in annotation.file.split("/"):
        properties.insert(0, ("file", annotation.file))
        if annotation.line:
            properties.insert(1, ("line", str(annotation.line)))
    told = ",".join(f"{name}={workflow_property(value)}" for name, value in properties)
    return f"::{annotation.kind} {told}::{workflow_data(annotation.message[:_MAX_MESSAGE])}"


def plan_annotations(document: PlanDocument) -> Iterator[Annotation]:
    """Errors, warnings and advisories; what could not be observed; what waits for a gate or a person."""
    yield from _of_diagnostics(document.diagnostics)
    steps = [step for part in document.parts for step in part.steps]
    yield from (_of_step("warning", s, s.reason) for s in steps if s.status is Status.UNKNOWN)
    for step in steps:
        if step.status in {Status.HELD, Status.MANUAL}:
            held = [f"{g.id}: {g.evidence}" for g in step.gates if g.verdict is not Verdict.PASS]
            yield _of_step("notice", step, "; ".join(held) or step.reason)


def apply_annotations(document: ApplyDocument) -> Iterator[Annotation]:
    """What failed and what was refused, and the run's diagnostics."""
    yield from _of_diagnostics(document.diagnostics)
    for became in ("failed", "stale"):
        for result in document.results:
            if result.became == became:
                yield Annotation("error", f"{result.domain}: {became}", result.message)


def drift_annotations(document: DriftDocument) -> Iterator[Annotation]:
    """Every finding that counts, at the line that declares it."""
    yield from _of_diagnostics(document.diagnostics)
    for finding in document.counting:
        place = (finding.source.file, finding.source.line) if finding.source is not None else ("", 0)
        whose = finding.domain or finding.organization
        title = f"{finding.severity.value}: {whose}: {finding.code}"
        yield Annotation(_OF_DRIFT[finding.severity], title, f"{finding.summary}. {finding.repair}", *place)


def _of_diagnostics(diagnostics: Iterable[DiagnosticDocument]) -> Iterator[Annotation]:
    yield from diagnostic_annotations(d.as_data() for d in diagnostics)


def diagnostic_annotations(diagnostics: Iterable[Diagnostic]) -> Iterator[Annotation]:
    """Errors, warnings and advisories, where their files and lines are."""
    for d in sorted_diagnostics(diagnostics):
        about = f"{d.domain}: " if d.domain else ""
        message = f"{about}{d.summary.rstrip('.')}. {' '.join(d.detail.split())}"
        yield Annotation(_OF_DIAGNOSTICS[d.severity], d.code, message, d.file, d.line)


def _of_step(kind: Kind, step: StepDocument, why: str) -> Annotation:
    return Annotation(
        kind, f"{step.id}: {step.status.value}", why or step.status.value, step.source.file, step.source.line
    )
