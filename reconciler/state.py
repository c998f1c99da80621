"""The shared vocabulary: rrsets in their universal form, and what was observed: present, absent or unknown.

Rdata is text in RFC 1035 presentation format as dnspython prints it: lossless, ASCII, hashable. Two rdatas are equal
exactly when their texts are. Nothing here reads the world.

What there is several of for each rrset is immutable to mypy alone (`Final`): making a frozen dataclass takes three
times as long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, NewType

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from reconciler.names import Name

Rdata = NewType("Rdata", str)


class Key(NamedTuple):
    """What names an rrset inside the class IN: its owner name and its type, as in `("acme.example.", "MX")`."""

    name: Name
    type: str


@dataclass(slots=True, unsafe_hash=True)
class RRset:
    """An rrset: `ttl` in seconds, `rdatas` sorted and without duplicates (RFC 2181 section 5)."""

    key: Final[Key]
    ttl: Final[int]
    rdatas: Final[tuple[Rdata, ...]]


class Cause(StrEnum):
    """Why something is unknown. None of them is ever taken for absence."""

    TIMEOUT = "timeout"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    NETWORK = "network"
    MALFORMED = "malformed"
    NOT_AUTHORITATIVE = "not-authoritative"
    NO_SUCH_ZONE = "no-such-zone"
    DELEGATED = "delegated"
    CNAME = "cname"
    DISAGREE = "servers-disagree"
    UNREADABLE = "unreadable"
    STALE_EXPORT = "stale-export"
    NOT_PROBED = "not-probed"


@dataclass(slots=True, unsafe_hash=True)
class Present:
    """The rrset is there."""

    rrset: Final[RRset]


@dataclass(frozen=True, slots=True)
class Absent:
    """An authoritative answer says that there is no such rrset (NXDOMAIN or NODATA, RFC 2308).

    `is_covered` where the mail domain's own name does not exist and a wildcard answers for it (RFC 4592): a record at
    the name, or below it, ends that. Not looked for at other names.
    """

    is_covered: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It could not be found out; `detail` is one sentence for people."""

    cause: Cause
    detail: str


Observed = Present | Absent | Unknown


@dataclass(slots=True, unsafe_hash=True)
class ServerAnswer:
    """What one authoritative server (its name or address; a file's path for master files) said."""

    server: Final[str]
    observed: Final[Observed]


@dataclass(slots=True, unsafe_hash=True)
class Zone:
    """A zone and every authoritative server that it has, sorted."""

    apex: Final[Name]
    servers: Final[tuple[str, ...]]


@dataclass(slots=True, unsafe_hash=True, init=False)
class Observation:
    """Everything that was learnt about one rrset: `zone` is None where not even the zone could be found.

    `observed` is what the servers that answered agree on; unknown when none answered or when they differ. A server that
    did not answer does not outvote one that did: whoever needs every server looks at `answers`.
    """

    key: Final[Key]
    zone: Final[Zone | None]
    answers: Final[tuple[ServerAnswer, ...]]
    observed: Observed = field(init=False, repr=False, compare=False)

    def __init__(self, key: Key, zone: Zone | None, answers: tuple[ServerAnswer, ...]) -> None:
        """Compare the answers once: every gate and step of the domain asks for the result."""
        self.key = key
        self.zone = zone
        self.answers = answers
        self.observed = answers[0].observed if len(answers) == 1 else _agreed(answers)


def _agreed(answers: tuple[ServerAnswer, ...]) -> Observed:
    unknowns = [a.observed for a in answers if isinstance(a.observed, Unknown)]
    for unknown in unknowns:
        # facts about the name itself, which outrank whatever the other servers still say
        if unknown.cause in {Cause.CNAME, Cause.DELEGATED}:
            return unknown
    definite = [a for a in answers if not isinstance(a.observed, Unknown)]
    if not definite:
        return unknowns[0] if unknowns else Unknown(Cause.NETWORK, "no authoritative server could be asked")
    first = definite[0].observed
    if len(definite) > 1 and len({_content(a.observed) for a in definite}) > 1:
        detail = "; ".join(f"{a.server}: {_described(a.observed)}" for a in definite)
        return Unknown(Cause.DISAGREE, f"the zone's servers disagree: {detail}")
    return first


def _content(observed: Observed) -> tuple[Rdata, ...]:
    return observed.rrset.rdatas if isinstance(observed, Present) else ()


def _described(observed: Observed) -> str:
    return ", ".join(_content(observed)) or "nothing"


def rdata_text(rdata: dns.rdata.Rdata) -> Rdata:
    """The universal form of a dnspython rdata.

    Names inside MX rdata are lowercased, because they compare without case (RFC 4343); every other rdata keeps its
    octets.
    """
    text = rdata.to_text()
    return Rdata(text.lower() if rdata.rdtype == dns.rdatatype.MX else text)


def parsed_rdata(key: Key, rdata: Rdata) -> dns.rdata.Rdata:
    """The dnspython rdata of a universal form: the inverse of `rdata_text`."""
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(key.type), rdata)


def build_rrset(key: Key, ttl: int, rdatas: frozenset[Rdata] | tuple[Rdata, ...]) -> RRset:
    """An rrset with its rdatas in the one order that makes equal rrsets compare equal."""
    return RRset(key, ttl, tuple(sorted(set(rdatas))))


def txt_rdata(value: str) -> Rdata:
    """The rdata of a TXT record whose only character-string is `value` (printable ASCII, at most 255 octets)."""
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return Rdata(f'"{value}"')


def mx_rdata(preference: int, exchange: Name) -> Rdata:
    """The rdata of an MX record (RFC 1035 section 3.3.9)."""
    return Rdata(f"{preference} {exchange}")


def mx_exchange(rdata: Rdata) -> Name:
    """The host that an MX rdata names."""
    return Name(rdata.split(" ", 1)[1])
