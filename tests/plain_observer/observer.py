"""The observer: for each question its zone, for each of the zone's servers what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rcode

from plain_observer.exchange import NoReplyError, reply_from, shown
from plain_observer.rules import rrset_at, said_about
from plain_observer.zones import Server, Zones
from reconciler.names import Name, is_under
from reconciler.state import Absent, Cause, Key, Observation, Observed, Present, ServerAnswer, Unknown, Zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.observe import Question
    from reconciler.observe.asking import DnsSettings


class ReferenceObserver:
    """Observes as the contract of `reconciler.observe` says; made and called as `LiveObserver` is."""

    def __init__(self, settings: DnsSettings, progress: Callable[[int], None] | None = None, *, port: int = 53) -> None:
        """Keep the settings; nothing is asked yet."""
        self._settings = settings
        self._progress = progress
        self._zones = Zones(settings, port)

    def observe(self, questions: Iterable[Question]) -> Iterator[Observation]:
        """One observation for each question, in their order."""
        for done, question in enumerate(questions, 1):
            observation = self._observation(question)
            if self._progress is not None:
                self._progress(done)
            yield observation

    def _observation(self, question: Question) -> Observation:
        key = question.key
        found = self._zones.find(question.domain, question.zone)
        if isinstance(found, Unknown):
            source = ", ".join(shown(a) for a in self._settings.servers or self._zones.resolvers)
            return Observation(key, None, (ServerAnswer(source, found),))
        apex, servers = found
        answers = tuple(ServerAnswer(server.label, self._said(server, question, apex)) for server in servers)
        return Observation(key, Zone(apex, tuple(server.label for server in servers)), answers)

    def _said(self, server: Server, question: Question, apex: Name) -> Observed:
        key = question.key
        if not is_under(key.name, apex):
            return Unknown(Cause.DELEGATED, f"{key.name} does not lie in the zone {apex}")
        if server.problem is not None:
            return server.problem
        try:
            reply = self._reply(server, key)
            observed = said_about(reply, key, apex)
            if key.name == apex:
                return observed
            if isinstance(observed, Present) or _is_alias(observed):
                observed = self._own_alone(server, key, apex, reply, observed)
            is_domain = key.name == question.domain
            if isinstance(observed, Absent) and is_domain and reply.rcode() == dns.rcode.NOERROR:
                return Absent(is_covered=self._is_covered(server, key.name))
        except NoReplyError as exc:
            return exc.unknown
        return observed

    def _reply(self, server: Server, key: Key) -> dns.message.Message:
        return reply_from(self._settings, server.addresses, key.name, key.type)

    def _own_alone(
        self, server: Server, key: Key, apex: Name, reply: dns.message.Message, observed: Observed
    ) -> Observed:
        """What was observed, unless a wildcard made it (RFC 4592), or it is a zone's below."""
        probe = Key(_below(key.name), key.type)
        if not _fits(probe.name):
            return observed
        second = self._reply(server, probe)
        if _is_made_alike(_answered(reply, key), _answered(second, probe)):
            soa = Key(key.name, "SOA")
            around = said_about(self._reply(server, soa), soa, apex)
            return around if isinstance(around, Unknown) and not _is_alias(around) else Absent()
        beneath = said_about(second, probe, apex)
        return beneath if isinstance(beneath, Unknown) and not _is_alias(beneath) else observed

    def _is_covered(self, server: Server, name: Name) -> bool:
        """Whether a wildcard leads mail somewhere for a name that does not exist itself."""
        if not _fits(_below(name)):
            return False
        for rdtype in ("MX", "A", "AAAA"):
            probe = Key(_below(name), rdtype)
            reply = self._reply(server, probe)
            if _answered(reply, probe) is not None:
                return True
            if reply.rcode() == dns.rcode.NXDOMAIN:
                return False
        return False


def _is_alias(observed: Observed) -> bool:
    return isinstance(observed, Unknown) and observed.cause is Cause.CNAME


def _below(name: Name) -> Name:
    """A name that nobody has, and that no wildcard directly below the name covers."""
    return Name(f"wildcard-probe.*.{name}")


def _fits(name: Name) -> bool:
    return len(name) + 1 <= 255


def _answered(reply: dns.message.Message, key: Key) -> tuple[int, frozenset[str]] | None:
    """TTL and rdatas of the CNAME at the key's name, or else of the key's rrset."""
    owner = dns.name.from_text(key.name)
    for rdtype in ("CNAME", key.type):
        rrset = rrset_at(reply, owner, rdtype)
        if rrset is not None:
            return rrset.ttl, frozenset(f"{rdtype} {rdata.to_digestable().hex()}" for rdata in rrset)
    return None


def _is_made_alike(one: tuple[int, frozenset[str]] | None, other: tuple[int, frozenset[str]] | None) -> bool:
    return one is not None and one == other
