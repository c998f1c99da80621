"""Somebody changes a zone past the program: drift says what, since when and what to do, and apply puts it right."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from laboratory import Workspace, laboratory, manifest
from servers.processes import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backends import Backend

pytestmark = pytest.mark.integration

HEAD = """@ 3600 IN SOA ns hostmaster 1 3600 600 86400 300
@ 3600 IN NS ns
@ 600 IN MX 10 mail.elsewhere.example.
ns 3600 IN A 127.0.0.1
"""
ZONES = {"acme.example.": HEAD, "other.example.": HEAD}
START = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GATEWAY = "0 inbound-smtp.eu-west-1.amazonaws.com."


@pytest.fixture
def laboratories(tmp_path: Path) -> Iterator[tuple[Workspace, Backend]]:
    """Two domains behind the gateway, their manifest committed; a day later."""
    with laboratory("bind", ZONES, tmp_path) as (workspace, backend):
        # vouched for on the day on which the values become visible: older words are of another verification
        declared = manifest("acme.example", "other.example", on=START.date()) + "ttl: 600\n"
        workspace.write("manifests/acme.yaml", declared)
        committed(workspace)
        workspace.now = START
        for _ in range(2):
            workspace.run("apply", "--auto-approve")
            workspace.now += timedelta(minutes=1)
        workspace.now = START + 24 * HOUR
        yield workspace, backend


def committed(workspace: Workspace) -> None:
    """The manifests are in a repository, by somebody."""
    git = ["git", "-c", "user.name=Ada Admin", "-c", "user.email=ada@acme.example"]
    for command in (["init", "-q"], ["add", "manifests"], ["commit", "-q", "-m", "onboard"]):
        subprocess.run([*git, *command], cwd=workspace.directory, check=True, capture_output=True)


def by_hand(workspace: Workspace, *lines: str) -> None:
    """Somebody uses nsupdate, with the key that the program has too."""
    settings = (workspace.directory / "reconciler.yaml").read_text()
    host, port = settings.split("host: ")[1].split(", port: ")
    server = f"server {host} {port.split(',')[0]}"
    key = f"hmac-sha256:reconciler:{workspace.environment['TSIG_SECRET']}"
    script = "\n".join([server, *lines, "send", "quit", ""])
    subprocess.run([require("nsupdate"), "-y", key], input=script.encode(), check=True, timeout=20, capture_output=True)


def drift(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """The drift document of now; a finding is found by its domain and code."""
    document: dict[str, Any] = json.loads(workspace.run("drift", "--format", "json", *arguments).out)
    document["by"] = {(f["domain"], f["code"]): f for f in document["findings"]}
    return document


def test_what_somebody_changed_is_told_until_apply_puts_it_right(laboratories: tuple[Workspace, Backend]) -> None:
    workspace, backend = laboratories
    in_sync = workspace.run("drift", "--detailed-exitcode", "--record")
    assert (in_sync.code, in_sync.err) == (0, ""), in_sync.out
    assert in_sync.out.startswith("No drift: ")

    by_hand(
        workspace,
        "update delete _amazonses.acme.example. TXT",
        "update add acme.example. 600 MX 20 mail.elsewhere.example.",
    )
    by_hand(
        workspace,
        "update delete _amazonses.other.example. TXT",
        'update add _amazonses.other.example. 60 TXT "one-other.example"',
    )
    changed = backend.content("acme.example."), backend.content("other.example.")
    assert workspace.now is not None
    workspace.now += HOUR
    first_seen = workspace.now
    assert workspace.run("drift", "--fail-on", "critical", "--record").code == 2
    workspace.now += 2 * HOUR
    told = drift(workspace, "--record")
    assert drift(workspace)["digest"] == told["digest"]
    assert set(told["by"]) == {
        ("acme.example", "token-removed"),
        ("acme.example", "bypass-mx"),
        ("other.example", "ttl"),
    }
    token = told["by"]["acme.example", "token-removed"]
    bypass = told["by"]["acme.example", "bypass-mx"]
    ttl = told["by"]["other.example", "ttl"]
    assert [f["severity"] for f in (token, bypass, ttl)] == ["critical", "high", "low"]
    for finding in (token, bypass, ttl):
        assert (finding["class"], finding["is_certain"]) == ("out-of-band", True)
        assert (datetime.fromisoformat(finding["first_seen"]), finding["age_hours"]) == (first_seen, 2)
        assert finding["changed_by"]["author"] == "Ada Admin <ada@acme.example>"
    assert token["source"] == {"file": "manifests/acme.yaml", "line": 16}
    assert (token["expected"], token["observed"]) == (['"one-acme.example"'], [])
    assert (bypass["expected"], bypass["observed"]) == ([GATEWAY], [GATEWAY, "20 mail.elsewhere.example."])
    assert (ttl["expected"][-1], ttl["observed"][-1]) == ("TTL 600", "TTL 60")
    assert (backend.content("acme.example."), backend.content("other.example.")) == changed, "drift wrote something"

    for _ in range(3):
        workspace.now += HOUR
        if workspace.run("apply", "--auto-approve").code == 0:
            break
    after = workspace.run("drift", "--detailed-exitcode")
    assert (after.code, after.err) == (0, ""), after.out
    assert after.out.startswith("No drift: ")


def test_an_mx_that_left_the_gateway_is_critical_and_a_silent_server_is_unknown(
    laboratories: tuple[Workspace, Backend],
) -> None:
    workspace, _ = laboratories
    by_hand(workspace, "update delete acme.example. MX", "update add acme.example. 600 MX 5 mx.elsewhere.example.")
    finding = drift(workspace, "--domain", "acme.example")["by"]["acme.example", "mx-not-gateway"]
    assert (finding["severity"], finding["class"], finding["is_certain"]) == ("critical", "out-of-band", True)
    assert workspace.run("drift", "--domain", "acme.example", "--detailed-exitcode").code == 2

    settings = (workspace.directory / "reconciler.yaml").read_text()
    silent = settings.replace('servers: ["127.0.0.1:', 'servers: ["127.0.0.2:').replace("timeout: 5", "timeout: 1", 1)
    workspace.write("reconciler.yaml", silent)
    ran = workspace.run("drift", "--domain", "other.example", "--detailed-exitcode")
    assert ran.code == 3, ran.out
    assert "not-observed" in ran.out
