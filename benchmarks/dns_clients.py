"""One client asking one name server a number of questions; prints JSON: questions, answered, seconds.

Run by `observe.py`, each in a process of its own, so that what a client imports and keeps does not burden the others.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ADDRESS = "127.0.0.1"
AT_ONCE = 200
TIMEOUT = 2.0


def questions(count: int) -> Iterator[tuple[str, str]]:
    """Five for each domain, as a drift run asks them."""
    for number in range(count // 5):
        domain = f"d{number}.bench.example."
        yield from ((domain, "MX"), (domain, "TXT"), (domain, "SOA"))
        yield from ((f"_amazonses.{domain}", "TXT"), (f"mail.{domain}", "A"))


def ask_engine(port: int, count: int, at_once: int = AT_ONCE, timeout: float = TIMEOUT) -> int:
    """The engine: every protection on, every answer read."""
    from reconciler.observe.asking import ExchangeError, Query  # noqa: PLC0415 - only this client needs it
    from reconciler.observe.attempts import Pace  # noqa: PLC0415
    from reconciler.observe.engine import Ask, Engine  # noqa: PLC0415

    async def answered() -> int:
        address = ((ADDRESS, port),)
        asks = (Ask(address, Query(name, rdtype)) for name, rdtype in questions(count))
        replies = Engine(Pace(timeout=timeout, attempts=8, in_flight=at_once, window=at_once)).replies(asks)
        return sum(
            [not isinstance(a.result, ExchangeError) and bool(a.result.rcode == 0) async for b in replies for a in b]
        )

    return asyncio.run(answered())


def ask_observer(port: int, count: int) -> int:
    """The whole contract: zones are found, what is there is confirmed, observations are counted, not queries."""
    from reconciler.names import Name  # noqa: PLC0415
    from reconciler.observe import Question  # noqa: PLC0415
    from reconciler.observe.dns import LiveObserver  # noqa: PLC0415
    from reconciler.settings import DnsSettings  # noqa: PLC0415
    from reconciler.state import Key, Present  # noqa: PLC0415

    def asked() -> Iterator[Question]:
        for name, rdtype in questions(count):
            yield Question(Key(Name(name), rdtype), Name(name[name.index("d") :].removeprefix("mail.")))

    observer = LiveObserver(DnsSettings(servers=((ADDRESS, port),), in_flight=AT_ONCE))
    return sum(isinstance(observation.observed, Present) for observation in observer.observe(asked()))


def ask_asyncresolver(port: int, count: int) -> int:
    """Dnspython's own, with as many at once."""
    import dns.asyncresolver  # noqa: PLC0415

    async def answered() -> int:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = [ADDRESS], port, 30.0
        waiting = questions(count)

        async def work() -> int:
            return sum([bool((await resolver.resolve(name, rdtype)).rrset) for name, rdtype in waiting])

        return sum(await asyncio.gather(*(work() for _ in range(100))))

    return asyncio.run(answered())


def ask_pycares(port: int, count: int) -> int:
    """c-ares behind its Python binding, which has an event thread of its own; a window of questions at a time."""
    import threading  # noqa: PLC0415

    import pycares  # noqa: PLC0415

    types = {name: getattr(pycares, f"QUERY_TYPE_{name}") for name in ("MX", "TXT", "SOA", "A")}
    channel = pycares.Channel(servers=[ADDRESS], udp_port=port, tcp_port=port, timeout=5.0, tries=3)
    window = threading.Semaphore(AT_ONCE)
    failures: list[int] = []

    def done(_result: object, error: int | None) -> None:
        if error:
            failures.append(error)
        window.release()

    for name, rdtype in questions(count):
        window.acquire()
        channel.query(name, types[rdtype], callback=done)
    for _ in range(AT_ONCE):
        window.acquire()
    channel.close()
    return count - len(failures)


CLIENTS: dict[str, Callable[[int, int], int]] = {
    "engine": ask_engine,
    "observer": ask_observer,
    "asyncresolver": ask_asyncresolver,
    "pycares": ask_pycares,
}


def main() -> None:
    """`dns_clients.py CLIENT PORT COUNT`, and for the engine `IN_FLIGHT TIMEOUT`."""
    client, port, count, *pace = sys.argv[1:]
    begun = time.perf_counter()
    if pace:
        answered = ask_engine(int(port), int(count), int(pace[0]), float(pace[1]))
    else:
        answered = CLIENTS[client](int(port), int(count))
    print(json.dumps({"questions": int(count), "answered": answered, "seconds": time.perf_counter() - begun}))


if __name__ == "__main__":
    main()
