"""Looking around with master files alone: hosts as far as the files go, and no network for anything else."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.names import ROOT, Name
from reconciler.observe import Question
from reconciler.observe.surroundings import not_probed
from reconciler.observe.zonefile import ZonefileObserver
from reconciler.state import Absent, Cause, Key, Present, Unknown
from reconciler.surroundings import HostSight, Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.observe.build import ZonefileSettings
    from reconciler.observe.surroundings import SurroundingsWanted, ZoneContent
    from reconciler.state import Observed
    from reconciler.surroundings import Host

_MAX_CHAIN = 8  # CNAMEs in a row
_NO_NETWORK = not_probed("the world is read from master files, and no network is used")
_TYPES = ("A", "AAAA", "CNAME")


def look_into_files(
    wanted: Sequence[SurroundingsWanted],
    zones: Mapping[Name, ZoneContent],
    settings: ZonefileSettings,
    progress: Callable[[int], None] | None = None,
) -> dict[Name, Surroundings]:
    """The surroundings of each domain, given what its zone holds, as far as master files tell them."""
    names = {name for one in wanted for name in (*one.hosts, *one.shown_hosts)}
    hosts = _hosts(names, ZonefileObserver(settings.directory, settings.extension))
    found = {}
    for done, one in enumerate(wanted, 1):
        found[one.domain] = _surroundings(one, zones[one.domain], hosts)
        if progress is not None:
            progress(done)
    return found


def _surroundings(one: SurroundingsWanted, zone: ZoneContent, hosts: Mapping[Name, Host]) -> Surroundings:
    return Surroundings(
        hosts={name: hosts[name] for name in one.hosts},
        smtp=dict.fromkeys((*one.next_hops, *one.wanted_hosts), _NO_NETWORK),
        tlsa=dict.fromkeys(one.mx_hosts, _NO_NETWORK),
        shown_hosts={name: hosts[name] for name in one.shown_hosts},
        mta_sts=_NO_NETWORK if isinstance(zone.mta_sts_txt, Present) else zone.mta_sts_txt,
        apex_txt=zone.apex_txt,
        wildcard_mx=zone.wildcard_mx,
        dnssec=_NO_NETWORK,
    )


def _hosts(names: Iterable[Name], observer: ZonefileObserver) -> dict[Name, Host]:
    """How each name resolves. CNAMEs are followed a step at a time, for all names at once."""
    found: dict[Name, dict[str, Observed]] = {}
    waiting = {name for name in names if name != ROOT}
    for _ in range(_MAX_CHAIN):
        if not waiting:
            break
        found |= _looked_up(waiting, observer)
        waiting = {alias for name in waiting if (alias := _alias(found[name])) is not None} - found.keys()
    return {name: _host(name, found) for name in names}


def _looked_up(names: Iterable[Name], observer: ZonefileObserver) -> dict[Name, dict[str, Observed]]:
    answers: defaultdict[Name, dict[str, Observed]] = defaultdict(dict)
    for observation in observer.observe(Question(Key(name, rdtype), name) for name in names for rdtype in _TYPES):
        answers[observation.key.name][observation.key.type] = observation.observed
    return answers


def _alias(answers: Mapping[str, Observed]) -> Name | None:
    cname = answers["CNAME"]
    return Name(cname.rrset.rdatas[0].lower()) if isinstance(cname, Present) else None


def _host(name: Name, found: Mapping[Name, Mapping[str, Observed]]) -> Host:
    if name == ROOT:
        return Absent()  # the target of a null MX (RFC 7505)
    alias = end = _alias(found[name])
    seen = {name}
    while end is not None:
        if end in seen or end not in found:
            return Unknown(Cause.CNAME, f"{name} is a CNAME to {alias}, which leads nowhere, or too far")
        seen.add(end)
        name, end = end, _alias(found[end])
    answers = [found[name][rdtype] for rdtype in ("A", "AAAA")]
    addresses = tuple(rdata for answer in answers if isinstance(answer, Present) for rdata in answer.rrset.rdatas)
    if addresses:
        return HostSight(addresses, alias)
    unknown = next((answer for answer in answers if isinstance(answer, Unknown)), None)
    if unknown is not None:
        return unknown
    if any(isinstance(answer, Absent) and answer.is_covered for answer in answers):
        return not_probed(f"a wildcard answers for {name}, and master files alone do not tell with what")
    return Absent()
