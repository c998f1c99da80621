"""What people are told: why the journal is not fetched or pushed, and what is unusual about one that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, JournalError, JournalLockedError, Severity, error

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from reconciler.journal_branch.branch import BranchName
    from reconciler.journal_branch.claim import Claim

_ANEW = "every wait begins anew then, because what that run wrote nobody knows"


def in_use(name: BranchName, claim: Claim | None, wait: timedelta) -> JournalLockedError:
    """Another run has the branch, and the time to wait for it is over."""
    who = claim.described() if claim is not None else "other runs were first each time"
    detail = (
        f"Waited for {wait.total_seconds():g} seconds. Try again when that run has ended. If it is dead, take its "
        f"place with --take-over: {_ANEW}."
    )
    return JournalLockedError([error("journal-branch-in-use", f"the journal on {name} is in use: {who}", detail)])


def claimed_warning(name: BranchName, claim: Claim, *, is_dead: bool) -> Diagnostic:
    """A journal that is read while a run has it."""
    if is_dead:
        detail = f"Its time is over, and it did not give the journal back: {_ANEW}. Nothing needs to be done."
        return Diagnostic(Severity.WARNING, "journal-branch-dead", f"on {name}: {claim.described()}", detail)
    detail = "What that run writes is not in the journal that was read. Look again when it has ended."
    return Diagnostic(Severity.WARNING, "journal-branch-busy", f"on {name}: {claim.described()}", detail)


def taken_over_warning(name: BranchName, claim: Claim) -> Diagnostic:
    """A dead run's claim was taken over."""
    detail = (
        "It may have written to DNS and did not push its journal: what it wrote nobody knows, so every wait begins "
        "anew. Nothing needs to be done."
    )
    since = f"{claim.since:%Y-%m-%d %H:%M:%S} UTC"
    summary = f"the journal on {name} was taken over from {claim.holder}, which had it since {since}"
    return Diagnostic(Severity.WARNING, "journal-branch-taken-over", summary, detail)


def aside_warning(name: BranchName, aside: Path) -> Diagnostic:
    """The folder had a journal that was not the branch's."""
    detail = "Every wait begins anew. Delete it when nobody needs to look into it any more."
    summary = f"the journal that was here has writes that {name} does not have; it is {aside} now"
    return Diagnostic(Severity.WARNING, "journal-branch-aside", summary, detail)


def unpushed(name: BranchName, path: Path) -> JournalError:
    """The folder has a journal that would be lost."""
    summary = f"the journal {path} has writes that {name} does not have"
    detail = (
        "It was fetched, used and not pushed, or it is another one. If this folder's run has its claim still, run "
        "`reconciler journal push`. Otherwise fetch with --take-over, which gives it another name and begins every "
        "wait anew; to make it the branch's journal, delete the branch and fetch again."
    )
    return JournalError([error("journal-branch-unpushed", summary, detail)])


def other_kind(name: BranchName) -> JournalError:
    """The settings name PostgreSQL, and the branch has a file of SQLite."""
    summary = f"{name} has an SQLite journal, and the settings name PostgreSQL"
    detail = "Delete the branch to begin anew with PostgreSQL (every wait begins anew too), or correct the settings."
    return JournalError([error("journal-branch-kind", summary, detail)])


def not_fetched(name: BranchName, state: Path) -> JournalError:
    """There is no claim to give back."""
    summary = f"{state} has no journal that was fetched from {name} to be written"
    detail = "Run `reconciler journal fetch` first, without --read-only; it claims the branch for one run."
    return JournalError([error("journal-branch-not-fetched", summary, detail)])


def lost(name: BranchName, claim: Claim | None) -> JournalError:
    """The claim was taken over, or somebody else wrote to the branch."""
    who = "somebody replaced or deleted it" if claim is None else claim.described()
    summary = f"the claim on {name} is lost, and nothing was pushed: {who}"
    detail = (
        "What this run wrote is in DNS and in this folder's journal. A run that took over waits the full times for it, "
        "so nothing needs to be done; where no run did, fetch with --take-over."
    )
    return JournalError([error("journal-branch-lost", summary, detail)])


def gone(path: Path) -> JournalError:
    """There is no journal to be pushed where one was fetched, or it is another one."""
    summary = f"the journal {path} is not the one that was fetched, or an older copy of it, or gone"
    detail = "Put it back and push again, or fetch with --take-over: every wait begins anew then."
    return JournalError([error("journal-branch-other", summary, detail)])
