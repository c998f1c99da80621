"""Live DNS: every authoritative server of a zone is asked directly, many questions at a time.

The event loop runs in the caller's thread and only while the caller waits for the next observation; ending the
iteration early, an exception or KeyboardInterrupt end everything under way and close every socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.observe.exchange import Exchanger
from reconciler.observe.fixed_zones import FixedZones
from reconciler.observe.streaming import stream_results
from reconciler.observe.survey import Surveyor
from reconciler.observe.zones import ZoneFinder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.names import Name
    from reconciler.observe import Question
    from reconciler.observe.exchange import DnsSettings
    from reconciler.state import Observation, Unknown

DNS_PORT = 53


class LiveObserver:
    """Observes rrsets at the authoritative servers; see the contract of the package.

    `progress` is called with the number of observations done so far. `port` is where name servers listen that were
    found by their names. Every call starts afresh: nothing is cached from one to the next.
    """

    def __init__(
        self, settings: DnsSettings, progress: Callable[[int], None] | None = None, *, port: int = DNS_PORT
    ) -> None:
        """Keep the settings; nothing is asked yet."""
        self._settings = settings
        self._progress = progress
        self._port = port

    def observe(self, questions: Iterable[Question]) -> Iterator[Observation]:
        """Observe every question; observations come as they are made, in any order.

        Questions are taken as there is room for them, so that those of a whole fleet are never there at the same time.
        """
        exchanger = Exchanger(self._settings)
        finder = ZoneFinder(exchanger, self._settings, self._port)
        servers = self._settings.servers
        fixed = FixedZones(exchanger.begin, servers, finder.find_addresses) if servers else None
        surveyor = Surveyor(exchanger.begin, fixed or finder)
        results = stream_results(questions, surveyor.begin, self._settings.in_flight, exchanger.stop)
        for done, (_, observation) in enumerate(results, start=1):
            if self._progress is not None:
                self._progress(done)
            yield observation

    def resolve_addresses(self, hosts: Iterable[Name]) -> dict[Name, tuple[str, ...] | Unknown]:
        """The addresses of each host as text, IPv4 first, through the resolvers; never an empty tuple."""
        exchanger = Exchanger(self._settings)
        finder = ZoneFinder(exchanger, self._settings, self._port)
        distinct = dict.fromkeys(hosts)
        return dict(stream_results(distinct, finder.find_addresses, self._settings.in_flight, exchanger.stop))
