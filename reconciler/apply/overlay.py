"""Writing through any octoDNS provider that has no writer of its own: `provider.plan()` with our rrsets laid over it.

A processor gives the provider back the zone that it has just read, with only our rrsets replaced, so that octoDNS
plans our changes and nothing else. Before `provider.apply()` everything is checked: the zone exists, our rrsets are
what the plan saw, the provider's own additions touch nothing else. octoDNS has no compare and swap: what is written
between its read and its write is lost, as with octoDNS itself.

octoDNS keeps a TXT rdata as one string, joined and half escaped, and every provider escapes it again in its own way;
`octodns.record.chunked` never returns on a trailing backslash. So a TXT rdata passes only when there is one way to
write it: printable ASCII without quotes, backslashes and outer spaces, split at every 255 octets. An rrset with any
other value, ours or foreign, is refused before the provider is even asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.TXT import TXT
from octodns.record import Record
from octodns.zone import Zone

from reconciler.apply import ApplyError, CannotCarryError, NoSuchZoneError
from reconciler.apply.comparison import (
    ancestors_in_zone,
    cname_conflict,
    delegation_conflict,
    is_wanted,
    printable,
    require_expected,
    require_wanted,
)
from reconciler.apply.presentation import DECIMAL, MAX_STRING_OCTETS, UnreadableRdataError, universal_rdata
from reconciler.state import Key, Rdata, parsed_rdata, rdata_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from octodns.provider.base import BaseProvider
    from octodns.provider.plan import Plan

    from reconciler.diff import Change
    from reconciler.names import Name

_TYPES = frozenset({"TXT", "MX"})
_UNSAFE = frozenset('"\\')
_ABSENT: tuple[frozenset[Rdata], int | None] = (frozenset(), None)

Stored = dict[Key, tuple[frozenset[Rdata], int | None]]


class OverlayWriter:
    """Writes to zones at one octoDNS provider; see `ZoneWriter`."""

    def __init__(self, make_provider: Callable[[], BaseProvider], *, provider_id: str) -> None:
        """Make a fresh provider for every read, because providers cache; `provider_id` is for messages."""
        self._make = make_provider
        self._id = provider_id

    def write(self, zone: Name, changes: Sequence[Change]) -> None:
        """Write the changes of one mail domain, all compared first; see `ZoneWriter`."""
        for change in changes:
            require_carried(change, self._id)
        provider = self._made()
        if provider.apply_disabled:
            message = f"provider {self._id} has apply_disabled set and writes nothing; remove it from the block"
            raise ApplyError(message)
        overlay = Overlay(changes, self._id)
        plan = self._planned(provider, zone, overlay)
        if plan is not None and not plan.exists:
            message = (
                f"provider {self._id} does not have the zone {zone}; nothing was written, and zones are never created "
                "here; create it there, or correct the provider"
            )
            raise NoSuchZoneError(message)
        self._require_comparable(zone, changes, overlay.stored)
        pending = [change for change in changes if not change.is_noop]
        self._require_only_ours(plan, pending)
        if pending:
            self._apply(provider, plan, zone, pending)
        after = self._read(zone)
        for change in changes:
            require_wanted(change, *after.get(change.key, _ABSENT), self._id)

    def _made(self) -> BaseProvider:
        try:
            return self._make()
        except ApplyError:
            raise
        except Exception as exc:
            raise self._failure("cannot be set up", exc) from exc

    def _planned(self, provider: BaseProvider, zone: Name, overlay: Overlay) -> Plan | None:
        try:
            return provider.plan(Zone(zone, []), processors=[overlay], lenient=True)
        except ApplyError:
            raise
        except Exception as exc:
            what = f"cannot read {zone}, so nothing was written"
            raise self._failure(what, exc) from exc

    def _require_comparable(self, zone: Name, changes: Iterable[Change], stored: Stored) -> None:
        for change in changes:
            key = change.key
            if key.type != "CNAME" and Key(key.name, "CNAME") in stored:
                raise cname_conflict(key, self._id)
            if key.name != zone and Key(key.name, "NS") in stored:
                raise delegation_conflict(key, key.name, self._id)
            for ancestor in ancestors_in_zone(key.name, zone):
                if Key(ancestor, "NS") in stored or Key(ancestor, "DNAME") in stored:
                    raise delegation_conflict(key, ancestor, self._id)
            require_expected(change, *stored.get(key, _ABSENT), self._id)

    def _require_only_ours(self, plan: Plan | None, pending: Sequence[Change]) -> None:
        planned = {_key(c.new or c.existing) for c in plan.changes} if plan is not None else set()
        ours = {change.key for change in pending}
        if missing := sorted(ours - planned):
            message = (
                f"provider {self._id} plans no change of {_listed(missing)}: it cannot hold that type, value or TTL "
                "(many have a least TTL); nothing was written; change the TTL in the manifest, or write by hand"
            )
            raise CannotCarryError(message)
        strangers = sorted(planned - ours)
        if strangers or (plan is not None and plan.meta is not None):
            also = _listed(strangers) if strangers else "the zone's own settings"
            message = (
                f"provider {self._id} would also change {also}; nothing was written; "
                "see what the provider wants with octodns-sync, settle it there, and plan again"
            )
            raise ApplyError(message)

    def _apply(self, provider: BaseProvider, plan: Plan | None, zone: Name, pending: Sequence[Change]) -> None:
        try:
            provider.apply(plan)
        except Exception as exc:
            failure = self._failure(f"failed while {zone} was written", exc)
            after = self._read_after(failure, zone)
            if not all(is_wanted(change, *after.get(change.key, _ABSENT)) for change in pending):
                message = f"{failure}; read back: not everything is written; run again"
                raise ApplyError(message) from exc

    def _read_after(self, failure: ApplyError, zone: Name) -> Stored:
        try:
            return self._read(zone)
        except ApplyError as exc:
            message = f"{failure}; whether it was written could not be read back ({exc}); run again to find out"
            raise ApplyError(message) from exc

    def _read(self, zone: Name) -> Stored:
        provider, found = self._made(), Zone(zone, [])
        try:
            provider.populate(found, target=True, lenient=True)
        except Exception as exc:
            what = f"cannot read {zone} back"
            raise self._failure(what, exc) from exc
        return stored_rrsets(found.records)

    def _failure(self, what: str, exc: Exception) -> ApplyError:
        said = printable(str(exc))
        return ApplyError(f"provider {self._id} {what}: {type(exc).__name__}{': ' if said else ''}{said}")


class Overlay:
    """An octoDNS processor: what a provider has, with our rrsets replaced.

    `stored` is what the provider had, after `plan()` has run.
    """

    def __init__(self, changes: Sequence[Change], provider_id: str) -> None:
        """Lay the wanted rrsets of `changes` over the zone."""
        self.id = self.name = f"reconciler-{provider_id}"
        self.stored: Stored = {}
        self._changes = changes

    def process_target_zone(self, existing: Zone, target: BaseProvider, *, lenient: bool = False) -> Zone:  # noqa: ARG002 - octoDNS's signature
        """Leave what the provider has as it is."""
        return existing

    def process_source_and_target_zones(
        self,
        desired: Zone,  # noqa: ARG002 - octoDNS's signature
        existing: Zone,
        target: BaseProvider,
        *,
        lenient: bool = False,  # noqa: ARG002
    ) -> tuple[Zone, Zone]:
        """The desired zone is the existing one, with only our rrsets replaced."""
        self.stored = stored_rrsets(existing.records)
        present = {_key(record): record for record in existing.records}
        laid = existing.copy()
        for change in self._changes:
            record = present.get(change.key)
            if change.wanted:
                laid.add_record(_wanted_record(change, record, laid, target), replace=True, lenient=True)
            elif record is not None:
                laid.remove_record(record)
        return laid, existing


def stored_rrsets(records: Iterable[Record]) -> Stored:
    """Rdatas and TTL (seconds) of octoDNS's records by key; of other types than ours only that they are there."""
    return {_key(record): (_rdatas(record), record.ttl) for record in records}


