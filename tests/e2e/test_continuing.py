"""Saved plans from the review to the last step, with the real command on BIND: what moved since is refused and told."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from laboratory import Backend, Workspace, laboratory, manifest

import reconciler.catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

ZONE = """$ORIGIN {0}
@ 600 IN SOA ns hostmaster 1 3600 600 86400 300
@ 600 IN NS ns
@ 1 IN MX 10 mail.elsewhere.example.
ns 600 IN A 127.0.0.1
_amazonses 600 IN TXT "a foreign value"
"""
ACME, OTHER = "acme.example", "other.example"
OLD = b"\x00\x0a\x04mail\x09elsewhere\x07example\x00"
EU = b"\x00\x00\x0cinbound-smtp\x09eu-west-1\x09amazonaws\x03com\x00"
MULTI = b"\x00\x00\x02eu\x05mx-pp\x03com\x00"
SETTLE = 6  # seconds


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[Workspace, Backend]]:
    """Two organizations, each with a domain that is to be put behind the gateway."""
    with laboratory("bind", {f"{d}.": ZONE.format(f"{d}.") for d in (ACME, OTHER)}, tmp_path) as (workspace, backend):
        hours = 1 / 3600
        workspace.append(
            "reconciler.yaml",
            "lock: {lease_seconds: 5}\n"
            f"waits: {{settle_minutes: {SETTLE / 60}, assumed_ttl_hours: {hours}, absent_ttl_hours: {hours}}}\n",
        )
        workspace.write("manifests/acme.yaml", manifest(ACME))
        workspace.write("manifests/other.yaml", manifest(OTHER, organization="other"))
        yield workspace, backend


def txt(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def mx(backend: Backend, domain: str) -> frozenset[bytes]:
    return backend.content(f"{domain}.")[f"{domain}.", "MX"][1]


def values(backend: Backend, domain: str) -> frozenset[bytes]:
    return backend.content(f"{domain}.")[f"_amazonses.{domain}.", "TXT"][1]


def apply(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """The document of an apply, whose exit code is the process's."""
    ran = workspace.run("apply", *arguments, "--json-into", "applied.json")
    document: dict[str, Any] = json.loads((workspace.directory / "applied.json").read_text())
    assert document["exit_code"] == ran.code, ran.err
    return document


def became(document: dict[str, Any]) -> dict[str, str]:
    """By domain what became of it, or why nothing did."""
    return {r["domain"]: r["code"] or r["became"] for r in document["results"]}


def codes(document: dict[str, Any]) -> list[str]:
    return [d["code"] for d in document["diagnostics"]]


def reviewed(workspace: Workspace) -> None:
    assert workspace.run("plan", "--out", "plan.json").code == 3


def unchanged(backend: Backend, domain: str) -> bool:
    return mx(backend, domain) == {OLD} and values(backend, domain) == {txt("a foreign value")}


def test_a_reviewed_plan_is_applied_and_goes_on_by_itself_to_the_end(here: tuple[Workspace, Backend]) -> None:
    workspace, backend = here
    reviewed(workspace)
    document = apply(workspace, "plan.json")
    assert (document["exit_code"], became(document)) == (3, {ACME: "applied", OTHER: "applied"})
    assert mx(backend, ACME) == mx(backend, OTHER) == {OLD}
    document = apply(workspace, "--continue")
    assert (document["exit_code"], became(document)) == (0, {ACME: "applied", OTHER: "applied"})
    assert document["plan_id"] is None
    assert mx(backend, ACME) == mx(backend, OTHER) == {EU}
    assert values(backend, ACME) == {txt("a foreign value"), txt(f"one-{ACME}")}
    assert workspace.run("apply", "--continue").out == "Nothing to continue.\n"
    assert workspace.run("plan", "--detailed-exitcode").code == 0
    document = apply(workspace, "plan.json")
    assert (document["exit_code"], document["results"], codes(document)) == (4, [], ["plan-used"])


