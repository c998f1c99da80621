"""Killed with SIGKILL at random moments, with both kinds of journal: nothing is lost, nobody waits for the dead.

The moments are spread from the start of the process to its usual end, the more the later: what loads modules writes
nothing. What is declared changes all the time, so that every run has something to write. `RECONCILER_KILLS` says how
many kills there are in all; 200 where it is not set.
"""

from __future__ import annotations

import os
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from laboratory import Backend, Content, Workspace, laboratory, manifest
from servers.postgresql import PASSWORD, Postgresql, run_postgresql

from reconciler.journal import open_journal, read_journal
from reconciler.names import canonical_name
from reconciler.settings import JournalSettings, journal_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

KILLS = int(os.environ.get("RECONCILER_KILLS", "200"))
# two of each: while one waits for a dead run's lease, another one works
JOURNALS = ("sqlite-1", "postgresql-1", "sqlite-2", "postgresql-2")
SEED = 20261121
DOMAINS = tuple(f"{name}.example" for name in ("one", "two", "three", "four"))
NAMES = tuple(canonical_name(domain) for domain in DOMAINS)
FOREIGN = b"\x0fa foreign value"
ZONE = """@ 3600 IN SOA ns hostmaster 1 3600 600 86400 300
@ 3600 IN NS ns
@ 1 IN MX 10 mail
@ 300 IN TXT "v=spf1 -all"
ns 3600 IN A 127.0.0.1
mail 3600 IN A 192.0.2.25
_amazonses 1234 IN TXT "a foreign value"
"""
LEASE = 1.0
# a statement that was under way when its client died may renew the lease once more
UNDER_WAY = 0.5
SETTINGS = f"""lock: {{lease_seconds: {LEASE}, wait_seconds: 30}}
waits: {{settle_minutes: 0, assumed_ttl_hours: 0.0002, absent_ttl_hours: 0.0002}}
"""
COMMAND = [sys.executable, "-m", "reconciler", "apply", "--auto-approve"]
CHANGED_MIND = 0.2
APPLIED = "  applied\n"  # runs that find nothing to do are quicker, and tell nothing about the others
LONGER = 1.15
EU, EU_MULTI = (
    frozenset({b"\x00\x00\x0cinbound-smtp\x09eu-west-1\x09amazonaws\x03com\x00"}),
    frozenset({b"\x00\x00\x02eu\x05mx-pp\x03com\x00"}),
)


