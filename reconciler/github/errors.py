"""What can go wrong between us and GitHub."""

from __future__ import annotations

from reconciler.errors import ReconcilerError, error


class GithubError(ReconcilerError):
    """GitHub cannot be used, or refuses; `status` is the HTTP status, 0 where no answer came."""

    def __init__(self, summary: str, detail: str, *, code: str = "github", status: int = 0) -> None:
        """One diagnostic; the detail ends with what to do."""
        super().__init__([error(code, summary, detail)])
        self.status = status


class ReadOnlyTokenError(GithubError):
    """The token may read and not write, as that of a fork's run."""


class UnansweredError(GithubError):
    """A request that makes something went out, and whether it was done is not known: look before doing it again."""
