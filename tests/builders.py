"""Builders of the core's data: each has a default for everything, and a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from reconciler.catalog import Catalog, load_catalog
from reconciler.desired import build_desired
from reconciler.document import PlanDocument, PlanHead, build_document
from reconciler.gates import Facts
from reconciler.history import NO_HISTORY, TOKENS_VISIBLE, History, MxSighting
from reconciler.manifest.fleet import Attestation, Domain, Source, Verification, Waiver
from reconciler.names import Name, canonical_name
from reconciler.plan import plan_domain
from reconciler.state import (
    Absent,
    Key,
    Observation,
    Observed,
    Present,
    Rdata,
    ServerAnswer,
    Zone,
    build_rrset,
)
from reconciler.surroundings import DnssecSight, HostSight, SmtpSight, Surroundings, TlsSight

if TYPE_CHECKING:
    from collections.abc import Mapping

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=60)
VISIBLE = {TOKENS_VISIBLE: LONG_AGO}
SOURCE = Source("manifests/acme.yaml", 7)
TXT_KEY = Key(Name("_amazonses.acme.example."), "TXT")
MX_KEY = Key(Name("acme.example."), "MX")
PRIMARY = Rdata('"primary-token"')
SECONDARY = Rdata('"secondary-token"')
OLD_MX = Rdata("10 mail.acme.example.")
EU = Rdata("0 inbound-smtp.eu-west-1.amazonaws.com.")
EU_MULTI = Rdata("0 eu.mx-pp.com.")


@cache
def catalog() -> Catalog:
    """The shipped catalog."""
    return load_catalog()


def attestation(**changes: Any) -> Attestation:  # noqa: ANN401
    """An allowlist attestation without a region and without the multi-region flag."""
    given = Attestation("allowlist", "ops@acme.example", date(2026, 11, 1), None, None, None)
    return given._replace(**changes)


def waiver(gate: str, **changes: Any) -> Waiver:  # noqa: ANN401
    """A waiver that counts."""
    return Waiver(gate, "boss@acme.example", "we know", date(2027, 6, 30))._replace(**changes)


CONSOLE = (
    attestation(what="console"),
    attestation(what="verified", multi_region=True),
    attestation(what="multi-region"),
)


def domain(**changes: Any) -> Domain:  # noqa: ANN401
    """acme.example in the eu region, without multi-region, with both tokens and an attested allowlist."""
    given = Domain(
        name=canonical_name("acme.example"),
        written="acme.example",
        organization="acme",
        service="hq",
        kind="exchange",
        connection="mx",
        region="eu",
        multi_region=False,
        next_hops=(canonical_name("mail.acme.example"),),
        verification=Verification("primary-token", "secondary-token"),
        zone=None,
        provider=None,
        mx_exclusive=True,
        mx_host=None,
        ttl=None,
        attestations=(attestation(), *CONSOLE),
        waivers=(),
        source=SOURCE,
    )
    return replace(given, **changes)


def present(key: Key, *rdatas: str, ttl: int = 3600) -> Present:
    """An rrset that is there."""
    return Present(build_rrset(key, ttl, tuple(Rdata(r) for r in rdatas)))


def observation(key: Key, *observed: Observed) -> Observation:
    """What the servers ns1, ns2, ... of acme.example said."""
    servers = tuple(f"ns{i}.acme.example." for i in range(1, len(observed) + 1))
    zone = Zone(Name("acme.example."), servers)
    return Observation(key, zone, tuple(ServerAnswer(s, o) for s, o in zip(servers, observed, strict=True)))


def facts(
    declared: Domain | None = None,
    *,
    txt: Observed | Observation | None = None,
    mx: Observed | Observation | None = None,
    **changes: Any,  # noqa: ANN401
) -> Facts:
    """Facts of one domain; what is not given was observed to be absent at both of two servers.

    Its MX has been the same for long, and nothing around it stands in the way of a switch.
    """
    changes.setdefault(
        "history", settled(*mx.rrset.rdatas, ttl=mx.rrset.ttl) if isinstance(mx, Present) else NO_HISTORY
    )
    desired = build_desired(declared or domain(), catalog(), changes["history"])
    changes.setdefault("surroundings", surroundings())
    given: Mapping[Key, Observed | Observation | None] = {TXT_KEY: txt, MX_KEY: mx}
    observations = {}
    for key, what in given.items():
        said = Absent() if what is None else what
        observations[key] = said if isinstance(said, Observation) else observation(key, said, said)
    return Facts(desired, observations, catalog(), NOW, **changes)


def surroundings(**changes: Any) -> Surroundings:  # noqa: ANN401
    """Nothing that stands in the way: every host answers with TLS, no policy, no SPF."""
    hosts = {
        Name("mail.acme.example."): HostSight(("192.0.2.25",)),
        Name("inbound-smtp.eu-west-1.amazonaws.com."): HostSight(("198.51.100.1",)),
        Name("eu.mx-pp.com."): HostSight(("198.51.100.2",)),
    }
    tls = TlsSight("TLSv1.3", ("mail.acme.example",))
    given = Surroundings(
        hosts=hosts,
        smtp=dict.fromkeys(hosts, SmtpSight(52428800, tls)),
        mta_sts=Absent(),
        apex_txt=Absent(),
        wildcard_mx=Absent(),
        dnssec=DnssecSight(is_signed=False),
    )
    return replace(given, **changes)


def settled(*mx: str, ttl: int = 3600) -> History:
    """The history of a domain that has shown this MX for so long that no sender holds another one."""
    sighting = MxSighting(tuple(sorted(Rdata(v) for v in mx)), ttl, LONG_AGO, NOW)
    return History(mx=(sighting,), first_seen=VISIBLE)


def document(*given: Facts, declared: str = "sha256:d", **changes: Any) -> PlanDocument:  # noqa: ANN401
    """The document of a plan for these facts, one domain each, made at NOW; all are `declared` alike."""
    head = PlanHead(
        **{
            "commit": "0" * 40,
            "manifests_digest": "sha256:m",
            "catalog_digest": "sha256:c",
            "settings_digest": "sha256:s",
            "created_at": NOW,
            "expires_at": NOW + timedelta(hours=24),
        }
        | changes
    )
    plans = [plan_domain(f, provider="bind", new_ttl=3600) for f in given or (facts(mx=present(MX_KEY, OLD_MX)),)]
    digests: dict[str, str] = {p.domain.name: declared for p in plans}
    return build_document(head, plans, [d for p in plans for d in p.diagnostics], declared=digests)
