"""Documents of shards that somebody altered, or that looked hours apart: refused, and no wait shortened."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from builders import NOW
from command import GATEWAY, HEAD, OLD, Command, manifest
from shard_lab import KINDS, Kind, opened

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = "2026-12-12T"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Three organizations with a domain each."""
    command = Command(tmp_path, monkeypatch, capsys)
    for n in range(2):
        name = f"d{n}.example"
        Path(f"manifests/org{n}.yaml").write_text(manifest(name).replace("organization: acme", f"organization: org{n}"))
        Path(f"zones/{name}.zone").write_text(f"{HEAD}{OLD}")
    return command


def _altered(run: Command, kind: Kind, change: Callable[[dict[str, Any]], object]) -> str:
    """What merge says of three shards of which the fullest was altered after it was made."""
    for index in (1, 2, 3):
        run(kind, "--shard", f"{index}/3", "--json-into", f"{index}.json")
    path = max((Path(f"{n}.json") for n in (1, 2, 3)), key=lambda p: len(json.loads(p.read_text())["domains"]))
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    found = run("merge", "1.json", "2.json", "3.json")
    assert (found.code, found.out) == (1, "")
    return found.err


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "shard-gone": lambda d: d.pop("shard"),
    "limits": lambda d: d["shard"]["stops"].update(switches_per_run=9),
    "positions": lambda d: d["shard"]["domains"].append(77),
    "endless": lambda d: d["shard"].update(count=10**9),
    "share": lambda d: d["shard"]["stops"].update(unhealthy_share=float("nan")),
    "half": lambda d: d["shard"]["stops"].update(kill_switch="\ud800"),
    "below": lambda d: d["shard"].update(index=0),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_altered_is_refused(run: Command, kind: Kind, change: Callable[[dict[str, Any]], object]) -> None:
    assert "Traceback" not in (err := _altered(run, kind, change))
    assert "error[" in err


def test_a_domain_that_was_renamed_in_a_drift_is_an_alteration(run: Command) -> None:
    assert "error[merge-altered]" in _altered(run, "drift", lambda d: d["domains"][0].update(domain="evil.example"))


def test_a_shards_plan_without_its_mark_is_not_applied(run: Command) -> None:
    run("plan", "--shard", "1/1", "--json-into", "1.json")
    data = json.loads(Path("1.json").read_text())
    del data["shard"]
    Path("1.json").write_text(json.dumps(data))
    refused = run("apply", "1.json")
    assert refused.code == 1
    assert "was altered after it was made" in refused.err


def _behind_the_gateway_and_leaving(run: Command) -> None:
    """A domain that has come through the gateway for weeks, and is declared as leaving since today."""
    Path("manifests/acme.yaml").write_text(manifest("acme.example"))
    for day in (21, 22, 23):
        run("apply", "--auto-approve", now=f"2026-11-{day}T12:00:00+00:00")
    for date in ("11-27", "12-01", "12-05", "12-09"):
        run("drift", "--record", now=f"2026-{date}T00:00:00+00:00")
    text = Path("manifests/acme.yaml").read_text()
    leaving = text.replace(
        "      - name: acme.example\n", "      - name: acme.example\n        lifecycle: offboarded\n"
    )
    Path("manifests/acme.yaml").write_text(leaving)
    run("drift", "--record", now=f"{DAY}00:00:00+00:00")
    assert GATEWAY in run.zone.read_text()


def _shard_of(domain: str) -> str:
    files = (Path(f"{index}.json") for index in (1, 2, 3))
    return next(f.stem for f in files if domain in f.read_text())


@pytest.mark.parametrize("merged_at", ["06:56", "01:30"])
def test_a_shard_that_looked_hours_after_the_first_makes_no_wait_shorter(merged_at: str, run: Command) -> None:
    """Even where the clock of whoever merges is hours behind that of the shard."""
    _behind_the_gateway_and_leaving(run)
    for index in (1, 2, 3):
        run("drift", "--shard", f"{index}/3", "--json-into", f"{index}.json", now=f"{DAY}01:00:00+00:00")
    changed = _shard_of('"domain": "acme.example"')
    run.zone.write_text(run.zone.read_text().replace(GATEWAY, OLD))  # 06:50: its owner moves the MX
    run("drift", "--shard", f"{changed}/3", "--json-into", f"{changed}.json", now=f"{DAY}06:55:00+00:00")
    run("merge", "1.json", "2.json", "3.json", "--record", now=f"{DAY}{merged_at}:00+00:00")
    run("apply", "--auto-approve", "--domain", "acme.example", now=f"{DAY}06:57:00+00:00")
    assert "token-of-acme" in run.zone.read_text(), "it went while senders could hold the MX that had just moved"


@pytest.mark.usefixtures("run")
def test_a_look_that_took_long_counts_from_its_end_and_a_quick_one_is_of_its_run() -> None:
    invocation = opened(NOW)
    assert invocation.looked_at() == NOW
    long_ago = replace(invocation, started=time.monotonic() - 7200)
    assert NOW + timedelta(hours=2) <= long_ago.looked_at() < NOW + timedelta(hours=3)
