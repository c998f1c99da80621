"""One client asking one name server a number of questions; prints JSON: questions, answered, seconds, cpu.

What a client imports is imported before the clock starts: dnsperf's rate is without its start, too. `cpu` is the
processor's seconds of the whole process.

Run by `observe.py`, each in a process of its own, so that what a client keeps does not burden the others.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from reconciler.collector import rare_collection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Asking = Callable[[], int]  # how many were answered

ADDRESS = "127.0.0.1"
AT_ONCE = 200
TIMEOUT = 2.0


def questions(count: int) -> Iterator[tuple[str, str]]:
    """Five for each domain, as a drift run asks them."""
    for number in range(count // 5):
        domain = f"d{number}.bench.example."
        yield from ((domain, "MX"), (domain, "TXT"), (domain, "SOA"))
        yield from ((f"_amazonses.{domain}", "TXT"), (f"mail.{domain}", "A"))


def build_engine(port: int, count: int, at_once: int = AT_ONCE, timeout: float = TIMEOUT) -> Asking:
    """The engine: every protection on, every answer read; driven as the observer drives it."""
    from reconciler.observe.asking import Query  # noqa: PLC0415 - only this client needs it
    from reconciler.observe.attempts import Pace  # noqa: PLC0415
    from reconciler.observe.engine import Engine  # noqa: PLC0415
    from reconciler.observe.reply import Reply  # noqa: PLC0415
    from reconciler.observe.streaming import stream_results  # noqa: PLC0415

    engine = Engine(Pace(timeout=timeout, attempts=8, in_flight=at_once, window=at_once))
    begin = partial(engine.start, ((ADDRESS, port),))

    def ask() -> int:
        asked = (Query(name, rdtype) for name, rdtype in questions(count))
        replies = stream_results(asked, begin, at_once, engine.stop)
        return sum([isinstance(reply, Reply) and bool(reply.rcode == 0) for _, reply in replies])

    return ask


def build_observer(port: int, count: int) -> Asking:
    """The whole contract, with the two rrsets that a drift run looks at: zones found, wildcards told apart."""
    from reconciler.names import Name  # noqa: PLC0415
    from reconciler.observe import Question  # noqa: PLC0415
    from reconciler.observe.dns import LiveObserver  # noqa: PLC0415
    from reconciler.settings import DnsSettings  # noqa: PLC0415
    from reconciler.state import Key, Present  # noqa: PLC0415

    def asked() -> Iterator[Question]:
        for number in range(count // 2):
            domain = f"d{number}.bench.example."
            yield Question(Key(Name(domain), "MX"), Name(domain))
            yield Question(Key(Name(f"_amazonses.{domain}"), "TXT"), Name(domain))

    observer = LiveObserver(DnsSettings(servers=((ADDRESS, port),), in_flight=AT_ONCE))
    return lambda: sum(isinstance(observation.observed, Present) for observation in observer.observe(asked()))


def build_asyncresolver(port: int, count: int) -> Asking:
    """Dnspython's own, with as many at once."""
    import dns.asyncresolver  # noqa: PLC0415

    async def answered() -> int:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = [ADDRESS], port, 30.0
        waiting = questions(count)

        async def work() -> int:
            return sum([bool((await resolver.resolve(name, rdtype)).rrset) for name, rdtype in waiting])

        return sum(await asyncio.gather(*(work() for _ in range(100))))

    return lambda: asyncio.run(answered())


def build_pycares(port: int, count: int) -> Asking:
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

    def ask() -> int:
        for name, rdtype in questions(count):
            window.acquire()
            channel.query(name, types[rdtype], callback=done)
        for _ in range(AT_ONCE):
            window.acquire()
        channel.close()
        return count - len(failures)

    return ask


CLIENTS: dict[str, Callable[[int, int], Asking]] = {
    "engine": build_engine,
    "observer": build_observer,
    "asyncresolver": build_asyncresolver,
    "pycares": build_pycares,
}


def main() -> None:
    """`dns_clients.py CLIENT PORT COUNT`, and for the engine `IN_FLIGHT TIMEOUT`."""
    client, port, count, *pace = sys.argv[1:]
    if pace:
        ask = build_engine(int(port), int(count), int(pace[0]), float(pace[1]))
    else:
        ask = CLIENTS[client](int(port), int(count))
    with rare_collection():  # as in the program, and alike for all of them
        begun = time.perf_counter()
        answered = ask()
    figures = {"seconds": time.perf_counter() - begun, "cpu": time.process_time()}
    print(json.dumps({"questions": int(count), "answered": answered, **figures}))


if __name__ == "__main__":
    main()
