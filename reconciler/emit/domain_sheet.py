"""What one mail domain's instruction sheet says, before any template: who does what, in which order, and how to see it.

A sheet is for whoever runs the DNS of the domain, who has nothing but the sheet and a console. So every record is given
with its full owner name, with its name relative to the zone, and as a line of a master file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.gates import Verdict
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.names import InvalidNameError, Name, canonical_name, display_name, is_under
from reconciler.plan import Action, Phase, Status
from reconciler.state import Rdata, mx_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from reconciler.catalog import Catalog
    from reconciler.document import DiagnosticDocument, DomainDocument, StepDocument
    from reconciler.manifest.fleet import Domain


class When(StrEnum):
    """Whether a step is for now, and for whom."""

    NOW = "now"
    NOT_YET = "not-yet"
    AUTOMATIC = "automatic"
    DONE = "done"
    UNKNOWN = "unknown"


_WHEN = {
    Status.MANUAL: When.NOW,
    Status.HELD: When.NOT_YET,
    Status.READY: When.AUTOMATIC,
    Status.DONE: When.DONE,
    Status.UNKNOWN: When.UNKNOWN,
}
_DUE = frozenset({Status.MANUAL, Status.READY})


@dataclass(frozen=True, slots=True)
class Record:
    """One record, as consoles ask for it (`priority` is empty but for MX) and as a line of a master file.

    `value` is without the quotation marks of a single character-string of a TXT record; `ttl` is in seconds.
    """

    owner: str
    relative: str
    type: str
    priority: str
    value: str
    ttl: int
    line: str


@dataclass(frozen=True, slots=True)
class Wait:
    """What a step waits for, and what can be done about it, or nothing; sentences."""

    evidence: str
    advice: str


@dataclass(frozen=True, slots=True)
class SheetStep:
    """One step: `foreign` stand beside the values of the step and stay as they are."""

    number: int
    when: When
    title: str
    type: str
    add: tuple[Record, ...]
    remove: tuple[Record, ...]
    keep: tuple[Record, ...]
    foreign: tuple[Record, ...]
    ttl_before: int | None
    ttl: int | None
    waits: tuple[Wait, ...]
    reason: str

    @property
    def is_ttl_off(self) -> bool:
        """Whether the TTL of values that stay is to be changed too."""
        return bool(self.keep) and self.ttl != self.ttl_before


@dataclass(frozen=True, slots=True)
class Seen:
    """One rrset as it was observed; `is_known` is False where it could not be."""

    owner: str
    type: str
    records: tuple[Record, ...]
    is_known: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    """Commands, one for each authoritative server, and the lines that each of them prints, in any order."""

    owner: str
    type: str
    commands: tuple[str, ...]
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DomainSheet:
    """Everything on the sheet; `zone` is empty while it is not known, `alabel` where it is as `written`.

    `unusable_servers` counts name servers whose names are no host names; they stand in no command.
    """

    organization: str
    domain: str
    written: str
    alabel: str
    zone: str
    gateway: str
    support: str
    propagation_hours: int
    observed_at: str
    next_hops: tuple[str, ...]
    hosts_in_zone: tuple[str, ...]
    name_servers: tuple[str, ...]
    unusable_servers: int
    seen: tuple[Seen, ...]
    steps: tuple[SheetStep, ...]
    checks: tuple[Check, ...]
    notes: tuple[DiagnosticDocument, ...]
    source: str

    def count(self, when: str) -> int:
        """How many steps are for `when`."""
        return sum(step.when == when for step in self.steps)


def is_manual(domain: DomainDocument) -> bool:
    """Whether a person edits the domain's zone by instructions."""
    return any(step.provider == MANUAL_PROVIDER for step in domain.steps)


def is_waiting_for_somebody(domain: DomainDocument) -> bool:
    """Whether a person who edits the zone has something to do, now or later."""
    return any(s.provider == MANUAL_PROVIDER and s.status is not Status.DONE for s in domain.steps)


def build_domain_sheet(
    planned: DomainDocument,
    declared: Domain,
    *,
    name_servers: Sequence[str],
    catalog: Catalog,
    observed_at: datetime,
    notes: Sequence[DiagnosticDocument],
) -> DomainSheet:
    """The sheet of one mail domain from its plan; `name_servers` are hosts from DNS, and hostile, or none."""
    zone = next((Name(s.resource.zone) for s in planned.steps if s.resource.zone is not None), None)
    servers = tuple(sorted({host for server in name_servers for host in _plain_host(server)}))
    return DomainSheet(
        organization=planned.organization,
        domain=planned.domain,
        written=planned.written,
        alabel="" if planned.written == planned.domain else planned.domain,
        zone="" if zone is None else display_name(zone),
        gateway=catalog.gateway,
        support=catalog.support,
        propagation_hours=catalog.propagation_hours,
        observed_at=format_time(observed_at),
        next_hops=tuple(display_name(h) for h in declared.next_hops),
        hosts_in_zone=tuple(display_name(h) for h in declared.next_hops if zone is not None and is_under(h, zone)),
        name_servers=servers,
        unusable_servers=sum(not list(_plain_host(server)) for server in name_servers),
        seen=tuple(_seen(planned)),
        steps=tuple(_sheet_step(number, step, planned) for number, step in enumerate(planned.steps, 1)),
        checks=tuple(_checks(planned, servers)),
        notes=tuple(notes),
        source=f"{declared.source.file}:{declared.source.line}",
    )


