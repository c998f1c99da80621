"""The command as a process: terminals, pipes that end, signals, and a machine that is not set up in English."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import termios
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from command import HEAD, NOW, manifest, write_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SECONDS = 60
PROGRAM = [sys.executable, "-m", "reconciler", "--now", NOW]
_SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's repository."""
    write_folder(tmp_path)
    return tmp_path


def _environment(**changes: str) -> dict[str, str]:
    without = ("NO_COLOR", "TERM", "LANG", "LC_", "PYTHON", "COLUMNS", "LINES", "COVERAGE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(without)}
    return {**kept, "TERM": "xterm", **changes}


def _run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=_environment(**environment),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=SECONDS,
        check=False,
    )


@dataclass(frozen=True)
class Shown:
    """What a terminal showed, what went elsewhere, and the exit code."""

    code: int
    terminal: str
    elsewhere: str


def _read_terminal(descriptor: int) -> bytes:
    octets = b""
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # EIO: Linux says so when the last process at the other end is gone
            return octets
        if not part:
            return octets
        octets += part


def _on_terminal(folder: Path, streams: Sequence[str], *arguments: str, environment: Mapping[str, str]) -> Shown:
    """Run with these streams on a terminal, and the other one, if any, in a pipe."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 120))
    try:
        with subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=folder,
            env=_environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=slave if "stdout" in streams else subprocess.PIPE,
            stderr=slave if "stderr" in streams else subprocess.PIPE,
        ) as process:
            os.close(slave)
            terminal = _read_terminal(master)
            pipe = process.stdout or process.stderr
            elsewhere = pipe.read() if pipe else b""
            code = process.wait(timeout=SECONDS)
    finally:
        os.close(master)
    return Shown(code, terminal.decode().replace("\r\n", "\n"), elsewhere.decode())


def test_a_terminal_gets_colours_and_the_same_text(folder: Path) -> None:
    plain = _run(folder, "plan").stdout.decode()
    shown = _on_terminal(folder, ["stdout"], "plan", environment={})
    assert (shown.code, shown.elsewhere) == (3, "")
    assert "\x1b[32mready\x1b[0m" in shown.terminal
    assert _SGR.sub("", shown.terminal) == plain
    assert "\x1b" not in plain


@pytest.mark.parametrize(
    ("options", "environment"),
    [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})],
)
def test_a_terminal_gets_no_colours_when_somebody_says_so(
    folder: Path, options: list[str], environment: dict[str, str]
) -> None:
    shown = _on_terminal(folder, ["stdout"], *options, "plan", environment=environment)
    assert shown.terminal == _run(folder, "plan").stdout.decode()


def test_progress_is_shown_on_a_terminal_and_only_there(folder: Path) -> None:
    shown = _on_terminal(folder, ["stderr"], "plan", environment={})
    assert "observing" in shown.terminal
    assert shown.elsewhere == _run(folder, "plan").stdout.decode()
    assert _run(folder, "plan").stderr == b""


def test_errors_are_coloured_where_stderr_is_a_terminal(folder: Path) -> None:
    shown = _on_terminal(folder, ["stderr"], "plan", "--domain", "none.example", environment={})
    assert (shown.code, shown.elsewhere) == (1, "")
    assert "\x1b[31merror[no-such-domain]\x1b[0m" in shown.terminal


@pytest.mark.parametrize(
    "arguments", [("plan",), ("plan", "--format", "json"), ("validate",), ("schema", "plan"), ("--help",)]
)
def test_a_reader_that_goes_away_gets_no_traceback(folder: Path, arguments: tuple[str, ...]) -> None:
    """The pipe's other end is closed before the first octet."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=folder,
            env=_environment(),
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_head_gets_its_line(folder: Path) -> None:
    script = '"$0" -m reconciler plan --format json | head -1'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable], cwd=folder, capture_output=True, timeout=SECONDS, check=True
    )
    assert (done.stdout, done.stderr) == (b"{\n", b"")


def test_a_full_disk_behind_stdout_is_an_error(folder: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [*PROGRAM, "plan"],
            cwd=folder,
            env=_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"error[system]: No space left on device")
    assert b"Traceback" not in done.stderr


