"""The end of a life beside what was declared: everything that is ours as it shall be, and no write too many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from simulator.origin import Refusal
from simulator.world import FOREIGN_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.life import Ending
    from simulator.origin import OriginList

MOST_TXT_WRITES = 2
"""In one declared state: what is missing, then what is no longer needed."""


def find_faults(ending: Ending) -> list[str]:
    """Everything that is not as it should be: what happened to mail, what never ended, what is left, what was too much.

    Sentences for people, empty where all is well.
    """
    faults = [f"{v.when} s: {v.domain} {v.what}" for v in ending.violations]
    # the first one tells enough: what is withdrawn once is withdrawn in every run
    faults += [f"the proof withdrew it: {summary}" for summary in ending.program.withdrawn[:1]]
    if ending.calm_runs is None:
        return [*faults, f"it never ends: {ending.story}"]
    return [*faults, *_dns_faults(ending), *_list_faults(ending), *find_needless_writes(ending)]


def _dns_faults(ending: Ending) -> Iterator[str]:
    world, declared = ending.world, ending.manifest.declared
    catalog = world.catalog
    for domain in world.domains:
        is_leaving = ending.manifest.is_leaving(domain)
        mx = world.zone.shown(0, (domain, "MX"))
        hosts = {rdata.split(" ")[1] for rdata in mx.rdatas}
        if is_leaving:
            if any(map(world.gateway.is_host, hosts)):
                yield f"{domain} left, and its MX is {sorted(mx.rdatas)}"
            if not hosts and world.start.old_mx:
                yield f"{domain} left without an MX"
        else:
            host = catalog.mx_host(declared.region, multi_region=declared.multi_region)
            if mx.rdatas != {f"{catalog.mx_preference} {host}"}:
                yield f"the MX of {domain} is {sorted(mx.rdatas)}"
        ranks = [] if is_leaving else ["primary", "secondary"] if declared.multi_region else ["primary"]
        wanted = {world.token(domain, declared.region, rank) for rank in ranks}
        txt = world.zone.shown(0, world.gateway.token_key(domain)).rdatas - {FOREIGN_TOKEN}
        if not wanted <= txt:
            yield f"{domain} lacks {sorted(wanted - txt)}"
        is_remembered = ending.program.is_journal_whole and not world.start.is_manual
        if txt - wanted and is_remembered:
            yield f"{domain} still has {sorted(txt - wanted)}"


def _list_faults(ending: Ending) -> Iterator[str]:
    world, declared = ending.world, ending.manifest.declared
    needed = set(world.catalog.addresses(declared.region, multi_region=declared.multi_region))
    wanted = needed if ending.manifest.is_anybody_staying else set()
    for each in world.origin.lists:
        ours = set(each.entries) - set(each.foreign)
        if not wanted <= ours:
            yield f"{each.name} lacks {sorted(wanted - ours)}"
        if ours - wanted and each.is_exported:
            yield f"{each.name} still has {sorted(ours - wanted)}"
        if each.restricts:
            yield from _refusal_faults(ending, each)


def _refusal_faults(ending: Ending, each: OriginList) -> Iterator[str]:
    wanted = Refusal.NONE if ending.manifest.declared.leaving else each.hardest
    if each.refusal is not wanted:
        yield f"{each.name} is {each.refusal.name}, and should be {wanted.name}"


def find_needless_writes(ending: Ending) -> Iterator[str]:
    """Writes that change nothing, and more writes of one rrset in one declared state than it can need."""
    counts: Counter[tuple[int, str, str]] = Counter()
    for write in ending.world.zone.writes:
        if write.before == write.after:
            yield f"{write.when} s: a write of {write.key} changed nothing"
        period = max(i for i, (since, _) in enumerate(ending.periods) if since <= write.when)
        counts[period, *write.key] += 1
    for (period, name, kind), count in counts.items():
        declared = ending.periods[period][1]
        # with a TTL for the switch: it is lowered, the MX moves, it is raised
        most = MOST_TXT_WRITES if kind == "TXT" else 1 if declared.switch_ttl is None else 3
        if count > most:
            yield f"{count} writes of the {kind} of {name} in the state {declared}"
