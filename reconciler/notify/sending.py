"""Sends messages: a process for each endpoint, few at once, and none longer than its share of the time.

A process can be ended where a thread cannot: an endpoint that answers an octet a second, or without end, costs its
share and nothing more. Each message is reported when it was tried, so that what was taken is known whatever comes then.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from math import ceil
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from types import TracebackType

    from reconciler.notify.rendering import RenderedMessage

RUN_SECONDS = 60.0
"""For all endpoints together; less than another run waits for the journal's lock."""
_AT_ONCE = 4
_COURIER = Path(__file__).with_name("courier.py")
_MOST_OCTETS = 4096  # of one report
_OUTCOMES = frozenset({"taken", "refused", "slow", "unusable"})


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one endpoint is sent. The URL is a secret: it goes to the courier's stdin, and nowhere else."""

    name: str
    url: str = field(repr=False)
    messages: tuple[RenderedMessage, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one message, by its place in its parcel.

    `outcome`: taken; refused (or out of reach); slow; unusable (the URL is none that Apprise can send to); late, where
    the time was over before it was tried or answered. `answer` is an HTTP status, empty where there was none.
    """

    parcel: int
    message: int
    outcome: str
    answer: str = ""


def deliver(parcels: Sequence[Parcel], seconds: float = RUN_SECONDS) -> Generator[Receipt]:
    """Send every message, for at most so many seconds; the receipts of an endpoint come in order, each at once.

    Leaving the iteration early ends what is still being sent.
    """
    share = seconds / max(1, ceil(len(parcels) / _AT_ONCE))
    receipts: SimpleQueue[Receipt | BaseException | None] = SimpleQueue()
    with _Couriers() as couriers, ThreadPoolExecutor(_AT_ONCE, "notify") as pool:
        try:
            for number, parcel in enumerate(parcels):
                pool.submit(_carry, couriers, receipts, number, parcel, share)
            waiting = len(parcels)
            while waiting:
                receipt = receipts.get()
                if isinstance(receipt, BaseException):
                    raise receipt
                if receipt is None:
                    waiting -= 1
                else:
                    yield receipt
        finally:
            couriers.end()


class _Couriers:
    """The processes that are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.end()

    def start(self) -> subprocess.Popen[bytes] | None:
        """A courier; None where everything is over."""
        with self._lock:
            if self._is_over:
                return None
            process = subprocess.Popen(  # noqa: S603 - our own file, by this interpreter
                [sys.executable, "-P", str(_COURIER)],  # -P: nothing that lies beside it is imported
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what Apprise says may have a part of the URL in it
            )
            self._running.add(process)
            return process

    def ended(self, process: subprocess.Popen[bytes]) -> None:
        """Forget a courier that has ended."""
        with self._lock:
            self._running.discard(process)

    def end(self) -> None:
        """End all of them, and start no more."""
        with self._lock:
            self._is_over = True
            for process in self._running:
                process.kill()


def _carry(
    couriers: _Couriers,
    receipts: SimpleQueue[Receipt | BaseException | None],
    number: int,
    parcel: Parcel,
    seconds: float,
) -> None:
    try:
        reports: list[str] = []
        for outcome, answer in _reports(couriers, parcel, seconds):
            receipts.put(Receipt(number, len(reports), outcome, answer))
            reports.append(outcome)
        if len(reports) < len(parcel.messages) and (not reports or reports[-1] == "taken"):
            receipts.put(Receipt(number, len(reports), "late"))
    except BaseException as exc:  # noqa: BLE001 - it is raised again where somebody waits for it
        receipts.put(exc)
    finally:
        receipts.put(None)


def _reports(couriers: _Couriers, parcel: Parcel, seconds: float) -> Iterator[tuple[str, str]]:
    process = couriers.start()
    if process is None or process.stdin is None or process.stdout is None:
        return
    alarm = threading.Timer(seconds, process.kill)
    alarm.daemon = True
    try:
        alarm.start()
        errand = {"url": parcel.url, "messages": [asdict(m) for m in parcel.messages]}
        with suppress(BrokenPipeError), process.stdin as stdin:  # it was ended before it could listen
            stdin.write(json.dumps(errand).encode())
        for _ in parcel.messages:
            report = _report(process.stdout.readline(_MOST_OCTETS))
            if report is None:
                return
            yield report
    finally:
        alarm.cancel()
        process.kill()
        process.stdout.close()
        process.wait()
        couriers.ended(process)


def _report(line: bytes) -> tuple[str, str] | None:
    """One report; None where there is none, or another than a courier makes."""
    try:
        found = json.loads(line)
        outcome, answer = found["outcome"], found["answer"]
    except (ValueError, TypeError, KeyError):
        return None
    if outcome not in _OUTCOMES or not isinstance(answer, str) or (answer and not answer.isdecimal()):
        return None
    return outcome, answer
