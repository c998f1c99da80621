"""`--jobs` and `--engine`: one run made of shards, which several processes or a scheduler's workers look at."""

from __future__ import annotations

import argparse
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from reconciler.cli.opened import selected
from reconciler.cli.parser import DEFAULT_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.document import PlanDocument
    from reconciler.drift import DriftDocument
    from reconciler.invocation import Invocation
    from reconciler.merge import NamedDocument
    from reconciler.scan import ScanOrder

_MOST_JOBS = 256
"""More than any machine gains by; each is a process that reads all manifests."""


def add_engine(parser: argparse.ArgumentParser) -> None:
    """The options that say who does the work."""
    parser.add_argument(
        "--jobs", type=_jobs, default=1, metavar="N", help="look with N processes of this machine at the same time"
    )
    parser.add_argument(
        "--engine",
        type=_address,
        metavar="ADDRESS",
        help="look with a dask scheduler's workers, dask://HOST:PORT (extra `fleet`); --jobs N makes N shards then",
    )


def is_sharded(arguments: argparse.Namespace) -> bool:
    """Whether the run is made of several shards here; one that is to be a shard itself is not."""
    is_wanted = arguments.jobs > 1 or arguments.engine is not None
    if is_wanted and arguments.shard is not None:
        arguments.usage_error("a shard is made by one process: --shard goes with neither --jobs nor --engine")
    return is_wanted


def plan_sharded(arguments: argparse.Namespace, invocation: Invocation) -> PlanDocument:
    """The plan of all shards together: the one that this process alone would have made."""
    from reconciler.document import read_document  # noqa: PLC0415
    from reconciler.merge import merge_documents  # noqa: PLC0415

    shards = [read_document(octets, Path("a shard's plan")) for octets in _scanned(arguments, invocation, "plan")]
    return cast("PlanDocument", merge_documents(_named(shards)))


def drift_sharded(arguments: argparse.Namespace, invocation: Invocation) -> DriftDocument:
    """The drift of all shards together: the one that this process alone would have found, and would have recorded."""
    from reconciler.drift import DriftDocument  # noqa: PLC0415
    from reconciler.merge import merge_documents  # noqa: PLC0415

    read = DriftDocument.model_validate_json
    shards = _named([read(octets) for octets in _scanned(arguments, invocation, "drift")])
    merged = cast("DriftDocument", merge_documents(shards))
    if arguments.record:
        from reconciler.run_merge import record  # noqa: PLC0415

        record(invocation, merged, shards)
    return merged


def _named(shards: Iterable[PlanDocument | DriftDocument]) -> list[NamedDocument]:
    from reconciler.merge import NamedDocument  # noqa: PLC0415

    return [NamedDocument(f"shard {d.shard.index}" if d.shard is not None else "a shard", d) for d in shards]


def _scanned(arguments: argparse.Namespace, invocation: Invocation, kind: Literal["plan", "drift"]) -> Iterator[bytes]:
    """The documents of all shards, as they come."""
    from reconciler.console import configure_logging  # noqa: PLC0415
    from reconciler.engines import open_engine  # noqa: PLC0415
    from reconciler.scan import say_estimate, scan  # noqa: PLC0415

    say_estimate(invocation, selected(arguments))
    prepare = partial(configure_logging, is_verbose=False)  # what a run says, it says once, and here
    with open_engine(arguments.engine, arguments.jobs, prepare) as engine:
        orders = list(_orders(arguments, invocation, kind, engine.shards))
        with invocation.progress("shards", len(orders)) as advance, closing(engine.run_each(orders, scan)) as results:
            for done, octets in enumerate(results, start=1):
                advance(done)
                yield octets


def _orders(
    arguments: argparse.Namespace, invocation: Invocation, kind: Literal["plan", "drift"], count: int
) -> Iterator[ScanOrder]:
    from reconciler.scan import ScanOrder  # noqa: PLC0415
    from reconciler.selection import Shard  # noqa: PLC0415

    for index in range(1, count + 1):
        yield ScanOrder(
            kind=kind,
            shard=Shard(index, count),
            manifests=str(arguments.manifests),
            settings=str(arguments.settings or DEFAULT_SETTINGS),
            now=invocation.now,
            commit=invocation.commit,
            domains=tuple(arguments.domain),
            organizations=tuple(arguments.organization),
            changed_since=getattr(arguments, "changed_since", None),
            is_settings_required=arguments.settings is not None,
            is_offline=invocation.is_offline,
        )


def _jobs(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST_JOBS:
        message = f"{text!r} is no number from 1 to {_MOST_JOBS}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _address(text: str) -> str:
    from reconciler.engines.scheduler import scheduler_address  # noqa: PLC0415

    try:
        return scheduler_address(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc
