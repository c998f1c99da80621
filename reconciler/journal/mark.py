"""The mark beside a journal, by which it shows that the journal was restored from an older copy.

Every write to the journal counts, and the mark has the number that was reached. A mark that is ahead of its journal saw
writes that the journal no longer has.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, Severity
from reconciler.files import write_atomically
from reconciler.journal.schema import Identity

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.journal.database import Location

FILE = "journal.mark"
_MAX_OCTETS = 4096
_MAX_COUNTER = 2**62
"""Far above what any journal counts to, and below what a database's integer holds."""


def read_mark(state_directory: Path) -> Identity | None:
    """The mark; None where there is none, or where what is there is none.

    Raises:
        OSError: it cannot be read.

    """
    try:
        with (state_directory / FILE).open("rb") as file:
            found = json.loads(file.read(_MAX_OCTETS))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        # as good as missing: nothing can be told by it
        return None
    match found:
        case {"journal": str(journal), "counter": int(counter)} if 0 <= counter <= _MAX_COUNTER:
            return Identity(journal, counter)
    return None


def write_mark(state_directory: Path, identity: Identity) -> None:
    """Write the mark.

    Raises:
        OSError: it cannot be written.

    """
    text = json.dumps({"journal": identity.journal, "counter": identity.counter})
    write_atomically(state_directory / FILE, f"{text}\n".encode())


def is_restored(mark: Identity | None, identity: Identity) -> bool:
    """Whether the journal is an older copy; the mark has to be read before the journal is."""
    return mark is not None and mark.journal == identity.journal and mark.counter > identity.counter


def restored_warning(location: Location) -> Diagnostic:
    """What is said then."""
    detail = (
        "Which MX senders may still hold is not known for the time in between, so every wait begins anew. Nothing "
        "needs to be done."
    )
    return Diagnostic(
        Severity.WARNING, "journal-restored", f"the journal {location.shown} is an older copy of itself", detail
    )
