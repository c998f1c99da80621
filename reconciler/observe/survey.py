"""One question on its way: the zone that holds it, every server of the zone, and whether what one says holds.

    question -> zone and its servers (zones.py) -> each server (exchange.py) -> what its reply says (answer.py)

Thousands are on their way at the same time, so there is no task and no future for any of them: plain objects, which the
engine's callbacks take from one stage to the next.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import dns.rcode

from reconciler.names import MAX_NAME_OCTETS, Name, is_under
from reconciler.observe.answer import answered_rrset, has_answer, observed_in_reply
from reconciler.observe.exchange import ExchangeError, Query
from reconciler.observe.shared import Shared
from reconciler.state import Absent, Cause, Key, Observation, Present, ServerAnswer, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.observe import Question
    from reconciler.observe.exchange import Address, Exchanger
    from reconciler.observe.reply import Reply
    from reconciler.observe.zones import FoundZone, Server, ZoneFinder
    from reconciler.state import Observed, Zone

# below a name, and not covered by a wildcard right below it either
_PROBE_LABELS = "wildcard-probe.*"
_COVERING_TYPES = ("MX", "A", "AAAA")


class Surveyor:
    """What the questions of one run share: who asks, and everything that is looked up once."""

    def __init__(self, exchanger: Exchanger, finder: ZoneFinder) -> None:
        """Prepare; nothing is asked yet."""
        self.exchanger = exchanger
        self.finder = finder
        self.is_covered: Shared[tuple[tuple[Address, ...], Name], bool | Unknown] = Shared(self._look_for_cover)

    def begin(self, question: Question, done: Callable[[Observation], None]) -> None:
        """Observes one rrset and calls `done` with it, at once or later."""
        self.finder.find(question.domain, question.zone, _Survey(self, question, done).has_zone)

    def _look_for_cover(self, where: tuple[tuple[Address, ...], Name], then: Callable[[bool | Unknown], None]) -> None:
        """Whether a wildcard answers for a name: then it does for the probe's, which would else not exist."""
        addresses, name = where
        probe = _probe(name)
        types = iter(_COVERING_TYPES)

        def ask() -> None:
            rdtype = next(types, None)
            if rdtype is None:
                then(False)  # noqa: FBT003 - the result of this look-up
            else:
                self.exchanger.begin(addresses, Query(probe, rdtype), partial(has_come, rdtype))

        def has_come(rdtype: str, reply: Reply | ExchangeError) -> None:
            if isinstance(reply, ExchangeError):
                then(reply.unknown)
            elif has_answer(reply, probe, rdtype):
                then(True)  # noqa: FBT003 - the result of this look-up
            elif reply.rcode == dns.rcode.NXDOMAIN:
                then(False)  # noqa: FBT003 - the result of this look-up
            else:
                ask()

        if _is_too_long(probe):
            then(False)  # noqa: FBT003 - the result of this look-up
        else:
            ask()


class _Survey:
    """A question, and what the servers of its zone have said so far."""

    __slots__ = ("_answers", "_done", "_left", "_servers", "_zone", "apex", "question", "surveyor")

    def __init__(self, surveyor: Surveyor, question: Question, done: Callable[[Observation], None]) -> None:
        self.surveyor = surveyor
        self.question = question
        self._done = done

    def has_zone(self, found: FoundZone | Unknown) -> None:
        key = self.question.key
        if isinstance(found, Unknown):
            self._done(Observation(key, None, (ServerAnswer(self.surveyor.finder.source, found),)))
            return
        self._zone: Zone = found.zone
        self._servers: tuple[Server, ...] = found.servers
        self.apex: Name = found.zone.apex
        if is_under(key.name, self.apex):
            self._answers: list[ServerAnswer | None] = [None] * len(found.servers)
            self._left = len(found.servers)
            for place, server in enumerate(found.servers):
                _Visit(self, server, place).begin()
        else:
            outside = Unknown(Cause.DELEGATED, f"{key.name} does not lie in the zone {self.apex}")
            self._done(Observation(key, found.zone, tuple(ServerAnswer(s.label, outside) for s in found.servers)))

    def has_observed(self, place: int, observed: Observed) -> None:
        self._answers[place] = ServerAnswer(self._servers[place].label, observed)
        self._left -= 1
        if not self._left:
            answers = tuple([answer for answer in self._answers if answer is not None])
            self._done(Observation(self.question.key, self._zone, answers))


