"""The findings of one service's origin: every step of its plan that is not done. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.drift.finding import Cause, DriftClass, DriftSeverity, Finding, Resource, certain, uncertain
from reconciler.drift.repair import held_by, repair_of
from reconciler.drift.severity import severity_of
from reconciler.gates.observed import is_through_gateway
from reconciler.manifest.fleet import Source
from reconciler.plan import Phase, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.document import ServiceDocument, StepDocument
    from reconciler.drift.remembered import Remembered
    from reconciler.gates import Facts

_CODES = {
    "stale": "allowlist-stale",
    "restrict": "not-restricted",
    "restrict-hard": "not-restricted",
    "loosen": "not-loosened",
}
_SUMMARIES = {
    "allowlist-address-missing": "does not let all addresses of the gateway in",
    "allowlist-stale": "still has addresses of the gateway that are not used any more",
    "not-restricted": "takes mail from others than the gateway",
    "not-loosened": "keeps others than the gateway out, while mail may come from them",
    "spam-rule": "is not as the gateway needs it",
    "not-observed": "could not be read",
}


@dataclass(frozen=True, slots=True)
class ServiceFinder:
    """Looks for the findings of one origin; `domains` are the mail domains of it, at least one, and their memories."""

    document: ServiceDocument
    domains: Sequence[tuple[Facts, Remembered]]

    def find(self) -> Iterator[Finding]:
        """Everything that is not as the gateway needs it."""
        return (self._finding(step) for step in self.document.steps if step.status is not Status.DONE)

    def _finding(self, step: StepDocument) -> Finding:
        code, own = self._code(step)
        since = min(remembered.since(step.id) for _, remembered in self.domains)
        was_done = any(remembered.was_done(step.id) for _, remembered in self.domains)
        facts = self.domains[0][0]
        cause = _cause(step, was_done=was_done)
        severity = severity_of(
            code,
            cause,
            facts.now - since,
            is_through_gateway=any(is_through_gateway(f) for f, _ in self.domains),
            not_before=step.not_before,
            patience=timedelta(hours=facts.catalog.propagation_hours),
        )
        if code == "not-restricted" and was_done:
            severity = DriftSeverity.HIGH
        kind = step.resource.kind
        what = "spam rule" if kind == "mail-rule" else f"list {step.resource.type}"
        summary = f"the {what} of the service {self.document.service} {_SUMMARIES[code]}"
        return Finding(
            code=code,
            cause=cause,
            severity=severity,
            organization=self.document.organization,
            domain="",
            resource=Resource(kind, own, step.resource.type),
            expected=tuple(step.after),
            observed=tuple(step.before),
            first_seen=since,
            summary=f"{summary}: {step.reason}" if code == "not-observed" and step.reason else summary,
            repair=repair_of(step, "", is_out_of_band=False),
            source=Source(step.source.file, step.source.line),
            held_by=held_by(step),
            not_before=step.not_before,
        )

    @staticmethod
    def _code(step: StepDocument) -> tuple[str, str]:
        """The code, and the name of the list or rule that it is about, which two lists of a service never share."""
        own, _, last = step.id.rpartition("/")
        # a list may be named so too: what adds to it ends with its name
        code = _CODES.get(last) if step.phase is (Phase.EXPAND if last == "loosen" else Phase.CONTRACT) else None
        own = own if code is not None else step.id
        if step.status is Status.UNKNOWN:
            return "not-observed", own
        if step.resource.kind == "mail-rule":
            return "spam-rule", own
        return code or "allowlist-address-missing", own


def _cause(step: StepDocument, *, was_done: bool) -> Cause:
    """Nobody writes at an origin but people, so the journal never shows who changed it."""
    if step.status is Status.UNKNOWN:
        return certain(DriftClass.UNKNOWN)
    if was_done:
        text = "it was as it shall be once: somebody changed it, or what is declared or in the catalog changed"
        return uncertain(DriftClass.OUT_OF_BAND, text)
    if step.status is Status.HELD:
        return certain(DriftClass.PENDING)
    return uncertain(DriftClass.UNAPPLIED, "the journal does not show that it was ever done")
