"""A million domains: which shard each is in is simulated by the program's own function, what it costs is computed.

The figures of a domain are those of `scaling.py` in the same run; the queries of a domain were counted at the server.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet_manifests import DOMAINS_IN_A_FILE
from table import Row

from reconciler.observe.politeness import POLITE
from reconciler.shards import shard_index

if TYPE_CHECKING:
    from collections.abc import Iterator

MILLION = 1_000_000
SHARDS = (1, 16, 64, 256)
SERVERS = (1, 16, 256)  # addresses that all zones are spread over evenly
_HOUR, _MINUTE = 3600, 60


@dataclass(frozen=True)
class Costs:
    """Of one domain, beyond the base of a run: processor seconds, kB of memory, and queries; how much of it is loading.

    Each process loads the manifests of all domains, because only then is it known which of them are its own.
    """

    seconds: float
    kilobytes: float
    queries: float
    loading_seconds: float
    loading_kilobytes: float
    base_seconds: float
    base_megabytes: float

    def of_shard(self, domains: int, fleet: int) -> tuple[float, float]:
        """Processor seconds and MB of a process that looks at some domains of a fleet."""
        seconds = fleet * self.loading_seconds + domains * (self.seconds - self.loading_seconds)
        kilobytes = fleet * self.loading_kilobytes + domains * (self.kilobytes - self.loading_kilobytes)
        return self.base_seconds + seconds, self.base_megabytes + kilobytes / 1000


def fullest_shard(shards: int) -> int:
    """Of a million domains in organizations of twenty, how many are in the shard that has most."""
    organizations = MILLION // DOMAINS_IN_A_FILE
    filled = Counter(shard_index((f"org{number}", "mail"), shards) for number in range(organizations))
    return max(filled.values()) * DOMAINS_IN_A_FILE


def measure(costs: Costs) -> tuple[list[Row], dict[str, Any], str]:
    """The balance as a row, and what a million costs as Markdown."""
    fullest = {shards: fullest_shard(shards) for shards in SHARDS}
    last = SHARDS[-1]
    balance = fullest[last] * last / MILLION
    row = Row("million/balance", f"a million domains in {last} shards: the fullest one / their mean", balance, "lower")
    figures = {"fullest shard": fullest}
    return [row], figures, "\n".join(_page(costs, fullest))


def _page(costs: Costs, fullest: dict[int, int]) -> Iterator[str]:
    yield (
        f"Measured in the same run, of one domain: {costs.seconds * 1e6:,.0f} µs of a core, of which "
        f"{costs.loading_seconds * 1e6:,.0f} µs are loading; {costs.kilobytes:.1f} kB, of which "
        f"{costs.loading_kilobytes:.1f} kB are loaded; {costs.queries:.3g} queries. Of one process before its first "
        f"domain: {costs.base_seconds:.2f} s and {costs.base_megabytes:.0f} MB."
    )
    yield ""
    yield "| shards | domains in the fullest (simulated) | its cost (computed) | with its manifests alone (computed) |"
    yield "|---|---|---|---|"
    for shards, domains in fullest.items():
        whole, alone = costs.of_shard(domains, MILLION), costs.of_shard(domains, domains)
        shown = [f"{_shown(seconds)}, {megabytes:,.0f} MB" for seconds, megabytes in (whole, alone)]
        yield f"| {shards} | {domains:,} | {shown[0]} | {shown[1]} |"
    yield ""
    yield f"| addresses that serve all zones | queries to each | time at {POLITE:,.0f} a second (computed) |"
    yield "|---|---|---|"
    for servers in SERVERS:
        queries = MILLION * costs.queries / servers
        yield f"| {servers} | {queries:,.0f} | {_shown(queries / POLITE)} |"


def _shown(seconds: float) -> str:
    if seconds >= _HOUR:
        return f"{seconds / _HOUR:.1f} h"
    return f"{seconds / _MINUTE:.1f} min" if seconds >= _MINUTE else f"{seconds:.1f} s"
