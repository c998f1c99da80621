"""What was reviewed is what is applied, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders import EU, MX_KEY, OLD_MX, PRIMARY, SECONDARY, TXT_KEY, attestation, document, domain, facts, present

from reconciler.plan import Action, Status
from reconciler.review import Reviewed, StaleCode, match_review
from reconciler.state import Absent, Cause, Unknown

if TYPE_CHECKING:
    from reconciler.gates import Facts

TXT = present(TXT_KEY, PRIMARY)
SAVED = facts(txt=TXT, mx=present(MX_KEY, OLD_MX))


def matched(saved: Facts, fresh: Facts) -> Reviewed:
    (result,) = match_review(document(saved), document(fresh))
    return result


def test_the_same_world_goes_on() -> None:
    assert [s.id for s in matched(SAVED, SAVED).steps] == ["acme.example/mx"]


def test_a_file_that_was_made_by_hand_says_no_more_than_the_manifests_and_the_world() -> None:
    """A step that does nothing and is ready all the same, of a domain that nobody declares, or of another owner."""
    (one,) = document(SAVED).domains
    idle = one.model_copy(
        update={
            "steps": [s.model_copy(update={"status": Status.READY, "action": Action.NO_OP}) for s in one.steps],
            "declared": "sha256:0",
        }
    )
    forged = document(SAVED).model_copy(update={"domains": [idle, idle.model_copy(update={"domain": "none.example"})]})
    assert match_review(forged, document(SAVED)) == []
    renamed = document(SAVED).model_copy(update={"domains": [one.model_copy(update={"organization": "evil"})]})
    assert [r.domain.organization for r in match_review(renamed, document(SAVED))] == ["acme"]


def test_what_is_done_already_is_not_written_again() -> None:
    result = matched(SAVED, facts(txt=TXT, mx=present(MX_KEY, EU)))
    assert result == Reviewed(result.domain, ())


def test_the_same_values_with_another_ttl_are_not_what_was_reviewed() -> None:
    saved = facts(txt=Absent(), mx=present(MX_KEY, EU))
    assert matched(saved, facts(txt=present(TXT_KEY, PRIMARY, ttl=60), mx=present(MX_KEY, EU))).stale


def test_a_finished_removal_is_done_and_not_stale() -> None:
    saved = facts(txt=present(TXT_KEY, PRIMARY, SECONDARY), mx=present(MX_KEY, EU))
    result = matched(saved, facts(txt=TXT, mx=present(MX_KEY, EU)))
    assert (result.steps, result.stale) == ((), "")


def test_another_observed_value_is_stale_and_says_both() -> None:
    result = matched(SAVED, facts(txt=TXT, mx=present(MX_KEY, "20 mail.acme.example.")))
    assert "10 mail.acme.example." in result.stale
    assert "20 mail.acme.example." in result.stale


def test_a_foreign_value_that_came_is_stale() -> None:
    result = matched(facts(txt=present(TXT_KEY, '"a"')), facts(txt=present(TXT_KEY, '"a"', '"b"')))
    assert '"b"' in result.stale


def test_a_vanished_rrset_is_stale() -> None:
    assert "now there is nothing" in matched(SAVED, facts(txt=TXT, mx=Absent())).stale


def test_another_ttl_is_stale() -> None:
    assert "TTL 60" in matched(SAVED, facts(txt=TXT, mx=present(MX_KEY, OLD_MX, ttl=60))).stale


def test_a_gate_that_closed_is_stale() -> None:
    closed = domain(attestations=())
    assert "held now" in matched(SAVED, facts(closed, txt=TXT, mx=present(MX_KEY, OLD_MX))).stale


def test_other_manifests_are_stale() -> None:
    moved = domain(region="us", attestations=(attestation(region="us"),))
    assert "something else" in matched(SAVED, facts(moved, txt=TXT, mx=present(MX_KEY, OLD_MX))).stale


def test_what_cannot_be_seen_now_is_stale() -> None:
    assert "silence" in matched(SAVED, facts(txt=TXT, mx=Unknown(Cause.TIMEOUT, "silence"))).stale


def test_a_domain_that_is_gone_is_stale() -> None:
    (result,) = match_review(document(SAVED), document(SAVED).model_copy(update={"domains": []}))
    assert "no longer declare" in result.stale


def test_a_step_whose_rrset_is_gone_is_stale() -> None:
    assert "no longer needed" in matched(SAVED, facts(domain(connection="api"))).stale


def test_what_was_held_in_the_review_is_not_written() -> None:
    held = facts(mx=present(MX_KEY, OLD_MX))
    assert [s.id for s in matched(held, held).steps] == ["acme.example/verification"]


def test_a_domain_with_nothing_ready_is_not_looked_at() -> None:
    held = facts(domain(attestations=()), txt=TXT, mx=present(MX_KEY, OLD_MX))
    assert match_review(document(held), document(held)) == []


def test_a_value_that_is_foreign_now_is_not_removed_by_an_older_plan() -> None:
    """The reviewed plan owned the whole MX; since then the manifest says that others may stay."""
    shared = domain(mx_exclusive=False)
    result = matched(SAVED, facts(shared, txt=TXT, mx=present(MX_KEY, OLD_MX)))
    assert result.steps == ()
    assert "something else" in result.stale


def test_a_plan_whose_digest_was_made_again_cannot_own_a_foreign_value() -> None:
    now = facts(txt=present(TXT_KEY, '"foreign"'))
    saved = document(now)
    (planned,) = saved.domains
    forged = [
        s.model_copy(update={"before": s.untouched, "untouched": []}) if s.resource.type == "TXT" else s
        for s in planned.steps
    ]
    altered = saved.model_copy(update={"domains": [planned.model_copy(update={"steps": forged})]})
    (result,) = match_review(altered, document(now))
    assert result.steps == ()
    assert result.stale


def test_what_is_applied_is_the_fresh_step_and_not_the_saved_text() -> None:
    saved, fresh = document(SAVED), document(SAVED)
    (result,) = match_review(saved, fresh)
    assert [id(s) for s in result.steps] == [id(s) for s in fresh.domains[0].steps if s.status is Status.READY]


def code(saved: Facts, fresh: Facts) -> str:
    return matched(saved, fresh).code


def test_every_reason_has_a_code_of_its_own() -> None:
    mx = present(MX_KEY, OLD_MX)
    assert code(SAVED, SAVED) == ""
    assert code(SAVED, facts(txt=TXT, mx=Absent())) == StaleCode.OBSERVED_CHANGED
    assert code(SAVED, facts(txt=TXT, mx=Unknown(Cause.TIMEOUT, "silence"))) == StaleCode.OBSERVED_UNKNOWN
    assert code(SAVED, facts(domain(attestations=()), txt=TXT, mx=mx)) == StaleCode.GATE_CLOSED
    assert code(SAVED, facts(domain(mx_exclusive=False), txt=TXT, mx=mx)) == StaleCode.WANTED_CHANGED
    assert code(SAVED, facts(domain(connection="api"))) == StaleCode.NOT_NEEDED


def test_a_domain_that_is_declared_otherwise_is_stale_and_its_place_is_told() -> None:
    (moved,) = match_review(document(SAVED), document(SAVED, declared="sha256:other"))
    assert (moved.steps, moved.code) == ((), "base-moved")
    assert moved.stale == "the base moved: manifests/acme.yaml:7 declares something else than what was reviewed"
    (gone,) = match_review(document(SAVED), document(SAVED).model_copy(update={"domains": []}))
    assert (gone.steps, gone.code) == ((), "undeclared")
    (steps,) = match_review(document(SAVED), document(facts(domain(connection="api")), declared="sha256:other"))
    assert steps.stale == "the base moved: the manifests declare something else than what was reviewed"


def test_what_was_held_in_the_review_is_told_where_its_base_moved() -> None:
    """It would not go on by itself any more, and somebody waits for it."""
    held = document(facts(domain(attestations=()), txt=TXT, mx=present(MX_KEY, OLD_MX)))
    (moved,) = match_review(held, document(SAVED, declared="sha256:other"))
    assert moved.code == "base-moved"


def test_a_domain_with_nothing_to_do_may_be_declared_otherwise() -> None:
    in_sync = document(facts(txt=TXT, mx=present(MX_KEY, EU)))
    assert match_review(in_sync, document(SAVED, declared="sha256:other")) == []


def test_a_plan_that_does_not_tell_what_it_was_made_from_is_not_taken_for_the_same() -> None:
    """Whoever takes the digest out of a file, and makes its own anew, gains nothing."""
    (moved,) = match_review(document(SAVED, declared=""), document(SAVED, declared=""))
    assert moved.code == "base-moved"
