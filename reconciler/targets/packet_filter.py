"""What a packet filter does with a new connection to port 25 from anywhere, as far as its rules are understood.

Everything doubtful counts as a refusal: "nobody is refused" is said only of what is understood to refuse nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MAX_DEPTH = 32  # chains in chains


class Extent(Enum):
    """For whom of everybody else a condition holds: nobody (or single clients), perhaps some, or all."""

    NOBODY = 0
    SOME = 1
    ALL = 2

    @property
    def inverted(self) -> Extent:
        """That of the condition's contrary."""
        return Extent(2 - self.value)


def common_extent(extents: Iterable[Extent]) -> Extent:
    """For whom all of the conditions hold; a rule without one is for all."""
    return min(extents, key=lambda e: e.value, default=Extent.ALL)


class Verdict(Enum):
    """What becomes of a connection; `BACK` leaves it to the chain that jumped, or to the policy."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class FilterRule:
    """One rule: for whom it is, and a verdict or the chain that it jumps to."""

    extent: Extent
    does: Verdict | str
    is_goto: bool = False


@dataclass(slots=True)
class PacketFilter:
    """Chains by their names, each with its rules in order."""

    chains: Mapping[str, Sequence[FilterRule]]
    _verdicts: dict[str, Verdict] = field(default_factory=dict)

    def refuses(self, chain: str, policy: Verdict) -> bool:
        """Whether some of everybody else may be refused by a chain that packets come to, with its policy."""
        verdict = self._verdict(chain, 0)
        return (policy if verdict is Verdict.BACK else verdict) is Verdict.REFUSE

    def reachable(self, chain: str) -> frozenset[str]:
        """The chain, and all that its rules lead to."""
        seen = {chain}
        pending = [chain]
        while pending:
            targets = {r.does for r in self.chains.get(pending.pop(), ()) if isinstance(r.does, str)}
            pending += targets - seen
            seen |= targets
        return frozenset(seen)

    def _verdict(self, chain: str, depth: int) -> Verdict:
        if chain not in self._verdicts:
            # while it is being judged, one that leads back to itself is doubtful
            self._verdicts[chain] = Verdict.REFUSE
            self._verdicts[chain] = Verdict.REFUSE if depth > _MAX_DEPTH else self._judge(chain, depth)
        return self._verdicts[chain]

    def _judge(self, chain: str, depth: int) -> Verdict:
        if chain not in self.chains:
            return Verdict.REFUSE
        may_leave = False  # some went back before, whatever the rules below say
        for rule in self.chains[chain]:
            if rule.extent is Extent.NOBODY:
                continue
            verdict = self._verdict(rule.does, depth + 1) if isinstance(rule.does, str) else rule.does
            leaves = verdict is Verdict.BACK and (rule.is_goto or rule.does is Verdict.BACK)
            if verdict is Verdict.REFUSE:
                return Verdict.REFUSE
            if rule.extent is Extent.ALL and (leaves or verdict is Verdict.ACCEPT):
                return Verdict.BACK if may_leave else verdict
            may_leave |= leaves
        return Verdict.BACK
