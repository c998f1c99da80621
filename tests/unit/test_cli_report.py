"""`reconciler report` in process: what it writes, what it refuses, and that it changes nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command import GATEWAY, HEAD, Command
from hostile import Page

if TYPE_CHECKING:
    from pathlib import Path

LATER = "2026-11-22T12:00:00+00:00"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """One domain behind the gateway, and one whose values somebody removed."""
    command = Command(tmp_path, monkeypatch, capsys)
    command.zone.write_text(f"{HEAD}{GATEWAY}")
    return command


def text(folder: Path, name: str) -> str:
    return " ".join(Page((folder / "site" / name).read_text(encoding="utf-8")).text.split())


def test_it_writes_the_page_and_nothing_else(run: Command, tmp_path: Path) -> None:
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    ran = run("report", "--out", "site")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "site/index.html: the page of the fleet, 7 files\n"
    after = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and tmp_path / "site" not in p.parents}
    assert after == before
    assert "1 critical finding, of acme.example" in text(tmp_path, "index.html")
    assert "2 of 2 domains" in text(tmp_path, "index.html")


def test_the_journal_gives_timelines_and_counts(run: Command, tmp_path: Path) -> None:
    run("drift", "--record")
    run("report", "--out", "site", now=LATER)
    index = text(tmp_path, "index.html")
    assert "2 looks over 1 day:" in index
    assert "since 2026-11-21 12:00" in index
    page = text(tmp_path, "organizations/acme.html")
    assert "2026-11-21 12:00 difference seen acme.example/token" in page
    assert "MX seen 0 inbound-smtp.eu-west-1.amazonaws.com TTL 3600" in page


def test_a_part_has_the_chosen_domains_alone(run: Command, tmp_path: Path) -> None:
    run("report", "--out", "site", "--domain", "done.example")
    assert "acme.example" not in text(tmp_path, "domains.csv")
    assert "A part of the fleet" in text(tmp_path, "index.html")
    assert "1 of 1 domains" in text(tmp_path, "index.html")


def test_the_same_look_writes_the_same_octets(run: Command, tmp_path: Path) -> None:
    def site() -> dict[str, bytes]:
        assert run("report", "--out", "site").code == 0
        return {p.name: p.read_bytes() for p in (tmp_path / "site").rglob("*") if p.is_file()}

    assert site() == site()


def test_a_folder_of_somebody_else_is_refused_with_what_to_do(run: Command, tmp_path: Path) -> None:
    ran = run("report", "--out", "manifests")
    assert ran.code == 1
    assert "manifests has files that no report wrote: acme.yaml" in ran.err
    assert "Name an empty folder" in ran.err
    assert [p.name for p in (tmp_path / "manifests").iterdir()] == ["acme.yaml"]


def test_manifests_that_cannot_be_used_write_no_page(run: Command, tmp_path: Path) -> None:
    (tmp_path / "manifests" / "acme.yaml").write_text("organization: [")
    assert run("report", "--out", "site").code == 1
    assert not (tmp_path / "site").exists()


def test_a_folder_is_needed(run: Command) -> None:
    assert run("report").code == 64
