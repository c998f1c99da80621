"""Observing nothing: every rrset is unknown, and says why nobody was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.state import Cause, Observation, ServerAnswer, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.observe import Question


class OfflineObserver:
    """Asks nobody; see the contract of the package."""

    def __init__(self, why: str, progress: Callable[[int], None] | None = None) -> None:
        """Keep why, as one sentence for people."""
        self._answer = ServerAnswer("nobody", Unknown(Cause.NOT_PROBED, why))
        self._progress = progress

    def observe(self, questions: Iterable[Question]) -> Iterator[Observation]:
        """An observation for each question, without its zone."""
        for done, question in enumerate(questions, 1):
            if self._progress is not None:
                self._progress(done)
            yield Observation(question.key, None, (self._answer,))
