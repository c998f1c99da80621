"""MTA-STS policies over HTTPS: web servers good and bad, found through a real name server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import trustme
from servers.bind import run_bind
from servers.https_peers import POLICY, answer, serving_policy, web_script
from servers.mail_peers import expired_certificate, run_peer, self_signed, server_context
from servers.probing import Probing, look_around, wanted
from servers.processes import free_port

from reconciler.names import Name
from reconciler.state import Absent, Cause, Unknown
from reconciler.surroundings import MtaStsPolicy

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from servers.mail_peers import Conversation, Peer
    from servers.processes import NameServer

pytestmark = pytest.mark.integration

HEAD = """$TTL 300
@ IN SOA ns1 hostmaster 1 3600 600 86400 60
@ IN NS ns1
ns1 IN A 127.0.0.1
"""
RECORD = '_mta-sts IN TXT "v=STSv1; id=2026"'
ACME = f"{HEAD}{RECORD}\nmta-sts IN A 127.0.0.1\n"
ZONES = {
    "acme.example.": ACME,
    "many.example.": f"{HEAD}{RECORD}\nmta-sts IN A 127.0.0.9\nmta-sts IN A 127.0.0.1\nmta-sts IN AAAA ::1\n",
    "hosted.example.": f"{HEAD}_mta-sts IN CNAME _mta-sts.acme.example.\nmta-sts IN CNAME mta-sts.acme.example.\n",
    "plain.example.": HEAD,
    "hostless.example.": f"{HEAD}{RECORD}\n",
    "two.example.": f'{HEAD}{RECORD}\n_mta-sts IN TXT "v=STSv1; id=2027"\n',
    "other.example.": f'{HEAD}_mta-sts IN TXT "v=TLSRPTv1; rua=mailto:x@y.example"\n',
}
ACME_NAME = "mta-sts.acme.example"
GOOD = MtaStsPolicy("2026", "enforce", ("mail.acme.example", "*.acme.example"), 86400)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with run_bind(ZONES, directory=tmp_path_factory.mktemp("bind")) as server:
        yield server


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("roots") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    return server_context(authority.issue_cert(ACME_NAME))


def policy(
    names: NameServer, ca_file: Path | None, peer: Peer, domain: str = "acme.example"
) -> MtaStsPolicy | Absent | Unknown:
    probing = Probing(https_port=peer.port, ca_file=ca_file)
    return look_around(names, probing, wanted(domain), seconds=5)[Name(f"{domain}.")].mta_sts


def test_good_policy(names: NameServer, ca_file: Path, tls: ssl.SSLContext) -> None:
    with serving_policy(tls, answer(POLICY)) as peer:
        assert policy(names, ca_file, peer) == GOOD
    (heard,) = peer.heard
    assert heard[0] == "GET /.well-known/mta-sts.txt HTTP/1.1"
    assert "Host: mta-sts.acme.example" in heard


def test_proxies_of_the_environment_are_not_used(
    names: NameServer, ca_file: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port('127.0.0.1')}")
    with serving_policy(tls, answer(POLICY)) as peer:
        assert policy(names, ca_file, peer) == GOOD


def test_next_address_where_one_does_not_answer(names: NameServer, authority: trustme.CA, ca_file: Path) -> None:
    tls = server_context(authority.issue_cert("mta-sts.many.example"))
    with serving_policy(tls, answer(POLICY)) as peer:
        assert policy(names, ca_file, peer, "many.example") == GOOD


def test_ipv6_alone(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    zones = {"six.example.": f"{HEAD}{RECORD}\nmta-sts IN AAAA ::1\n"}
    tls = server_context(authority.issue_cert("mta-sts.six.example"))
    with (
        run_bind(zones, directory=tmp_path) as server,
        serving_policy(tls, answer(POLICY), address="::1") as peer,
    ):
        assert policy(server, ca_file, peer, "six.example") == GOOD


def test_hosted_by_somebody_else(names: NameServer, authority: trustme.CA, ca_file: Path) -> None:
    """The TXT is behind a CNAME, and the policy host's certificate bears the customer's name."""
    tls = server_context(authority.issue_cert("mta-sts.hosted.example"))
    with serving_policy(tls, answer(POLICY)) as peer:
        assert policy(names, ca_file, peer, "hosted.example") == GOOD


@pytest.mark.parametrize("domain", ["plain.example", "two.example", "other.example"])
def test_no_record_or_not_exactly_one_is_no_policy(
    names: NameServer, ca_file: Path, tls: ssl.SSLContext, domain: str
) -> None:
    with serving_policy(tls, answer(POLICY)) as peer:
        assert policy(names, ca_file, peer, domain) == Absent()
    assert not peer.conversations


def test_record_without_a_policy_host(names: NameServer, ca_file: Path, tls: ssl.SSLContext) -> None:
    with serving_policy(tls, answer(POLICY)) as peer:
        found = policy(names, ca_file, peer, "hostless.example")
    assert isinstance(found, Unknown)
    assert found.cause is Cause.NETWORK
    assert "mta-sts.hostless.example. has no address" in found.detail


UNUSABLE = {
    "404": (answer("gone", status="404 Not Found"), "answers 404"),
    "redirect": (
        answer(POLICY, status="301 Moved", more="Location: https://mta-sts.acme.example/elsewhere\r\n"),
        "answers 301 and redirects, which senders do not follow",
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", "answers 204"),
    "web page": (answer(POLICY, content_type="text/html"), "media type is 'text/html'"),
    "no media type": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "media type is ''"),
    "compressed": (answer(POLICY, more="Content-Encoding: gzip\r\n"), "compressed"),
    "empty": (answer(""), "does not say version: STSv1"),
    "bad syntax": (answer(POLICY.replace("mode: enforce", "mode enforce")), "line 2, 'mode enforce"),
    "no mode": (answer(POLICY.replace("mode: enforce\r\n", "")), "its mode is ''"),
    "not UTF-8": (answer(POLICY).replace(b"mail", b"ma\xffl"), "not UTF-8"),
    "huge": (answer(POLICY + "x: y\r\n" * 20_000), "longer than 65536 octets"),
    "endless head": (b"HTTP/1.1 200 OK\r\n" + b"X-More: more\r\n" * 20_000, "cannot be fetched"),
    "no HTTP": (b"220 mail.acme.example ESMTP\r\n", "cannot be fetched"),
    "closed": (b"", "cannot be fetched"),
    "cut short": (answer(POLICY)[:-9], "cannot be fetched"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_policy_that_cannot_be_used_is_unknown(
    names: NameServer, ca_file: Path, tls: ssl.SSLContext, name: str
) -> None:
    octets, why = UNUSABLE[name]
    with serving_policy(tls, octets) as peer:
        found = policy(names, ca_file, peer)
    assert isinstance(found, Unknown), found
    assert found.cause in {Cause.MALFORMED, Cause.NETWORK}
    assert why in found.detail
    assert "https://mta-sts.acme.example/.well-known/mta-sts.txt" in found.detail
    assert len(peer.conversations) == 1


def test_100_mb_are_not_read(names: NameServer, ca_file: Path, tls: ssl.SSLContext) -> None:
    sent = []

    def flood(conversation: Conversation) -> None:
        conversation.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        for _ in range(1600):
            conversation.say(b"x" * 65536)
            sent.append(65536)

    with run_peer(web_script(tls, flood)) as peer:
        found = policy(names, ca_file, peer)
    assert isinstance(found, Unknown)
    assert "longer than 65536 octets" in found.detail
    assert sum(sent) < 20_000_000


def test_byte_by_byte_ends_in_time(names: NameServer, ca_file: Path, tls: ssl.SSLContext) -> None:
    def drip(conversation: Conversation) -> None:
        for octet in answer(POLICY):
            conversation.say(bytes([octet]))
            time.sleep(0.1)

    with run_peer(web_script(tls, drip)) as peer:
        found = policy(names, ca_file, peer)
    assert isinstance(found, Unknown)
    assert found.cause is Cause.TIMEOUT
    assert "did not come within 1.5 s" in found.detail


@pytest.mark.parametrize(
    ("kind", "why"),
    [("wrong name", "mismatch"), ("expired", "expired"), ("unknown authority", "local issuer")],
)
def test_certificate_must_be_good(names: NameServer, authority: trustme.CA, ca_file: Path, kind: str, why: str) -> None:
    certificate = {
        "wrong name": lambda: authority.issue_cert("www.acme.example", common_name=ACME_NAME),
        "expired": lambda: expired_certificate(authority, ACME_NAME),
        "unknown authority": lambda: trustme.CA().issue_cert(ACME_NAME),
    }[kind]()
    with serving_policy(server_context(certificate), answer(POLICY)) as peer:
        found = policy(names, ca_file, peer)
    assert isinstance(found, Unknown)
    assert found.cause is Cause.NETWORK
    assert why in found.detail


def test_common_name_alone_is_no_name(names: NameServer, tmp_path: Path) -> None:
    """RFC 8461 section 3.3: the name has to be a DNS name among the alternative names."""
    for alternative, usable in (((ACME_NAME,), True), ((), False)):
        own = self_signed(tmp_path / "own.pem", ACME_NAME, names=alternative)
        with serving_policy(server_context(own), answer(POLICY)) as peer:
            found = policy(names, own, peer)
        assert found == GOOD if usable else isinstance(found, Unknown)


def test_system_roots_alone_do_not_trust_the_laboratory(names: NameServer, tls: ssl.SSLContext) -> None:
    with serving_policy(tls, answer(POLICY)) as peer:
        found = policy(names, None, peer)
    assert isinstance(found, Unknown)
    assert "local issuer" in found.detail
