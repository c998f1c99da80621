"""Plans and drifts visit a mail server and a policy host once in a while; whoever writes visits them each time."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from laboratory import Workspace, manifest
from servers.bind import run_bind
from servers.https_peers import answer, serving_policy
from servers.mail_peers import Peer, run_peer, server_context, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

HEAD = "@ 600 IN SOA ns hostmaster 1 3600 600 86400 300\n@ 600 IN NS ns\nns 600 IN A 127.0.0.1\n"
ZONES = {
    "acme.example.": HEAD + '@ 600 IN MX 10 mail.elsewhere.example.\n_mta-sts 600 IN TXT "v=STSv1; id=1"\n'
    "mta-sts 600 IN A 127.0.0.1\n",
    "elsewhere.example.": HEAD + "mail 600 IN A 127.0.0.1\n",
}
POLICY = "version: STSv1\nmode: testing\nmx: *.elsewhere.example\nmax_age: 86400\n"
NEXT_HOP = "mail.elsewhere.example"
CACHE = ".reconciler/probes.json"


@contextmanager
def looking(directory: Path, *, has_tls: bool = True) -> Iterator[tuple[Workspace, Peer, Peer]]:
    """A workspace with acme.example on its way to the gateway, its mail server and its policy's web server."""
    authority = trustme.CA()
    tls = server_context(authority.issue_cert(NEXT_HOP))
    web_tls = server_context(authority.issue_cert("mta-sts.acme.example"))
    with (
        run_bind(ZONES, directory=directory / "server", allow_update=False) as server,
        run_peer(serving("SIZE 52428800", tls=tls if has_tls else None)) as mail,
        serving_policy(web_tls, answer(POLICY)) as web,
    ):
        workspace = Workspace(directory / "repository")
        probes = f"smtp_port: {mail.port}, https_port: {web.port}, ca_file: authority.pem, timeout: 5, cache: {CACHE}"
        servers = f'observe: {{dns: {{servers: ["{server.address}:{server.port}"]}}}}'
        workspace.write("reconciler.yaml", f"{servers}\nprobes: {{{probes}}}\n")
        workspace.write("manifests/acme.yaml", manifest("acme.example", attested=("allowlist", "console", "verified")))
        authority.cert_pem.write_to_path(str(workspace.directory / "authority.pem"))
        yield workspace, mail, web


def evidence(workspace: Workspace) -> dict[str, str]:
    """What each gate of the MX's step says, by its id."""
    ran = workspace.run("plan", "--format", "json")
    assert ran.err == ""
    steps: list[dict[str, Any]] = [step for domain in ran.plan["domains"] for step in domain["steps"]]
    (gates,) = [step["gates"] for step in steps if step["id"] == "acme.example/mx"]
    return {gate["id"]: gate["evidence"] for gate in gates}


def test_what_a_plan_saw_counts_for_the_next_look_and_never_for_who_writes(tmp_path: Path) -> None:
    with looking(tmp_path) as (workspace, mail, web):
        first = evidence(workspace)
        assert (mail.visits(1), web.visits(1)) == (1, 1)
        assert "offers STARTTLS with TLSv1.3" in first["tls"]
        assert "seen" not in first["tls"] + first["mta-sts"]

        second = evidence(workspace)
        assert second["tls"] == first["tls"] + " (seen 1 min ago)"
        assert second["mta-sts"] == first["mta-sts"] + " (seen 1 min ago)"
        assert "acme.example" in workspace.run("drift").out
        assert (len(mail.conversations), len(web.conversations)) == (1, 1)

        assert "mail.elsewhere.example" in workspace.run("check", "acme.example").out
        assert (mail.visits(2), web.visits(2)) == (2, 2)
        assert workspace.run("apply", "--auto-approve").code == 3
        assert (mail.visits(3), web.visits(3)) == (3, 3)
        assert workspace.run("emit", "instructions", "--out", "sheets").code == 0
        assert (mail.visits(4), web.visits(4)) == (4, 4)


def test_what_is_too_old_or_not_good_is_looked_at_again(tmp_path: Path) -> None:
    with looking(tmp_path, has_tls=False) as (workspace, mail, web):
        evidence(workspace)
        file = workspace.directory / CACHE
        document = json.loads(file.read_bytes())
        assert document["mail_servers"] == []
        document["policies"][0]["seen_at"] = (datetime.now(UTC) - timedelta(minutes=16)).isoformat()
        file.write_text(json.dumps(document))
        assert "offers no STARTTLS" in evidence(workspace)["tls"]
        assert (mail.visits(2), web.visits(2)) == (2, 2)


def forged(workspace: Workspace, mail: Peer) -> None:
    """Put a good sight of the mail server into the cache."""
    file = workspace.directory / CACHE
    document = json.loads(file.read_bytes())
    asked = {**document["policies"][0]["asked"], "kind": "mail-server", "host": f"{NEXT_HOP}.", "record_id": ""}
    sight = {"size": None, "version": "TLSv1.3", "names": [NEXT_HOP]}
    now = datetime.now(UTC).isoformat()
    document["mail_servers"] = [{"asked": {**asked, "port": mail.port}, "seen_at": now, **sight}]
    file.unlink()
    file.write_text(json.dumps(document))


def test_a_forged_file_opens_no_gate_from_a_checkout_and_none_of_an_apply(tmp_path: Path) -> None:
    """A pull request may bring one; git gives it a mode that others can read, and it is told and not believed."""
    with looking(tmp_path, has_tls=False) as (workspace, mail, _):
        assert "offers no STARTTLS" in evidence(workspace)["tls"]
        forged(workspace, mail)
        ran = workspace.run("plan")
        assert "what earlier runs saw is not used" in ran.err
        assert "offers no STARTTLS" in ran.out
        assert mail.visits(2) == 2

        forged(workspace, mail)
        (workspace.directory / CACHE).chmod(0o600)
        assert "offers STARTTLS with TLSv1.3 (seen 1 min ago)" in evidence(workspace)["tls"]
        assert mail.visits(2) == 2
        assert "0 domains applied" in workspace.run("apply", "--auto-approve").out
        assert mail.visits(3) == 3
