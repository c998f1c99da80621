"""Route 53's API as far as it is needed: find a zone, read a name, send one batch, say in one sentence what failed."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from http import HTTPStatus
from itertools import takewhile
from typing import TYPE_CHECKING, TypedDict, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    WaiterError,
)

from reconciler.apply import ApplyError, NoSuchZoneError
from reconciler.apply.comparison import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from octodns_route53 import Route53Provider

    from reconciler.names import Name

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "NotAuthorizedException"})
_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_BUSY = frozenset({"PriorRequestNotComplete", "ServiceUnavailable", "Throttling", "ThrottlingException"})

_POLL_SECONDS = 2
_PATIENCE_SECONDS = 90.0
_PAGE = 100
_OCTAL_ESCAPE = re.compile(r"\\([0-3][0-7]{2})", re.ASCII)

RRsetDocument = dict[str, object]


class RefusedBatchError(ApplyError):
    """Route 53 refused a change batch as invalid: something changed meanwhile, or the batch is wrong."""


class UnansweredError(ApplyError):
    """The batch was sent and no answer came: it may have taken effect."""


class _ZoneDocument(TypedDict):
    Id: str
    Name: str
    Config: dict[str, object]


class Route53Api:
    """The requests to Route 53, through the client of an octoDNS provider."""

    def __init__(self, provider: Route53Provider, *, provider_id: str) -> None:
        """Use the provider's client; `provider_id` is for messages."""
        self._provider = provider
        # the provider's client is the only place where its credentials, role and retries come together
        self._client = provider._conn  # noqa: SLF001
        self._id = provider_id
        self._patience = _PATIENCE_SECONDS

    @property
    def is_patient(self) -> bool:
        """Whether any time is left to wait for changes: it is for the whole run, not for each of its domains."""
        return self._patience >= _POLL_SECONDS

    @property
    def visibility(self) -> str:
        """`public`, or `private` where the provider block asks for private zones."""
        return "private" if self._provider.private else "public"

    def zone_ids(self, zone: Name) -> list[str]:
        """The ids of every hosted zone of this name that the provider block means, as in `/hostedzone/Z123`."""
        with self._mapped("ListHostedZonesByName"):
            named = list(takewhile(lambda found: _plain_name(found["Name"]) == zone, self._zone_pages(zone)))
        return [found["Id"] for found in named if self._is_meant(found)]

    def _zone_pages(self, zone: Name) -> Iterator[_ZoneDocument]:
        start: dict[str, str] = {"DNSName": zone}
        while True:
            page = self._client.list_hosted_zones_by_name(MaxItems=str(_PAGE), **start)
            yield from page["HostedZones"]
            if not page.get("IsTruncated"):
                return
            start = {"DNSName": page["NextDNSName"], "HostedZoneId": page["NextHostedZoneId"]}

    def _is_meant(self, zone: _ZoneDocument) -> bool:
        if bool(zone.get("Config", {}).get("PrivateZone")) != bool(self._provider.private):
            return False
        if self._provider.vpc_id is None:
            return True
        with self._mapped("ListHostedZonesByVPC"):
            # the provider keeps the list of the zones of its VPC
            return bool(self._provider._zone_has_vpc(zone["Id"]))  # noqa: SLF001

    def rrsets_at(self, zone_id: str, name: Name) -> list[RRsetDocument]:
        """Every rrset at one owner name, as Route 53 gives it."""
        paginator = self._client.get_paginator("list_resource_record_sets")
        pages = paginator.paginate(HostedZoneId=zone_id, StartRecordName=name, PaginationConfig={"PageSize": _PAGE})
        rrsets = (rrset for page in pages for rrset in page["ResourceRecordSets"])
        with self._mapped("ListResourceRecordSets"):
            return list(takewhile(lambda rrset: _plain_name(str(rrset["Name"])) == name, rrsets))

    def content(self, rrset: Mapping[str, object]) -> tuple[int, list[str]]:
        """The TTL in seconds and the values of a simple rrset."""
        records = cast("list[dict[str, str]]", rrset["ResourceRecords"])
        return cast("int", rrset["TTL"]), [record["Value"] for record in records]

    def send(self, zone_id: str, batch: Sequence[Mapping[str, object]]) -> str | None:
        """Send one change batch; the id of a change that is still spreading, None when it is everywhere.

        Raises:
            RefusedBatchError: refused as a whole; or the repetition of one whose answer was lost.
            UnansweredError: no answer came.
            ApplyError: refused, and nothing was written.

        """
        parameters = {"HostedZoneId": zone_id, "ChangeBatch": {"Changes": list(batch)}}
        with self._mapped("ChangeResourceRecordSets"):
            info: dict[str, str] = self._client.change_resource_record_sets(**parameters)["ChangeInfo"]
        return None if info["Status"] == "INSYNC" else info["Id"]

    def is_in_sync_soon(self, change_id: str) -> bool:
        """Wait until a change is on all of Route 53's servers; False when that is not known.

        All waiting of a run together takes at most 90 seconds; after a False nothing is waited for again.
        Needs `route53:GetChange`, which octoDNS does not; without it nothing is known.
        """
        waiter = self._client.get_waiter("resource_record_sets_changed")
        polls, began = int(self._patience // _POLL_SECONDS), time.monotonic()
        try:
            waiter.wait(Id=change_id, WaiterConfig={"Delay": _POLL_SECONDS, "MaxAttempts": polls})
        except (WaiterError, ClientError):
            self._patience = 0.0
            return False
        self._patience -= time.monotonic() - began
        return True

    @contextmanager
    def _mapped(self, operation: str) -> Iterator[None]:
        try:
            yield
        except ClientError as exc:
            raise self._refusal(operation, exc) from exc
        except BotoCoreError as exc:
            raise self._failure(operation, exc) from exc

    def _refusal(self, operation: str, exc: ClientError) -> ApplyError:
        code = str(exc.response.get("Error", {}).get("Code", ""))
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        where = f"Route 53 (provider {self._id}, {operation})"
        said = f"{printable(code)}: {printable(str(exc.response.get('Error', {}).get('Message', '')))}"
        is_write = operation == "ChangeResourceRecordSets"
        if code == "NoSuchHostedZone":
            return NoSuchZoneError(f"{where} no longer has the hosted zone; nothing was written; plan again")
        if code == "InvalidChangeBatch":
            return RefusedBatchError(f"{where} refuses the changes: {said}")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR and is_write and code not in _BUSY:
            return UnansweredError(f"{where} fails: {said}")
        # what AWS says about credentials may repeat them, so it is not shown
        advice = {
            **dict.fromkeys(_DENIED, f"denies access; allow route53:{operation} to these credentials"),
            **dict.fromkeys(_CREDENTIALS, f"does not accept the credentials ({code}); correct or renew them"),
            **dict.fromkeys(_BUSY, f"is too busy ({code}); nothing was written; run again later"),
        }
        return ApplyError(f"{where} {advice.get(code, f'refuses: {said}; nothing was written; see what it asks for')}")

    def _failure(self, operation: str, exc: BotoCoreError) -> ApplyError:
        where = f"Route 53 (provider {self._id}, {operation})"
        if isinstance(exc, NoCredentialsError | PartialCredentialsError):
            return ApplyError(f"{where} has no credentials, or half of them; set them in the provider block")
        if isinstance(exc, EndpointConnectionError | ConnectTimeoutError):
            return ApplyError(f"{where} cannot be reached; nothing was written; see to the network, and run again")
        if isinstance(exc, HTTPClientError) and operation == "ChangeResourceRecordSets":
            return UnansweredError(f"{where} did not answer")
        return ApplyError(f"{where} failed ({type(exc).__name__}); nothing was written; run again")


def _plain_name(name: str) -> str:
    """A name without Route 53's octal escapes, in lower case."""
    return _OCTAL_ESCAPE.sub(lambda m: chr(int(m.group(1), 8)), name).lower()
