"""A drift run from stock parts, as somebody would write it in an afternoon; prints JSON: domains, in_sync, seconds.

`stock_parts.py FOLDER PORT`. ruamel.yaml's safe loader with its C parser, the program's own pydantic models,
dnspython's asyncresolver, a comparison of texts, and JSON. It asks what the program asks: the MX, whose answer shows
the zone, the verification values, and whether a wildcard made them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import dns.asyncresolver
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.resolver
from ruamel.yaml import YAML

from reconciler.manifest.models import OrganizationManifest

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = "127.0.0.1"
AT_ONCE = 100  # more make it slower
HOST = "inbound-smtp.eu-west-1.amazonaws.com."


@dataclass(frozen=True)
class Wanted:
    """What a domain's rrset must hold."""

    name: str
    rdtype: str
    value: str


def read_wanted(directory: Path) -> Iterator[tuple[str, list[Wanted]]]:
    """Each domain, and what its rrsets must hold."""
    yaml = YAML(typ="safe")
    # the models take days as they are written
    yaml.constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)
    for path in sorted(directory.glob("*.yaml")):
        organization = OrganizationManifest.model_validate(yaml.load(path))
        for service in organization.services:
            for domain in service.domains:
                token = domain.verification.primary if domain.verification else None
                values = [Wanted(domain.name, "MX", f"0 {HOST}")]
                values += [Wanted(f"_amazonses.{domain.name}", "TXT", f'"{token}"')]
                yield domain.name, values


def _shows_zone(response: dns.message.Message, domain: str) -> bool:
    owner = dns.name.from_text(domain)
    return response.get_rrset(response.authority, owner, dns.rdataclass.IN, dns.rdatatype.NS) is not None


async def in_sync(resolver: dns.asyncresolver.Resolver, domain: str, wanted: list[Wanted]) -> bool:
    """Whether the zone is there and holds every value, and no wildcard stands in for one."""
    for each in wanted:
        answer = await resolver.resolve(each.name, each.rdtype)
        if each.rdtype == "MX" and not _shows_zone(answer.response, domain):
            await resolver.resolve(domain, "SOA")
        if each.value not in {rdata.to_text() for rdata in answer}:
            return False
    try:
        await resolver.resolve(f"wildcard-probe.*.{wanted[-1].name}", "TXT")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return True
    return False


async def drift(directory: Path, port: int) -> dict[str, bool]:
    """Every domain, and whether it is in sync."""
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.lifetime = [ADDRESS], port, 30.0
    waiting = iter(list(read_wanted(directory)))
    found: dict[str, bool] = {}

    async def work() -> None:
        for domain, wanted in waiting:
            found[domain] = await in_sync(resolver, domain, wanted)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return found


def main() -> None:
    """Look, keep the document, and tell how long it took."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    begun = time.perf_counter()
    found = asyncio.run(drift(folder / "manifests", port))
    (folder / "stock.json").write_text(json.dumps({"kind": "drift", "domains": found}, indent=2))
    seconds = time.perf_counter() - begun
    print(json.dumps({"domains": len(found), "in_sync": sum(found.values()), "seconds": seconds}))


if __name__ == "__main__":
    main()
