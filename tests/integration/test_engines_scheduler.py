"""`--engine`: a real scheduler with real workers, some of which are killed, fail, or do not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from engine_work import FOUND, Order, do, prepare
from servers.dask import cluster

from reconciler.engines import open_engine, scheduler
from reconciler.engines.errors import EngineError
from reconciler.engines.scheduler import scheduler_address
from reconciler.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.dask import Cluster

pytestmark = [
    pytest.mark.integration,
    # dask's own: a connection that a killed worker leaves is closed by the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A scheduler with two workers, which run in another folder than the test."""
    (tmp_path / "cluster").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with cluster(tmp_path / "cluster") as made:
        yield made


def run_each(running: Cluster, orders: list[Order], jobs: int = 1) -> list[bytes]:
    with open_engine(scheduler_address(running.address), jobs, prepare) as engine:
        return sorted(engine.run_each(orders, do))


def test_every_order_has_its_result_and_there_are_four_shards_for_a_worker(running: Cluster) -> None:
    with open_engine(scheduler_address(running.address), 1, prepare) as engine:
        assert engine.shards == 8
        assert sorted(engine.run_each([Order("nothing", str(i)) for i in range(5)], do)) == [
            b"0",
            b"1",
            b"2",
            b"3",
            b"4",
        ]
        assert list(engine.run_each([], do)) == []
    with open_engine(scheduler_address(running.address), 3, prepare) as engine:
        assert engine.shards == 3


def test_a_killed_worker_loses_nothing(running: Cluster) -> None:
    """Relative paths mean the same on a worker: the file is made where the command runs."""
    killed = Path("killed")
    orders = [Order("die-once", "a", killed), *(Order("nothing", str(i)) for i in range(9))]
    assert run_each(running, orders) == [*(str(i).encode() for i in range(9)), b"a"]
    assert int(killed.read_text()) in {w.pid for w in running.workers}
    assert len([w for w in running.workers if w.poll() is None]) == 1


def test_an_error_of_ours_is_not_tried_again_and_comes_as_it_was_raised(running: Cluster) -> None:
    with pytest.raises(ManifestError) as caught:
        run_each(running, [Order("fail", file=Path("tried"))])
    assert caught.value.diagnostics == FOUND
    assert Path("tried").read_text() == "tried\n"


def test_any_other_error_is_tried_again_before_it_is_told(running: Cluster) -> None:
    with pytest.raises(KeyError, match="unheard-of"):
        run_each(running, [Order("unheard-of")])


def test_where_all_workers_are_killed_the_run_ends(running: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "_NO_WORKER_SECONDS", 1)
    with pytest.raises(EngineError, match="all workers are gone"):
        run_each(running, [Order("die", file=Path("killed"))])
    assert len(Path("killed").read_text().split()) == 2


def test_where_the_scheduler_is_killed_the_run_ends(running: Cluster) -> None:
    with open_engine(scheduler_address(running.address), 1, prepare) as engine:
        results = engine.run_each([Order("nothing", "a"), Order("stay", file=Path("staying"))], do)
        assert next(results) == b"a"
        running.scheduler.kill()
        with pytest.raises(EngineError, match="the scheduler was lost"):
            next(results)


def test_whoever_takes_no_more_results_is_not_kept_waiting(running: Cluster) -> None:
    with open_engine(scheduler_address(running.address), 1, prepare) as engine:
        results = engine.run_each([Order("nothing", "a"), Order("stay", file=Path("staying"))], do)
        assert next(results) == b"a"
        results.close()


def test_workers_of_another_version_are_refused_before_anything_is_done(
    running: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = version("mail-gateway-reconciler")
    monkeypatch.setattr(scheduler, "_here", lambda: "999.0")
    with pytest.raises(EngineError, match=r"this is version 999\.0") as caught:
        run_each(running, [Order("fail", file=Path("tried"))])
    assert caught.value.diagnostics[0].summary.count(f"has version {there}") == 2
    assert not Path("tried").exists()


def test_a_folder_that_a_worker_has_not_is_said(running: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getcwd", lambda: "/there-is-no-such-folder")
    with pytest.raises(EngineError, match="cannot enter /there-is-no-such-folder: No such file or directory"):
        run_each(running, [Order("nothing")])


def test_nobody_at_the_address_and_no_worker_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "_CONNECT_SECONDS", 1)
    with cluster(tmp_path, workers=0) as made, pytest.raises(EngineError, match="has no workers"):
        run_each(made, [])
    with pytest.raises(EngineError, match="no scheduler was reached at tcp://127") as caught:
        run_each(made, [])
    assert "Look whether the scheduler runs" in caught.value.diagnostics[0].detail


def test_tls_without_certificates_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "_CONNECT_SECONDS", 1)
    address = scheduler_address("dask+tls://127.0.0.1:9")
    with pytest.raises(EngineError, match="no scheduler was reached at tls://127"), open_engine(address, 1, prepare):
        pass


def test_without_the_extra_it_is_said_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "distributed.py").write_text("raise ImportError('none here')\n")
    code = (
        "from reconciler.engines import open_engine\n"
        "from reconciler.errors import ReconcilerError\n"
        "try:\n"
        "    with open_engine('tcp://127.0.0.1:9', 1, print): pass\n"
        "except ReconcilerError as exc: print(exc, exc.diagnostics[0].detail)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "not installed" in done.stdout
    assert ".venv/bin/pip install --require-hashes -r requirements-extras.lock" in done.stdout
