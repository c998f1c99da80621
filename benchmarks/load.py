"""Loading and validating a fleet of 500 files, beside libyaml's bare events and other loaders of YAML; on one core.

The others only make plain data of the same text. Everything takes turns in one process, so that a loaded machine is
loaded for all of them; the least processor time of each. `load.py [RUNS]` prints the ratios.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _ruamel_yaml
import ruamel.yaml
import yaml
from fleet_manifests import write_manifests
from ruamel.yaml.events import StreamEndEvent

from reconciler.catalog import load_catalog
from reconciler.collector import rare_collection
from reconciler.manifest.load import load_manifests

if TYPE_CHECKING:
    from collections.abc import Callable

DOMAINS = 10_000  # in 500 files
TODAY = date(2026, 11, 22)


def _bare_events(paths: list[Path]) -> None:
    for path in paths:
        next_event = _ruamel_yaml.CParser(path.read_bytes()).get_event
        while type(next_event()) is not StreamEndEvent:
            pass


def _ruamel_safe(paths: list[Path]) -> None:
    loader = ruamel.yaml.YAML(typ="safe")
    if loader.Parser is not _ruamel_yaml.CParser:
        sys.exit("ruamel.yaml does not use its C extension here")
    for path in paths:
        loader.load(path.read_bytes())


def _pyyaml(paths: list[Path]) -> None:
    for path in paths:
        yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


def _seconds(load: Callable[[], Any]) -> float:
    with rare_collection():  # for all alike: the collector's time is not what is compared
        started = time.process_time()
        load()
        return time.process_time() - started


def measure(runs: int) -> dict[str, dict[str, Any]]:
    """Ratios: our time to that of bare events, and that of the other loaders to ours."""
    catalog = load_catalog()
    with tempfile.TemporaryDirectory() as folder:
        manifests = Path(folder) / "manifests"
        write_manifests(manifests, DOMAINS)
        paths = sorted(manifests.iterdir())
        loaders: dict[str, Callable[[], Any]] = {
            "events": lambda: _bare_events(paths),
            "ours": lambda: load_manifests(manifests, catalog=catalog, today=TODAY),
            "ruamel": lambda: _ruamel_safe(paths),
            "pyyaml": lambda: _pyyaml(paths),
        }
        seconds: dict[str, list[float]] = {name: [] for name in loaders}
        for _ in range(runs):
            for name, load in loaders.items():
                seconds[name].append(_seconds(load))
    took = {name: min(each) for name, each in seconds.items()}
    return {
        "load and validate, to bare C events": {"value": took["ours"] / took["events"], "goal": 1.6, "unit": "x"},
        "ruamel safe with C, to ours": {
            "value": took["ruamel"] / took["ours"],
            "goal": 5.0,
            "unit": "x",
            "better": "higher",
        },
        "PyYAML CSafeLoader, to ours": {"value": took["pyyaml"] / took["ours"], "unit": "x", "better": "higher"},
        "load and validate": {"value": took["ours"], "unit": "s"},
    }


def main() -> dict[str, float]:
    """Measure and print; the values by their names."""
    values = {name: each["value"] for name, each in measure(int(sys.argv[1]) if sys.argv[1:] else 3).items()}
    for name, value in values.items():
        print(f"{name:40} {value:8.2f}")
    return values


if __name__ == "__main__":
    main()
