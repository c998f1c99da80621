"""`plan --changed-since` and `plan --offline`: the real command in a real repository, with hostile revisions too."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from changed_builders import committed, git
from command import HEAD, NOW, OLD, manifest, write_folder
from laboratory import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from laboratory import Ran

ONE = "other.example"
LISTED = "    allowlists: [{target: plain, export: exports/list.txt}]\n    domains:\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """acme.example and done.example of acme, other.example of another organization, all committed."""
    folder = tmp_path / "repository"
    folder.mkdir()
    write_folder(folder)
    other = manifest(ONE).replace("organization: acme", "organization: other").replace("kind: exchange", "kind: exim")
    (folder / "manifests" / "other.yaml").write_text(other.replace("    domains:\n", LISTED))
    (folder / "zones" / f"{ONE}.zone").write_text(f"{HEAD}{OLD}")
    (folder / "exports").mkdir()
    export = folder / "exports" / "list.txt"
    export.write_text("192.0.2.1\n")
    made = datetime.fromisoformat(NOW).timestamp()
    os.utime(export, (made, made))
    committed(folder)
    environment = {"GIT_CEILING_DIRECTORIES": str(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull}
    return Workspace(folder, environment, now=datetime.fromisoformat(NOW).astimezone(UTC))


def edited(workspace: Workspace, name: str, old: str, new: str) -> None:
    path = workspace.directory / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def since(workspace: Workspace, revision: str = "HEAD", *arguments: str) -> dict[str, Any]:
    """The plan of what changed; `names` are its domains."""
    ran = workspace.run("plan", f"--changed-since={revision}", "--format", "json", *arguments)
    assert ran.out, ran.err
    document = ran.plan
    document["names"] = [d["domain"] for d in document["domains"]]
    return document


def refused(ran: Ran, *said: str) -> None:
    assert (ran.code, ran.out) == (1, "")
    assert [text for text in said if text not in ran.err] == []
    assert "Traceback" not in ran.err


def test_nothing_that_is_declared_changed(workspace: Workspace) -> None:
    """Comments, moved lines, a renamed file, an organization in another file: an empty plan, valid, in no need."""
    head = git(workspace.directory, "rev-parse", "HEAD")
    edited(workspace, "manifests/acme.yaml", "organization: acme", "# hello\n\norganization: acme")
    (workspace.directory / "manifests" / "other.yaml").rename(workspace.directory / "manifests" / "renamed.yml")
    ran = workspace.run("plan", "--changed-since", "HEAD", "--detailed-exitcode", "--json-into", "plan.json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"Nothing to plan: the manifests declare the same as at {head[:12]}.\n"
    document = json.loads((workspace.directory / "plan.json").read_text())
    assert (document["domains"], document["services"], document["has_changes"]) == ([], [], False)
    assert (document["left_out"]["since"], document["left_out"]["domains"]) == (head, 3)
    for form in ("markdown", "html"):
        assert head[:12] in workspace.run("plan", "--changed-since=HEAD", "--format", form).out
    assert workspace.run("apply", "plan.json").code == 0


def test_what_changed_is_planned_and_the_rest_is_counted(workspace: Workspace) -> None:
    edited(workspace, "manifests/acme.yaml", "token-of-done.example", "another-token")
    document = since(workspace)
    assert document["names"] == ["done.example"]
    assert document["left_out"]["domains"] == 2
    whole = {d["domain"]: d for d in workspace.plan()["domains"]}
    assert document["domains"] == [whole["done.example"]]
    assert "2 domains were left out" in workspace.run("plan", "--changed-since", "HEAD").out


def test_a_partial_plan_is_applied_as_any(workspace: Workspace) -> None:
    edited(workspace, f"zones/{ONE}.zone", "192.0.2.25", "192.0.2.26")
    assert workspace.run("plan", "--changed-since", "HEAD", "--out", "plan.json").code == 3
    assert workspace.run("apply", "plan.json").code == 3
    assert f"token-of-{ONE}" in (workspace.directory / "zones" / f"{ONE}.zone").read_text()
    assert "token-of-acme" not in (workspace.directory / "zones" / "acme.example.zone").read_text()


def test_it_narrows_what_was_named(workspace: Workspace) -> None:
    for name in ("acme", "other"):
        edited(workspace, f"manifests/{name}.yaml", "region: eu", "region: us")
    assert since(workspace)["names"] == ["acme.example", "done.example", ONE]
    assert since(workspace, "HEAD", "--organization", "other")["names"] == [ONE]
    document = since(workspace, "HEAD", "--domain", "done.example")
    assert (document["names"], document["left_out"]["domains"]) == (["done.example"], 0)
    edited(workspace, "manifests/other.yaml", "region: us", "region: eu")
    ran = workspace.run("plan", "--changed-since", "HEAD", "--domain", ONE)
    assert ran.out.startswith("Nothing to plan: of the domains that were named none is touched since ")


@pytest.mark.parametrize(
    ("name", "touched"),
    [
        ("exports/list.txt", [ONE]),
        ("zones/done.example.zone", ["done.example"]),
        ("elsewhere.txt", []),
    ],
)
def test_files_beside_the_manifests(workspace: Workspace, name: str, touched: list[str]) -> None:
    path = workspace.directory / name
    path.write_text(f"{path.read_text()}; more\n" if path.exists() else "new")
    assert since(workspace)["names"] == touched


def test_a_new_zone_of_its_own_touches_what_is_in_it(workspace: Workspace) -> None:
    (workspace.directory / "zones" / "_amazonses.acme.example.zone").write_text(HEAD)
    assert since(workspace)["names"] == ["acme.example"]
    committed(workspace.directory)
    (workspace.directory / "zones" / "_amazonses.acme.example.zone").unlink()
    assert since(workspace)["names"] == ["acme.example"]


def test_settings_catalog_and_templates_touch_everything(workspace: Workspace) -> None:
    """And it is said which of them."""
    settings = workspace.directory / "reconciler.yaml"
    settings.write_text(f"{settings.read_text()}# more\n")
    told = since(workspace)["left_out"]
    assert (told["domains"], "the settings (reconciler.yaml) are not the same" in told["reason"]) == (0, True)
    (workspace.directory / "templates").mkdir()
    settings.write_text(f"{settings.read_text()}templates: templates\n")
    (workspace.directory / "templates" / "one.j2").write_text("one")
    committed(workspace.directory)
    assert since(workspace)["names"] == []
    (workspace.directory / "templates" / "one.j2").unlink()
    document = since(workspace)
    assert len(document["names"]) == 3
    assert "the templates (templates) are not the same" in document["left_out"]["reason"]


def test_what_was_taken_out_is_told_and_nothing_else_happens(workspace: Workspace) -> None:
    (workspace.directory / "manifests" / "other.yaml").unlink()
    ran = workspace.run("plan", "--changed-since", "HEAD", "--detailed-exitcode")
    assert ran.code == 0
    assert f"{ONE}: warning[undeclared]: {ONE} is declared no more" in ran.out
    assert "It was declared in manifests/other.yaml, line 14, at " in ran.out
    assert "Nothing to plan: the domains that are still declared are declared as at " in ran.out
    narrow = workspace.run("plan", "--changed-since", "HEAD", "--organization", "acme")
    assert ONE not in narrow.out


def test_manifests_that_were_not_valid_then_touch_everything(workspace: Workspace) -> None:
    edited(workspace, "manifests/acme.yaml", "region: eu", "region: moon")
    committed(workspace.directory)
    edited(workspace, "manifests/acme.yaml", "region: moon", "region: eu")
    document = since(workspace)
    assert (len(document["names"]), document["left_out"]["domains"]) == (3, 0)
    assert "manifests/acme.yaml:2: " in document["left_out"]["reason"]
    assert "what was taken out since is not known" in document["left_out"]["reason"]


def test_the_first_manifests_of_a_repository_are_all_new(workspace: Workspace) -> None:
    git(workspace.directory, "rm", "-r", "--quiet", "--cached", "manifests")
    git(workspace.directory, "commit", "--quiet", "--message", "none")
    document = since(workspace)
    assert (len(document["names"]), document["left_out"]["domains"]) == (3, 0)


def test_compared_is_with_where_the_branches_parted(workspace: Workspace) -> None:
    """As a pull request shows it: what happened on the other branch since then is none of ours."""
    folder = workspace.directory
    git(folder, "branch", "--move", "main")
    git(folder, "switch", "--quiet", "--create", "feature")
    edited(workspace, "manifests/acme.yaml", "token-of-done.example", "another-token")
    committed(folder)
    git(folder, "switch", "--quiet", "main")
    edited(workspace, "manifests/other.yaml", "region: eu", "region: us")
    parted = git(folder, "rev-parse", "HEAD")
    committed(folder)
    git(folder, "switch", "--quiet", "feature")
    document = since(workspace, "main")
    assert (document["names"], document["left_out"]["since"]) == (["done.example"], parted)
    assert "no-merge-base" not in [d["code"] for d in document["diagnostics"]]


def test_a_revision_that_is_none_is_refused(workspace: Workspace) -> None:
    (workspace.directory / "elsewhere^{commit}").write_text("a file with a name like a revision")
    committed(workspace.directory)
    for revision in ("--upload-pack=x", "-x", "HEAD:manifests", "HEAD:elsewhere", "HEAD..HEAD", "^HEAD", "", "0" * 40):
        refused(workspace.run("plan", f"--changed-since={revision}"), "error[no-such-revision]", "fetch-depth: 0")


def test_a_revision_is_shown_safely(workspace: Workspace) -> None:
    ran = workspace.run("plan", "--changed-since=\x1b[31m::error::")
    refused(ran, "no-such-revision")
    assert "\x1b" not in ran.err


def test_a_shallow_clone_lacks_the_commit_and_says_what_to_do(workspace: Workspace, tmp_path: Path) -> None:
    first = git(workspace.directory, "rev-parse", "HEAD")
    edited(workspace, "manifests/acme.yaml", "region: eu", "region: us")
    committed(workspace.directory)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{workspace.directory}", str(clone))
    shallow = Workspace(clone, workspace.environment, now=workspace.now)
    refused(shallow.run("plan", f"--changed-since={first}"), "this clone is shallow", "fetch-depth: 0")
    git(clone, "fetch", "--quiet", "--depth=1", "origin", first)
    document = since(shallow, first)
    assert document["names"] == ["acme.example", "done.example"]
    assert [d["severity"] for d in document["diagnostics"] if d["code"] == "no-merge-base"] == ["advisory"]


def test_without_a_repository_or_without_git(workspace: Workspace, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    write_folder(plain)
    bare = Workspace(plain, workspace.environment, now=workspace.now)
    refused(bare.run("plan", "--changed-since", "HEAD"), "error[no-repository]", "Leave --changed-since out")
    (tmp_path / "empty").mkdir()
    workspace.environment["PATH"] = str(tmp_path / "empty")
    refused(workspace.run("plan", "--changed-since", "HEAD"), "error[no-git]")


def test_a_hostile_tree_leads_nowhere(workspace: Workspace, tmp_path: Path) -> None:
    """Links, and paths that lead out of the tree, as no client makes them and a server may hold them."""
    folder = workspace.directory
    secret = tmp_path / "secret.yaml"
    secret.write_text("organization: secret\n")
    entries = git(folder, "ls-tree", "HEAD").splitlines()
    blob = git(folder, "rev-parse", "HEAD:manifests/acme.yaml")
    up = subprocess.run(
        ["git", "mktree"], cwd=folder, input=f"100644 blob {blob}\tx.yaml\n", capture_output=True, text=True, check=True
    ).stdout.strip()
    manifests = [*git(folder, "ls-tree", "HEAD:manifests").splitlines(), f"040000 tree {up}\t.."]
    made = raw_tree(folder, manifests)
    root = raw_tree(folder, [e if not e.endswith("\tmanifests") else f"040000 tree {made}\tmanifests" for e in entries])
    hostile = git(folder, "commit-tree", root, "-m", "hostile")
    document = since(workspace, hostile)
    assert sorted(p.name for p in (folder / "manifests").iterdir()) == ["acme.yaml", "other.yaml"]
    assert not (folder / "x.yaml").exists()
    assert "secret" not in json.dumps(document)

    (folder / "manifests" / "linked.yaml").symlink_to(secret)
    linked = committed(folder)
    (folder / "manifests" / "linked.yaml").unlink()
    document = since(workspace, linked)
    assert "manifests/linked.yaml is no regular file" in document["left_out"]["reason"]
    assert len(document["names"]) == 3


def raw_tree(folder: Path, entries: list[str]) -> str:
    """A tree object of whatever names: `mode type id<TAB>name`."""
    octets = b""
    for entry in entries:
        about, name = entry.split("\t")
        mode, _, blob = about.split(" ")
        octets += f"{mode.lstrip('0')} {name}\0".encode() + bytes.fromhex(blob)
    command = ["git", "hash-object", "-t", "tree", "-w", "--stdin", "--literally"]
    return subprocess.run(command, cwd=folder, input=octets, capture_output=True, check=True).stdout.decode().strip()


def test_nothing_is_checked_out_and_no_hook_is_run(workspace: Workspace, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    for name in ("post-checkout", "post-index-change", "reference-transaction"):
        hook = workspace.directory / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
        hook.chmod(0o755)
    git(workspace.directory, "config", "core.fsmonitor", f"touch {ran}; false")
    edited(workspace, "manifests/acme.yaml", "region: eu", "region: us")
    index = (workspace.directory / ".git" / "index").read_bytes()
    assert since(workspace)["names"] == ["acme.example", "done.example"]
    assert not ran.exists()
    assert (workspace.directory / ".git" / "index").read_bytes() == index


def test_offline_asks_nobody_and_shows_what_is_declared(workspace: Workspace) -> None:
    settings = workspace.directory / "reconciler.yaml"
    # a server that nobody may ask: an answer would take its timeouts
    settings.write_text('observe: {dns: {servers: ["192.0.2.1"], timeout: 60, attempts: 10}}\n')
    document = workspace.run("plan", "--offline", "--format", "json").plan
    steps = {s["id"]: s for d in document["domains"] for s in d["steps"]}
    assert {s["status"] for s in steps.values()} == {"unknown"}
    assert {s["reason"] for s in steps.values()} == {"not asked: --offline"}
    assert steps["acme.example/verification"]["wanted"] == ['"token-of-acme.example"']
    assert steps["acme.example/mx"]["wanted"] == ["0 inbound-smtp.eu-west-1.amazonaws.com."]
    assert [d["code"] for d in document["diagnostics"] if d["code"] == "offline"] == ["offline"]
    (service,) = document["services"]
    assert service["steps"][0]["status"] != "unknown", "exports are read as ever"
    ran = workspace.run("plan", "--offline")
    assert ran.code == 3
    assert "        declared: 0 inbound-smtp.eu-west-1.amazonaws.com.\n" in ran.out
    for form, shown in (("markdown", "  - declared `0 inbound"), ("html", "<li>declared <code>0 inbound")):
        assert shown in workspace.run("plan", "--offline", "--format", form).out


def test_offline_with_master_files_is_the_plan_as_ever(workspace: Workspace) -> None:
    assert workspace.run("plan", "--offline").out == workspace.run("plan").out


def test_offline_asks_no_database_either(workspace: Workspace) -> None:
    settings = workspace.directory / "reconciler.yaml"
    settings.write_text(
        f"{settings.read_text()}journal: {{url: 'postgresql://user@192.0.2.1/db', password: env/NOWHERE}}\n"
    )
    assert workspace.run("plan").code == 1
    ran = workspace.run("plan", "--offline")
    assert (ran.code, ran.err) == (3, "")
    assert "advisory[journal-not-asked]" in ran.out


def test_a_plan_that_saw_nothing_is_not_saved_to_be_applied(workspace: Workspace) -> None:
    ran = workspace.run("plan", "--offline", "--out", "plan.json")
    assert (ran.code, ran.out) == (64, "")
    assert "--out does not go with --offline" in ran.err
    assert not (workspace.directory / "plan.json").exists()
