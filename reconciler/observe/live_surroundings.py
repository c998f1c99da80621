"""Looking around with the network: one event loop for all look-ups and probes of a run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from reconciler.observe.hosts import HostLookup
from reconciler.observe.mail_servers import MailServers
from reconciler.observe.mta_sts_fetch import PolicyFetcher
from reconciler.observe.places import Places
from reconciler.observe.tls import build_contexts
from reconciler.state import Cause, Unknown
from reconciler.surroundings import MtaStsPolicy, Surroundings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from reconciler.names import Name
    from reconciler.observe.exchange import DnsSettings
    from reconciler.observe.probe_cache import ProbeCache
    from reconciler.observe.surroundings import ProbeSettings, SurroundingsWanted, ZoneContent
    from reconciler.observe.tls import TlsContexts
    from reconciler.state import Absent
    from reconciler.surroundings import DnssecSight, Smtp

_Value = TypeVar("_Value")

_WORKERS_PER_SLOT = 4


class LiveProbes:
    """Looks around mail domains; every call of `look_around` starts afresh."""

    def __init__(self, dns_settings: DnsSettings, settings: ProbeSettings) -> None:
        """Prepare; nothing is asked yet.

        Raises:
            SettingsError: the `ca_file` cannot be used.

        """
        self._dns_settings = dns_settings
        self._settings = settings
        self._contexts = build_contexts(settings.ca_file)

    def look_around(
        self,
        wanted: Sequence[SurroundingsWanted],
        zones: Mapping[Name, ZoneContent],
        progress: Callable[[int], None] | None = None,
    ) -> dict[Name, Surroundings]:
        """The surroundings of each domain, given what its zone holds."""
        cache = None
        if self._settings.cache is not None:
            from reconciler.observe.probe_cache import open_probe_cache  # noqa: PLC0415 - only who wants one

            cache = open_probe_cache(self._settings)
        try:
            return asyncio.run(self._look_around(wanted, zones, cache, progress))
        finally:
            if cache is not None:
                cache.write()

    async def _look_around(
        self,
        wanted: Sequence[SurroundingsWanted],
        zones: Mapping[Name, ZoneContent],
        cache: ProbeCache | None,
        progress: Callable[[int], None] | None,
    ) -> dict[Name, Surroundings]:
        run = _Run(self._dns_settings, self._settings, self._contexts, cache)
        found: dict[Name, Surroundings] = {}
        waiting = iter(wanted)

        async def work() -> None:
            for one in waiting:
                found[one.domain] = await run.surroundings(one, zones[one.domain])
                if progress is not None:
                    progress(len(found))

        # each worker has one domain at a time: the tasks of thousands of domains are not all in memory; there are more
        # workers than slots, so that those who wait for a place at a busy address leave some for the others
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_WORKERS_PER_SLOT * self._settings.at_once, len(wanted))):
                group.create_task(work())
        return found


class _Run:
    """What the domains of one run share: every look-up and every probe is made once."""

    def __init__(
        self, dns_settings: DnsSettings, settings: ProbeSettings, contexts: TlsContexts, cache: ProbeCache | None
    ) -> None:
        slots = asyncio.Semaphore(settings.at_once)
        self._lookup = HostLookup(dns_settings)
        # a mail server and a web server at one address are two
        mail, web = (Places(slots, settings.per_address, settings.spacing) for _ in range(2))
        self._servers = MailServers(self._lookup, settings, contexts, mail, cache)
        self._policies = PolicyFetcher(self._lookup, settings, contexts.web, web, cache)

    async def surroundings(self, one: SurroundingsWanted, zone: ZoneContent) -> Surroundings:
        (policy, smtp), hosts, tlsa, shown, dnssec = await asyncio.gather(
            self._policy_and_servers(one, zone),
            _each(self._lookup.host, one.hosts),
            _each(self._lookup.tlsa, one.mx_hosts),
            _each(self._lookup.host, one.shown_hosts),
            self._dnssec(one, zone),
        )
        return Surroundings(
            hosts=hosts,
            smtp=smtp,
            tlsa=tlsa,
            shown_hosts=shown,
            mta_sts=policy,
            apex_txt=zone.apex_txt,
            wildcard_mx=zone.wildcard_mx,
            dnssec=dnssec,
        )

    async def _policy_and_servers(
        self, one: SurroundingsWanted, zone: ZoneContent
    ) -> tuple[MtaStsPolicy | Absent | Unknown, dict[Name, Smtp]]:
        policy, smtp = await asyncio.gather(
            self._policies.policy(one.domain, zone.mta_sts_txt), _each(self._servers.probe, one.next_hops)
        )
        if isinstance(policy, MtaStsPolicy) and policy.mode == "enforce":
            smtp |= await _each(self._servers.probe, one.wanted_hosts)
        return policy, smtp

    async def _dnssec(self, one: SurroundingsWanted, zone: ZoneContent) -> DnssecSight | Unknown:
        if zone.zone is None:
            failure = zone.apex_txt
            return failure if isinstance(failure, Unknown) else Unknown(Cause.NO_SUCH_ZONE, "its zone was not found")
        return await self._lookup.dnssec(one.domain, zone.zone)


async def _each(look: Callable[[Name], Awaitable[_Value]], names: Iterable[Name]) -> dict[Name, _Value]:
    distinct = tuple(dict.fromkeys(names))
    return dict(zip(distinct, await asyncio.gather(*(look(name) for name in distinct)), strict=True))
