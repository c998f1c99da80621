"""The kinds of fields that the settings file has beside numbers and texts."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from reconciler.errors import RefusedValueError
from reconciler.names import InvalidNameError, canonical_name, display_name
from reconciler.wording import shown

if TYPE_CHECKING:
    from reconciler.settings.values import Server

DNS_PORT = 53
MAX_PORT = 65535
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
YEAR_HOURS = 8760

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NEITHER_OR = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "none"})


def read_server(value: str) -> Server:
    """`host`, `host:port`, `address` or `[IPv6 address]:port`."""
    try:
        return str(ipaddress.ip_address(value)), DNS_PORT
    except ValueError:
        host, colon, port = value.rpartition(":") if not value.endswith("]") else (value, "", "")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= len(str(MAX_PORT)) else 0
    host, number = (host, number) if colon else (value, DNS_PORT)
    return _server_host(host, value), _require_port(number, value)


def _server_host(host: str, written: str) -> str:
    detail = 'Write a host or address, with a port or without: "127.0.0.1:5300", "[::1]:53".'
    try:
        if host.startswith("[") and host.endswith("]"):
            return str(ipaddress.IPv6Address(host[1:-1]))
        if host.replace(".", "").isdigit():
            return str(ipaddress.IPv4Address(host))
        canonical_name(host)
    except (InvalidNameError, ipaddress.AddressValueError) as exc:
        raise RefusedValueError("server", f"{shown(written)} is no server: {exc}", detail) from exc
    return host


def _require_port(number: int, written: str) -> int:
    if not 1 <= number <= MAX_PORT:
        raise RefusedValueError("server", f"{shown(written)} has no port", f"Write a port from 1 to {MAX_PORT}.")
    return number


def check_extension(value: str) -> str:
    """What follows a zone's name in a file's name."""
    if not value.isprintable() or "/" in value or value in {".", ".."}:
        raise RefusedValueError("extension", f"{shown(value)} is no file name extension", "Write it as in: .zone.")
    return value


def check_path(value: str) -> str:
    """A path; whether it is there is seen when it is opened."""
    if not value or not value.isprintable():
        raise RefusedValueError("path", "the path is empty or has control characters", "Write a path.")
    return value


def check_text(value: str) -> str:
    """A text for people."""
    if not value.strip() or not value.isprintable():
        raise RefusedValueError(
            "text", "the text is empty or has control characters", "Write one line for whoever asks why."
        )
    return value


def check_host(value: str) -> str:
    """A host name, in the universal form but for the last dot."""
    try:
        return display_name(canonical_name(value))
    except InvalidNameError as exc:
        raise RefusedValueError(
            "host", f"{shown(value)} is no host name: {exc}", "Write it as in: mail.example.com."
        ) from exc


def check_helo(value: str) -> str:
    """What EHLO may say: a host name, or an address in brackets (RFC 5321 section 4.1.3)."""
    if not value.startswith("["):
        return check_host(value)
    literal = value[1:-1] if value.endswith("]") else ""
    try:
        if literal.lower().startswith("ipv6:"):
            return f"[IPv6:{ipaddress.IPv6Address(literal[5:])}]"
        return f"[{ipaddress.IPv4Address(literal)}]"
    except ValueError as exc:
        detail = "Write a host name, [192.0.2.1] or [IPv6:2001:db8::1]."
        raise RefusedValueError("host", f"{shown(value)} is no address literal", detail) from exc


def window_start(value: object) -> datetime:
    """When a window begins: the first moment of a day, or a moment."""
    return _moment(value, timedelta())


def window_end(value: object) -> datetime:
    """When a window is over: the first moment after a day, or a moment."""
    return _moment(value, timedelta(days=1))


def _moment(value: object, after_day: timedelta) -> datetime:
    detail = "Write a day, as 2026-12-20 (UTC), or a time with its zone, as 2026-12-20T18:00:00+01:00."
    text = value if isinstance(value, str) else ""
    try:
        if _DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time(), UTC) + after_day
        written = datetime.fromisoformat(text)
        moment = written.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise RefusedValueError("date", f"{shown(value)} is no day and no time", detail) from exc
    if written.tzinfo is None:
        raise RefusedValueError("date", f"{shown(value)} is a time without a zone", detail)
    return moment


def read_kill_switch(value: object) -> str | None:
    """Why nothing may be written, or None; `true` says no reason."""
    if isinstance(value, bool):
        return "the settings give no reason" if value else None
    detail = "Write false, true, or the reason in one line."
    if not isinstance(value, str) or value.strip().lower() in _NEITHER_OR:
        raise RefusedValueError("wrong-value", f"`kill_switch` cannot be {shown(value)}", detail)
    return check_text(value)
