"""Strategies of what gates look at: worlds of one mail domain, good, bad and unknown."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from builders import EU, EU_MULTI, MX_KEY, NOW, OLD_MX, PRIMARY, SECONDARY, TXT_KEY, attestation, facts, observation
from gate_builders import APEX_TXT, EU_HOST, HOP, day, ready_domain, restrict_list
from hypothesis import strategies as st

from reconciler.history import TOKENS_VISIBLE, History, MxSighting
from reconciler.manifest.fleet import Lifecycle, Verification
from reconciler.names import Name
from reconciler.state import Absent, Cause, Key, Observed, Present, Rdata, Unknown, build_rrset
from reconciler.surroundings import (
    NOT_PROBED,
    DnssecSight,
    HostSight,
    MtaStsPolicy,
    SmtpRefusal,
    SmtpSight,
    Surroundings,
    TlsaSight,
    TlsSight,
)
from reconciler.targets.base import Enforcement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.gates import Facts

T = TypeVar("T")

UNKNOWN = Unknown(Cause.TIMEOUT, "silence")
HOSTS = [HOP, Name("mail2.acme.example."), EU_HOST, Name("eu.mx-pp.com.")]
ADDRESSES = ["192.0.2.1", "2001:db8::1", "52.12.169.124", "203.0.113.9"]
WORDS = st.sampled_from(
    ["mx", "~mx", "mx:acme.example", "mx:%{d}/24", "ip4:192.0.2.0/24", "ip6:2001:db8::1", "ip4:", "-all", "a", "mx:/"]
)
DAYS = st.integers(-1, 40).map(day)
MOMENTS = st.integers(0, 100_000).map(lambda minutes: NOW - timedelta(minutes=minutes))


def maybe(*known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(Absent()), st.just(UNKNOWN), *known)


def rrsets(key: Key, values: Sequence[str], least: int = 1) -> st.SearchStrategy[Observed]:
    some = st.sets(st.sampled_from([Rdata(v) for v in values]), min_size=least)
    ttls = st.sampled_from([60, 3600, 86400])
    there = st.builds(lambda rdatas, ttl: Present(build_rrset(key, ttl, frozenset(rdatas))), some, ttls)
    return maybe(there)


MX_VALUES = (EU, EU_MULTI, OLD_MX, "10 mail2.acme.example.", "0 us.mx-pp.com.", "0 .")
MX = rrsets(MX_KEY, MX_VALUES)
TXT = rrsets(TXT_KEY, (PRIMARY, SECONDARY, '"other"'))
SPF = st.lists(WORDS, max_size=4).map(lambda words: " ".join(("v=spf1", *words)))
APEX = maybe(st.lists(SPF, min_size=1, max_size=2).map(lambda t: Present(build_rrset(APEX_TXT, 60, quoted(t)))))
SIGHTS = st.builds(
    HostSight,
    st.lists(st.sampled_from(ADDRESSES), max_size=2).map(tuple),
    st.none() | st.sampled_from(HOSTS),
)
TLS = st.builds(
    TlsSight,
    st.sampled_from(["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1", "SSLv3", ""]),
    st.lists(st.sampled_from(["mail.acme.example", "*.eu-west-1.amazonaws.com", "*"]), max_size=2).map(tuple),
    st.sampled_from(["", "expired"]),
)
SMTP = st.one_of(
    st.just(UNKNOWN),
    st.builds(SmtpRefusal, st.just("554 no")),
    st.builds(SmtpSight, st.none() | st.integers(0, 1 << 30), st.none() | TLS, st.sampled_from(["", "454 no"])),
)
POLICIES = st.builds(
    MtaStsPolicy,
    st.just("1"),
    st.sampled_from(["enforce", "testing", "none"]),
    st.lists(st.sampled_from(["mail.acme.example", "*.eu-west-1.amazonaws.com", "*.mx-pp.com", ""])).map(tuple),
    st.integers(0, 31557600),
)


def quoted(texts: Sequence[str]) -> frozenset[Rdata]:
    return frozenset(Rdata(f'"{text}"') for text in texts)


def by_host(values: st.SearchStrategy[T]) -> st.SearchStrategy[dict[Name, T]]:
    return st.dictionaries(st.sampled_from(HOSTS), values)


SURROUNDINGS = st.just(NOT_PROBED) | st.builds(
    Surroundings,
    hosts=by_host(maybe(SIGHTS)),
    smtp=by_host(SMTP),
    tlsa=by_host(maybe(st.builds(TlsaSight, st.just(1), st.booleans()))),
    shown_hosts=by_host(maybe(SIGHTS)),
    mta_sts=maybe(POLICIES),
    apex_txt=APEX,
    wildcard_mx=rrsets(Key(Name("*.acme.example."), "MX"), MX_VALUES),
    dnssec=st.just(UNKNOWN) | st.builds(DnssecSight, st.booleans(), st.sampled_from(["", "SERVFAIL"])),
)
ATTESTATIONS = st.builds(
    lambda what, on, expires, region, multi_region, next_hops: attestation(
        what=what, on=on, expires=expires, region=region, multi_region=multi_region, next_hops=next_hops
    ),
    st.sampled_from(
        [
            "console",
            "verified",
            "multi-region",
            "allowlist",
            "tls-check-off",
            "next-hop-tls",
            "restricted",
            "origin-open",
        ]
    ),
    DAYS,
    st.none() | DAYS,
    st.sampled_from([None, "eu", "us"]),
    st.sampled_from([None, True, False]),
    st.none() | st.just((HOP,)),
)
DOMAINS = st.builds(
    ready_domain,
    region=st.sampled_from(["eu", "us", "au"]),
    multi_region=st.booleans(),
    next_hops=st.lists(st.sampled_from(HOSTS), max_size=2, unique=True).map(tuple),
    verification=st.sampled_from(
        [Verification("primary-token", "secondary-token"), Verification("primary-token", None)]
    ),
    mx_exclusive=st.booleans(),
    switch_ttl=st.sampled_from([None, 60]),
    lifecycle=st.sampled_from(Lifecycle),
    connection=st.sampled_from(["mx", "mx", "mx", "api"]),
    attestations=st.lists(ATTESTATIONS, max_size=5).map(tuple),
)
SIGHTINGS = st.builds(
    lambda value, ttl, moments, is_gone: MxSighting(
        (Rdata(value),), ttl, moments[0], moments[1], moments[2] if is_gone else None
    ),
    st.sampled_from(MX_VALUES),
    st.none() | st.sampled_from([60, 86400]),
    st.tuples(MOMENTS, MOMENTS, MOMENTS).map(sorted),
    st.booleans(),
)
HISTORIES = st.builds(
    History,
    mx=st.lists(SIGHTINGS, max_size=3).map(tuple),
    first_seen=st.dictionaries(st.just(TOKENS_VISIBLE), MOMENTS),
    next_hops=st.lists(st.just(HOSTS[1]), max_size=1).map(tuple),
    next_hops_since=st.none() | MOMENTS,
)
LISTS = st.builds(
    lambda entries, refusal, export, target: restrict_list(*entries, refusal=refusal, export=export, target=target),
    st.lists(st.sampled_from(ADDRESSES), max_size=3),
    st.sampled_from(Enforcement),
    st.sampled_from([None, "exports/x"]),
    st.sampled_from(["postfix-access", "firewalld"]),
) | st.just(restrict_list(observed=UNKNOWN))


@st.composite
def worlds(draw: st.DrawFn) -> Facts:
    return facts(
        draw(DOMAINS),
        mx=observation(MX_KEY, *draw(st.lists(MX, max_size=2))),
        txt=observation(TXT_KEY, *draw(st.lists(TXT, max_size=2))),
        surroundings=draw(SURROUNDINGS),
        history=draw(HISTORIES),
        allowlists=tuple(draw(st.lists(LISTS, max_size=2))),
    )
