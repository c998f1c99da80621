"""What became of every message: the senders' events held against the origin's Maildir."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from mail_lab.origin import Arrival

SLACK_SECONDS = 1.0  # a session that began before the table was in place may end after it


@dataclass
class Restriction:
    """When the origin kept others out: spans of (from, until), seconds since the epoch; the last one may be open."""

    spans: list[tuple[float, float]] = field(default_factory=list)

    def begin(self, at: float) -> None:
        """The table that refuses others is in place."""
        if not self.is_on:
            self.spans.append((at + SLACK_SECONDS, float("inf")))

    def end(self, at: float) -> None:
        """It is about to be taken away."""
        if self.is_on:
            self.spans[-1] = (self.spans[-1][0], at)

    @property
    def is_on(self) -> bool:
        """Whether it keeps others out now."""
        return bool(self.spans) and self.spans[-1][1] == float("inf")

    def covers(self, at: float) -> bool:
        """Whether it did so at a moment."""
        return any(begin <= at < end for begin, end in self.spans)


@dataclass(frozen=True)
class Tally:
    """The ids of messages by what became of them; `through_gateway` and `directly` are of those that arrived."""

    sent: frozenset[str]
    arrived: frozenset[str]
    through_gateway: frozenset[str]
    deferred: frozenset[str]
    bounced: dict[str, str]
    lost: frozenset[str]
    duplicates: frozenset[str]
    unsure: frozenset[str]
    past_the_gateway: frozenset[str]
    attacks: int
    attacks_while_restricted: int
    attacks_accepted: int

    @property
    def unexplained_duplicates(self) -> frozenset[str]:
        """Those that came twice although nobody had to guess whether they had come (RFC 5321 section 4.5.3.2.6)."""
        return self.duplicates - self.unsure

    def table(self, title: str) -> str:
        """The counts for people."""
        rows = {
            "sent": len(self.sent),
            "arrived": len(self.arrived),
            "  through the gateway": len(self.through_gateway),
            "  directly": len(self.arrived - self.through_gateway),
            "deferred at least once": len(self.deferred),
            "lost": len(self.lost),
            "bounced": len(self.bounced),
            "duplicates": len(self.duplicates),
            "past the gateway once restricted": len(self.past_the_gateway),
            "attacks on the origin": self.attacks,
            "  accepted while it was open": self.attacks_accepted,
            "  made once it was restricted": self.attacks_while_restricted,
        }
        lines = (f"  {name:<36}{number:>7}" for name, number in rows.items())
        return "\n".join((title, *lines, ""))


def read_events(file: Path) -> list[dict[str, Any]]:
    """The senders' events, in order; a line that is being written is left out."""
    return [json.loads(line) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]


def count_messages(
    events: Iterable[dict[str, Any]],
    arrivals: Iterable[Arrival],
    gateway_addresses: Collection[str],
    restriction: Restriction,
) -> Tally:
    """Hold the two against each other. A message is lost that neither arrived nor bounced."""
    arrivals = tuple(arrivals)
    ids: dict[str, dict[str, str]] = {}
    attacked_at: list[float] = []
    for event in events:
        ids.setdefault(event["event"], {})[event["id"]] = event.get("why", "")
        if event["event"] == "attack":
            attacked_at.append(event["at"])
    sent = frozenset(ids.get("sent", ()))
    copies = Counter(a.id for a in arrivals)
    bounced = {i: why for i, why in ids.get("bounced", {}).items() if i in sent}
    arrived = frozenset(copies) & sent
    foreign = [a for a in arrivals if a.client not in gateway_addresses]
    return Tally(
        sent=sent,
        arrived=arrived,
        through_gateway=arrived - {a.id for a in foreign},
        deferred=frozenset(ids.get("deferred", ())),
        bounced=bounced,
        lost=sent - arrived - bounced.keys(),
        duplicates=frozenset(i for i, number in copies.items() if number > 1),
        unsure=frozenset(ids.get("unsure", ())),
        past_the_gateway=frozenset(a.id for a in foreign if restriction.covers(a.at)),
        attacks=len(attacked_at),
        attacks_while_restricted=sum(map(restriction.covers, attacked_at)),
        attacks_accepted=len(ids.get("attack-accepted", ())),
    )
