"""Master files (RFC 1035 section 5) as the observed world: no server, no network.

The file of a zone is its apex without the last dot, and the extension: `zones/acme.example.zone`, as octodns-bind names
it. The deepest file whose zone is the domain or an ancestor of it holds the domain.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import dns.name
import dns.rdatatype

from reconciler.names import Name, deepest_apex, is_under
from reconciler.observe.masterfile import MasterFile, MasterFileError, parse_master_file
from reconciler.state import (
    Absent,
    Cause,
    Observation,
    Present,
    ServerAnswer,
    Unknown,
    Zone,
    build_rrset,
    rdata_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from reconciler.observe import Question
    from reconciler.state import Key, Observed

_MAX_OCTETS = 64 * 1024 * 1024
_LEADS_TO_MAIL = (dns.rdatatype.MX, dns.rdatatype.A, dns.rdatatype.AAAA, dns.rdatatype.CNAME)  # RFC 5321 section 5.1


class ZonefileObserver:
    """Observes rrsets in master files; see the contract of the package.

    `progress` is called with the number of observations done so far. A file is read when its zone is asked for, once
    in a call of `observe`. `$INCLUDE` is refused, because it could name any file of the machine.
    """

    def __init__(self, directory: Path, extension: str, progress: Callable[[int], None] | None = None) -> None:
        """Keep where the files are; nothing is read yet."""
        self._directory = directory
        self._extension = extension
        self._progress = progress

    def observe(self, questions: Iterable[Question]) -> Iterator[Observation]:
        """Observe every question, zone by zone, so that one parsed zone at a time is in memory."""
        apexes = self._apexes()
        by_zone: defaultdict[Name | None, Counter[Question]] = defaultdict(Counter)
        for question in questions:
            by_zone[_zone_of(question, apexes)][question] += 1
        done = 0
        for apex, wanted in by_zone.items():
            content = None if apex is None else self._parsed(apex)
            for question, count in wanted.items():
                observation = self._observation(question, apex, content, apexes)
                for _ in range(count):
                    done += 1
                    if self._progress is not None:
                        self._progress(done)
                    yield observation

    def _apexes(self) -> frozenset[Name] | Unknown:
        try:
            names = [entry.name for entry in self._directory.iterdir() if entry.name.endswith(self._extension)]
        except OSError as exc:
            return Unknown(Cause.UNREADABLE, f"the folder {self._directory} cannot be read: {exc.strerror or exc}")
        return frozenset(Name(name.removesuffix(self._extension) + ".") for name in names)

    def _path(self, apex: Name) -> Path:
        return self._directory / f"{apex[:-1]}{self._extension}"

    def _parsed(self, apex: Name) -> MasterFile | Unknown:
        path = self._path(apex)
        try:
            if not path.is_file() or path.stat().st_size > _MAX_OCTETS:
                return Unknown(Cause.UNREADABLE, f"{path} is no regular file of at most {_MAX_OCTETS} octets")
            return parse_master_file(path.read_text(encoding="utf-8"), apex, str(path))
        except OSError as exc:
            return Unknown(Cause.UNREADABLE, f"{path} cannot be read: {exc.strerror or exc}")
        except UnicodeDecodeError as exc:
            line = exc.object.count(b"\n", 0, exc.start) + 1
            return Unknown(Cause.UNREADABLE, f"{path}:{line}: the file is not UTF-8")
        except MasterFileError as exc:
            return Unknown(Cause.UNREADABLE, str(exc))

    def _observation(
        self,
        question: Question,
        apex: Name | None,
        content: MasterFile | Unknown | None,
        apexes: frozenset[Name] | Unknown,
    ) -> Observation:
        key = question.key
        if isinstance(apexes, Unknown):
            return Observation(key, None, (ServerAnswer(str(self._directory), apexes),))
        if apex is None or content is None:
            wanted = self._path(question.zone or question.domain)
            detail = f"there is no master file {wanted}" + ("" if question.zone else ", and none for a zone above it")
            missing = ServerAnswer(str(self._directory), Unknown(Cause.NO_SUCH_ZONE, detail))
            return Observation(key, None, (missing,))
        path = str(self._path(apex))
        observed = content if isinstance(content, Unknown) else _observed(content, key, apex, apexes)
        if isinstance(observed, Absent) and isinstance(content, MasterFile) and key.name == question.domain:
            observed = Absent(is_covered=_is_covered(content, dns.name.from_text(key.name)))
        return Observation(key, Zone(apex, (path,)), (ServerAnswer(path, observed),))


def _zone_of(question: Question, apexes: frozenset[Name] | Unknown) -> Name | None:
    if isinstance(apexes, Unknown):
        return None
    if question.zone is not None:
        return question.zone if question.zone in apexes else None
    return deepest_apex(question.domain, apexes)


def _observed(content: MasterFile, key: Key, apex: Name, apexes: frozenset[Name]) -> Observed:
    if not is_under(key.name, apex):
        return Unknown(Cause.DELEGATED, f"{key.name} does not lie in the zone {apex}")
    child = deepest_apex(key.name, apexes)
    if child not in (None, apex):
        return Unknown(Cause.DELEGATED, f"{key.name} lies in the zone {child}, which has a master file of its own")
    owner = dns.name.from_text(key.name)
    hidden = _hidden_by(content, owner)
    if hidden is not None:
        return hidden
    # the name itself alone: values are owned there, and a wildcard that covers the name holds none at it
    rdataset = content.get_rdataset(owner, dns.rdatatype.from_text(key.type))
    if rdataset is not None:
        return Present(build_rrset(key, rdataset.ttl, frozenset(rdata_text(rdata) for rdata in rdataset)))
    cname = content.get_rdataset(owner, dns.rdatatype.CNAME)
    if cname is not None:
        return Unknown(Cause.CNAME, f"{key.name} is a CNAME to {cname[0].target}")
    return Absent()


def _hidden_by(content: MasterFile, owner: dns.name.Name) -> Unknown | None:
    """The delegation or DNAME between the apex and `owner` that hides whatever the file has at `owner`."""
    origin = content.origin
    for depth in range(len(origin), len(owner) + 1):
        name = owner.split(depth)[1]
        if name != origin and content.get_rdataset(name, dns.rdatatype.NS) is not None:
            return Unknown(Cause.DELEGATED, f"{owner} does not lie in the zone {origin}: it is delegated at {name}")
        dname = None if name == owner else content.get_rdataset(name, dns.rdatatype.DNAME)
        if dname is not None:
            return Unknown(Cause.CNAME, f"{owner} lies below the DNAME of {name}, which points to {dname[0].target}")
    return None


def _is_covered(content: MasterFile, owner: dns.name.Name) -> bool:
    """Whether a wildcard answers for `owner`: nothing is at or below its next closer name (RFC 4592 section 3.3.1)."""
    for depth in range(len(owner) - 1, len(content.origin) - 1, -1):
        wildcard = dns.name.from_text("*", owner.split(depth)[1])
        if any(content.get_rdataset(wildcard, rdtype) is not None for rdtype in _LEADS_TO_MAIL):
            next_closer = owner.split(depth + 1)[1]
            return not any(name.is_subdomain(next_closer) for name in content.nodes)
    return False
