"""The shell of `notify`: read documents, ask the journal what was told, decide, send, and remember what was taken.

All of it is under the journal's lock, so that two runs tell nothing twice; it is bounded in time, and what an endpoint
took is kept at once. The URLs of endpoints are read here, and go to the processes that send and nowhere else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from reconciler.documents import NEWS, load_documents
from reconciler.drift import DriftDocument, DriftSeverity
from reconciler.errors import Diagnostic, ExitCode, ReconcilerError, Severity, error, sorted_diagnostics
from reconciler.notify.digest import Message, build_messages
from reconciler.notify.follow import follow_looks, give_up, without_old
from reconciler.notify.look import look_of_apply, look_of_drift
from reconciler.notify.record import PATIENCE, Endpoint, Event, Rule, changed
from reconciler.notify.remembered import read_records, told_of
from reconciler.notify.rendering import render_message
from reconciler.notify.sending import RUN_SECONDS, Parcel, deliver
from reconciler.session import open_session
from reconciler.settings import endpoint_url
from reconciler.templating import Templates
from reconciler.wording import INSTALL_EXTRAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.documents import NewsDocument
    from reconciler.invocation import Invocation
    from reconciler.notify.look import Look
    from reconciler.notify.record import Records
    from reconciler.notify.sending import Receipt
    from reconciler.session import Session
    from reconciler.settings import NotificationSettings

_TAKEN = "taken"
_BY_HAND = "Send one by hand to see what its service says: apprise -vv -b test"


class NotificationError(ReconcilerError):
    """Notifications are declared, and cannot be sent here."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the messages to one endpoint. `events` counts what was told with those that were taken."""

    name: str
    taken: int
    failed: int
    events: int


@dataclass(frozen=True, slots=True)
class NotifyReport:
    """What a run told; `is_declared` is False where the settings name no endpoint."""

    sent: tuple[Sent, ...]
    diagnostics: tuple[Diagnostic, ...]
    is_declared: bool = True

    @property
    def exit_code(self) -> ExitCode:
        """An endpoint that is dead, slow or refuses fails no run; one that is not set up does."""
        is_error = any(d.severity is Severity.ERROR for d in self.diagnostics)
        return ExitCode.ERROR if is_error else ExitCode.DONE


def notify(
    invocation: Invocation, paths: Sequence[Path], environment: Mapping[str, str], seconds: float = RUN_SECONDS
) -> NotifyReport:
    """Tell each endpoint what it was not told yet, for at most so many seconds.

    Raises:
        DocumentFileError: a document cannot be read; nothing was sent.
        EmitError: a template cannot be used; nothing was sent.
        JournalError: the journal cannot be used or locked.
        NotificationError: Apprise is not installed.

    """
    settings = invocation.settings.notifications
    documents = load_documents(paths, NEWS)
    if not settings.endpoints:
        return NotifyReport((), (), is_declared=False)
    if find_spec("apprise") is None:
        raise NotificationError([_no_apprise()])
    looks, old = _looks(documents, settings, invocation)
    endpoints = build_endpoints(settings)
    with open_session(invocation) as session:
        records, found = _followed(session, looks, endpoints)
        run = _Run(session, endpoints, records, settings.per_run, environment)
        return NotifyReport(*run.send([*old, *found], seconds))


def build_endpoints(settings: NotificationSettings) -> list[Endpoint]:
    """The endpoints; entries of the same variable are one, with several rules."""
    rules: dict[str, list[Rule]] = defaultdict(list)
    for entry in settings.endpoints:
        least = DriftSeverity(entry.severity)
        severities = frozenset(s.value for s in DriftSeverity if s.is_at_least(least))
        rules[entry.variable].append(Rule(frozenset(map(Event, entry.events)), severities, entry.organizations))
    return [Endpoint(name, tuple(found)) for name, found in rules.items()]


def _looks(
    documents: Sequence[NewsDocument], settings: NotificationSettings, invocation: Invocation
) -> tuple[list[Look], list[Diagnostic]]:
    recent = [d for d in documents if invocation.now - d.created_at <= PATIENCE]
    looks = [look_of_drift(d, settings.hold) if isinstance(d, DriftDocument) else look_of_apply(d) for d in recent]
    old = [_too_old(d) for d in documents if d not in recent]
    return looks, old


def _followed(
    session: Session, looks: Sequence[Look], endpoints: Sequence[Endpoint]
) -> tuple[Records, list[Diagnostic]]:
    """The records of this run, kept before anything is sent: a document may be there for this run alone."""
    now = session.invocation.now
    before, unread = read_records(session.journal.told())
    records: Records = dict(before)
    for endpoint in endpoints:
        records = follow_looks(records, looks, endpoint, now)
    records, given_up = give_up(records, now)
    records = without_old(records, endpoints, now)
    kept, dropped = changed(before, records)
    fresh = {record.key for record in kept}
    session.journal.keep_told(told_of(kept), [*dropped, *(key for key in unread if key not in fresh)])
    missed = Counter(record.endpoint for record in given_up)
    found = [_given_up(endpoint, missed[endpoint.id]) for endpoint in endpoints if missed[endpoint.id]]
    return records, [*found, *([_unread(len(unread))] if unread else [])]


