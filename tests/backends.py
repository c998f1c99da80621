"""Where zones really are: real name servers, Route 53's API and master files, each with its settings block."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import dns.query
import dns.tsigkeyring
import dns.update
import dns.zone
from moto.core import DEFAULT_ACCOUNT_ID
from moto.route53.models import route53_backends
from moto.server import ThreadedMotoServer
from servers.bind import run_bind
from servers.knot import run_knot
from servers.nasty import content
from servers.powerdns import PowerDns, run_powerdns
from servers.processes import NameServer, TsigKey

from reconciler.apply.presentation import octal_rdata, universal_rdata
from reconciler.names import Name
from reconciler.state import Key, Rdata, parsed_rdata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

Content = dict[tuple[str, str], tuple[int, frozenset[bytes]]]


class Backend(Protocol):
    """Where the zones really are."""

    settings: str
    environment: dict[str, str]

    def content(self, zone: str) -> Content:
        """Every rrset of a zone: TTL and octets."""
        ...

    def add_txt(self, owner: str, rdata: str) -> None:
        """Somebody else adds a TXT value."""
        ...

    def before_run(self) -> None:
        """What must happen so that the command can observe."""
        ...


@dataclass
class DnsBackend:
    """A name server that is observed by DNS, transferred for comparison, and written to as `settings` say."""

    server: NameServer
    key: TsigKey
    settings: str
    environment: dict[str, str]

    def content(self, zone: str) -> Content:
        """By transfer; the SOA is left out, because its serial is meant to change."""
        return {k: v for k, v in content(self.server.axfr(zone)).items() if k[1] != "SOA"}

    def add_txt(self, owner: str, rdata: str) -> None:
        """By a dynamic update."""
        update = dns.update.UpdateMessage(
            _zone_of(owner),
            keyring=dns.tsigkeyring.from_text({self.key.name: self.key.secret}),
            keyalgorithm=self.key.algorithm,
        )
        update.add(owner, 1234, "TXT", rdata)
        answer = dns.query.tcp(update, self.server.address, port=self.server.port, timeout=5)
        assert answer.rcode() == 0, answer

    def before_run(self) -> None:
        """Nothing: the server answers by itself."""


def _zone_of(owner: str) -> str:
    return owner.removeprefix("_amazonses.")


def _observe(server: NameServer) -> str:
    return f'observe: {{dns: {{servers: ["{server.address}:{server.port}"], timeout: 5}}}}\n'


@contextmanager
def bind_backend(zones: Mapping[str, str], directory: Path) -> Iterator[Backend]:
    """BIND, written to by dynamic update."""
    key = TsigKey()
    with run_bind(zones, directory=directory, key=key) as server:
        yield _updating(server, key)


@contextmanager
def knot_backend(zones: Mapping[str, str], directory: Path) -> Iterator[Backend]:
    """Knot, written to by dynamic update."""
    key = TsigKey()
    with run_knot(zones, directory=directory, key=key) as server:
        yield _updating(server, key)


@contextmanager
def powerdns_update_backend(zones: Mapping[str, str], directory: Path) -> Iterator[Backend]:
    """PowerDNS, written to by dynamic update."""
    key = TsigKey()
    with run_powerdns(zones, directory=directory, key=key) as server:
        yield _updating(server, key)


@contextmanager
def powerdns_api_backend(zones: Mapping[str, str], directory: Path) -> Iterator[Backend]:
    """PowerDNS, written to through its HTTP API."""
    key = TsigKey()
    with run_powerdns(zones, directory=directory, key=key) as server:
        yield DnsBackend(server, key, _observe(server) + powerdns_provider(server), {"PDNS_KEY": server.api_key})


def powerdns_provider(server: PowerDns) -> str:
    """The provider block of a PowerDNS, as octoDNS has it."""
    return (
        "default_provider: pdns\n"
        "providers:\n"
        "  pdns: {class: octodns_powerdns.PowerDnsProvider, "
        f"host: {server.address}, port: {server.api_port}, api_key: env/PDNS_KEY}}\n"
    )


def _updating(server: NameServer, key: TsigKey) -> DnsBackend:
    settings = (
        "default_provider: primary\n"
        "providers:\n"
        f"  primary: {{class: octodns_bind.Rfc2136Provider, host: {server.address}, port: {server.port}, "
        f"key_name: {key.name}, key_algorithm: {key.algorithm}, key_secret: env/TSIG_SECRET}}\n"
    )
    return DnsBackend(server, key, _observe(server) + settings, {"TSIG_SECRET": key.secret})


@dataclass
class ZonefileBackend:
    """Master files in a folder."""

    directory: Path
    settings: str
    environment: dict[str, str] = field(default_factory=dict)

    def content(self, zone: str) -> Content:
        """By parsing the file."""
        parsed = dns.zone.from_file(str(self._file(zone)), origin=zone, relativize=False)
        return {k: v for k, v in content(parsed).items() if k[1] != "SOA"}

    def add_txt(self, owner: str, rdata: str) -> None:
        """By an editor that appends a line."""
        file = self._file(_zone_of(owner))
        file.write_text(f"{file.read_text()}\n{owner} 1234 IN TXT {rdata}\n")

    def before_run(self) -> None:
        """Nothing: the files are there."""

    def _file(self, zone: str) -> Path:
        return self.directory / f"{zone.rstrip('.')}.zone"


@contextmanager
def zonefile_backend(zones: Mapping[str, str], directory: Path) -> Iterator[Backend]:
    """Master files, as the shipped settings have them."""
    directory.mkdir(parents=True)
    for zone, text in zones.items():
        (directory / f"{zone.rstrip('.')}.zone").write_text(text)
    block = f"{{class: octodns_bind.ZoneFileProvider, directory: '{directory}', file_extension: .zone}}"
    settings = f"observe: {{zonefiles: '{directory}'}}\ndefault_provider: files\nproviders: {{files: {block}}}\n"
    yield ZonefileBackend(directory, settings)


@dataclass
class Route53Backend:
    """Moto's Route 53. It serves no DNS, so what it holds is exported to master files before each observation."""

    client: Any
    directory: Path
    settings: str
    environment: dict[str, str]
    ids: dict[str, str]

    def content(self, zone: str) -> Content:
        """By listing the hosted zone."""
        pages = self.client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=self.ids[zone])
        found: Content = {}
        for rrset in (r for page in pages for r in page["ResourceRecordSets"] if r["Type"] != "SOA"):
            key = Key(Name(rrset["Name"]), rrset["Type"])
            rdatas = [universal_rdata(key, r["Value"], base=8) for r in rrset["ResourceRecords"]]
            octets = frozenset(parsed_rdata(key, r).to_wire() or b"" for r in rdatas)
            found[key.name, key.type] = (rrset["TTL"], octets)
        return found

    def add_txt(self, owner: str, rdata: str) -> None:
        """By an UPSERT of the whole rrset, as another program would."""
        zone = _zone_of(owner)
        listed = self.client.list_resource_record_sets(HostedZoneId=self.ids[zone])["ResourceRecordSets"]
        there = [r for r in listed if (r["Name"], r["Type"]) == (owner, "TXT")]
        values = [v["Value"] for r in there for v in r["ResourceRecords"]]
        self.upsert(zone, owner, "TXT", 1234, [*values, octal_rdata(Key(Name(owner), "TXT"), Rdata(rdata))])

    def upsert(self, zone: str, owner: str, rdtype: str, ttl: int, values: list[str]) -> None:
        """Write one rrset."""
        records = [{"Value": v} for v in values]
        rrset = {"Name": owner, "Type": rdtype, "TTL": ttl, "ResourceRecords": records}
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": rrset}]}
        self.client.change_resource_record_sets(HostedZoneId=self.ids[zone], ChangeBatch=batch)

    def before_run(self) -> None:
        """Export every hosted zone, and let moto forget what it held once."""
        self._forget()
        for zone, zone_id in self.ids.items():
            listed = self.client.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
            lines = [f"{zone} 900 IN SOA ns. hostmaster. 1 7200 900 1209600 86400", f"{zone} 900 IN NS ns.elsewhere."]
            for rrset in (r for r in listed if r["Type"] not in {"SOA", "NS"}):
                key = Key(Name(rrset["Name"]), rrset["Type"])
                for record in rrset["ResourceRecords"]:
                    rdata = universal_rdata(key, record["Value"], base=8)
                    lines.append(f"{key.name} {rrset['TTL']} IN {key.type} {rdata}")
            (self.directory / f"{zone.rstrip('.')}.zone").write_text("\n".join(lines) + "\n")

    def _forget(self) -> None:
        # moto checks a batch against every change that it ever took: a DELETE passes with values of long ago, and a
        # CREATE of values that were there before is refused. Its journal is made to say what is there now, as AWS does.
        for zone in route53_backends[DEFAULT_ACCOUNT_ID]["aws"].zones.values():
            zone.rr_changes.clear()
            for rrset in zone.rrsets:
                there = {
                    "Name": rrset.name,
                    "Type": rrset.type,
                    "TTL": rrset.ttl,
                    "ResourceRecords": [{"Value": value} for value in rrset.records],
                }
                zone.rr_changes.append({"Action": "UPSERT", "ResourceRecordSet": there})