@contextmanager
def _silent_server(folder: Path) -> Iterator[socket.socket]:
    """Something that is asked and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(SECONDS)
        port = server.getsockname()[1]
        settings = f'observe: {{dns: {{servers: ["127.0.0.1:{port}"], timeout: 60}}}}\n'
        (folder / "reconciler.yaml").write_text(settings)
        yield server


@pytest.mark.integration
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("verb", [("plan",), ("apply", "--auto-approve")])
def test_an_interrupt_ends_with_its_code_and_no_traceback(
    folder: Path, verb: tuple[str, ...], number: signal.Signals, code: int
) -> None:
    """A cancelled job gives the journal's lock back too: nobody waits for the end of its lease."""
    with (
        _silent_server(folder) as server,
        subprocess.Popen(
            [*PROGRAM, *verb], cwd=folder, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
    ):
        try:
            server.recvfrom(512)
            process.send_signal(number)
            out, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert (process.returncode, out) == (code, b"")
    assert err == b"interrupted; what was written stays written, and the next run goes on from there\n"
    journal = folder / ".reconciler" / "journal.sqlite3"
    if journal.exists():
        with closing(sqlite3.connect(journal)) as connection:
            assert connection.execute("SELECT token FROM reconciler_lock").fetchall() == [(None,)]


def test_a_terminal_of_another_encoding_gets_what_it_can_show(folder: Path) -> None:
    (folder / "manifests" / "acme.yaml").write_text(manifest("müller.example", "日本語.example"), encoding="utf-8")
    text = _run(folder, "plan", PYTHONIOENCODING="latin-1").stdout
    assert "müller.example".encode("latin-1") in text
    assert rb"\u65e5\u672c\u8a9e.example" in text
    html = _run(folder, "plan", "--format", "html", PYTHONIOENCODING="latin-1").stdout
    assert "日本語.example" in html.decode("utf-8")
    document = json.loads(_run(folder, "plan", "--format", "json", PYTHONIOENCODING="ascii").stdout)
    assert [d["written"] for d in document["domains"]] == ["müller.example", "日本語.example"]


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_a_bare_locale_is_enough(folder: Path, locale: str) -> None:
    (folder / "manifests" / "acme.yaml").write_text(manifest("日本語.acme.example"), encoding="utf-8")
    done = _run(folder, "plan", LC_ALL=locale)
    assert (done.returncode, done.stderr) == (3, b"")
    assert "日本語.acme.example" in done.stdout.decode("utf-8")


def test_verbose_says_on_stderr_why_a_domain_failed(folder: Path) -> None:
    (folder / "reconciler.yaml").write_text(
        (folder / "reconciler.yaml").read_text().replace("directory: zones", "directory: elsewhere")
    )
    quiet = _run(folder, "apply", "--auto-approve")
    verbose = _run(folder, "-v", "apply", "--auto-approve")
    assert (quiet.returncode, quiet.stderr) == (1, b"")
    assert verbose.stdout == quiet.stdout
    lines = verbose.stderr.decode().splitlines()
    assert lines
    assert [line for line in lines if not line.startswith("INFO reconciler.")] == []


def test_a_plan_goes_into_a_pipe_that_was_named(folder: Path) -> None:
    """As with process substitution; the link in /dev is not named, lest wrong code run by root replaces it."""
    done = _run(folder, "plan", "--format", "json", "--out", "/proc/self/fd/2")
    assert done.stderr == done.stdout
    assert json.loads(done.stderr)["kind"] == "plan"


def test_nothing_from_a_zone_is_obeyed_by_a_terminal(folder: Path) -> None:
    (folder / "zones" / "acme.example.zone").write_text(
        f'{HEAD}@ MX 10 \\027[2J.example.\n_amazonses TXT "\\027]0;title\\007" "\\155"\n'
    )
    shown = _on_terminal(folder, ["stdout", "stderr"], "--no-color", "apply", "--auto-approve", environment={})
    progress_and_text = shown.terminal.replace("\r", "").replace("\x1b[A", "")
    assert "\x1b" not in progress_and_text
    assert "\x07" not in progress_and_text


def test_only_loopback_is_reached_from_here() -> None:
    """What conftest.py promises, for connections and for datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream, pytest.raises(UserWarning, match=r"192\.0\.2\.1"):
        stream.connect(("192.0.2.1", 53))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        with pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
            datagrams.sendto(b"x", ("192.0.2.1", 53))
        datagrams.sendto(b"x", ("127.0.0.1", 9))
