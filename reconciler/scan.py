"""The work of one shard, wherever it is done: from plain values to the octets of a document, alone in its process.

What `scan` is given can be sent to another process or another machine, and so can what it gives back. It reads the same
manifests, settings, exports, journal and git history as one process does, from the folder in which it runs; that a
worker read others is found out when the documents are merged. Done twice with one `now`, it gives the same octets as
long as the world is the same.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reconciler.collector import rare_collection
from reconciler.document import render_document
from reconciler.drift import render_drift_json
from reconciler.invocation import open_invocation
from reconciler.observe.estimate import estimate_observing, has_estimate
from reconciler.observing import questions_of
from reconciler.run import plan
from reconciler.run_drift import drift
from reconciler.run_validate import validate
from reconciler.selection import ChangedSince, Selection, Shard, select_domains

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from reconciler.invocation import Invocation


@dataclass(frozen=True, slots=True)
class ScanOrder:
    """What one worker looks at, as plain values.

    `manifests` and `settings` are paths as the command line has them, so that documents name files as ever.
    `changed_since` is a git revision. `is_offline` as in `plan --offline`.
    """

    kind: Literal["plan", "drift"]
    shard: Shard
    manifests: str
    settings: str
    now: datetime
    commit: str | None
    domains: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    changed_since: str | None = None
    is_settings_required: bool = False
    is_offline: bool = False


def say_estimate(invocation: Invocation, selection: Selection) -> None:
    """Say how long all shards together observe, where that is long: they share the rate at which servers are asked.

    What they probe, each of them knows alone when it has observed. What git says is touched is few, and not announced.

    Raises:
        ReconcilerError: the manifests cannot be used, which a shard would say too.

    """
    if selection.changed_since is not None or not has_estimate(invocation.settings.observe):
        return
    domains = select_domains(validate(invocation, ())[0], selection)
    questions = questions_of(domains, invocation.catalog)
    if (estimate := estimate_observing(questions, invocation.settings.observe)) is not None:
        invocation.say(estimate)


@rare_collection()
def scan(order: ScanOrder) -> bytes:
    """The JSON text of the document of one shard, ASCII.

    Raises:
        ReconcilerError: whatever the verb itself raises for it.

    """
    settings = Path(order.settings)
    invocation = open_invocation(
        manifests=Path(order.manifests),
        settings_file=settings,
        is_settings_required=order.is_settings_required,
        now=order.now,
        commit=order.commit,
        progress=_untold,
    )
    if order.is_offline:
        invocation = invocation.offline()
    since = None if order.changed_since is None else ChangedSince(order.changed_since, settings)
    selection = Selection(order.domains, order.organizations, since, order.shard)
    if order.kind == "plan":
        return render_document(plan(invocation.with_kept_probes(), selection)).encode("ascii")
    return render_drift_json(drift(invocation, selection)).encode("ascii")


@contextmanager
def _untold(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress that nobody looks at."""
    del what, total
    yield lambda _done: None
