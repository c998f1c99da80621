"""Whatever the world does between a review and the runs that go on with it: only what was reviewed is written, once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from builders import (
    EU,
    EU_MULTI,
    MX_KEY,
    OLD_MX,
    PRIMARY,
    SECONDARY,
    TXT_KEY,
    attestation,
    document,
    domain,
    facts,
    present,
)
from hypothesis import given
from hypothesis import strategies as st

from reconciler.continuation import find_unreviewed, match_continued, open_part, without_finished
from reconciler.document import read_document, render_document
from reconciler.plan import Status
from reconciler.review import is_open
from reconciler.state import Absent, Cause, Unknown

if TYPE_CHECKING:
    from reconciler.document import PlanDocument, StepDocument
    from reconciler.manifest.fleet import Domain
    from reconciler.state import Key, Observed

OLD = present(MX_KEY, OLD_MX)
TTLS = st.sampled_from([60, 300, 3600])
TEXTS = (PRIMARY, SECONDARY, '"foreign"')
EXCHANGES = (OLD_MX, EU, EU_MULTI, "20 other.acme.example.")
ATTESTED = tuple(
    attestation(what=what, multi_region=flag)
    for what in ("allowlist", "console", "verified", "multi-region")
    for flag in (False, True)
)


def observed(key: Key, values: tuple[str, ...]) -> st.SearchStrategy[Observed]:
    there = st.builds(
        lambda chosen, ttl: present(key, *chosen, ttl=ttl),
        st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True),
        TTLS,
    )
    return st.one_of(there, there, there, st.just(Absent()), st.just(Unknown(Cause.TIMEOUT, "silence")))


DOMAINS: st.SearchStrategy[Domain] = st.builds(
    domain,
    multi_region=st.booleans(),
    mx_exclusive=st.booleans(),
    ttl=st.sampled_from([None, 300]),
    switch_ttl=st.sampled_from([None, 60]),
    attestations=st.sampled_from([ATTESTED, ATTESTED, ()]),
)


World = tuple["Domain", "Observed", "Observed", str]
WORLDS: st.SearchStrategy[World] = st.tuples(
    DOMAINS,
    observed(TXT_KEY, TEXTS),
    observed(MX_KEY, EXCHANGES),
    # what a domain is and what its digest says need not agree
    st.sampled_from(["sha256:one", "sha256:one", "sha256:two"]),
)


def planned(world: World) -> PlanDocument:
    declared, txt, mx, digest = world
    return document(facts(declared, txt=txt, mx=mx), declared=digest)


@st.composite
def lives(draw: st.DrawFn) -> list[PlanDocument]:
    """A reviewed plan and those of the worlds after it, each of which has something of the first and something else."""
    first = draw(WORLDS)
    # where little of it is there yet much is to be done
    first = (first[0], draw(st.sampled_from([Absent(), first[1]])), draw(st.sampled_from([OLD, first[2]])), first[3])
    others = draw(st.lists(WORLDS, min_size=1, max_size=5))
    keeps = [draw(st.tuples(*[st.sampled_from([True, True, False])] * 4)) for _ in others]
    worlds = [
        tuple(old if is_kept else new for old, new, is_kept in zip(first, other, keep, strict=True))
        for other, keep in zip(others, keeps, strict=True)
    ]
    return [planned(world) for world in (first, *worlds)]  # type: ignore[arg-type] # the same kinds, part by part


Effect = tuple[str, str, frozenset[str], frozenset[str], str]


def effect(step: StepDocument, declared: str) -> Effect:
    before, after = frozenset(step.before), frozenset(step.after)
    return declared, step.id, after - before, before - after, step.provider


def shown(plan: PlanDocument) -> dict[Effect, int | None]:
    return {effect(s, d.declared): s.ttl for d in plan.domains for s in d.steps if is_open(s)}


@given(lives())
def test_only_reviewed_effects_are_written_and_each_once(life: list[PlanDocument]) -> None:
    """The journal between the runs is text; what is written need not be there when the next run looks."""
    reviewed, *worlds = life
    allowed, written = shown(reviewed), set[Effect]()
    kept = open_part(reviewed)
    for fresh in worlds:
        if kept is None:
            return
        kept = read_document(render_document(kept), Path("journal"))
        chosen = match_continued([kept], fresh)
        steps = {(step.id, r.domain.declared): step for r in chosen for step in r.steps}
        for (_, declared), step in steps.items():
            done = effect(step, declared)
            assert step.status is Status.READY
            assert done in allowed, "nobody reviewed this"
            assert step.ttl in {allowed[done], step.ttl_before}, "nobody reviewed this TTL"
            assert done not in written, "one review, one write"
            written.add(done)
        kept = without_finished(kept, fresh, {step_id for step_id, _ in steps})


@given(lives())
def test_what_is_ready_is_written_or_waits_for_a_review(life: list[PlanDocument]) -> None:
    reviewed, fresh, *_ = life
    kept = open_part(reviewed)
    if kept is None:
        return
    written = {step.id for r in match_continued([kept], fresh) for step in r.steps}
    waiting = {d.summary.split(" ", maxsplit=1)[0] for d in find_unreviewed([kept], fresh)}
    ready = {step.id for d in fresh.domains for step in d.steps if step.status is Status.READY}
    assert written.isdisjoint(waiting)
    assert {d.declared for d in reviewed.domains} != {d.declared for d in fresh.domains} or written | waiting == ready


@given(lives())
def test_what_is_kept_only_shrinks(life: list[PlanDocument]) -> None:
    reviewed, *worlds = life
    kept = open_part(reviewed)
    for fresh in worlds:
        if kept is None:
            return
        left = without_finished(kept, fresh, set())
        assert set(shown(left) if left is not None else ()) <= set(shown(kept))
        kept = left
