"""`apply --wait` stays until a gate opens by time, in real seconds, and no longer than it may."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from laboratory import Backend, Workspace, laboratory, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

TTL, SETTLE = 1, 9  # seconds
# multi-region is on, and shall be off: the MX moves at once, the second value goes when that is over
ZONE = f"""$ORIGIN acme.example.
@ 600 IN SOA ns hostmaster 1 3600 600 86400 300
@ 600 IN NS ns
@ {TTL} IN MX 0 eu.mx-pp.com.
ns 600 IN A 127.0.0.1
_amazonses 600 IN TXT "a foreign value"
_amazonses 600 IN TXT "one-acme.example"
_amazonses 600 IN TXT "two-acme.example"
"""
FOREIGN, ONE, TWO = b"\x0fa foreign value", b"\x10one-acme.example", b"\x10two-acme.example"
WAITS = f"waits: {{settle_minutes: {SETTLE / 60}, assumed_ttl_hours: {TTL / 3600}, absent_ttl_hours: {TTL / 3600}}}\n"
RETIRED = "acme.example/verification/retired"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[Workspace, Backend]]:
    with laboratory("bind", {"acme.example.": ZONE}, tmp_path) as (workspace, backend):
        workspace.append("reconciler.yaml", WAITS)
        workspace.write("manifests/acme.yaml", manifest("acme.example"))
        yield workspace, backend


def values(backend: Backend) -> frozenset[bytes]:
    return backend.content("acme.example.")["_amazonses.acme.example.", "TXT"][1]


def test_it_ends_when_the_gate_has_opened_and_the_value_is_gone(here: tuple[Workspace, Backend]) -> None:
    workspace, backend = here
    began = time.monotonic()
    switched = workspace.run("apply", "--auto-approve", "--wait", "1")
    assert switched.code == 3, switched.out
    assert values(backend) == {FOREIGN, ONE, TWO}, "the second value went while senders could hold the old MX"
    opens = datetime.fromisoformat(workspace.steps()[RETIRED]["not_before"])
    waited = workspace.run("apply", "--auto-approve", "--wait", "120")
    assert (waited.code, waited.err) == (0, "")
    assert values(backend) == {FOREIGN, ONE}
    assert datetime.now(opens.tzinfo) >= opens
    assert TTL + SETTLE <= time.monotonic() - began < 100
    assert workspace.run("plan", "--detailed-exitcode").code == 0


def test_it_goes_on_by_itself_with_what_it_has_just_switched(here: tuple[Workspace, Backend]) -> None:
    """One run: the MX, the wait, the removal; a line for each on stdout, and the wait is real."""
    workspace, backend = here
    began = time.monotonic()
    ran = workspace.run("apply", "--auto-approve", "--wait", "60")
    assert (ran.code, ran.err) == (0, ""), ran.out
    assert TTL + SETTLE <= time.monotonic() - began < 55
    assert values(backend) == {FOREIGN, ONE}
    assert re.search(r"MX +acme\.example", ran.out)
    assert re.search(r"TXT +_amazonses\.acme\.example", ran.out)


def test_it_gives_up_when_its_time_is_over_and_the_gate_is_not_open(here: tuple[Workspace, Backend]) -> None:
    workspace, backend = here
    settings = (workspace.directory / "reconciler.yaml").read_text()
    workspace.write("reconciler.yaml", settings.replace(WAITS, WAITS.replace(str(SETTLE / 60), "60")))
    began = time.monotonic()
    ran = workspace.run("apply", "--auto-approve", "--wait", "5")
    assert ran.code == 3
    assert 5 <= time.monotonic() - began < 60
    assert values(backend) == {FOREIGN, ONE, TWO}
    assert workspace.statuses()[RETIRED] == "held"


def test_a_saved_plan_is_waited_for_as_it_was_reviewed(here: tuple[Workspace, Backend]) -> None:
    """What was held in the reviewed plan goes when its gate opens; nothing else that came meanwhile does."""
    workspace, backend = here
    assert workspace.run("plan", "--out", "plan.json").code == 3
    ran = workspace.run("apply", "plan.json", "--wait", "60")
    assert (ran.code, ran.err) == (0, ""), ran.out
    assert values(backend) == {FOREIGN, ONE}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_whoever_stops_the_waiting_is_told_what_was_done(
    here: tuple[Workspace, Backend], number: signal.Signals, code: int
) -> None:
    """The switch and the file that undoes it are on stdout, and the next run finds no lock."""
    workspace, backend = here
    mx = ("acme.example.", "MX")
    before = backend.content("acme.example.")[mx]
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--auto-approve", "--wait", "600"],
        cwd=workspace.directory,
        env=workspace.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            end = time.monotonic() + 60
            while backend.content("acme.example.")[mx] == before and time.monotonic() < end:
                time.sleep(0.1)
            time.sleep(4)  # the switch is looked at and journalled, and then it waits
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == code, err
    assert err == "interrupted; what was written stays written, and the next run goes on from there\n"
    assert re.search(r"MX +acme\.example", out)
    assert "To undo: reconciler apply" in out
    assert workspace.run("apply", "--auto-approve").code == 3
