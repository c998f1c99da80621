"""A document that no shard made, given to merge: there is nothing to put together, and that is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from command import Command
from shard_lab import KINDS, Kind


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Two domains, one of them in sync."""
    return Command(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_of_no_shard_is_given_back_and_that_there_was_nothing_to_merge_is_said(
    kind: Kind, run: Command
) -> None:
    """As `git merge` says that it is up to date: whoever forgot --shard in every job sees it."""
    alone = run(kind, "--json-into", "whole.json", "--format", "json", "--detailed-exitcode")
    told = "nothing to merge: whole.json is of no shard, and tells everything already; it is given back as it is\n"
    for files in (["whole.json"], ["whole.json", "whole.json"]):
        found = run("merge", *files, "--format", "json", "--detailed-exitcode")
        assert found == replace(alone, err=alone.err + told)
    for index in (1, 2):
        run(kind, "--shard", f"{index}/2", "--json-into", f"{index}.json")
    assert "nothing to merge" not in run("merge", "1.json", "2.json").err


def test_two_documents_of_no_shard_that_differ_are_refused(run: Command) -> None:
    """Not the first is taken, and the other one forgotten."""
    for name, chosen in (("one", "acme.example"), ("two", "done.example")):
        run("plan", "--domain", chosen, "--json-into", f"{name}.json")
    found = run("merge", "one.json", "two.json")
    assert (found.code, found.out) == (1, "")
    assert found.err.count("error[merge-whole]") == 2


@pytest.mark.parametrize("again", [1, 2])
def test_a_drift_of_no_shard_that_was_altered_is_refused_as_a_shards_is(again: int, run: Command) -> None:
    run("drift", "--json-into", "drift.json")
    altered = json.loads(Path("drift.json").read_text())
    altered["findings"] = []
    Path("drift.json").write_text(json.dumps(altered))
    found = run("merge", *["drift.json"] * again)
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith("drift.json: error[merge-altered]: it was altered after it was made")
    assert "`reconciler drift --json-into FILE`" in found.err
