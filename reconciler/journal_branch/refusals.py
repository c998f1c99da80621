"""What git says when a remote refuses, as a diagnostic that says what to do."""

from __future__ import annotations

import re

from reconciler.errors import JournalError, error

# git's own words with LC_ALL=C, and those of the forges
_RACE = re.compile(
    r"stale info|cannot lock ref|failed to lock|incorrect old value|reference already exists", re.IGNORECASE
)
_PROTECTED = re.compile(
    r"protected branch|GH006|GH013|rule violations|not allowed to (?:force )?push|hook declined|denyNonFastForwards"
    r"|non-fast-forward|denying",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b40[13]\b|permission|access denied|authentication failed|could not read (?:username|password)|not granted"
    r"|not allowed to (?:push code|upload)|unable to (?:write|create)|read-only",
    re.IGNORECASE,
)
_HOW_TO_PERMIT = (
    "The journal's branch has to be written. On GitHub give the job `permissions: {contents: write}` and the step "
    "GITHUB_TOKEN in its environment; on GitLab let job tokens push (Settings, CI/CD, Job token permissions), or give "
    "a token that may write in RECONCILER_GIT_TOKEN; elsewhere check the credentials that git uses."
)
_HOW_TO_UNPROTECT = (
    "The branch is replaced by each run: exempt it from rules that protect branches, restrict who creates them, or "
    "forbid force pushes, or let this job's identity bypass them."
)
_HOW_TO_REACH = (
    "Check the remote's URL and that this machine reaches it, and try again; or keep the journal in PostgreSQL."
)


def is_race(said: str) -> bool:
    """Whether somebody else moved the branch, or is about to."""
    return _RACE.search(said) is not None


def refused(where: str, doing: str, said: str) -> JournalError:
    """The error for what git said while `doing` something with the branch."""
    if _PROTECTED.search(said):
        code, detail, what = "journal-branch-protected", _HOW_TO_UNPROTECT, "the remote forbids it"
    elif _DENIED.search(said):
        code, detail, what = "journal-branch-denied", _HOW_TO_PERMIT, "this run may not do that"
    else:
        code, detail, what = "journal-branch-unreachable", _HOW_TO_REACH, "git failed"
    return JournalError([error(code, f"the branch {where} could not be {doing}, {what}: {said}", detail)])
