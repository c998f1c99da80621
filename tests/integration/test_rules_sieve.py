"""The Sieve rule with Dovecot's compiler, its dry run, and its settings."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rules_lab import export, export_script, message, rule_file, run, state
from servers.processes import require

from reconciler.targets.mail_rule import RuleState
from reconciler.targets.sieve import Sieve

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

TARGET = Sieve()


@pytest.fixture
def shared_path() -> Iterator[Path]:
    """A folder that a server's own user may read, which pytest's folders are not."""
    with tempfile.TemporaryDirectory(prefix="rules-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def install(folder: Path, text: str | None = None) -> tuple[Path, Path]:
    """The script in a folder that a Dovecot configuration names, and the configuration."""
    before = folder / "before"
    before.mkdir(exist_ok=True)
    script = before / "gateway-spam.sieve"
    script.write_text(rule_file(TARGET) if text is None else text)
    configuration = folder / "dovecot.conf"
    configuration.write_text(f"plugin {{\n  sieve_before = file:{before};name=gateway\n}}\n")
    return script, configuration


def dry_run(script: Path, own: Path, verdict: str | None) -> str:
    """What would be done with a message by the script and then by a user's own."""
    uid = "nobody" if os.getuid() == 0 else str(os.getuid())
    users = ["-o", f"mail_uid={uid}", "-o", f"mail_gid={'nogroup' if uid == 'nobody' else os.getgid()}"]
    command: list[str | Path] = [require("sieve-test"), *users, "-o", "mail_home=/nonexistent", "-s", script, own]
    ran = run([*command, message(own.parent, verdict)])
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_it_compiles(tmp_path: Path) -> None:
    script, _ = install(tmp_path)
    ran = run([require("sievec"), script])
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_the_compiler_sees_an_error(tmp_path: Path) -> None:
    """Otherwise the test before this one would say nothing."""
    script, _ = install(tmp_path, rule_file(TARGET).replace(":contains", ":contain"))
    assert run([require("sievec"), script]).returncode != 0


def test_marked_mail_goes_to_junk_and_no_further(shared_path: Path) -> None:
    """A user's own script, which would file everything elsewhere, sees only what is not marked."""
    script, _ = install(shared_path)
    own = shared_path / "own.sieve"
    own.write_text('require "fileinto";\nfileinto "Everything";\n')
    marked = dry_run(script, own, "FAIL")
    assert "store message in folder: Junk" in marked
    assert "create mailbox if it does not exist" in marked
    assert "Everything" not in marked
    for verdict in ("PASS", None):
        clean = dry_run(script, own, verdict)
        assert "Junk" not in clean
        assert "store message in folder: Everything" in clean


def test_the_round_trip_is_in_sync(tmp_path: Path) -> None:
    require("doveconf")
    script, configuration = install(tmp_path)
    assert state(TARGET, export(export_script(TARGET), tmp_path, script, configuration)) is RuleState.EQUAL


def test_a_script_that_dovecot_does_not_include_is_disabled(tmp_path: Path) -> None:
    require("doveconf")
    script, configuration = install(tmp_path)
    configuration.write_text("plugin {\n  sieve_before = /nowhere\n}\n")
    made = export(export_script(TARGET), tmp_path, script, configuration)
    assert state(TARGET, made) is RuleState.DISABLED
    assert [a.code for a in TARGET.read(made).advice] == ["sieve-not-included"]


def test_without_the_script_the_rule_is_absent(tmp_path: Path) -> None:
    require("doveconf")
    script, configuration = install(tmp_path)
    script.unlink()
    assert state(TARGET, export(export_script(TARGET), tmp_path, script, configuration)) is RuleState.ABSENT


def test_a_configuration_that_dovecot_cannot_read_gives_no_export(tmp_path: Path) -> None:
    require("doveconf")
    script, configuration = install(tmp_path)
    configuration.write_text("plugin {\n")
    path = tmp_path / "export.sh"
    path.write_text(export_script(TARGET))
    ran = run(["sh", path, script, configuration])
    assert ran.returncode != 0
    assert ran.stdout == ""
