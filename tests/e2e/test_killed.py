"""Killed with SIGKILL before, during and after every write, the next run converges and nothing is lost."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest
from laboratory import laboratory, manifest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

HEAD = (
    "@ 3600 IN SOA ns hostmaster 1 3600 600 86400 300\n@ 3600 IN NS ns\nns 3600 IN A 127.0.0.1\n"
    '_amazonses 1234 IN TXT "a foreign value"\n'
)
NAMES = ("one", "two", "three")
DOMAINS = tuple(f"{name}.example" for name in NAMES)
FOREIGN = b"\x0fa foreign value"

# runs the command with a writer that kills its own process around the n-th write
PROGRAM = """
import os, signal, sys, threading
from reconciler import cli
from reconciler.apply import providers

moment, number = sys.argv.pop(1), int(sys.argv.pop(1))
build = providers.RedactingWriter.write
count = 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def write(self, zone, changes):
    global count
    count += 1
    if count == number and moment == "before":
        die()
    if count == number and moment == "during":
        threading.Timer(float(os.environ["DIE_AFTER"]), die).start()
    build(self, zone, changes)
    if count == number and moment == "after":
        die()

providers.RedactingWriter.write = write
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("kind", ["bind", "powerdns-api", "zonefile"])
@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_the_next_run_converges(kind: str, moment: str, tmp_path: Path) -> None:
    zones = {f"{domain}.": f"$ORIGIN {domain}.\n{HEAD}" for domain in DOMAINS}
    with laboratory(kind, zones, tmp_path) as (workspace, backend):
        workspace.append("reconciler.yaml", "lock: {lease_seconds: 1}\n")
        workspace.write("manifests/acme.yaml", manifest(*DOMAINS))
        program = workspace.write("dying.py", PROGRAM)
        codes = []
        for number in range(1, len(DOMAINS) + 1):
            # a write takes a few milliseconds; each round dies at another point of it
            workspace.environment["DIE_AFTER"] = str(0.002 * number)
            assert workspace.run("plan", "--out", "plan.json").code in {0, 3}
            died = workspace.run_program([sys.executable, str(program), moment, str(number)], "apply", "plan.json")
            codes.append(died.code)
        # a later round may have fewer writes left than it waits for, or be quicker than the timer
        assert codes[0] == -signal.SIGKILL or moment == "during", codes
        assert set(codes) <= {-signal.SIGKILL, 0, 3}, codes
        again = workspace.run("apply", "plan.json")
        assert again.code in {0, 3, 4}, again.err
        assert any(workspace.run("apply", "--auto-approve").code == 0 for _ in range(4))
        assert workspace.run("plan", "--detailed-exitcode").code == 0
        for domain in DOMAINS:
            content = backend.content(f"{domain}.")
            token = f"one-{domain}".encode()
            ttl, values = content[f"_amazonses.{domain}.", "TXT"]
            assert (ttl, values) == (1234, frozenset({FOREIGN, bytes([len(token)]) + token}))
            assert len(content[f"{domain}.", "MX"][1]) == 1
