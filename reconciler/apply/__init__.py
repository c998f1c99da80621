"""Writing to DNS: compare and swap one zone's changes, then read back.

A `ZoneWriter` is made from an octoDNS provider block (`providers.py`). Each keeps to this contract:

* `write` takes the changes of one mail domain in one zone and refuses the whole of it, before anything is written,
  with `StaleError` when any rrset is not exactly `change.expected` (values; where the backend tells, also TTL),
  with `CannotCarryError` when the backend cannot keep some value byte for byte, and with `ApplyError` for the rest;
* it never creates a zone, never touches another rrset, and never re-encodes a foreign value;
* after it returns, the writer itself has read every rrset back through a fresh connection or cache and found
  `change.wanted` with `change.ttl`; if not, it raises `VerifyError`;
* foreign exceptions do not leave it, secrets are in none of its messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.diff import Change
    from reconciler.names import Name


class ApplyError(Exception):
    """A write did not happen or may not have happened; the text says what, where, and what to do. One domain's."""

    code = "apply-failed"


class StaleError(ApplyError):
    """What is there is no longer what the plan saw: nothing was written; plan again."""

    code = "stale"


class CannotCarryError(ApplyError):
    """The backend cannot hold or keep some value: nothing was written."""

    code = "cannot-carry"


class NoSuchZoneError(ApplyError):
    """The backend does not have the zone, and zones are never created here."""

    code = "no-such-zone"


class ProviderConfigError(ApplyError):
    """The provider block, its class or its secrets are not usable."""

    code = "provider"


class VerifyError(ApplyError):
    """The write was accepted, and reading back shows something else."""

    code = "verify-failed"


class ZoneWriter(Protocol):
    """Writes changes to zones at one provider."""

    def write(self, zone: Name, changes: Sequence[Change]) -> None:
        """Write the changes of one mail domain, all compared first; see the module's contract."""
        ...