@contextmanager
def route53_backend(zones: Mapping[str, str], directory: Path) -> Iterator[Backend]:
    """Moto's Route 53 with the A, MX, TXT and CNAME rrsets of the zones, as far as Route 53 can hold them."""
    directory.mkdir(parents=True)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        credentials = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        client = boto3.client("route53", endpoint_url=endpoint, region_name="us-east-1", **credentials)
        ids = {
            zone: client.create_hosted_zone(Name=zone, CallerReference=f"{zone}{directory}")["HostedZone"]["Id"]
            for zone in zones
        }
        settings = (
            f"observe: {{zonefiles: '{directory}'}}\ndefault_provider: aws\nproviders:\n"
            "  aws: {class: octodns_route53.Route53Provider, access_key_id: env/KEY, secret_access_key: env/SECRET}\n"
        )
        environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": "us-east-1",
            "KEY": "testing",
            "SECRET": "very-secret",
        }
        backend = Route53Backend(client, directory, settings, environment, ids)
        for zone, text in zones.items():
            _load_hosted_zone(backend, zone, text)
        yield backend
    finally:
        server.stop()


def _load_hosted_zone(backend: Route53Backend, zone: str, text: str) -> None:
    parsed = dns.zone.from_text(text, origin=zone, relativize=False, check_origin=False)
    for name, rdataset in parsed.iterate_rdatasets():
        rdtype = dns.rdatatype.to_text(rdataset.rdtype)
        if rdtype not in {"A", "MX", "TXT", "CNAME"} or not name.to_text().replace(".", "").replace("_", "").isalnum():
            continue
        key = Key(Name(name.to_text()), rdtype)
        values = [octal_rdata(key, Rdata(r.to_text())) for r in rdataset]
        # Route 53 takes at most 4,000 characters a value
        kept = [v for v in values if len(v) <= 4000]
        backend.upsert(zone, key.name, key.type, rdataset.ttl, kept)


BACKENDS: dict[str, Callable[[Mapping[str, str], Path], AbstractContextManager[Backend]]] = {
    "bind": bind_backend,
    "knot": knot_backend,
    "powerdns-update": powerdns_update_backend,
    "powerdns-api": powerdns_api_backend,
    "route53-moto": route53_backend,
    "zonefile": zonefile_backend,
}
