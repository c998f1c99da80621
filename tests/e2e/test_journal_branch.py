"""The command, by HTTP as in CI: tokens, refusals, races of processes, and runs that die at any moment."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from journal_branch_lab import Checkout, Forge, git, make_forge
from servers.git_http import GitServer, run_git_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "ghs_a-very-secret-token"  # noqa: S105 - of the test's own server
KILLS = int(os.environ.get("RECONCILER_JOURNAL_KILLS", "30"))
SEED = 20261121
SECONDS = 120
COMMAND = (sys.executable, "-m", "reconciler")


@dataclass(frozen=True)
class Ran:
    """What one run of the command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return make_forge(tmp_path)


def run(checkout: Checkout, *arguments: str, **environment: str) -> Ran:
    done = subprocess.run(
        [*COMMAND, "journal", *arguments],
        cwd=checkout.directory,
        env={**checkout.environment, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def by_http(forge: Forge, server: GitServer, name: str) -> Checkout:
    """A checkout whose remote is the server."""
    checkout = forge.checkout(name)
    git("-C", checkout.directory, "remote", "set-url", "origin", server.url())
    checkout.environment |= {"GITHUB_REPOSITORY": "acme/mail", "GITHUB_RUN_ID": name}
    return checkout


def github(server: GitServer, token: str = TOKEN) -> dict[str, str]:
    """The environment of a job of GitHub."""
    return {"GITHUB_TOKEN": token, "GITHUB_SERVER_URL": server.origin}


@contextmanager
def arguments_of_git(folder: Path, checkout: Checkout) -> Iterator[Path]:
    """Every command line that the checkout's runs give to git, in a file."""
    real, log = shutil.which("git"), folder / "arguments"
    wrapper = folder / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>"{log}"\nexec "{real}" "$@"\n')
    wrapper.chmod(0o755)
    checkout.environment["PATH"] = f"{wrapper.parent}:{checkout.environment['PATH']}"
    yield log


def test_the_jobs_token_goes_to_the_remote_and_nowhere_else(forge: Forge, tmp_path: Path) -> None:
    with run_git_server(tmp_path, TOKEN) as server:
        one = by_http(forge, server, "1")
        config = (one.directory / ".git" / "config").read_bytes()
        trace = {"GIT_TRACE": "1", "GIT_TRACE_CURL": str(tmp_path / "trace"), "GIT_TRACE_REDACT": "0"}
        with arguments_of_git(tmp_path, one) as log:
            ran = [run(one, verb, **github(server), **trace) for verb in ("fetch", "push")]
        assert [r.code for r in ran] == [0, 0], ran
        assert all(len(a) == 1 for a in server.authorizations)
        assert "push" in log.read_text()
        for text in (log.read_text(), *(r.out + r.err for r in ran)):
            assert TOKEN not in text
            assert server.authorizations[0][0] not in text
        assert not (tmp_path / "trace").exists()
        assert (one.directory / ".git" / "config").read_bytes() == config
        for path in (*one.directory.rglob("*"), *forge.directory.rglob("*")):
            assert not path.is_file() or TOKEN.encode() not in path.read_bytes()
    assert forge.listing() == ["README.md"]


@pytest.mark.parametrize("variable", ["RECONCILER_GIT_TOKEN", "left by the checkout"])
def test_another_token_is_taken_and_what_the_checkout_left_is_as_good(
    forge: Forge, tmp_path: Path, variable: str
) -> None:
    """actions/checkout leaves a header in the repository's configuration unless it is told not to."""
    with run_git_server(tmp_path, TOKEN) as server:
        one = by_http(forge, server, "1")
        environment = {variable: TOKEN} if variable.isidentifier() else {}
        expected = "Basic eC1hY2Nlc3MtdG9rZW46Z2hzX2EtdmVyeS1zZWNyZXQtdG9rZW4="
        left = f"AUTHORIZATION: {'basic d3Jvbmc6b25l' if environment else expected}"
        git("-C", one.directory, "config", f"http.{server.origin}/.extraheader", left)
        ran = run(one, "fetch", **environment)
        assert ran.code == 0, ran.err
        assert set(server.authorizations) == {(expected,)}


@pytest.mark.parametrize("wrong", ["", "wrong"])
def test_without_the_right_token_nothing_is_done_and_it_says_what_to_do(
    forge: Forge, tmp_path: Path, wrong: str
) -> None:
    with run_git_server(tmp_path, TOKEN) as server:
        one = by_http(forge, server, "1")
        ran = run(one, "fetch", **(github(server, wrong) if wrong else {}))
    assert (ran.code, ran.out) == (1, "")
    assert "journal-branch-denied" in ran.err
    assert "contents: write" in ran.err
    assert "wrong" not in ran.err
    assert not one.state.exists()


def test_who_may_only_read_is_told_before_anything_is_written(forge: Forge, tmp_path: Path) -> None:
    with run_git_server(tmp_path, TOKEN) as server:
        server.may_push = False
        one = by_http(forge, server, "1")
        ran = run(one, "fetch", **github(server))
        assert ran.code == 1
        assert "journal-branch-denied" in ran.err
        assert not one.journal.exists()
        assert run(one, "fetch", "--read-only", **github(server)).code == 0
    assert forge.tip() is None


def test_a_token_follows_no_redirect(forge: Forge, tmp_path: Path) -> None:
    with run_git_server(tmp_path) as elsewhere, run_git_server(tmp_path) as server:
        server.redirect = elsewhere.origin
        ran = run(by_http(forge, server, "1"), "fetch", **github(server))
        assert ran.code == 1
        assert "journal-branch-unreachable" in ran.err
        assert elsewhere.authorizations == []


def test_a_branch_that_is_protected_is_told_with_what_to_do(forge: Forge) -> None:
    one = forge.checkout("1")
    assert run(one, "fetch").code == 0
    assert run(one, "push").code == 0
    git("-C", forge.directory, "config", "receive.denyNonFastForwards", "true")
    tip = forge.tip()
    ran = run(one, "fetch")
    assert ran.code == 1
    assert "journal-branch-protected" in ran.err
    assert forge.tip() == tip
    git("-C", forge.directory, "config", "receive.denyNonFastForwards", "false")
    hook = forge.directory / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'only \033[31mowners here' >&2\nexit 1\n")
    hook.chmod(0o755)
    ran = run(one, "fetch")
    assert "journal-branch-protected" in ran.err
    assert "owners here" in ran.err
    assert "\033" not in ran.err


def test_usage_is_as_everywhere(forge: Forge) -> None:
    one = forge.checkout("1")
    assert run(one).code == 64
    assert run(one, "fetch", "--read-only", "--take-over").code == 64
    assert run(one, "fetch", "--wait", "soon").code == 64
    ran = run(one, "push")
    assert (ran.code, ran.out) == (1, "")
    assert "journal-branch-not-fetched" in ran.err


def test_of_many_that_begin_at_once_one_wins_and_the_others_are_told_which(forge: Forge) -> None:
    for number in range(2):
        checkouts = [forge.checkout(f"{number}-{n}") for n in range(3)]
        for checkout in checkouts:
            checkout.environment |= {"GITHUB_REPOSITORY": "acme/mail", "GITHUB_RUN_ID": checkout.directory.name}
        begun = [
            subprocess.Popen(
                [*COMMAND, "journal", "fetch", "--wait", "0"],
                cwd=checkout.directory,
                env=checkout.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for checkout in checkouts
        ]
        ended = [(process.communicate(timeout=SECONDS), process.returncode) for process in begun]
        (winner,) = [c for c, (_, code) in zip(checkouts, ended, strict=True) if code == 0]
        for (out, err), code in ended:
            if code:
                assert (code, out) == (1, "")
                assert f"acme/mail run {winner.directory.name} has it since" in err
        assert run(winner, "push").code == 0


WORKER = """
import os, sys
from pathlib import Path
import sqlalchemy, reconciler.journal, reconciler.journal_branch, reconciler.holder
from journal_branch_lab import Checkout
from reconciler.cli import main
checkout = Checkout(Path.cwd())
print("ready", flush=True)
sys.stdin.readline()
for arguments in (sys.argv[1].split(), None, ["push"]):
    if arguments is None:
        checkout.work()
    elif code := main(["journal", *arguments]):
        sys.exit(code)
    print("done", flush=True)
"""


@contextmanager
def worker(checkout: Checkout, fetch: str) -> Iterator[subprocess.Popen[str]]:
    """A run: it fetches, writes once to the journal, and pushes, once it is told to begin."""
    tests = os.pathsep.join(path for path in sys.path if path)
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, fetch],
        cwd=checkout.directory,
        env={**checkout.environment, "PYTHONPATH": tests},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("begin\n")
    process.stdin.flush()


def writes(forge: Forge, folder: Path) -> int:
    """How often the branch's journal was written to; it is whole."""
    if "journal.sqlite3" not in forge.listing():
        return 0
    copy = folder / "copy.sqlite3"
    copy.write_bytes(forge.octets("journal.sqlite3"))
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(connection.execute("SELECT counter FROM reconciler_meta").fetchone()[0])


def test_runs_that_wait_for_each_other_all_get_their_turn(forge: Forge, tmp_path: Path) -> None:
    with ExitStack() as stack:
        checkouts = [forge.checkout(str(n)) for n in range(4)]
        processes = [stack.enter_context(worker(c, "fetch --wait 90")) for c in checkouts]
        for process in processes:
            begin(process)
        ended = [(process.communicate(timeout=SECONDS)[0], process.returncode) for process in processes]
    assert [code for _, code in ended] == [0] * 4, ended
    assert writes(forge, tmp_path) == 4 * 2
    assert "in-use" not in forge.listing()


def killed_at(process: subprocess.Popen[str], delay: float, *, is_whole_group: bool) -> tuple[int, bool]:
    """Kill a run after a delay, unless it was quicker; how much of it was done, and whether it was killed."""
    begin(process)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        if is_whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    out = process.communicate(timeout=SECONDS)[0]
    # what git had begun goes on without its parent, unless it was killed too
    for _ in range(600):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    assert process.returncode in {0, -signal.SIGKILL}, out
    return out.count("done\n"), process.returncode != 0


def test_killed_at_any_moment_the_branch_is_whole_and_nothing_is_lost_without_a_word(
    forge: Forge, tmp_path: Path
) -> None:
    """In fresh checkouts, as CI has them, and in one that stays; git is killed with its run, or goes on alone."""
    chance = random.Random(SEED)  # noqa: S311 - moments, no secrets
    with run_git_server(tmp_path) as server:
        staying = by_http(forge, server, "staying")
        began = time.monotonic()
        with worker(staying, "fetch --take-over") as process:
            began = time.monotonic()
            assert killed_at(process, SECONDS, is_whole_group=False) == (3, False)
        usual = time.monotonic() - began
        killed, stages = 0, set()
        for number in range(4 * KILLS):
            if killed == KILLS:
                break
            before = writes(forge, tmp_path)
            is_fresh = chance.random() < 1 / 2
            checkout = by_http(forge, server, str(number)) if is_fresh else staying
            with worker(checkout, "fetch --take-over") as process:
                delay = chance.uniform(0.02, 1.1 * usual)
                done, is_killed = killed_at(process, delay, is_whole_group=chance.random() < 1 / 2)
            killed += is_killed
            is_claimed = "in-use" in forge.listing()
            stages.add((done, is_claimed))
            after = writes(forge, tmp_path)
            assert after >= before
            if done == 3:
                assert after > before, "a run that had pushed is not on the branch"
                assert not is_claimed
            if done and not is_claimed:
                assert after > before, "a claim was given back without what was written under it"
            assert_dead_run_is_noticed(forge, server, number)
            if is_fresh:
                shutil.rmtree(checkout.directory)
        assert killed == KILLS
        # killed before, while and after the branch was claimed, and while it was pushed
        assert {(0, False), (0, True)} <= stages or len(stages) >= 3, stages
        last = by_http(forge, server, "last")
        with worker(last, "fetch --take-over") as process:
            assert killed_at(process, SECONDS, is_whole_group=False) == (3, False)
        assert not list(forge.directory.rglob("*.lock"))


def assert_dead_run_is_noticed(forge: Forge, server: GitServer, number: int) -> None:
    """Whoever only looks reads a whole journal, and is told of a claim that was left."""
    looking = by_http(forge, server, f"looking-{number}")
    codes = [d.code for d in looking.fetch(is_read_only=True).diagnostics]
    assert codes == (["journal-branch-busy"] if "in-use" in forge.listing() else [])
    shutil.rmtree(looking.directory)
