"""The gateway: its console, its verification of mail domains, and the addresses from which it delivers.

Facts are the catalog's. What the vendor's pages leave open is taken at its worst: a domain is refused from the moment
at which a verification value of its region is missing at any server (the pages say within 72 hours); mail is relayed
from any address of the region of any entry that the host serves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from reconciler.catalog.model import Catalog
    from simulator.authority import Key, Zone
    from simulator.clock import Clock


@dataclass
class ConsoleEntry:
    """One mail domain in the console of one region; `verified` are those of its values that were found in DNS.

    `tokens` are the primary region's value and the secondary's.
    """

    next_hops: tuple[str, ...]
    tokens: tuple[str, str]
    verified: set[str] = field(default_factory=set)


class Relay(NamedTuple):
    """One way of a mail out of the gateway: the address it comes from, and the host it goes to."""

    address: str
    next_hop: str


@dataclass
class Gateway:
    """One organization's entries by mail domain and region, and the regions in which its multi-region flag is set.

    `patience` (seconds) is how long a value must have been shown until the gateway has found it.
    """

    clock: Clock
    catalog: Catalog
    zone: Zone
    patience: int
    entries: dict[tuple[str, str], ConsoleEntry] = field(default_factory=dict)
    multi_region: set[str] = field(default_factory=set)

    def token_key(self, domain: str) -> Key:
        """Where a mail domain's verification values stand."""
        return (f"{self.catalog.verification_label}.{domain}", "TXT")

    def add_domain(self, domain: str, region: str, next_hops: tuple[str, ...], tokens: tuple[str, str]) -> None:
        """Add a mail domain to the console of a region, or give its entry other next hops."""
        entry = self.entries.get((domain, region))
        if entry is None:
            self.entries[domain, region] = ConsoleEntry(next_hops, tokens)
        else:
            entry.next_hops = next_hops
        self.look()

    def look(self) -> None:
        """Look for verification values in DNS: what is missing is withdrawn at once, what is there is found later."""
        for (domain, _), entry in self.entries.items():
            for token in entry.tokens:
                if not self._is_shown(domain, token):
                    entry.verified.discard(token)
                elif token not in entry.verified:
                    when = self.clock.now + self.patience
                    self.clock.schedule(when, lambda d=domain, e=entry, t=token: self._find(d, e, t))  # type: ignore[misc]

    def _find(self, domain: str, entry: ConsoleEntry, token: str) -> None:
        if self._is_shown(domain, token):
            entry.verified.add(token)

    def _is_shown(self, domain: str, token: str) -> bool:
        return self.zone.is_shown_everywhere(self.token_key(domain), token)

    def is_verified(self, domain: str, region: str, *, multi_region: bool) -> bool:
        """Whether the console shows the domain as Verified, for both regions where multi-region is asked about."""
        entry = self.entries.get((domain, region))
        if entry is None:
            return False
        needed = set(entry.tokens if multi_region else entry.tokens[:1])
        return needed <= entry.verified

    def is_host(self, host: str) -> bool:
        """Whether a host is one of the gateway's."""
        return bool(self._states(host))

    def _states(self, host: str) -> list[tuple[str, bool]]:
        return [
            (region.id, flag)
            for region in self.catalog.regions.values()
            for flag, name in ((False, region.mx_host), (True, region.mx_host_multi_region))
            if name == host
        ]

    def relays(self, domain: str, host: str) -> set[Relay]:
        """Every way that mail for a domain may take from one of the gateway's hosts; empty: it is refused (550)."""
        ways: set[Relay] = set()
        for region, flag in self._states(host):
            entry = self.entries.get((domain, region))
            if entry is None or (flag and region not in self.multi_region):
                continue
            if self.is_verified(domain, region, multi_region=flag):
                addresses = self.catalog.addresses(region, multi_region=flag)
                ways |= {Relay(address, hop) for address in addresses for hop in entry.next_hops}
        return ways
