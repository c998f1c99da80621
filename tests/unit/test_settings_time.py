"""Settings of time, of limits, of freezes and of the journal: defaults, fractions, and every error with its place."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_settings import load, refused

from reconciler.errors import SettingsError
from reconciler.history import Waits
from reconciler.limits import FreezeWindow, Limits
from reconciler.names import Name
from reconciler.settings import JournalSettings, LockSettings, ProbeSettings, journal_url, load_settings


def test_the_defaults_are_those_of_the_core(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "none.yaml", required=False)
    assert settings.waits == Waits()
    assert settings.limits == Limits(50, 10, 0.1, None)
    assert settings.lock == LockSettings(timedelta(seconds=60), timedelta(seconds=90))
    assert settings.journal == JournalSettings("sqlite:///.reconciler/journal.sqlite3", None)
    assert (settings.freeze, settings.kill_switch) == ((), None)
    probes = settings.probes
    assert (probes.smtp_port, probes.https_port, probes.timeout, probes.at_once) == (25, 443, 10.0, 50)
    assert (probes.ca_file, probes.reference_host) == (None, None)
    assert probes.helo


def test_waits_take_fractions(tmp_path: Path) -> None:
    """A laboratory waits for seconds."""
    text = """\
waits:
  settle_minutes: 0.05
  assumed_ttl_hours: 0.001
  absent_ttl_hours: 1
  restrict_hours: 0
  restrict_hard_hours: 2.5
  gap_hours: 12
  support_hours: 0.5
lock: {lease_seconds: 1.5, wait_seconds: 0}
"""
    settings = load(tmp_path, text)
    assert settings.waits == Waits(
        settle=timedelta(seconds=3),
        assumed_ttl=timedelta(seconds=3.6),
        absent_ttl=timedelta(hours=1),
        restrict=timedelta(),
        restrict_hard=timedelta(hours=2.5),
        gap=timedelta(hours=12),
        support=timedelta(minutes=30),
    )
    assert settings.lock == LockSettings(timedelta(seconds=1.5), timedelta())


def test_probes_and_limits_as_written(tmp_path: Path) -> None:
    text = """\
probes: {smtp_port: 2525, https_port: 8443, timeout: 0.5, at_once: 3, ca_file: ca.pem, helo: Scan.Example,
         reference_host: MX.example, per_address: 1, spacing: 0, cache: .state/probes.json, cache_minutes: 0.5}
limits: {switches_per_run: 0, switches_per_organization: 1, unhealthy_share: 1, unhealthy_domains: 0}
"""
    settings = load(tmp_path, text)
    assert settings.probes == ProbeSettings(
        2525,
        8443,
        0.5,
        3,
        tmp_path / "ca.pem",
        "scan.example",
        Name("mx.example."),
        per_address=1,
        spacing=0,
        cache=tmp_path / ".state/probes.json",
        cache_age=timedelta(seconds=30),
    )
    assert load(tmp_path, "{}\n").probes.cache is None
    assert settings.limits == Limits(0, 1, 1.0, 0)


@pytest.mark.parametrize(
    ("written", "said"),
    [("'[192.0.2.1]'", "[192.0.2.1]"), ("'[ipv6:2001:DB8::1]'", "[IPv6:2001:db8::1]"), ("bücher.example", None)],
)
def test_ehlo_takes_what_smtp_allows(tmp_path: Path, written: str, said: str | None) -> None:
    assert load(tmp_path, f"probes: {{helo: {written}}}\n").probes.helo == (said or "xn--bcher-kva.example")


def test_a_host_whose_own_name_smtp_does_not_allow_says_localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.uname", lambda: SimpleNamespace(nodename="my host!"))
    assert ProbeSettings().helo == "localhost"


def test_days_of_a_freeze_are_whole_days_and_times_have_a_zone(tmp_path: Path) -> None:
    text = """\
freeze:
  - {from: 2026-12-20, until: 2027-01-03, reason: holidays}
  - {from: "2026-11-27T18:00:00+01:00", until: "2026-11-28T06:00Z", reason: move}
  - {from: 2026-12-01, until: 2026-12-01, reason: one day}
