"""Writing to Amazon Route 53: DELETE of the rrset exactly as read and CREATE of the new one, in one change batch.

The octoDNS provider gives the boto3 client: credentials, role, retries. Route 53 runs a change batch as one
transaction and refuses a DELETE whose values or TTL are not those stored, and a CREATE of an rrset that exists
(`ChangeResourceRecordSets`, API reference). Together that is compare and swap on the server; UPSERT, which octoDNS
uses, is not. The rrsets are read and compared here as well before anything is sent.

Foreign values go back as Route 53 gave them. They are compared in the universal form, because Route 53 escapes in
octal (Developer Guide, "TXT record type"). Rrsets that are more than name, type, TTL and values (aliases, and those
with a routing policy or a health check) are refused.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from reconciler.apply import ApplyError, CannotCarryError, NoSuchZoneError, StaleError
from reconciler.apply.comparison import (
    ancestors_in_zone,
    cname_conflict,
    delegation_conflict,
    described,
    is_wanted,
    require_expected,
    require_wanted,
)
from reconciler.apply.presentation import OCTAL, UnreadableRdataError, octal_rdata, universal_rdata
from reconciler.apply.route53_api import RefusedBatchError, Route53Api, UnansweredError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from octodns_route53 import Route53Provider

    from reconciler.diff import Change
    from reconciler.names import Name
    from reconciler.state import Key, Rdata

MAX_VALUE_CHARACTERS = 4000  # of one TXT value; Developer Guide, "TXT record type"
MAX_BATCH_RECORDS = 1000  # API reference, "ChangeResourceRecordSets: Limits"
MAX_BATCH_CHARACTERS = 32000

_PLAIN_FIELDS = frozenset({"Name", "Type", "TTL", "ResourceRecords"})
_log = logging.getLogger(__name__)


class BatchChange(TypedDict):
    """One element of a change batch."""

    Action: str
    ResourceRecordSet: dict[str, object]


@dataclass(frozen=True, slots=True)
class Stored:
    """An rrset as Route 53 stores it: `ttl` in seconds, None where there is none; rdatas by value as given."""

    ttl: int | None
    rdatas: Mapping[str, Rdata]

    @property
    def universal(self) -> frozenset[Rdata]:
        """The rdatas."""
        return frozenset(self.rdatas.values())


class Route53Writer:
    """Writes to hosted zones of one AWS account; see `ZoneWriter`."""

    def __init__(self, provider: Route53Provider, *, provider_id: str) -> None:
        """Use the client of an `octodns_route53` provider; `provider_id` is for messages."""
        self._api = Route53Api(provider, provider_id=provider_id)
        self._id = provider_id

    def write(self, zone: Name, changes: Sequence[Change]) -> None:
        """Write the changes of one mail domain, all compared first; see `ZoneWriter`."""
        zone_id = self._zone_id(zone)
        before = [self._compared(zone, zone_id, change) for change in changes]
        batch = [
            step
            for change, stored in zip(changes, before, strict=True)
            if not change.is_noop
            for step in batch_changes(change, stored)
        ]
        if batch:
            require_carried(batch, self._id)
            self._send(zone_id, changes, batch)
        for change, stored in zip(changes, before, strict=True):
            self._verify(zone_id, change, stored)

    def _zone_id(self, zone: Name) -> str:
        found = self._api.zone_ids(zone)
        if not found:
            message = (
                f"provider {self._id} has no {self._api.visibility} hosted zone {zone}; nothing was written, and zones "
                "are never created here; create it there, or correct the provider or its credentials"
            )
            raise NoSuchZoneError(message)
        if len(found) > 1:
            message = (
                f"provider {self._id} has {len(found)} {self._api.visibility} hosted zones named {zone} "
                f"({', '.join(sorted(found))}), and which of them is asked cannot be known; nothing was written; "
                "delete those that the parent zone does not delegate to, or use another account's credentials"
            )
            raise ApplyError(message)
        return found[0]

    def _compared(self, zone: Name, zone_id: str, change: Change) -> Stored:
        key = change.key
        at_name = self._api.rrsets_at(zone_id, key.name)
        types = {rrset["Type"] for rrset in at_name}
        if "CNAME" in types and key.type != "CNAME":
            raise cname_conflict(key, self._id)
        if key.name != zone and "NS" in types and key.type not in {"NS", "DS"}:
            raise delegation_conflict(key, key.name, self._id)
        for ancestor in ancestors_in_zone(key.name, zone):
            if any(rrset["Type"] == "NS" for rrset in self._api.rrsets_at(zone_id, ancestor)):
                raise delegation_conflict(key, ancestor, self._id)
        stored = self._stored(key, at_name)
        require_expected(change, stored.universal, stored.ttl, self._id)
        return stored

    def _stored(self, key: Key, at_name: Sequence[Mapping[str, object]]) -> Stored:
        mine = [rrset for rrset in at_name if rrset["Type"] == key.type]
        if not mine:
            return Stored(None, {})
        special = sorted({field for rrset in mine for field in rrset if field not in _PLAIN_FIELDS})
        if special:
            message = (
                f"{key.name} {key.type} at provider {self._id} is an alias or has a routing policy "
                f"({', '.join(special)}); nothing was written; replace it by a simple record, or edit it by hand"
            )
            raise CannotCarryError(message)
        ttl, values = self._api.content(mine[0])
        try:
            return Stored(ttl, {value: universal_rdata(key, value, base=OCTAL) for value in values})
        except UnreadableRdataError as exc:
            message = (
                f"a value of {key.name} {key.type} at provider {self._id} cannot be read exactly: {exc}; "
                "nothing was written; correct that value"
            )
            raise CannotCarryError(message) from exc

    def _read(self, zone_id: str, key: Key) -> Stored:
        return self._stored(key, self._api.rrsets_at(zone_id, key.name))

    def _send(self, zone_id: str, changes: Sequence[Change], batch: Sequence[BatchChange]) -> None:
        try:
            change_id = self._api.send(zone_id, batch)
        except (RefusedBatchError, UnansweredError) as exc:
            # boto3 repeats a request whose answer was lost; then the repetition is refused, and the first one counts
            self._settle(zone_id, changes, exc)
            return
        if change_id is not None and self._api.is_patient and not self._api.is_in_sync_soon(change_id):
            _log.warning("%s: accepted, and not yet seen on all of Route 53's servers; no more is waited for", self._id)

    def _settle(self, zone_id: str, changes: Sequence[Change], cause: ApplyError) -> None:
        """Find out whether a refused or unanswered batch took effect; return when it did."""
        try:
            now = [(change, self._read(zone_id, change.key)) for change in changes]
        except ApplyError as exc:
            message = f"{cause}; whether it was written could not be read back ({exc}); run again to find out"
            raise ApplyError(message) from exc
        if all(is_wanted(change, stored.universal, stored.ttl) for change, stored in now):
            return
        for change, stored in now:
            if stored.universal != change.expected or (stored.rdatas and stored.ttl != change.ttl_before):
                message = (
                    f"{change.key.name} {change.key.type} at provider {self._id} changed while it was written: now "
                    f"{described(stored.universal, stored.ttl)}; nothing was written for this domain; plan again"
                )
                raise StaleError(message) from cause
        message = f"{cause}; read back: nothing was written"
        raise ApplyError(message) from cause

    def _verify(self, zone_id: str, change: Change, before: Stored) -> None:
        after = self._read(zone_id, change.key)
        require_wanted(change, after.universal, after.ttl, self._id)
        foreign = {value for value, rdata in before.rdatas.items() if rdata in change.foreign}
        if not foreign <= set(after.rdatas):
            # equal octets, spelt otherwise by Route 53 itself: nothing is lost
            _log.info("%s: %s %s: foreign values are spelt otherwise now", self._id, change.key.name, change.key.type)


def batch_changes(change: Change, stored: Stored) -> list[BatchChange]:
    """DELETE of the rrset as stored, CREATE of the wanted one; either alone where only one side exists."""
    steps: list[BatchChange] = []
    if stored.ttl is not None:
        steps.append(_step("DELETE", change.key, stored.ttl, list(stored.rdatas)))
    kept = [value for value, rdata in stored.rdatas.items() if rdata not in change.removed]
    values = [*kept, *(octal_rdata(change.key, rdata) for rdata in change.added)]
    if values:
        steps.append(_step("CREATE", change.key, change.ttl, values))
    return steps


def _step(action: str, key: Key, ttl: int, values: Sequence[str]) -> BatchChange:
    records = [{"Value": value} for value in values]
    rrset: dict[str, object] = {"Name": key.name, "Type": key.type, "TTL": ttl, "ResourceRecords": records}
    return {"Action": action, "ResourceRecordSet": rrset}


def require_carried(batch: Sequence[BatchChange], provider_id: str) -> None:
    """Compare a batch with Route 53's limits.

    Raises:
        CannotCarryError: a value, or the batch, is too long.

    """
    values = [
        record["Value"]
        for step in batch
        for record in step["ResourceRecordSet"]["ResourceRecords"]  # type: ignore[attr-defined]
    ]
    longest, total = max(map(len, values)), sum(map(len, values))
    if longest > MAX_VALUE_CHARACTERS:
        what = f"a value of {longest} characters; at most {MAX_VALUE_CHARACTERS}"
    elif len(values) > MAX_BATCH_RECORDS:
        what = f"{len(values)} values in one batch; at most {MAX_BATCH_RECORDS}"
    elif total > MAX_BATCH_CHARACTERS:
        what = f"{total} characters of values in one batch; at most {MAX_BATCH_CHARACTERS}"
    else:
        return
    names = sorted({str(step["ResourceRecordSet"]["Name"]) for step in batch})
    message = (
        f"provider {provider_id} cannot carry the change of {', '.join(names)}: {what} are allowed; "
        "nothing was written; shorten or remove values by hand"
    )
    raise CannotCarryError(message)
