"""One master file (RFC 1035 section 5), parsed by dnspython into plain dictionaries.

dnspython's own `Zone` copies an rrset for every record added to it; with thousands of zones, or of values at one name,
that is most of the time.
"""

from __future__ import annotations

import re
from typing import NoReturn

import dns.exception
import dns.name
import dns.node
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.tokenizer
import dns.transaction
import dns.zone
import dns.zonefile

MAX_RECORDS = 50_000  # $GENERATE makes billions from one line of a pull request

_INCLUDE = re.compile(r"^\$INCLUDE\b", re.IGNORECASE | re.MULTILINE)
_Type = tuple[dns.rdatatype.RdataType, dns.rdatatype.RdataType]  # an RRSIG rrset is known by the type it covers, too


class MasterFile:
    """The records of one zone."""

    def __init__(self, origin: dns.name.Name) -> None:
        """An empty zone."""
        self.origin = origin
        self.nodes: dict[dns.name.Name, dict[_Type, dns.rdataset.Rdataset]] = {}

    def get_rdataset(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> dns.rdataset.Rdataset | None:
        """What the file has at a name, as it stands there: delegations, aliases and wildcards are not looked at."""
        return self.nodes.get(name, {}).get((rdtype, dns.rdatatype.NONE))


class MasterFileError(ValueError):
    """The file is no zone; the text begins with its path, and the line where that is known."""


def parse_master_file(text: str, apex: str, path: str) -> MasterFile:
    """The zone at `apex` in a master file's `text`; `path` is for messages alone.

    `$INCLUDE` is refused, because it could name any file of the machine.

    Raises:
        MasterFileError: not parsable, no SOA or NS at the apex, or a CNAME beside other data.

    """
    include = _INCLUDE.search(text)
    if include is not None:
        line = text.count("\n", 0, include.start()) + 1
        message = f"{path}:{line}: $INCLUDE is refused; write what it includes into the file"
        raise MasterFileError(message)
    content = MasterFile(dns.name.from_text(apex))
    tokens = dns.tokenizer.Tokenizer(text, path)
    # the reader itself refuses the $INCLUDE that the search above does not see
    reader = dns.zonefile.Reader(tokens, dns.rdataclass.IN, _Writer(content), allow_include=False)
    try:
        reader.read()
    except Exception as exc:  # what rdata raise is whatever their arithmetic does: struct.error
        detail = str(exc) or type(exc).__name__
        message = detail if detail.startswith(path) else f"{path}: {detail}"
        raise MasterFileError(message) from exc
    problem = _problem(content)
    if problem:
        message = f"{path}: {problem}"
        raise MasterFileError(message)
    return content


def _problem(content: MasterFile) -> str:
    for rdtype in (dns.rdatatype.SOA, dns.rdatatype.NS):
        if content.get_rdataset(content.origin, rdtype) is None:
            return f"there is no {rdtype.name} record at {content.origin}"
    for name, types in content.nodes.items():
        kinds = {dns.node.NodeKind.classify(*rdtype) for rdtype in types}
        if {dns.node.NodeKind.CNAME, dns.node.NodeKind.REGULAR} <= kinds:
            return f"there is a CNAME beside other data at {name}"
    return ""


class _Origin(dns.transaction.TransactionManager):
    """Tells the reader which names are the zone's."""

    def __init__(self, origin: dns.name.Name) -> None:
        self._origin = origin

    def origin_information(self) -> tuple[dns.name.Name | None, bool, dns.name.Name | None]:
        return self._origin, False, self._origin

    def get_class(self) -> dns.rdataclass.RdataClass:
        return dns.rdataclass.IN

    def reader(self) -> NoReturn:
        raise NotImplementedError

    def writer(self, replacement: bool = False) -> NoReturn:  # noqa: FBT001, FBT002 - dnspython's signature
        raise NotImplementedError


class _Writer(dns.transaction.Transaction):
    """Takes what the reader adds."""

    def __init__(self, content: MasterFile) -> None:
        super().__init__(_Origin(content.origin), replacement=True)
        self._content = content
        self._records = 0

    def add(self, *args: object) -> None:
        match args:
            case (dns.name.Name() as name, int(ttl), dns.rdata.Rdata() as rdata):
                self._add_record(name, ttl, rdata)
            case _:
                message = f"the reader is expected to add (name, TTL, rdata), not {args!r}"
                raise TypeError(message)

    def _set_origin(self, origin: dns.name.Name | None) -> None:
        """Nothing to do at an `$ORIGIN`: the reader makes every name absolute before it adds it."""

    def _add_record(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> None:
        self._records += 1
        if self._records > MAX_RECORDS:
            message = f"the file makes more than {MAX_RECORDS} records"
            raise ValueError(message)
        if rdata.rdtype == dns.rdatatype.SOA and name != self._content.origin:
            message = f"there is an SOA record at {name}, which is not the zone's apex"
            raise ValueError(message)
        types = self._content.nodes.setdefault(name, {})
        key = (rdata.rdtype, rdata.covers())
        rdataset = types.get(key)
        if rdataset is None:
            rdataset = types[key] = dns.rdataset.Rdataset(dns.rdataclass.IN, *key, ttl=ttl)
        rdataset.add(rdata, ttl)
