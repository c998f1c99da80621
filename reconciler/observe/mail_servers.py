"""Mail servers by name: their addresses in turn, each host once, and whether port 25 is open here at all.

Many networks that programs run in let no connection out to port 25. Nobody there can tell a dead server from a living
one, so before silence is reported as the server's, a host that surely listens is tried, once in a run.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reconciler.observe.mail_connection import connected
from reconciler.observe.smtp import MailServerProbe, Outcome, Reach
from reconciler.observe.surroundings import not_probed
from reconciler.observe.zones import Once
from reconciler.state import Cause, Unknown
from reconciler.surroundings import SmtpRefusal, SmtpSight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.names import Name
    from reconciler.observe.hosts import HostLookup
    from reconciler.observe.surroundings import ProbeSettings
    from reconciler.observe.tls import TlsContexts
    from reconciler.surroundings import Smtp

_MAX_ADDRESSES = 4  # of one host; more would only make the wait for a dead one longer


class MailServers:
    """Probes mail servers; `slots` bounds how many hosts are probed at the same time."""

    def __init__(
        self, lookup: HostLookup, settings: ProbeSettings, contexts: TlsContexts, slots: asyncio.Semaphore
    ) -> None:
        """Prepare; nothing is asked yet."""
        self._lookup = lookup
        self._settings = settings
        self._contexts = contexts
        self._slots = slots
        self._reference: Once[Name, Reach | None] = Once(self._reference_reach)
        self.probe: Once[Name, Smtp] = Once(self._probe)

    async def _probe(self, host: Name) -> Smtp:
        addresses = await self._lookup.addresses(host)
        if isinstance(addresses, Unknown):
            return addresses
        async with self._slots:
            outcome = await self._outcome(host, addresses)
        reference = self._settings.reference_host
        if outcome.reach is Reach.CONNECTED or reference is None:
            return outcome.smtp
        return _judged(outcome, reference, await self._reference(reference), self._settings.smtp_port)

    async def _outcome(self, host: Name, addresses: tuple[str, ...]) -> Outcome:
        """What the first address that answers says; else the most telling failure."""
        outcomes: list[Outcome] = []
        for address, seconds in time_shares(addresses, self._settings.timeout):
            probe = MailServerProbe(host, (address, self._settings.smtp_port), self._settings.helo, self._contexts)
            outcomes.append(await probe.run(seconds))
            if isinstance(outcomes[-1].smtp, SmtpSight):
                return outcomes[-1]
        return min(outcomes, key=_rank)

    async def _reference_reach(self, host: Name) -> Reach | None:
        """How far a connection to the reference host gets; None where it has no address to try."""
        addresses = await self._lookup.addresses(host)
        if isinstance(addresses, Unknown):
            return None
        reach = Reach.SILENT
        for address, seconds in time_shares(addresses, self._settings.timeout):
            try:
                async with asyncio.timeout(seconds), connected((address, self._settings.smtp_port)):
                    return Reach.CONNECTED
            except ConnectionRefusedError:
                reach = Reach.REFUSED
            except OSError:  # TimeoutError is one; which of them does not matter
                continue
        return reach


def _rank(outcome: Outcome) -> int:
    """What was said to us, then silence, then a closed port, then an address that this machine has no route to."""
    if outcome.reach is Reach.CONNECTED:
        return 0 if isinstance(outcome.smtp, SmtpRefusal) else 1
    if outcome.reach is Reach.REFUSED:
        return 3
    return 2 if isinstance(outcome.smtp, Unknown) and outcome.smtp.cause is Cause.TIMEOUT else 4


def _judged(outcome: Outcome, reference: Name, reach: Reach | None, port: int) -> Smtp:
    """The outcome in the light of the reference host.

    Where that one is silent as well, silence tells nothing. Where even that one refuses, somebody between refuses for
    it, and a refusal tells nothing either.
    """
    closed = not_probed(f"port {port} is closed here, even {reference} cannot be reached on it")
    if reach is Reach.REFUSED or (reach is Reach.SILENT and outcome.reach is Reach.SILENT):
        return closed
    return outcome.smtp


def time_shares(addresses: tuple[str, ...], seconds: float) -> Iterator[tuple[str, float]]:
    """The addresses to try in turn, each with its share of the time that is left then."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    tried = addresses[:_MAX_ADDRESSES]
    for done, address in enumerate(tried):
        yield address, max(0.0, deadline - loop.time()) / (len(tried) - done)
