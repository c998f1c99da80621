"""Mail servers by name: their addresses in turn, each host once, and whether port 25 is open here at all.

Each host has a probe of its own, because its certificate is asked for by name; those that share an address share its
places.

Many networks that programs run in let no connection out to port 25. Nobody there can tell a dead server from a living
one, so before silence is reported as the server's, a host that surely listens is tried, once in a run.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.observe.exchange import shown_address
from reconciler.observe.mail_connection import connected
from reconciler.observe.places import shares
from reconciler.observe.shared import Once
from reconciler.observe.smtp import MailServerProbe, Outcome, Reach
from reconciler.observe.surroundings import not_probed
from reconciler.state import Cause, Unknown
from reconciler.surroundings import SmtpRefusal, SmtpSight

if TYPE_CHECKING:
    from reconciler.names import Name
    from reconciler.observe.hosts import HostLookup
    from reconciler.observe.places import Places
    from reconciler.observe.probe_cache import ProbeCache
    from reconciler.observe.surroundings import ProbeSettings
    from reconciler.observe.tls import TlsContexts
    from reconciler.surroundings import Smtp


class MailServers:
    """Probes mail servers, each when there is a place for it."""

    def __init__(
        self,
        lookup: HostLookup,
        settings: ProbeSettings,
        contexts: TlsContexts,
        places: Places,
        cache: ProbeCache | None = None,
    ) -> None:
        """Prepare; nothing is asked yet."""
        self._lookup = lookup
        self._settings = settings
        self._contexts = contexts
        self._places = places
        self._cache = cache
        self._reference: Once[Name, Reach | None] = Once(self._reference_reach)
        self.probe: Once[Name, Smtp] = Once(self._probe)

    async def _probe(self, host: Name) -> Smtp:
        addresses = await self._lookup.addresses(host)
        if isinstance(addresses, Unknown):
            return addresses
        asked = (host, self._settings.smtp_port, addresses)
        if self._cache is not None and (kept := self._cache.mail_server(*asked)) is not None:
            return kept
        seen = await self._seen(host, addresses)
        if self._cache is not None:
            self._cache.keep_mail_server(*asked, seen)
        return seen

    async def _seen(self, host: Name, addresses: tuple[str, ...]) -> Smtp:
        visitor = _HostVisitor(host, self._settings, self._contexts)
        outcomes = await self._places.in_turn(addresses, self._settings.timeout, visitor)
        outcome = min(outcomes, key=_rank)
        reference = self._settings.reference_host
        if outcome.reach is Reach.CONNECTED or reference is None:
            return outcome.smtp
        return _judged(outcome, reference, await self._reference(reference), self._settings.smtp_port)

    async def _reference_reach(self, host: Name) -> Reach | None:
        """How far a connection to the reference host gets; None where it has no address to try."""
        addresses = await self._lookup.addresses(host)
        if isinstance(addresses, Unknown):
            return None
        loop = asyncio.get_running_loop()
        reach, deadline = Reach.SILENT, loop.time() + self._settings.timeout
        for address, share in shares(addresses):
            try:
                seconds = max(0.0, deadline - loop.time()) * share
                async with asyncio.timeout(seconds), connected((address, self._settings.smtp_port)):
                    return Reach.CONNECTED
            except ConnectionRefusedError:
                reach = Reach.REFUSED
            except OSError:  # TimeoutError is one; which of them does not matter
                continue
        return reach


@dataclass(frozen=True, slots=True)
class _HostVisitor:
    """Probes one host."""

    host: Name
    settings: ProbeSettings
    contexts: TlsContexts

    async def visit(self, address: str, seconds: float) -> Outcome:
        """What the mail server at an address says."""
        endpoint = (address, self.settings.smtp_port)
        return await MailServerProbe(self.host, endpoint, self.settings.helo, self.contexts).run(seconds)

    def skip(self, address: str) -> Outcome:
        """Nobody answered others there."""
        shown = shown_address((address, self.settings.smtp_port))
        detail = f"{shown} answered none of the hosts that were looked at there just before, and was not asked again"
        return Outcome(Unknown(Cause.TIMEOUT, detail), Reach.SILENT)

    def is_enough(self, found: Outcome) -> bool:
        """The first address that talks is the host."""
        return isinstance(found.smtp, SmtpSight)

    def is_silence(self, found: Outcome) -> bool:
        """Until TLS begins, which is the first to tell a server for which host it is."""
        return found.is_silence


def _rank(outcome: Outcome) -> int:
    """What was seen, what was said to us, then silence, a closed port, an address that this machine has no route to."""
    if isinstance(outcome.smtp, SmtpSight):
        return 0
    if outcome.reach is Reach.CONNECTED:
        return 1 if isinstance(outcome.smtp, SmtpRefusal) else 2
    if outcome.reach is Reach.REFUSED:
        return 4
    return 3 if isinstance(outcome.smtp, Unknown) and outcome.smtp.cause is Cause.TIMEOUT else 5


def _judged(outcome: Outcome, reference: Name, reach: Reach | None, port: int) -> Smtp:
    """The outcome in the light of the reference host.

    Where that one is silent as well, silence tells nothing. Where even that one refuses, somebody between refuses for
    it, and a refusal tells nothing either.
    """
    closed = not_probed(f"port {port} is closed here, even {reference} cannot be reached on it")
    if reach is Reach.REFUSED or (reach is Reach.SILENT and outcome.reach is Reach.SILENT):
        return closed
    return outcome.smtp
