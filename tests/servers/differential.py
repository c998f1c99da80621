"""Both observers asked the same; whoever differs is shown with both readings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.observer import ReferenceObserver

from reconciler.observe.dns import LiveObserver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.names import Name
    from reconciler.observe import Question
    from reconciler.state import Observation
    from servers.observing import Asking


def observed_by_both(asking: Asking, asked: Sequence[Question], *, port: int = 53) -> list[Observation]:
    """The observations that both make, in the order of the questions; fails where they differ."""
    fast = {id(q): o for q, o in zip(asked, _in_order(asking, asked, port), strict=True)}
    slow = {id(q): o for q, o in zip(asked, ReferenceObserver(asking, port=port).observe(asked), strict=True)}
    differing = [(q, fast[id(q)], slow[id(q)]) for q in asked if fast[id(q)] != slow[id(q)]]
    assert not differing, "\n".join(f"{q}\n   fast: {one}\n   slow: {other}" for q, one, other in differing)
    return [fast[id(q)] for q in asked]


def _in_order(asking: Asking, asked: Sequence[Question], port: int) -> list[Observation]:
    """All questions in one call for each domain and declared zone: a key alone does not tell which question it was."""
    waiting: dict[tuple[Name, Name | None], list[Question]] = {}
    for question in asked:
        waiting.setdefault((question.domain, question.zone), []).append(question)
    found = {}
    for (domain, zone), questions in waiting.items():
        for observation in LiveObserver(asking, port=port).observe(questions):
            found[observation.key, domain, zone] = observation
    return [found[q.key, q.domain, q.zone] for q in asked]
