"""The settings choose the observer."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from servers.observing import Asking

from reconciler.observe.build import build_observer
from reconciler.observe.dns import LiveObserver
from reconciler.observe.zonefile import ZonefileObserver


@dataclass(frozen=True)
class Files:
    """`ZonefileSettings`."""

    directory: Path
    extension: str = ".zone"


def test_the_settings_choose() -> None:
    assert isinstance(build_observer(Files(Path("zones"))), ZonefileObserver)
    assert isinstance(build_observer(Asking()), LiveObserver)


def test_master_files_need_neither_sockets_nor_an_event_loop() -> None:
    program = (
        "import sys; from types import SimpleNamespace as S; from reconciler.observe.build import build_observer; "
        "build_observer(S(directory=None, extension='')); "
        "print([m for m in ('asyncio', 'dns.resolver', 'dns.query', 'octodns') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
