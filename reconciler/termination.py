"""A job that is cancelled (SIGTERM) ends like one that is interrupted: the journal's lock is given back."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn


class TerminatedError(KeyboardInterrupt):
    """The process was told to end, by SIGTERM."""


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Until the end of the block SIGTERM raises `TerminatedError`; outside of the main thread nothing is changed."""

    def stop(number: int, frame: object) -> NoReturn:
        del number, frame
        raise TerminatedError

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
