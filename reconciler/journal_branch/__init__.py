"""The journal between runs of CI, on a branch of its own: nothing outside the forge is needed.

The branch has one commit without a parent, which every writer replaces by compare and swap. A run that is going to
write first puts its claim there (`in-use`), so that two never write at once. One that died leaves it behind; whoever
takes it over waits the full times, because what the dead one wrote nobody knows. The branch's content is data: it is
never checked out, and nothing of the repository in which this runs is changed.
"""

from reconciler.journal_branch.branch import BranchName
from reconciler.journal_branch.fetch import FetchOptions, fetch_journal
from reconciler.journal_branch.local import Result
from reconciler.journal_branch.push import push_journal

__all__ = ["BranchName", "FetchOptions", "Result", "fetch_journal", "push_journal"]
