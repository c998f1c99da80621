"""One question on its way: the zone that holds it, every server of the zone, and whether what one says holds.

    question -> zone and its servers (zones.py) -> each server (exchange.py) -> what its reply says (answer.py)

At servers of the settings a mail domain's own MX question is the search for its zone, too (fixed_zones.py).

Thousands are on their way at the same time, so there is no task and no future for any of them: plain objects, which the
engine's callbacks take from one stage to the next.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import dns.rcode

from reconciler.names import MAX_NAME_OCTETS, ROOT, Name, is_under
from reconciler.observe.answer import answered_rrset, has_answer, is_plain_absence, observed_beneath
from reconciler.observe.exchange import ExchangeError, Query
from reconciler.observe.fixed_zones import FixedZones
from reconciler.observe.shared import Shared
from reconciler.state import Absent, Cause, Key, Observation, Present, ServerAnswer, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.observe import Question
    from reconciler.observe.exchange import Address
    from reconciler.observe.fixed_zones import Ask
    from reconciler.observe.reply import Reply
    from reconciler.observe.zones import FoundZone, ZoneFinder
    from reconciler.state import Observed, Zone

# below a name, and not covered by a wildcard right below it either
_PROBE_LABELS = "wildcard-probe.*"
_COVERING_TYPES = ("MX", "A", "AAAA")
_NO_ANSWER = ServerAnswer("", Unknown(Cause.NOT_PROBED, "not asked yet"))  # in the place of one that is to come


class Surveyor:
    """What the questions of one run share: who asks, and everything that is looked up once."""

    def __init__(self, ask: Ask, zones: ZoneFinder | FixedZones) -> None:
        """Prepare; nothing is asked yet."""
        self.ask = ask
        self.zones = zones
        self._fixed = zones if isinstance(zones, FixedZones) else None
        self.is_covered: Shared[tuple[tuple[Address, ...], Name], bool | Unknown] = Shared(self._look_for_cover)
        self.under_way: dict[Question, _Survey] = {}

    def begin(self, question: Question, done: Callable[[Observation], None]) -> None:
        """Observes one rrset and calls `done` with it, at once or later; what is under way is not asked twice."""
        survey = self.under_way.get(question)
        if survey is None:
            survey = self.under_way[question] = _Survey(self, question, done)
            key, domain, declared = question
            fixed = self._fixed
            if fixed is not None and key == (domain, "MX") and fixed.is_new(domain, declared):
                survey.has_begun()
                fixed.find_with_mx(domain, declared, survey.has_zone, survey.has_reply)
            else:
                self.zones.find(domain, declared, survey.has_zone)
        else:
            survey.join(done)

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
                self.ask(addresses, Query(probe, rdtype), partial(has_come, rdtype))

        def has_come(rdtype: str, reply: Reply | ExchangeError) -> None:
            if isinstance(reply, ExchangeError):
                then(reply.unknown)
            elif has_answer(reply, probe, rdtype):
                then(True)  # noqa: FBT003 - the result of this look-up
            elif reply.rcode == dns.rcode.NXDOMAIN:
                then(False)  # noqa: FBT003 - the result of this look-up
            else:
                ask()

        if len(probe) >= MAX_NAME_OCTETS:
            then(False)  # noqa: FBT003 - the result of this look-up
        else:
            ask()


class _Survey:
    """A question, and what the servers of its zone have said so far."""

    __slots__ = ("_answers", "_done", "_early", "_left", "_others", "apex", "found", "question", "surveyor")

    def __init__(self, surveyor: Surveyor, question: Question, done: Callable[[Observation], None]) -> None:
        self.surveyor = surveyor
        self.question = question
        self._done = done
        self._others: list[Callable[[Observation], None]] | None = None
        self._early: dict[int, Reply | ExchangeError] | None = None

    def has_begun(self) -> None:
        """Its question is asked already, to find the zone: `has_reply` is called for each server that can be asked."""
        self._early = {}

    def join(self, done: Callable[[Observation], None]) -> None:
        """Somebody else asks the same meanwhile."""
        if self._others is None:
            self._others = []
        self._others.append(done)

    def has_zone(self, found: FoundZone | Unknown) -> None:
        if isinstance(found, Unknown):
            self._end(None, (ServerAnswer(self.surveyor.zones.source, found),))
            return
        zone, servers = found
        name, rdtype = self.question.key
        apex = zone.apex
        if not is_under(name, apex):
            outside = Unknown(Cause.DELEGATED, f"{name} does not lie in the zone {apex}")
            self._end(zone, tuple(ServerAnswer(label, outside) for label in zone.servers))
            return
        self.found = found
        self.apex: Name = apex
        self._answers = [_NO_ANSWER] * len(servers)
        self._left = len(servers)
        early, self._early = self._early, None
        for place, server in enumerate(servers):
            if server.problem is not None:
                self.has_observed(place, server.problem)
            elif early is None:
                self.surveyor.ask(server.addresses, Query(name, rdtype), partial(self.has_reply, place))
            elif place in early:
                self.has_reply(place, early[place])

    def has_reply(self, place: int, reply: Reply | ExchangeError) -> None:
        """What became of the question at one server; `place` is the server's in the zone."""
        if self._early is not None:
            self._early[place] = reply
        elif isinstance(reply, ExchangeError):
            self.has_observed(place, reply.unknown)
        else:
            key, apex = self.question.key, self.apex
            observed = observed_beneath(reply, key, apex)
            if key.name == apex:
                self.has_observed(place, observed)
            else:
                _Confirmation(self, place, reply, observed).begin()

    def has_observed(self, place: int, observed: Observed) -> None:
        zone = self.found.zone
        self._answers[place] = ServerAnswer(zone.servers[place], observed)
        self._left -= 1
        if not self._left:
            self._end(zone, tuple(self._answers))

    def _end(self, zone: Zone | None, answers: tuple[ServerAnswer, ...]) -> None:
        del self.surveyor.under_way[self.question]  # whoever asks the same from now on asks anew
        observation = Observation(self.question.key, zone, answers)
        self._done(observation)
        if self._others is not None:
            for done in self._others:
                done(observation)


