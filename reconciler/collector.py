"""When the interpreter looks for cyclic garbage (https://docs.python.org/3/library/gc.html): seldom.

Reference counts free nearly everything here; the collector is for cycles alone. By default it walks all young objects
after every 700 new ones, and all objects again and again while their number grows: a third of the time of a run over
10,000 domains, to free what a few tracebacks and tasks of asyncio left.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Objects more than were freed, before the young ones are walked. What bounds memory is this number: cycles that are
# dropped while a run goes on (an exception and its traceback for each server that is dead) are found among the young,
# at some 30 MB; what is old is walked last, and what is frozen never.
_YOUNG = 100_000
_YOUNG_WALKS, _OLD_WALKS = 20, 100


@contextmanager
def rare_collection() -> Iterator[None]:
    """Collect seldom, and walk nothing that was there before; for one run of the program, or one piece of work."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_YOUNG, _YOUNG_WALKS, _OLD_WALKS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def paused_collection() -> Iterator[None]:
    """Collect nothing while many objects are made that all stay: walking them would take longer than making them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
