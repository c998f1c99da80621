"""From a revision to what is touched: manifests, exports, master files, and what every plan is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import NOW
from changed_builders import committed, git
from command import HEAD, OLD, manifest, write_folder

import reconciler.catalog
from reconciler.changed import Changes, RevisionError, find_changes
from reconciler.invocation import open_invocation
from reconciler.run_validate import validate
from reconciler.selection import ChangedSince

if TYPE_CHECKING:
    from pathlib import Path

LISTS = """    allowlists: [{target: plain, export: exports/list.txt}]
    spam_rule: {target: sieve, export: exports/rule.sieve}
    domains:
"""
DONE = {"done.example."}
ACME = {"acme.example.", *DONE}
EVERYONE = {*ACME, "other.example."}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """acme.example and done.example of one organization, other.example of another, with exports; committed."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write_folder(tmp_path)
    other = manifest("other.example").replace("organization: acme", "organization: other")
    other = other.replace("kind: exchange", "kind: postfix").replace("    domains:\n", LISTS)
    (tmp_path / "manifests" / "other.yaml").write_text(other)
    (tmp_path / "zones" / "other.example.zone").write_text(f"{HEAD}{OLD}")
    (tmp_path / "exports").mkdir()
    for name in ("list.txt", "rule.sieve"):
        (tmp_path / "exports" / name).write_text("")
    committed(tmp_path)
    return tmp_path


def found(folder: Path, revision: str = "HEAD") -> Changes:
    settings = folder / "reconciler.yaml"
    invocation = open_invocation(
        manifests=folder / "manifests",
        settings_file=settings,
        is_settings_required=False,
        now=NOW,
        commit=None,
        progress=None,  # type: ignore[arg-type] # nothing long is done here
    )
    fleet, _ = validate(invocation, ())
    return find_changes(
        ChangedSince(revision, settings),
        fleet,
        manifests=invocation.manifests,
        settings=invocation.settings,
        catalog=invocation.catalog,
        today=NOW.date(),
    )


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_nothing_changed(folder: Path) -> None:
    changes = found(folder)
    assert (changes.touched, changes.everything, changes.undeclared) == (frozenset(), (), ())
    assert changes.since.commit == git(folder, "rev-parse", "HEAD")
    assert changes.diagnostics == ()


def test_a_manifest_touches_what_it_declares_otherwise(folder: Path) -> None:
    edited(folder / "manifests" / "acme.yaml", "token-of-done.example", "another")
    assert found(folder).touched == DONE
    edited(folder / "manifests" / "acme.yaml", "secops@acme.example", "other@acme.example")
    assert found(folder).touched == ACME


def test_a_domain_in_another_organization_is_touched_and_still_declared(folder: Path) -> None:
    text = manifest("acme.example")
    (folder / "manifests" / "acme.yaml").write_text(text)
    moved = manifest("done.example").replace("organization: acme", "organization: new")
    (folder / "manifests" / "new.yaml").write_text(moved)
    changes = found(folder)
    assert (set(changes.touched), changes.undeclared) == (DONE, ())


def test_what_was_taken_out_has_its_place_at_the_commit(folder: Path) -> None:
    (folder / "manifests" / "other.yaml").unlink()
    ((domain, place),) = found(folder).undeclared
    assert (domain.written, place.file, place.line) == ("other.example", "manifests/other.yaml", 15)


@pytest.mark.parametrize("name", ["list.txt", "rule.sieve"])
def test_an_export_touches_the_domains_of_its_service(folder: Path, name: str) -> None:
    (folder / "exports" / name).write_text("changed")
    assert found(folder).touched == {"other.example."}
    (folder / "exports" / name).unlink()
    assert found(folder).touched == {"other.example."}


def test_a_master_file_touches_what_is_in_its_zone(folder: Path) -> None:
    zones = folder / "zones"
    edited(zones / "done.example.zone", "SOA", "SOA ")
    assert found(folder).touched == DONE
    (zones / "example.zone").write_text(HEAD)  # above all of them, which have zones of their own
    (zones / "unused.txt").write_text("")
    assert found(folder).touched == DONE
    (zones / "acme.example.zone").unlink()  # so that acme.example is in the new one
    assert found(folder).touched == ACME
    (zones / "_amazonses.other.example.zone").write_text(HEAD)
    assert found(folder).touched == EVERYONE


