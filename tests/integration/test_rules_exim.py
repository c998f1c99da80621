"""Exim's filters with `exim -bF` and `exim -bf`, and with its own word for the filter in use."""

from __future__ import annotations

from pathlib import Path

import pytest
from rules_lab import export, export_script, message, rule_file, run, state
from servers.processes import require

from reconciler.targets.exim_filter import EximFilter, EximSystemFilter
from reconciler.targets.mail_rule import RuleState

pytestmark = pytest.mark.integration

SYSTEM, USER = EximSystemFilter(), EximFilter()
UNPACKED_EXIM = Path(__file__).resolve().parents[2] / ".venv/servers/exim/usr/sbin/exim4"


def exim(folder: Path, *lines: str) -> list[str]:
    """The command of Exim with a configuration of these lines."""
    binary = str(UNPACKED_EXIM) if UNPACKED_EXIM.exists() else require("exim4")
    configuration = folder / "exim.conf"
    configuration.write_text(
        "\n".join(["primary_hostname = mx.acme.example", f"spool_directory = {folder}", *lines, ""])
    )
    return [binary, "-C", str(configuration)]


def test_system_filter_marked_mail_alone_gets_the_header(tmp_path: Path) -> None:
    path = tmp_path / "system.filter"
    path.write_text(rule_file(SYSTEM))
    for verdict in ("FAIL", "PASS", None):
        ran = run([*exim(tmp_path), "-bF", str(path)], given=message(tmp_path, verdict).read_bytes())
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert ('Headers add "X-Spam-Flag: YES"' in ran.stdout) is (verdict == "FAIL")
        assert "Normal delivery will occur" in ran.stdout


def test_system_filter_exim_sees_an_error(tmp_path: Path) -> None:
    path = tmp_path / "system.filter"
    path.write_text(rule_file(SYSTEM).replace("contains", "containz"))
    ran = run([*exim(tmp_path), "-bF", str(path)], given=message(tmp_path, None).read_bytes())
    assert ran.returncode != 0


def test_system_filter_the_round_trip_is_in_sync(tmp_path: Path) -> None:
    path = tmp_path / "system.filter"
    path.write_text(rule_file(SYSTEM))
    command = exim(tmp_path, f"system_filter = {path}")
    assert state(SYSTEM, export(export_script(SYSTEM), tmp_path, *command)) is RuleState.EQUAL


def test_system_filter_a_filter_that_exim_does_not_use_is_absent(tmp_path: Path) -> None:
    (tmp_path / "system.filter").write_text(rule_file(SYSTEM))
    made = export(export_script(SYSTEM), tmp_path, *exim(tmp_path))
    assert state(SYSTEM, made) is RuleState.ABSENT
    assert [a.code for a in SYSTEM.read(made).advice] == ["exim-system-filter-unset"]


def test_recipient_filter_marked_mail_alone_goes_to_junk(tmp_path: Path) -> None:
    path = tmp_path / "forward"
    path.write_text(rule_file(USER))
    for verdict in ("FAIL", "PASS", None):
        ran = run([*exim(tmp_path), "-bf", str(path)], given=message(tmp_path, verdict).read_bytes())
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert ("/Maildir/.Junk/" in ran.stdout) is (verdict == "FAIL")
        assert ("Normal delivery will occur" in ran.stdout) is (verdict != "FAIL")


def test_recipient_filter_the_round_trip_is_in_sync(tmp_path: Path) -> None:
    path = tmp_path / "forward"
    path.write_text(rule_file(USER))
    assert state(USER, export(export_script(USER), tmp_path, path)) is RuleState.EQUAL
    path.unlink()
    assert state(USER, export(export_script(USER), tmp_path, path)) is RuleState.ABSENT