@dataclass(frozen=True, slots=True)
class _Run:
    """Sends what is to be told, and keeps what was taken."""

    session: Session
    endpoints: Sequence[Endpoint]
    records: Records
    per_run: int
    environment: Mapping[str, str]

    def send(self, found: Iterable[Diagnostic], seconds: float) -> tuple[tuple[Sent, ...], tuple[Diagnostic, ...]]:
        diagnostics = list(found)
        templates = Templates(self.session.invocation.settings.templates)
        sent, loads = [], []
        for endpoint in self.endpoints:
            mine = [r for r in self.records.values() if r.endpoint == endpoint.id]
            messages = build_messages(mine, self.per_run)
            url = endpoint_url(endpoint.name, self.environment)
            if url is None:
                diagnostics.append(_not_set(endpoint))
            elif messages:
                rendered = tuple(render_message(message, templates) for message in messages)
                loads.append((endpoint, messages, Parcel(endpoint.name, url, rendered)))
        receipts = self._receipts([(messages, parcel) for _, messages, parcel in loads], seconds)
        for number, (endpoint, messages, _) in enumerate(loads):
            mine_back = receipts[number]
            taken = [messages[r.message] for r in mine_back if r.outcome == _TAKEN]
            events = sum(len(message.records) for message in taken)
            sent.append(Sent(endpoint.name, len(taken), len(messages) - len(taken), events))
            diagnostics += _failure(endpoint, len(messages), mine_back)
        return tuple(sent), tuple(sorted_diagnostics(diagnostics))

    def _receipts(
        self, loads: Sequence[tuple[Sequence[Message], Parcel]], seconds: float
    ) -> Mapping[int, list[Receipt]]:
        receipts: dict[int, list[Receipt]] = defaultdict(list)
        with closing(deliver([parcel for _, parcel in loads], seconds)) as delivered:
            for receipt in delivered:
                receipts[receipt.parcel].append(receipt)
                if receipt.outcome == _TAKEN:
                    told = loads[receipt.parcel][0][receipt.message].records
                    now = self.session.invocation.moment()
                    self.session.journal.keep_told(told_of(record.taken(now) for record in told))
        return receipts


def _failure(endpoint: Endpoint, messages: int, receipts: Sequence[Receipt]) -> Iterator[Diagnostic]:
    missing = messages - sum(r.outcome == _TAKEN for r in receipts)
    if not missing:
        return
    last = [r for r in receipts if r.outcome != _TAKEN][-1]
    if last.outcome == "unusable":
        summary = f"{endpoint.name} holds no URL that Apprise can send to"
        detail = f'Correct the variable, or install what its service needs. {_BY_HAND} "${endpoint.name}".'
        yield error("notification-url", summary, detail)
        return
    why = {
        "refused": f"its service answered {last.answer}" if last.answer else "it refused them, or is out of reach",
        "slow": "it did not answer in time",
        "late": "the time was over before it had taken them",
    }[last.outcome]
    summary = f"{endpoint.name} did not take {missing} of {messages} messages: {why}"
    detail = f'The next runs try it again, for {_hours()} hours. {_BY_HAND} "${endpoint.name}".'
    yield Diagnostic(Severity.WARNING, "notification-failed", summary, detail)


def _hours() -> int:
    return int(PATIENCE.total_seconds() // 3600)


def _no_apprise() -> Diagnostic:
    detail = f"Remove `notifications:`, or install it {INSTALL_EXTRAS}."
    return error("notification-library", "endpoints are declared, and Apprise is not installed", detail)


def _not_set(endpoint: Endpoint) -> Diagnostic:
    summary = f"{endpoint.name} is not set here, or empty: its endpoint is told nothing"
    detail = f"Set {endpoint.name} to an Apprise URL in the environment of this run, or remove its endpoint."
    return error("notification-url", summary, detail)


def _too_old(document: NewsDocument) -> Diagnostic:
    when = document.created_at.isoformat(timespec="minutes")
    summary = f"the {document.kind} document of {when} is older than {_hours()} hours: nothing of it is told"
    return Diagnostic(Severity.WARNING, "notification-old", summary, "Give the documents of this run.")


def _given_up(endpoint: Endpoint, count: int) -> Diagnostic:
    summary = f"{endpoint.name} was not told {count} events: it took nothing for {_hours()} hours"
    detail = f'They are not tried again. {_BY_HAND} "${endpoint.name}".'
    return Diagnostic(Severity.WARNING, "notification-given-up", summary, detail)


def _unread(count: int) -> Diagnostic:
    summary = f"{count} entries of what people were told are of another version of this program"
    detail = "What lasts is told once more; there is nothing to do."
    return Diagnostic(Severity.WARNING, "notification-records", summary, detail)
