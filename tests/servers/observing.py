"""Settings and questions for tests that observe: quick to give up, because loopback answers at once."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.names import Name, canonical_name
from reconciler.observe import Question
from reconciler.observe.dns import LiveObserver
from reconciler.state import Key, Observation, Observed


@dataclass(frozen=True)
class Asking:
    """`DnsSettings` with short times."""

    servers: tuple[tuple[str, int], ...] = ()
    resolvers: tuple[tuple[str, int], ...] = ()
    timeout: float = 1.5
    attempts: int = 2
    in_flight: int = 200
    per_server: int | None = None
    rate: float | None = None
    share: int = 1


def question(owner: str, rdtype: str, *, domain: str = "", zone: str = "") -> Question:
    """A question in short: the domain is the owner, unless it is given."""
    declared = canonical_name(zone) if zone else None
    return Question(Key(Name(owner), rdtype), canonical_name(domain or owner), declared)


def observe_one(settings: Asking, asked: Question, *, port: int = 53) -> Observation:
    """The one observation of one question."""
    (observation,) = LiveObserver(settings, port=port).observe([asked])
    return observation


def observed(settings: Asking, asked: Question, *, port: int = 53) -> Observed:
    """What the servers agree on."""
    return observe_one(settings, asked, port=port).observed
