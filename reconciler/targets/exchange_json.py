"""The JSON that the export scripts for Exchange write, and what a server's own texts in it mean. Pure.

    {"Format": "exchange-export", "FormatVersion": "1", "ToolVersion": ..., "Target": "exchange-edge",
     "MadeAt": "2026-11-21T12:00:00Z", "Server": "EX01", "Count": 1, "Settings": {...}, "Objects": [{...}]}

`ConvertTo-Json` of Windows PowerShell 5.1 unwraps a list of one element, writes a list that was wrapped once as
`{"value": [...], "Count": n}`, and turns what lies too deep into a type's name. The first two are read where only one
meaning is possible; nothing else is guessed.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.addresses import InvalidAddressError
from reconciler.targets.base import Entry, UnreadableExportError, parse_server_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.addresses import Interval

FORMAT = "exchange-export"
FORMAT_VERSION = "1"

_MASKED = re.compile(r"([0-9.]+)\s*\(([0-9.]+)\)", re.ASCII)
_OCTETS = re.compile(r"\(([0-9][0-9.,'\s\u00a0\u202f]*)\s*bytes\)")
_DAYS_AND_TIME = re.compile(r"(?:(\d{1,6})\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.\d+)?", re.ASCII)
_SHOWN = 60  # characters of what was found, in a message


@dataclass(frozen=True, slots=True)
class Record:
    """One object of an export. Every method raises `UnreadableExportError` where the value is not of its kind."""

    fields: Mapping[str, object]

    def text(self, key: str) -> str:
        """A text that must be there and not be empty."""
        value = self.fields.get(key)
        if not isinstance(value, str) or not value.strip():
            raise _wrong(key, value, "a text")
        return value

    def optional_text(self, key: str) -> str:
        """A text, empty where the value is null."""
        value = self.fields.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            # an enumeration's number: its meaning differs between versions of Exchange
            raise _wrong(key, value, "a text; make the export with the script that this program emits")
        return value

    def flag(self, key: str) -> bool:
        """True or false, as JSON's or as PowerShell's text."""
        value = self.fields.get(key)
        if isinstance(value, str) and value.casefold() in {"true", "false"}:
            return value.casefold() == "true"
        if not isinstance(value, bool):
            raise _wrong(key, value, "true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one that was unwrapped."""
        value = _unwrapped(self._required(key))
        if value is None:
            return ()
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) and item.strip() for item in items):
            raise _wrong(key, value, "a list of texts")
        return tuple(str(item) for item in items)

    def words(self, key: str) -> frozenset[str]:
        """Flags of an enumeration, `Tls, BasicAuth`, in lowercase."""
        return frozenset(word.strip().casefold() for word in self.text(key).split(","))

    def _required(self, key: str) -> object:
        if key not in self.fields:
            message = f"the export has no {key}: it is truncated, or of another version"
            raise UnreadableExportError(message)
        return self.fields[key]


@dataclass(frozen=True, slots=True)
class Export:
    """A whole export: `objects` are what was asked for, `settings` what holds for the server or organization."""

    made_at: datetime
    server: str
    settings: Record
    objects: tuple[Record, ...]

    def named(self, name: str) -> tuple[Record, ...]:
        """The objects of this name, which compares without case."""
        return tuple(o for o in self.objects if o.text("Name").casefold() == name.casefold())


def read_export(text: str, target: str) -> Export:
    """The export of one target.

    Raises:
        UnreadableExportError: it is no JSON, half of one, of another target or format, or its count is wrong.

    """
    fields = _parsed(text)
    if not isinstance(fields, dict) or fields.get("Format") != FORMAT:
        raise UnreadableExportError("this is not what the export script writes; run that script once more")
    record = Record(fields)
    if record.text("FormatVersion") != FORMAT_VERSION:
        found = _shown(fields["FormatVersion"])
        message = f"the export is of format {found}, and {FORMAT_VERSION} is read; emit a new script"
        raise UnreadableExportError(message)
    if record.text("Target") != target:
        message = f"the export is of {_shown(fields['Target'])}, not of {target}"
        raise UnreadableExportError(message)
    objects = _objects(fields)
    if fields.get("Count") != len(objects) or isinstance(fields["Count"], bool):
        message = f"the export holds {len(objects)} objects and says {_shown(fields.get('Count'))}"
        raise UnreadableExportError(message)
    settings = fields.get("Settings")
    if not isinstance(settings, dict):
        raise _wrong("Settings", settings, "an object")
    return Export(_made_at(record.text("MadeAt")), record.text("Server"), Record(settings), objects)


def read_ranges(texts: Iterable[str]) -> tuple[Entry, ...]:
    """Entries as Exchange writes them: an address, `a-b`, a block with or without host bits, `address(mask)`.

    Raises:
        UnreadableExportError: one of them is something else.

    """
    entries = []
    for text in texts:
        try:
            entries.append(Entry(text, _range(text.strip())))
        except (InvalidAddressError, ValueError) as exc:
            message = f"{_shown(text)} is no address, block or range"
            raise UnreadableExportError(message) from exc
    return tuple(entries)


def parse_octets(text: str) -> int | None:
    """The octets of `36 MB (37,748,736 bytes)`, whatever separates thousands; None for `Unlimited` and other texts."""
    found = _OCTETS.search(text)
    return int(re.sub(r"[^0-9]", "", found[1])) if found else None


def parse_count(text: str) -> int | None:
    """A whole number; None for `Unlimited` and other texts."""
    stripped = text.strip()
    return int(stripped) if stripped.isascii() and stripped.isdecimal() and len(stripped) < _SHOWN else None


def parse_seconds(text: str) -> int | None:
    """The whole seconds of a time span `hh:mm:ss` or `d.hh:mm:ss`; None for other texts."""
    found = _DAYS_AND_TIME.fullmatch(text.strip())
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _range(text: str) -> Interval:
    masked = _MASKED.fullmatch(text)
    if masked:
        return parse_server_interval(str(ipaddress.ip_network(f"{masked[1]}/{masked[2]}", strict=False)))
    if "/" in text:
        return parse_server_interval(str(ipaddress.ip_network(text, strict=False)))
    return parse_server_interval(text)


def _parsed(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refused_constant)
    except (ValueError, RecursionError) as exc:
        raise UnreadableExportError("the export is no JSON, or only half of it; run the export script again") from exc


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return fields


def _refused_constant(text: str) -> object:
    raise ValueError(text)


def _objects(fields: Mapping[str, object]) -> tuple[Record, ...]:
    found = _unwrapped(fields.get("Objects"))
    items = [found] if isinstance(found, dict) else found
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _wrong("Objects", found, "a list of objects")
    return tuple(Record(item) for item in items)


def _unwrapped(value: object) -> object:
    """The list inside of what 5.1 writes for a list that was wrapped once more."""
    if isinstance(value, dict) and value.keys() == {"value", "Count"}:
        inner = value["value"]
        return inner if isinstance(inner, list) and value["Count"] == len(inner) else value
    return value


def _made_at(text: str) -> datetime:
    try:
        made_at = datetime.fromisoformat(text)
        in_utc = made_at.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise _wrong("MadeAt", text, "an ISO 8601 time") from exc
    if made_at.tzinfo is None:
        raise _wrong("MadeAt", text, "a time with its zone")
    return in_utc


def _wrong(key: str, value: object, wanted: str) -> UnreadableExportError:
    return UnreadableExportError(f"{key} is {_shown(value)} in the export, and not {wanted}")


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value[:_SHOWN])
    if value is None:
        return "missing"
    return str(value)[:_SHOWN] if isinstance(value, int | float) else f"of type {type(value).__name__}"
