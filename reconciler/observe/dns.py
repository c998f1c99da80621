"""Live DNS: every authoritative server of a zone is asked directly, many questions at a time.

    question -> zone and its servers (zones.py) -> each server (exchange.py) -> what its reply says (answer.py)

The event loop runs in the caller's thread and only while the caller waits for the next observation; ending the
iteration early, an exception or KeyboardInterrupt end every task and close every socket.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

import dns.rcode

from reconciler.names import MAX_NAME_OCTETS, Name, is_under
from reconciler.observe.answer import answered_rrset, has_answer, observed_in_reply
from reconciler.observe.exchange import ExchangeError, Exchanger, Query
from reconciler.observe.zones import ZoneFinder
from reconciler.state import Absent, Cause, Key, Observation, Present, ServerAnswer, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    from reconciler.observe import Question
    from reconciler.observe.exchange import DnsSettings
    from reconciler.observe.reply import Reply
    from reconciler.observe.zones import Server
    from reconciler.state import Observed

DNS_PORT = 53

# below a name, and not covered by a wildcard right below it either
_PROBE_LABELS = "wildcard-probe.*"

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


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
        """Observe every question; observations come as they are made, in any order."""
        wanted = Counter(questions)
        run = _Run(self._settings, self._port)
        done = 0
        for question, observation in _as_completed(wanted, run.observation, self._settings.in_flight):
            for _ in range(wanted[question]):
                done += 1
                if self._progress is not None:
                    self._progress(done)
                yield observation

    def resolve_addresses(self, hosts: Iterable[Name]) -> dict[Name, tuple[str, ...] | Unknown]:
        """The addresses of each host as text, IPv4 first, through the resolvers; never an empty tuple."""
        run = _Run(self._settings, self._port)
        return dict(_as_completed(dict.fromkeys(hosts), run.addresses, self._settings.in_flight))


class _Run:
    """What one run shares: slots, and everything that is looked up once."""

    def __init__(self, settings: DnsSettings, port: int) -> None:
        self._exchanger = Exchanger(settings)
        self._finder = ZoneFinder(self._exchanger, settings, port)

    async def addresses(self, host: Name) -> tuple[str, ...] | Unknown:
        return await self._finder.addresses(host)

    async def observation(self, question: Question) -> Observation:
        key = question.key
        found = await self._finder.find(question.domain, question.zone)
        if isinstance(found, Unknown):
            return Observation(key, None, (ServerAnswer(self._finder.source, found),))
        apex = found.zone.apex
        if is_under(key.name, apex):
            observed = await asyncio.gather(*(self._observed(server, question, apex) for server in found.servers))
        else:
            outside = Unknown(Cause.DELEGATED, f"{key.name} does not lie in the zone {apex}")
            observed = [outside] * len(found.servers)
        answers = (ServerAnswer(s.label, o) for s, o in zip(found.servers, observed, strict=True))
        return Observation(key, found.zone, tuple(answers))

    async def _observed(self, server: Server, question: Question, apex: Name) -> Observed:
        if server.problem is not None:
            return server.problem
        key = question.key
        try:
            reply = await self._exchanger.reply(server.addresses, Query(key.name, key.type))
            observed = observed_in_reply(reply, key, apex)
            is_alias = isinstance(observed, Unknown) and observed.cause is Cause.CNAME
            if key.name == apex:
                return observed
            if is_alias or isinstance(observed, Present):
                observed = await self._confirmed(server, key, apex, reply, observed)
            if isinstance(observed, Absent) and key.name == question.domain and reply.rcode == dns.rcode.NOERROR:
                return Absent(is_covered=await self._is_covered(server, key.name))
        except ExchangeError as exc:
            return exc.unknown
        return observed

    async def _is_covered(self, server: Server, name: Name) -> bool:
        """Whether a wildcard answers for a name: then it does for the probe's, which would else not exist."""
        probe = _probe(name)
        if len(probe) + 1 > MAX_NAME_OCTETS:
            return False
        for rdtype in ("MX", "A", "AAAA"):
            reply = await self._exchanger.reply(server.addresses, Query(probe, rdtype))
            if has_answer(reply, probe, rdtype):
                return True
            if reply.rcode == dns.rcode.NXDOMAIN:
                return False
        return False

    async def _confirmed(self, server: Server, key: Key, apex: Name, reply: Reply, observed: Observed) -> Observed:
        """What was observed below the apex, unless it comes from a zone below, or from a wildcard.

        A positive answer tells neither. Where the name itself exists, nothing exists at the probe's name, and the
        negative answer shows the zone; where it does not, the wildcard that made the answer makes the probe's, too
        (RFC 4592 section 3.3.1). A name that a wildcard alone explains holds no values: Absent.
        """
        probe = Key(_probe(key.name), key.type)
        if len(probe.name) + 1 > MAX_NAME_OCTETS:
            return observed
        second = await self._exchanger.reply(server.addresses, Query(*probe))
        if _is_same(reply, key, second, probe):
            soa = Key(key.name, "SOA")
            around = observed_in_reply(await self._exchanger.reply(server.addresses, Query(*soa)), soa, apex)
            return around if _is_failure(around) else Absent()
        beneath = observed_in_reply(second, probe, apex)
        return beneath if _is_failure(beneath) else observed


