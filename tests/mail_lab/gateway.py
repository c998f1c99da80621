"""The gateway: a Postfix for each region's site, which relays from the catalog's real addresses of that region.

What a real gateway decides by its console and its verification of a domain is decided by `policy.py`. The secondary
region of multi-region is a site of its own: the MX hosts of multi-region have the addresses of both sites, and its mail
comes from the address that multi-region adds.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from servers.processes import running

from mail_lab.network import BOUNCES, NAME_SERVER
from mail_lab.postfix import run_postfix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mail_lab.network import Site
    from mail_lab.postfix import Mta
    from reconciler.catalog import Catalog

SECONDARY = "secondary"
REGIONS = ("eu", "us", SECONDARY)
INBOUND = {"eu": "198.18.1.25", "us": "198.18.2.25", SECONDARY: "198.18.3.25"}
SENDER_DOMAIN = "sender.example"
_POLICY = ("127.0.0.1", 10031)
_TESTS = Path(__file__).parent.parent


def outbound_addresses(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """The addresses that each site relays from, by the catalog."""
    regions = {region: catalog.addresses(region, multi_region=False) for region in REGIONS if region != SECONDARY}
    return {**regions, SECONDARY: catalog.multi_region_addresses}


def gateway_hosts(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Every MX host of the catalog's that the laboratory has, with the addresses that senders find."""
    hosts: dict[str, tuple[str, ...]] = {}
    for region in (r for r in REGIONS if r != SECONDARY):
        hosts[catalog.mx_host(region, multi_region=False)] = (INBOUND[region],)
        hosts[catalog.mx_host(region, multi_region=True)] = (INBOUND[region], INBOUND[SECONDARY])
    return hosts


@dataclass
class Gateway:
    """The running sites, and the console that says which domains they take."""

    sites: Mapping[str, Mta]
    state_file: Path
    domains: dict[str, dict[str, str]] = field(default_factory=dict)

    def declare(self, domain: str, region: str, value: str) -> None:
        """Somebody adds a domain in the console of a region, which gives the verification value."""
        self.domains.setdefault(domain, {})[region] = value
        self._save()

    def forget(self, domain: str, region: str) -> None:
        """Somebody removes it there."""
        self.domains.get(domain, {}).pop(region, None)
        self._save()

    def queued(self) -> int:
        """How many messages wait at all sites."""
        return sum(site.queued() for site in self.sites.values())

    def _save(self) -> None:
        write_state(self.state_file, self.domains)


def write_state(file: Path, domains: Mapping[str, Mapping[str, str]]) -> None:
    """The console's state as `policy.py` reads it, replaced whole."""
    state = {"listen": _POLICY, "sites": {a: region for region, a in INBOUND.items()}, "domains": domains}
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(state))
    draft.replace(file)


@contextmanager
def run_gateway(site: Site, catalog: Catalog, directory: Path, *, next_hop: str) -> Iterator[Gateway]:
    """Every site of the gateway, with an empty console."""
    directory.mkdir()
    state = directory / "console.json"
    write_state(state, {})
    command = site.command(
        "env", f"PYTHONPATH={_TESTS}", sys.executable, "-m", "mail_lab.policy", str(state), NAME_SERVER
    )
    outbound = outbound_addresses(catalog)
    with ExitStack() as stack:
        log = directory / "policy.log"
        stack.enter_context(running(command, log=log, is_ready=lambda: site.is_listening(*_POLICY)))
        sites = {
            region: stack.enter_context(
                run_postfix(
                    site,
                    directory / region,
                    listen=INBOUND[region],
                    parameters=_parameters(region, outbound[region], next_hop),
                    services=[_transport_service(address) for address in outbound[region]],
                )
            )
            for region in REGIONS
        }
        yield Gateway(sites, state)


def _parameters(region: str, addresses: tuple[str, ...], next_hop: str) -> dict[str, str]:
    policy = f"check_policy_service inet:{_POLICY[0]}:{_POLICY[1]}"
    return {
        "myhostname": f"{region}.gateway.lab",
        # only what the console and the verification let through is relayed; everybody else's recipients are refused
        "smtpd_relay_restrictions": f"{policy}, reject",
        "smtpd_recipient_restrictions": "permit",
        "transport_maps": _transports(addresses, next_hop),
        "smtp_connection_cache_on_demand": "no",
        "smtp_bind_address": "",
        "smtp_bind_address_enforce": "yes",
    }


def _transports(addresses: tuple[str, ...], next_hop: str) -> str:
    """The sender's own domain gets its bounces; the rest goes to the next hop from each address in turn."""
    rotation = ", ".join(f"{_transport(address)}:[{next_hop}]" for address in addresses)
    # transport(5) asks every table for the whole recipient first, so the table for one domain has to match that
    own = f"regexp:{{{{/@{re.escape(SENDER_DOMAIN)}/ smtp:[{BOUNCES}]}}}}"
    return f"{own}, randmap:{{{rotation}}}"


def _transport(address: str) -> str:
    return f"from-{address.replace('.', '-')}"


def _transport_service(address: str) -> str:
    return f"{_transport(address)} unix - - n - - smtp -o smtp_bind_address={address}"
