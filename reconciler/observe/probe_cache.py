"""Good results of probes, kept in a file for the next plan or drift, each for some minutes.

Only what is good is kept: a mail server with good TLS, and a policy that can be used. What was refused, bad or unknown
is looked at again by every run, because somebody may have mended it meanwhile. A result counts for the same host, port
and addresses, as they resolve now, asked in the same way; DNS itself is never kept.

The file is ours alone (mode 0600, as git checks files out under a umask of 077 alone), no link, of this version and of
bounded size.
Anything else in its place is told, left alone where it is a link, and otherwise replaced; it never ends a run.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from reconciler.files import write_atomically
from reconciler.observe.mta_sts import PolicyError, parse_policy
from reconciler.observe.probe_cache_models import Asked, KeptFile, KeptMailServer, KeptPolicy
from reconciler.surroundings import SmtpSight, TlsSight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from reconciler.names import Name
    from reconciler.observe.surroundings import ProbeSettings
    from reconciler.surroundings import MtaStsPolicy, Smtp

MAX_OCTETS = 16 * 1024 * 1024
MAX_RESULTS = 20_000
MAX_TEXT = 4096  # octets of a policy; a longer one is fetched again

_OUR_CLOCKS = timedelta(minutes=1)  # may differ that much, where machines share the file
_JUST_NOW = timedelta(seconds=1)
_FOR_OTHERS = 0o077  # permissions
_NO_FILE = "it is no file"

_Kept = KeptMailServer | KeptPolicy

_log = logging.getLogger(__name__)


class _UnusableError(Exception):
    """The file is not to be used; the text says why."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class ProbeCache:
    """What earlier runs saw within `age`, and what this one adds; `asked` is the digest of how hosts are asked."""

    file: Path
    age: timedelta
    asked: str
    now: Callable[[], datetime] = _now
    _there: dict[Asked, _Kept] = field(default_factory=dict)
    _added: dict[Asked, _Kept] = field(default_factory=dict)

    def read(self) -> None:
        """Takes what the file has; where it cannot be used, nothing, and a warning says why."""
        try:
            self._there = _by_asked(self._young(_read(self.file, self.now())))
        except _UnusableError as exc:
            _log.warning("what earlier runs saw is not used: %s: %s", self.file, exc)

    def write(self) -> None:
        """Puts what was added beside what others added meanwhile; where that fails, a warning says why."""
        if not self._added:
            return
        self.read()
        kept = self._young({**self._there, **self._added}.values())
        newest = sorted(kept, key=lambda one: one.seen_at, reverse=True)[:MAX_RESULTS]
        while len(octets := _encoded(newest)) > MAX_OCTETS:
            newest = newest[: len(newest) // 2]
        try:
            _refuse_linked_folder(self.file)
            _refuse_no_file(self.file)
            write_atomically(self.file, octets, mode=0o600)
        except (OSError, _UnusableError) as exc:
            _log.warning("what was seen is not kept for the next run: %s: %s", self.file, exc)

    def mail_server(self, host: Name, port: int, addresses: tuple[str, ...]) -> SmtpSight | None:
        """What an earlier run saw of a mail server, with its age."""
        kept = self._there.get(self._key("mail-server", host, port, addresses))
        if not isinstance(kept, KeptMailServer) or (age := self._age(kept)) > self.age:
            return None
        return SmtpSight(kept.size, TlsSight(kept.version, kept.names), age=age)

    def keep_mail_server(self, host: Name, port: int, addresses: tuple[str, ...], seen: Smtp) -> None:
        """Keeps what was seen, if it is good."""
        if not isinstance(seen, SmtpSight) or seen.tls is None or seen.tls_problem or seen.tls.problem:
            return
        asked = self._key("mail-server", host, port, addresses)
        shown = {"size": seen.size, "version": seen.tls.version, "names": seen.tls.names}
        # a server may show anything; what could not be read back is not kept
        with suppress(ValidationError):
            self._added[asked] = KeptMailServer.model_validate({"asked": asked, "seen_at": self.now(), **shown})

    def policy(self, host: Name, port: int, addresses: tuple[str, ...], record_id: str) -> MtaStsPolicy | None:
        """The policy that an earlier run fetched, with its age, while the record's id stays the same."""
        kept = self._there.get(self._key("policy", host, port, addresses, record_id))
        if not isinstance(kept, KeptPolicy) or (age := self._age(kept)) > self.age:
            return None
        return replace(parse_policy(record_id, kept.text), age=age)

    def keep_policy(self, host: Name, port: int, addresses: tuple[str, ...], record_id: str, text: str) -> None:
        """Keeps the text of a policy, which can be used."""
        if len(text.encode()) <= MAX_TEXT:
            asked = self._key("policy", host, port, addresses, record_id)
            self._added[asked] = KeptPolicy(asked=asked, seen_at=self.now(), text=text)

    def _key(self, kind: str, host: Name, port: int, addresses: tuple[str, ...], record_id: str = "") -> Asked:
        return Asked(kind=kind, host=host, port=port, addresses=addresses, record_id=record_id, how=self.asked)

    def _age(self, kept: _Kept) -> timedelta:
        return max(self.now() - kept.seen_at, _JUST_NOW)

    def _young(self, kept: Iterable[_Kept]) -> list[_Kept]:
        return [one for one in kept if self._age(one) <= self.age]


def open_probe_cache(settings: ProbeSettings) -> ProbeCache | None:
    """The cache that the settings name, read; None where they name none."""
    if settings.cache is None:
        return None
    roots = b"" if settings.ca_file is None else settings.ca_file.read_bytes()
    how = json.dumps([settings.helo, hashlib.sha256(roots).hexdigest()])
    cache = ProbeCache(settings.cache, settings.cache_age, hashlib.sha256(how.encode()).hexdigest())
    cache.read()
    return cache


def _by_asked(kept: Iterable[_Kept]) -> dict[Asked, _Kept]:
    return {one.asked: one for one in sorted(kept, key=lambda one: one.seen_at)}


def _encoded(kept: Iterable[_Kept]) -> bytes:
    kept = tuple(kept)
    servers = tuple(one for one in kept if isinstance(one, KeptMailServer))
    policies = tuple(one for one in kept if isinstance(one, KeptPolicy))
    return KeptFile(mail_servers=servers, policies=policies).model_dump_json().encode()


def _read(file: Path, now: datetime) -> list[_Kept]:
    """What a file holds; nothing where there is none.

    Raises:
        _UnusableError: it is not one of ours, or damaged.

    """
    octets = _octets(file)
    if octets is None:
        return []
    try:
        content = KeptFile.model_validate_json(octets)
        for policy in content.policies:
            parse_policy(policy.asked.record_id, policy.text)
    except (ValidationError, PolicyError) as exc:
        message = "it is damaged, or not of this version"
        raise _UnusableError(message) from exc
    kept: list[_Kept] = [*content.mail_servers, *content.policies]
    if any(one.seen_at > now + _OUR_CLOCKS for one in kept):
        raise _UnusableError("it has results from the future")
    return kept


def _octets(file: Path) -> bytes | None:
    _refuse_linked_folder(file)
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise _UnusableError(exc.strerror or "it cannot be opened") from exc
    try:
        _refuse_others(os.fstat(descriptor))
        with open(descriptor, "rb", closefd=False) as stream:
            octets = stream.read(MAX_OCTETS + 1)
    except OSError as exc:
        raise _UnusableError(exc.strerror or "it cannot be read") from exc
    finally:
        os.close(descriptor)
    if len(octets) > MAX_OCTETS:
        message = f"it is longer than {MAX_OCTETS} octets"
        raise _UnusableError(message)
    return octets


def _refuse_others(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _UnusableError(_NO_FILE)
    if status.st_uid != os.geteuid() or status.st_mode & _FOR_OTHERS:
        raise _UnusableError("it is not this user's alone (mode 0600), so others may have written it")


def _refuse_linked_folder(file: Path) -> None:
    if file.parent.is_symlink():
        raise _UnusableError("its folder is a symbolic link; name the folder itself")


def _refuse_no_file(file: Path) -> None:
    if file.exists() and not file.is_file():
        raise _UnusableError(_NO_FILE)
