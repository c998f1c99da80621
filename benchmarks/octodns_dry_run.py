"""octodns-sync's dry run over zones of the same server, which it transfers whole: the same desired state."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fleet_lab import ADDRESS
from fleet_manifests import domain_of, token_of
from measuring import PROGRAMS, best_run, run_measured
from table import Row

if TYPE_CHECKING:
    from pathlib import Path

    from fleet_lab import Laboratory
    from measuring import Setup

GOAL = 20.0
SHARE = 0.5  # of the domains: it is slow, and its start weighs less with more
RUNS = 3
_ZONE = """'':
- {{type: MX, ttl: 3600, value: {{preference: 0, exchange: inbound-smtp.eu-west-1.amazonaws.com.}}}}
- {{type: NS, ttl: 3600, values: [ns1.{name}., ns2.{name}.]}}
- {{type: TXT, ttl: 3600, value: v=spf1 -all}}
_amazonses: {{type: TXT, ttl: 3600, values: [a foreign value, "{token}"]}}
ns1: {{type: A, ttl: 3600, value: 127.0.0.1}}
ns2: {{type: A, ttl: 3600, value: 127.0.0.1}}
mail: {{type: A, ttl: 3600, value: 192.0.2.1}}
"""
_CONFIG = """manager: {{max_workers: 1}}
providers:
  config: {{class: octodns.provider.yaml.YamlProvider, directory: zones, enforce_order: false}}
  bind: {{class: octodns_bind.Rfc2136Provider, host: {address}, port: {port}}}
zones:
"""


def write_repository(directory: Path, count: int, port: int) -> None:
    """The same desired state as an octoDNS repository: whole zones, as octoDNS needs them."""
    (directory / "zones").mkdir(parents=True)
    zones = (f"  {domain_of(n)}.: {{sources: [config], targets: [bind]}}\n" for n in range(count))
    (directory / "config.yaml").write_text(_CONFIG.format(address=ADDRESS, port=port) + "".join(zones))
    for number in range(count):
        name = domain_of(number)
        (directory / "zones" / f"{name}.yaml").write_text(_ZONE.format(name=name, token=token_of(number)))


def measure(setup: Setup, laboratory: Laboratory, seconds_a_domain: float) -> tuple[list[Row], dict[str, Any]]:
    """Its wall time for a zone in units of ours for a domain."""
    count = max(int(setup.domains * SHARE), 1)
    folder = setup.folder / "octodns"
    write_repository(folder, count, laboratory.port)
    command = setup.cores.as_client([str(PROGRAMS / "octodns-sync"), "--config-file", "config.yaml", "--quiet"])
    runs = [run_measured(command, folder) for _ in range(min(setup.runs, RUNS))]
    theirs = best_run(runs).wall / count
    what = f"octodns-sync's dry run of {count:,} zones, for a zone / ours, for a domain"
    row = Row("peers/octodns", what, theirs / seconds_a_domain, "higher", GOAL)
    return [row], {"zones": count, "runs": [asdict(run) for run in runs]}
