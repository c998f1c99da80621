"""Exports of servers, read from files: what a list or the rules were when the export was made, or unknown and why.

Whatever is at the path and whatever octets it holds, nothing raises: an export that is missing, too old, too big,
cut off, or not understood is `Unknown`, and unknown is never taken for absent.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from reconciler.escape import terminal_text
from reconciler.state import Cause, Unknown
from reconciler.targets.base import AllowlistContent, UnreadableExportError
from reconciler.targets.mail_rule import MailRuleContent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.targets.base import AllowlistTarget, DeclaredAllowlist
    from reconciler.targets.mail_rule import MailRuleTarget

MAX_EXPORT_OCTETS = 10_000_000
MAX_AHEAD = timedelta(hours=1)  # a server's clock may be wrong by as much

_MAX_DETAIL = 300  # characters
# what no export of text, JSON or XML holds; the last two end a line for Python and for no server, a CR without LF too
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]|\r(?!\n)")
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# what a reader can make of octets that it did not foresee, beside its own error; each becomes unknown and is shown
_READER_ERRORS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError)

Content = TypeVar("Content", AllowlistContent, MailRuleContent)


def read_allowlist_export(
    path: Path,
    target: AllowlistTarget,
    declared: DeclaredAllowlist,
    now: datetime,
    max_age_hours: int,
    *,
    within: Path | None = None,
) -> AllowlistContent | Unknown:
    """What the export of an allowlist at `path` says; `now` in UTC.

    Its age counts from the time that it says itself, and else from the file's modification; one that is more than
    `max_age_hours` old, or from the future by more than an hour, is unknown. So is one outside of the folder `within`,
    where a symlink leads: a pull request names the path, and messages show pieces of what is not understood.
    """
    return _read(path, within, lambda text: target.read(text, declared), now, max_age_hours)


def read_mail_rule_export(
    path: Path, target: MailRuleTarget, now: datetime, max_age_hours: int, *, within: Path | None = None
) -> MailRuleContent | Unknown:
    """What the export of a server's mail rules at `path` says, as in `read_allowlist_export`."""
    return _read(path, within, target.read, now, max_age_hours)


class _UnknownError(Exception):
    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


def _read(
    path: Path, within: Path | None, read: Callable[[str], Content], now: datetime, max_age_hours: int
) -> Content | Unknown:
    try:
        octets, modified = _octets(_contained(path, within))
        content = _content(_text(octets), read)
        _check_age(content.made_at or _time(modified), now, max_age_hours)
    except _UnknownError as exc:
        detail = terminal_text(f"the export {path}: {exc}")
        return Unknown(exc.cause, detail if len(detail) <= _MAX_DETAIL else f"{detail[:_MAX_DETAIL]}...")
    return content


def _contained(path: Path, within: Path | None) -> Path:
    try:
        resolved = path.resolve()
        is_contained = within is None or resolved.is_relative_to(within.resolve())
    except (OSError, ValueError, RuntimeError) as exc:  # RuntimeError: symlinks in a circle
        raise _UnknownError(Cause.UNREADABLE, "its path leads nowhere; name the file that the export wrote") from exc
    if not is_contained:
        raise _UnknownError(Cause.UNREADABLE, f"a symlink leads out of {within}; put the export itself there")
    return resolved


def _octets(path: Path) -> tuple[bytes, float]:
    """The octets of a regular file, and when it was modified in seconds since 1970."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            octets = file.read(MAX_EXPORT_OCTETS + 1)
            modified = os.fstat(file.fileno()).st_mtime
    except FileNotFoundError as exc:
        raise _UnknownError(Cause.UNREADABLE, "it is not there; make the export and put it there") from exc
    except (OSError, ValueError, MemoryError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else type(exc).__name__
        raise _UnknownError(Cause.UNREADABLE, f"it cannot be read: {reason}") from exc
    if len(octets) > MAX_EXPORT_OCTETS:
        detail = f"it has more than {MAX_EXPORT_OCTETS:,} octets; export the one list alone"
        raise _UnknownError(Cause.UNREADABLE, detail)
    return octets, modified


def _open_without_waiting(path: str, flags: int) -> int:
    """A FIFO or a device must neither be waited for nor become the controlling terminal."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise _UnknownError(Cause.UNREADABLE, "it is no file; name the file that the export wrote")


def _text(octets: bytes) -> str:
    encoding = next((name for mark, name in _ENCODINGS if octets.startswith(mark)), "utf-8")
    try:
        text = octets.decode(encoding)
    except UnicodeDecodeError as exc:
        detail = f"it is no UTF-8, nor UTF-16 with a byte order mark (octet {exc.start + 1}); it may be cut off"
        raise _UnknownError(Cause.UNREADABLE, detail) from exc
    if not text.strip():
        raise _UnknownError(Cause.UNREADABLE, "it is empty, as after a command that failed; make the export again")
    found = _CONTROL.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        detail = f"its line {line} holds U+{ord(found[0]):04X}, which no text has; make the export again"
        raise _UnknownError(Cause.UNREADABLE, detail)
    return text


def _content(text: str, read: Callable[[str], Content]) -> Content:
    try:
        return read(text)
    except UnreadableExportError as exc:
        raise _UnknownError(Cause.UNREADABLE, str(exc)) from exc
    except _READER_ERRORS as exc:
        detail = f"it is not understood ({type(exc).__name__}); make the export again, and report it when that repeats"
        raise _UnknownError(Cause.UNREADABLE, detail) from exc


def _time(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as exc:
        raise _UnknownError(Cause.UNREADABLE, "its time of modification is no time") from exc


def _check_age(made_at: datetime, now: datetime, max_age_hours: int) -> None:
    made = made_at if made_at.tzinfo is not None else made_at.replace(tzinfo=UTC)
    age = now - made
    if age < -MAX_AHEAD:
        detail = f"it is from the future ({made.isoformat()}); correct the clock and make the export again"
        raise _UnknownError(Cause.STALE_EXPORT, detail)
    if age > timedelta(hours=max_age_hours):
        hours = int(age.total_seconds() // 3600)
        detail = f"it is {hours:,} hours old, and at most {max_age_hours:,} are allowed; make the export again"
        raise _UnknownError(Cause.STALE_EXPORT, detail)
