"""Builders of drift: findings of facts, of what was written, and of what a plan tells."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from builders import (
    EU,
    MX_KEY,
    NOW,
    OLD_MX,
    PRIMARY,
    SOURCE,
    TXT_KEY,
    document,
    present,
)

from reconciler.diff import Change
from reconciler.document import DiagnosticDocument
from reconciler.drift import Finding, Looked, find_drift
from reconciler.errors import Severity
from reconciler.journal.entries import AppliedChange, Event, EventKind
from reconciler.manifest.fleet import DriftIgnore
from reconciler.names import Name

if TYPE_CHECKING:
    from reconciler.gates import Facts
    from reconciler.state import Key, Rdata

ACME = Name("acme.example.")
HOUR = timedelta(hours=1)
TOKENS = present(TXT_KEY, PRIMARY)
RULE = DriftIgnore("bypass-mx", None, "ops@acme.example", "moves in June", date(2027, 6, 30), SOURCE)


def wrote(key: Key, before: tuple[Rdata, ...], after: tuple[Rdata, ...]) -> Event:
    change = Change(key, ACME, before, after, (), 3600, 3600)
    at = NOW - 100 * HOUR
    entry = AppliedChange(ACME, "acme", "s", change, "bind", None, "r", None, at)
    return Event(at, EventKind.APPLIED, "s", change=entry)


def drift(*given: Facts, events: tuple[Event, ...] = (), **changes: Any) -> list[Finding]:  # noqa: ANN401
    made = changes.pop("document", None) or document(*given)
    return find_drift(Looked(made, given, timelines={ACME: events}, **changes))


SWITCHED = wrote(MX_KEY, (OLD_MX,), (EU,))


def by_code(findings: list[Finding]) -> dict[str, Finding]:
    return {f.code: f for f in findings}


def diagnostic(code: str, name: str, summary: str) -> DiagnosticDocument:
    return DiagnosticDocument(
        severity=Severity.WARNING, code=code, summary=summary, detail="Declare it again.", domain=name
    )