def _probe(name: Name) -> Name:
    return Name(f"{_PROBE_LABELS}.{name}")


def _is_same(reply: Reply, key: Key, second: Reply, probe: Key) -> bool:
    """Whether both answer, and with the same rdatas and TTL."""
    if not has_answer(reply, *key) or not has_answer(second, *probe):
        return False
    if reply.plain is not None and second.plain is not None:
        return (reply.plain.ttl, reply.plain.rdatas) == (second.plain.ttl, second.plain.rdatas)
    one, other = answered_rrset(reply.message, *key), answered_rrset(second.message, *probe)
    return one is not None and other is not None and one.ttl == other.ttl and one.to_rdataset() == other.to_rdataset()


def _is_failure(observed: Observed) -> bool:
    """Whether it tells that the name is not the zone's own, or nothing; an alias does not."""
    return isinstance(observed, Unknown) and observed.cause is not Cause.CNAME


def _as_completed(
    items: Iterable[_Item], function: Callable[[_Item], Coroutine[None, None, _Result]], at_once: int
) -> Iterator[tuple[_Item, _Result]]:
    """Each item with its result, as they come; at most `at_once` are worked on at the same time."""
    waiting = iter(items)
    with asyncio.Runner() as runner:
        window = _Window(function)
        running = runner.run(window.start(islice(waiting, at_once)))
        while running:
            completed = runner.run(window.completed())
            yield from completed
            running += runner.run(window.start(islice(waiting, len(completed)))) - len(completed)


class _Window(Generic[_Item, _Result]):
    """Tasks that report themselves when they are done."""

    def __init__(self, function: Callable[[_Item], Coroutine[None, None, _Result]]) -> None:
        self._function = function
        self._done: asyncio.Queue[asyncio.Task[tuple[_Item, _Result]]] = asyncio.Queue()
        self._running: set[asyncio.Task[tuple[_Item, _Result]]] = set()

    async def start(self, items: Iterable[_Item]) -> int:
        started = 0
        for started, item in enumerate(items, 1):  # noqa: B007 - the count is the result
            task = asyncio.create_task(self._work(item))
            self._running.add(task)  # the loop itself keeps only a weak reference
            task.add_done_callback(self._done.put_nowait)
        return started

    async def completed(self) -> list[tuple[_Item, _Result]]:
        """Waits for the next one, and takes all that are there."""
        tasks = [await self._done.get()]
        while not self._done.empty():
            tasks.append(self._done.get_nowait())
        self._running.difference_update(tasks)
        return [task.result() for task in tasks]

    async def _work(self, item: _Item) -> tuple[_Item, _Result]:
        return item, await self._function(item)
