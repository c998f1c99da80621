"""Pushing the journal: the branch gets what the run left, and the run's claim is gone from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from reconciler.journal.mark import is_restored, read_mark
from reconciler.journal_branch import content, local
from reconciler.journal_branch.branch import open_branch
from reconciler.journal_branch.claim import OwnClaim, fit_holder, forget_own_claim, read_own_claim, write_own_claim
from reconciler.journal_branch.notices import gone, lost, not_fetched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from reconciler.errors import Diagnostic
    from reconciler.journal_branch.branch import Branch, BranchName, Snapshot
    from reconciler.journal_branch.content import File
    from reconciler.settings import Settings


def push_journal(
    settings: Settings,
    name: BranchName,
    wait: timedelta,
    *,
    holder: str,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> local.Result:
    """Push journal, mark and undo plans, and give the claim back; `wait` is for a run that has the journal's own lock.

    Raises:
        JournalLockedError: a run on this machine has the journal open to write.
        JournalError: nothing was fetched, the claim is lost, or the remote, git or the journal fails.
        OSError: the state directory cannot be read or written.

    """
    state = settings.state_directory
    own = read_own_claim(state)
    if own is None or (own.remote, own.branch) != name:
        raise not_fetched(name, state)
    with open_branch(settings.directory, name, environment) as branch, TemporaryDirectory() as folder:
        snapshot = branch.read()
        if snapshot is not None and snapshot.commit == own.pushing:
            forget_own_claim(state)
            return local.Result((f"the journal was pushed to {name} before",))
        if snapshot is None or snapshot.commit != own.commit:
            if not own.is_fetched:
                forget_own_claim(state)  # nothing was done under it
            raise lost(name, None if snapshot is None else snapshot.claim)
        pushing = _Pushing(settings, own, branch, snapshot, Path(folder))
        return pushing.push(name, fit_holder(holder), wait, say)


@dataclass(frozen=True, slots=True)
class _Pushing:
    """One push. `folder` is for files of its own."""

    settings: Settings
    own: OwnClaim
    branch: Branch
    snapshot: Snapshot
    folder: Path

    def push(self, name: BranchName, holder: str, wait: timedelta, say: Callable[[str], None]) -> local.Result:
        """Push, and give the claim back."""
        state = self.settings.state_directory
        if self.own.is_fetched:
            files, diagnostics, line = self._collect(wait, say)
        else:
            # the fetch did not come to its end: the branch stays as it was
            files, diagnostics, line = self.snapshot.files, (), "nothing was fetched, so nothing changes"
        commit = self.branch.commit(files, None, f"Journal after {holder}")
        write_own_claim(state, replace(self.own, pushing=commit))
        if not self.branch.publish(commit, self.own.commit):
            now = self.branch.read()
            raise lost(name, None if now is None else now.claim)
        forget_own_claim(state)
        return local.Result((f"pushed {name}: {line}",), diagnostics)

    def _collect(
        self, wait: timedelta, say: Callable[[str], None]
    ) -> tuple[Mapping[str, File], tuple[Diagnostic, ...], str]:
        files: dict[str, File] = {}
        mark = read_mark(self.settings.state_directory)
        diagnostics: tuple[Diagnostic, ...] = ()
        line = "the journal is in PostgreSQL"
        if (path := local.journal_file(self.settings)) is not None:
            written = local.read_whole_journal(path, wait, say)
            if not _is_later(self.own, written):
                raise gone(path)
            line = "no journal yet"
            if written is not None:
                diagnostics = local.size_warning(len(written.octets))
                files[content.JOURNAL] = self.branch.store(written.octets)
                # one that is ahead stays so until a run has taken note of it
                mark = mark if is_restored(mark, written.identity) else written.identity
                line = f"{written.identity.counter} writes"
        if mark is not None:
            files[content.MARK] = self.branch.store(local.mark_octets(self.folder, mark))
        undo, left_out = self._undo()
        if left_out:
            line += f", {left_out} old undo plans left out"
        return {**files, **undo}, diagnostics, f"{line}, {len(undo)} undo plans"

    def _undo(self) -> tuple[dict[str, File], int]:
        """The undo plans of the branch and of the folder, the newest, and how many are left out."""
        there = {
            name.removeprefix(f"{content.UNDO}/"): file
            for name, file in self.snapshot.files.items()
            if name.startswith(f"{content.UNDO}/")
        }
        here = dict(local.read_undo(self.settings.state_directory))
        sizes = {name: file.octets for name, file in there.items()} | {n: p.stat().st_size for n, p in here.items()}
        kept, left_out = content.kept_undo(sizes)
        stored = {n: self.branch.store(here[n].read_bytes()) if n in here else there[n] for n in kept}
        return {f"{content.UNDO}/{name}": file for name, file in stored.items()}, len(left_out)


def _is_later(own: OwnClaim, written: local.Written | None) -> bool:
    """Whether it is the journal that was fetched, as it was or with more in it."""
    if own.fetched is None:
        return True
    return (
        written is not None
        and written.identity.journal == own.fetched.journal
        and written.identity.counter >= own.fetched.counter
    )
