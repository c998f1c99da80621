r"""Between the universal form of rdata and the values of octoDNS's YAML, and what octoDNS cannot carry.

octoDNS keeps a TXT as one text without the borders of its character-strings, writes `;` as `\;`, and has two ways
back to presentation format, of which providers use either. A value that does not come back from both as it was is
refused: octoDNS would change it in DNS.
"""

from __future__ import annotations

import json
import re
import warnings
from typing import TYPE_CHECKING, cast

import dns.exception
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.TXT
from octodns.idna import IdnaError, idna_encode
from octodns.record import Record
from octodns.record.exception import RecordException
from octodns.record.mx import MxValue
from octodns.record.txt import TxtValue
from octodns.zone import Zone

from reconciler.names import ROOT
from reconciler.state import Key, Rdata, parsed_rdata, rdata_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.names import Name
    from reconciler.state import RRset

YamlValue = str | dict[str, str | int]
"""One value of a record: the text of a TXT, or `{exchange, preference}` of an MX."""

_PRINTABLE = re.compile(r"[ -~]*")


class RefusedError(Exception):
    """One zone cannot be emitted or edited: `reason` says why, `advice` what to do, with the place where known."""

    def __init__(self, reason: str, advice: str, *, file: str = "", line: int = 0) -> None:
        """Take a `line` counted from 1; 0 where the finding has none."""
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
        self.file = file
        self.line = line


def relative_name(name: Name, zone: Name) -> str:
    """The name as octoDNS keys it: relative to the zone, empty for the apex."""
    return "" if name == zone else name.removesuffix(f".{zone}")


def encoded_name(name: object) -> str:
    """A name in a zone file as octoDNS compares it: lowercase, in A-labels.

    Raises:
        RefusedError: octoDNS cannot encode it.

    """
    try:
        return str(idna_encode(str(name)))
    except IdnaError as exc:
        reason = f"the name {str(name)!r} is no valid internationalised name"
        raise RefusedError(reason, "Correct the name in the zone file.") from exc


def yaml_value(record_type: str, rdata: Rdata, *, escaped_semicolons: bool = True) -> YamlValue:
    """The octoDNS value of one rdata.

    Raises:
        RefusedError: it has octets that octoDNS does not take, or a type that is never emitted.

    """
    parsed = parsed_rdata(Key(ROOT, record_type), rdata)
    if isinstance(parsed, dns.rdtypes.ANY.MX.MX):
        return {"exchange": parsed.exchange.to_text(), "preference": int(parsed.preference)}
    if not isinstance(parsed, dns.rdtypes.ANY.TXT.TXT):
        reason = f"{record_type} records cannot be emitted"
        raise RefusedError(reason, "Only MX and TXT records can be emitted for octoDNS.")
    octets = b"".join(parsed.strings)
    if not octets.isascii():
        raise _not_carried(rdata, "it has octets outside ASCII")
    if b"\\" in octets:
        # octoDNS 1.22 drops it on its older path, where a value that ends in one never returns either
        raise _not_carried(rdata, "it has a backslash")
    text = octets.decode("ascii")
    return text.replace(";", "\\;") if escaped_semicolons else text


def _not_carried(rdata: Rdata, why: str) -> RefusedError:
    reason = f"octoDNS cannot carry the value {_shortened(rdata)} byte for byte: {why}"
    advice = "Leave this zone to the reconciler's own apply, which never re-encodes a foreign value."
    return RefusedError(reason, advice)


def _shortened(rdata: Rdata) -> str:
    limit = 60
    return rdata if len(rdata) <= limit else f"{rdata[:limit]}..."


