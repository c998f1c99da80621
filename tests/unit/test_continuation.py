"""Held steps go on by a review that showed them, and by nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builders import EU, MX_KEY, OLD_MX, PRIMARY, SECONDARY, TXT_KEY, attestation, document, domain, facts, present

from reconciler.continuation import (
    find_moved,
    find_unreviewed,
    is_waiting,
    match_continued,
    open_part,
    reviewed_anew,
    shown_steps,
    without_domains,
    without_finished,
)
from reconciler.document import read_document, render_document
from reconciler.plan import Stage
from reconciler.state import Absent, Cause, Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.document import PlanDocument
    from reconciler.gates import Facts

NAME = "acme.example"
TXT_STEP, MX_STEP = "acme.example/verification", "acme.example/mx"
TXT, MX = present(TXT_KEY, PRIMARY), present(MX_KEY, OLD_MX)
NEW = facts(mx=MX)  # the value is ready, the switch is held
OPENED = facts(txt=TXT, mx=MX)  # the switch is ready
IN_SYNC = facts(txt=TXT, mx=present(MX_KEY, EU))
SEEN = ("allowlist", "console", "verified")


def kept(reviewed: Facts, **changes: Any) -> PlanDocument:  # noqa: ANN401
    left = open_part(document(reviewed, **changes))
    assert left is not None
    return left


def ids(plan: PlanDocument | None) -> list[str]:
    return [s.id for d in plan.domains for s in d.steps] if plan is not None else []


def continued(reviewed: Facts, fresh: Facts) -> list[str]:
    left = open_part(document(reviewed))
    return [s.id for r in match_continued([left] if left else [], document(fresh)) for s in r.steps]


def test_the_steps_that_go_on_by_themselves_are_those_that_were_shown_and_are_open() -> None:
    assert shown_steps([kept(NEW)], document(OPENED)) == {MX_STEP}
    assert shown_steps([kept(NEW)], document(NEW)) == {TXT_STEP, MX_STEP}
    assert shown_steps([kept(NEW)], document(IN_SYNC)) == frozenset()
    assert shown_steps([], document(OPENED)) == frozenset()


def test_what_is_ready_or_held_is_kept_and_nothing_else() -> None:
    assert ids(kept(NEW)) == [TXT_STEP, MX_STEP]
    assert ids(kept(OPENED)) == [MX_STEP]
    assert open_part(document(IN_SYNC)) is None
    assert open_part(document(NEW), stale={NAME}) is None
    assert open_part(document(facts(txt=Unknown(Cause.TIMEOUT, "silence"), mx=present(MX_KEY, EU)))) is None


def test_what_is_kept_is_a_whole_document_that_can_be_read_again(tmp_path: Path) -> None:
    """With everything that a plan is bound to, so that another catalog or other settings can be told."""
    plan, saved = kept(NEW), document(NEW)
    assert read_document(render_document(plan), tmp_path) == plan
    assert (plan.catalog_digest, plan.settings_digest) == (saved.catalog_digest, saved.settings_digest)
    assert [d.declared for d in plan.domains] == [d.declared for d in saved.domains]


def test_what_was_shown_as_held_goes_on_when_its_gates_open() -> None:
    """The review showed the whole change; only the time for it had not come."""
    assert continued(NEW, NEW) == [TXT_STEP]
    assert continued(NEW, OPENED) == [MX_STEP]
    assert continued(NEW, IN_SYNC) == []


def test_nothing_goes_on_that_the_review_did_not_show() -> None:
    assert continued(IN_SYNC, OPENED) == []
    elsewhere = facts(txt=TXT, mx=present(MX_KEY, "20 other.acme.example."))
    assert continued(NEW, elsewhere) == [], "the value that would go is not the one that was shown"
    moved = domain(region="us", attestations=tuple(attestation(what=w, region="us") for w in SEEN))
    us = facts(moved, txt=TXT, mx=MX)
    assert continued(us, us) == [MX_STEP]
    assert continued(NEW, us) == []


def test_what_the_review_showed_as_done_is_not_repaired() -> None:
    """Its TTL alone is off by now, and a done step has the same values: the review said nothing of that."""
    declared = domain(ttl=3600)
    done = facts(declared, txt=present(TXT_KEY, PRIMARY), mx=MX)
    drifted = facts(declared, txt=present(TXT_KEY, PRIMARY, ttl=60), mx=MX)
    assert TXT_STEP not in continued(done, drifted)
    assert TXT_STEP in continued(drifted, drifted)


def test_another_domain_does_not_make_up_for_it() -> None:
    other = document(NEW)
    renamed = other.model_copy(update={"domains": [other.domains[0].model_copy(update={"domain": "b.example"})]})
    left = open_part(renamed)
    assert left is not None
    assert match_continued([left], document(OPENED)) == []


def test_a_provider_or_a_zone_that_the_review_did_not_show_is_not_written_to() -> None:
    fresh = document(OPENED)
    (shown,) = fresh.domains
    resources = [s.resource.model_copy(update={"zone": "example."}) for s in shown.steps]
    for steps in (
        [s.model_copy(update={"provider": "another"}) for s in shown.steps],
        [s.model_copy(update={"resource": r}) for s, r in zip(shown.steps, resources, strict=True)],
    ):
        other = fresh.model_copy(update={"domains": [shown.model_copy(update={"steps": steps})]})
        assert match_continued([kept(NEW)], other) == []


def test_a_ttl_that_the_review_did_not_show_is_not_written() -> None:
    mx = present(MX_KEY, EU)
    saved, fresh = facts(domain(ttl=300), mx=mx, txt=TXT), facts(domain(ttl=60), mx=mx, txt=TXT)
    assert continued(saved, saved)
    assert continued(saved, fresh) == []


def test_a_foreign_value_that_came_meanwhile_is_nobodys_matter() -> None:
    """What is added and removed is what was reviewed; values are owned one by one."""
    beside = facts(txt=present(TXT_KEY, '"foreign"'), mx=MX)
    assert continued(NEW, beside) == [TXT_STEP]


def test_a_domain_that_is_declared_otherwise_does_not_go_on() -> None:
    plan, fresh = kept(NEW), document(OPENED, declared="sha256:other")
    assert match_continued([plan], fresh) == []
    assert [[(r.domain.domain, r.code) for r in found] for found in find_moved([plan], fresh)] == [
        [(NAME, "base-moved")]
    ]
    gone = fresh.model_copy(update={"domains": []})
    assert [r.code for (r,) in find_moved([plan], gone)] == ["undeclared"]
    assert find_moved([plan], document(OPENED)) == [[]]


def test_several_reviews_show_more_than_one() -> None:
    """Each for the declaration that it was made from."""
    other = kept(NEW, declared="sha256:other")
    assert [s.id for r in match_continued([other, kept(NEW)], document(OPENED)) for s in r.steps] == [MX_STEP]
    assert match_continued([other], document(OPENED)) == []


def test_what_was_written_or_is_done_is_kept_no_more() -> None:
    """Whoever takes it away again makes drift: that goes on by another review alone."""
    plan = kept(NEW)
    once = without_finished(plan, document(NEW), {TXT_STEP})
    assert ids(once) == [MX_STEP]
    assert once is not None
    drifted = document(NEW)
    assert match_continued([once], drifted) == []
    assert [d.summary for d in find_unreviewed([once], drifted)] == [
        f"{TXT_STEP} is ready, and no reviewed plan shows it"
    ]
    assert ids(without_finished(plan, document(OPENED), set())) == [MX_STEP]
    assert without_finished(plan, document(OPENED), {MX_STEP}) is None
    assert without_finished(plan, document(IN_SYNC), set()) is None


def test_a_step_that_is_not_needed_any_more_is_kept_no_more() -> None:
    removal = kept(facts(txt=present(TXT_KEY, PRIMARY, SECONDARY), mx=present(MX_KEY, EU)))
    assert ids(removal) == [f"{TXT_STEP}/retired"]
    assert without_finished(removal, document(IN_SYNC), set()) is None


def test_what_could_not_be_seen_stays_kept() -> None:
    plan = kept(NEW)
    unseen = document(facts(txt=Unknown(Cause.TIMEOUT, "silence"), mx=present(MX_KEY, EU)))
    assert ids(without_finished(plan, unseen, set())) == [TXT_STEP, MX_STEP]
    assert ids(without_finished(plan, document(NEW).model_copy(update={"domains": []}), set())) == [TXT_STEP, MX_STEP]
    (withdrawn,) = document(NEW).domains
    nothing = withdrawn.model_copy(update={"stage": Stage.UNKNOWN, "steps": []})
    assert ids(without_finished(plan, document(NEW).model_copy(update={"domains": [nothing]}), set())) == [
        TXT_STEP,
        MX_STEP,
    ]


def test_a_newer_review_says_everything_of_what_it_saw() -> None:
    assert reviewed_anew(document(NEW)) == {NAME}
    assert reviewed_anew(document(IN_SYNC)) == {NAME}
    assert reviewed_anew(document(facts(txt=Unknown(Cause.TIMEOUT, "silence"), mx=MX))) == frozenset()
    assert without_domains(kept(NEW), {NAME}) is None
    assert without_domains(kept(NEW), {"b.example"}) == kept(NEW)


def test_it_is_waited_as_long_as_a_reviewed_step_may_go_on() -> None:
    plan = kept(OPENED)
    assert is_waiting([plan], document(OPENED))
    assert is_waiting([plan], document(facts(domain(attestations=()), txt=TXT, mx=MX)))
    assert is_waiting([plan], document(facts(txt=TXT, mx=Unknown(Cause.TIMEOUT, "silence"))))
    assert not is_waiting([plan], document(IN_SYNC))
    assert not is_waiting([plan], document(facts(txt=TXT, mx=Absent()))), "another change than the reviewed one"
    assert not is_waiting([], document(OPENED))


def test_what_was_reviewed_waits_for_no_review() -> None:
    assert list(find_unreviewed([kept(NEW)], document(NEW))) == []
    assert list(find_unreviewed([kept(NEW)], document(OPENED))) == []
    assert list(find_unreviewed([], document(OPENED))) == [], "a domain of which nothing is kept is not looked at"
    (told,) = find_unreviewed([kept(NEW)], document(facts(txt=TXT, mx=present(MX_KEY, "20 mail.acme.example."))))
    assert (told.code, told.domain, told.place) == ("unreviewed", NAME, "manifests/acme.yaml:7")
    assert "reconciler plan --out FILE" in told.detail
