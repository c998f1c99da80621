"""What nearly every settings file holds, taken without the models, as manifests are (`manifest/plain.py`).

The checks of values are those that the models ask for (`fields.py`, `journal_fields.py`, `notification_fields.py`).
What is made is read as the model would be. `tests/property/test_settings_plain_laws.py` holds both beside each other,
keys, defaults and bounds included: a field that is not in its table fails there.
"""

from __future__ import annotations

from math import ulp
from typing import TYPE_CHECKING, Any, cast

from reconciler.errors import RefusedValueError
from reconciler.history import DEFAULT_WAITS as WAITS
from reconciler.limits import DEFAULT_LIMITS as LIMITS
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.settings.fields import (
    HOUR,
    MAX_PORT,
    MINUTE,
    YEAR_HOURS,
    check_extension,
    check_helo,
    check_host,
    check_path,
    check_text,
    read_kill_switch,
    read_server,
    window_end,
    window_start,
)
from reconciler.settings.journal_fields import check_journal_url, check_password
from reconciler.settings.notification_fields import check_event, check_events, check_url
from reconciler.settings.values import (
    EXPORT_MAX_AGE_HOURS,
    JOURNAL_URL,
    NEW_RRSET_TTL,
    PLAN_EXPIRES_HOURS,
    STATE_DIRECTORY,
    SeverityWord,
)
from reconciler.tables import NotPlainError, Table, list_of, number, one_of, text, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.settings.file import SettingsModel
    from reconciler.tables import Take


def read_plain_settings(data: object) -> SettingsModel | None:
    """What stands in for the model of this plain data, or None where the models have to look.

    It has their attributes and none of their methods; what is left out is an attribute of its class.
    """
    try:
        return cast("SettingsModel", SETTINGS(data))
    except NotPlainError:
        return None


def _checked(check: Callable[[Any], object]) -> Take:
    """A value as the check gives it back."""

    def take(value: object) -> object:
        try:
            return check(value)
        except RefusedValueError:
            raise NotPlainError from None

    return take


def _text(check: Callable[[str], object]) -> Take:
    """A text as the check gives it back."""
    take_checked = _checked(check)
    return lambda value: take_checked(text(value))


def _alone(key: str, table: Table) -> Take:
    """A mapping, or the value of its one key."""
    return lambda value: table({key: value} if type(value) is str else value)


def _blocks(value: object) -> dict[str, dict[str, object]]:
    """Blocks by name, word for word."""
    if type(value) is dict and all(type(key) is str and _is_block(block) for key, block in value.items()):
        return value
    raise NotPlainError


def _is_block(value: object) -> bool:
    return type(value) is dict and all(type(key) is str for key in value)


class _FreezeTable(Table):
    def __call__(self, node: object) -> Any:  # noqa: ANN401 - as its base's
        """As its base; `from` is `from_`, as in the model, because Python keeps that word for itself."""
        made = super().__call__(node)
        made.from_ = vars(made).pop("from")
        return made


_path, _servers = _text(check_path), list_of(_text(read_server))
_hours, _port = number(0, YEAR_HOURS), whole(1, MAX_PORT)