class _Visit:
    """A question at one server: the answer, then, where it needs to be confirmed, the probe's."""

    __slots__ = ("_key", "_observed", "_place", "_probe", "_reply", "_server", "_survey")

    def __init__(self, survey: _Survey, server: Server, place: int) -> None:
        self._survey = survey
        self._server = server
        self._place = place
        self._key = survey.question.key

    def begin(self) -> None:
        if self._server.problem is not None:
            self._end(self._server.problem)
        else:
            self._ask(self._key, self._has_answer)

    def _ask(self, key: Key, then: Callable[[Reply | ExchangeError], None]) -> None:
        self._survey.surveyor.exchanger.begin(self._server.addresses, Query(key.name, key.type), then)

    def _end(self, observed: Observed) -> None:
        self._survey.has_observed(self._place, observed)

    def _has_answer(self, reply: Reply | ExchangeError) -> None:
        if isinstance(reply, ExchangeError):
            self._end(reply.unknown)
            return
        key, apex = self._key, self._survey.apex
        self._reply = reply
        observed = observed_in_reply(reply, key, apex)
        if key.name == apex:
            self._end(observed)
        elif (isinstance(observed, Present) or _is_alias(observed)) and not _is_too_long(probe := _probe(key.name)):
            self._observed = observed
            self._probe = Key(probe, key.type)
            self._ask(self._probe, self._has_probed)
        else:
            self._has_confirmed(observed)

    def _has_probed(self, second: Reply | ExchangeError) -> None:
        """What was observed below the apex, unless it comes from a zone below, or from a wildcard.

        A positive answer tells neither. Where the name itself exists, nothing exists at the probe's name, and the
        negative answer shows the zone; where it does not, the wildcard that made the answer makes the probe's, too
        (RFC 4592 section 3.3.1). A name that a wildcard alone explains holds no values: Absent.
        """
        if isinstance(second, ExchangeError):
            self._end(second.unknown)
        elif _is_same(self._reply, self._key, second, self._probe):
            self._ask(Key(self._key.name, "SOA"), self._has_soa)
        else:
            beneath = observed_in_reply(second, self._probe, self._survey.apex)
            self._has_confirmed(beneath if _is_failure(beneath) else self._observed)

    def _has_soa(self, reply: Reply | ExchangeError) -> None:
        if isinstance(reply, ExchangeError):
            self._end(reply.unknown)
            return
        around = observed_in_reply(reply, Key(self._key.name, "SOA"), self._survey.apex)
        self._has_confirmed(around if _is_failure(around) else Absent())

    def _has_confirmed(self, observed: Observed) -> None:
        domain = self._survey.question.domain
        is_own_name = isinstance(observed, Absent) and self._key.name == domain
        if is_own_name and self._reply.rcode == dns.rcode.NOERROR:
            self._survey.surveyor.is_covered((self._server.addresses, domain), self._has_cover)
        else:
            self._end(observed)

    def _has_cover(self, is_covered: bool | Unknown) -> None:  # noqa: FBT001 - the result of a look-up
        self._end(is_covered if isinstance(is_covered, Unknown) else Absent(is_covered=is_covered))


def _probe(name: Name) -> Name:
    return Name(f"{_PROBE_LABELS}.{name}")


def _is_too_long(name: Name) -> bool:
    return len(name) + 1 > MAX_NAME_OCTETS


def _is_same(reply: Reply, key: Key, second: Reply, probe: Key) -> bool:
    """Whether both answer, and with the same rdatas and TTL."""
    if not has_answer(second, *probe) or not has_answer(reply, *key):
        return False
    if reply.plain is not None and second.plain is not None:
        return (reply.plain.ttl, reply.plain.rdatas) == (second.plain.ttl, second.plain.rdatas)
    one, other = answered_rrset(reply.message, *key), answered_rrset(second.message, *probe)
    return one is not None and other is not None and one.ttl == other.ttl and one.to_rdataset() == other.to_rdataset()


def _is_alias(observed: Observed) -> bool:
    return isinstance(observed, Unknown) and observed.cause is Cause.CNAME


def _is_failure(observed: Observed) -> bool:
    """Whether it tells that the name is not the zone's own, or nothing; an alias does not."""
    return isinstance(observed, Unknown) and observed.cause is not Cause.CNAME
