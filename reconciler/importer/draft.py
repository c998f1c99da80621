"""What one domain's manifest can say from its DNS, and what it cannot: pure.

Observed MX hosts become next hops, unless the gateway stands there already: then the MX tells the region instead, and
only people know where clean mail goes. Values at the verification name become tokens where the gateway stands already
and there is no choice to make: elsewhere they may be anybody's, and what is declared goes when the domain leaves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from reconciler.manifest.forms import TOKEN_PATTERN
from reconciler.names import ROOT, InvalidNameError, Name, canonical_name, display_name
from reconciler.state import Cause, Present, Unknown, mx_exchange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.catalog import Catalog
    from reconciler.importer.request import Request
    from reconciler.state import Observation, Observed, Rdata

_TOKEN = re.compile(f'"({TOKEN_PATTERN})"', re.ASCII)
# `key=value`, and characters that no value of the gateway's console has
_FOREIGN_LOOK = re.compile(r"[A-Za-z0-9._-]+=[^=]|[;:,<>@|`]", re.ASCII)

_TAKEN = "Taken from DNS, because the MX is the gateway's."
_COMPARE = "Declare what the console shows and nothing else: a declared value is removed when the domain leaves."

State = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """What was observed for one request. `hosts` has what was seen at the A name of MX hosts, where they were asked.

    `name_servers` are hosts as the zone's NS rrset names them, and hostile like every value here.
    """

    request: Request
    mx: Observation
    txt: Observation
    name_servers: tuple[str, ...]
    hosts: Mapping[Name, Observed]


@dataclass(frozen=True, slots=True)
class Hops:
    """Next hops in the order of preference; `gateway` are the gateway's hosts that the MX names.

    Notes are sentences.
    """

    hosts: tuple[Name, ...]
    gateway: tuple[Name, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Verification values; None where one must be filled in. Notes are sentences."""

    primary: str | None
    secondary: str | None
    notes: tuple[str, ...]


def find_hops(facts: DomainFacts, catalog: Catalog) -> Hops:
    """The next hops that the present MX tells."""
    observed = facts.mx.observed
    if isinstance(observed, Unknown):
        return Hops((), (), (f"The MX could not be read ({observed.cause}): {_sentence(observed.detail)}",))
    if not isinstance(observed, Present):
        implicit = "There is no MX: senders use the addresses of the domain itself (RFC 5321 section 5.1)."
        return Hops((), (), (implicit,))
    ordered = sorted(observed.rrset.rdatas, key=_by_preference)
    gateway = [v for v in ordered if catalog.is_gateway_host(mx_exchange(v))]
    others = [v for v in ordered if v not in gateway]
    if gateway:
        notes = [f"The MX is the gateway already ({', '.join(gateway)}): only people know where clean mail goes."]
        if others:
            notes.append(f"Beside it stands {', '.join(others)}, which may be a next hop, and lets mail pass by.")
        return Hops((), tuple(mx_exchange(v) for v in gateway), tuple(notes))
    hosts: list[Name] = []
    notes = []
    for rdata in others:
        host, problem = _next_hop(rdata, facts.hosts)
        if host is not None and host not in hosts:
            hosts.append(host)
        notes += [problem] if problem else []
    return Hops(tuple(hosts), (), tuple(notes))


def _by_preference(rdata: Rdata) -> tuple[int, str]:
    return int(rdata.split(" ", 1)[0]), rdata


def _next_hop(rdata: Rdata, hosts: Mapping[Name, Observed]) -> tuple[Name | None, str]:
    """The host of an MX value, None where it cannot be a next hop, and what to know about it."""
    exchange = mx_exchange(rdata)
    if exchange == ROOT:
        return None, "The MX is a null MX (RFC 7505): the domain says that it takes no mail."
    try:
        host = canonical_name(exchange)
        IPv4Address(display_name(host))
    except InvalidNameError:
        return None, f"The MX value {rdata} names no host."
    except ValueError:
        observed = hosts.get(host)
        if isinstance(observed, Unknown) and observed.cause is Cause.CNAME:
            advice = "an MX must not point there (RFC 2181 section 10.3), so name the host behind it."
            return host, f"{_sentence(observed.detail)[:-1]}: {advice}"
        return host, ""
    return None, f"The MX value {rdata} is an address and no name: name the host that has it."


