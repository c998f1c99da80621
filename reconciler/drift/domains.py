"""The findings of one mail domain's DNS: every step of its plan that is not done, told as what differs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.drift.cause import Unchanged, cause_of
from reconciler.drift.finding import DriftClass, Finding, Resource, certain
from reconciler.drift.hazards import HazardFinder
from reconciler.drift.repair import held_by, repair_of
from reconciler.drift.severity import severity_of
from reconciler.gates.observed import is_gateway, is_mx_known, is_through_gateway, observed_hosts
from reconciler.manifest.fleet import Source
from reconciler.names import Name, display_name
from reconciler.plan import Status
from reconciler.state import Cause, Key, Present, Unknown, mx_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.diff import Change
    from reconciler.document import DiagnosticDocument, DomainDocument, StepDocument
    from reconciler.drift.finding import Cause as DriftCause
    from reconciler.drift.remembered import Remembered
    from reconciler.gates import Facts
    from reconciler.journal.entries import AppliedChange


@dataclass(frozen=True, slots=True)
class DomainFinder:
    """Looks for the findings of one mail domain; `diagnostics` are the plan's own of it, `reviewed` as in `Looked`."""

    document: DomainDocument
    facts: Facts
    remembered: Remembered
    diagnostics: Sequence[DiagnosticDocument]
    unchanged: Unchanged
    reviewed: frozenset[str]

    def find(self) -> Iterator[Finding]:
        """Everything that is not as declared, then the hazards that no step is about."""
        told = []
        for step in self.document.steps:
            if step.status is not Status.DONE:
                finding = self._of_step(step)
                told.append(finding)
                yield finding
        codes = {f.code for f in told}
        unread = {f.summary for f in told if f.cause.drift_class is DriftClass.UNKNOWN}
        hazards = HazardFinder(self.facts, self.remembered)
        for diagnostic in self.diagnostics:
            if diagnostic.code not in codes and diagnostic.summary not in unread:
                yield hazards.finding(diagnostic)

    def _of_step(self, step: StepDocument) -> Finding:
        change = step.change()
        if change is None:
            return self._unread(step)
        since = self.remembered.since(step.id)
        cause = cause_of(
            change,
            self.remembered,
            is_waiting=step.status is Status.HELD or step.id in self.reviewed,
            since=since,
            file=step.source.file,
            unchanged=self.unchanged,
        )
        code = self._code(change)
        expected, observed = _values(change, step)
        return self._finding(step, code, cause, self._summary(code, change), expected, observed)

    def _code(self, change: Change) -> str:
        if not change.added and not change.removed:
            return "ttl"
        if change.key.type == "TXT":
            is_removed = change.added and any(d.code == "token-removed" for d in self.diagnostics)
            return "token-removed" if is_removed else "token-missing" if change.added else "token-surplus"
        return self._mx_code(change)

    def _mx_code(self, change: Change) -> str:
        facts = self.facts
        if facts.domain.is_leaving:
            return "mx-not-returned"
        if not change.added:
            others = [v for v in change.removed if not is_gateway(facts, mx_exchange(v))]
            return "bypass-mx" if others else "mx-other-gateway"
        if is_through_gateway(facts):
            return "mx-other-gateway"
        was_behind = self.remembered.was_behind(change.key, lambda host: is_gateway(facts, host))
        return "mx-not-gateway" if was_behind else "mx-not-switched"

    def _is_behind(self) -> bool:
        """Whether mail goes through the gateway; where nobody can see that, whether it did."""
        facts, desired = self.facts, self.facts.desired.mx
        if is_mx_known(facts) or desired is None:
            return is_through_gateway(facts)
        return self.remembered.was_behind(desired.key, lambda host: is_gateway(facts, host))

    def _summary(self, code: str, change: Change) -> str:
        name = display_name(change.key.name)
        hosts = ", ".join(map(display_name, observed_hosts(self.facts))) or "no host"
        told = next((d.summary for d in self.diagnostics if d.code == code), "")
        return (
            told
            or {
                "token-missing": f"{name} lacks {len(change.added)} of the verification values that are declared",
                "token-surplus": f"{name} still has outdated verification values of ours: {len(change.removed)}",
                "mx-not-gateway": f"mail to {name} no longer goes through the gateway, but to {hosts}",
                "mx-other-gateway": f"mail to {name} goes to another host of the gateway than declared: {hosts}",
                "mx-not-switched": f"mail to {name} does not go through the gateway yet, but to {hosts}",
                "mx-not-returned": f"{name} is declared to leave the gateway, and its MX is still to go back",
                "bypass-mx": f"mail to {name} can pass by the gateway, by {', '.join(change.removed)}",
                "ttl": f"the TTL of {change.key.type} {name} is {change.ttl_before}, and {change.ttl} is declared",
            }[code]
        )

    def _unread(self, step: StepDocument) -> Finding:
        """Unknown; where servers only disagree about what was just applied, it is on its way."""
        key = Key(Name(step.resource.name), step.resource.type)
        last = self.remembered.last_applied(key)
        expected = next((tuple(r.wanted) for r in self.facts.desired.rrsets if r.key == key), ())
        if last is not None and self._is_spreading(key, last):
            text = f"{step.resource.type} {display_name(key.name)} was applied and is not visible at every server yet"
            cause = certain(DriftClass.PENDING, step.reason)
            return self._finding(step, "not-visible-everywhere", cause, text, expected, ())
        cause = certain(DriftClass.UNKNOWN)
        told = next((d for d in self.diagnostics if d.summary == step.reason), None)
        finding = self._finding(step, told.code if told else "not-observed", cause, step.reason, expected, ())
        return replace(finding, repair=told.detail) if told else finding

    def _is_spreading(self, key: Key, last: AppliedChange) -> bool:
        observation = self.facts.observations.get(key)
        observed = observation.observed if observation is not None else None
        if observation is None or not isinstance(observed, Unknown) or observed.cause is not Cause.DISAGREE:
            return False
        shown = {
            frozenset(a.observed.rrset.rdatas) if isinstance(a.observed, Present) else frozenset()
            for a in observation.answers
            if not isinstance(a.observed, Unknown)
        }
        return last.change.wanted in shown and shown <= {last.change.wanted, last.change.expected}

    def _finding(
        self,
        step: StepDocument,
        code: str,
        cause: DriftCause,
        summary: str,
        expected: tuple[str, ...],
        observed: tuple[str, ...],
    ) -> Finding:
        facts, resource = self.facts, step.resource
        since = self.remembered.since(step.id)
        severity = severity_of(
            code,
            cause,
            facts.now - since,
            is_through_gateway=self._is_behind(),
            not_before=step.not_before,
            patience=timedelta(hours=facts.catalog.propagation_hours),
        )
        return Finding(
            code=code,
            cause=cause,
            severity=severity,
            organization=self.document.organization,
            domain=self.document.domain,
            resource=Resource(resource.kind, resource.name, resource.type, resource.zone),
            expected=expected,
            observed=observed,
            first_seen=since,
            summary=summary,
            repair=repair_of(step, self.document.domain, is_out_of_band=cause.drift_class is DriftClass.OUT_OF_BAND),
            source=Source(step.source.file, step.source.line),
            held_by=held_by(step),
            not_before=step.not_before,
        )


def _values(change: Change, step: StepDocument) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What shall be there and what is: all of an MX, ours alone of verification values; the TTL where it is off."""
    if change.key.type == "MX":
        expected, observed = tuple(sorted(change.wanted)), tuple(sorted(change.expected))
    else:
        expected, observed = change.after, change.before
    if step.ttl_before is not None and change.after and step.ttl_before != step.ttl:
        return (*expected, f"TTL {step.ttl}"), (*observed, f"TTL {step.ttl_before}")
    return expected, observed
