"""Scans as tests need them: one that is killed in the middle, and one that asks nobody. Workers import them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from reconciler.errors import ManifestError, error
from reconciler.scan import ScanOrder, scan

DYING = 2
"""The shard that is lost."""


def dying_scan(order: ScanOrder) -> bytes:
    """The octets of a shard; the process that first has them for the second shard is killed before it can say so."""
    octets = scan(order)
    mark = Path("killed")  # in the folder of the run
    if order.shard.index == DYING and not mark.exists():
        mark.write_text(f"{os.getpid()}\n")
        os.kill(os.getpid(), signal.SIGKILL)
    return octets


def refusing_scan(order: ScanOrder) -> bytes:
    """Nothing: whoever began it has said before what there is to say."""
    raise ManifestError([error("refused", "refused", f"{order.shard.count} shards.")])
