"""Between a backend's own text of an rdata and the universal form: exact, or an error.

Backends write TXT differently from RFC 1035: Route 53 escapes in octal, PowerDNS keeps character-strings of more than
255 octets as one. Names in other rdatas carry the same escapes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.TXT import TXT

from reconciler.state import Rdata, parsed_rdata, rdata_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.state import Key

DECIMAL = 10
OCTAL = 8
MAX_STRING_OCTETS = 255  # RFC 1035 section 3.3

_ESCAPE = re.compile(r"\\(?:(\d{3})|.)", re.ASCII | re.DOTALL)
_STRING = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^"\\\s]|\\.)+))(?=\s|$|")', re.DOTALL)
_PIECE = re.compile(r"\\(\d{3})|\\(.)|([^\\]+)", re.ASCII | re.DOTALL)
_NEEDS_ESCAPE = re.compile(rb"[^ !#-\[\]-~]")


class UnreadableRdataError(ValueError):
    """The backend's text has no exact meaning here; the text says what is wrong."""


def universal_rdata(key: Key, text: str, *, base: int, split_long: bool = False) -> Rdata:
    r"""The universal form of a backend's text, whose `\DDD` escapes are written in `base` (8 or 10).

    Names are absolute, with or without the last dot. With `split_long` a character-string of more than 255 octets
    stands for several, as PowerDNS sends it.

    Raises:
        UnreadableRdataError: the text is no rdata of this type.

    """
    if key.type == "TXT":
        return _universal_txt(text, base, split_long=split_long)
    decimal = _ESCAPE.sub(lambda m: f"\\{_octet(m.group(1), base):03d}" if m.group(1) else m.group(), text)
    try:
        rdtype = dns.rdatatype.from_text(key.type)
        return rdata_text(dns.rdata.from_text(dns.rdataclass.IN, rdtype, decimal, dns.name.root, relativize=False))
    except (dns.exception.DNSException, ValueError) as exc:
        message = f"not an rdata of type {key.type}: {exc}"
        raise UnreadableRdataError(message) from exc


def octal_rdata(key: Key, rdata: Rdata) -> str:
    """The text of a universal form with octal escapes, for Route 53: the inverse of `universal_rdata`."""
    parsed = parsed_rdata(key, rdata)
    if isinstance(parsed, TXT):
        return " ".join(f'"{_octal_string(string)}"' for string in parsed.strings)
    return _ESCAPE.sub(lambda m: f"\\{_octet(m.group(1), DECIMAL):03o}" if m.group(1) else m.group(), rdata)


def _universal_txt(text: str, base: int, *, split_long: bool) -> Rdata:
    strings: list[bytes] = []
    for octets in _character_strings(text, base):
        if len(octets) <= MAX_STRING_OCTETS:
            strings.append(octets)
        elif split_long:
            strings.extend(octets[i : i + MAX_STRING_OCTETS] for i in range(0, len(octets), MAX_STRING_OCTETS))
        else:
            message = f"a character-string of {len(octets)} octets; at most {MAX_STRING_OCTETS} are allowed"
            raise UnreadableRdataError(message)
    if not strings:
        raise UnreadableRdataError("a TXT rdata without any character-string")
    return rdata_text(TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings))


def _character_strings(text: str, base: int) -> Iterator[bytes]:
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _STRING.match(text, position, end)
        if found is None:
            raise UnreadableRdataError("quotes or backslashes of a TXT rdata do not match up")
        quoted, plain = found.groups()
        yield b"".join(_pieces(plain if quoted is None else quoted, base))
        position = found.end()


def _pieces(text: str, base: int) -> Iterator[bytes]:
    for found in _PIECE.finditer(text):
        digits, escaped, plain = found.groups()
        if digits is None:
            yield (plain if escaped is None else escaped).encode()
        else:
            yield bytes((_octet(digits, base),))


def _octet(digits: str, base: int) -> int:
    try:
        value = int(digits, base)
    except ValueError as exc:
        message = f"the escape \\{digits} is not a number in base {base}"
        raise UnreadableRdataError(message) from exc
    if value > MAX_STRING_OCTETS:
        message = f"the escape \\{digits} is no octet"
        raise UnreadableRdataError(message)
    return value


def _octal_string(octets: bytes) -> str:
    return _NEEDS_ESCAPE.sub(lambda m: b"\\%03o" % m.group()[0], octets).decode("ascii")