def rdata_of(record_type: str, value: object, *, escaped_semicolons: bool = True) -> Rdata | None:
    """The rdata that octoDNS makes of a value in YAML; None where it is not one that could be ours."""
    try:
        if record_type == "TXT" and isinstance(value, str) and value.isascii():
            internal = value if escaped_semicolons else value.replace(";", "\\;")
            text = TxtValue.process([internal])[0].to_rdata_text()
        elif record_type == "MX" and isinstance(value, dict):
            text = MxValue(value).to_rdata_text()
        else:
            return None
        return rdata_text(parsed_rdata(Key(ROOT, record_type), Rdata(text)))
    except (dns.exception.DNSException, IdnaError, LookupError, TypeError, ValueError, AttributeError):
        # whatever a person may have written there; octoDNS itself will say so, and it is not ours
        return None


def check_carried(rrset: RRset, zone: Name) -> None:
    """See that octoDNS, on both of its paths to presentation format, gives back every rdata as it is.

    Raises:
        RefusedError: it does not, or its validation refuses the record.

    """
    key = rrset.key
    values = [yaml_value(key.type, rdata) for rdata in rrset.rdatas]
    data = {"type": key.type, "ttl": rrset.ttl, "values": values}
    if not Record.validators.configured:
        # what octoDNS falls back to by itself, with a warning on stderr
        Record.enable_validators({"legacy"})
    try:
        record = Record.new(Zone(zone, []), relative_name(key.name, zone), data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            # `rrs` is deprecated, and what octodns-bind and others still send
            paths = (record.to_rrset().rdatas, record.rrs[3])
    except RecordException as exc:
        reason = f"octoDNS refuses {key.name} {key.type}: {' '.join(str(exc).split())}"
        raise RefusedError(reason, "Leave this zone to the reconciler's own apply.") from exc
    for texts in paths:
        _check_returned(rrset, texts)


def _check_returned(rrset: RRset, texts: Sequence[object]) -> None:
    try:
        returned = {rdata_text(parsed_rdata(rrset.key, Rdata(str(text)))) for text in texts}
    except dns.exception.DNSException as exc:
        raise _not_carried(rrset.rdatas[0], "octoDNS makes rdata of it that cannot be parsed") from exc
    lost = [rdata for rdata in rrset.rdatas if rdata not in returned]
    if lost:
        raise _not_carried(lost[0], "it comes back in another form")


def quoted(text: str) -> str:
    """A YAML 1.1 scalar in quotes, on one line: single ones where the text allows them."""
    if _PRINTABLE.fullmatch(text):
        escaped = text.replace("'", "''")
        return f"'{escaped}'"
    # JSON's escapes are YAML's; DEL alone is not escaped by JSON and not allowed by YAML
    return json.dumps(text).replace("\x7f", "\\x7f")


def flow_text(value: YamlValue) -> str:
    """A value on one line, as it stands in a flow list or after `value:`."""
    if isinstance(value, str):
        return quoted(value)
    exchange = cast("str", value["exchange"])
    return f"{{exchange: {quoted(exchange)}, preference: {value['preference']}}}"


def block_lines(value: YamlValue) -> list[str]:
    """A value as the lines of a block, not indented."""
    if isinstance(value, str):
        return [quoted(value)]
    exchange = cast("str", value["exchange"])
    return [f"exchange: {quoted(exchange)}", f"preference: {value['preference']}"]


def record_lines(record_type: str, values: Sequence[YamlValue], ttl: int | None) -> list[str]:
    """A whole record as the lines of a block mapping, not indented, its keys in octoDNS's natural order.

    `ttl` in seconds; None leaves it to the provider's `default_ttl`.
    """
    lines = [f"ttl: {ttl}"] if ttl is not None else []
    lines.append(f"type: {record_type}")
    if len(values) == 1:
        first, *rest = block_lines(values[0])
        single = [f"value: {first}"] if not rest else ["value:", f"  {first}", *(f"  {line}" for line in rest)]
        return lines + single
    return [*lines, "values:", *(line for value in values for line in item_lines(value))]


def item_lines(value: YamlValue) -> list[str]:
    """A value as an item of a block list, not indented."""
    first, *rest = block_lines(value)
    return [f"- {first}", *(f"  {line}" for line in rest)]
