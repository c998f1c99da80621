"""Git by its objects: which commit is compared with, what is in it, and which files are other ones now."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from builders import catalog
from changed_builders import TODAY, committed, git
from command import manifest

from reconciler.changed import RevisionError
from reconciler.changed import manifests_then as then_module
from reconciler.changed.files import FileComparison
from reconciler.changed.manifests_then import UnusableManifestsError, is_manifest, load_manifests_then
from reconciler.changed.repository import Repository

GLOBAL = ("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a file and a folder of files."""
    monkeypatch.setenv(*GLOBAL)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    made = tmp_path / "repository"
    (made / "many").mkdir(parents=True)
    (made / "many" / "b\u00fccher.txt").write_text("one\n")
    (made / "a.txt").write_text("two\n")
    committed(made)
    return made


def compared(folder: Path) -> FileComparison:
    repository = Repository(folder)
    return FileComparison(repository.root, repository.entries(git(folder, "rev-parse", "HEAD")))


def codes(refused: pytest.ExceptionInfo[RevisionError]) -> list[str]:
    return [d.code for d in refused.value.diagnostics]


def test_a_folder_below_the_root_is_found_through_links(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    repository = Repository(tmp_path / "link" / "many")
    assert (repository.root, repository.folder) == (folder.resolve(), "many")
    assert Repository(folder).folder == ""


def test_the_folder_must_be_in_the_working_tree(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment can name a repository that is elsewhere."""
    monkeypatch.setenv("GIT_DIR", str(folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(folder))
    with pytest.raises(RevisionError) as caught:
        Repository(tmp_path)
    assert codes(caught) == ["no-repository"]


def test_every_entry_has_its_mode_and_its_blob(folder: Path) -> None:
    (folder / "link").symlink_to("a.txt")
    commit = committed(folder)
    repository = Repository(folder)
    entries = repository.entries(commit)
    assert {path: e.mode for path, e in entries.items()} == {
        "a.txt": "100644",
        "link": "120000",
        "many/b\u00fccher.txt": "100644",
    }
    blobs = [entries["a.txt"].blob, entries["many/b\u00fccher.txt"].blob, entries["a.txt"].blob]
    assert repository.sizes(blobs) == [4, 4, 4]
    assert repository.contents(blobs) == [b"two\n", b"one\n", b"two\n"]


@pytest.mark.parametrize("content", [b"", b"\n", b"a\n\nb", b"\0\xff", b"x" * 100_000])
def test_contents_come_octet_by_octet(folder: Path, content: bytes) -> None:
    (folder / "a.txt").write_bytes(content)
    repository = Repository(folder)
    entries = repository.entries(committed(folder))
    assert repository.contents([e.blob for e in entries.values()]) == [content, b"one\n"]
    assert not compared(folder).is_other("a.txt")


def test_objects_that_are_not_here_are_said(folder: Path) -> None:
    repository = Repository(folder)
    missing = "0" * 40
    for ask in (repository.sizes, repository.contents):
        with pytest.raises(RevisionError) as caught:
            ask([missing])
        assert codes(caught) == ["revision-unreadable"]
    with pytest.raises(RevisionError) as caught:
        repository.entries(missing)
    assert codes(caught) == ["revision-unreadable"]


def test_the_common_commit_is_the_base(folder: Path) -> None:
    first = git(folder, "rev-parse", "HEAD")
    git(folder, "tag", "--annotate", "--message", "first", "v1")
    second = committed(folder)
    repository = Repository(folder)
    assert repository.base_of("v1").commit == first
    assert repository.base_of("HEAD^").commit == first
    assert repository.base_of(second).short == second[:12]
    git(folder, "switch", "--quiet", "--orphan", "other")
    other = committed(folder)
    (told,) = repository.base_of(second).diagnostics
    assert (repository.base_of(second).commit, told.code) == (second, "no-merge-base")
    assert repository.base_of(other).diagnostics == ()


def test_a_revision_is_never_an_option(folder: Path) -> None:
    """A branch can be made whose name looks like one."""
    head = git(folder, "rev-parse", "HEAD")
    git(folder, "update-ref", "refs/heads/-x", head)
    git(folder, "update-ref", "refs/heads/--all", head)
    repository = Repository(folder)
    assert (repository.base_of("-x").commit, repository.base_of("--all").commit) == (head, head)


def test_a_file_whose_name_ends_like_a_revision_is_no_commit(folder: Path) -> None:
    (folder / "evil^{commit}").write_text("not a commit\n")
    committed(folder)
    with pytest.raises(RevisionError) as caught:
        Repository(folder).base_of("HEAD:evil")
    assert codes(caught) == ["no-such-revision"]


def test_files_are_compared_octet_by_octet(folder: Path, tmp_path: Path) -> None:
    files = compared(folder)
    assert not files.is_changed(folder, "a.txt")
    assert not files.is_changed(folder / "many", "../a.txt")
    assert not files.is_changed(folder, "never.txt")
    assert not files.is_changed(tmp_path, "outside.txt"), "it is none of the commit's"
    (folder / "a.txt").write_text("two\r\n")
    assert files.is_changed(folder, "a.txt")
    (folder / "a.txt").unlink()
    assert files.is_changed(folder, "a.txt")
    (folder / "never.txt").write_text("")
    assert files.is_changed(folder, "never.txt")
    assert not files.is_changed(folder, "never.txt/below")


def test_what_is_no_plain_file_counts_as_changed(folder: Path) -> None:
    """A link, what is reached by one, a FIFO (which nobody waits for), and a folder in a file's place."""
    files = compared(folder)
    (folder / "linked").symlink_to("many")
    assert files.is_changed(folder, "linked/b\u00fccher.txt")
    for make in (lambda p: p.symlink_to("many/b\u00fccher.txt"), os.mkfifo, Path.mkdir):
        (folder / "a.txt").unlink(missing_ok=True)
        make(folder / "a.txt")
        assert files.is_changed(folder, "a.txt")


def test_a_file_behind_a_new_link_counts_as_changed(folder: Path) -> None:
    """Also with the same octets: what it leads to may be another thing at any time."""
    files = compared(folder)
    (folder / "many").rename(folder / "real")
    (folder / "many").symlink_to("real")
    assert files.is_other("many/b\u00fccher.txt")


def test_a_link_at_the_commit_is_no_file_of_the_same_octets(folder: Path) -> None:
    (folder / "link").symlink_to("a.txt")
    committed(folder)
    files = compared(folder)
    (folder / "link").unlink()
    (folder / "link").write_text("a.txt")
    assert files.is_other("link")


def test_a_folder_is_compared_with_all_that_is_below_it(folder: Path, tmp_path: Path) -> None:
    files = compared(folder)
    assert not files.is_folder_changed(folder / "many")
    assert not files.is_folder_changed(tmp_path / "nowhere")
    assert files.names_then(folder) == {"a.txt", "many/b\u00fccher.txt"}
    (folder / "many" / "deep").symlink_to(tmp_path)
    assert files.is_folder_changed(folder / "many")
    (folder / "many" / "deep").unlink()
    (folder / "many" / "deep").mkdir()
    assert not files.is_folder_changed(folder / "many")
    (folder / "many" / "deep" / "new").write_text("")
    assert files.is_folder_changed(folder / "many")


def test_a_repository_of_sha_256_is_compared_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(*GLOBAL)
    subprocess.run(["git", "init", "--quiet", "--object-format=sha256", tmp_path], check=True)
    (tmp_path / "a.txt").write_text("two\n")
    committed(tmp_path)
    files = compared(tmp_path)
    assert not files.is_other("a.txt")
    (tmp_path / "a.txt").write_text("three\n")
    assert files.is_other("a.txt")


@pytest.mark.parametrize(
    ("path", "folder", "is_one"),
    [
        ("manifests/a.yaml", "manifests", True),
        ("manifests/deep/A.YML", "manifests", True),
        ("manifests/a.json", "manifests", False),
        ("manifests/.hidden.yaml", "manifests", False),
        ("manifests/.git/a.yaml", "manifests", False),
        ("other/a.yaml", "manifests", False),
        ("manifests2/a.yaml", "manifests", False),
        ("a.yaml", "", True),
        (".configuration/manifests/a.yaml", ".configuration/manifests", True),
    ],
)
def test_manifests_are_what_the_loader_would_take(path: str, folder: str, *, is_one: bool) -> None:
    assert is_manifest(path, folder) == is_one


def loaded(folder: Path, **files: str) -> then_module.ManifestsThen:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    repository = Repository(folder)
    entries = {p: e for p, e in repository.entries(committed(folder)).items() if is_manifest(p, "")}
    return load_manifests_then(repository, entries, catalog(), TODAY)


def test_manifests_then_are_loaded_and_know_their_places(folder: Path) -> None:
    then = loaded(folder, z=manifest("z.example"), a=manifest("a.example").replace("acme", "other", 1))
    assert {d.written: then.place(d.source).file for d in then.fleet.domains} == {
        "a.example": "a.yaml",
        "z.example": "z.yaml",
    }


def test_nothing_and_manifests_without_domains_declare_nothing(folder: Path) -> None:
    assert loaded(folder) == then_module.NOTHING
    empty = "organization: acme\nregion: eu\nescalation_contacts: [a@acme.example]\nservices: []\n"
    assert loaded(folder, empty=empty) == then_module.NOTHING


def test_manifests_that_are_not_valid_say_where(folder: Path) -> None:
    with pytest.raises(UnusableManifestsError, match=r"^wrong\.yaml:1: "):
        loaded(folder, right=manifest("a.example"), wrong="organisation: other\n")


def test_too_many_and_too_large_manifests_are_not_loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = manifest("a.example")
    for limit, value in (("MAX_FILES", 0), ("MAX_TOTAL_OCTETS", len(whole) - 1), ("MAX_OCTETS", len(whole) - 1)):
        with monkeypatch.context() as patched:
            patched.setattr(then_module, limit, value)
            with pytest.raises(UnusableManifestsError, match="too many, or too large"):
                loaded(folder, a=whole)
    assert len(loaded(folder, a=whole).fleet.domains) == 1
