"""Applying in process: saved plans are used once, in time, and whole; what is wrong writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import HEAD, Command

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in its folder."""
    return Command(tmp_path, monkeypatch, capsys)


def test_apply_writes_what_is_ready_and_a_second_run_writes_nothing(run: Command) -> None:
    first = run("apply", "--auto-approve")
    assert (first.code, first.err) == (3, "")
    assert "acme.example  applied" in first.out
    assert "_amazonses" in run.zone.read_text()
    second = run("apply", "--auto-approve")
    assert (second.code, second.err) == (0, "")
    before = run.zone.read_bytes()
    assert "In sync. 2 domains, nothing to apply." in run("apply", "--auto-approve").out
    assert run.zone.read_bytes() == before


def test_a_saved_plan_is_applied_once(run: Command) -> None:
    run("plan", "--out", "plan.json")
    assert run("apply", "plan.json").code == 3
    again = run("apply", "plan.json")
    assert (again.code, again.out) == (4, "")
    assert "error[plan-used]" in again.err


def test_a_saved_plan_expires(run: Command) -> None:
    run("plan", "--out", "plan.json")
    before = run.zone.read_bytes()
    ran = run("apply", "plan.json", now="2026-11-22T12:00:01+00:00")
    assert (ran.code, ran.out) == (4, "")
    assert "plan.json: error[plan-expired]" in ran.err
    assert run.zone.read_bytes() == before
    assert run("apply", "plan.json", now="2026-11-22T12:00:00+00:00").code == 3


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda text: text[: len(text) // 2], "no complete JSON document"),
        (lambda _text: "", "no complete JSON document"),
        (lambda _text: "[]", "format_version is None"),
        (lambda text: text.replace('"format_version": "1.0"', '"format_version": "2.0"'), "this program reads 1.x"),
        (lambda text: text.replace("token-of-acme.example", "token-of-evil.example"), "altered"),
        (lambda text: text.replace('"kind": "plan"', '"kind": "drift"'), "not as it was written"),
        (lambda text: text.replace('"kind": "plan"', '"kind": "\\ud800"'), "no complete JSON document"),
    ],
)
def test_a_plan_that_is_not_whole_is_refused(run: Command, alter: Callable[[str], str], said: str) -> None:
    run("plan", "--out", "plan.json")
    Path("plan.json").write_text(alter(Path("plan.json").read_text()))
    before = run.zone.read_bytes()
    ran = run("apply", "plan.json")
    assert (ran.code, ran.out) == (1, "")
    assert "plan.json: error[plan-file]" in ran.err
    assert said in ran.err
    assert run.zone.read_bytes() == before


def test_a_plan_that_is_too_large_is_not_parsed(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    run("plan", "--out", "plan.json")
    size = Path("plan.json").stat().st_size
    monkeypatch.setattr("reconciler.document.file._MAX_PLAN_OCTETS", size - 1)
    assert "the plan is too large" in run("apply", "plan.json").err
    monkeypatch.setattr("reconciler.document.file._MAX_PLAN_OCTETS", size)
    assert run("apply", "plan.json").code == 3


@pytest.mark.parametrize("name", ["none.json", "zones"])
def test_a_plan_that_cannot_be_read_is_an_error(run: Command, name: str) -> None:
    ran = run("apply", name)
    assert (ran.code, ran.out) == (1, "")
    assert f"{name}: error[plan-file]: the plan cannot be read" in ran.err


def test_an_error_of_the_plan_comes_on_stderr_when_it_is_applied(run: Command) -> None:
    run.zone.write_text(f"{HEAD}_amazonses CNAME \\027[31m.elsewhere.\n")
    ran = run("apply", "--auto-approve")
    assert ran.code == 1
    assert "error[cname-token]" in ran.err
    assert "error" not in ran.out


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("kill_switch: the vendor is down\n", "warning[kill-switch]: the kill switch is on: the vendor is down"),
        ("freeze: [{from: 2026-11-01, until: 2026-11-30, reason: sales}]\n", "advisory[freeze]: nothing is written"),
    ],
)
def test_what_stops_the_whole_run_is_told(run: Command, setting: str, said: str) -> None:
    settings = Path("reconciler.yaml")
    settings.write_text(settings.read_text() + setting)
    before = run.zone.read_bytes()
    ran = run("apply", "--auto-approve")
    assert (ran.code, run.zone.read_bytes()) == (3, before)
    assert said in ran.err
