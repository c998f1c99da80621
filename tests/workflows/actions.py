"""Stand-ins for the actions from elsewhere that our workflows name: what they do that the next steps can see.

Each refuses an input that the action itself has not. They run no code of the actions.
"""

from __future__ import annotations

import fnmatch
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflows.expressions import as_text, filled
from workflows.steps import ActionError, Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from servers.github_state import GithubState

    from workflows.expressions import Scope

Json = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where an action runs: the machine, the repository and the forge."""

    machine: Machine
    remote: str
    state: GithubState
    run: int
    ref: str
    sha: str
    pages: Path


def play(place: Place, action: str, given: Mapping[str, Any], scope: Scope) -> Json:
    """Play an action (`owner/name`) with its inputs; its outputs.

    Raises:
        ActionError: it fails.

    """
    known, plays = _ACTIONS[action]
    inputs = {name: filled(value, scope) for name, value in given.items()}
    unknown = inputs.keys() - known
    assert not unknown, f"{action} has no inputs {sorted(unknown)}"
    return plays(place, inputs)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"git {' '.join(arguments)}: {done.stderr}"
        raise ActionError(message)
    return done.stdout.strip()


def _checkout(place: Place, inputs: Json) -> Json:
    """As actions/checkout: a branch at its tip, a pull request's merge, or a commit; nothing is kept of the token."""
    assert inputs.get("persist-credentials") == "false", "the token would be left in .git/config"
    folder = place.machine.workspace / inputs.get("path", ".")
    folder.mkdir(parents=True, exist_ok=True)
    _git(folder, "init", "--quiet")
    _git(folder, "remote", "add", "origin", place.remote)
    depth = int(inputs.get("fetch-depth", "1"))
    options = ["--quiet", "--no-tags", f"--depth={depth}"] if depth else ["--quiet", "--tags"]
    refs = ["origin"] if depth else ["origin", "+refs/heads/*:refs/remotes/origin/*"]
    ref = inputs.get("ref") or (place.ref if place.ref.startswith("refs/heads/") else place.sha)
    wanted = place.sha if "ref" not in inputs else ref
    if ref.startswith("refs/heads/"):
        branch = ref.removeprefix("refs/heads/")
        _git(folder, "fetch", *options, *refs, f"+{wanted}:refs/remotes/origin/{branch}")
        _git(folder, "checkout", "--quiet", "--force", "-B", branch, f"refs/remotes/origin/{branch}")
    else:
        _git(folder, "fetch", *options, *refs, f"+{wanted}:refs/remotes/pull/merge")
        _git(folder, "checkout", "--quiet", "--force", "--detach", "refs/remotes/pull/merge")
    return {"commit": _git(folder, "rev-parse", "HEAD")}


def _setup_python(place: Place, inputs: Json) -> Json:
    """A folder on the PATH whose `python` is the one that runs the tests."""
    assert inputs["python-version"]
    folder = place.machine.folder / "python"
    folder.mkdir(exist_ok=True)
    for name in ("python", "python3"):
        link = folder / name
        if not link.exists():
            link.symlink_to(sys.base_prefix + f"/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    place.machine.paths.append(str(folder))
    return {"python-path": str(folder / "python")}


def _upload(place: Place, inputs: Json) -> Json:
    """A zip file: one file by its name, several below the folder that they share."""
    patterns = [line.strip() for line in inputs["path"].splitlines() if line.strip()]
    roots = [found for pattern in patterns for found in sorted(place.machine.workspace.glob(pattern))]
    found = [f for r in roots for f in ([r] if r.is_file() else sorted(r.rglob("*"))) if f.is_file()]
    if inputs.get("include-hidden-files") != "true":
        found = [f for f in found if not any(p.startswith(".") for p in f.relative_to(place.machine.workspace).parts)]
    if not found:
        if inputs.get("if-no-files-found") == "error":
            message = f"no files were found with the provided path: {inputs['path']}"
            raise ActionError(message)
        return {}
    shared = _shared(roots)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in found:
            archive.write(file, file.relative_to(shared))
    return _kept(place, inputs, packed.getvalue())


def _shared(roots: list[Path]) -> Path:
    parents = [{r, *r.parents} if r.is_dir() else set(r.parents) for r in roots]
    return max(set.intersection(*parents), key=lambda p: len(p.parts))


def _kept(place: Place, inputs: Json, archive: bytes) -> Json:
    there = [a for a in place.state.artifacts.values() if _is_named(place, a, inputs["name"])]
    if there and inputs.get("overwrite") != "true":
        message = f"an artifact with this name already exists on the workflow run: {inputs['name']}"
        raise ActionError(message)
    for artifact in there:
        del place.state.artifacts[artifact["id"]]
    made = place.state.add_artifact(place.run, inputs["name"], archive)
    return {"artifact-id": as_text(made["id"])}


def _is_named(place: Place, artifact: Json, name: str) -> bool:
    return bool(artifact["workflow_run"]["id"] == place.run and artifact["name"] == name)


def _archive(place: Place, name: str) -> bytes:
    for number, artifact in place.state.artifacts.items():
        if _is_named(place, artifact, name):
            return place.state.archives[number]
    message = f"artifact not found for name: {name}"
    raise ActionError(message)


def _download(place: Place, inputs: Json) -> Json:
    """One artifact by its name, or all that a pattern means, in one folder."""
    assert ("name" in inputs) != (inputs.get("merge-multiple") == "true"), "where each has a folder is not known here"
    folder = place.machine.workspace / inputs.get("path", ".")
    names = [inputs["name"]] if "name" in inputs else _matching(place, inputs["pattern"])
    for name in names:
        with zipfile.ZipFile(io.BytesIO(_archive(place, name))) as archive:
            archive.extractall(folder)  # noqa: S202 - what this run packed
    return {"download-path": str(folder)}


def _matching(place: Place, pattern: str) -> list[str]:
    """None is no error."""
    names = [a["name"] for a in place.state.artifacts.values() if a["workflow_run"]["id"] == place.run]
    return fnmatch.filter(names, pattern)


def _upload_pages(place: Place, inputs: Json) -> Json:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(place.machine.workspace / inputs["path"], arcname=".")
    return _kept(place, {"name": "github-pages"}, packed.getvalue())


def _deploy_pages(place: Place, _inputs: Json) -> Json:
    shutil.rmtree(place.pages, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(_archive(place, "github-pages"))) as archive:
        archive.extractall(place.pages, filter="data")
    return {"page_url": "https://acme.github.example/mail/"}


_ACTIONS: Mapping[str, tuple[set[str], Callable[[Place, Json], Json]]] = {
    "actions/checkout": ({"ref", "path", "fetch-depth", "persist-credentials"}, _checkout),
    "actions/setup-python": ({"python-version"}, _setup_python),
    "actions/upload-artifact": (
        {"name", "path", "if-no-files-found", "retention-days", "overwrite", "include-hidden-files"},
        _upload,
    ),
    "actions/download-artifact": ({"name", "path", "pattern", "merge-multiple"}, _download),
    "actions/upload-pages-artifact": ({"path"}, _upload_pages),
    "actions/deploy-pages": (set(), _deploy_pages),
}
