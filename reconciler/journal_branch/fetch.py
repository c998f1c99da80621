"""Fetching the journal: to write, by which the branch is claimed for this run alone, or to read."""

from __future__ import annotations

import tempfile
import time
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import JournalError, JournalLockedError
from reconciler.journal.mark import read_mark
from reconciler.journal.schema import Identity
from reconciler.journal_branch import content, local
from reconciler.journal_branch.branch import open_branch
from reconciler.journal_branch.claim import (
    Claim,
    OwnClaim,
    fit_holder,
    forget_own_claim,
    read_own_claim,
    write_own_claim,
)
from reconciler.journal_branch.notices import (
    aside_warning,
    claimed_warning,
    in_use,
    other_kind,
    taken_over_warning,
    unpushed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from reconciler.journal_branch.branch import Branch, BranchName, Snapshot
    from reconciler.settings import Settings

_SHORTEST_NAP, _LONGEST_NAP = 0.5, 10.0  # seconds
_RACES = 3


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """How to fetch.

    `lease` is how long this run may be at work; another run's claim is waited for at most `wait`. `is_taking_over`:
    whoever calls knows that no other run is at work, and a claim that is there is a dead run's.
    """

    wait: timedelta
    lease: timedelta
    is_read_only: bool = False
    is_taking_over: bool = False


def fetch_journal(
    settings: Settings,
    name: BranchName,
    options: FetchOptions,
    *,
    holder: str,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> local.Result:
    """Put the branch's journal, mark and undo plans into the state directory, for this run alone unless it only reads.

    Raises:
        JournalLockedError: another run has the branch.
        JournalError: the remote or git fails, or what is on the branch or in the folder cannot be used.
        OSError: the state directory cannot be read or written.

    """
    with open_branch(settings.directory, name, environment) as branch, tempfile.TemporaryDirectory() as folder:
        fetching = _Fetching(settings, name, options, fit_holder(holder), say, branch, Path(folder))
        return fetching.read() if options.is_read_only else fetching.claim()


@dataclass(frozen=True, slots=True)
class _Found:
    """What the branch and the folder have, seen together.

    `identity` is of the journal that will be in the folder. `is_behind`: what was written, nobody knows how much, is
    in no journal that is left, or in one that is not the branch's.
    """

    files: Mapping[str, bytes]
    mark: Identity | None
    identity: Identity | None
    aside: Path | None
    is_behind: bool

    @property
    def effective_mark(self) -> Identity | None:
        """The mark to be written: ahead of a journal that is behind, so that it counts as restored."""
        if not self.is_behind or self.identity is None:
            return self.mark
        ahead = Identity(self.identity.journal, self.identity.counter + 1)
        return local.furthest_mark(self.mark, ahead)


@dataclass(frozen=True, slots=True)
class _Fetching:
    """One fetch. `folder` is for files of its own."""

    settings: Settings
    name: BranchName
    options: FetchOptions
    holder: str
    say: Callable[[str], None]
    branch: Branch
    folder: Path

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.settings.state_directory

    def read(self) -> local.Result:
        """Write what the branch has, whoever has claimed it."""
        snapshot = self.branch.read()
        own = self._own()
        if own is not None and own.is_fetched and snapshot is not None and snapshot.commit == own.commit:
            return local.Result((f"the journal here is the one of {self.name}, fetched to be written",))
        if snapshot is None:
            return local.Result((f"there is no branch {self.name} yet: the journal is what is here, if anything",))
        claim, now = snapshot.claim, datetime.now(UTC)
        is_dead = claim is not None and claim.is_over(now)
        found = self._look(snapshot, own, is_behind=is_dead, now=now)
        self._write(found)
        warnings = () if claim is None else (claimed_warning(self.name, claim, is_dead=is_dead),)
        return local.Result((self._line(found, "to be read"),), warnings)

    def claim(self) -> local.Result:
        """Claim the branch, waiting for another run if that has it; then write what it has."""
        deadline = time.monotonic() + self.options.wait.total_seconds()
        told, nap, lost = None, _SHORTEST_NAP, 0
        dead: str | None = None
        while True:
            snapshot, own, now = self.branch.read(), self._own(), datetime.now(UTC)
            if own is not None and snapshot is not None and snapshot.commit == own.commit:
                return self._resume(snapshot, own)
            claim = None if snapshot is None else snapshot.claim
            if self.options.is_taking_over and dead is None:
                # a claim that comes later is of a run that is surely at work
                dead = "" if claim is None else claim.token
            if claim is None or claim.token == dead or claim.is_over(now):
                if (result := self._take(snapshot, own, now)) is not None:
                    return result
                if (lost := lost + 1) < _RACES:
                    continue  # to see who was first
            if (left := deadline - time.monotonic()) <= 0:
                raise in_use(self.name, claim, self.options.wait)
            if claim is not None and claim.token != told:
                told = claim.token
                self.say(f"waiting for the journal on {self.name}: {claim.described()}")
            time.sleep(min(nap, left))
            nap = min(2 * nap, _LONGEST_NAP)

    def _own(self) -> OwnClaim | None:
        own = read_own_claim(self.state)
        return own if own is not None and (own.remote, own.branch) == self.name else None

    def _take(self, snapshot: Snapshot | None, own: OwnClaim | None, now: datetime) -> local.Result | None:
        """Claim the branch as it was read; None where another run was first."""
        dead = None if snapshot is None else snapshot.claim
        found = self._look(snapshot, own, is_behind=dead is not None, now=now)
        files = {} if snapshot is None else dict(snapshot.files)
        if (mark := found.effective_mark) is not None:
            files[content.MARK] = self.branch.store(local.mark_octets(self.folder, mark))
        mine = Claim(self.holder, now, self.options.lease, uuid.uuid4().hex)
        commit = self.branch.commit(files, mine, f"Journal in use by {self.holder}")
        claimed = OwnClaim(*self.name, commit, aside=None if found.aside is None else found.aside.name)
        if found.identity is not None:
            claimed = replace(claimed, journal=found.identity.journal, counter=found.identity.counter)
        write_own_claim(self.state, claimed)
        if not self.branch.publish(commit, None if snapshot is None else snapshot.commit):
            if own is None:
                forget_own_claim(self.state)
            else:
                write_own_claim(self.state, own)
            return None
        self._write(found)
        write_own_claim(self.state, replace(claimed, is_fetched=True))
        warnings = [] if dead is None else [taken_over_warning(self.name, dead)]
        if found.aside is not None:
            warnings.append(aside_warning(self.name, found.aside))
        if snapshot is None:
            beginning = "the journal that is here" if found.identity is not None else "an empty journal"
            return local.Result((f"there was no branch {self.name}: it begins with {beginning}",), tuple(warnings))
        return local.Result((self._line(found, "for this run alone"),), tuple(warnings))

    def _resume(self, snapshot: Snapshot, own: OwnClaim) -> local.Result:
        """Go on where an earlier fetch of this folder's run was stopped, with the claim that it left."""
        path = local.journal_file(self.settings)
        is_whole = path is None or content.JOURNAL not in snapshot.files or path.exists()
        if own.is_fetched and is_whole:
            return local.Result((f"the journal was fetched from {self.name} before, and is this run's still",))
        files = {name: self.branch.octets(file) for name, file in snapshot.files.items()}
        found = _Found(files, self._mark(files), own.fetched, self._still_aside(own), is_behind=False)
        self._write(found)
        write_own_claim(self.state, replace(own, is_fetched=True))
        warnings = () if found.aside is None else (aside_warning(self.name, found.aside),)
        return local.Result((self._line(found, "for this run alone"),), warnings)

    def _still_aside(self, own: OwnClaim) -> Path | None:
        """Where a journal is still to be set aside, which an earlier fetch was about to do."""
        path = local.journal_file(self.settings)
        if path is None or own.aside is None or own.is_fetched or not path.exists():
            return None
        aside = path.with_name(own.aside)
        return None if aside.exists() else aside

    def _look(self, snapshot: Snapshot | None, own: OwnClaim | None, *, is_behind: bool, now: datetime) -> _Found:
        """What is on the branch and what is here; a journal here that has more than the branch's is not lost.

        Raises:
            JournalError: there is one, and nobody said that the branch's shall be taken.

        """
        files = {n: self.branch.octets(f) for n, f in snapshot.files.items()} if snapshot is not None else {}
        path = local.journal_file(self.settings)
        if path is None and content.JOURNAL in files:
            raise other_kind(self.name)
        theirs = None
        if path is not None and content.JOURNAL in files:
            copy = self.folder / content.JOURNAL
            copy.write_bytes(files[content.JOURNAL])
            theirs = local.identity_of(copy, f"on {self.name}")
            if theirs is None:
                raise content.foreign_content(str(self.name), f"{content.JOURNAL} has nothing in it")
        ours, is_damaged = self._ours(path) if path is not None else (None, False)
        aside = None
        if path is not None and theirs is not None and (is_damaged or self._is_unpushed(ours, theirs, own, snapshot)):
            if not self.options.is_taking_over:
                raise unpushed(self.name, path)
            aside, is_behind = local.aside_path(path, now), True
        return _Found(files, self._mark(files), theirs or ours, aside, is_behind)

    def _is_unpushed(
        self, ours: Identity | None, theirs: Identity, own: OwnClaim | None, snapshot: Snapshot | None
    ) -> bool:
        """Whether the journal that is here has what the branch's has not."""
        if ours is None:
            return False
        if ours.journal != theirs.journal or ours.counter > theirs.counter:
            return True
        if own is None or (snapshot is not None and snapshot.commit == own.pushing):
            return False
        if self._still_aside(own) is not None:
            return True
        return own.is_fetched and (own.fetched is None or ours.counter > own.counter)

    def _ours(self, path: Path) -> tuple[Identity | None, bool]:
        """The journal that is here, and whether it is damaged, which stops nobody who gives it up.

        Raises:
            JournalLockedError: a run on this machine is writing to it.
            JournalError: it is damaged, of a newer version, or none.

        """
        try:
            written = local.read_whole_journal(path, self.options.wait, self.say)
        except JournalLockedError:
            raise
        except JournalError:
            if not self.options.is_taking_over:
                raise
            return None, True
        return (None if written is None else written.identity), False

    def _mark(self, files: Mapping[str, bytes]) -> Identity | None:
        theirs = local.mark_in(self.folder, files.get(content.MARK))
        return local.furthest_mark(read_mark(self.state), theirs)

    def _write(self, found: _Found) -> None:
        if found.aside is not None:
            local.set_aside(found.aside.with_name(found.aside.name.partition(local.UNPUSHED)[0]), found.aside)
        local.write_state(self.settings, found.files, found.effective_mark)

    def _line(self, found: _Found, purpose: str) -> str:
        what = f"{found.identity.counter} writes" if found.identity is not None else "no journal yet"
        if local.journal_file(self.settings) is None:
            what = "the journal is in PostgreSQL"
        undo = sum(name.startswith(f"{content.UNDO}/") for name in found.files)
        return f"fetched {self.name} {purpose}: {what}, {undo} undo plans"
