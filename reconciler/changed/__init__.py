"""`--changed-since`: what the working tree declares otherwise than a commit does, and what else touches a mail domain.

A mail domain is touched when what is declared for it, for its service or for its organization is not the same as at
the commit, when an export of its service is another file, or when the master file of its zone is. Settings, catalog
and templates touch every one. What is compared is the meaning: comments, lines and the names of files touch nothing.

The commit is read from git's objects alone, never checked out; nothing that it holds is run, and no link is followed.
"""

from reconciler.changed.compare import Comparison, compare_fleets
from reconciler.changed.find import Changes, find_changes
from reconciler.changed.repository import RevisionError
from reconciler.changed.scope import UNDECLARED, Scope, narrowed

__all__ = [
    "UNDECLARED",
    "Changes",
    "Comparison",
    "RevisionError",
    "Scope",
    "compare_fleets",
    "find_changes",
    "narrowed",
]