DNS = Table(
    {},
    {
        "servers": _servers,
        "resolvers": _servers,
        "timeout": number(0.05, 60),
        "attempts": whole(1, 10),
        "in_flight": whole(1, 10000),
        "per_server": whole(1, 10000),
        "rate": number(0.1, 1000000),
    },
    servers=(),
    resolvers=(),
    timeout=2.0,
    attempts=3,
    in_flight=200,
)
ZONEFILES = Table({"directory": _path}, {"extension": _text(check_extension)}, extension=".zone")
OBSERVE = Table({}, {"dns": DNS, "zonefiles": _alone("directory", ZONEFILES)})
JOURNAL = Table({}, {"url": _text(check_journal_url), "password": _text(check_password)}, url=JOURNAL_URL)
LOCK = Table(
    {}, {"lease_seconds": number(1, 86400), "wait_seconds": number(0, 86400)}, lease_seconds=60, wait_seconds=90
)
WAITS_TABLE = Table(
    {},
    {
        "settle_minutes": number(0, YEAR_HOURS * 60),
        "assumed_ttl_hours": _hours,
        "absent_ttl_hours": _hours,
        "restrict_hours": _hours,
        "restrict_hard_hours": _hours,
        "gap_hours": _hours,
        "support_hours": _hours,
    },
    settle_minutes=WAITS.settle / MINUTE,
    assumed_ttl_hours=WAITS.assumed_ttl / HOUR,
    absent_ttl_hours=WAITS.absent_ttl / HOUR,
    restrict_hours=WAITS.restrict / HOUR,
    restrict_hard_hours=WAITS.restrict_hard / HOUR,
    gap_hours=WAITS.gap / HOUR,
    support_hours=WAITS.support / HOUR,
)
PROBES = Table(
    {},
    {
        "smtp_port": _port,
        "https_port": _port,
        "timeout": number(0.05, 600),
        "at_once": whole(1, 1000),
        "per_address": whole(1, 1000),
        "spacing": number(0, 60),
        "ca_file": _path,
        "helo": _text(check_helo),
        "reference_host": _text(check_host),
        "cache": _path,
        "cache_minutes": number(ulp(0), 1440),
    },
    smtp_port=25,
    https_port=443,
    timeout=10.0,
    at_once=50,
    per_address=2,
    spacing=0.05,
    cache_minutes=15.0,
)
LIMITS_TABLE = Table(
    {},
    {
        "switches_per_run": whole(0, 1000000),
        "switches_per_organization": whole(0, 1000000),
        "unhealthy_share": number(0, 1),
        "unhealthy_domains": whole(0, 1000000),
    },
    switches_per_run=LIMITS.switches_per_run,
    switches_per_organization=LIMITS.switches_per_organization,
    unhealthy_share=LIMITS.unhealthy_share,
)
FREEZE = _FreezeTable(
    {"from": _checked(window_start), "until": _checked(window_end), "reason": _text(check_text)},
    {},
)
_events = list_of(_text(check_event))
ENDPOINT = Table(
    {"url": _text(check_url), "on": lambda value: _checked(check_events)(_events(value))},
    {"severity": one_of(SeverityWord), "organizations": list_of(_text(check_text))},
    severity="high",
    organizations=(),
)
NOTIFICATIONS = Table(
    {},
    {"hold_hours": _hours, "per_run": whole(1, 1000), "endpoints": list_of(ENDPOINT)},
    hold_hours=24,
    per_run=20,
    endpoints=(),
)
SETTINGS = Table(
    {},
    {
        "observe": OBSERVE,
        "default_provider": text,
        "providers": _blocks,
        "secret_handlers": _blocks,
        "catalog": _path,
        "templates": _path,
        "plan_expires_hours": whole(1, YEAR_HOURS),
        "reviewed_days": whole(1, 365),
        "new_rrset_ttl": whole(60, 604800),
        "state_directory": _path,
        "export_max_age_hours": whole(1, YEAR_HOURS),
        "journal": _alone("url", JOURNAL),
        "lock": LOCK,
        "waits": WAITS_TABLE,
        "probes": PROBES,
        "limits": LIMITS_TABLE,
        "freeze": list_of(FREEZE),
        "kill_switch": _checked(read_kill_switch),
        "notifications": NOTIFICATIONS,
    },
    default_provider=MANUAL_PROVIDER,
    providers={},
    secret_handlers={},
    plan_expires_hours=PLAN_EXPIRES_HOURS,
    reviewed_days=30,
    new_rrset_ttl=NEW_RRSET_TTL,
    state_directory=STATE_DIRECTORY,
    export_max_age_hours=EXPORT_MAX_AGE_HOURS,
    freeze=(),
)
