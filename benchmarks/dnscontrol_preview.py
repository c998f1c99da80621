"""DNSControl's preview over zones of the same server, where it is installed or a Go toolchain can build it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from fleet_lab import ADDRESS
from fleet_manifests import domain_of, token_of
from measuring import best_run, run_measured
from table import Row

if TYPE_CHECKING:
    from pathlib import Path

    from fleet_lab import Laboratory
    from measuring import Setup

VERSION = "v4.24.0"
BUILD_SECONDS = 900
SHARE = 0.1  # of the domains
RUNS = 2
_MODULE = """module preview

go 1.24

require github.com/StackExchange/dnscontrol/v4 {version}
"""
# whole, it needs the modules of some sixty providers; zones are transferred by this one
_MAIN = """package main

import (
	"os"

	"github.com/StackExchange/dnscontrol/v4/commands"
	_ "github.com/StackExchange/dnscontrol/v4/providers/axfrddns"
)

func main() {
	os.Exit(commands.Run("dnscontrol"))
}
"""
_HEAD = 'var NONE = NewRegistrar("none");\nvar SERVER = NewDnsProvider("server");\n'
_ZONE = """D("{name}", NONE, DnsProvider(SERVER, 0), DefaultTTL(3600),
  NAMESERVER("ns1.{name}."), NAMESERVER("ns2.{name}."), NAMESERVER_TTL(3600),
  A("ns1", "127.0.0.1"), A("ns2", "127.0.0.1"), A("mail", "192.0.2.1"),
  MX("@", 0, "inbound-smtp.eu-west-1.amazonaws.com."), TXT("@", "v=spf1 -all"),
  TXT("_amazonses", "a foreign value"), TXT("_amazonses", "{token}"));
"""


def write_configuration(directory: Path, count: int, port: int) -> None:
    """The same desired state: whole zones, and the server that they are transferred from."""
    directory.mkdir(parents=True)
    server = {"TYPE": "AXFRDDNS", "master": f"{ADDRESS}:{port}"}
    (directory / "creds.json").write_text(json.dumps({"none": {"TYPE": "NONE"}, "server": server}))
    zones = (_ZONE.format(name=domain_of(number), token=token_of(number)) for number in range(count))
    (directory / "dnsconfig.js").write_text(_HEAD + "".join(zones))


def find_dnscontrol(folder: Path) -> tuple[str | None, str]:
    """The program, or None and why there is none; what is built is built in a folder, which is made."""
    found = shutil.which("dnscontrol")
    if found:
        return found, ""
    go = shutil.which("go")
    if go is None:
        return None, "neither dnscontrol nor go is installed"
    folder.mkdir()
    (folder / "go.mod").write_text(_MODULE.format(version=VERSION))
    (folder / "main.go").write_text(_MAIN)
    program = folder / "dnscontrol"
    try:
        done = subprocess.run(
            [go, "build", "-o", str(program), "."],
            cwd=folder,
            env={**os.environ, "GOFLAGS": "-mod=mod"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, f"go did not build it within {BUILD_SECONDS} s"
    if done.returncode:
        return None, f"dnscontrol is not installed, and go cannot build {VERSION}"
    return str(program), ""


def measure(setup: Setup, laboratory: Laboratory, seconds_a_domain: float) -> tuple[list[Row], dict[str, Any]]:
    """Its wall time for a zone in units of ours for a domain."""
    count = max(int(setup.domains * SHARE), 1)
    what = f"DNSControl's preview of {count:,} zones, for a zone / ours, for a domain"
    row = Row("peers/dnscontrol", what, None, "higher")
    folder = setup.folder / "dnscontrol"
    program, why = find_dnscontrol(setup.folder / "dnscontrol-build")
    if program is None:
        return [replace(row, note=why)], {"missing": why}
    write_configuration(folder, count, laboratory.port)
    command = setup.cores.as_client([program, "preview", "--expect-no-changes"])
    runs = [run_measured(command, folder) for _ in range(min(setup.runs, RUNS))]
    theirs = best_run(runs).wall / count
    return [replace(row, value=theirs / seconds_a_domain)], {"zones": count, "runs": [asdict(run) for run in runs]}
