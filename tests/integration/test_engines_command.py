"""`plan` and `drift` with `--jobs` and `--engine`: the bytes of one process, whoever did the work and whoever died."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import NOW
from command import write_folder
from engine_scan import dying_scan, refusing_scan
from servers.dask import cluster

from reconciler import scan
from reconciler.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

pytestmark = [
    pytest.mark.integration,
    # dask's own: a connection that a killed worker leaves is closed by the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in a folder of its own: its exit code, stdout and stderr."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "fleet").mkdir()
    monkeypatch.chdir(tmp_path / "fleet")

    def run(*arguments: str, now: str = NOW.isoformat()) -> tuple[int, str, str]:
        try:
            code = main(["--now", now, *arguments])
        except SystemExit as exc:
            code = int(str(exc.code))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def copy(case: str) -> None:
    shutil.copytree(GOLDEN / case, Path.cwd(), dirs_exist_ok=True)


@pytest.mark.parametrize(
    ("case", "verb", "jobs"),
    [("plan/origins", "plan", "2"), ("plan/onboarding", "plan", "7"), ("drift/drifted", "drift", "2")],
)
def test_several_processes_say_what_one_says(case: str, verb: str, jobs: str, run: Run) -> None:
    """Seven are more than there are parts that have to stay together: some have nothing to look at."""
    copy(case)
    alone = run(verb, "--detailed-exitcode", "--format", "json")
    assert alone[1]
    assert run(verb, "--detailed-exitcode", "--format", "json", "--jobs", jobs) == alone


def test_a_process_that_is_killed_in_the_middle_changes_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    copy("plan/origins")
    alone = run("plan", "--format", "json")
    monkeypatch.setattr(scan, "scan", dying_scan)
    assert run("plan", "--format", "json", "--jobs", "3") == alone
    assert Path("killed").exists()


def test_two_workers_of_a_scheduler_one_of_them_killed_say_what_one_process_says(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy("plan/origins")
    alone = [run(verb, "--format", "json") for verb in ("plan", "drift")]
    (tmp_path / "cluster").mkdir()
    with cluster(tmp_path / "cluster") as running:
        assert [run(verb, "--format", "json", "--engine", running.address) for verb in ("plan", "drift")] == alone
        monkeypatch.setattr(scan, "scan", dying_scan)
        assert run("plan", "--format", "json", "--engine", running.address, "--jobs", "5") == alone[0]
        assert int(Path("killed").read_text()) in {w.pid for w in running.workers}
        assert [w.poll() for w in running.workers].count(None) == 1


def test_what_is_wrong_is_said_once_and_as_one_process_says_it(run: Run) -> None:
    copy("plan/onboarding")
    [manifest, *_] = sorted(Path("manifests").rglob("*.yaml"))
    manifest.write_text(manifest.read_text() + "surplus: 1\n")
    alone = run("plan")
    assert (alone[0], alone[1]) == (1, "")
    assert "surplus" in alone[2]
    assert run("plan", "--jobs", "3") == alone


def test_a_look_of_several_processes_is_recorded_as_one_look(run: Run) -> None:
    """What the journal then knows shows in the next look: since when each difference is seen."""
    later = "2026-11-22T12:00:00+00:00"
    looks = []
    for jobs in ("1", "3"):
        shutil.rmtree(Path.cwd() / ".reconciler", ignore_errors=True)
        shutil.rmtree("manifests", ignore_errors=True)
        shutil.rmtree("zones", ignore_errors=True)
        write_folder(Path.cwd())
        first = run("drift", "--record", "--format", "json")
        again = run("drift", "--record", "--format", "json", "--jobs", jobs, now=later)
        looks.append([first, again, run("drift", "--format", "json", now="2026-11-23T12:00:00+00:00")])
    assert looks[0] == looks[1]
    assert "2026-11-21T12:00:00Z" in looks[0][2][1]


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [
        (["plan"], 12),
        (["drift"], 12),
        (["plan", "--organization", "acme"], 12),
        (["plan", "--domain", "done.example"], None),
        (["plan", "--changed-since", "HEAD"], None),
    ],
)
def test_a_long_look_is_announced_for_all_processes_before_they_begin(
    arguments: list[str], seconds: int | None, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share one rate: together they take as long as one process alone."""
    write_folder(Path.cwd())
    settings = Path("reconciler.yaml")
    slow = 'observe: {dns: {servers: ["192.0.2.53"], rate: 0.5}}'
    settings.write_text(settings.read_text().replace("observe: {zonefiles: zones}", slow))
    monkeypatch.setattr(scan, "scan", refusing_scan)
    code, out, err = run(*arguments, "--jobs", "2")
    assert (code, out) == (1, "")
    told = f"observing takes {seconds} s or more: 192.0.2.53:53 is asked 6 times, at most 0.5 times a second. "
    assert err.startswith(told) is (seconds is not None)
    assert err.count("observing takes") == (seconds is not None)
    assert "2 shards." in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--jobs", "0"], "'0' is no number from 1 to 256"),
        (["--jobs", "many"], "'many' is no number from 1 to 256"),
        (["--engine", "tcp://scheduler.example:8786"], "is no address of a scheduler, as dask://"),
        (["--engine", "dask://scheduler.example"], "is no address of a scheduler, as dask://"),
        (["--jobs", "2", "--shard", "1/2"], "--shard goes with neither --jobs nor --engine"),
    ],
)
@pytest.mark.parametrize("verb", ["plan", "drift"])
def test_what_means_nothing_is_a_usage_error(verb: str, arguments: list[str], said: str, run: Run) -> None:
    code, out, err = run(verb, *arguments)
    assert (code, out) == (64, "")
    assert said in err
