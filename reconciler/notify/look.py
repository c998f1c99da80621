"""What documents say that people can be told: the findings of a look, and the switches of an apply. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from reconciler.drift import DriftClass
from reconciler.errors import Severity
from reconciler.notify.record import Matter, Subject
from reconciler.plan import Phase
from reconciler.report.drift_words import about_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime, timedelta

    from reconciler.document.applied import ApplyDocument
    from reconciler.drift import DriftDocument, FindingDocument

_LONGEST = 300  # characters of one text in the journal
_MOST_VALUES = 5
# servers disagree about what was just applied: nobody knows yet what holds
_DISAGREEMENT = "not-visible-everywhere"


@dataclass(frozen=True, slots=True)
class Look:
    """What one document says. `at` is its time; the mappings are by fingerprint.

    `drift` are the findings that nobody ignores, `holds` those of them that are held for long enough to be told,
    `present` all that there are, `unheld` those of them that surely wait for no gate. `known` are organization and
    domain of whatever was looked at and is wholly known; an empty domain stands for the services of the organization.
    `breadth` is how many domains of each organization were looked at.
    """

    at: datetime
    drift: Mapping[str, Matter] = field(default_factory=dict)
    holds: Mapping[str, Matter] = field(default_factory=dict)
    switches: tuple[Matter, ...] = ()
    present: frozenset[str] = frozenset()
    unheld: frozenset[str] = frozenset()
    known: frozenset[tuple[str, str]] = frozenset()
    breadth: Mapping[str, int] = field(default_factory=dict)

    def is_over(self, matter: Matter) -> bool:
        """Whether a finding is surely no longer there: what it is about was looked at, and its state is known."""
        if matter.identity in self.present or (matter.organization, matter.domain) not in self.known:
            return False
        # a look at a part of an organization may have left out the service that the finding is about
        return bool(matter.domain) or self.breadth.get(matter.organization, 0) >= matter.breadth


def look_of_drift(document: DriftDocument, hold: timedelta) -> Look:
    """What a drift document says; a finding that is held for `hold` is one to tell."""
    breadth = Counter(d.organization for d in document.domains)
    counting = document.counting
    held = [f for f in counting if f.held_by and f.age_hours >= hold.total_seconds() / 3600]
    return Look(
        at=document.created_at,
        drift={f.fingerprint: _matter(Subject.DRIFT, f, breadth) for f in counting},
        holds={f.fingerprint: _matter(Subject.HOLD, f, breadth) for f in held},
        present=frozenset(f.fingerprint for f in document.findings),
        unheld=frozenset(f.fingerprint for f in document.findings if not f.held_by and not _is_unread(f)),
        known=frozenset(_known(document, breadth)),
        breadth=breadth,
    )


def look_of_apply(document: ApplyDocument) -> Look:
    """What an apply document says: the MX rrsets that were moved, and seen where they were moved to."""
    return Look(at=document.created_at, switches=tuple(_switches(document)))


def _known(document: DriftDocument, organizations: Iterable[str]) -> Iterator[tuple[str, str]]:
    unread = {(f.organization, f.domain) for f in document.findings if _is_unread(f)}
    failed = {d.domain for d in document.diagnostics if d.domain and d.severity is Severity.ERROR}
    looked = [(d.organization, d.domain) for d in document.domains if d.domain not in failed]
    yield from (place for place in (*looked, *((o, "") for o in organizations)) if place not in unread)


def _is_unread(finding: FindingDocument) -> bool:
    return finding.drift_class is DriftClass.UNKNOWN or finding.code == _DISAGREEMENT


def _matter(subject: Subject, finding: FindingDocument, breadth: Mapping[str, int]) -> Matter:
    return Matter(
        subject=subject,
        identity=finding.fingerprint,
        organization=_clipped(finding.organization),
        domain=_clipped(finding.domain),
        about=_clipped(about_text(finding)),
        summary=_clipped(finding.summary),
        severity=finding.severity.value,
        advice=_clipped(finding.repair),
        age_hours=finding.age_hours,
        held_by=_few(finding.held_by),
        # what is about a domain is closed by a look at it, whatever else was looked at
        breadth=0 if finding.domain else breadth.get(finding.organization, 0),
    )


def _switches(document: ApplyDocument) -> Iterator[Matter]:
    for result in document.results:
        if result.became != "applied" or not result.is_seen:
            continue
        for step in result.steps:
            if step.phase is Phase.SWITCH:
                told = f"{document.created_at.isoformat()} {result.organization} {result.domain} {step.id}"
                yield Matter(
                    subject=Subject.SWITCH,
                    identity=sha256(told.encode(errors="backslashreplace")).hexdigest(),
                    organization=_clipped(result.organization),
                    domain=_clipped(result.domain),
                    about=_clipped(f"{step.resource.type} {step.resource.name.removesuffix('.')}"),
                    summary="",
                    before=_few(step.before),
                    after=_few(step.after),
                )


def _few(values: list[str]) -> tuple[str, ...]:
    shown = tuple(_clipped(v) for v in values[:_MOST_VALUES])
    return (*shown, f"{len(values) - _MOST_VALUES} more") if len(values) > _MOST_VALUES else shown


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
