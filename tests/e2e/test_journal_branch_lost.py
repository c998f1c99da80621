"""A run that switched and died before it pushed its journal: the one after it waits the full time, from then on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from journal_branch_lab import Forge, git, make_forge
from laboratory import Backend, Workspace, laboratory, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TTL = timedelta(seconds=300)
SETTLE, ASSUMED = timedelta(hours=1), timedelta(days=7)
# multi-region is on, and shall be off: the MX moves at once, the second value goes when no sender can hold the old MX
ZONE = f"""$ORIGIN acme.example.
@ 600 IN SOA ns hostmaster 1 3600 600 86400 300
@ 600 IN NS ns
@ {TTL.seconds} IN MX 0 eu.mx-pp.com.
ns 600 IN A 127.0.0.1
_amazonses 600 IN TXT "a foreign value"
_amazonses 600 IN TXT "one-acme.example"
_amazonses 600 IN TXT "two-acme.example"
"""
FOREIGN, ONE, TWO = b"\x0fa foreign value", b"\x10one-acme.example", b"\x10two-acme.example"
RETIRED = "acme.example/verification/retired"
BEGUN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=40)
SWITCHED = BEGUN + timedelta(days=12)
LATER = SWITCHED + timedelta(hours=2)


class Ci:
    """Runs of CI: each in a fresh checkout of what was merged, with nothing of the one before."""

    def __init__(self, forge: Forge, workspace: Workspace, backend: Backend) -> None:
        """Start with a repository that has nothing yet."""
        self.forge = forge
        self.backend = backend
        self._desk = workspace
        self._runs = 0
        git("init", "--quiet", "--initial-branch=main", workspace.directory)
        git("-C", workspace.directory, "remote", "add", "origin", forge.directory)

    def merge(self, *, multi_region: bool) -> None:
        """What is declared from now on."""
        text = manifest("acme.example", multi_region=multi_region, on=BEGUN.date())
        self._desk.write("manifests/acme.yaml", text)
        git("-C", self._desk.directory, "add", "--all")
        git("-C", self._desk.directory, "commit", "--quiet", "--message", "merged")
        git("-C", self._desk.directory, "push", "--quiet", "origin", "main")

    def job(self, now: datetime) -> Workspace:
        """A fresh checkout, in which everything is as of `now`."""
        self._runs += 1
        directory = self.forge.directory.parent / f"run-{self._runs}"
        git("clone", "--quiet", self.forge.directory, directory)
        names = {"GITHUB_REPOSITORY": "acme/mail", "GITHUB_RUN_ID": str(self._runs)}
        return Workspace(directory, {**self._desk.environment, **names}, self._desk.before_run, now)

    def whole_run(self, now: datetime) -> Workspace:
        """A run that ends as it should."""
        job = self.job(now)
        for arguments in (("journal", "fetch", "--take-over"), ("apply", "--auto-approve"), ("journal", "push")):
            ran = job.run(*arguments)
            assert ran.code in {0, 3}, ran
        return job

    def values(self) -> frozenset[bytes]:
        """The verification values in DNS."""
        return self.backend.content("acme.example.")["_amazonses.acme.example.", "TXT"][1]

    def mx(self) -> object:
        """The MX in DNS."""
        return self.backend.content("acme.example.")["acme.example.", "MX"]


@pytest.fixture
def ci(tmp_path: Path) -> Iterator[Ci]:
    """Somebody looked every few days, so that what was there before the first look does not matter any more."""
    with laboratory("zonefile", {"acme.example.": ZONE}, tmp_path) as (workspace, backend):
        ci = Ci(make_forge(tmp_path), workspace, backend)
        ci.merge(multi_region=True)
        for day in (0, 6):
            ci.whole_run(BEGUN + timedelta(days=day))
        ci.merge(multi_region=False)
        yield ci


def held_until(job: Workspace) -> datetime:
    return datetime.fromisoformat(job.steps()[RETIRED]["not_before"])


def test_a_run_that_pushed_its_journal_leaves_the_short_wait(ci: Ci) -> None:
    ci.whole_run(SWITCHED)
    assert ci.values() == {FOREIGN, ONE, TWO}
    ci.whole_run(LATER)
    assert ci.values() == {FOREIGN, ONE}


def test_a_run_that_died_before_it_pushed_costs_the_full_wait_from_the_next_one_on(ci: Ci) -> None:
    before = ci.mx()
    dead = ci.job(SWITCHED)
    assert dead.run("journal", "fetch").code == 0
    assert dead.run("apply", "--auto-approve").code == 3
    assert ci.mx() != before, "the dead run switched"

    polite = ci.job(LATER).run("journal", "fetch", "--wait", "0")
    assert polite.code == 1
    assert "acme/mail run 3 has it since" in polite.err

    heir = ci.job(LATER)
    fetched = heir.run("journal", "fetch", "--take-over")
    assert fetched.code == 0
    assert "journal-branch-taken-over" in fetched.err
    applied = heir.run("apply", "--auto-approve")
    assert applied.code == 3
    assert ci.values() == {FOREIGN, ONE, TWO}
    full = LATER + ASSUMED + SETTLE
    assert held_until(heir) >= full

    back = dead.run("journal", "push")
    assert (back.code, back.out) == (1, "")
    assert "journal-branch-lost" in back.err
    assert heir.run("journal", "push").code == 0

    ci.whole_run(full - timedelta(hours=1))
    assert ci.values() == {FOREIGN, ONE, TWO}, "a value went while senders could hold an MX that nobody remembers"
    ci.whole_run(full + timedelta(hours=1))
    assert ci.values() == {FOREIGN, ONE}
