"""Both observers asked the same; whoever differs is shown with both readings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plain_observer.observer import ReferenceObserver

from reconciler.observe.dns import LiveObserver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.observe import Question
    from reconciler.state import Key, Observation
    from servers.observing import Asking


def observed_by_both(asking: Asking, asked: Sequence[Question], *, port: int = 53) -> list[Observation]:
    """The observations that both make, in the order of the questions; fails where they differ."""
    fast = _in_rounds(asking, asked, port)
    slow = {id(q): o for q, o in zip(asked, ReferenceObserver(asking, port=port).observe(asked), strict=True)}
    differing = [(q, fast[id(q)], slow[id(q)]) for q in asked if fast[id(q)] != slow[id(q)]]
    assert not differing, "\n".join(f"{q}\n   fast: {one}\n   slow: {other}" for q, one, other in differing)
    return [fast[id(q)] for q in asked]


def _in_rounds(asking: Asking, asked: Sequence[Question], port: int) -> dict[int, Observation]:
    """By the identity of the question: as many at once as have different keys, for an observation has no more."""
    rounds: list[dict[Key, Question]] = []
    for question in asked:
        free = next((one for one in rounds if question.key not in one), None)
        if free is None:
            rounds.append(free := {})
        free[question.key] = question
    found = {}
    for one in rounds:
        for observation in LiveObserver(asking, port=port).observe(one.values()):
            found[id(one[observation.key])] = observation
    return found
