"""Route 53 as moto serves it over HTTP on loopback, and answers of AWS that moto does not give."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import boto3
import requests
from apply_builders import TOKEN_NAME, ZONE
from botocore.awsrequest import AWSResponse
from moto.server import ThreadedMotoServer
from octodns_route53 import Route53Provider

from reconciler.apply.route53 import Route53Writer
from reconciler.state import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest
    from botocore.client import BaseClient


LOOPBACK = "127.0.0.1"
MX_KEY = Key(ZONE, "MX")
CREDENTIALS = {"access_key_id": "testing", "secret_access_key": "very-secret"}


@contextmanager
def run_moto() -> Iterator[str]:
    """A moto server; its endpoint."""
    server = ThreadedMotoServer(ip_address=LOOPBACK, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def reset(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave one empty hosted zone, and nothing of AWS in the environment but the endpoint."""
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    requests.post(f"{endpoint}/moto-api/reset", timeout=5).raise_for_status()
    Elsewhere().create_zone(ZONE)


@cache
def other_client(endpoint: str) -> BaseClient:
    # moto takes any credentials
    return boto3.client("route53", endpoint_url=endpoint, aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106


class Elsewhere:
    """Another client of the same account."""

    def __init__(self) -> None:
        """Use one client for the whole module: making one takes a quarter of a second."""
        self.client = other_client(os.environ["AWS_ENDPOINT_URL"])

    def create_zone(self, name: str, *, private: bool = False) -> str:
        """Create a hosted zone; its id."""
        config = {"PrivateZone": private}
        zone = self.client.create_hosted_zone(Name=name, CallerReference=os.urandom(8).hex(), HostedZoneConfig=config)
        return str(zone["HostedZone"]["Id"])

    def zone_id(self) -> str:
        """The id of the first hosted zone of our name."""
        return str(self.client.list_hosted_zones_by_name(DNSName=ZONE)["HostedZones"][0]["Id"])

    def upsert(self, name: str, rdtype: str, *values: str, ttl: int = 300) -> None:
        """Write one simple rrset."""
        self.upsert_special(name, rdtype, {"TTL": ttl, "ResourceRecords": [{"Value": v} for v in values]})

    def upsert_special(self, name: str, rdtype: str, fields: dict[str, object]) -> None:
        """Write one rrset of any kind."""
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {"Name": name, "Type": rdtype, **fields}}]}
        self.client.change_resource_record_sets(HostedZoneId=self.zone_id(), ChangeBatch=batch)

    def values(self, name: str = TOKEN_NAME, rdtype: str = "TXT") -> tuple[int, list[str]] | None:
        """TTL and values as stored."""
        rrsets = self.client.list_resource_record_sets(HostedZoneId=self.zone_id())["ResourceRecordSets"]
        found = [r for r in rrsets if r["Name"] == name and r["Type"] == rdtype]
        assert len(found) <= 1
        return (found[0]["TTL"], [r["Value"] for r in found[0]["ResourceRecords"]]) if found else None


def build_provider(**block: object) -> Route53Provider:
    return Route53Provider("aws", **{**CREDENTIALS, "client_max_attempts": 0, **block})


def build_writer(**block: object) -> Route53Writer:
    return Route53Writer(shared_provider(os.environ["AWS_ENDPOINT_URL"], **block), provider_id="aws")


@cache
def shared_provider(endpoint: str, **block: object) -> Route53Provider:
    """One provider for all the tests that do not listen to its client."""
    assert endpoint == os.environ["AWS_ENDPOINT_URL"]
    return build_provider(**block)


def writer_answered_by(answer: Callable[[], AWSResponse | None]) -> Route53Writer:
    """A writer whose change batches are answered by a function; None lets the request through."""
    provider = build_provider()

    def before_send(**_: object) -> AWSResponse | None:
        return answer()

    provider._conn.meta.events.register("before-send.route53.ChangeResourceRecordSets", before_send)  # noqa: SLF001
    return Route53Writer(provider, provider_id="aws")


class Body:
    """The body of an answer, as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        """Hold the octets."""
        self.content = content

    def stream(self) -> Iterator[bytes]:
        """Give the octets."""
        yield self.content


NAMESPACE = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"'
PENDING = (
    f"<ChangeResourceRecordSetsResponse {NAMESPACE}><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status>"
    "<SubmittedAt>2026-11-01T00:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>"
)


def xml_answer(document: str, status: int = 200) -> AWSResponse:
    return AWSResponse("", status, {"Content-Type": "text/xml"}, Body(document.encode()))


def error_answer(status: int, code: str, message: str = "as AWS puts it") -> AWSResponse:
    document = (
        f"<ErrorResponse {NAMESPACE}><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>0</RequestId></ErrorResponse>"
    )
    return xml_answer(document, status)
