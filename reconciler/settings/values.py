"""The settings as the program reads them: defaults filled in, every path made one that can be opened."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from reconciler.history import DEFAULT_WAITS
from reconciler.limits import DEFAULT_LIMITS
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.names import InvalidNameError, canonical_name, display_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.history import Waits
    from reconciler.limits import FreezeWindow, Limits
    from reconciler.names import Name

Server = tuple[str, int]

JOURNAL_URL = "sqlite:///.reconciler/journal.sqlite3"
STATE_DIRECTORY = ".reconciler"
PLAN_EXPIRES_HOURS, EXPORT_MAX_AGE_HOURS = 24, 168
NEW_RRSET_TTL = 3600

# as in `reconciler.notify`, which stands above the settings
EVENT_WORDS = ("drift-opened", "drift-closed", "switch-done", "hold-too-long")
# as in `reconciler.drift`, likewise
SeverityWord: TypeAlias = Literal["critical", "high", "medium", "low", "info"]

_NOT_SHOWN = frozenset({"providers", "secret_handlers"})

# Every start of the program makes these classes. A named tuple takes a quarter of the time of a frozen dataclass.


class DnsSettings(NamedTuple):
    """Observing live DNS.

    Servers are (host, port). No `servers`: each zone's own authoritative servers; no `resolvers`: the system's.
    `timeout` is in seconds, for one attempt. `per_server` bounds what of `in_flight` is at one address, `rate` the
    queries a second there; None where `observe/politeness.py` decides. `share` is how many such runs are at work at
    the same time, each of which takes its share of what an address may be asked.
    """

    servers: tuple[Server, ...] = ()
    resolvers: tuple[Server, ...] = ()
    timeout: float = 2.0
    attempts: int = 3
    in_flight: int = 200
    per_server: int | None = None
    rate: float | None = None
    share: int = 1


class ZonefileSettings(NamedTuple):
    """Observing master files: a zone's file is `directory / f"{zone}{extension}"`."""

    directory: Path
    extension: str = ".zone"


class OfflineSettings(NamedTuple):
    """Observing nothing; `why` is told of everything that was not asked."""

    why: str


class JournalSettings(NamedTuple):
    """Where the journal is: an SQLAlchemy URL without a password, and `env/NAME` where the password is, if any.

    A relative path in an SQLite URL is relative to the settings file's folder. `journal_url` puts both together.
    """

    url: str = JOURNAL_URL
    password: str | None = None

    def __repr__(self) -> str:
        """Without anything of it."""
        return "JournalSettings()"


class LockSettings(NamedTuple):
    """The journal's lock: how long a holder that died keeps it, and how long the next one waits for it."""

    lease: timedelta = timedelta(minutes=1)
    wait: timedelta = timedelta(seconds=90)


def _own_name() -> str:
    """This host's name as its system knows it, without asking DNS, where EHLO can carry it."""
    try:
        return display_name(canonical_name(os.uname().nodename))
    except InvalidNameError:
        return "localhost"


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """Looking at mail servers and MTA-STS policies.

    `timeout` is in seconds, for one whole probe; `at_once` counts hosts, `per_address` those of them that share an
    address, where `spacing` seconds are between two beginnings. `ca_file` holds further trusted roots (PEM).
    `helo` is what EHLO says (RFC 5321 section 4.1.1.1). `reference_host` is a mail server that surely listens: it
    tells a host that is down from a network that lets nobody out; None where the caller chooses it. `cache` is the
    file in which good results are kept, for `cache_age`; None where none are.
    """

    smtp_port: int = 25
    https_port: int = 443
    timeout: float = 10.0
    at_once: int = 50
    ca_file: Path | None = None
    helo: str = field(default_factory=_own_name)
    reference_host: Name | None = None
    per_address: int = 2
    spacing: float = 0.05
    cache: Path | None = None
    cache_age: timedelta = timedelta(minutes=15)


class EndpointSettings(NamedTuple):
    """One endpoint: the environment variable that holds its Apprise URL, and what it is told.

    `events` are words of `EVENT_WORDS`. `severity` is the least one of drift that is told. No `organizations`: all.
    """

    variable: str
    events: frozenset[str]
    severity: str = "high"
    organizations: frozenset[str] = frozenset()


class NotificationSettings(NamedTuple):
    """Notifications. `per_run` is how many messages one run sends to one endpoint."""

    endpoints: tuple[EndpointSettings, ...] = ()
    hold: timedelta = timedelta(hours=24)
    per_run: int = 20


def endpoint_url(variable: str, environment: Mapping[str, str]) -> str | None:
    """The Apprise URL to send to: never print it. None where the variable is not set, or empty."""
    return environment.get(variable, "").strip() or None


class Settings(NamedTuple):
    """The settings, defaults filled in, paths relative to the settings file's folder made so.

    `directory` is the settings file's folder. `providers` and `secret_handlers` are octoDNS's own blocks, word for
    word, by name. `kill_switch` is why nothing at all may be written, None where it is off. `digest` is `sha256:` over
    the file's octets; over nothing where there is no file.
    """

    observe: DnsSettings | ZonefileSettings | OfflineSettings
    default_provider: str
    providers: Mapping[str, Mapping[str, object]]
    secret_handlers: Mapping[str, Mapping[str, object]]
    catalog: Path | None
    templates: Path | None
    plan_expires_hours: int
    new_rrset_ttl: int
    state_directory: Path
    export_max_age_hours: int
    directory: Path
    digest: str
    probes: ProbeSettings
    journal: JournalSettings = JournalSettings()
    lock: LockSettings = LockSettings()
    waits: Waits = DEFAULT_WAITS
    limits: Limits = DEFAULT_LIMITS
    freeze: tuple[FreezeWindow, ...] = ()
    kill_switch: str | None = None
    reviewed_days: int = 30
    notifications: NotificationSettings = NotificationSettings()

    def __repr__(self) -> str:
        """Without the blocks: somebody may have written a secret there."""
        shown = (f"{name}={value!r}" for name, value in self._asdict().items() if name not in _NOT_SHOWN)
        return f"Settings({', '.join(shown)})"


def default_settings(folder: Path) -> Settings:
    """The settings of a folder without a settings file."""
    return Settings(
        observe=DnsSettings(),
        default_provider=MANUAL_PROVIDER,
        providers={},
        secret_handlers={},
        catalog=None,
        templates=None,
        plan_expires_hours=PLAN_EXPIRES_HOURS,
        new_rrset_ttl=NEW_RRSET_TTL,
        state_directory=folder / STATE_DIRECTORY,
        export_max_age_hours=EXPORT_MAX_AGE_HOURS,
        directory=folder,
        digest=f"sha256:{hashlib.sha256(b'').hexdigest()}",
        probes=ProbeSettings(),
    )
