"""Plan 1,000 domains on loopback, beside octodns-sync's dry run on the same zones: seconds and memory, in one run.

Both read the same BIND; ours asks for the rrsets that it is about, octoDNS transfers every zone. Half of the domains
are in sync, half need their verification value. The two take turns, and the ratio is of the medians: the machine is
shared, so a single number says little.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from servers.bind import run_bind

OUT = Path(__file__).resolve().parent / "out" / "plan_1000.json"
ZONE = """$TTL 3600
@ IN SOA ns1 hostmaster 2026010101 3600 600 86400 300
@ IN NS ns1
ns1 IN A 127.0.0.1
@ IN MX {mx}
@ IN TXT "v=spf1 -all"
www IN A 192.0.2.1
_amazonses IN TXT "a foreign value"
{token}"""


@dataclass(frozen=True)
class Run:
    """One run of one program: wall and processor seconds, the largest resident size in MiB."""

    wall: float
    cpu: float
    mebibytes: float


def zone_text(number: int) -> str:
    """The master file of one domain: in sync for even numbers."""
    if number % 2:
        return ZONE.format(mx="10 mail", token="")
    token = f'_amazonses IN TXT "token-{number}"\n'
    return ZONE.format(mx="0 inbound-smtp.eu-west-1.amazonaws.com.", token=token)


def write_manifests(directory: Path, count: int) -> None:
    """Twenty domains in a manifest."""
    directory.mkdir()
    for first in range(0, count, 20):
        lines = [
            f"organization: org{first}",
            "region: eu",
            "multi_region: false",
            "escalation_contacts: [noc@bench.example]",
            "attestations: [{what: allowlist, by: noc@bench.example, on: 2026-01-01}]",
            "services:",
            "  - name: mail",
            "    kind: postfix",
            "    domains:",
        ]
        for number in range(first, min(first + 20, count)):
            lines += [
                f"      - name: d{number}.example",
                "        next_hops: [mail.hosting.example]",
                f"        verification: {{primary: token-{number}}}",
            ]
        (directory / f"org{first}.yaml").write_text("\n".join(lines) + "\n")


def write_octodns(directory: Path, count: int, address: str, port: int) -> None:
    """The same desired state as an octoDNS repository: whole zones, as octoDNS needs them."""
    (directory / "zones").mkdir(parents=True)
    zones = "\n".join(f"  d{number}.example.: {{sources: [config], targets: [bind]}}" for number in range(count))
    (directory / "config.yaml").write_text(
        "manager: {max_workers: 1}\nproviders:\n"
        "  config: {class: octodns.provider.yaml.YamlProvider, directory: zones, enforce_order: false}\n"
        f"  bind: {{class: octodns_bind.Rfc2136Provider, host: {address}, port: {port}}}\nzones:\n{zones}\n"
    )
    for number in range(count):
        (directory / "zones" / f"d{number}.example.yaml").write_text(
            "'':\n- {type: MX, ttl: 3600, value: {preference: 0, exchange: inbound-smtp.eu-west-1.amazonaws.com.}}\n"
            f"- {{type: NS, ttl: 3600, value: ns1.d{number}.example.}}\n"
            "- {type: TXT, ttl: 3600, value: v=spf1 -all}\n"
            f"_amazonses: {{type: TXT, ttl: 3600, values: [a foreign value, token-{number}]}}\n"
            "ns1: {type: A, ttl: 3600, value: 127.0.0.1}\nwww: {type: A, ttl: 3600, value: 192.0.2.1}\n"
        )


def measure(command: list[str], cwd: Path, accepted: set[int]) -> Run:
    """Run a command to its end."""
    started = time.monotonic()
    with (cwd / "output.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=cwd, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in accepted:
        tail = (cwd / "output.log").read_text(errors="replace")[-2000:]
        sys.exit(f"{command} ended with {process.returncode}:\n{tail}")
    return Run(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(runs: list[Run]) -> Run:
    """The median of each figure."""
    figures = [asdict(run) for run in runs]
    return Run(**{name: statistics.median(f[name] for f in figures) for name in figures[0]})


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--domains", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    count: int = arguments.domains
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        zones = {f"d{number}.example.": zone_text(number) for number in range(count)}
        with run_bind(zones, directory=root / "bind") as server:
            ours, theirs = root / "ours", root / "theirs"
            ours.mkdir()
            write_manifests(ours / "manifests", count)
            (ours / "reconciler.yaml").write_text(
                f'observe: {{dns: {{servers: ["{server.address}:{server.port}"]}}}}\n'
            )
            write_octodns(theirs, count, server.address, server.port)
            plan = [str(programs / "reconciler"), "plan", "--format", "json"]
            sync = [str(programs / "octodns-sync"), "--config-file", "config.yaml", "--quiet"]
            pairs = [(measure(plan, ours, {0, 3}), measure(sync, theirs, {0})) for _ in range(arguments.runs)]
            document = json.loads((ours / "output.log").read_text())
            assert document["summary"]["unknown"] == 0, document["summary"]  # noqa: S101 - a wrong run has no speed
    report([p[0] for p in pairs], [p[1] for p in pairs], count)


def report(ours: list[Run], theirs: list[Run], count: int) -> None:
    """Print both medians and the ratio, and keep them as JSON."""
    a, b = median(ours), median(theirs)
    print(f"{count} domains on loopback, medians of {len(ours)} runs in turn, Python {platform.python_version()}")
    print(f"{'':24}{'wall s':>10}{'cpu s':>10}{'MiB':>10}")
    for name, run in (("reconciler plan", a), ("octodns-sync (dry run)", b)):
        print(f"{name:24}{run.wall:10.2f}{run.cpu:10.2f}{run.mebibytes:10.0f}")
    print(f"{'ratio':24}{b.wall / a.wall:10.2f}{b.cpu / a.cpu:10.2f}{b.mebibytes / a.mebibytes:10.2f}")
    OUT.parent.mkdir(exist_ok=True)
    figures = {"domains": count, "ours": [asdict(r) for r in ours], "octodns_sync": [asdict(r) for r in theirs]}
    OUT.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