def format_time(moment: datetime) -> str:
    """A moment for people, with its zone, as in `2026-11-21 12:00 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".rstrip()


def _plain_host(server: str) -> Iterator[str]:
    """The name of a server when it is one that may stand in a shell's command line."""
    try:
        yield display_name(canonical_name(server))
    except InvalidNameError:
        return


def _sheet_step(number: int, step: StepDocument, planned: DomainDocument) -> SheetStep:
    ttl = step.ttl or 0
    # what another step takes away now must not be called a thing to keep here
    going = {
        v
        for s in planned.steps
        if s.resource == step.resource and s.status in _DUE
        for v in s.before
        if v not in s.after
    }
    ttl_before = ttl if step.ttl_before is None else step.ttl_before
    return SheetStep(
        number=number,
        when=_WHEN[step.status],
        title=_title(step),
        type=step.resource.type,
        add=tuple(_record(step, v, ttl) for v in step.after if v not in step.before),
        remove=tuple(_record(step, v, ttl_before) for v in step.before if v not in step.after),
        keep=tuple(_record(step, v, ttl) for v in step.after if v in step.before and v not in going),
        foreign=tuple(_record(step, v, ttl_before) for v in step.untouched),
        ttl_before=step.ttl_before,
        ttl=step.ttl,
        waits=tuple(
            Wait(_sentence(g.evidence), _sentence(g.advice)) for g in step.gates if g.verdict is not Verdict.PASS
        ),
        reason=_sentence(step.reason),
    )


def _sentence(text: str) -> str:
    """A text that ends with one full stop; it may end with an absolute name, which has one of its own."""
    return f"{text.rstrip('.')}." if text else ""


def _title(step: StepDocument) -> str:
    is_mx = step.resource.type == "MX"
    added = [v for v in step.after if v not in step.before]
    removed = [v for v in step.before if v not in step.after]
    if step.status is Status.UNKNOWN:
        return "MX: could not be observed" if is_mx else "Verification values: could not be observed"
    if step.action is Action.NO_OP:
        return "The MX is in place" if is_mx else "The verification values are in place"
    if not added and not removed:
        return f"Set the TTL of the {'MX' if is_mx else 'verification'} records"
    if is_mx:
        return "Point the MX to the gateway" if added else "Remove the old MX records"
    values = added if step.phase is Phase.EXPAND else removed
    noun = "verification value" if len(values) == 1 else f"{len(values)} verification values"
    return f"Add the {noun}" if step.phase is Phase.EXPAND else f"Remove the outdated {noun}"


def _record(step: StepDocument, rdata: str, ttl: int) -> Record:
    owner, zone = Name(step.resource.name), Name(step.resource.zone or ".")
    relative = "@" if owner == zone else display_name(owner).removesuffix(f".{display_name(zone)}")
    priority, value = "", rdata
    if step.resource.type == "MX":
        priority, value = rdata.split(" ", 1)[0], display_name(mx_exchange(Rdata(rdata)))
    elif _is_one_plain_string(rdata):
        value = rdata[1:-1]
    line = f"{owner} {ttl} IN {step.resource.type} {rdata}"
    return Record(display_name(owner), relative, step.resource.type, priority, value, ttl, line)


def _is_one_plain_string(rdata: str) -> bool:
    inner = rdata[1:-1]
    return len(rdata) > len('""') and rdata[0] == rdata[-1] == '"' and '"' not in inner and "\\" not in inner


def _seen(planned: DomainDocument) -> Iterator[Seen]:
    """Each rrset once: every step of one rrset observed the same."""
    steps = {(s.resource.name, s.resource.type): s for s in reversed(planned.steps)}
    for (name, type_), step in sorted(steps.items(), key=lambda item: item[0][1], reverse=True):
        values = sorted((*step.before, *step.untouched))
        records = tuple(_record(step, value, step.ttl_before or 0) for value in values)
        is_known = step.status is not Status.UNKNOWN
        yield Seen(display_name(Name(name)), type_, records, is_known, _sentence(step.reason))


def _checks(planned: DomainDocument, servers: Sequence[str]) -> Iterator[Check]:
    """For each rrset what the servers say once everything is done that is for now."""
    due = [s for s in planned.steps if s.status in _DUE]
    settled = [s for s in planned.steps if s.status is Status.DONE]
    last = {(s.resource.name, s.resource.type): s for s in (*settled, *due)}
    for (name, type_), step in last.items():
        expected = tuple(sorted((*step.after, *step.untouched)))
        owner = display_name(Name(name))
        commands = tuple(f"dig +norecurse +short @{server} {type_} {owner}" for server in servers)
        yield Check(owner, type_, commands, expected)
