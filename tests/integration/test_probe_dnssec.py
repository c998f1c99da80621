"""DNSSEC as a resolver tells it: unbound validates zones that BIND's tools have signed, and one that was altered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from servers.bind import run_bind
from servers.observing import Asking
from servers.probing import Probing, look_around, wanted
from servers.validating import run_unbound, signed_zone

from reconciler.names import Name
from reconciler.state import Absent, Cause, Unknown
from reconciler.surroundings import DnssecSight, HostSight, TlsaSight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.surroundings import Surroundings

pytestmark = pytest.mark.integration

HEAD = """$TTL 300
@ IN SOA ns1.example. hostmaster.example. 1 3600 600 86400 60
@ IN NS ns1.example.
"""
CHILD = f"{HEAD}@ IN MX 10 mail\nmail IN A 192.0.2.1\n_25._tcp.mail IN TLSA 3 1 1 {'0' * 64}\n"


@pytest.fixture(scope="module")
def resolvers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Asking, Asking]]:
    """One that validates and one that does not, in front of the same server."""
    directory = tmp_path_factory.mktemp("dnssec")
    good, good_ds = signed_zone("good.example.", CHILD, directory / "good")
    bogus, bogus_ds = signed_zone("bogus.example.", CHILD, directory / "bogus")
    # somebody edits past the signer
    altered = bogus.replace("10 mail.bogus.example.", "0 eu.gateway.example.")
    assert altered != bogus
    delegations = "".join(f"{child} IN NS ns1\n" for child in ("good", "bogus", "plain", "lost"))
    # lost.example. is a zone whose keys are gone: the parent still vouches for them
    lost_ds = bogus_ds.replace("bogus.example.", "lost.example.")
    parent = f"{HEAD}ns1 IN A 127.0.0.1\n{delegations}{good_ds}{bogus_ds}{lost_ds}"
    signed_parent, anchor = signed_zone("example.", parent, directory / "parent")
    zones = {
        "example.": signed_parent,
        "good.example.": good,
        "bogus.example.": altered,
        "plain.example.": CHILD,
        "lost.example.": CHILD,
    }
    with run_bind(zones, directory=directory / "bind", allow_update=False) as server:
        stubs = dict.fromkeys(zones, (server.address, server.port))
        with (
            run_unbound(stubs, directory=directory / "one", trust_anchors=[" ".join(anchor.split())]) as validating,
            run_unbound(stubs, directory=directory / "two") as plain,
        ):
            servers = ((server.address, server.port),)
            yield Asking(servers, (validating,), timeout=4), Asking(servers, (plain,), timeout=4)


def around(asking: Asking, domain: str) -> Surroundings:
    mail = f"mail.{domain}"
    return look_around(asking, Probing(), wanted(domain, observed=mail), seconds=30)[Name(f"{domain}.")]


def test_signed_zone_and_authenticated_tlsa(resolvers: tuple[Asking, Asking]) -> None:
    found = around(resolvers[0], "good.example")
    assert found.dnssec == DnssecSight(is_signed=True)
    assert found.tlsa == {Name("mail.good.example."): TlsaSight(1, is_authenticated=True)}


def test_unsigned_zone(resolvers: tuple[Asking, Asking]) -> None:
    found = around(resolvers[0], "plain.example")
    assert found.dnssec == DnssecSight(is_signed=False)
    assert found.tlsa == {Name("mail.plain.example."): TlsaSight(1, is_authenticated=False)}


def test_altered_zone_is_refused_by_those_who_validate(resolvers: tuple[Asking, Asking]) -> None:
    found = around(resolvers[0], "bogus.example")
    problem = "validation fails: the resolver refuses MX bogus.example. and answers it unchecked"
    assert found.dnssec == DnssecSight(is_signed=True, problem=problem)
    assert found.hosts == {Name("mail.bogus.example."): HostSight(("192.0.2.1",))}


def test_zone_without_the_keys_its_parent_vouches_for(resolvers: tuple[Asking, Asking]) -> None:
    found = around(resolvers[0], "lost.example")
    assert isinstance(found.dnssec, DnssecSight)
    assert found.dnssec.is_signed
    assert "MX lost.example." in found.dnssec.problem
    tlsa = found.tlsa[Name("mail.lost.example.")]
    assert isinstance(tlsa, Unknown)
    assert tlsa.cause is Cause.SERVFAIL


def test_resolver_that_does_not_validate_sees_no_problem(resolvers: tuple[Asking, Asking]) -> None:
    found = around(resolvers[1], "bogus.example")
    assert found.dnssec == DnssecSight(is_signed=True)
    assert found.tlsa == {Name("mail.bogus.example."): TlsaSight(1, is_authenticated=False)}


def test_server_of_the_zone_alone_does_not_tell_whether_it_is_signed(tmp_path: Path) -> None:
    """Its own NODATA at the apex says nothing of the parent's DS (RFC 4035 section 3.1.4.1)."""
    with run_bind({"plain.example.": CHILD}, directory=tmp_path) as server:
        found = around(Asking(((server.address, server.port),)), "plain.example")
    assert isinstance(found.dnssec, Unknown)
    assert found.dnssec.cause is Cause.NOT_AUTHORITATIVE
    assert found.mta_sts == Absent()
