"""The golden cases once more with live DNS: the fast observer and the reference lead to the same documents to the byte.

Each case's zones stand on a real server. What lies around the domains is still read from the case's master files, so
that nobody's mail servers are probed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from builders import NOW
from plain_observer.observer import ReferenceObserver
from servers.bind import run_bind
from servers.observing import Asking
from servers.processes import require

from reconciler.cli import main
from reconciler.observe.dns import LiveObserver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from servers.processes import NameServer

    from reconciler.observe import Question
    from reconciler.state import Observation

pytestmark = pytest.mark.integration

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = {f"{kind}/{folder.name}": folder for kind in ("plan", "drift") for folder in sorted((GOLDEN / kind).iterdir())}


class Observed(NamedTuple):
    """A document and the observations that it was made from, both in a form to compare."""

    code: int
    document: str
    observations: tuple[str, ...]


def loadable(zones: Path) -> tuple[dict[str, str], list[str]]:
    """Apex and text of the zones that a server takes, and the apexes of the others, which it answers with SERVFAIL."""
    check = [require("named-checkzone"), "-q", "-i", "none", *(f"-{option}" for option in ("kignore", "nignore"))]
    texts, others = {}, []
    for file in sorted(zones.iterdir()):
        apex = f"{file.stem}."
        if subprocess.run([*check, apex, file], check=False).returncode == 0:
            texts[apex] = file.read_text(encoding="ascii")
        else:
            others.append(apex)
    return texts, others


def document(
    kind: str,
    observer: type[LiveObserver | ReferenceObserver],
    server: NameServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Observed:
    """What `plan` or `drift` says with the zones of the server as `observer` sees them."""
    seen: list[str] = []

    class Noting:
        def __init__(self, _: object, progress: Callable[[int], None] | None = None) -> None:
            self._observer = observer(Asking(servers=((server.address, server.port),)), progress)

        def observe(self, questions: Iterable[Question]) -> Iterator[Observation]:
            for observation in self._observer.observe(questions):
                seen.append(repr(observation))
                yield observation

    for module in ("observing", "gather"):
        monkeypatch.setattr(f"reconciler.{module}.build_observer", Noting)
    capsys.readouterr()
    code = main(["--now", NOW.isoformat(), kind, "--detailed-exitcode", "--format", "json"])
    captured = capsys.readouterr()
    assert captured.err == ""
    return Observed(code, captured.out, tuple(sorted(seen)))


@pytest.mark.parametrize("case", CASES)
def test_both_observers_lead_to_the_same_document(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, name = case.split("/")
    shutil.copytree(CASES[case], tmp_path / name, ignore=shutil.ignore_patterns(f"{kind}.*"))
    monkeypatch.chdir(tmp_path / name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    texts, others = loadable(Path("zones"))
    with run_bind(texts, directory=tmp_path / "server", unloadable=others) as server:
        fast = document(kind, LiveObserver, server, monkeypatch, capsys)
        slow = document(kind, ReferenceObserver, server, monkeypatch, capsys)
    assert fast.observations == slow.observations
    assert fast == slow
    assert len(fast.observations) > 1
    assert json.loads(fast.document)["kind"] == kind
