"""The SpamAssassin rule with the real program, its own rules, and without the network."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rules_lab import export, export_script, message, rule_file, run, state
from servers.processes import require

from reconciler.targets.mail_rule import RuleState
from reconciler.targets.spamassassin import SpamAssassin

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.integration

TARGET = SpamAssassin()
PLUGINS = Path("/etc/spamassassin")


def build_site(folder: Path, *more: str) -> Path:
    """A folder of the site's configuration."""
    site = folder / "site"
    site.mkdir(exist_ok=True)
    for plugins in PLUGINS.glob("*.pre"):
        shutil.copy(plugins, site)
    (site / "gateway-spam.cf").write_text(rule_file(TARGET))
    (site / "local.cf").write_text("\n".join(["trusted_networks 192.0.2.0/28", *more, ""]))
    return site


def spamassassin(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    """The program with this site's configuration, no preferences of a user, and no network."""
    site = f"--siteconfigpath={build_site(folder)}"
    command = [require("spamassassin"), "--local", "--nocreate-prefs", site, *arguments]
    return run(command, given=given, HOME=str(folder))


def test_it_passes_lint(tmp_path: Path) -> None:
    ran = spamassassin(tmp_path, "--lint")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_marked_mail_alone_is_spam(tmp_path: Path) -> None:
    for verdict in ("FAIL", "PASS", None):
        ran = spamassassin(tmp_path, given=message(tmp_path, verdict).read_bytes())
        assert ran.returncode == 0, ran.stderr
        assert ("PERCEPTION_POINT_SPAM_RULE" in ran.stdout) is (verdict == "FAIL")
        assert ("X-Spam-Flag: YES" in ran.stdout) is (verdict == "FAIL")


def test_the_round_trip_is_in_sync(tmp_path: Path) -> None:
    made = export(export_script(TARGET), tmp_path, build_site(tmp_path))
    assert state(TARGET, made) is RuleState.EQUAL
    assert TARGET.read(made).advice == ()


def test_a_later_file_counts(tmp_path: Path) -> None:
    site = build_site(tmp_path, "score PERCEPTION_POINT_SPAM_RULE 0")
    assert state(TARGET, export(export_script(TARGET), tmp_path, site)) is RuleState.DISABLED


def test_passwords_stay_out_of_the_export(tmp_path: Path) -> None:
    site = build_site(tmp_path, "user_scores_sql_password swordfish", "# user_scores_sql_password swordfish")
    assert "swordfish" not in export(export_script(TARGET), tmp_path, site)


def test_without_the_file_the_rule_is_absent(tmp_path: Path) -> None:
    site = build_site(tmp_path)
    shutil.rmtree(site)
    site.mkdir()
    assert state(TARGET, export(export_script(TARGET), tmp_path, site)) is RuleState.ABSENT


def test_lint_sees_an_error(tmp_path: Path) -> None:
    """Otherwise the test that it passes would say nothing."""
    site = build_site(tmp_path)
    rule = site / "gateway-spam.cf"
    rule.write_text(rule.read_text().replace("=~ /FAIL/i", "=~ /FAIL("))
    command = [require("spamassassin"), "--local", "--nocreate-prefs", f"--siteconfigpath={site}", "--lint"]
    assert run(command, HOME=str(tmp_path)).returncode != 0
