"""The standard streams as the program finds them, and as it leaves them. Imports little: `--help` needs it, too."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path


def discard_stdout() -> None:
    """Keep the interpreter from complaining when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def configure_streams() -> None:
    """What the terminal's encoding lacks is shown as its code point; a stream that was closed takes and loses all."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