def test_a_zone_that_the_manifest_names_counts_too(folder: Path) -> None:
    edited(
        folder / "manifests" / "other.yaml", "- name: other.example\n", "- name: other.example\n        zone: example\n"
    )
    (folder / "zones" / "example.zone").write_text(HEAD)
    committed(folder)
    edited(folder / "zones" / "example.zone", "SOA", "SOA ")
    assert found(folder).touched == {"other.example."}


def test_without_master_files_zones_are_none_of_ours(folder: Path) -> None:
    edited(folder / "reconciler.yaml", "observe: {zonefiles: zones}", "observe: {}")
    committed(folder)
    edited(folder / "zones" / "done.example.zone", "SOA", "SOA ")
    assert found(folder).touched == frozenset()


def test_master_files_that_are_gone_touch_all(folder: Path) -> None:
    for path in (folder / "zones").iterdir():
        path.unlink()
    (folder / "zones").rmdir()
    assert found(folder).touched == EVERYONE


def test_settings_touch_everything_also_when_they_are_new_or_gone(folder: Path) -> None:
    said = (f"the settings ({folder / 'reconciler.yaml'}) are not the same",)
    (folder / "reconciler.yaml").unlink()
    assert found(folder).everything == said
    committed(folder)
    assert found(folder).everything == ()
    (folder / "reconciler.yaml").write_text("default_provider: manual\n")
    assert found(folder).everything == said


def test_a_catalog_and_templates_of_ones_own_touch_everything(folder: Path) -> None:
    shipped = reconciler.catalog.__path__[0]
    with (folder / "reconciler.yaml").open("a") as settings:
        settings.write("catalog: own.yaml\ntemplates: pages\n")
    with open(f"{shipped}/catalog.yaml", encoding="utf-8") as file:  # noqa: PTH123
        (folder / "own.yaml").write_text(file.read())
    (folder / "pages").mkdir()
    (folder / "pages" / "one.j2").write_text("one")
    committed(folder)
    assert found(folder).everything == ()
    with (folder / "own.yaml").open("a") as catalog:
        catalog.write("# more\n")
    (folder / "pages" / "one.j2").write_text("two")
    assert found(folder).everything == (
        "the catalog (own.yaml) is not the same",
        f"the templates ({folder / 'pages'}) are not the same",
    )


def test_manifests_that_cannot_be_compared_with_touch_everything(folder: Path) -> None:
    edited(folder / "manifests" / "acme.yaml", "region: eu", "region: moon")
    committed(folder)
    edited(folder / "manifests" / "acme.yaml", "region: moon", "region: eu")
    (why,) = found(folder).everything
    assert why.startswith("its manifests are of no use (manifests/acme.yaml:2: ")
    (folder / "manifests" / "linked.yaml").symlink_to("acme.yaml")
    git(folder, "rm", "--cached", "--quiet", "manifests/acme.yaml")
    git(folder, "add", "manifests/linked.yaml")
    git(folder, "commit", "--quiet", "--message", "linked")
    (folder / "manifests" / "linked.yaml").unlink()
    (why,) = found(folder).everything
    assert why.startswith("its manifests are of no use (manifests/linked.yaml is no regular file)")


def test_a_revision_that_is_not_here_says_what_to_do(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(RevisionError) as caught:
        found(folder, "no-such")
    assert "'no-such' names no commit that is here" in caught.value.diagnostics[0].summary
    clone = tmp_path_factory.mktemp("clone") / "shallow"
    first = git(folder, "rev-parse", "HEAD")
    committed(folder)
    git(folder, "clone", "--quiet", "--depth=1", f"file://{folder}", str(clone))
    with pytest.raises(RevisionError) as caught:
        found(clone, first)
    assert "shallow" in caught.value.diagnostics[0].summary
    assert "fetch-depth: 0" in caught.value.diagnostics[0].detail


def test_without_git_and_without_a_repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(folder))
        with pytest.raises(RevisionError) as caught:
            found(folder)
        assert [d.code for d in caught.value.diagnostics] == ["no-git"]
    (folder / ".git").rename(folder / "git")
    with pytest.raises(RevisionError) as caught:
        found(folder)
    assert [d.code for d in caught.value.diagnostics] == ["no-repository"]