def test_a_base_that_moved_stops_one_organization_and_not_the_other(here: tuple[Workspace, Backend]) -> None:
    """Another pull request was merged between the review and the apply; and once more before the held step."""
    workspace, backend = here
    reviewed(workspace)
    workspace.write("manifests/acme.yaml", manifest(ACME, region="us"))
    document = apply(workspace, "plan.json")
    assert (document["exit_code"], became(document)) == (4, {ACME: "base-moved", OTHER: "applied"})
    (message,) = (r["message"] for r in document["results"] if r["domain"] == ACME)
    assert message.startswith("the base moved: manifests/acme.yaml:")
    assert unchanged(backend, ACME)
    workspace.write("manifests/other.yaml", manifest(OTHER, organization="other", multi_region=True))
    document = apply(workspace, "--continue")
    assert (document["exit_code"], became(document)) == (4, {OTHER: "base-moved"})
    assert mx(backend, OTHER) == {OLD}
    assert workspace.run("apply", "--continue").out == "Nothing to continue.\n"


def test_observed_values_that_changed_stop_a_domain_and_what_nobody_reviewed_is_left(
    here: tuple[Workspace, Backend],
) -> None:
    workspace, backend = here
    reviewed(workspace)
    backend.add_txt(f"_amazonses.{ACME}.", '"came meanwhile"')
    document = apply(workspace, "plan.json")
    assert (document["exit_code"], became(document)) == (4, {ACME: "observed-changed", OTHER: "applied"})
    assert values(backend, ACME) == {txt("a foreign value"), txt("came meanwhile")}
    document = apply(workspace, "--continue")
    assert (document["exit_code"], became(document)) == (0, {OTHER: "applied"})
    assert mx(backend, ACME) == {OLD}, "a domain that was refused needs another review"


def test_a_plan_that_expired_and_one_of_another_catalog_write_nothing(here: tuple[Workspace, Backend]) -> None:
    workspace, backend = here
    reviewed(workspace)
    workspace.now = datetime.now(UTC) + timedelta(hours=25)
    document = apply(workspace, "plan.json")
    assert (document["exit_code"], document["results"], codes(document)) == (4, [], ["plan-expired"])
    workspace.now = None
    shipped = Path(reconciler.catalog.__file__).with_name("catalog.yaml")
    workspace.write("catalog.yaml", f"# another one\n{shipped.read_text(encoding='utf-8')}")
    workspace.append("reconciler.yaml", "catalog: catalog.yaml\n")
    document = apply(workspace, "plan.json")
    assert (document["exit_code"], document["results"], codes(document)) == (4, [], ["catalog-changed"])
    assert unchanged(backend, ACME)
    assert unchanged(backend, OTHER)


def test_it_waits_for_a_gate_that_time_opens_and_a_killed_wait_costs_nothing(here: tuple[Workspace, Backend]) -> None:
    """Multi-region is turned off: the MX moves at once, and the second value goes when no sender holds the old MX."""
    workspace, backend = here
    for text in (f"two-{ACME}", f"one-{ACME}"):
        backend.add_txt(f"_amazonses.{ACME}.", f'"{text}"')
    (workspace.directory / "manifests" / "other.yaml").unlink()
    workspace.write("manifests/acme.yaml", manifest(ACME, multi_region=True))
    assert workspace.run("apply", "--auto-approve").code == 0
    assert mx(backend, ACME) == {MULTI}
    workspace.write("manifests/acme.yaml", manifest(ACME))
    reviewed(workspace)
    assert became(apply(workspace, "plan.json")) == {ACME: "applied"}
    assert txt(f"two-{ACME}") in values(backend, ACME)
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--continue", "--wait", "600"],
        cwd=workspace.directory,
        env=workspace.variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        time.sleep(3)
        process.kill()
    began = time.monotonic()
    document = apply(workspace, "--continue", "--wait", "150")
    assert (document["exit_code"], became(document)) == (0, {ACME: "applied"}), document
    assert values(backend, ACME) == {txt("a foreign value"), txt(f"one-{ACME}")}
    assert time.monotonic() - began < 140
    assert workspace.run("apply", "--continue").out == "Nothing to continue.\n"
