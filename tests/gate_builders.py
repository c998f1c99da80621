"""Builders of what gates look at: a mail domain for which every gate of the switch passes; a test breaks one thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from builders import EU, MX_KEY, NOW, OLD_MX, PRIMARY, SOURCE, TXT_KEY, attestation, domain, facts, present

from reconciler.history import History, MxSighting
from reconciler.manifest.fleet import Lifecycle, ServiceAllowlist
from reconciler.names import Name
from reconciler.origin import AllowlistFact
from reconciler.state import Absent, Key, Observation, Observed, Present, Rdata
from reconciler.surroundings import DnssecSight, HostSight, MtaStsPolicy, SmtpSight, Surroundings, TlsSight
from reconciler.targets.base import AllowlistContent, DeclaredAllowlist, Enforcement, Intent, read_entries

if TYPE_CHECKING:
    from reconciler.gates import Facts
    from reconciler.manifest.fleet import Domain

HOP = Name("mail.acme.example.")
EU_HOST = Name("inbound-smtp.eu-west-1.amazonaws.com.")
HOP_ADDRESS = "192.0.2.1"
GATEWAY_ADDRESS = "203.0.113.9"
APEX_TXT = Key(Name("acme.example."), "TXT")
GOOD_TLS = TlsSight("TLSv1.3", ("mail.acme.example",))


def policy(*mx: str, mode: str = "enforce") -> MtaStsPolicy:
    """An MTA-STS policy that lists these patterns."""
    return MtaStsPolicy("20261101", mode, mx, 604800)


def smtp(*, size: int | None = 52428800, tls: TlsSight | None = GOOD_TLS, why: str = "") -> SmtpSight:
    """A mail server that answers."""
    return SmtpSight(size, tls, why)


def apex_txt(*texts: str) -> Present:
    """The TXT rrset at the domain; each text is one record."""
    return present(APEX_TXT, *(f'"{text}"' for text in texts))


def surroundings(**changes: Any) -> Surroundings:  # noqa: ANN401
    """A good next hop, a good gateway host, no MTA-STS, no SPF, no DNSSEC."""
    given = Surroundings(
        hosts={HOP: HostSight((HOP_ADDRESS,)), EU_HOST: HostSight((GATEWAY_ADDRESS,))},
        smtp={HOP: smtp(), EU_HOST: smtp(tls=TlsSight("TLSv1.3", ("*.eu-west-1.amazonaws.com",)))},
        tlsa={HOP: Absent(), EU_HOST: Absent()},
        mta_sts=Absent(),
        apex_txt=Absent(),
        wildcard_mx=Absent(),
        dnssec=DnssecSight(is_signed=False),
    )
    return replace(given, **changes)


def ready_domain(**changes: Any) -> Domain:  # noqa: ANN401
    """acme.example, with everything attested that the console shows."""
    whats = ("allowlist", "console", "verified")
    return domain(**{"attestations": tuple(attestation(what=what) for what in whats)} | changes)


def ready(
    declared: Domain | None = None,
    *,
    mx: Observed | Observation | None = None,
    txt: Observed | Observation | None = None,
    **changes: Any,  # noqa: ANN401
) -> Facts:
    """Facts of a domain whose MX may move to the gateway now; `around` are changes to its surroundings."""
    around = surroundings(**changes.pop("around", {}))
    seen = present(MX_KEY, OLD_MX) if mx is None else mx
    tokens = present(TXT_KEY, PRIMARY) if txt is None else txt
    return facts(declared or ready_domain(), mx=seen, txt=tokens, **{"surroundings": around} | changes)


def leaving(**changes: Any) -> Domain:  # noqa: ANN401
    """acme.example on its way out."""
    return ready_domain(**{"lifecycle": Lifecycle.OFFBOARDED} | changes)


def restrict_list(
    *entries: str,
    refusal: Enforcement = Enforcement.HARD,
    observed: object = None,
    export: str | None = "exports/access",
    target: str = "postfix-access",
) -> AllowlistFact:
    """A list that is to keep others out, and what becomes of these; `observed` instead of its content."""
    declared = DeclaredAllowlist(target, "", Intent.RESTRICT, exclusive=False)
    content = AllowlistContent(read_entries(entries), refusal=refusal) if observed is None else observed
    shown = None if export is None else content
    return AllowlistFact(ServiceAllowlist(declared, export, SOURCE), shown)  # type: ignore[arg-type]


def sighting(*rdatas: str, ttl: int | None = 3600, seen: timedelta, gone: timedelta | None = None) -> MxSighting:
    """An MX that was first seen so long before NOW, and gone so long before NOW."""
    last = NOW if gone is None else NOW - gone
    return MxSighting(tuple(Rdata(r) for r in rdatas), ttl, NOW - seen, last, None if gone is None else last)


def switched(ago: timedelta, *, ttl: int = 3600) -> History:
    """The history of a domain that was observed for a year and whose MX moved so long ago."""
    old = sighting(OLD_MX, ttl=ttl, seen=timedelta(days=365), gone=ago)
    return History(mx=(old, sighting(EU, seen=ago)))


def day(ago: int) -> date:
    """The day so many days before NOW."""
    return NOW.date() - timedelta(days=ago)
