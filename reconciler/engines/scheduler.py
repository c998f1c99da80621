"""`--engine dask://HOST:PORT`: orders for a scheduler that the user already runs (dask.distributed, extra `fleet`).

The workers need this program in this version, and the manifests and settings at the same paths. A scheduler and its
workers run code that is sent to them, and what they send back is unpickled here: whoever may connect to one may do
anything that its workers may, and that this run may. It is to be trusted as this machine is, and reached by TLS
(`dask+tls://`, with the certificates of dask's own configuration) over any network that is not.

Source: https://distributed.dask.org/en/stable/ (client, resilience, tls).
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from reconciler.engines.errors import EngineError, engine_error
from reconciler.errors import ReconcilerError
from reconciler.wording import INSTALL_EXTRAS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from distributed import Client, Future

T = TypeVar("T")

_DISTRIBUTION = "mail-gateway-reconciler"
_PROTOCOLS = {"dask": "tcp", "dask+tls": "tls"}
_CONNECT_SECONDS = 10
_NO_WORKER_SECONDS = 60
"""How long a run waits where all workers are gone: whatever starts them anew needs its time."""
_RETRIES = 2
_SHARDS_PER_WORKER = 4


def scheduler_address(text: str) -> str:
    """The scheduler's address as dask has it, of `dask://HOST:PORT` or `dask+tls://HOST:PORT`.

    Raises:
        ValueError: it is none of these.

    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise ValueError(_no_address(text)) from exc
    if parts.scheme not in _PROTOCOLS or not host or port is None or parts.netloc.count("@") or text.count("/") > 2:  # noqa: PLR2004 - `://`
        raise ValueError(_no_address(text))
    return f"{_PROTOCOLS[parts.scheme]}://{parts.netloc}"


def _no_address(text: str) -> str:
    return f"{text!r} is no address of a scheduler, as dask://scheduler.example:8786 or dask+tls://..."


@contextmanager
def connected(address: str, jobs: int) -> Iterator[SchedulerEngine]:
    """The engine of the scheduler at an address as dask has it; `jobs` shards, or with 1 four for each worker.

    Raises:
        EngineError: the extra is not installed, nothing answers, there is no worker, or one has another version.

    """
    try:
        from distributed import Client  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as exc:
        detail = f"Install it here and on the workers, {INSTALL_EXTRAS}."
        raise engine_error("no-dask", "--engine needs dask.distributed, which is not installed", detail) from exc
    try:
        client = Client(address, timeout=_CONNECT_SECONDS)
    except (OSError, TypeError, ValueError, RuntimeError) as exc:
        detail = (
            "Look whether the scheduler runs and is reached from here; with dask+tls:// the certificates are those of "
            "dask's configuration (distributed.comm.tls)."
        )
        raise engine_error("no-scheduler", f"no scheduler was reached at {address}: {exc}", detail) from exc
    with client:
        workers = _workers(client, address)
        yield SchedulerEngine(client, jobs if jobs > 1 else _SHARDS_PER_WORKER * workers)


def _workers(client: Client, address: str) -> int:
    """How many workers there are, all of them with this version of the program."""
    try:
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
    except TimeoutError as exc:
        raise engine_error("no-workers", f"the scheduler at {address} has no workers", "Start some.") from exc
    # what runs there is of the standard library, so that it runs where this program is not installed too
    found = client.run(version, _DISTRIBUTION, on_error="return")
    here = _here()
    wrong = sorted(f"{worker} has {_said(there)}" for worker, there in found.items() if there != here)
    if wrong:
        raise _other_version(here, ", ".join(wrong))
    return len(found)


def _here() -> str:
    return version(_DISTRIBUTION)


def _said(there: object) -> str:
    return f"version {there}" if isinstance(there, str) else f"none that works ({type(there).__name__})"


def _other_version(here: str, which: str) -> EngineError:
    summary = f"this is version {here} of {_DISTRIBUTION}, and not all workers have it: {which}"
    detail = f"Have a checkout of version {here} on every worker, and install it there with requirements-extras.lock."
    return engine_error("worker-version", summary, detail)


class SchedulerEngine:
    """An engine whose workers are a scheduler's."""

    def __init__(self, client: Client, shards: int) -> None:
        """With a client that is connected."""
        self._client, self.shards = client, shards

    def run_each(self, orders: Sequence[T], work: Callable[[T], bytes]) -> Generator[bytes, None, None]:
        """See `Engine.run_each`; where nobody is left to work, it waits for a minute."""
        from distributed import CancelledError, KilledWorker  # noqa: PLC0415

        here = _here(), str(Path.cwd())
        futures = [self._client.submit(_work, *here, work, o, pure=False, retries=_RETRIES) for o in orders]
        numbers = {future: number for number, future in enumerate(futures, start=1)}
        try:
            while numbers:
                for future in self._done(list(numbers)):
                    number = numbers.pop(future)
                    try:
                        result = future.result()
                    except KilledWorker as exc:
                        raise _lost(number, len(orders), exc) from exc
                    future.release()  # the worker's memory, as soon as it is here
                    if isinstance(result, ReconcilerError):
                        raise result
                    yield result
        except CancelledError as exc:
            detail = "Nothing was written. Look at the scheduler's log, and run this again."
            raise engine_error("scheduler-lost", "the scheduler was lost while it was at work", detail) from exc
        finally:
            self._client.cancel(list(numbers))

    def _done(self, futures: Sequence[Future]) -> set[Future]:
        """Those that are done, at least one; as_completed would wait for ever where no worker is left."""
        from distributed import wait  # noqa: PLC0415

        while True:
            try:
                return set(wait(futures, timeout=_NO_WORKER_SECONDS, return_when="FIRST_COMPLETED").done)
            except TimeoutError as exc:
                if not self._client.nthreads():
                    raise engine_error("no-workers", "all workers are gone", "Start some, and run this again.") from exc


def _lost(number: int, count: int, why: Exception) -> EngineError:
    detail = "Nothing was written. Look at that worker's log: most often there is too little memory."
    return engine_error("worker-lost", f"workers ended again and again before shard {number} of {count}: {why}", detail)


def _work(version_there: str, folder: str, work: Callable[[T], bytes], order: T) -> bytes | ReconcilerError:
    """One order, on a worker. What would fail again is returned instead of raised, so that it is not tried again."""
    here = _here()
    if here != version_there:  # a worker that came after all others were asked
        return _other_version(version_there, f"one that came later has version {here}")
    try:
        os.chdir(folder)  # relative paths mean the same here, and are told the same
    except OSError as exc:
        detail = "The manifests and the settings have to be at the same path on every worker: mount or check them out."
        return engine_error("worker-folder", f"a worker cannot enter {folder}: {exc.strerror}", detail)
    try:
        return work(order)
    except ReconcilerError as exc:
        return exc