@dataclass
class Campaign:
    """One journal, one name server, and many kills."""

    kind: str
    workspace: Workspace
    backend: Backend
    journal: JournalSettings
    kills: int
    is_multi_region: bool = False
    is_done: bool = False
    killed: int = 0
    killed_with_lock: int = 0
    worlds: set[str] = field(default_factory=set)
    durations: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The moments are the same in every run of the test, as far as a machine's speed lets them be."""
        self.random = random.Random(f"{SEED} {self.kind}")  # noqa: S311 - moments, no secrets
        self.url = journal_url(self.journal, self.workspace.environment)
        self.foreign = list(self._foreign())

    def run(self) -> None:
        """Kill as often as it is to be; then let it end what it began."""
        self.declare(is_multi_region=False)
        for _ in range(2):
            self.apply_to_its_end()
        for _ in range(4 * self.kills):
            if self.killed == self.kills:
                break
            if self.is_done or self.random.random() < CHANGED_MIND:
                self.declare(is_multi_region=not self.is_multi_region)
            self.is_done = self.apply_and_kill() == 0
            self.assert_whole()
        assert self.killed == self.kills
        self.converge()

    def declare(self, *, is_multi_region: bool) -> None:
        """Write the manifest."""
        self.is_multi_region = is_multi_region
        self.workspace.write("manifests/acme.yaml", manifest(*DOMAINS, multi_region=is_multi_region))

    def apply_to_its_end(self, *, patience: int = 0) -> int:
        """One whole run; its exit code."""
        started = time.monotonic()
        ran = self.workspace.run("apply", "--auto-approve", "--wait", str(patience))
        if not patience and APPLIED in ran.out:
            self.durations.append(time.monotonic() - started)
        assert ran.code in {0, 3}, (ran.code, ran.out, ran.err)
        return ran.code

    def apply_and_kill(self) -> int:
        """A run that is killed at a random moment, unless it was quicker; the exit code."""
        usual = LONGER * statistics.median(self.durations[-9:])
        delay = self.random.triangular(0, usual, usual)
        started = time.monotonic()
        with (
            (self.workspace.directory / "run.log").open("w+") as log,
            subprocess.Popen(
                COMMAND,
                cwd=self.workspace.directory,
                env=self.workspace.variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            ) as process,
        ):
            try:
                code = process.wait(delay)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            log.seek(0)
            said = log.read()
        if code < 0:
            self.killed += 1
            return code
        # 4: an update of the run before, which the server took after that run's death
        assert code in {0, 3, 4}, (code, said)
        if APPLIED in said:
            self.durations.append(time.monotonic() - started)
        return code

    def assert_whole(self) -> None:
        """The journal can be read, its lock is free within the lease, and what is not ours is as it was."""
        folder, state = self.workspace.directory, self.workspace.directory / ".reconciler"
        with read_journal(self.url, directory=folder, state_directory=state) as reader:
            assert reader.diagnostics == ()
            assert set(reader.known_domains()) == set(NAMES)
            histories = reader.histories(NAMES)
            assert all(histories[name].mx for name in NAMES)
            assert all(reader.timeline(name) for name in NAMES)
        waited: list[str] = []
        patience = timedelta(seconds=LEASE + UNDER_WAY)
        with (
            open_journal(self.url, directory=folder, state_directory=state) as journal,
            journal.lock("the test", timedelta(seconds=LEASE), patience, waited.append) as lock,
        ):
            assert journal.diagnostics == ()
            lock.assert_held()
        self.killed_with_lock += bool(waited)
        assert list(self._foreign()) == self.foreign
        self.worlds.add(repr(self._ours()))

    def converge(self) -> None:
        """What is declared last is what is there in the end, and a run after that changes nothing."""
        self.declare(is_multi_region=self.random.random() < 1 / 2)
        assert any(self.apply_to_its_end(patience=20) == 0 for _ in range(5))
        again = self.workspace.run("plan", "--detailed-exitcode")
        assert (again.code, again.err) == (0, ""), again.out
        for domain, (values, mx) in zip(DOMAINS, self._ours(), strict=True):
            tokens = [f"one-{domain}", *([f"two-{domain}"] if self.is_multi_region else [])]
            assert values == sorted(bytes([len(t)]) + t.encode() for t in tokens)
            assert mx == (1, EU_MULTI if self.is_multi_region else EU)
        assert list(self._foreign()) == self.foreign

    def _foreign(self) -> Iterator[Content]:
        """All that is not ours, of each zone."""
        for domain in DOMAINS:
            content = self.backend.content(f"{domain}.")
            mx, tokens = (f"{domain}.", "MX"), (f"_amazonses.{domain}.", "TXT")
            ttl, values = content[tokens]
            yield {**{k: v for k, v in content.items() if k != mx}, tokens: (ttl, values & {FOREIGN})}

    def _ours(self) -> list[tuple[list[bytes], tuple[int, frozenset[bytes]]]]:
        """Our verification values and the MX, of each zone."""
        zones = {domain: self.backend.content(f"{domain}.") for domain in DOMAINS}
        return [
            (sorted(zone[f"_amazonses.{domain}.", "TXT"][1] - {FOREIGN}), zone[f"{domain}.", "MX"])
            for domain, zone in zones.items()
        ]


def prepare(kind: str, kills: int, directory: Path, stack: ExitStack, server: Postgresql | None = None) -> Campaign:
    """A name server with the zones, and settings that name the journal."""
    zones = {f"{domain}.": f"$ORIGIN {domain}.\n{ZONE}" for domain in DOMAINS}
    workspace, backend = stack.enter_context(laboratory("bind", zones, directory / kind))
    workspace.append("reconciler.yaml", SETTINGS)
    journal = JournalSettings()
    if server is not None:
        database = server.create_database()
        journal = JournalSettings(
            f"postgresql://{server.user}@127.0.0.1:{server.port}/{database}", "env/JOURNAL_PASSWORD"
        )
        workspace.environment["JOURNAL_PASSWORD"] = PASSWORD
        workspace.append("reconciler.yaml", f"journal: {{url: '{journal.url}', password: {journal.password}}}\n")
    return Campaign(kind, workspace, backend, journal, kills)


def test_the_world_converges_and_the_journal_is_whole_however_often_a_run_is_killed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(run_postgresql())
        shares = [(KILLS + number) // len(JOURNALS) for number in range(len(JOURNALS))]
        campaigns = [
            prepare(name, kills, tmp_path, stack, server if name.startswith("postgresql") else None)
            for name, kills in zip(JOURNALS, shares, strict=True)
        ]
        with ThreadPoolExecutor(len(campaigns)) as pool:
            for ended in [pool.submit(campaign.run) for campaign in campaigns]:
                ended.result()
    assert sum(campaign.killed for campaign in campaigns) == KILLS
    for campaign in campaigns:
        if campaign.kind.startswith("sqlite"):
            file = campaign.workspace.directory / ".reconciler" / "journal.sqlite3"
            with closing(sqlite3.connect(file)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    # the moments were the ones that matter: with the lock held, and the world in more than its two ends. Of all
    # campaigns together: on a busy machine one of them may be unlucky
    assert sum(campaign.killed_with_lock for campaign in campaigns) >= KILLS // 20, campaigns
    assert sum(len(campaign.worlds) for campaign in campaigns) > 2 * len(campaigns), campaigns
