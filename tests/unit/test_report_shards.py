"""A shard into which no mail domain falls says so: `0 of 0 domains in sync` would read as if something were missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command import Command

if TYPE_CHECKING:
    from pathlib import Path

_SAID = "No domain falls into this shard."


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in its folder."""
    return Command(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("verb", [("drift",), ("drift", "--format", "markdown"), ("plan",)])
def test_one_of_two_shards_has_the_only_service_and_the_other_says_that_it_has_none(
    run: Command, verb: tuple[str, ...]
) -> None:
    told = [run(*verb, "--shard", f"{i}/2").out for i in (1, 2)]
    assert sorted(_SAID in out for out in told) == [False, True]
    (empty,) = (out for out in told if _SAID in out)
    assert "in sync." not in empty.lower()
    assert "No drift" not in empty


@pytest.mark.parametrize("verb", ["drift", "plan"])
def test_a_run_of_all_never_says_it(run: Command, verb: str) -> None:
    assert _SAID not in run(verb).out
