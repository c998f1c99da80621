"""Writing through PowerDNS's HTTP API: the whole rrset compared, foreign contents sent back as they came.

The octoDNS provider gives connection, credentials and timeout. Its record model is not used: it loses backslashes,
disabled records and comments. One `write` is

1. one GET of the whole zone. The filter `rrset_name` would be cheaper, but servers before 5.0 leave disabled records
   out of its answer, and whoever replaces the rrset then deletes them;
2. the comparison of every rrset with what the plan saw;
3. one PATCH, which PowerDNS runs in one transaction: EXTEND and PRUNE by value where the server has them (4.9.12,
   5.0.2) and may use them, else REPLACE with every foreign content verbatim, disabled ones still disabled;
4. one more GET, compared with what was wanted, foreign contents, disabled records and comments included.

PowerDNS has no conditional update. With REPLACE and DELETE there is a small window, between the answer of 1 and the
transaction of 3, in which a value added by somebody else is lost, and only found out by who wrote it. With EXTEND and
PRUNE there is none: values are added and removed one by one, whatever else has come.

EXTEND and PRUNE are not used on an rrset with disabled records, because the server rebuilds it from the enabled ones
alone; nor for a change of TTL, which they cannot express.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.apply import ApplyError, CannotCarryError, VerifyError
from reconciler.apply.comparison import (
    ancestors_in_zone,
    cname_conflict,
    delegation_conflict,
    is_wanted,
    require_expected,
    require_wanted,
)
from reconciler.apply.powerdns_api import PowerDnsApi, Record, StoredRRset, StoredZone, UnansweredError
from reconciler.apply.presentation import DECIMAL, UnreadableRdataError, universal_rdata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from octodns_powerdns import PowerDnsBaseProvider

    from reconciler.diff import Change
    from reconciler.names import Name
    from reconciler.state import Key, Rdata

_WRITABLE_KINDS = frozenset({"native", "master", "primary"})
_EXTEND_SINCE = ((4, 9, 12), (5, 0, 2))  # the branch 4.9, and everything from 5.0 on
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")

Modification = dict[str, object]


class PowerDnsWriter:
    """Writes to zones of one PowerDNS; see `ZoneWriter`."""

    def __init__(self, provider: PowerDnsBaseProvider, *, provider_id: str) -> None:
        """Use the connection of an `octodns_powerdns` provider; `provider_id` is for messages."""
        self._api = PowerDnsApi(provider, provider_id=provider_id)
        self._id = provider_id
        self._has_extend: bool | None = None

    def write(self, zone: Name, changes: Sequence[Change]) -> None:
        """Write the changes of one mail domain, all compared first; see `ZoneWriter`."""
        before = self._compared(zone, changes)
        pending = [change for change in changes if not change.is_noop]
        if pending:
            try:
                self._write(zone, pending, before)
            except UnansweredError as exc:
                self._settle(zone, pending, before, exc)
        self._verify(changes, before, self._api.read(zone))
        if pending:
            self._api.notify(zone)

    def _compared(self, zone: Name, changes: Sequence[Change]) -> StoredZone:
        stored = self._api.read(zone)
        if stored.kind.lower() not in _WRITABLE_KINDS:
            message = (
                f"{zone} is a zone of kind {stored.kind} at provider {self._id}, which is overwritten from elsewhere; "
                "nothing was written; name the provider of its primary server in the manifest"
            )
            raise ApplyError(message)
        for change in changes:
            self._require_free(change.key, zone, stored)
            rrset = stored.rrset(change.key)
            rdatas = self._rdatas(change.key, rrset.enabled)
            require_expected(change, frozenset(rdatas.values()), rrset.ttl if rdatas else None, self._id)
            self._require_not_disabled(change, rrset)
        return stored

    def _require_free(self, key: Key, zone: Name, stored: StoredZone) -> None:
        if key.type != "CNAME" and stored.has(key.name, "CNAME"):
            raise cname_conflict(key, self._id)
        if key.name != zone and key.type not in {"NS", "DS"} and stored.has(key.name, "NS"):
            raise delegation_conflict(key, key.name, self._id)
        for ancestor in ancestors_in_zone(key.name, zone):
            if stored.has(ancestor, "NS") or stored.has(ancestor, "DNAME"):
                raise delegation_conflict(key, ancestor, self._id)
        if key.name != zone and stored.has(zone, "DNAME"):
            raise delegation_conflict(key, zone, self._id)

    def _require_not_disabled(self, change: Change, rrset: StoredRRset) -> None:
        disabled = set(self._rdatas(change.key, rrset.disabled).values())
        for rdata in change.added:
            if rdata in disabled:
                message = (
                    f"{change.key.name} {change.key.type} {rdata} is there at provider {self._id}, but disabled; "
                    "nothing was written; enable that record, or delete it, and plan again"
                )
                raise ApplyError(message)

    def _rdatas(self, key: Key, records: Sequence[Record]) -> dict[str, Rdata]:
        try:
            return {r.content: universal_rdata(key, r.content, base=DECIMAL, split_long=True) for r in records}
        except UnreadableRdataError as exc:
            message = (
                f"a record of {key.name} {key.type} at provider {self._id} cannot be read exactly: {exc}; "
                "nothing was written; correct that record"
            )
            raise CannotCarryError(message) from exc

    def _write(self, zone: Name, pending: Sequence[Change], before: StoredZone) -> None:
        if self._may_extend():
            modifications = self._modifications(pending, before, by_value=True)
            if self._api.patch(zone, modifications):
                return
            # a server that says it is new enough and is not: the refused transaction has changed nothing
            self._has_extend = False
            before = self._compared(zone, pending)
        if not self._api.patch(zone, self._modifications(pending, before, by_value=False)):
            message = f"the server of provider {self._id} does not know REPLACE; is this PowerDNS 4.0 or later?"
            raise ApplyError(message)

    def _may_extend(self) -> bool:
        if self._has_extend is None:
            self._has_extend = is_extend_known(self._api.version())
        return self._has_extend

    def _modifications(self, pending: Sequence[Change], before: StoredZone, *, by_value: bool) -> list[Modification]:
        modifications: list[Modification] = []
        for change in pending:
            rrset = before.rrset(change.key)
            rdatas = self._rdatas(change.key, rrset.records)
            if by_value and is_by_value_safe(change, rrset):
                modifications.extend(modifications_by_value(change, rdatas))
            else:
                modifications.append(replacement(change, rrset, rdatas))
        return modifications

    def _settle(self, zone: Name, pending: Sequence[Change], before: StoredZone, cause: UnansweredError) -> None:
        """Find out whether a PATCH without an answer took effect; return when all of it did."""
        try:
            now = self._api.read(zone)
        except ApplyError as exc:
            message = f"{cause}; whether they were written could not be read back ({exc}); run again to find out"
            raise ApplyError(message) from exc
        if all(self._is_wanted(change, now) for change in pending):
            return
        unchanged = all(now.rrset(change.key) == before.rrset(change.key) for change in pending)
        what = "nothing was written" if unchanged else "the rrsets are neither as before nor as wanted"
        message = f"{cause}; read back: {what}; run again"
        raise ApplyError(message) from cause

    def _is_wanted(self, change: Change, now: StoredZone) -> bool:
        rrset = now.rrset(change.key)
        return is_wanted(change, frozenset(self._rdatas(change.key, rrset.enabled).values()), rrset.ttl)

    def _verify(self, changes: Sequence[Change], before: StoredZone, after: StoredZone) -> None:
        for change in changes:
            old, new = before.rrset(change.key), after.rrset(change.key)
            rdatas = self._rdatas(change.key, new.enabled)
            require_wanted(change, frozenset(rdatas.values()), new.ttl if rdatas else None, self._id)
            foreign = {c for c, rdata in self._rdatas(change.key, old.enabled).items() if rdata in change.foreign}
            kept = foreign <= set(rdatas) and old.disabled == new.disabled and old.comments == new.comments
            if not kept:
                message = (
                    f"{change.key.name} {change.key.type} at provider {self._id} was written, but the text of a "
                    "foreign record, a disabled record or a comment is not as before; see who else writes to this zone"
                )
                raise VerifyError(message)


def is_extend_known(version: str) -> bool:
    """Whether a server of this version knows EXTEND and PRUNE; a version that cannot be read counts as too old."""
    found = _VERSION.match(version)
    if found is None:
        return False
    number = tuple(int(part) for part in found.groups())
    return _EXTEND_SINCE[0] <= number < (5, 0, 0) or number >= _EXTEND_SINCE[1]


def is_by_value_safe(change: Change, rrset: StoredRRset) -> bool:
    """Whether EXTEND and PRUNE can express the change and keep everything else that the rrset has."""
    is_same_ttl = change.ttl_before is None or change.ttl == change.ttl_before
    keeps_comments = bool(change.wanted) or not rrset.comments
    return is_same_ttl and keeps_comments and not rrset.disabled


def modifications_by_value(change: Change, rdatas: dict[str, Rdata]) -> list[Modification]:
    """EXTEND for each value added, PRUNE for each removed; `rdatas` by content, as the server has it.

    The values added go first, so that the rrset, and with it its comments, never vanishes in between.
    """
    removed = [content for content, rdata in rdatas.items() if rdata in change.removed]
    steps = [("EXTEND", content) for content in change.added] + [("PRUNE", content) for content in removed]
    ttl = change.ttl if change.ttl_before is None else change.ttl_before
    return [_modification(change.key, kind, ttl, [{"content": content, "disabled": False}]) for kind, content in steps]


def replacement(change: Change, rrset: StoredRRset, rdatas: dict[str, Rdata]) -> Modification:
    """The one modification that leaves the rrset as wanted; `rdatas` by content, as the server has it.

    Foreign and disabled records go back as they came. Comments stay as long as `comments` is left out, except where
    no record is left: then they are sent again.
    """
    kept = [r for r in rrset.records if r.disabled or rdatas[r.content] not in change.removed]
    records: list[object] = [{"content": r.content, "disabled": r.disabled} for r in kept]
    records.extend({"content": content, "disabled": False} for content in change.added)
    if records:
        return _modification(change.key, "REPLACE", change.ttl, records)
    if rrset.comments:
        return {**_modification(change.key, "REPLACE", change.ttl, []), "comments": list(rrset.comments)}
    return {"name": change.key.name, "type": change.key.type, "changetype": "DELETE"}


def _modification(key: Key, changetype: str, ttl: int, records: Sequence[object]) -> Modification:
    return {"name": key.name, "type": key.type, "changetype": changetype, "ttl": ttl, "records": list(records)}