def require_carried(change: Change, provider_id: str) -> None:
    """Look for values that octoDNS's record model or its providers may alter.

    Raises:
        CannotCarryError: the rrset has such a value, or a type that is not written through octoDNS.

    """
    if change.key.type not in _TYPES:
        message = f"{change.key.type} rrsets are not written through provider {provider_id}; write by hand"
        raise CannotCarryError(message)
    for rdata in sorted(change.expected | change.wanted):
        if _is_carried(change.key, rdata):
            continue
        message = (
            f"{change.key.name} {change.key.type} has the value {printable(rdata)}, which provider {provider_id} may "
            "alter when the rrset is written (it has quotes, backslashes, outer spaces, other octets than printable "
            "ASCII, or strings not split at 255 octets); nothing was written; make this change by hand, with "
            "`provider: manual`"
        )
        raise CannotCarryError(message)


def _is_carried(key: Key, rdata: Rdata) -> bool:
    return plain_text(key, rdata) is not None if key.type == "TXT" else "\\" not in rdata


def plain_text(key: Key, rdata: Rdata) -> str | None:
    """The text of a TXT rdata that can be written in one way only; None where it cannot."""
    parsed = cast("TXT", parsed_rdata(key, rdata))
    joined = b"".join(parsed.strings)
    text = joined.decode("latin-1")
    is_plain = text.isascii() and text.isprintable() and text == text.strip() and not _UNSAFE & set(text)
    return text if text and is_plain and _txt(joined) == rdata else None


