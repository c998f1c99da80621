"""SPF records as far as the gates read them (RFC 7208): which mechanisms name the domain's MX, which its addresses."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from reconciler.addresses import AddressSet, Interval, address_set
from reconciler.names import InvalidNameError, Name, canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dns.rdtypes.txtbase import TXTBase

    from reconciler.state import Rdata, RRset

_VERSION = "v=spf1"
_TERM = re.compile(r"([-+?~]?)([a-z][a-z0-9]*)(?::([^/ ]*))?((?:/[^ ]*)?)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One mechanism: `value` is what follows the colon, empty where nothing does; `prefix` begins with a slash."""

    written: str
    qualifier: str
    name: str
    value: str
    prefix: str


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """One record's mechanisms in their order, up to `all`: nothing after that counts (RFC 7208 section 5.1)."""

    mechanisms: tuple[Mechanism, ...]

    def mx(self, domain: Name) -> tuple[Mechanism, ...]:
        """The `mx` mechanisms that let the hosts of this domain's own MX send."""
        return tuple(m for m in self.mechanisms if m.name == "mx" and m.qualifier == "+" and _is_about(m.value, domain))

    @property
    def networks(self) -> tuple[tuple[Mechanism, AddressSet], ...]:
        """Each `ip4` and `ip6` mechanism that lets addresses send, with these."""
        found = ((m, _network(m)) for m in self.mechanisms if m.name in {"ip4", "ip6"} and m.qualifier == "+")
        return tuple((m, addresses) for m, addresses in found if addresses)

    @property
    def addresses(self) -> AddressSet:
        """All addresses that `ip4` and `ip6` let send."""
        return address_set(interval for _, addresses in self.networks for interval in addresses.intervals)


def spf_records(rrset: RRset) -> tuple[SpfRecord, ...]:
    """The SPF records of a TXT rrset; more than one is a permanent error for who reads them (section 4.5)."""
    texts = map(_text, rrset.rdatas)
    return tuple(SpfRecord(tuple(_mechanisms(t))) for t in texts if t.split(" ", 1)[0].lower() == _VERSION)


def _text(value: Rdata) -> str:
    """The character-strings of a TXT rdata, joined without a space (section 3.3)."""
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, value)
    return b"".join(cast("TXTBase", rdata).strings).decode("ascii", errors="replace")


def _mechanisms(text: str) -> Iterator[Mechanism]:
    for written in text.split(" ")[1:]:
        found = _TERM.fullmatch(written)
        if found is None:
            continue  # a modifier (redirect=, exp=), or nothing that a reader would understand
        mechanism = Mechanism(written, found[1] or "+", found[2].lower(), found[3] or "", found[4])
        yield mechanism
        if mechanism.name == "all":
            return


def _is_about(value: str, domain: Name) -> bool:
    """Whether a domain-spec is the domain; one with a macro (section 7) may be."""
    if not value or "%" in value:
        return True
    try:
        return canonical_name(value) == domain
    except InvalidNameError:
        return False


def _network(mechanism: Mechanism) -> AddressSet:
    """The addresses of an ip4 or ip6 mechanism; none where it is no network."""
    text = mechanism.written.partition(":")[2]
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return AddressSet()
    return AddressSet((Interval(network.version, int(network[0]), int(network[-1])),))
