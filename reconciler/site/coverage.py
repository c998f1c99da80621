"""Which origins let the gateway in: one standing a service, told apart by whether anybody could see it. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.gates import Verdict
from reconciler.gates.allowlist import AllowlistCovers
from reconciler.gates.base import combined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.gates import Facts


class CoverageState(StrEnum):
    """Whether an origin's lists let every address of the gateway in."""

    MISSING = "addresses are missing"
    UNKNOWN = "not known"
    ATTESTED = "covered, as a person attests"
    OBSERVED = "covered, as its exports show"


@dataclass(frozen=True, slots=True)
class Coverage:
    """One service; `evidence` says in one sentence how it is known, or why it is not."""

    organization: str
    service: str
    state: CoverageState
    evidence: str


def find_coverage(facts: Iterable[Facts]) -> Iterator[Coverage]:
    """The standing of every service that has a mail domain which stays behind the gateway by its MX.

    A waiver changes nothing of it: it excuses a switch, and lets nobody in.
    """
    behind: dict[tuple[str, str], list[Facts]] = defaultdict(list)
    for each in facts:
        if each.domain.is_filtered_by_mx and not each.domain.is_leaving:
            behind[each.domain.organization, each.domain.service].append(each)
    gate = AllowlistCovers()
    for (organization, service), domains in behind.items():
        result = combined([gate.judge(each) for each in domains])
        lists = domains[0].allowlists
        is_observed = bool(lists) and all(fact.observed is not None for fact in lists)
        yield Coverage(organization, service, _state(result.verdict, is_observed=is_observed), result.evidence)


def _state(verdict: Verdict, *, is_observed: bool) -> CoverageState:
    if verdict is Verdict.PASS:
        return CoverageState.OBSERVED if is_observed else CoverageState.ATTESTED
    return CoverageState.MISSING if verdict is Verdict.HOLD else CoverageState.UNKNOWN