"""
    assert load(tmp_path, text).freeze == (
        FreezeWindow(datetime(2026, 12, 20, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC), "holidays"),
        FreezeWindow(datetime(2026, 11, 27, 17, tzinfo=UTC), datetime(2026, 11, 28, 6, tzinfo=UTC), "move"),
        FreezeWindow(datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC), "one day"),
    )


@pytest.mark.parametrize(
    ("written", "reason"),
    [("false", None), ("true", "the settings give no reason"), ("incident 4711", "incident 4711")],
)
def test_the_kill_switch_is_off_on_or_a_reason(tmp_path: Path, written: str, reason: str | None) -> None:
    assert load(tmp_path, f"kill_switch: {written}\n").kill_switch == reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "waits: {settle_minutes: -1, gap_hours: .nan, support_hours: .inf}\n",
            [("wrong-value", 1, n) for n in (25, 40, 61)],
        ),
        ("waits: {settle: 1}\n", [("unknown-key", 1, 9)]),
        ("waits: 60\n", [("wrong-type", 1, 8)]),
        ("waits: {restrict_hours: 200}\n", [("waits", 1, 1)]),
        ("lock: {lease_seconds: 0.5, wait_seconds: -1}\n", [("wrong-value", 1, 23), ("wrong-value", 1, 42)]),
        ("probes: {smtp_port: 0, https_port: 65536}\n", [("wrong-value", 1, 21), ("wrong-value", 1, 36)]),
        ("probes: {helo: a b, reference_host: 192.0.2..1}\n", [("host", 1, 16), ("host", 1, 37)]),
        ("probes: {helo: '[192.0.2.1'}\n", [("host", 1, 16)]),
        ("probes: {helo: '[192.0.2.256]'}\n", [("host", 1, 16)]),
        ("probes: {helo: ''}\n", [("host", 1, 16)]),
        ("probes: {ca_file: ''}\n", [("path", 1, 19)]),
        ("limits: {switches_per_run: -1, unhealthy_share: 1.1}\n", [("wrong-value", 1, 28), ("wrong-value", 1, 49)]),
        ("limits: {unhealthy_domains: 0.5}\n", [("wrong-type", 1, 29)]),
        ("freeze: {from: 2026-12-20}\n", [("wrong-type", 1, 9)]),
        ("freeze: [{from: 2026-12-20, until: 2026-12-31}]\n", [("missing-key", 1, 10)]),
        ("freeze: [{until: 2026-12-20, reason: x}]\n", [("missing-key", 1, 10)]),
        (
            "freeze: [{from_: 2026-12-20, until: 2026-12-21, reason: x}]\n",
            [("missing-key", 1, 10), ("unknown-key", 1, 11)],
        ),
        ("freeze: [{from: 2026-12-20, until: 2026-12-19, reason: x}]\n", [("freeze", 1, 29)]),
        (
            "freeze: [{from: 2026-02-30, until: tomorrow, reason: ' '}]\n",
            [("date", 1, 17), ("date", 1, 36), ("text", 1, 54)],
        ),
        ("freeze: [{from: '2026-12-20T18:00', until: 20261221, reason: x}]\n", [("date", 1, 17), ("date", 1, 44)]),
        (
            "freeze: [{from: '0001-01-01T00:00+01:00', until: 9999-12-31, reason: x}]\n",
            [("date", 1, 17), ("date", 1, 50)],
        ),
        ("kill_switch: off\n", [("wrong-value", 1, 14)]),
        ("kill_switch: ''\n", [("text", 1, 14)]),
        ("kill_switch: 1\n", [("wrong-value", 1, 14)]),
        ("kill_switch:\n", [("wrong-value", 1, 13)]),
    ],
)
def test_refuses_each_with_its_place(tmp_path: Path, text: str, expected: list[tuple[str, int, int]]) -> None:
    assert refused(tmp_path, text) == expected


def test_a_missing_key_that_python_keeps_for_itself_is_named_as_written(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, "freeze: [{until: 2026-12-20, reason: x}]\n")
    assert caught.value.diagnostics[0].summary == "`from` is missing in: freeze"
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, "freeze: [{form: 2026-12-19, until: 2026-12-20, reason: x}]\n")
    assert "Did you mean `from`?" in caught.value.diagnostics[-1].detail


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///journal.sqlite3",
        "sqlite:////srv/journal.sqlite3",
        "postgresql://reconciler@db.example:5432/journal",
        "postgresql+psycopg:///journal?host=/run/postgresql&sslmode=require",
    ],
)
def test_journals_that_are_known(tmp_path: Path, url: str) -> None:
    journal = load(tmp_path, f"journal: {url}\n").journal
    assert journal == JournalSettings(url)
    assert journal_url(journal, {}) == url


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("journal.sqlite3", "journal"),
        ("sqlite://", "journal"),
        ("sqlite:///", "journal"),
        ("'sqlite:///:memory:'", "journal"),
        ("sqlite:///folder/", "journal"),
        ("'sqlite:///x?mode=ro'", "journal"),
        ("sqlite+pysqlite:///x", "journal"),
        ("mysql://h/db", "journal"),
        ("postgresql+asyncpg://h/db", "journal"),
        ("postgresql://h:hunter2/db", "journal"),
        ("'postgresql://h ost/db'", "journal"),
        ("postgresql://u:hunter2@h/db", "journal-password"),
        ("'postgresql://u@h/db?password=hunter2'", "journal-password"),
        ("'postgresql://u:hunter2#@h/db'", "journal-password"),
        ("{url: 'postgresql://u@h/db', password: hunter2}", "journal-password"),
        ("{url: 'postgresql://u@h/db', password: 'env/'}", "journal-password"),
        ("{url: 'postgresql://u@h/db', password: 12345}", "journal-password"),
        ("{url: 'postgresql://u@h/db', password: }", "journal-password"),
        ("{url: 'sqlite:///x', password: env/HUNTER}", "journal-password"),
        ("7", "wrong-type"),
        ("[hunter2]", "wrong-type"),
    ],
)
def test_other_journals_are_refused_and_no_secret_is_repeated(tmp_path: Path, written: str, code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, f"journal: {written}\n")
    assert [(d.code, d.line) for d in caught.value.diagnostics] == [(code, 1)]
    told = str(caught.value.diagnostics)
    assert "hunter2" not in told
    assert "12345" not in told


def test_the_password_comes_out_of_the_environment_when_it_is_needed(tmp_path: Path) -> None:
    text = "journal: {url: 'postgresql://u@h/db', password: env/JOURNAL_PASSWORD}\n"
    settings = load(tmp_path, text)
    assert "JOURNAL" not in repr(settings)
    assert journal_url(settings.journal, {"JOURNAL_PASSWORD": "p/w@1"}) == "postgresql://u:p%2Fw%401@h/db"
    with pytest.raises(SettingsError, match="JOURNAL_PASSWORD, which is not set"):
        journal_url(settings.journal, {"JOURNAL_PASSWORD": ""})
