"""Looking around whole domains: a real name server, mail servers and web servers on addresses of loopback."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import trustme
from servers.bind import run_bind
from servers.https_peers import POLICY, answer, serving_policy
from servers.mail_peers import answering, run_peer, server_context, serving
from servers.observing import Asking
from servers.probing import Probing, look_around, wanted
from servers.processes import free_port

from reconciler.errors import SettingsError
from reconciler.names import ROOT, Name
from reconciler.observe.surroundings import SHOWN_LABELS, observe_surroundings
from reconciler.state import Absent, Cause, Present, Unknown
from reconciler.surroundings import (
    DnssecSight,
    HostSight,
    MtaStsPolicy,
    SmtpSight,
    TlsaSight,
    TlsSight,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from servers.mail_peers import Conversation
    from servers.processes import NameServer

pytestmark = pytest.mark.integration

HEAD = """$TTL 300
@ IN SOA ns1 hostmaster 1 3600 600 86400 60
@ IN NS ns1
ns1 IN A 127.0.0.1
"""
MANY = 200
ACME = f"""{HEAD}
@ IN TXT "v=spf1 mx -all"
@ IN MX 10 mail
_mta-sts IN TXT "v=STSv1; id=1"
mta-sts IN A 127.0.0.1
mail IN A 127.0.0.2
mail IN AAAA ::1
_25._tcp.mail IN TLSA 3 1 1 {"0" * 64}
_25._tcp.mail IN TLSA 3 1 1 {"1" * 64}
owa IN CNAME mail
dangling IN CNAME nothing
loop IN CNAME loop
empty IN TXT "no address"
two IN A 127.0.0.3
two IN A 127.0.0.2
*.apps IN A 127.0.0.7
* IN MX 10 mail
"""
GATEWAY = f"{HEAD}eu IN A 127.0.0.4\nreference IN A 127.0.0.5\nelsewhere IN CNAME mail.acme.example.\n"
ZONES = {
    "example.": f"{HEAD}acme IN NS ns1\nacme IN DS 1 13 2 {'0' * 64}\ngateway IN NS ns1\n",
    "acme.example.": ACME,
    "gateway.example.": GATEWAY,
    **{f"d{n}.many.": f"{HEAD}@ IN MX 10 mail.acme.example.\n" for n in range(MANY)},
}
MAIL, EU, REFERENCE = Name("mail.acme.example."), Name("eu.gateway.example."), Name("reference.gateway.example.")
DOMAIN = Name("acme.example.")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with run_bind(ZONES, directory=tmp_path_factory.mktemp("bind")) as server:
        yield server


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def probing(authority: trustme.CA, directory: Path, *, smtp_port: int = 1, https_port: int = 1) -> Probing:
    file = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return Probing(smtp_port, https_port, ca_file=file)


def cause(value: object) -> Cause:
    assert isinstance(value, Unknown), value
    return value.cause


def test_everything_around_one_domain(names: NameServer, authority: trustme.CA, tmp_path: Path) -> None:
    """Where the policy enforces, the wanted host is probed as well."""
    with ExitStack() as peers:
        tls = server_context(authority.issue_cert("mail.acme.example"))
        mail = peers.enter_context(run_peer(serving("SIZE 5", tls=tls), address="127.0.0.2"))
        gateway_tls = server_context(authority.issue_cert("*.gateway.example"))
        peers.enter_context(run_peer(serving(tls=gateway_tls), address="127.0.0.4", port=mail.port))
        web_tls = server_context(authority.issue_cert("mta-sts.acme.example"))
        web = peers.enter_context(serving_policy(web_tls, answer(POLICY)))
        settings = probing(authority, tmp_path, smtp_port=mail.port, https_port=web.port)
        one = wanted(
            "acme.example",
            next_hops="mail.acme.example",
            observed="mail.acme.example",
            desired="eu.gateway.example",
        )
        found = look_around(names, settings, one)[DOMAIN]
    here = HostSight(("127.0.0.2", "::1"))
    assert found.hosts == {MAIL: here, EU: HostSight(("127.0.0.4",))}
    assert found.smtp == {
        MAIL: SmtpSight(5, TlsSight("TLSv1.3", ("mail.acme.example",))),
        EU: SmtpSight(None, TlsSight("TLSv1.3", ("*.gateway.example",))),
    }
    assert found.tlsa == {MAIL: TlsaSight(2, is_authenticated=False), EU: Absent()}
    assert found.mta_sts == MtaStsPolicy("1", "enforce", ("mail.acme.example", "*.acme.example"), 86400)
    assert isinstance(found.apex_txt, Present)
    assert found.apex_txt.rrset.rdatas == ('"v=spf1 mx -all"',)
    assert isinstance(found.wildcard_mx, Present)
    assert found.wildcard_mx.rrset.rdatas == ("10 mail.acme.example.",)
    assert found.dnssec == DnssecSight(is_signed=True)
    assert list(found.shown_hosts) == [f"{label}.acme.example." for label in SHOWN_LABELS]
    assert {name: host for name, host in found.shown_hosts.items() if host != Absent()} == {
        MAIL: here,
        Name("owa.acme.example."): HostSight(("127.0.0.2", "::1"), MAIL),
    }


@pytest.mark.parametrize("domain", ["acme.example", "d0.many"], ids=["policy in testing", "no policy"])
def test_wanted_host_is_left_alone_where_no_policy_enforces(
    names: NameServer, authority: trustme.CA, tmp_path: Path, domain: str
) -> None:
    web_tls = server_context(authority.issue_cert("mta-sts.acme.example"))
    testing = answer(POLICY.replace("enforce", "testing"))
    with run_peer(serving(), address="127.0.0.4") as gateway, serving_policy(web_tls, testing) as web:
        settings = probing(authority, tmp_path, smtp_port=gateway.port, https_port=web.port)
        found = look_around(names, settings, wanted(domain, desired="eu.gateway.example"))[Name(f"{domain}.")]
    assert isinstance(found.mta_sts, MtaStsPolicy | Absent)
    assert found.smtp == {}
    assert not gateway.conversations


def test_hosts_and_how_they_resolve(names: NameServer) -> None:
    shown = "owa dangling empty nothing loop x.apps"
    one = wanted("acme.example", observed=" ".join(f"{n}.acme.example" for n in shown.split()))
    hosts = look_around(names, Probing(), one)[DOMAIN].hosts
    assert hosts[Name("owa.acme.example.")] == HostSight(("127.0.0.2", "::1"), MAIL)
    assert hosts[Name("x.apps.acme.example.")] == HostSight(("127.0.0.7",))
    for name in ("dangling", "empty", "nothing"):
        assert hosts[Name(f"{name}.acme.example.")] == Absent()
    assert cause(hosts[Name("loop.acme.example.")]) is Cause.SERVFAIL  # as BIND answers to a loop


def test_chain_that_a_server_does_not_follow_is_followed(names: NameServer) -> None:
    one = wanted("acme.example", observed="elsewhere.gateway.example nobody.knows")
    hosts = look_around(names, Probing(), one)[DOMAIN].hosts
    assert hosts[Name("elsewhere.gateway.example.")] == HostSight(("127.0.0.2", "::1"), MAIL)
    assert cause(hosts[Name("nobody.knows.")]) is Cause.REFUSED


def test_null_mx_is_no_host(names: NameServer) -> None:
    one = wanted("acme.example")
    one = type(one)(one.domain, one.zone, (), (ROOT,), ())
    found = look_around(names, Probing(), one)[DOMAIN]
    assert found.hosts == {ROOT: Absent()}
    assert found.tlsa == {ROOT: Absent()}


def test_names_too_long_to_exist(names: NameServer) -> None:
    """At 253 octets nothing can stand below a domain; nothing is asked, and nothing fails."""
    long = ".".join(["x" * 60] * 4) + ".example"
    found = look_around(names, Probing(), wanted(long, observed=long))[Name(f"{long}.")]
    assert found.shown_hosts == {}
    assert found.wildcard_mx == Absent() or cause(found.wildcard_mx)
    assert found.mta_sts == Absent()


def test_one_host_of_many_domains_is_probed_once(names: NameServer) -> None:
    gate = threading.Event()
    honest = serving("SIZE 5")

    def slow(conversation: Conversation) -> None:
        gate.wait(0.5)
        honest(conversation)

    done: list[int] = []
    domains = [wanted(f"d{n}.many", next_hops="mail.acme.example") for n in range(MANY)]
    with run_peer(slow, address="127.0.0.2") as peer:
        asking = Asking(servers=((names.address, names.port),), timeout=5)
        found = observe_surroundings(domains, asking, Probing(smtp_port=peer.port, timeout=5), done.append)
    assert len(peer.conversations) == 1
    assert len(found) == MANY
    assert {one.smtp[MAIL] for one in found.values()} == {SmtpSight(5, None, "STARTTLS is not offered")}
    assert done == list(range(1, MANY + 1))


def test_at_most_so_many_hosts_at_once(names: NameServer) -> None:
    active, most, lock = set[int](), [0], threading.Lock()

    def script(conversation: Conversation) -> None:
        with lock:
            active.add(id(conversation))
            most.append(len(active))
        threading.Event().wait(0.1)
        with lock:
            active.discard(id(conversation))

    hops = " ".join(f"h{n}.apps.acme.example" for n in range(12))
    with run_peer(script, address="127.0.0.7") as peer:
        look_around(names, Probing(smtp_port=peer.port, at_once=3), wanted("acme.example", next_hops=hops))
    assert len(peer.conversations) == 12
    assert max(most) <= 3


def test_next_address_where_one_refuses(names: NameServer) -> None:
    hop = Name("two.acme.example.")
    for dead in ("127.0.0.2", "127.0.0.3"):
        alive = {"127.0.0.2": "127.0.0.3", "127.0.0.3": "127.0.0.2"}[dead]
        with (
            run_peer(serving("SIZE 9"), address=alive) as peer,
            run_peer(answering(b"421 busy\r\n"), address=dead, port=peer.port),
        ):
            one = wanted("acme.example", next_hops="two.acme.example")
            found = look_around(names, Probing(smtp_port=peer.port), one)[DOMAIN]
        assert found.smtp[hop] == SmtpSight(9, None, "STARTTLS is not offered")


def test_resolver_that_is_dead(authority: trustme.CA, tmp_path: Path) -> None:
    settings = Asking(servers=(("127.0.0.1", free_port("127.0.0.1")),), timeout=0.2, attempts=1)
    one = wanted("acme.example", next_hops="mail.acme.example", desired="eu.gateway.example")
    found = look_around(settings, probing(authority, tmp_path), one)[DOMAIN]
    values = [found.mta_sts, found.apex_txt, found.wildcard_mx, found.dnssec, found.smtp[MAIL], found.tlsa[EU]]
    for value in (*values, *found.hosts.values(), *found.shown_hosts.values()):
        assert cause(value) in {Cause.NETWORK, Cause.TIMEOUT}


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_trust_roots_that_cannot_be_used(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=r"the trust roots in .* cannot be used"):
        observe_surroundings([wanted("acme.example")], Asking(), Probing(ca_file=file))


def test_no_domains_no_questions(names: NameServer) -> None:
    assert look_around(names, Probing()) == {}