def _txt(octets: bytes) -> Rdata:
    strings = [octets[i : i + MAX_STRING_OCTETS] for i in range(0, len(octets), MAX_STRING_OCTETS)] or [b""]
    return rdata_text(TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings))


def _rdatas(record: Record) -> frozenset[Rdata]:
    kind = _key(record).type
    if kind == "TXT":
        # octoDNS holds `;` as `\;`; what else it has escaped differs from provider to provider
        return frozenset(_txt(value.replace("\\;", ";").encode(errors="surrogateescape")) for value in record.values)
    if kind == "MX":
        return frozenset(_mx(_key(record), f"{value.preference} {value.exchange}") for value in record.values)
    return frozenset()


def _mx(key: Key, text: str) -> Rdata:
    try:
        return universal_rdata(key, text, base=DECIMAL)
    except UnreadableRdataError:
        # no rdata at all; kept as it is it equals none, and shows in the message that the comparison makes
        return Rdata(text)


def _wanted_record(change: Change, present: Record | None, zone: Zone, source: BaseProvider) -> Record:
    """The record to write; a present one lends what else octoDNS keeps with it, as for the provider's own options."""
    data: dict[str, object] = dict(present.data) if present is not None else {}
    data.pop("value", None)
    values = [_value(change.key, rdata) for rdata in sorted(change.wanted)]
    data.update(type=change.key.type, ttl=change.ttl, values=values)
    return Record.new(zone, zone.hostname_from_fqdn(change.key.name), data, source=source, lenient=True)


def _value(key: Key, rdata: Rdata) -> str | Mapping[str, object]:
    if key.type == "TXT":
        return (plain_text(key, rdata) or "").replace(";", "\\;")
    preference, exchange = rdata.split(" ", 1)
    return {"preference": int(preference), "exchange": exchange}


def _key(record: Record) -> Key:
    return Key(cast("Name", record.fqdn.lower()), record._type)  # noqa: SLF001 - octoDNS's own name for the public type


def _listed(keys: Iterable[Key]) -> str:
    return ", ".join(f"{printable(key.name)} {printable(key.type)}" for key in keys)