def find_states(hops: Hops, catalog: Catalog) -> tuple[State, ...]:
    """Each (region, multi-region flag) that the gateway hosts in the MX can belong to; empty when nothing is known."""
    possible = [set(catalog.states_with_mx_host(host)) for host in hops.gateway]
    return tuple(sorted(set.intersection(*possible))) if possible else ()


def find_tokens(facts: DomainFacts, *, is_behind_gateway: bool, multi_region: bool | None) -> Tokens:
    """The verification values, only of a domain whose MX is the gateway's; `multi_region` is None while not known."""
    observed = facts.txt.observed
    if isinstance(observed, Unknown):
        return Tokens(None, None, (f"The name could not be read ({observed.cause}): {_sentence(observed.detail)}",))
    values = observed.rrset.rdatas if isinstance(observed, Present) else ()
    candidates = [found[1] for v in values if (found := _TOKEN.fullmatch(v)) and not _FOREIGN_LOOK.search(found[1])]
    foreign = [v for v in values if v[1:-1] not in candidates]
    notes = [f"Foreign, as it seems, and left alone: {v}" for v in foreign]
    if not candidates:
        return Tokens(None, None, (*notes, "No value of the gateway was found there."))
    if is_behind_gateway:
        match candidates:
            case [only]:
                notes.append(f"{_TAKEN} {_COMPARE}")
                if multi_region:
                    notes.append("One value was found, and multi-region has two: check which region's it is.")
                return Tokens(only, None, tuple(notes))
            case [first, second] if multi_region:
                notes.append("DNS does not tell which of the two is for which region: compare them with the console.")
                notes.append(f"{_TAKEN} {_COMPARE}")
                return Tokens(first, second, tuple(notes))
    notes += [f"Found there, choose with the console: {value}" for value in candidates]
    if not is_behind_gateway:
        notes.append(f"The MX does not show the gateway, so it may be somebody else's. {_COMPARE}")
    return Tokens(None, None, tuple(notes))


@dataclass(frozen=True, slots=True)
class OrganizationState:
    """The region and the multi-region flag, each None where DNS does not tell it. Notes are sentences.

    `is_new` where no domain is behind the gateway yet, so that the flag is a decision and no observation.
    """

    region: str | None
    multi_region: bool | None
    notes: tuple[str, ...]
    is_new: bool = False


def combine_states(states: Sequence[tuple[Request, tuple[State, ...]]], *, is_protected: bool) -> OrganizationState:
    """The state of an organization from those of its domains; `is_protected` when any MX is the gateway's already."""
    known = [(request, found) for request, found in states if found]
    if not known:
        if is_protected:
            note = "The MX names a host of the gateway that the catalog gives to no region."
            return OrganizationState(None, None, (note,))
        note = "No domain is behind the gateway yet: the console tells the region (Account > Preferences)."
        return OrganizationState(None, None, (note,), is_new=True)
    common = set.intersection(*(set(found) for _, found in known))
    if not common:
        listed = [f"{display_name(request.domain)}: {_described(found)}." for request, found in known]
        note = "The domains' MX values belong to different states, and an organization has one:"
        return OrganizationState(None, None, (note, *listed))
    regions, flags = {region for region, _ in common}, {flag for _, flag in common}
    notes = [] if len(common) == 1 else [f"The MX is the same for several states: {_described(sorted(common))}."]
    return OrganizationState(
        regions.pop() if len(regions) == 1 else None, flags.pop() if len(flags) == 1 else None, tuple(notes)
    )


def _described(states: Sequence[State]) -> str:
    return " or ".join(f"{region} with multi-region {'on' if flag else 'off'}" for region, flag in states)


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}."
