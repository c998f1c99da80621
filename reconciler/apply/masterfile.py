"""A master file (RFC 1035 section 5.1) as its lines: which of them make which record, byte for byte.

The text is the file's octets as Latin-1, one character for each octet, so that whatever is not changed stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.ttl

from reconciler.state import rdata_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.state import Rdata

_LEXEME = re.compile(
    r"""(?P<space>[ \t\r]+)|(?P<comment>;[^\n]*)|(?P<newline>\n)|(?P<paren>[()])
    |(?P<token>"(?:[^"\\\n]|\\[^\n])*"|(?:[^ \t\r\n;()"\\]|\\[^\n])+)""",
    re.VERBOSE,
)
_NON_ASCII = re.compile(r"\\[\x80-\xff]|\\.|[\x80-\xff]", re.DOTALL)
_DIRECTIVES = {"$ORIGIN", "$TTL", "$GENERATE"}


class MasterFileError(Exception):
    """The file is something that cannot be edited safely; `line` counts from 1, 0 where no line is to blame."""

    def __init__(self, reason: str, line: int = 0) -> None:
        """Keep the reason, which is one clause for people."""
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text between white space, quotes and escapes as written; offsets into the whole text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Whole lines that belong together: `tokens` is empty for blank and comment lines. Offsets as in `Token`.

    `is_plain` is whether it is a single line without parentheses.
    """

    start: int
    end: int
    line: int
    tokens: tuple[Token, ...]
    begins_blank: bool
    is_plain: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record of the file. `ttl` in seconds, None where nothing before it states one.

    `ttl_token` and `owner_token` are None where the record takes over the TTL or the owner of a line before.
    """

    entry: Entry
    owner: dns.name.Name
    rdtype: dns.rdatatype.RdataType
    ttl: int | None
    owner_token: Token | None
    ttl_token: Token | None
    before_type: Token
    rdata_tokens: tuple[Token, ...]
    origin: dns.name.Name

    @property
    def rdata(self) -> Rdata:
        """The universal form of its rdata.

        Raises:
            MasterFileError: dnspython cannot read it.

        """
        text = " ".join(octets_escaped(token.text) for token in self.rdata_tokens)
        try:
            parsed = dns.rdata.from_text(dns.rdataclass.IN, self.rdtype, text, self.origin, relativize=False)
        except (dns.exception.DNSException, ValueError) as exc:
            raise MasterFileError("its rdata cannot be read", self.entry.line) from exc
        return rdata_text(parsed)


def octets_escaped(text: str) -> str:
    r"""The same master file text in ASCII: every octet above 127 becomes `\DDD`, as name servers take it."""
    return _NON_ASCII.sub(lambda found: _escaped(found[0]), text)


def _escaped(found: str) -> str:
    octet = found[-1]
    return f"\\{ord(octet):03d}" if not octet.isascii() else found


def scan_entries(text: str) -> Iterator[Entry]:
    """Every line of the text, in order: the entries together are the whole text.

    Raises:
        MasterFileError: quotes or parentheses are left open, or a carriage return stands alone.

    """
    start, line, position, depth = 0, 1, 0, 0
    tokens: list[Token] = []
    is_plain = True
    while position < len(text):
        found = _LEXEME.match(text, position)
        if found is None:
            raise MasterFileError(
                "a quote is left open, or a line ends in a backslash", line + _lines(text, start, position)
            )
        position = found.end()
        if found.lastgroup == "token":
            tokens.append(Token(found[0], found.start(), found.end()))
        elif found.lastgroup == "paren":
            depth += 1 if found[0] == "(" else -1
            is_plain = False
        elif found.lastgroup == "newline" and depth == 0:
            yield Entry(start, position, line, tuple(tokens), text[start] in " \t", is_plain)
            line += _lines(text, start, position)
            start, tokens, is_plain = position, [], True
    if depth:
        raise MasterFileError("parentheses are left open", line)
    if start < len(text):
        yield Entry(start, position, line, tuple(tokens), text[start] in " \t", is_plain)


def _lines(text: str, start: int, end: int) -> int:
    return text.count("\n", start, end)


def scan_records(entries: Iterable[Entry], apex: dns.name.Name) -> Iterator[Record]:
    """Every record that is written out; what `$GENERATE` makes is not among them.

    A record without a TTL has that of `$TTL` (RFC 2308 section 4), or else the one stated last (RFC 1035 section 5.1).

    Raises:
        MasterFileError: a directive or a record that is not understood.

    """
    origin, owner = apex, apex
    default_ttl: int | None = None
    last_ttl: int | None = None
    for entry in entries:
        if not entry.tokens:
            continue
        first = entry.tokens[0]
        try:
            if not entry.begins_blank and first.text.startswith("$"):
                origin, default_ttl = _directive(entry, origin, default_ttl)
                continue
            if not entry.begins_blank:
                owner = dns.name.from_text(octets_escaped(first.text), origin)
            record = _record(entry, owner, origin, default_ttl if default_ttl is not None else last_ttl)
        except (dns.exception.DNSException, ValueError, IndexError) as exc:
            raise MasterFileError("the line is not understood", entry.line) from exc
        last_ttl = record.ttl if record.ttl_token else last_ttl
        yield record


def _directive(entry: Entry, origin: dns.name.Name, ttl: int | None) -> tuple[dns.name.Name, int | None]:
    """The origin and the default TTL after a directive."""
    name, argument = entry.tokens[0].text.upper(), entry.tokens[1].text
    if name == "$INCLUDE":
        raise MasterFileError("$INCLUDE: the records could stand in the other file; write it into this one", entry.line)
    if name not in _DIRECTIVES:
        raise MasterFileError("the directive is not known", entry.line)
    if name == "$ORIGIN":
        return dns.name.from_text(octets_escaped(argument), origin), ttl
    return origin, dns.ttl.from_text(argument) if name == "$TTL" else ttl


def _record(entry: Entry, owner: dns.name.Name, origin: dns.name.Name, implicit_ttl: int | None) -> Record:
    owner_token = None if entry.begins_blank else entry.tokens[0]
    rest = list(entry.tokens if owner_token is None else entry.tokens[1:])
    before_type = rest[0]
    ttl_token: Token | None = None
    ttl = implicit_ttl
    seen_class = False
    while True:
        token = rest.pop(0)
        if not seen_class and token.text.upper() in {"IN", "CLASS1"}:
            seen_class = True
        elif ttl_token is None and token.text[0].isdigit():
            ttl_token, ttl = token, dns.ttl.from_text(token.text)
        else:
            rdtype = dns.rdatatype.from_text(token.text)
            return Record(entry, owner, rdtype, ttl, owner_token, ttl_token, before_type, tuple(rest), origin)
