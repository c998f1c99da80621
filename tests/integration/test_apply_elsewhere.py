"""The provider that is written to is not the one that the world asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from laboratory import Workspace, manifest
from servers.bind import run_bind
from servers.processes import TsigKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from servers.processes import NameServer

pytestmark = pytest.mark.integration

ZONE = """$TTL 600
@ SOA ns hostmaster 1 3600 600 86400 300
@ NS ns
@ MX 10 mail
ns A 127.0.0.1
"""


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Workspace, NameServer, NameServer]]:
    """A workspace, the server that is observed, and one with a copy of the zone."""
    key = TsigKey()
    with (
        run_bind({"acme.example.": ZONE}, directory=tmp_path / "asked", key=key) as asked,
        run_bind({"acme.example.": ZONE}, directory=tmp_path / "copy", key=key) as copy,
    ):
        workspace = Workspace(tmp_path / "repository", {"TSIG_SECRET": key.secret})
        workspace.write("manifests/acme.yaml", manifest("acme.example"))
        use(workspace, asked, copy, key)
        yield workspace, asked, copy


def use(workspace: Workspace, asked: NameServer, written: NameServer, key: TsigKey) -> None:
    workspace.write(
        "reconciler.yaml",
        f'observe: {{dns: {{servers: ["{asked.address}:{asked.port}"]}}}}\n'
        "default_provider: p\n"
        f"providers: {{p: {{class: octodns_bind.Rfc2136Provider, host: {written.address}, port: {written.port}, "
        f"key_name: {key.name}, key_algorithm: {key.algorithm}, key_secret: env/TSIG_SECRET}}}}\n",
    )


def test_what_no_authoritative_server_shows_is_said_and_the_mx_never_moves(
    servers: tuple[Workspace, NameServer, NameServer],
) -> None:
    workspace, asked, copy = servers
    first = workspace.run("apply", "--auto-approve")
    assert first.code == 3
    assert "seen at 0 of 1 authoritative server; if that stays so, the world asks other servers" in first.out
    second = workspace.run("apply", "--auto-approve")
    assert second.code == 4
    assert "is as wanted already, and was not observed so" in second.out
    for server in (asked, copy):
        assert "10 mail.acme.example." in server.query("acme.example.", "MX").to_text()


def test_a_switch_that_nobody_sees_is_not_done(servers: tuple[Workspace, NameServer, NameServer]) -> None:
    """Both servers have the verification value, so only the MX is left: exit code 0 would say that it has moved."""
    workspace, asked, copy = servers
    key = TsigKey(secret=workspace.environment["TSIG_SECRET"])
    for server in (copy, asked):
        use(workspace, asked, server, key)
        assert workspace.run("apply", "--auto-approve").code == 3
    use(workspace, asked, copy, key)
    assert workspace.statuses()["acme.example/mx"] == "ready"
    assert workspace.run("apply", "--auto-approve").code == 3
    again = workspace.run("apply", "--auto-approve")
    assert again.code == 4
    assert "acme.example. MX at provider p is as wanted already" in again.out
