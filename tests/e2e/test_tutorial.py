"""The tutorial, executed: every command in its order, in a fresh folder, with what it is shown to print."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from documentation import DOCS, blocks, is_shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from documentation import Block, Command

PAGE = DOCS / "tutorial" / "first-domain.md"
MARK = "@@ the command ended with"
# done, drift that was asked for, and what waits; whatever else is shown to end in another way has its `echo $?`
USUAL = {"0", "2", "3"}
PERSON = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@acme.example",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@acme.example",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def _executed() -> list[Block]:
    return [block for block in blocks(PAGE) if block.mark != "not executed"]


def _commands() -> list[Command]:
    return [command for block in _executed() if block.language == "console" for command in block.commands]


def _script() -> Iterator[str]:
    """One shell for all, as the reader has: the folder it is in and `$?` go on from command to command."""
    for block in _executed():
        if block.title:
            yield f"cat > '{block.title}' <<'@@ end of the file'\n{block.text}@@ end of the file"
        for command in block.commands if block.language == "console" else ():
            yield f"(exit ${{status:-0}})\n{command.text}\nstatus=$?; echo; echo '{MARK}' $status"


def _environment() -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "RECONCILER_"))}
    return {**kept, **PERSON, "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}"}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[list[str], str]]:
    """What each command printed, both streams together, and what it ended with."""
    done = subprocess.run(
        ["bash"],
        input="\n".join(_script()),
        cwd=tmp_path_factory.mktemp("tutorial"),
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=True,
    )
    found: list[tuple[list[str], str]] = []
    lines: list[str] = []
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            found.append((lines, line.removeprefix(MARK).strip()))
            lines = []
        else:
            lines.append(line)
    assert len(found) == len(_commands()), done.stdout
    return found


@pytest.mark.parametrize("number", range(len(_commands())), ids=lambda n: f"line {_commands()[n].line}")
def test_each_command_prints_what_the_tutorial_shows(number: int, printed: list[tuple[list[str], str]]) -> None:
    command = _commands()[number]
    output, _ = printed[number]
    assert is_shown(command.output, output), f"{command.place}\n" + "\n".join(output)


def test_a_command_that_ends_unusually_is_followed_by_what_it_ended_with(printed: list[tuple[list[str], str]]) -> None:
    following = [command.text for command in _commands()[1:]] + [""]
    for command, after, (output, status) in zip(_commands(), following, printed, strict=True):
        assert status in USUAL or after == "echo $?", f"{command.place} ended with {status}\n" + "\n".join(output)


def test_what_a_tutorial_has_to_show_is_in_it() -> None:
    text = "\n".join(command.text for command in _commands())
    for shown in ("plan --out plan.json", "apply plan.json", "drift --detailed-exitcode", "--domain acme.example"):
        assert shown in text
    files = [block.title for block in _executed() if block.title]
    assert files.count("manifests/acme.yaml") >= 4