class _Confirmation:
    """What one server said about a name below the apex, and what else it has to be asked before that counts."""

    __slots__ = ("_observed", "_place", "_probe", "_reply", "_survey")

    def __init__(self, survey: _Survey, place: int, reply: Reply, observed: Observed) -> None:
        self._survey = survey
        self._place = place
        self._reply = reply
        self._observed = observed

    def begin(self) -> None:
        observed = self._observed
        name, rdtype = self._survey.question.key
        if (isinstance(observed, Present) or _is_alias(observed)) and len(probe := _probe(name)) < MAX_NAME_OCTETS:
            self._probe = probe
            self._ask(Query(probe, rdtype), self._has_probed)
        else:
            self._has_confirmed(observed)

    def _ask(self, query: Query, then: Callable[[Reply | ExchangeError], None]) -> None:
        survey = self._survey
        survey.surveyor.ask(survey.found.servers[self._place].addresses, query, then)

    def _end(self, observed: Observed) -> None:
        self._survey.has_observed(self._place, observed)

    def _has_probed(self, second: Reply | ExchangeError) -> None:
        """What was observed below the apex, unless it comes from a zone below, or from a wildcard.

        A positive answer tells neither. Where the name itself exists, nothing exists at the probe's name, and the
        negative answer shows the zone; where it does not, the wildcard that made the answer makes the probe's, too
        (RFC 4592 section 3.3.1). A name that a wildcard alone explains holds no values: Absent.
        """
        survey = self._survey
        if isinstance(second, ExchangeError):
            self._end(second.unknown)
            return
        if is_plain_absence(second, survey.apex):
            survey.has_observed(self._place, self._observed)
            return
        key = survey.question.key
        probe = Key(Name(self._probe), key.type)
        if _is_same(self._reply, key, second, probe):
            self._ask(Query(key.name, "SOA"), self._has_soa)
        else:
            beneath = observed_beneath(second, probe, survey.apex)
            self._has_confirmed(beneath if _is_failure(beneath) else self._observed)

    def _has_soa(self, reply: Reply | ExchangeError) -> None:
        if isinstance(reply, ExchangeError):
            self._end(reply.unknown)
            return
        survey = self._survey
        around = observed_beneath(reply, Key(survey.question.key.name, "SOA"), survey.apex)
        self._has_confirmed(around if _is_failure(around) else Absent())

    def _has_confirmed(self, observed: Observed) -> None:
        survey = self._survey
        domain = survey.question.domain
        is_own_name = isinstance(observed, Absent) and survey.question.key.name == domain
        if is_own_name and self._reply.rcode == dns.rcode.NOERROR:
            addresses = survey.found.servers[self._place].addresses
            survey.surveyor.is_covered((addresses, domain), self._has_cover)
        else:
            self._end(observed)

    def _has_cover(self, is_covered: bool | Unknown) -> None:  # noqa: FBT001 - the result of a look-up
        self._end(is_covered if isinstance(is_covered, Unknown) else Absent(is_covered=is_covered))


def _probe(name: Name) -> str:
    """The name of the probe; it is asked for where it has fewer than `MAX_NAME_OCTETS` characters."""
    return f"{_PROBE_LABELS}." if name == ROOT else f"{_PROBE_LABELS}.{name}"


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
