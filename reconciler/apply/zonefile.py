"""Master files: compare and swap under a lock, written beside the file and renamed over it.

Stock octoDNS writes the whole file anew and loses what it does not know; here only our lines change (see
`zonefile_edit.py`), or nothing does. The lock keeps out other runs of this program alone; against an editor the file
is compared once more just before the rename. Killed at any moment, the old file or the new one is there.
"""

from __future__ import annotations

import fcntl
import glob
import os
import stat
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.apply import ApplyError, CannotCarryError, NoSuchZoneError, StaleError, VerifyError
from reconciler.apply.comparison import (
    ancestors_in_zone,
    cname_conflict,
    delegation_conflict,
    printable,
    require_expected,
    require_wanted,
)
from reconciler.apply.masterfile import MasterFileError
from reconciler.apply.zonefile_edit import edited_zone, parsed_zone, rrset_of
from reconciler.names import is_under
from reconciler.state import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import dns.zone
    from octodns_bind import ZoneFileProvider

    from reconciler.diff import Change
    from reconciler.names import Name

LOCK_SECONDS = 30.0
_TEMPORARY_SUFFIX = ".reconciler-tmp"


def _utc_today() -> date:
    return datetime.now(UTC).date()


class ZonefileWriter:
    """Edits master files in the folder of an octoDNS `ZoneFileProvider`; `today` is for serials that hold a date."""

    def __init__(self, provider: ZoneFileProvider, *, provider_id: str, today: Callable[[], date] = _utc_today) -> None:
        """Take folder and file extension from the provider; nothing is read yet."""
        self._directory = Path(provider.directory)
        self._extension = str(provider.file_extension)
        self._provider_id = provider_id
        self._today = today

    def write(self, zone: Name, changes: Sequence[Change]) -> None:
        """Write the changes of one mail domain; see the contract of `reconciler.apply`."""
        named = self._path(zone)
        try:
            # a symbolic link stays one: what it points to is edited
            path = named.resolve(strict=True)
            with _locked(path.parent):
                _remove_leftovers(path)
                self._swap(path, zone, changes)
        except FileNotFoundError as exc:
            message = f"provider {self._provider_id} has no file {named}, and zones are never created here; create it"
            raise NoSuchZoneError(message) from exc
        except OSError as exc:
            message = f"{named}: {exc.strerror or type(exc).__name__}; nothing was changed; mend that, then plan again"
            raise ApplyError(message) from exc
        self._verify(path, zone, changes)

    def _verify(self, path: Path, zone: Name, changes: Sequence[Change]) -> None:
        try:
            content = parsed_zone(path.read_bytes(), zone)
        except (OSError, MasterFileError) as exc:
            message = f"{path} cannot be read back ({printable(str(exc))}); see who else writes it, then plan again"
            raise VerifyError(message) from exc
        for change in changes:
            require_wanted(change, *rrset_of(content, change.key), self._provider_id)

    def _path(self, zone: Name) -> Path:
        return self._directory / f"{zone[:-1]}{self._extension}"

    def _swap(self, path: Path, zone: Name, changes: Sequence[Change]) -> None:
        before = path.stat()
        self._require_editable(path, before)
        data = path.read_bytes()
        try:
            content = parsed_zone(data, zone)
            for change in changes:
                self._require_writable(content, change, zone)
            for change in changes:
                require_expected(change, *rrset_of(content, change.key), self._provider_id)
            effective = [change for change in changes if not change.is_noop]
            if not effective:
                return
            edited = edited_zone(data, zone, effective, self._today())
        except MasterFileError as exc:
            place = f"{path}:{exc.line}" if exc.line else str(path)
            message = f"{place}: {printable(str(exc))}; nothing was changed; edit the file by hand, or mend that line"
            raise CannotCarryError(message) from exc
        _replace(path, edited, before, data)

    def _require_editable(self, path: Path, status: os.stat_result) -> None:
        reason = ""
        if not stat.S_ISREG(status.st_mode):
            reason = "it is no regular file; correct the provider's directory"
        elif status.st_nlink > 1:
            reason = "it has several hard links, and the others would keep the old content; use symbolic links"
        elif path.with_name(f"{path.name}.jnl").exists():
            reason = (
                "the name server keeps a journal beside it, so it writes the file itself and an edit would be lost; "
                "use octodns_bind.Rfc2136Provider"
            )
        if reason:
            message = f"{path} is not edited: {reason}"
            raise CannotCarryError(message)

    def _require_writable(self, content: dns.zone.Zone, change: Change, zone: Name) -> None:
        key = change.key
        if not is_under(key.name, zone):
            message = f"{key.name} is not in zone {zone}; correct the zone in the manifest"
            raise ApplyError(message)
        if content.get_rdataset(key.name, "CNAME") is not None:
            raise cname_conflict(key, self._provider_id)
        for name in (key.name, *ancestors_in_zone(key.name, zone), zone):
            is_cut = name != zone and (rrset_of(content, Key(name, "NS"))[0] or self._path(name).exists())
            is_redirected = name != key.name and rrset_of(content, Key(name, "DNAME"))[0]
            if is_cut or is_redirected:
                raise delegation_conflict(key, name, self._provider_id)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """The folder's exclusive lock; the kernel takes it back from a process that dies."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    message = f"{directory} is locked by another run for {LOCK_SECONDS:.0f} s; wait for it to end"
                    raise ApplyError(message) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _remove_leftovers(path: Path) -> None:
    """What a killed run left behind; under the lock there is no other run."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*{_TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)


def _replace(path: Path, edited: bytes, before: os.stat_result, data: bytes) -> None:
    """Put the new octets in the file's place at once, with its mode and owner."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_TEMPORARY_SUFFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.write(edited)
            file.flush()
            os.fsync(file.fileno())
        if path.read_bytes() != data:
            message = f"{path} was changed by somebody else meanwhile; nothing was written; plan again"
            raise StaleError(message)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _make_durable(path)


def _make_durable(path: Path) -> None:
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as exc:
        message = f"{path} was written, and may be lost in a crash ({exc.strerror}); see the disk, then plan again"
        raise ApplyError(message) from exc
