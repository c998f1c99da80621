"""The command, as a step of a workflow runs it, against the stand-in for GitHub."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from github_builders import HEAD
from servers.github_rest import github_api

from reconciler.cli import main
from reconciler.document import PlanDocument, render_document
from reconciler.document.applied import ApplyDocument
from reconciler.drift import render_drift_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest
    from servers.github_rest import GithubApi

    from reconciler.drift import DriftDocument

NOW = "2026-11-21T12:00:00+00:00"


@dataclass(frozen=True)
class Ran:
    """What one run of the command left behind."""

    code: int
    out: str
    err: str


class Step:
    """A step: the runner's environment, and the command in a folder of its own."""

    def __init__(
        self, api: GithubApi, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without the pauses of a real life."""
        self.api = api
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.chdir(folder)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr("reconciler.github.waiting._PAUSES", (0.01, 0.01, 0.01, 0.01))

    @property
    def summary(self) -> str:
        """The job's summary."""
        return (self.folder / "summary.md").read_text(encoding="utf-8")

    def __call__(self, *arguments: str, pull: int | None = None, sha: str = HEAD, now: str = NOW) -> Ran:
        """Run `github` with these arguments, for a pull request's event where one is named."""
        for name, value in self.api.environment(self.folder, pull, sha).items():
            self._monkeypatch.setenv(name, value)
        code = main(["--now", now, "github", *arguments])
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    def publish(
        self,
        document: PlanDocument | ApplyDocument | DriftDocument,
        *arguments: str,
        pull: int | None = None,
        now: str = NOW,
    ) -> Ran:
        """Publish a document."""
        file = self.folder / "document.json"
        if isinstance(document, PlanDocument):
            file.write_text(render_document(document), encoding="utf-8")
        elif isinstance(document, ApplyDocument):
            file.write_text(document.model_dump_json(), encoding="utf-8")
        else:
            file.write_text(render_drift_json(document), encoding="utf-8")
        return self("publish", str(file), *arguments, pull=pull, now=now)


@contextmanager
def running_step(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Step]:
    """A step and the stand-in that it speaks to, until the end of the block."""
    with github_api() as api:
        yield Step(api, folder, monkeypatch, capsys)
