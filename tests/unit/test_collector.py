"""The collector is as it was afterwards, runs seldom within, and still frees what is dropped in cycles."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import pytest

from reconciler.cli import main
from reconciler.collector import paused_collection, rare_collection
from reconciler.errors import ExitCode


class _Node:
    """Something that can hold itself alive."""

    def __init__(self) -> None:
        self.next: _Node | None = None


def _cycle() -> _Node:
    one, other = _Node(), _Node()
    one.next, other.next = other, one
    return one


def test_thresholds_and_what_was_frozen_come_back() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with rare_collection():
        assert gc.get_threshold()[0] > 10 * before[0]
        assert gc.get_freeze_count() > frozen
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_they_come_back_when_the_work_fails() -> None:
    before = gc.get_threshold()
    with pytest.raises(ZeroDivisionError), rare_collection():
        _ = 1 / 0
    assert gc.get_threshold() == before
    with pytest.raises(ZeroDivisionError), paused_collection():
        _ = 1 / 0
    assert gc.isenabled()


def test_cycles_are_still_freed_while_work_goes_on() -> None:
    """Dropped cycles do not pile up: a run over many dead servers has bounded memory."""
    with rare_collection():
        dropped = weakref.ref(_cycle())
        for _ in range(200_000):
            _cycle()
            if dropped() is None:
                break
        assert dropped() is None


def test_nothing_is_collected_while_it_is_paused() -> None:
    with rare_collection(), paused_collection():
        dropped = weakref.ref(_cycle())
        kept = [_cycle() for _ in range(60_000)]
        assert dropped() is not None
        assert not gc.isenabled()
    assert len(kept) == 60_000


def test_a_pause_within_a_pause_ends_neither() -> None:
    with paused_collection():
        with paused_collection():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_every_verb_collects_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line sets it for whatever runs."""
    seen: list[int] = []

    def look(_arguments: object) -> ExitCode:
        seen.append(gc.get_threshold()[0])
        return ExitCode.DONE

    monkeypatch.setattr("reconciler.cli.validate.run", look)
    before = gc.get_threshold()
    assert main(["validate"]) == 0
    assert seen == [100_000]
    assert gc.get_threshold() == before


def test_the_last_collection_walks_nothing_of_the_run() -> None:
    """At exit all is frozen: with ten thousand domains, walking it took a fifth of `validate`."""
    program = """
import atexit, contextlib, gc
atexit.register(lambda: print(gc.get_freeze_count() > 1000, len(gc.get_objects()) < 100))
from reconciler.cli import main
with contextlib.suppress(SystemExit):
    main(["--version"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True True"
