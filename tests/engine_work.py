"""Work that engines are given in tests: it has to be importable where it is done."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import Diagnostic, ManifestError, Severity

FOUND = (
    Diagnostic(Severity.ERROR, "one", "first", "do this", "manifests/a.yaml", 3, 4),
    Diagnostic(Severity.ERROR, "two", "second", "do that"),
)


@dataclass(frozen=True, slots=True)
class Order:
    """What to do, what with, and a file that tells of it."""

    kind: str
    text: str = ""
    file: Path = Path()


def do(order: Order) -> bytes:
    """Do as ordered; the result is the order's text."""
    {"nothing": _nothing, "die": _die, "die-once": _die_once, "fail": _fail, "stay": _stay, "speak": _speak}[
        order.kind
    ](order)
    return order.text.encode()


def prepare() -> None:
    """Nothing is needed."""


def prepare_by_speaking() -> None:
    """One line in each process."""
    sys.stderr.write("prepared\n")


def _nothing(_order: Order) -> None:
    pass


def _die(order: Order) -> None:
    with order.file.open("a") as file:
        file.write(f"{os.getpid()}\n")
    os.kill(os.getpid(), signal.SIGKILL)


def _die_once(order: Order) -> None:
    if not order.file.exists():
        _die(order)


def _fail(order: Order) -> None:
    with order.file.open("a") as file:
        file.write("tried\n")
    raise ManifestError(FOUND)


def _stay(order: Order) -> None:
    """For longer than any test; the file has the process's id, from the moment that it is there."""
    written = order.file.with_suffix(".written")
    written.write_text(f"{os.getpid()}\n")
    written.rename(order.file)
    time.sleep(120)


def _speak(order: Order) -> None:
    sys.stderr.write(f"{order.text}\n")
