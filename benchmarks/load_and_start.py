"""What needs no name server: reading manifests, and starting. Measured by `load.py` and `startup.py`, on one core."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import load
import startup
from table import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from measuring import Setup

    Measured = tuple[list[Row], dict[str, Any]]

TITLES = {"load": "500 manifests, 10,000 domains", "startup": "start"}


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
    return _measure("load", load.measure, setup)


def measure_startup(setup: Setup) -> Measured:
    """`--help`, and `validate` of one file."""
    return _measure("startup", startup.measure, setup)


def _measure(module: str, measure: Callable[[int], dict[str, dict[str, Any]]], setup: Setup) -> Measured:
    """What `measure(runs)` gives: for each row its value, and goal, unit and direction where it says so."""
    with pinned(setup.cores.client):
        measured = measure(setup.runs)
    rows = [
        Row(
            f"{module}/{what}",
            f"{TITLES[module]}: {what}",
            each["value"],
            each.get("better", "lower"),
            each.get("goal"),
            each.get("unit", "x"),
        )
        for what, each in measured.items()
    ]
    return rows, measured
