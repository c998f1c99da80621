"""A run's claim on the branch, as the branch has it (`in-use`), and as the run's folder does (`journal.claim`)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reconciler.files import write_atomically
from reconciler.journal.schema import Identity

if TYPE_CHECKING:
    from pathlib import Path

FILE = "journal.claim"
_MAX_OCTETS = 16384
_MAX_HOLDER = 200
_LONGEST_LEASE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who has the branch, since when, and how long it may be at work; the token makes it different from every other."""

    holder: str
    since: datetime
    lease: timedelta
    token: str

    def is_over(self, now: datetime) -> bool:
        """Whether its run cannot be at work any more."""
        return now >= self.since + self.lease

    def described(self) -> str:
        """As a person reads it."""
        end = self.since + self.lease
        form = "%Y-%m-%d %H:%M:%S UTC"
        return f"{self.holder} has it since {self.since.strftime(form)}, until {end.strftime(form)} at the latest"


def fit_holder(holder: str) -> str:
    """Who runs, in one line and not too long."""
    return "".join(c if c.isprintable() else " " for c in holder)[:_MAX_HOLDER].strip() or "somebody"


def render_claim(claim: Claim) -> bytes:
    """The file on the branch."""
    content = {
        "holder": claim.holder,
        "since": claim.since.astimezone(UTC).isoformat(timespec="seconds"),
        "lease_seconds": round(claim.lease.total_seconds()),
        "token": claim.token,
    }
    return f"{json.dumps(content, indent=2)}\n".encode()


def read_claim(octets: bytes) -> Claim | None:
    """The claim in a file of the branch; None where it is none."""
    match _json(octets):
        case {"holder": str(holder), "since": str(since), "lease_seconds": int(seconds), "token": str(token)}:
            try:
                moment, lease = datetime.fromisoformat(since), timedelta(seconds=seconds)
            except (ValueError, OverflowError):
                return None
            if moment.tzinfo is None or not timedelta() <= lease <= _LONGEST_LEASE:
                return None
            return Claim(fit_holder(holder), moment.astimezone(UTC), lease, token)
    return None


def _json(octets: bytes) -> Any:  # noqa: ANN401 - whatever the file says
    try:
        return json.loads(octets[:_MAX_OCTETS])
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class OwnClaim:
    """What this folder's run did on the branch: written before each push, so that a killed one is found out.

    `commit` is the claim. `is_fetched`: the folder has the journal. `journal` and `counter`: which it was and what it
    counted then, None where there was none. `aside` is the name that a journal gets which was here and was not pushed.
    `pushing` is the commit by which the claim was about to be given back.
    """

    remote: str
    branch: str
    commit: str
    is_fetched: bool = False
    journal: str | None = None
    counter: int = 0
    aside: str | None = None
    pushing: str | None = None

    @property
    def fetched(self) -> Identity | None:
        """The journal as it was fetched."""
        return None if self.journal is None else Identity(self.journal, self.counter)


def read_own_claim(state_directory: Path) -> OwnClaim | None:
    """The claim of this folder's run; None where there is none.

    Raises:
        OSError: it cannot be read.

    """
    try:
        with (state_directory / FILE).open("rb") as file:
            found = _json(file.read(_MAX_OCTETS))
    except FileNotFoundError:
        return None
    match found:
        case {
            "remote": str(),
            "branch": str(),
            "commit": str(),
            "is_fetched": bool(),
            "journal": str() | None,
            "counter": int(),
            "aside": str() | None,
            "pushing": str() | None,
        } if len(found) == len(OwnClaim.__dataclass_fields__):
            return OwnClaim(**found)
    return None


def write_own_claim(state_directory: Path, own: OwnClaim) -> None:
    """Keep it.

    Raises:
        OSError: it cannot be written.

    """
    write_atomically(state_directory / FILE, f"{json.dumps(asdict(own))}\n".encode(), mode=0o600)


def forget_own_claim(state_directory: Path) -> None:
    """The claim is given back, or was never there.

    Raises:
        OSError: the folder cannot be written.

    """
    (state_directory / FILE).unlink(missing_ok=True)
