"""MTA-STS (RFC 8461): the TXT record that announces a policy, and the policy itself. Pure; strict, as senders are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.state import parsed_rdata
from reconciler.surroundings import MtaStsPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.state import Key, Rdata

MAX_AGE = 31_557_600  # seconds, about a year (RFC 8461 section 3.2)

_ENFORCED_MODES = ("enforce", "testing")
_MODES = (*_ENFORCED_MODES, "none")
_MAX_PATTERNS = 1000
_MAX_SHOWN = 60

_VERSION = re.compile(r"v=STSv1[ \t]*(?:;|$)", re.ASCII)
_DELIMITER = re.compile(r"[ \t]*;[ \t]*", re.ASCII)
_ID = re.compile(r"id=([A-Za-z0-9]{1,32})", re.ASCII)
_RECORD_FIELD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3A\x3C\x3E-\x7E]+", re.ASCII)
_POLICY_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):[ \t]*(.*?)[ \t]*", re.ASCII)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PATTERN = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*", re.ASCII)


class PolicyError(ValueError):
    """No policy that a sender could use; the text says why."""


def policy_id(key: Key, rdatas: Sequence[Rdata]) -> str | None:
    """The id in the TXT rrset at `_mta-sts`; None where senders take the domain to have no policy.

    RFC 8461 section 3.1: the strings of a record are joined; records that do not begin with the version are left out;
    when not exactly one is left, or when that one is not well-formed, there is no policy.
    """
    records = [text for rdata in rdatas if _VERSION.match(text := _joined(key, rdata))]
    if len(records) != 1:
        return None
    fields = _DELIMITER.split(records[0].rstrip(" \t"))[1:]
    if fields and not fields[-1]:
        fields.pop()  # one delimiter at the end is allowed
    if not fields or not all(_RECORD_FIELD.fullmatch(field) for field in fields):
        return None
    ids = [field for field in fields if field.startswith("id=")]
    match = _ID.fullmatch(ids[0]) if len(ids) == 1 else None
    return None if match is None else match[1]


def _joined(key: Key, rdata: Rdata) -> str:
    strings: tuple[bytes, ...] = parsed_rdata(key, rdata).strings  # type: ignore[attr-defined]  # it is a TXT
    return b"".join(strings).decode("latin-1")


def parse_policy(record_id: str, text: str) -> MtaStsPolicy:
    """The policy in the text of the file (RFC 8461 section 3.2).

    Fields other than `mx` count once, where they stand first; unknown ones are left out.

    Raises:
        PolicyError: it is none.

    """
    found: dict[str, str] = {}
    patterns: list[str] = []
    for name, value in _fields(text):
        if name == "mx":
            patterns.append(_pattern(value))
        else:
            found.setdefault(name, value)
    if found.get("version") != "STSv1":
        raise PolicyError("it does not say version: STSv1")
    mode = found.get("mode", "")
    if mode not in _MODES:
        message = f"its mode is {_shown(mode)}, and not one of {', '.join(_MODES)}"
        raise PolicyError(message)
    if mode in _ENFORCED_MODES and not patterns:
        message = f"it has no mx, which mode {mode} needs"
        raise PolicyError(message)
    if len(patterns) > _MAX_PATTERNS:
        message = f"it has more than {_MAX_PATTERNS} mx"
        raise PolicyError(message)
    return MtaStsPolicy(record_id, mode, tuple(dict.fromkeys(patterns)), _max_age(found.get("max_age", "")))


def _fields(text: str) -> Iterator[tuple[str, str]]:
    lines = text.split("\n")
    while lines and not lines[-1].strip(" \t\r"):
        lines.pop()
    for number, line in enumerate(lines, 1):
        match = _POLICY_FIELD.fullmatch(line.removesuffix("\r"))
        if match is None:
            message = f"line {number}, {_shown(line)}, is no field"
            raise PolicyError(message)
        yield match[1], match[2]


def _pattern(value: str) -> str:
    lowered = value.lower()
    if not _PATTERN.fullmatch(lowered):
        message = f"mx {_shown(value)} is no host name, and no *. before one"
        raise PolicyError(message)
    return lowered


def _max_age(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > MAX_AGE:
        message = f"its max_age is {_shown(value)}, and not a number of seconds up to {MAX_AGE}"
        raise PolicyError(message)
    return int(value)


def _shown(text: str) -> str:
    return ascii(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}...")
