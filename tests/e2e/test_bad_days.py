"""Bad days: a clear error, nothing written, the other domains done."""

from __future__ import annotations

import base64
import sys
from typing import TYPE_CHECKING

import pytest
from laboratory import Ran, Workspace, laboratory, manifest
from servers.bind import run_bind
from servers.processes import TsigKey, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

HEAD = "@ 3600 IN SOA ns hostmaster 1 3600 600 86400 300\n@ 3600 IN NS ns\nns 3600 IN A 127.0.0.1\n"
ZONES = {
    "good.example.": HEAD,
    "cname.example.": HEAD + "_amazonses 300 IN CNAME elsewhere.example.\n",
    "cut.example.": HEAD + "_amazonses 300 IN NS ns.elsewhere.example.\n",
    "parent.example.": HEAD + "child 300 IN NS ns.elsewhere.example.\n",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with laboratory("bind", ZONES, tmp_path) as (made, _):
        yield made


def written_nothing(workspace: Workspace) -> bool:
    return workspace.statuses()["good.example/verification"] == "ready"


def apply_two(workspace: Workspace, bad: str) -> Ran:
    workspace.write("manifests/acme.yaml", manifest(bad, "good.example"))
    return workspace.run("apply", "--auto-approve")


@pytest.mark.parametrize(
    ("bad", "code", "said"),
    [
        ("cname.example", "cname-token", "elsewhere.example"),
        ("cut.example", "delegated", "_amazonses.cut.example"),
        ("child.parent.example", "delegated", "child.parent.example"),
        ("missing.example", "", "missing.example"),
    ],
)
def test_a_domain_that_cannot_be_written_is_said_and_the_others_are_done(
    workspace: Workspace, bad: str, code: str, said: str
) -> None:
    workspace.append("reconciler.yaml", "\nlimits: {unhealthy_share: 0.5}\n")
    ran = apply_two(workspace, bad)
    assert ran.code in ({1} if code else {3})
    assert "good.example  applied" in ran.out
    if code:
        assert f"error[{code}]" in ran.err
    planned = workspace.run("plan")
    assert said in planned.out
    assert planned.code == ran.code


def test_where_half_of_a_fleet_cannot_be_seen_values_are_added_and_no_mx_moves(workspace: Workspace) -> None:
    added = apply_two(workspace, "missing.example")
    assert "good.example  applied" in added.out
    ran = workspace.run("apply", "--auto-approve")
    assert ran.code == 1
    assert "error[unhealthy]: 1 of 2 mail domains are unhealthy: missing.example" in ran.err
    steps = workspace.steps()
    assert steps["good.example/verification"]["status"] == "done"
    assert steps["good.example/mx"]["status"] == "held"
    assert [g["id"] for g in steps["good.example/mx"]["gates"] if g["verdict"] != "pass"] == ["unhealthy"]


def test_a_wrong_key_is_said_without_the_key_and_nothing_is_written(workspace: Workspace) -> None:
    workspace.environment["TSIG_SECRET"] = base64.b64encode(b"quite another secret").decode()
    workspace.write("manifests/acme.yaml", manifest("good.example"))
    ran = workspace.run("apply", "--auto-approve")
    assert ran.code == 1
    assert "good.example  failed" in ran.out
    assert "Traceback" not in ran.err
    assert workspace.environment["TSIG_SECRET"] not in ran.out + ran.err
    assert written_nothing(workspace)


def test_a_plan_whose_apply_failed_may_be_applied_again(workspace: Workspace) -> None:
    """A secret that was not set must not cost the review."""
    workspace.write("manifests/acme.yaml", manifest("good.example"))
    workspace.run("plan", "--out", "plan.json")
    secret = workspace.environment.pop("TSIG_SECRET")
    assert workspace.run("apply", "plan.json").code == 1
    workspace.environment["TSIG_SECRET"] = secret
    assert "good.example  applied" in workspace.run("apply", "plan.json").out
    assert workspace.run("apply", "plan.json").code == 4


def test_a_missing_variable_is_named(workspace: Workspace) -> None:
    del workspace.environment["TSIG_SECRET"]
    workspace.write("manifests/acme.yaml", manifest("good.example"))
    ran = workspace.run("apply", "--auto-approve")
    assert ran.code == 1
    assert "TSIG_SECRET" in ran.out
    assert workspace.run("plan").code == 3, "a plan needs no secret"
    assert written_nothing(workspace)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("{class: octodns_nowhere.NowhereProvider}", "octodns_nowhere"),
        ("{class: octodns_bind.Rfc2136Provider}", "host"),
        ("{class: octodns_bind.Rfc2136Provider, host: 127.0.0.1, port: PORT}", "127.0.0.1"),
    ],
)
def test_a_provider_that_does_not_work_is_said_and_another_providers_domain_is_done(
    workspace: Workspace, block: str, said: str
) -> None:
    settings = (workspace.directory / "reconciler.yaml").read_text()
    usable = block.replace("PORT", str(free_port("127.0.0.1")))
    workspace.write("reconciler.yaml", f"{settings}  broken: {usable}\n")
    zone = "parent.example"
    workspace.write("manifests/acme.yaml", manifest("good.example"))
    workspace.write("manifests/other.yaml", f"provider: broken\n{manifest(zone, organization='other')}")
    ran = workspace.run("apply", "--auto-approve")
    assert ran.code == 1
    assert "good.example  applied" in ran.out
    assert "parent.example  failed" in ran.out
    assert said in ran.out
    assert "Traceback" not in ran.err


