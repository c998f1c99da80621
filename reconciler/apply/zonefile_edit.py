"""Editing a master file: only our lines change and the SOA serial goes up, and both are proven, or it is refused.

The edit is made line by line (`masterfile.py`) and proven by a parser that had no part in it: dnspython reads the old
and the new file, and everything but our rrsets and the serial must be the same, TTLs included. Pure: no file is
touched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdataset
import dns.rdatatype
import dns.zone

from reconciler.apply.masterfile import MasterFileError, Record, octets_escaped, scan_entries, scan_records
from reconciler.apply.slots import assign_slots
from reconciler.state import Key, rdata_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.diff import Change
    from reconciler.names import Name
    from reconciler.state import Rdata

_DATE_SERIAL = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)\d\d", re.ASCII)
_PARSER_PLACE = re.compile(r"<string>:(?P<line>\d+): ")
_SERIAL_SPACE = 2**32
_SIGNED = {dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.NSEC3}
_SERIAL_POSITION = 2

Rrsets = dict[Key, tuple[int, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Splice:
    """Put `text` in the place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


def edited_zone(data: bytes, zone: Name, changes: Sequence[Change], today: date) -> bytes:
    """The file's new octets: each change written, the SOA serial raised (see `raised_serial`).

    The caller has compared the file with what the changes expect.

    Raises:
        MasterFileError: it cannot be done without touching a line that is not ours, or cannot be proven.

    """
    text = data.decode("latin-1")
    before = parsed_zone(data, zone)
    records = list(scan_records(scan_entries(text), dns.name.from_text(zone)))
    _require_unsigned(records, dns.name.from_text(zone))
    serial = _serial_splice(records, today)
    failure = MasterFileError("nothing to change")
    for at_end in (False, True):
        try:
            splices = [s for change in changes for s in _splices(text, records, change, at_end=at_end)]
            edited = _spliced(text, [serial, *splices]).encode("latin-1")
            require_same_records(before, parsed_zone(edited, zone), changes)
            require_same_lines(text, edited.decode("latin-1"), zone, changes)
        except MasterFileError as exc:
            failure = exc
        else:
            return edited
    raise failure


def parsed_zone(data: bytes, zone: Name) -> dns.zone.Zone:
    """The zone as dnspython reads it, with absolute names.

    Raises:
        MasterFileError: it cannot be read.

    """
    text = octets_escaped(data.decode("latin-1").replace("\r\n", "\n"))
    if "\r" in text:
        raise MasterFileError("a carriage return stands alone", text.count("\n", 0, text.index("\r")) + 1)
    try:
        return dns.zone.from_text(
            text, origin=zone, relativize=False, allow_directives=["$ORIGIN", "$TTL", "$GENERATE"]
        )
    except Exception as exc:  # what rdata raise is whatever their arithmetic does: struct.error
        place = _PARSER_PLACE.match(str(exc))
        detail = str(exc)[place.end() if place else 0 :] or type(exc).__name__
        reason = f"the file cannot be read ({detail})"
        raise MasterFileError(reason, int(place["line"]) if place else 0) from exc


def rrset_of(content: dns.zone.Zone, key: Key) -> tuple[frozenset[Rdata], int | None]:
    """The rrset at a key: its rdatas and its TTL in seconds, or nothing and None."""
    found = content.get_rdataset(key.name, key.type)
    if found is None:
        return frozenset(), None
    return frozenset(rdata_text(rdata) for rdata in found), found.ttl


def raised_serial(serial: int, today: date) -> int:
    """The next serial (RFC 1982 section 3.1); one of the form YYYYMMDDnn keeps the form and takes today's date."""
    following = (serial + 1) % _SERIAL_SPACE or 1
    parts = _DATE_SERIAL.fullmatch(str(serial))
    if parts is None:
        return following
    try:
        date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
    except ValueError:
        return following
    return max(int(f"{today:%Y%m%d}00"), following)


def _require_unsigned(records: Iterable[Record], apex: dns.name.Name) -> None:
    for record in records:
        # a digest elsewhere than at the apex has no meaning (RFC 8976 section 2)
        is_digest = record.rdtype == dns.rdatatype.ZONEMD and record.owner == apex
        if is_digest or record.rdtype in _SIGNED:
            reason = "the zone in the file is signed or has a digest; edit what the signer reads, and let it sign"
            raise MasterFileError(reason, record.entry.line)


def _serial_splice(records: Sequence[Record], today: date) -> Splice:
    found = [r for r in records if r.rdtype == dns.rdatatype.SOA]
    if len(found) != 1:
        raise MasterFileError("the file does not have exactly one SOA record")
    token = found[0].rdata_tokens[_SERIAL_POSITION]
    if not token.text.isdecimal():
        raise MasterFileError("the SOA serial is not written as a number", found[0].entry.line)
    return Splice(token.start, token.end, str(raised_serial(int(token.text), today)))


