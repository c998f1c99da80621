"""`check DOMAIN` of a domain that nobody has declared, against a real name server and a real mail server."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trustme
from laboratory import Ran, Workspace
from servers.bind import run_bind
from servers.mail_peers import Peer, answering, run_peer, server_context, serving
from servers.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from servers.mail_peers import Script

pytestmark = pytest.mark.integration

HEAD = "@ 600 IN SOA ns hostmaster 1 3600 600 86400 300\n@ 600 IN NS ns\nns 600 IN A 127.0.0.1\n"
ZONES = {
    "good.example.": HEAD + "@ 600 IN MX 10 mail\nmail 600 IN A 127.0.0.1\n",
    "spf.example.": HEAD
    + '@ 600 IN MX 10 mail.good.example.\n@ 600 IN TXT "v=spf1 mx -all"\n*.wild 600 IN MX 10 mail.good.example.\n',
    "alias.example.": HEAD + "@ 600 IN MX 10 mail\nmail 600 IN CNAME mail.good.example.\n",
    "token.example.": HEAD + "@ 600 IN MX 10 mail.good.example.\n_amazonses 600 IN CNAME elsewhere.example.\n",
    "policy.example.": HEAD
    + '@ 600 IN MX 10 mail.good.example.\n_mta-sts 600 IN TXT "v=STSv1; id=1"\nmta-sts 600 IN A 127.0.0.1\n',
}


AUTHORITY = trustme.CA()


@contextmanager
def checking(directory: Path, script: Script) -> Iterator[tuple[Workspace, Peer]]:
    """A folder with settings and without a manifest, a name server, and a mail server that behaves as it is told."""
    with run_bind(ZONES, directory=directory / "server", allow_update=False) as server, run_peer(script) as peer:
        workspace = Workspace(directory / "repository")
        workspace.write(
            "reconciler.yaml",
            f'observe: {{dns: {{servers: ["{server.address}:{server.port}"]}}}}\n'
            f"probes: {{smtp_port: {peer.port}, https_port: {free_port('127.0.0.1')}, "
            "ca_file: authority.pem, timeout: 5}\n",
        )
        AUTHORITY.cert_pem.write_to_path(str(workspace.directory / "authority.pem"))
        yield workspace, peer


def verdicts(ran: Ran) -> dict[str, str]:
    """What each gate of the switch says, by its id."""
    lines = [line.split() for line in ran.out.splitlines() if line.startswith(("  pass ", "  hold ", "  unknown "))]
    return {words[1].rstrip(":"): words[0] for words in lines}


def context(newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    return server_context(AUTHORITY.issue_cert("mail.good.example", "mail.alias.example"), newest=newest)


def test_a_domain_that_is_well_passes_and_nothing_is_written(tmp_path: Path) -> None:
    with checking(tmp_path, serving("SIZE 52428800", tls=context())) as (workspace, peer):
        ran = workspace.run("check", "good.example", "--region", "us")
        assert (ran.code, ran.err) == (0, ""), ran.out
        assert set(verdicts(ran).values()) == {"pass"}
        assert set(verdicts(ran)) == {"mx-target", "loop", "next-hop", "tls", "mta-sts", "mx-certificate", "spf-mx"}
        assert "good.example  as for the region us" in ran.out
        assert "offers STARTTLS with TLSv1.3" in ran.out
        assert "1 domain, 0 with something to mend first" in ran.out
        assert peer.visits(1) == 1
        assert sorted(p.name for p in workspace.directory.iterdir()) == ["authority.pem", "reconciler.yaml"]


@pytest.mark.parametrize(
    ("script", "verdict", "said"),
    [
        (serving("SIZE 52428800"), "hold", "offers no STARTTLS"),
        (serving(tls=context(ssl.TLSVersion.TLSv1_1)), "hold", "offers TLSv1.1, and the gateway wants TLS 1.2"),
        (answering(b"554 no service here\r\n"), "hold", "takes no mail"),
        (answering(b"HTTP/1.1 400 Bad Request\r\n"), "unknown", "is not known"),
    ],
)
def test_what_the_next_hop_lacks_is_said(tmp_path: Path, script: Script, verdict: str, said: str) -> None:
    with checking(tmp_path, script) as (workspace, _):
        ran = workspace.run("check", "good.example")
        assert (ran.code, ran.err) == (3, ""), ran.out
        assert verdicts(ran)["tls"] == verdict, ran.out
        assert said in ran.out


def test_several_are_looked_at_at_once_and_each_has_its_own(tmp_path: Path) -> None:
    """One probe for the mail server that they share, however many there are."""
    with checking(tmp_path, serving("SIZE 1000000", tls=context())) as (workspace, peer):
        ran = workspace.run("check", *(zone.rstrip(".") for zone in ZONES))
        assert ran.code == 1, ran.out
        assert "Traceback" not in ran.err
        blocks = dict(zip(ZONES, ran.out.split("\n\n"), strict=False))
        assert "hold    spf-mx" in blocks["spf.example."]
        assert "is an alias of mail.good.example" in blocks["alias.example."]
        assert "error[cname-token]" in blocks["token.example."]
        assert "unknown mta-sts" in blocks["policy.example."]
        assert "[size]" in blocks["good.example."]
        assert peer.visits(3) == 2  # mail.good.example, and its alias by its own name


def test_a_name_that_is_none_and_a_zone_that_nobody_serves_are_said(tmp_path: Path) -> None:
    with checking(tmp_path, serving(tls=context())) as (workspace, peer):
        wrong = workspace.run("check", "a..b", "good.example")
        assert (wrong.code, wrong.out) == (1, "")
        assert "a..b" in wrong.err
        lost = workspace.run("check", "nowhere.example", "good.example")
        assert lost.code == 3, lost.out
        assert "unknown MX: 127.0.0.1:" in lost.out
        assert "refused" in lost.out.lower()
        assert "not judged without it: mx-target, mta-sts, mx-certificate, spf-mx" in lost.out
        assert "mend the policy" not in lost.out
        assert "nobody looked" not in lost.out
        assert "2 domains, 0 with something to mend first, 1 that could not be looked at.\n" in lost.out
        assert len(peer.conversations) == 1


def test_where_no_server_answers_the_cause_is_said_and_not_a_policy_to_mend(tmp_path: Path) -> None:
    workspace, endpoint = Workspace(tmp_path / "repository"), f"127.0.0.1:{free_port('127.0.0.1')}"
    workspace.write("reconciler.yaml", f'observe: {{dns: {{servers: ["{endpoint}"]}}}}\n')
    ran = workspace.run("check", "a.example")
    assert (ran.code, ran.err) == (3, "")
    assert f"  unknown MX: {endpoint} could not be asked: Connection refused\n" in ran.out
    assert "look whether the server answers from here" in ran.out
    assert "mend the policy" not in ran.out
    assert "1 domain, 0 with something to mend first, 1 that could not be looked at.\n" in ran.out