def test_a_server_that_is_silent_is_unknown_and_nothing_is_planned(workspace: Workspace) -> None:
    workspace.write("manifests/acme.yaml", manifest("good.example"))
    silent = free_port("127.0.0.1")
    settings = f'observe: {{dns: {{servers: ["127.0.0.1:{silent}"], timeout: 0.2, attempts: 1}}}}\n'
    workspace.write("reconciler.yaml", settings)
    ran = workspace.run("plan", "--format", "json")
    assert ran.code == 3
    assert {s["status"] for s in ran.plan["domains"][0]["steps"]} == {"unknown"}
    assert {s["action"] for s in ran.plan["domains"][0]["steps"]} == {"no-op"}


def test_a_dead_server_of_two_holds_the_switch_and_not_the_token(tmp_path: Path) -> None:
    with run_bind({"good.example.": HEAD}, directory=tmp_path / "server", key=TsigKey()) as server:
        dead = free_port("127.0.0.1")
        servers = f'["127.0.0.1:{server.port}", "127.0.0.1:{dead}"]'
        workspace = Workspace(tmp_path / "repository")
        workspace.write(
            "reconciler.yaml",
            f"observe: {{dns: {{servers: {servers}, timeout: 0.2, attempts: 1}}}}\n"
            "default_provider: p\nproviders: {p: {class: a.B}}\n",
        )
        workspace.write("manifests/acme.yaml", manifest("good.example"))
        steps = {s["id"]: s for s in workspace.plan()["domains"][0]["steps"]}
        assert steps["good.example/verification"]["status"] == "ready"
        assert steps["good.example/mx"]["status"] == "held"
        assert steps["good.example/mx"]["gates"][0]["verdict"] == "unknown"


def test_a_full_disk_loses_nothing(workspace: Workspace) -> None:
    """`/dev/full` takes nothing: the plan that could not be saved says so, and no half of it is left."""
    workspace.write("manifests/acme.yaml", manifest("good.example"))
    ran = workspace.run_program(
        ["sh", "-c", 'ulimit -f 0; exec "$0" -m reconciler "$@"', sys.executable], "plan", "--out", "plan.json"
    )
    assert ran.code == 1
    assert "error[system]" in ran.err
    assert sorted(p.name for p in workspace.directory.iterdir()) == ["authority.pem", "manifests", "reconciler.yaml"]


def test_a_disk_that_is_full_at_the_claim_stops_before_the_first_write(workspace: Workspace) -> None:
    workspace.write("manifests/acme.yaml", manifest("good.example"))
    workspace.run("plan", "--out", "plan.json")
    limited = ["sh", "-c", 'ulimit -f 0; exec "$0" -m reconciler "$@"', sys.executable]
    ran = workspace.run_program(limited, "apply", "plan.json")
    assert ran.code == 1
    assert "error[journal-unusable]" in ran.err
    assert written_nothing(workspace)
    assert workspace.run("apply", "plan.json").code == 3


def test_a_state_folder_that_cannot_be_written_stops_before_the_first_write(workspace: Workspace) -> None:
    workspace.write("manifests/acme.yaml", manifest("good.example"))
    workspace.run("plan", "--out", "plan.json")
    workspace.write(".reconciler", "a file where the folder should be")
    ran = workspace.run("apply", "plan.json")
    assert ran.code == 1
    assert ".reconciler" in ran.err
    assert written_nothing(workspace)
