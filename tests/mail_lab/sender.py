"""Senders of mail as real ones are: `python -m mail_lab.sender ORDER EVENTS`.

A line on standard input ends the sending of new messages; an event `idle` says that no message waits any more. What
comes back from a gateway is taken until standard input ends.

Each message is a new one with an id, sent at a steady rate by one of several identities. An identity looks the MX up
through its resolver for every attempt (one keeps answers itself, for as long as their TTL says), tries the hosts in the
order of preference (RFC 5321 section 5.1), goes on to the next one after a temporary failure, keeps the message in a
queue and tries again. A refusal for good (5xx) is a bounce. What a gateway could not deliver comes back to the sender's
own domain, and counts as a bounce too.

An attacker knows the origin's address, and goes there directly and once.

ORDER is JSON, as `Order` says. EVENTS gets a line of JSON for each thing that happens: `{"event", "id", "at", ...}`.
"""

from __future__ import annotations

import asyncio
import json
import random
import smtplib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import IO, Any

import dns.asyncresolver
import dns.exception
import dns.resolver
from aiosmtpd.smtp import SMTP, Envelope, Session

BACKOFF = (0.5, 1.0, 2.0, 3.0)  # seconds; the last one again and again
GIVE_UP_SECONDS = 240.0
_SMTP_SECONDS = 15.0
_TEMPORARY, _PERMANENT = 400, 500


@dataclass(frozen=True)
class Order:
    """What to send: `rate` in messages a second; an identity is (source address, resolver, keeps answers itself)."""

    rate: float
    domains: list[str]
    identities: list[tuple[str, str, bool]]
    attacker: str
    attacker_every: float
    origin: str
    bounces: str
    sender_domain: str


class AttemptError(Exception):
    """An attempt failed, at `where`."""

    def __init__(self, where: str, why: object) -> None:
        """Say where and why."""
        super().__init__(f"{where}: {why}")


class TemporaryError(AttemptError):
    """It failed for now."""


class PermanentError(AttemptError):
    """It failed for good."""


@dataclass
class Lookups:
    """DNS as one identity sees it."""

    resolver: str
    is_keeping: bool
    kept: dict[tuple[str, str], tuple[float, list[str]]] = field(default_factory=dict)

    async def __call__(self, name: str, rdtype: str) -> list[str]:
        """The values, and none where there are none; a failure is temporary."""
        until, values = self.kept.get((name, rdtype), (0.0, []))
        if self.is_keeping and time.monotonic() < until:
            return values
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [self.resolver]
        try:
            answer = await resolver.resolve(name, rdtype, lifetime=5)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as exc:
            raise TemporaryError(name, f"{rdtype}: {type(exc).__name__}") from exc
        values = [rdata.to_text() for rdata in answer]
        ttl = answer.rrset.ttl if answer.rrset is not None else 0
        self.kept[name, rdtype] = (time.monotonic() + ttl, values)
        return values

    async def addresses(self, domain: str) -> list[str]:
        """Where to try, in order; the domain itself where it has no MX (RFC 5321 section 5.1)."""
        found = []
        for rdata in await self(domain, "MX") or [f"0 {domain}."]:
            preference, host = rdata.split()
            if host == ".":
                raise PermanentError(domain, "takes no mail (RFC 7505)")
            found += [(int(preference), random.random(), a) for a in await self(host, "A")]  # noqa: S311 - no secret
        if not found:
            raise PermanentError(domain, "has no mail server")
        return [address for _, _, address in sorted(found)]


