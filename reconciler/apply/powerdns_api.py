"""PowerDNS's HTTP API as far as it is needed: read a zone, send one PATCH, say in one sentence what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, TypedDict

import requests

from reconciler.apply import ApplyError, NoSuchZoneError
from reconciler.apply.comparison import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from octodns_powerdns import PowerDnsBaseProvider

    from reconciler.names import Name
    from reconciler.state import Key

_UNKNOWN_CHANGETYPE = "changetype"  # "Changetype not understood", and in newer servers "Changetype 'X' is not valid"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: `content` exactly as the server gives it; a disabled one is stored and never answered."""

    content: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class StoredRRset:
    """An rrset as the server stores it: `ttl` in seconds, records sorted, comments word for word."""

    ttl: int
    records: tuple[Record, ...]
    comments: tuple[Mapping[str, object], ...]

    @property
    def enabled(self) -> tuple[Record, ...]:
        """The records that are answered."""
        return tuple(r for r in self.records if not r.disabled)

    @property
    def disabled(self) -> tuple[Record, ...]:
        """The records that are not answered."""
        return tuple(r for r in self.records if r.disabled)


_NOTHING = StoredRRset(0, (), ())


@dataclass(frozen=True, slots=True)
class StoredZone:
    """A zone as the server stores it; `kind` as in `Native`, `Master`, `Slave`."""

    kind: str
    rrsets: Mapping[tuple[str, str], StoredRRset]

    def rrset(self, key: Key) -> StoredRRset:
        """One rrset, without records where there is none."""
        return self.rrsets.get((key.name, key.type), _NOTHING)

    def has(self, name: Name, rdtype: str) -> bool:
        """Whether there is an rrset of this type that is answered."""
        return bool(self.rrsets.get((name, rdtype), _NOTHING).enabled)


class UnansweredError(ApplyError):
    """The request went out and no answer came: it may have taken effect."""


class _RecordDocument(TypedDict):
    content: str
    disabled: bool


class _RRsetDocument(TypedDict):
    name: str
    type: str
    ttl: int
    records: list[_RecordDocument]
    comments: list[dict[str, object]]


class PowerDnsApi:
    """The requests to one server, through the session of an octoDNS provider."""

    def __init__(self, provider: PowerDnsBaseProvider, *, provider_id: str) -> None:
        """Use the provider's session and timeout; `provider_id` is for messages."""
        self._provider = provider
        self._id = provider_id
        self._where = f"the PowerDNS API of provider {provider_id} at {provider.host} port {provider.port}"

    def version(self) -> str:
        """The server's version, as in `4.7.3`; empty where it gives none."""
        document = self._document(self._request("GET", "", what="the server's version"))
        return str(document.get("version", ""))

    def read(self, zone: Name) -> StoredZone:
        """The whole zone, disabled records included.

        Raises:
            NoSuchZoneError: the server does not have the zone.
            ApplyError: it cannot be asked, or does not answer as PowerDNS does.

        """
        document = self._document(self._request("GET", f"zones/{zone}", what=f"zone {zone}"))
        try:
            rrsets: list[_RRsetDocument] = document["rrsets"]
            stored = {(r["name"].lower(), r["type"]): _stored(r) for r in rrsets}
            return StoredZone(str(document["kind"]), stored)
        except (KeyError, TypeError, AttributeError) as exc:
            raise self._strange() from exc

    def patch(self, zone: Name, modifications: Sequence[Mapping[str, object]]) -> bool:
        """Send the modifications in one transaction; False when the server does not know a changetype.

        Raises:
            UnansweredError: no answer came; the transaction may have been committed.
            ApplyError: refused, and nothing was written.

        """
        try:
            self._request("PATCH", f"zones/{zone}", {"rrsets": list(modifications)}, what=f"zone {zone}")
        except _UnknownChangetypeError:
            return False
        return True

    def notify(self, zone: Name) -> None:
        """Have the zone's secondaries notified, where the provider block asks for it."""
        if not self._provider.notify:
            return
        try:
            self._request("PUT", f"zones/{zone}/notify", what=f"the NOTIFY for {zone}")
        except ApplyError as exc:
            message = f"{zone} is written at provider {self._id}, but its secondaries were not told: {exc}"
            raise ApplyError(message) from exc

    def _request(self, method: str, path: str, data: object = None, *, what: str) -> requests.Response:
        try:
            # the provider has no public request method; this one carries its key, its timeout and its TLS settings
            response: requests.Response = self._provider._request(method, path, data)  # noqa: SLF001
        except requests.HTTPError as exc:
            raise self._refusal(exc.response, what, is_write=method == "PATCH") from exc
        except requests.RequestException as exc:
            raise self._unreachable(exc, is_write=method == "PATCH") from exc
        return response

    def _refusal(self, response: requests.Response, what: str, *, is_write: bool) -> ApplyError:
        status, said = response.status_code, _said(response)
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return ApplyError(f"{self._where} does not accept the API key; correct api_key in the provider block")
        if status == HTTPStatus.NOT_FOUND or said.startswith("Could not find domain"):
            return NoSuchZoneError(
                f"{self._where} does not have {what}; nothing was written, and zones are never created here; create "
                "it there, or correct the provider or its server_id"
            )
        if status == HTTPStatus.UNPROCESSABLE_ENTITY and said.lower().startswith(_UNKNOWN_CHANGETYPE):
            return _UnknownChangetypeError(said)
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            return ApplyError(f"{self._where} refuses {what}: {said}; nothing was written; correct the zone there")
        # a gateway before the API gives up with 502 or 504 while the transaction still runs
        kind = UnansweredError if is_write and status >= HTTPStatus.INTERNAL_SERVER_ERROR else ApplyError
        return kind(
            f"{self._where} answers {what} with HTTP status {status}: {said or 'no reason given'}; "
            "see the server's log, and run again"
        )

    def _unreachable(self, exc: requests.RequestException, *, is_write: bool) -> ApplyError:
        if isinstance(exc, requests.exceptions.SSLError):
            return ApplyError(f"{self._where} shows a certificate that is not accepted; correct it, or ssl_verify")
        if isinstance(exc, requests.ConnectTimeout):
            return ApplyError(f"{self._where} does not answer; nothing was written; see that it runs, and run again")
        reason = "does not answer in time" if isinstance(exc, requests.Timeout) else "cannot be reached"
        if is_write:
            return UnansweredError(f"{self._where} {reason} after the changes were sent")
        return ApplyError(f"{self._where} {reason}; see that it runs and that host and port are right, and run again")

    def _document(self, response: requests.Response) -> dict[str, list[_RRsetDocument]]:
        try:
            document: dict[str, list[_RRsetDocument]] = response.json()
        except ValueError as exc:
            raise self._strange() from exc
        if not isinstance(document, dict):
            raise self._strange()
        return document

    def _strange(self) -> ApplyError:
        return ApplyError(f"{self._where} does not answer as PowerDNS's API does; correct host, port or scheme")


class _UnknownChangetypeError(ApplyError):
    """The server does not know a changetype."""


def _said(response: requests.Response) -> str:
    try:
        document = response.json()
    except ValueError:
        # not `text`, which guesses an encoding
        return printable(response.content.decode("utf-8", "replace"))
    return printable(str(document.get("error", ""))) if isinstance(document, dict) else ""


def _stored(document: _RRsetDocument) -> StoredRRset:
    records = tuple(sorted((Record(r["content"], r["disabled"]) for r in document["records"]), key=_order))
    return StoredRRset(document["ttl"], records, tuple(sorted(document["comments"], key=repr)))


def _order(record: Record) -> tuple[str, bool]:
    return record.content, record.disabled
