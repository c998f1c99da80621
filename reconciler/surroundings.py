"""What was observed around one mail domain, beside the rrsets that it wants: what the gates of the switch look at.

Pure data. Each thing is what was seen, `Absent` where it is known not to be there, or `Unknown` with its cause; what
nobody asked for is not in a mapping. A mail domain whose MX is as desired has no surroundings: nothing was probed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.state import Absent, Cause, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.names import Name
    from reconciler.state import Observed

_NOT_PROBED = Unknown(Cause.NOT_PROBED, "nobody looked")


def seen_ago(age: timedelta) -> str:
    """What evidence adds where something was not seen just now: ` (seen 8 min ago)`; else nothing."""
    return f" (seen {max(1, round(age / timedelta(minutes=1)))} min ago)" if age else ""


@dataclass(frozen=True, slots=True)
class HostSight:
    """How a host name resolves: `addresses` (A, then AAAA) as text; `alias` is the target of a CNAME at the name.

    A host that exists and has no address is `Absent`, not this.
    """

    addresses: tuple[str, ...]
    alias: Name | None = None


@dataclass(frozen=True, slots=True)
class TlsSight:
    """A TLS session after STARTTLS.

    `version` as in "TLSv1.3"; `names` are the DNS names of the server's certificate (RFC 6125), lower case; `problem`
    is empty where the certificate's chain and dates are good, whatever its names.
    """

    version: str
    names: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SmtpSight:
    """One mail server after EHLO (RFC 5321 section 4.1.1.1).

    `size` is what SIZE announces in octets (RFC 1870), 0 for no limit, None where it is not announced. `tls` is None
    where STARTTLS is not offered or leads to no session; `tls_problem` then says why. `age` is how long ago an earlier
    run saw it; zero where this run did.
    """

    size: int | None
    tls: TlsSight | None
    tls_problem: str = ""
    age: timedelta = timedelta()

    @property
    def ago(self) -> str:
        """What evidence adds: see `seen_ago`."""
        return seen_ago(self.age)


@dataclass(frozen=True, slots=True)
class SmtpRefusal:
    """A mail server is reached and does not talk: it refuses the connection, or greets with 4xx or 5xx; why."""

    detail: str


@dataclass(frozen=True, slots=True)
class MtaStsPolicy:
    """An MTA-STS policy (RFC 8461 section 3.2).

    `id` is from the TXT record; `mode` is enforce, testing or none; `mx` are its patterns, lower case, as
    `*.example.com`; `max_age` is in seconds. `age` is how long ago an earlier run fetched it; zero where this run did.
    """

    id: str
    mode: str
    mx: tuple[str, ...]
    max_age: int
    age: timedelta = timedelta()

    @property
    def ago(self) -> str:
        """What evidence adds: see `seen_ago`."""
        return seen_ago(self.age)


@dataclass(frozen=True, slots=True)
class TlsaSight:
    """The TLSA rrset of a mail server (RFC 7672): its size, and whether the resolver's answer had the AD bit."""

    count: int
    is_authenticated: bool


@dataclass(frozen=True, slots=True)
class DnssecSight:
    """Whether the zone's parent has a DS; `problem` where a validating resolver refuses what a non-validating gets."""

    is_signed: bool
    problem: str = ""


Host = HostSight | Absent | Unknown
Smtp = SmtpSight | SmtpRefusal | Unknown


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything around one mail domain.

    `hosts` holds the next hops, the hosts of the observed MX and of the wanted one; `smtp` the next hops, and the
    wanted MX's host where an MTA-STS policy enforces; `tlsa` the hosts of the observed MX and of the wanted one;
    `shown_hosts` the names that give an origin away, as `mail.` below the domain. `apex_txt` is the TXT rrset at the
    domain, `wildcard_mx` the MX rrset at `*.` below it.
    """

    hosts: Mapping[Name, Host] = field(default_factory=dict)
    smtp: Mapping[Name, Smtp] = field(default_factory=dict)
    tlsa: Mapping[Name, TlsaSight | Absent | Unknown] = field(default_factory=dict)
    shown_hosts: Mapping[Name, Host] = field(default_factory=dict)
    mta_sts: MtaStsPolicy | Absent | Unknown = _NOT_PROBED
    apex_txt: Observed = _NOT_PROBED
    wildcard_mx: Observed = _NOT_PROBED
    dnssec: DnssecSight | Unknown = _NOT_PROBED

    def host(self, name: Name) -> Host:
        """How a host resolves; unknown where nobody looked."""
        return self.hosts.get(name, _NOT_PROBED)

    def mail_server(self, name: Name) -> Smtp:
        """What a mail server said; unknown where nobody looked."""
        return self.smtp.get(name, _NOT_PROBED)


NOT_PROBED = Surroundings()
"""Where nobody looked at anything."""
