"""Settings and domains for tests that probe: quick to give up, because loopback answers at once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.names import Name, canonical_name
from reconciler.observe.smtp import MailServerProbe
from reconciler.observe.surroundings import SurroundingsWanted, observe_surroundings
from servers.mail_peers import run_peer
from servers.observing import Asking

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.observe.smtp import Outcome
    from reconciler.observe.tls import TlsContexts
    from reconciler.surroundings import Surroundings
    from servers.mail_peers import Script
    from servers.processes import NameServer

HOST = Name("mail.acme.example.")
PATIENCE = 1.0


@dataclass(frozen=True)
class Probing:
    """`ProbeSettings` with short times."""

    smtp_port: int = 1
    https_port: int = 1
    timeout: float = 1.5
    at_once: int = 50
    ca_file: Path | None = None
    helo: str = "probe.example"
    reference_host: Name | None = None
    per_address: int = 50
    spacing: float = 0.0
    cache: Path | None = None
    cache_age: timedelta = timedelta(minutes=15)


def wanted(
    domain: str, *, next_hops: str = "", observed: str = "", desired: str = "", zone: str = ""
) -> SurroundingsWanted:
    """A domain to look around, with hosts separated by spaces."""
    hops, there, to_be = (tuple(canonical_name(n) for n in names.split()) for names in (next_hops, observed, desired))
    return SurroundingsWanted(canonical_name(domain), canonical_name(zone) if zone else None, hops, there, to_be)


def look_around(
    servers: NameServer | Asking, probing: Probing, *domains: SurroundingsWanted, seconds: float = 10
) -> dict[Name, Surroundings]:
    """The surroundings of each domain, which must come in time."""
    asking = servers if isinstance(servers, Asking) else Asking(servers=((servers.address, servers.port),))
    started = time.monotonic()
    found = observe_surroundings(domains, asking, probing)
    assert time.monotonic() - started < seconds
    return found


def probe(endpoint: tuple[str, int], contexts: TlsContexts, *, seconds: float = PATIENCE) -> Outcome:
    """The outcome, which must come in time."""
    started = time.monotonic()
    outcome = asyncio.run(MailServerProbe(HOST, endpoint, "probe.example", contexts).run(seconds))
    assert time.monotonic() - started < seconds + 2
    return outcome


def probed(script: Script, contexts: TlsContexts, *, seconds: float = PATIENCE) -> Outcome:
    """The outcome of a visit to a peer that follows `script`."""
    with run_peer(script) as peer:
        return probe(peer.endpoint, contexts, seconds=seconds)