class Senders:
    """All identities, their queues, and what comes back."""

    def __init__(self, order: Order, events: IO[str]) -> None:
        """Nothing is sent yet."""
        self._order, self._events = order, events
        self._threads = ThreadPoolExecutor(max_workers=48)
        self._identities = [(source, Lookups(resolver, keeps)) for source, resolver, keeps in order.identities]

    async def run(self, stop: asyncio.Event, end: asyncio.Event) -> None:
        """Send until told to stop, then until every message is delivered or has bounced; take bounces until the end."""
        loop = asyncio.get_running_loop()
        mail_server = partial(SMTP, _Bounces(self), hostname=self._order.bounces, loop=loop)
        server = await loop.create_server(mail_server, self._order.bounces, 25)
        async with server:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._attack(stop, group))
                await self._send(stop, group)
            self.note("idle", "")
            await end.wait()

    async def _send(self, stop: asyncio.Event, group: asyncio.TaskGroup) -> None:
        started = time.monotonic()
        for number in count():
            await _sleep(started + number / self._order.rate - time.monotonic(), stop)
            if stop.is_set():
                return
            domain = self._order.domains[number % len(self._order.domains)]
            source, lookups = self._identities[number // len(self._order.domains) % len(self._identities)]
            group.create_task(self._deliver(f"m{number}", domain, source, lookups))

    async def _attack(self, stop: asyncio.Event, group: asyncio.TaskGroup) -> None:
        for number in count():
            await _sleep(self._order.attacker_every, stop)
            if stop.is_set():
                return
            domain = self._order.domains[number % len(self._order.domains)]
            group.create_task(self._attack_once(f"x{number}", domain))

    async def _attack_once(self, message: str, domain: str) -> None:
        self.note("attack", message, domain=domain)
        try:
            await self._attempt(message, domain, self._order.attacker, self._order.origin)
            self.note("attack-accepted", message)
        except (TemporaryError, PermanentError) as exc:
            self.note("attack-refused", message, why=str(exc))

    async def _deliver(self, message: str, domain: str, source: str, lookups: Lookups) -> None:
        self.note("sent", message, domain=domain)
        started = time.monotonic()
        for attempt in count():
            try:
                await self._try_hosts(message, domain, source, lookups)
            except TemporaryError as exc:
                self.note("deferred", message, why=str(exc))
            except PermanentError as exc:
                self.note("bounced", message, why=str(exc))
                return
            else:
                return
            if time.monotonic() - started > GIVE_UP_SECONDS:
                self.note("bounced", message, why="given up")
                return
            await asyncio.sleep(BACKOFF[min(attempt, len(BACKOFF) - 1)])

    async def _try_hosts(self, message: str, domain: str, source: str, lookups: Lookups) -> None:
        failures = []
        for address in await lookups.addresses(domain):
            try:
                await self._attempt(message, domain, source, address)
            except TemporaryError as exc:
                failures.append(str(exc))
            else:
                self.note("accepted", message, address=address)
                return
        raise TemporaryError(domain, "; ".join(failures))

    async def _attempt(self, message: str, domain: str, source: str, address: str) -> None:
        loop = asyncio.get_running_loop()
        sender = f"{message}@{self._order.sender_domain}"
        text = (
            f"From: {sender}\r\nTo: anybody@{domain}\r\nSubject: {message}\r\nX-Laboratory-Id: {message}\r\n"
            f"Message-ID: <{message}@{self._order.sender_domain}>\r\n\r\nHello.\r\n"
        )
        is_unsure = await loop.run_in_executor(self._threads, _talk, source, address, sender, f"anybody@{domain}", text)
        if is_unsure:
            # RFC 5321 section 4.5.3.2.6: nobody knows whether the server has it; it is sent again
            self.note("unsure", message)
            raise TemporaryError(address, "the answer after the message was lost")

    def note(self, event: str, message: str, **more: str) -> None:
        """Write one event."""
        line: dict[str, Any] = {"event": event, "id": message, "at": time.time(), **more}
        self._events.write(json.dumps(line) + "\n")
        self._events.flush()


class _Bounces:
    """The senders' own mail server: what comes to it is what a gateway could not deliver."""

    def __init__(self, senders: Senders) -> None:
        self._senders = senders

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """A bounce for each recipient: the message's id is its sender's local part."""
        del server, session
        for recipient in envelope.rcpt_tos:
            self._senders.note("bounced", recipient.partition("@")[0], why="came back from the gateway")
        return "250 2.0.0 noted"


def _talk(source: str, address: str, sender: str, recipient: str, text: str) -> bool:
    """One SMTP session; whether its end was lost after the message was sent."""
    is_sent = False
    smtp = smtplib.SMTP(local_hostname="mail.sender.example", timeout=_SMTP_SECONDS, source_address=(source, 0))
    try:
        _demand(smtp.connect(address, 25), address)
        smtp.ehlo_or_helo_if_needed()
        _demand(smtp.mail(sender), address)
        _demand(smtp.rcpt(recipient), address)
        is_sent = True
        _demand(smtp.data(text), address)
        with suppress(OSError, smtplib.SMTPException):  # the message is the server's now
            smtp.quit()
    except smtplib.SMTPResponseException as exc:
        words = exc.smtp_error if isinstance(exc.smtp_error, bytes) else exc.smtp_error.encode()
        _demand((exc.smtp_code, words), address)
    except (OSError, smtplib.SMTPServerDisconnected) as exc:
        if is_sent:
            return True
        raise TemporaryError(address, exc) from exc
    finally:
        smtp.close()
    return False


def _demand(reply: tuple[int, bytes], address: str) -> None:
    code, words = reply
    said = f"{code} {words.decode(errors='replace')}"
    if code >= _PERMANENT:
        raise PermanentError(address, said)
    if code >= _TEMPORARY:
        raise TemporaryError(address, said)


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), max(seconds, 0.0))
    except TimeoutError:
        return


async def _main(order: Order, events: IO[str]) -> None:
    stop, end = asyncio.Event(), asyncio.Event()

    async def listen() -> None:
        await asyncio.to_thread(sys.stdin.readline)
        stop.set()
        await asyncio.to_thread(sys.stdin.read)
        end.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(listen())
        group.create_task(Senders(order, events).run(stop, end))


if __name__ == "__main__":
    with Path(sys.argv[2]).open("a") as stream:
        asyncio.run(_main(Order(**json.loads(Path(sys.argv[1]).read_text())), stream))
