"""The folder of the page: ours alone, written whole, and nothing of somebody else's is ever replaced or removed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from site_builders import fleet, seen

from reconciler.errors import EmitError
from reconciler.site import build_site, write_site
from reconciler.site.folder import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

ONE = {"index.html": lambda: b"one", "organizations/acme.html": lambda: b"acme"}
OTHER = {"index.html": lambda: b"two", "organizations/globex.html": lambda: b"globex"}


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def written(folder: Path) -> dict[str, bytes]:
    """The files without our list of them."""
    return {name: octets for name, octets in contents(folder).items() if name != MANIFEST}


def refused(folder: Path) -> str:
    before = contents(folder) if folder.is_dir() else {}
    with pytest.raises(EmitError) as caught:
        write_site(folder, ONE)
    assert (contents(folder) if folder.is_dir() else {}) == before
    return caught.value.diagnostics[0].summary


def test_a_new_folder_has_the_files_and_the_list_of_them(tmp_path: Path) -> None:
    write_site(tmp_path / "a" / "site", ONE)
    assert written(tmp_path / "a" / "site") == {"index.html": b"one", "organizations/acme.html": b"acme"}
    assert json.loads((tmp_path / "a" / "site" / MANIFEST).read_text())["files"] == sorted(ONE)


def test_what_an_earlier_report_wrote_is_replaced_or_removed(tmp_path: Path) -> None:
    write_site(tmp_path, ONE)
    write_site(tmp_path, OTHER)
    assert written(tmp_path) == {"index.html": b"two", "organizations/globex.html": b"globex"}


@pytest.mark.parametrize("name", ["notes.txt", "organizations/notes.html", ".git/config", "a/b/c", ".index.html.swp"])
def test_a_folder_with_something_of_somebody_else_is_refused(tmp_path: Path, name: str) -> None:
    write_site(tmp_path, ONE)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    assert name in refused(tmp_path)


def test_a_folder_of_files_without_our_list_is_refused_even_when_they_have_our_names(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("my home page")
    assert "index.html" in refused(tmp_path)


def test_an_empty_folder_of_somebody_else_is_seen(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty/" in refused(tmp_path)


@pytest.mark.parametrize(
    "listed",
    [
        ["../outside.txt"],
        ["/etc/passwd"],
        ["notes.txt"],
        ["organizations/../notes.txt"],
        ["organizations/a/b.html"],
        "notes.txt",
        {"notes.txt": 1},
        [["notes.txt"], 7, None],
        None,
    ],
)
def test_a_list_that_lies_claims_nothing_that_is_no_page(tmp_path: Path, listed: object) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    folder = tmp_path / "site"
    write_site(folder, ONE)
    (folder / MANIFEST).write_text(json.dumps({"files": listed}))
    (folder / "notes.txt").write_text("mine")
    assert "notes.txt" in refused(folder)
    (folder / "notes.txt").unlink()
    assert outside.read_text() == "mine"


@pytest.mark.parametrize("octets", [b"", b"[]", b"{", b"\xff\xfe", b"7"])
def test_a_list_that_cannot_be_read_makes_nothing_ours(tmp_path: Path, octets: bytes) -> None:
    write_site(tmp_path, ONE)
    (tmp_path / MANIFEST).write_bytes(octets)
    assert "index.html" in refused(tmp_path)


def test_links_are_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "acme.html").write_text("mine")
    folder = tmp_path / "site"
    write_site(folder, {"index.html": lambda: b"one"})
    (folder / "organizations").symlink_to(outside, target_is_directory=True)
    assert "organizations" in refused(folder)
    assert (outside / "acme.html").read_text() == "mine"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")
    assert "is no folder" in refused(tmp_path / "site")
    assert (tmp_path / "site").read_text() == "mine"


def test_nothing_is_written_when_a_page_cannot_be_built(tmp_path: Path) -> None:
    write_site(tmp_path, ONE)
    before = contents(tmp_path)

    def fails() -> bytes:
        raise EmitError([])

    with pytest.raises(EmitError):
        write_site(tmp_path, {**OTHER, "organizations.html": fails})
    assert contents(tmp_path) == before


def test_what_a_killed_run_left_is_taken_up_by_the_next(tmp_path: Path) -> None:
    write_site(tmp_path, ONE)
    # as after a kill between two files: the list is of both reports, and one file is half made
    (tmp_path / MANIFEST).write_text(json.dumps({"files": sorted({*ONE, *OTHER})}))
    (tmp_path / "organizations" / "globex.html").write_bytes(b"globex")
    (tmp_path / "organizations" / ".globex.html.abc_12x9").write_bytes(b"glo")
    (tmp_path / f".{MANIFEST}.abcdefgh").write_bytes(b"{")
    write_site(tmp_path, ONE)
    assert written(tmp_path) == {"index.html": b"one", "organizations/acme.html": b"acme"}


def test_a_whole_site_is_taken_back_to_a_smaller_one(tmp_path: Path) -> None:
    write_site(tmp_path, build_site(fleet(9, 3), None))
    write_site(tmp_path, build_site(seen(), None))
    assert sorted(written(tmp_path)) == [
        "domains.csv",
        "icon.svg",
        "index.html",
        "organizations.html",
        "organizations/acme.html",
        "site.css",
        "site.js",
    ]
