"""`--jobs`: real processes, some of which are killed, fail, or are left behind by the one that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from engine_work import FOUND, Order, do, prepare, prepare_by_speaking

from reconciler.engines import open_engine
from reconciler.engines.errors import EngineError
from reconciler.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pytestmark = pytest.mark.integration

TESTS = Path(__file__).resolve().parent.parent


def run_each(orders: Sequence[Order], jobs: int = 3) -> list[bytes]:
    with open_engine(None, jobs, prepare) as engine:
        assert engine.shards == jobs
        return sorted(engine.run_each(orders, do))


def eventually(is_so: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it becomes so in time."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def is_running(file: Path) -> bool:
    """Whether the process whose id the file has is there; one that ended and that nobody asked for is not."""
    try:
        return Path(f"/proc/{int(file.read_text())}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_every_order_has_its_result() -> None:
    assert run_each([Order("nothing", str(i)) for i in range(5)]) == [b"0", b"1", b"2", b"3", b"4"]
    assert run_each([]) == []


def test_a_killed_process_loses_nothing_and_the_others_go_on(tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    orders = [Order("nothing", "a"), Order("die-once", "b", killed), Order("nothing", "c")]
    assert run_each(orders) == [b"a", b"b", b"c"]
    assert len(killed.read_text().split()) == 1


def test_an_order_that_is_lost_twice_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="shard 2 of 2 ended before its result") as caught:
        run_each([Order("nothing"), Order("die", file=tmp_path / "killed")])
    [told] = caught.value.diagnostics
    assert "--shard" in told.detail
    assert len((tmp_path / "killed").read_text().split()) == 2


def test_an_error_comes_as_it_was_raised_and_ends_the_others(tmp_path: Path) -> None:
    staying, tried = tmp_path / "staying", tmp_path / "tried"
    with open_engine(None, 2, prepare) as engine, pytest.raises(ManifestError) as caught:
        list(engine.run_each([Order("stay", file=staying), Order("fail", file=tried)], do))
    assert caught.value.diagnostics == FOUND
    assert tried.read_text() == "tried\n"
    assert not staying.exists() or not is_running(staying)


def test_whoever_takes_no_more_results_leaves_nobody_at_work(tmp_path: Path) -> None:
    staying = tmp_path / "staying"
    with open_engine(None, 2, prepare) as engine:
        results = engine.run_each([Order("stay", file=staying), Order("nothing", "a")], do)
        assert next(results) == b"a"
        assert eventually(staying.exists)
        results.close()
    assert not is_running(staying)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_however_the_program_ends_its_processes_end_with_it(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C is sent to all of them, as a terminal does, and only the one that was started says anything."""
    program = tmp_path / "program.py"
    program.write_text(
        "from pathlib import Path\n"
        "from engine_work import Order, do, prepare\n"
        "from reconciler.engines import open_engine\n"
        "from reconciler.termination import termination_as_interrupt\n"
        "if __name__ == '__main__':\n"
        "    with termination_as_interrupt(), open_engine(None, 2, prepare) as engine:\n"
        "        try:\n"
        f"            list(engine.run_each([Order('stay', file=Path({str(tmp_path)!r}, n)) for n in 'ab'], do))\n"
        "        except KeyboardInterrupt:\n"
        "            print('interrupted')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    both = [tmp_path / "a", tmp_path / "b"]
    with subprocess.Popen(
        [sys.executable, program], env=environment, stdout=-1, stderr=-1, start_new_session=True
    ) as process:
        try:
            assert eventually(lambda: all(f.exists() for f in both))
            if number == signal.SIGINT:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    if number == signal.SIGKILL:  # nobody is left to say more than that semaphores were left behind, and removed
        assert (out, err.count(b"UserWarning: resource_tracker")) == (b"", 1)
    else:
        assert (out, err) == (b"interrupted\n", b"")
    assert eventually(lambda: not any(map(is_running, both)))


def test_each_process_is_prepared_once(capfd: pytest.CaptureFixture[str]) -> None:
    with open_engine(None, 2, prepare_by_speaking) as engine:
        assert len(list(engine.run_each([Order("nothing"), Order("nothing")], do))) == 2
    assert capfd.readouterr().err == "prepared\n" * 2