def _splices(text: str, records: Sequence[Record], change: Change, *, at_end: bool) -> list[Splice]:
    """The edits for one change; `at_end` puts added lines at the end of the file, where nothing can inherit."""
    owner, rdtype = dns.name.from_text(change.key.name), dns.rdatatype.from_text(change.key.type)
    siblings = [r for r in records if r.owner == owner and r.rdtype == rdtype]
    values = {id(r): r.rdata for r in siblings}
    ours = [r for r in siblings if values[id(r)] in change.before]
    missing = set(change.removed) - set(values.values())
    if missing:
        reason = f"no line of the file has {min(missing)}; $GENERATE may have made it"
        raise MasterFileError(reason)
    assignment = assign_slots(records, ours, [values[id(r)] for r in ours], change.after)
    is_new_ttl = bool(siblings) and change.ttl != change.ttl_before
    splices: list[Splice] = []
    for record, value in zip(ours, assignment.values, strict=True):
        if value is None:
            splices.append(Splice(record.entry.start, record.entry.end, ""))
        elif value != values[id(record)] or is_new_ttl:
            splices.extend(_rewritten(text, record, change, value if value != values[id(record)] else None))
    surviving = [
        r for r in siblings if id(r) not in {id(o) for o, v in zip(ours, assignment.values, strict=True) if v is None}
    ]
    if assignment.added:
        splices.append(_added(text, None if at_end or not surviving else surviving[-1], change, assignment.added))
    return splices


def _rewritten(text: str, record: Record, change: Change, value: Rdata | None) -> list[Splice]:
    """One of our lines with another value (None keeps it) and the change's TTL."""
    entry = record.entry
    if not entry.is_plain:
        owner = record.owner_token.text if record.owner_token else ""
        line = f"{owner}\t{change.ttl}\tIN\t{change.key.type}\t{value or record.rdata}"
        return [Splice(entry.start, entry.end, line + _line_end(text, record))]
    splices = []
    if change.ttl != change.ttl_before:
        if record.ttl_token:
            splices.append(Splice(record.ttl_token.start, record.ttl_token.end, str(change.ttl)))
        else:
            splices.append(Splice(record.before_type.start, record.before_type.start, f"{change.ttl} "))
    if value is not None:
        splices.append(Splice(record.rdata_tokens[0].start, record.rdata_tokens[-1].end, value))
    return splices


def _added(text: str, sibling: Record | None, change: Change, values: Iterable[Rdata]) -> Splice:
    """New lines, everything in them explicit: below the last line of the same rrset, else at the end of the file."""
    line_end = _line_end(text, sibling)
    at = sibling.entry.end if sibling else len(text)
    lines = [f"{change.key.name}\t{change.ttl}\tIN\t{change.key.type}\t{value}{line_end}" for value in values]
    return Splice(at, at, "".join(lines))


def _line_end(text: str, record: Record | None) -> str:
    sample = text[record.entry.start : record.entry.end] if record else text[:1000]
    return "\r\n" if "\r\n" in sample else "\n"


def _spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with every splice applied; several at one place in their order."""
    edited, position = "", 0
    for splice in sorted(splices, key=lambda s: (s.start, s.end)):
        if splice.start < position:
            raise MasterFileError("two of our edits meet in one place", text.count("\n", 0, splice.start) + 1)
        edited += text[position : splice.start]
        if splice.start == len(text) and edited and not edited.endswith("\n"):
            edited += _line_end(text, None)
        edited += splice.text
        position = splice.end
    return edited + text[position:]


def require_same_records(old: dns.zone.Zone, new: dns.zone.Zone, changes: Sequence[Change]) -> None:
    """Nothing differs but what was to differ."""
    for change in changes:
        rdatas, ttl = rrset_of(new, change.key)
        if rdatas != change.wanted or (rdatas and ttl != change.ttl):
            reason = f"the edit of {change.key.name} {change.key.type} does not give what was planned"
            raise MasterFileError(reason)
    ours = {(dns.name.from_text(c.key.name), dns.rdatatype.from_text(c.key.type)) for c in changes}
    if _others(old, ours) != _others(new, ours):
        raise MasterFileError(
            "another record takes its owner name or its TTL from a line that has to go; write it out there"
        )


def _others(
    content: dns.zone.Zone, ours: set[tuple[dns.name.Name, dns.rdatatype.RdataType]]
) -> Mapping[object, object]:
    """All the rdatasets that are not ours; of the SOA everything but the serial."""
    return {
        (name, rdataset.rdtype, rdataset.covers): (
            rdataset.ttl,
            frozenset((r.replace(serial=0) if rdataset.rdtype == dns.rdatatype.SOA else r).to_wire() for r in rdataset),
        )
        for name, rdataset in content.iterate_rdatasets()
        if (name, rdataset.rdtype) not in ours
    }


def require_same_lines(old: str, new: str, zone: Name, changes: Sequence[Change]) -> None:
    """Every line that holds no rrset of ours is byte-identical and in its order, but for the serial."""
    if _foreign_lines(old, zone, changes) != _foreign_lines(new, zone, changes):
        raise MasterFileError("a line that is not ours would change")


def _foreign_lines(text: str, zone: Name, changes: Sequence[Change]) -> list[tuple[str, int | None]]:
    """The text and the TTL of each entry that is not ours, blank lines, comments and directives among them."""
    entries = list(scan_entries(text))
    records = {r.entry.start: r for r in scan_records(entries, dns.name.from_text(zone))}
    lines: list[tuple[str, int | None]] = []
    for entry in entries:
        record = records.get(entry.start)
        written = text[entry.start : entry.end].rstrip("\r\n")
        if record is None:
            lines.append((written, None))
            continue
        if record.rdtype == dns.rdatatype.SOA:
            serial = record.rdata_tokens[_SERIAL_POSITION]
            written = text[entry.start : serial.start] + text[serial.end : entry.end]
        if not any(_is_ours(record, change) for change in changes):
            lines.append((written, record.ttl))
    return lines


def _is_ours(record: Record, change: Change) -> bool:
    """Whether the line holds a value in our ownership; foreign values of the same rrset are not."""
    return (
        record.rdtype == dns.rdatatype.from_text(change.key.type)
        and record.owner == dns.name.from_text(change.key.name)
        and record.rdata not in change.foreign
    )
