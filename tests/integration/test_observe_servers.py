"""BIND and Knot as the servers that the settings name: what they serve is what is observed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from servers.bind import run_bind
from servers.knot import run_knot
from servers.observing import Asking, observe_one, observed, question

from reconciler.observe.dns import LiveObserver
from reconciler.state import Absent, Cause, Present, ServerAnswer, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from servers.processes import NameServer

pytestmark = pytest.mark.integration

HEAD = """$TTL 300
@ IN SOA ns1 hostmaster 1 3600 600 86400 60
@ IN NS ns1
ns1 IN A 127.0.0.1
"""
BIG = "\n".join(f'big IN TXT "{n:03} {"x" * 200}"' for n in range(60))
ACME = f"""{HEAD}
@ 600 IN MX 10 Mail
@ 600 IN MX 20 mail2
_amazonses 120 IN TXT "token one" "second string"
_amazonses 120 IN TXT "back\\\\slash \\"quoted\\" \\200\\000"
alias IN CNAME elsewhere.example.
_amazonses.alias IN TXT "below an alias"
dname IN DNAME example.net.
empty.non.terminal IN A 192.0.2.1
cut IN NS ns.cut
ns.cut IN A 192.0.2.2
child IN NS ns1
* IN TXT "v=spf1 -all"
*.apps IN CNAME apps.example.net.
*.hosts IN A 192.0.2.3
exists.hosts IN TXT "so the wildcard does not cover it"
*.mails IN MX 10 mail
same IN TXT "v=spf1 -all"
{BIG}
"""
ZONES = {"acme.example.": ACME, "child.acme.example.": f'{HEAD}@ IN MX 5 mx\n_amazonses IN TXT "child"\n'}


@pytest.fixture(scope="module", params=[run_bind, run_knot], ids=["bind", "knot"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    """One server of each make for all tests of the module: they only read."""
    run: Callable[..., AbstractContextManager[NameServer]] = request.param
    with run(ZONES, directory=tmp_path_factory.mktemp("server")) as running:
        yield running


def asking(*servers: NameServer) -> Asking:
    return Asking(servers=tuple((s.address, s.port) for s in servers))


def test_present_with_the_ttl_served(server: NameServer) -> None:
    observation = observe_one(asking(server), question("acme.example.", "MX"))
    assert observation.zone is not None
    assert observation.zone.apex == "acme.example."
    assert observation.zone.servers == (f"127.0.0.1:{server.port}",)
    assert isinstance(observation.observed, Present)
    rrset = observation.observed.rrset
    assert rrset.ttl == 600
    assert rrset.rdatas == ("10 mail.acme.example.", "20 mail2.acme.example.")


def test_txt_values_keep_every_octet(server: NameServer) -> None:
    found = observed(asking(server), question("_amazonses.acme.example.", "TXT", domain="acme.example"))
    assert isinstance(found, Present)
    assert found.rrset.rdatas == ('"back\\\\slash \\"quoted\\" \\200\\000"', '"token one" "second string"')


@pytest.mark.parametrize(
    ("owner", "rdtype"),
    [
        ("acme.example.", "CAA"),
        ("nothing.here.acme.example.", "MX"),
        ("non.terminal.acme.example.", "MX"),
        ("acme.example.", "TXT"),
    ],
)
def test_nxdomain_and_nodata_are_absence(server: NameServer, owner: str, rdtype: str) -> None:
    assert observed(asking(server), question(owner, rdtype, domain="acme.example")) == Absent()


def test_name_servers_of_a_zone(server: NameServer) -> None:
    found = observed(asking(server), question("acme.example.", "NS"))
    assert isinstance(found, Present)
    assert found.rrset.rdatas == ("ns1.acme.example.",)


def test_a_truncated_rrset_comes_whole_over_tcp(server: NameServer) -> None:
    found = observed(asking(server), question("big.acme.example.", "TXT"))
    assert isinstance(found, Present)
    assert len(found.rrset.rdatas) == 60


@pytest.mark.parametrize(
    ("owner", "target"), [("alias.acme.example.", "elsewhere.example."), ("a.dname.acme.example.", "example.net.")]
)
def test_aliases_are_named(server: NameServer, owner: str, target: str) -> None:
    found = observed(asking(server), question(owner, "MX"))
    assert isinstance(found, Unknown)
    assert found.cause is Cause.CNAME
    assert target in found.detail


@pytest.mark.parametrize(
    ("owner", "rdtype"), [("cut.acme.example.", "MX"), ("mail.cut.acme.example.", "MX"), ("cut.acme.example.", "NS")]
)
def test_a_delegation_to_somebody_else(server: NameServer, owner: str, rdtype: str) -> None:
    observation = observe_one(asking(server), question(owner, rdtype))
    assert isinstance(observation.observed, Unknown)
    assert observation.observed.cause is Cause.DELEGATED
    assert "cut.acme.example." in observation.observed.detail
    assert observation.zone is not None
    assert observation.zone.apex == "acme.example."


def test_a_child_zone_on_the_same_server_is_the_zone(server: NameServer) -> None:
    observation = observe_one(asking(server), question("child.acme.example.", "MX"))
    assert isinstance(observation.observed, Present)
    assert observation.zone is not None
    assert observation.zone.apex == "child.acme.example."


@pytest.mark.parametrize(
    ("owner", "rdtype"),
    [("child.acme.example.", "MX"), ("_amazonses.child.acme.example.", "TXT"), ("child.acme.example.", "TXT")],
)
def test_a_child_zone_on_the_same_server_is_delegated_when_the_manifest_names_the_parent(
    server: NameServer, owner: str, rdtype: str
) -> None:
    asked = question(owner, rdtype, domain="child.acme.example", zone="acme.example")
    found = observed(asking(server), asked)
    assert isinstance(found, Unknown)
    assert found.cause is Cause.DELEGATED


def test_a_key_outside_the_zone_is_delegated(server: NameServer) -> None:
    found = observed(asking(server), question("other.example.", "MX", domain="acme.example"))
    assert isinstance(found, Unknown)
    assert found.cause is Cause.DELEGATED


def test_a_declared_zone_that_is_none(server: NameServer) -> None:
    observation = observe_one(asking(server), question("a.b.acme.example.", "MX", zone="b.acme.example"))
    assert observation.zone is None
    assert isinstance(observation.observed, Unknown)
    assert observation.observed.cause is Cause.NO_SUCH_ZONE
    assert "acme.example." in observation.observed.detail


def test_an_unknown_zone_is_refused(server: NameServer) -> None:
    observation = observe_one(asking(server), question("unknown.example.", "MX"))
    assert observation.zone is None
    assert isinstance(observation.observed, Unknown)
    assert observation.observed.cause is Cause.REFUSED


@pytest.mark.parametrize(
    ("owner", "rdtype"), [("_amazonses.new.acme.example.", "TXT"), ("www.apps.acme.example.", "MX")]
)
def test_what_a_wildcard_makes_is_not_at_the_name(server: NameServer, owner: str, rdtype: str) -> None:
    assert observed(asking(server), question(owner, rdtype, domain="acme.example")) == Absent()


@pytest.mark.parametrize(
    ("domain", "is_covered"),
    [
        ("new.acme.example.", False),
        ("shop.apps.acme.example.", True),
        ("shop.hosts.acme.example.", True),
        ("exists.hosts.acme.example.", False),
        ("non.terminal.acme.example.", False),
        ("shop.mails.acme.example.", True),
    ],
)
def test_a_mail_domain_that_only_a_wildcard_makes_is_told_from_none(
    server: NameServer, domain: str, *, is_covered: bool
) -> None:
    """A TXT wildcard covers new.acme.example as well, and leads no mail anywhere."""
    assert observed(asking(server), question(domain, "MX")) == Absent(is_covered=is_covered)


def test_what_equals_the_wildcard_and_is_at_the_name_is_present(server: NameServer) -> None:
    found = observed(asking(server), question("same.acme.example.", "TXT", domain="acme.example"))
    assert isinstance(found, Present)


def test_a_thousand_questions(server: NameServer) -> None:
    asked = [question(f"d{n}.acme.example.", "MX", domain="acme.example") for n in range(999)]
    begun = time.monotonic()
    found = list(LiveObserver(asking(server)).observe([*asked, question("acme.example.", "MX")]))
    assert time.monotonic() - begun < 15
    assert len({o.key for o in found}) == 1000
    assert sum(isinstance(o.observed, Present) for o in found) == 1
    assert sum(isinstance(o.observed, Absent) for o in found) == 999


def test_servers_that_disagree(tmp_path: Path) -> None:
    zone = {"acme.example.": f"{HEAD}@ IN MX 10 old\n"}
    newer = {"acme.example.": f"{HEAD}@ IN MX 10 new\n"}
    with run_bind(zone, directory=tmp_path / "a") as one, run_bind(newer, directory=tmp_path / "b") as two:
        observation = observe_one(asking(one, two), question("acme.example.", "MX"))
    assert isinstance(observation.observed, Unknown)
    assert observation.observed.cause is Cause.DISAGREE
    assert all(isinstance(a.observed, Present) for a in observation.answers)


def test_one_dead_server_of_two(tmp_path: Path) -> None:
    """A server that was ended refuses the datagram; it is shown, and does not outvote the one that answers."""
    zones = {"acme.example.": f"{HEAD}@ IN MX 10 mail\n"}
    with run_bind(zones, directory=tmp_path / "a") as one:
        with run_bind(zones, directory=tmp_path / "b") as two:
            pass
        observation = observe_one(asking(one, two), question("acme.example.", "MX"))
    assert isinstance(observation.observed, Present)
    dead = next(a for a in observation.answers if a.server == f"127.0.0.1:{two.port}")
    assert isinstance(dead, ServerAnswer)
    assert isinstance(dead.observed, Unknown)
    assert dead.observed.cause is Cause.NETWORK


def test_a_silent_server_may_hold_the_zone_below(tmp_path: Path) -> None:
    """The child's server is down: what the parent's server knows nothing of must not be taken for absent."""
    child = {"child.acme.example.": f"{HEAD}@ IN MX 10 mail\n"}
    asked = question("child.acme.example.", "MX")
    with run_bind({"acme.example.": HEAD}, directory=tmp_path / "parent") as parent:
        with run_bind(child, directory=tmp_path / "child") as server:
            assert isinstance(observed(asking(parent, server), asked), Present)
        found = observe_one(asking(parent, server), asked)
        assert found.zone is None
        assert isinstance(found.observed, Unknown)
        assert found.observed.cause is Cause.NETWORK
        declared = question("child.acme.example.", "MX", zone="acme.example")
        assert observed(asking(parent, server), declared) == Absent()
