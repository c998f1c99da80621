"""The remote of the repository in which the settings are: its URL, and how git is to speak with it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.commit import TRUST_NO_CONTENT
from reconciler.errors import JournalError, error
from reconciler.journal_branch.credentials import find_token, header_configuration, is_http, without_credentials
from reconciler.journal_branch.git import GitError, run_git, said_by_git

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.journal_branch.git import Configuration

# how to reach a server, and who we are there; actions/checkout and runners write these into the repository
_TRANSPORT = r"^(http\..*|credential\..*|core\.sshcommand|ssh\.variant)$"


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote, and the repository that has it.

    `url` may hold credentials of the repository's own, `shown` has none; `secrets` are never shown. `top` is the work
    tree, `object_format` sha1 or sha256.
    """

    name: str
    url: str
    shown: str
    top: Path
    object_format: str
    configuration: Configuration
    secrets: tuple[str, ...]


def find_remote(directory: Path, name: str, environment: Mapping[str, str]) -> Remote:
    """The remote by this name of the repository that `directory` is in.

    Raises:
        JournalError: there is no repository or no such remote, git is not installed, or a token is none.

    """
    listing = _asked(directory, environment, "rev-parse", "--show-toplevel", "--show-object-format")
    top, _, object_format = os.fsdecode(listing).removesuffix("\n").rpartition("\n")
    if name.startswith("-"):
        raise _no_remote(name)
    try:
        # what is fetched is what was pushed: one place, even where a remote has two URLs
        url = os.fsdecode(_ask(directory, environment, "remote", "get-url", "--push", name).removesuffix(b"\n"))
    except GitError as exc:
        raise _no_remote(name) from exc
    configuration = _transport(directory, environment)
    secrets = _secrets_in(url)
    if (found := find_token(url, environment)) is not None:
        url = without_credentials(url)
        own = header_configuration(url, *found)
        configuration, secrets = (*configuration, *own), (*secrets, found[1], own[1][1], own[1][1].rpartition(" ")[2])
    return Remote(name, url, without_credentials(url), Path(top), object_format, configuration, secrets)


def _secrets_in(url: str) -> tuple[str, ...]:
    if not is_http(url):
        return ()
    try:
        parts = urlsplit(url)
    except ValueError:
        return ()
    userinfo = parts.netloc.rpartition("@")[0]
    return tuple(s for s in (userinfo, parts.password) if s)


def _transport(directory: Path, environment: Mapping[str, str]) -> Configuration:
    try:
        listing = _ask(directory, environment, "config", "--local", "--includes", "-z", "--get-regexp", _TRANSPORT)
    except GitError:
        return ()  # git's way of saying that there is none
    entries = [os.fsdecode(entry).partition("\n") for entry in listing.split(b"\0") if entry]
    return tuple((key, value) for key, separator, value in entries if separator)


def _asked(directory: Path, environment: Mapping[str, str], *arguments: str) -> bytes:
    try:
        return _ask(directory, environment, *arguments)
    except GitError as exc:
        summary = f"{directory.resolve()} is in no git repository with a work tree: {exc.said}"
        detail = "Run it in a checkout of the repository of manifests, or keep the journal in PostgreSQL."
        raise JournalError([error("journal-branch-repository", summary, detail)]) from exc


def _ask(directory: Path, environment: Mapping[str, str], *arguments: str) -> bytes:
    command = (*TRUST_NO_CONTENT, "-C", str(directory.resolve()), *arguments)
    done = run_git(command, cwd=Path.cwd(), environment={**environment, "LC_ALL": "C"})
    if done.returncode:
        raise GitError(said_by_git(done.stderr))
    return done.stdout


def _no_remote(name: str) -> JournalError:
    summary = f"this repository has no remote {name!r}"
    detail = "Name one of those that `git remote` lists with --remote, or add it."
    return JournalError([error("journal-branch-remote", summary, detail)])
