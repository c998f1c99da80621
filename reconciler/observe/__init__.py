"""Observing DNS: many questions in, observations out as they come. One interface, several implementations.

`dns.py` asks authoritative servers; `zonefile.py` reads master files. Both keep to this contract:

* exactly one `Observation` for each `Question`, in any order; a question that is given again while it is under way is
  asked once and answered for each;
* nothing that the network or a file does raises: it becomes `Unknown` with its cause;
* no answer without the AA bit counts; a referral is `Cause.DELEGATED`; a CNAME at the name is `Cause.CNAME`;
* what a wildcard makes at a name (RFC 4592) is not at the name, where values are owned: it is `Absent`, and says so
  where the name is the mail domain itself;
* the time for one question is bounded, whatever the network does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.names import Name
    from reconciler.state import Key, Observation


class Question(NamedTuple):
    """One rrset to observe, asked for the mail domain `domain`.

    The zone looked for is the one that holds `domain`; `zone` names its apex where the manifest does. A key outside
    that zone, or below a delegation in it, is `Cause.DELEGATED`.
    """

    key: Key
    domain: Name
    zone: Name | None = None


class Observer(Protocol):
    """Observes rrsets."""

    def observe(self, questions: Iterable[Question]) -> Iterator[Observation]:
        """Observe every question; see the module's contract."""
        ...
