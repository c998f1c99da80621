"""Observing mail domains: all that they desire is asked for as one stream, and told with what is remembered of them.

What is needed of mail domains that are settled at sight is here and in what this imports; the rest of a run is not.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from reconciler.desired import RRSETS_EACH, desired_keys
from reconciler.history import NO_HISTORY
from reconciler.observe import Question
from reconciler.observe.build import build_observer
from reconciler.observe.estimate import estimate_observing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.catalog import Catalog
    from reconciler.errors import Diagnostic
    from reconciler.history import History
    from reconciler.invocation import Invocation
    from reconciler.manifest.fleet import Domain, Fleet
    from reconciler.names import Name
    from reconciler.state import Key, Observation

_AT_ONCE = 256  # domains for which the journal is asked together


class ObservedDomain(NamedTuple):
    """A mail domain, the keys of the rrsets that it desires, and what was observed of each."""

    domain: Domain
    keys: tuple[Key, ...]
    observations: dict[Key, Observation]


class RememberedDomain(NamedTuple):
    """What was observed of a mail domain, and what is remembered of it."""

    observed: ObservedDomain
    history: History


def with_histories(
    observed: Iterable[ObservedDomain],
    histories: Callable[[Sequence[Name]], Mapping[Name, History]],
    is_left_out: Callable[[Domain, Observation, Observation, History], bool] | None = None,
) -> Iterator[RememberedDomain]:
    """Each with its history, but for those that are left out; the journal is asked for some at once.

    `is_left_out` is asked of those that desire anything, as `SettledAtSight.has_settled` is.
    """
    for some in _batches(observed):
        remembered = histories([each.domain.name for each in some])
        for each in some:
            domain, keys, seen = each
            history = remembered.get(domain.name, NO_HISTORY)
            if is_left_out is None or not keys or not is_left_out(domain, seen[keys[0]], seen[keys[1]], history):
                yield RememberedDomain(each, history)


class Begun(NamedTuple):
    """A look that was begun: the manifests as `validate` gives them, and whom of those that were chosen to plan.

    `unsettled` are those that are not settled at sight, while the others are still asked; None where nobody is yet.
    """

    declared: tuple[Fleet, list[Diagnostic]]
    unsettled: Iterator[RememberedDomain] | None


_Item = TypeVar("_Item")


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """The items, some at once."""
    rest = iter(items)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


def observe_domains(invocation: Invocation, domains: Sequence[Domain]) -> Iterator[ObservedDomain]:
    """Each domain with what was observed of every rrset that it desires, as soon as the last of its answers is there.

    All questions are one stream: no domain waits for another one's servers.
    """
    for domain in domains:
        if not domain.is_filtered_by_mx:
            yield ObservedDomain(domain, (), {})
    estimate = estimate_observing(questions_of(domains, invocation.catalog), invocation.settings.observe)
    if estimate is not None:
        invocation.say(estimate)
    waiting: dict[Key, ObservedDomain] = {}
    filtered = [domain for domain in domains if domain.is_filtered_by_mx]
    with invocation.progress("observing", RRSETS_EACH * len(filtered)) as advance:
        observer = build_observer(invocation.settings.observe, advance)
        for observation in observer.observe(_asked(filtered, invocation.catalog, waiting)):
            observed = waiting.pop(observation.key)
            observed.observations[observation.key] = observation
            if len(observed.observations) == RRSETS_EACH:
                yield observed


def questions_of(domains: Iterable[Domain], catalog: Catalog) -> Iterator[Question]:
    """What is asked of the mail domains, each question made when it is taken."""
    for domain in domains:
        yield from _questions(domain, desired_keys(domain, catalog))


def _asked(domains: Iterable[Domain], catalog: Catalog, waiting: dict[Key, ObservedDomain]) -> Iterator[Question]:
    """The same, and in `waiting` whose question it is, with the answers so far."""
    for domain in domains:
        observed = ObservedDomain(domain, desired_keys(domain, catalog), {})
        for question in _questions(domain, observed.keys):
            waiting[question.key] = observed
            yield question


def _questions(domain: Domain, keys: Sequence[Key]) -> list[Question]:
    """The MX first: its answer tells the zone, as a rule."""
    return [Question(key, domain.name, domain.zone) for key in reversed(keys)]
