"""Settings that are taken without the models are what these say, attribute for attribute; all else they say alone."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from damaged_data import damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from table_laws import assert_equal, assert_table_is_of, fields_of

from reconciler.errors import SettingsError
from reconciler.settings import build, file, looking, notifications, plain
from reconciler.settings.values import EVENT_WORDS
from reconciler.strict_yaml import load_yaml
from reconciler.tables import NotPlainError, Table

if TYPE_CHECKING:
    from reconciler.errors import Diagnostic
    from reconciler.settings import Settings

ROOT = Path(__file__).parents[2]
TABLES: dict[type[BaseModel], Table] = {
    file.SettingsModel: plain.SETTINGS,
    file.JournalModel: plain.JOURNAL,
    file.LockModel: plain.LOCK,
    file.WaitsModel: plain.WAITS_TABLE,
    file.LimitsModel: plain.LIMITS_TABLE,
    file.FreezeModel: plain.FREEZE,
    looking.ObserveModel: plain.OBSERVE,
    looking.DnsModel: plain.DNS,
    looking.ZonefilesModel: plain.ZONEFILES,
    looking.ProbesModel: plain.PROBES,
    notifications.NotificationsModel: plain.NOTIFICATIONS,
    notifications.EndpointModel: plain.ENDPOINT,
}
LEAST: dict[type[BaseModel], dict[str, Any]] = {
    file.FreezeModel: {"from": "2026-12-20", "until": "2027-01-02", "reason": "nobody is there"},
    looking.ZonefilesModel: {"directory": "zones"},
    notifications.EndpointModel: {"url": "env/TEAMS_URL", "on": ["drift-opened"]},
}

_ANY_FLOAT = {"allow_nan": False, "allow_infinity": False}
servers = st.lists(
    st.sampled_from(["127.0.0.1:5300", "ns1.example", "192.0.2.1", "[::1]:53", "::1", "ns1.example:0", "a b", ""]),
    max_size=3,
)
paths = st.sampled_from(["zones", "/var/lib/x", "../a b", "ä.pem"])
hours = st.integers(0, 200) | st.floats(0, 200, **_ANY_FLOAT)  # type: ignore[arg-type]  # hypothesis' overloads
ports = st.sampled_from([1, 25, 2525, 65535])
counts = st.integers(1, 300)
texts = st.sampled_from(["nobody is there", "ä", "x" * 600])
hosts = st.sampled_from(["mail.acme.example", "MAIL.acme.example.", "bücher.example"])


def _mapping(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


dns = _mapping(
    {},
    {
        "servers": servers.map(lambda written: [s for s in written if s not in {"ns1.example:0", "a b", ""}]),
        "resolvers": st.just(["9.9.9.9", "[2620:fe::fe]:53"]),
        "timeout": st.sampled_from([0.05, 1, 2.5, 60]),
        "attempts": st.integers(1, 10),
        "in_flight": counts,
        "per_server": counts,
        "rate": st.sampled_from([0.1, 100, 1000000.0]),
    },
)
zonefiles = paths | _mapping({"directory": paths}, {"extension": st.sampled_from([".zone", "", ".db"])})
journals = st.sampled_from(["sqlite:///a.sqlite3", "postgresql://me@host/journal"])
password = st.just("env/JOURNAL_PASSWORD")
blocks = st.dictionaries(
    st.sampled_from(["bind", "files"]),
    _mapping({"class": st.just("a.B")}, {"host": hosts, "port": ports, "nested": st.just({"a": [1, None]})}),
)
endpoints = _mapping(
    {
        "url": st.sampled_from(["env/A", "env/_b9"]),
        "on": st.lists(st.sampled_from(EVENT_WORDS), min_size=1, max_size=3),
    },
    {"severity": st.sampled_from(["critical", "info"]), "organizations": st.lists(texts, max_size=2)},
)
days = st.sampled_from(["2026-12-20", "2027-01-02", "2026-12-20T18:00:00+01:00", "2026-12-20T18:00:00Z"])
files = _mapping(
    {},
    {
        "observe": _mapping({}, {"dns": dns, "zonefiles": zonefiles}),
        "default_provider": st.sampled_from(["manual", "bind"]),
        "providers": blocks,
        "secret_handlers": blocks,
        "catalog": paths,
        "templates": paths,
        "plan_expires_hours": st.sampled_from([1, 8760]),
        "reviewed_days": st.sampled_from([1, 365]),
        "new_rrset_ttl": st.sampled_from([60, 604800]),
        "state_directory": paths,
        "export_max_age_hours": counts,
        "journal": journals | _mapping({}, {"url": journals, "password": password}),
        "lock": _mapping({}, {"lease_seconds": counts, "wait_seconds": hours}),
        "waits": _mapping({}, dict.fromkeys(plain.WAITS_TABLE.takes, hours)),
        "probes": _mapping(
            {},
            {
                "smtp_port": ports,
                "https_port": ports,
                "timeout": st.sampled_from([0.05, 10, 600.0]),
                "at_once": counts,
                "per_address": counts,
                "spacing": st.sampled_from([0, 0.05, 60]),
                "ca_file": paths,
                "helo": hosts | st.sampled_from(["[192.0.2.1]", "[IPv6:2001:DB8::1]"]),
                "reference_host": hosts,
                "cache": paths,
                "cache_minutes": st.sampled_from([0.5, 15, 1440]),
            },
        ),
        "limits": _mapping(
            {},
            {
                "switches_per_run": counts,
                "switches_per_organization": counts,
                "unhealthy_share": st.sampled_from([0, 0.1, 1, 1.0]),
                "unhealthy_domains": counts,
            },
        ),
        "freeze": st.lists(_mapping({"from": days, "until": days, "reason": texts}, {}), max_size=2),
        "kill_switch": st.booleans() | texts,
        "notifications": _mapping(
            {}, {"hold_hours": hours, "per_run": counts, "endpoints": st.lists(endpoints, max_size=2)}
        ),
    },
)
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 59, 2**70, 0.5, 1e300, -0.0, 5e-324, float("nan"), float("inf"), "", " ", "a\u202eb",
    "a\nb", "\ud800", "x" * 501, "2026-02-30", "20261220", "2026-12-20T18:00:00", "9999-12-31", "true", "no", "/a/b",
    "127.0.0.1:0", "127.0.0.256", "[::1", "a..b", "[1.2.3]", "env/", "env/A-B", "https://a", "sqlite://", "sqlite:///:memory:",
    "mysql://a", "postgresql://a:b@c/d", "postgresql+psycopg://a/b?password=x", "sqlite:///ä", "drift-opened", [], {},
    [None], [1], [[]], [{}], ["drift-opened"], ["strange"], {"a": {}}, {"a": 1}, {1: {}}, {"a": {1: 2}}, {"class": "a"},
    {"directory": "a"}, {"url": "b"}, {"dns": {}},
]  # fmt: skip
KEYS = [*dict.fromkeys(key for table in TABLES.values() for key in table.takes), "strange", "Observe", "from_", 1]


def _is_taken(model: type[BaseModel], data: Any) -> bool:  # noqa: ANN401 - any data
    """Whether its table takes it; then the model says the same."""
    try:
        made = TABLES[model](data)
    except NotPlainError:
        return False
    assert_equal(made, model.model_validate(data))
    return True


def _is_accepted(model: type[BaseModel], data: Any) -> bool:  # noqa: ANN401 - any data
    try:
        model.model_validate(data)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_a_table_has_the_keys_of_its_model_with_their_defaults(model: type[BaseModel]) -> None:
    assert list(TABLES[model].takes) == list(fields_of(model))
    assert_table_is_of(TABLES[model], model)


def test_every_model_of_the_settings_has_a_table() -> None:
    inside = file.SettingsModel.model_json_schema()["$defs"]
    assert {model.__name__ for model in TABLES} == {*inside, file.SettingsModel.__name__}


def _bounds() -> list[Any]:
    """Each field with a bound, and the bound."""
    return [
        pytest.param(model, key, value, id=f"{model.__name__}-{key}-{bound}")
        for model in TABLES
        for key, field in fields_of(model).items()
        for bound in ("ge", "le", "gt", "lt")
        for value in [getattr(each, bound, None) for each in field.metadata]
        if value is not None
    ]


def test_bounds_are_found() -> None:
    """Or the test below would look at nothing."""
    assert len(_bounds()) > 2 * len(plain.WAITS_TABLE.takes)


@pytest.mark.parametrize(("model", "key", "bound"), _bounds())
def test_a_table_has_the_bounds_of_its_model(model: type[BaseModel], key: str, bound: float) -> None:
    """To the last bit on either side; what a bound leaves out is not taken, what it lets in is."""
    near = [
        math.nextafter(bound, -math.inf),
        float(bound),
        math.nextafter(bound, math.inf),
        bound - 1,
        bound,
        bound + 1,
    ]
    for value in near:
        data = {**LEAST.get(model, {}), key: value}
        assert _is_taken(model, data) == _is_accepted(model, data)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=files)
def test_whatever_the_models_accept_is_taken(data: dict[str, Any]) -> None:
    assert _is_taken(file.SettingsModel, data)


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_no_odd_value_is_taken_otherwise_at_any_key(model: type[BaseModel]) -> None:
    """Each key of each table by itself, so that none hides behind another that is refused."""
    for key, odd in itertools.product(fields_of(model), ODD):
        _is_taken(model, {**LEAST.get(model, {}), key: odd})


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=damaged(files, ODD, KEYS))
def test_damaged_settings_are_taken_as_the_models_take_them_or_not_at_all(data: Any) -> None:  # noqa: ANN401
    _is_taken(file.SettingsModel, data)


def _read(octets: bytes, *, is_plain_taken: bool) -> tuple[Settings | None, list[Diagnostic]]:
    with pytest.MonkeyPatch.context() as patch:
        if not is_plain_taken:
            patch.setattr(plain, "read_plain_settings", lambda _data: None)
        try:
            return build.read_settings(octets, Path("some/reconciler.yaml")), []
        except SettingsError as exc:
            return None, list(exc.diagnostics)


def _require_read_alike(octets: bytes) -> None:
    quick, slow = _read(octets, is_plain_taken=True), _read(octets, is_plain_taken=False)
    assert quick == slow
    assert repr(quick) == repr(slow)  # 1 equals 1.0, and is printed otherwise


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=files | damaged(files, ODD, KEYS))
def test_settings_and_their_errors_are_the_same_with_and_without(data: Any) -> None:  # noqa: ANN401
    _require_read_alike(json.dumps(data, indent=1, ensure_ascii=True).encode())


WRITTEN = sorted(p for folder in (".", "tests", "docs") for p in ROOT.glob(f"{folder}/**/reconciler*.yaml"))


@pytest.mark.parametrize(
    "path", [p for p in WRITTEN if ".venv" not in p.parts], ids=lambda path: str(path.relative_to(ROOT))
)
def test_written_settings_are_the_same_with_and_without(path: Path) -> None:
    _require_read_alike(path.read_bytes())


def test_the_settings_of_this_repository_are_plain() -> None:
    octets = (ROOT / "reconciler.yaml").read_bytes()
    assert plain.read_plain_settings(load_yaml(octets, "reconciler.yaml").data) is not None
