"""What needs no name server: reading manifests, and starting. Measured by `load.py` and `startup.py`, on one core."""

from __future__ import annotations

import importlib
import importlib.util
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from table import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from measuring import Setup

    Measured = tuple[list[Row], dict[str, Any]]


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """This process and those that it starts are on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure_load(setup: Setup) -> Measured:
    """Loading and validating 10,000 domains, beside other loaders of YAML."""
    return _measure("load", setup)


def measure_startup(setup: Setup) -> Measured:
    """`--help`, and `validate` of one file."""
    return _measure("startup", setup)


def _measure(module: str, setup: Setup) -> Measured:
    """What `measure(runs)` of a module gives: for each row its value, and goal, unit and direction where it says so."""
    if importlib.util.find_spec(module) is None:
        return [], {"missing": module}
    with pinned(setup.cores.client):
        measured: dict[str, dict[str, Any]] = importlib.import_module(module).measure(setup.runs)
    rows = [
        Row(
            f"{module}/{what}",
            what,
            each["value"],
            each.get("better", "lower"),
            each.get("goal"),
            each.get("unit", "x"),
        )
        for what, each in measured.items()
    ]
    return rows, measured
