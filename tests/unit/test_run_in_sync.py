"""Drift of a fleet in sync: told as ever, whoever asks for it, and without a document where that would say nothing."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import GATEWAY, HEAD, Command
from shard_lab import opened

from reconciler.drift import DriftDocument
from reconciler.report.drift_text import render_drift_text
from reconciler.report.in_sync import render_in_sync
from reconciler.run_drift import drift
from reconciler.run_in_sync import InSync, drift_unless_in_sync
from reconciler.selection import ChangedSince, Selection, Shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALIEN = HEAD + "@ MX 10 mx.elsewhere.example.\n"
LIST = "allowlists: [{target: exchange-receive-connector, name: From gateway, export: exports/hq.json}]\n    domains:"


class Asked:
    """A progress that keeps how much was asked for."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.totals: list[tuple[str, int]] = []

    @contextmanager
    def __call__(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """As `Progress`."""
        self.totals.append((what, total))
        yield lambda _done: None


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Two domains behind the gateway."""
    command = Command(tmp_path, monkeypatch, capsys)
    command.zone.write_text(f'{HEAD}{GATEWAY}_amazonses TXT "token-of-acme.example"\n')
    return command


def rewritten(file: str, old: str, new: str) -> None:
    path = Path(file)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    "selection", [Selection(), Selection(domains=("done.example",)), Selection(organizations=("acme",))]
)
@pytest.mark.parametrize("color", [True, False])
def test_the_text_is_that_of_the_document(selection: Selection, color: bool) -> None:  # noqa: FBT001
    found = drift_unless_in_sync(opened(), selection)
    assert isinstance(found, InSync)
    document = drift(opened(), selection)
    assert render_in_sync(found.domains, color=color) == render_drift_text(document, color=color)


def test_in_sync_no_document_is_made(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.run_drift.drift_of", None)
    ran = run("drift", "--detailed-exitcode", "--fail-on", "info")
    assert (ran.code, ran.out, ran.err) == (0, "No drift: 2 of 2 domains in sync.\n", "")


_PROGRAM = """
import sys
from reconciler.cli import main
code = main(["--now", "2026-11-21T12:00:00+00:00", "drift"])
print(*sorted(sys.modules), sep="\\n", file=sys.stderr)
sys.exit(code)
"""
_FOR_WHAT_DIFFERS = frozenset(
    {
        "jinja2",
        "reconciler.decide",
        "reconciler.document",
        "reconciler.drift",
        "reconciler.gates",
        "reconciler.plan",
        "reconciler.proof",
        "reconciler.run",
        "reconciler.service_plan",
        "reconciler.surroundings",
        "sqlalchemy",
    }
)


@pytest.mark.usefixtures("run")
def test_in_sync_nothing_is_imported_that_plans_or_documents() -> None:
    """Of ten thousand mail domains it would be a quarter of the time."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert set(done.stderr.splitlines()) & _FOR_WHAT_DIFFERS == set()


@pytest.mark.parametrize("broken", [("acme.example",), ("done.example",), ("acme.example", "done.example")])
def test_what_differs_is_told_as_in_the_document_and_asked_for_once(run: Command, broken: tuple[str, ...]) -> None:
    for name in broken:
        Path(f"zones/{name}.zone").write_text(ALIEN)
    asked = Asked()
    found = drift_unless_in_sync(opened(progress=asked), Selection())
    assert found == drift(opened(), Selection())
    assert [total for what, total in asked.totals if what == "observing"] == [4]
    assert run("drift", "--detailed-exitcode").code == 2


@pytest.mark.usefixtures("run")
def test_a_freeze_and_the_kill_switch_hold_nothing_that_is_in_sync() -> None:
    with Path("reconciler.yaml").open("a") as settings:
        settings.write('kill_switch: "nobody is here"\n')
    assert isinstance(drift_unless_in_sync(opened(), Selection()), InSync)
    assert not drift(opened(), Selection()).diagnostics


@pytest.mark.usefixtures("run")
def test_what_manifests_tell_is_told_though_all_is_in_sync() -> None:
    """Of those whose domains are looked at."""
    text = Path("manifests/acme.yaml").read_text().replace("region: eu", "region: au")
    Path("manifests/globex.yaml").write_text(text.replace("acme", "globex").replace("done", "there"))
    for name in ("globex.example", "there.example"):
        Path(f"zones/{name}.zone").write_text(f'{HEAD}{GATEWAY}_amazonses TXT "token-of-{name}"\n')
    found = drift_unless_in_sync(opened(), Selection())
    assert isinstance(found, DriftDocument)
    assert [d.code for d in found.diagnostics] == ["au-mx-host"]
    assert found == drift(opened(), Selection())
    assert drift_unless_in_sync(opened(), Selection(organizations=("acme",))) == InSync(2)


def test_an_orphan_is_told_though_all_that_is_declared_is_in_sync(run: Command) -> None:
    assert run("drift", "--record").code == 0
    rewritten("manifests/acme.yaml", "name: done.example", "name: other.example")
    Path("zones/other.example.zone").write_text(f'{HEAD}{GATEWAY}_amazonses TXT "token-of-done.example"\n')
    ran = run("drift")
    assert "done.example  orphaned" in ran.out
    assert isinstance(drift_unless_in_sync(opened(), Selection(domains=("other.example",))), InSync)


def test_a_journal_that_was_restored_is_told_though_all_is_in_sync(run: Command, tmp_path: Path) -> None:
    assert run("drift", "--record").code == 0
    backup = (tmp_path / ".reconciler" / "journal.sqlite3").read_bytes()
    assert run("drift", "--record").code == 0
    (tmp_path / ".reconciler" / "journal.sqlite3").write_bytes(backup)
    found = drift_unless_in_sync(opened(), Selection())
    assert isinstance(found, DriftDocument)
    assert [d.code for d in found.diagnostics] == ["journal-restored"]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("selection", [Selection(shard=Shard(1, 1)), Selection(shard=Shard(1, 2))])
def test_a_shard_has_a_document_always(selection: Selection) -> None:
    found = drift_unless_in_sync(opened(), selection)
    assert found == drift(opened(), selection)


@pytest.mark.usefixtures("run")
def test_origins_are_looked_at_with_all_of_their_domains() -> None:
    rewritten("manifests/acme.yaml", "domains:", LIST)
    asked = Asked()
    found = drift_unless_in_sync(opened(progress=asked), Selection(domains=("done.example",)))
    assert found == drift(opened(), Selection(domains=("done.example",)))
    assert asked.totals == [("observing", 4)]


@pytest.mark.usefixtures("run")
def test_a_revision_is_compared_with_as_ever() -> None:
    selection = Selection(changed_since=ChangedSince("HEAD", Path("reconciler.yaml")))
    with pytest.raises(Exception, match="git") as quick:
        drift_unless_in_sync(opened(), selection)
    with pytest.raises(type(quick.value), match="git"):
        drift(opened(), selection)
