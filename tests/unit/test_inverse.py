"""Inverse plans: what they want, until when they are safe, and what of them is written."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from builders import EU, EU_MULTI, MX_KEY, NOW, OLD_MX, PRIMARY, SECONDARY, TXT_KEY, observation
from inverse_builders import applied_to, document, mx, seen, service, service_step, txt, world_before

from reconciler.document import load_document, plan_schema, render_document
from reconciler.errors import PlanFileError
from reconciler.history import Waits
from reconciler.inverse import build_inverse, match_inverse
from reconciler.plan import Action, Phase, Stage, Status
from reconciler.state import Cause, Key, Observation, Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from inverse_builders import World

    from reconciler.document import PlanDocument, StepDocument
    from reconciler.review import Reviewed

HOUR = timedelta(hours=1)
WAITS = Waits(settle=HOUR)
SWITCH = mx([OLD_MX], [EU], ttl=300)
TOKEN = txt([], [PRIMARY])
TOKEN_THERE = txt([PRIMARY], [PRIMARY])
HELD_SWITCH = mx([OLD_MX], [EU], status=Status.HELD)


def inverse(*steps: StepDocument, applied: list[StepDocument] | None = None, **changes: Any) -> PlanDocument:  # noqa: ANN401
    """The inverse of what is ready, or of `applied`."""
    written = [s for s in steps if s.status is Status.READY] if applied is None else applied
    return build_inverse(document(*steps, **changes), {"acme.example": written}, WAITS, NOW)


def matched(undo: PlanDocument, world: World, after: timedelta = timedelta()) -> Reviewed:
    (result,) = match_inverse(undo, seen(world), NOW + after)
    return result


def test_a_switch_goes_back_to_what_was_there_with_its_ttl() -> None:
    plan = document(TOKEN_THERE, SWITCH)
    undo = build_inverse(plan, {"acme.example": [SWITCH]}, WAITS, NOW)
    assert (undo.kind, undo.inverse_of, undo.created_at) == ("plan", plan.id, NOW)
    guard, back = undo.domains[0].steps
    assert (back.id, back.phase, back.action, back.status) == (
        "acme.example/mx/undo",
        Phase.SWITCH,
        Action.UPDATE,
        Status.READY,
    )
    assert (back.before, back.ttl_before, back.after, back.ttl) == ([EU], 300, [OLD_MX], 3600)
    assert (guard.id, guard.status, guard.action) == ("acme.example/verification/unchanged", Status.DONE, Action.NO_OP)
    assert undo.summary.update == 1
    assert undo.has_changes


def test_it_says_that_the_commit_has_to_go_too() -> None:
    (told,) = inverse(TOKEN_THERE, SWITCH).diagnostics
    assert told.code == "revert-the-commit"
    assert "Revert the commit" in told.detail


def test_what_was_created_is_deleted_and_what_was_deleted_is_created() -> None:
    (back,) = inverse(TOKEN, applied=[TOKEN]).domains[0].steps
    assert (back.action, back.before, back.ttl_before, back.after, back.ttl) == (
        Action.DELETE,
        [PRIMARY],
        3600,
        [],
        3600,
    )
    gone = mx([EU], [], ttl_before=60, ttl=60)
    (back,) = inverse(gone).domains[0].steps
    assert (back.action, back.before, back.ttl_before, back.after, back.ttl) == (Action.CREATE, [], None, [EU], 60)


def test_foreign_values_stand_beside() -> None:
    step = txt([], [PRIMARY], untouched=[SECONDARY])
    (back,) = inverse(step).domains[0].steps
    assert (back.action, back.untouched, back.ttl_before) == (Action.UPDATE, [SECONDARY], 3600)


def test_nothing_applied_is_nothing_to_undo() -> None:
    undo = build_inverse(document(SWITCH), {}, WAITS, NOW)
    assert (undo.domains, undo.has_changes, undo.safe_until) == ([], False, None)
    assert match_inverse(undo, {}, NOW) == []


def test_undoing_a_removal_is_safe_at_any_time() -> None:
    undo = inverse(mx([EU], [EU]), txt([PRIMARY, SECONDARY], [PRIMARY], Phase.CONTRACT))
    assert undo.safe_until is None
    assert "at any time" in undo.safe_note
    assert undo.expires_at > NOW + timedelta(days=300)
    assert [s.phase for s in undo.domains[0].steps if s.status is Status.READY] == [Phase.EXPAND]


@pytest.mark.parametrize(
    ("steps", "services", "until"),
    [
        ([], [], HOUR),
        ([txt([PRIMARY, SECONDARY], [PRIMARY], Phase.CONTRACT, status=Status.HELD)], [], HOUR),
        (
            [txt([PRIMARY, SECONDARY], [PRIMARY], Phase.CONTRACT, status=Status.HELD, not_before=NOW + 5 * HOUR)],
            [],
            5 * HOUR,
        ),
        ([mx([EU], [EU], Phase.CONTRACT, ttl=7200, id="mx-ttl", not_before=NOW + 2 * HOUR)], [], HOUR),
        (
            [mx([EU, OLD_MX], [EU], Phase.CONTRACT, id="old", status=Status.HELD, not_before=NOW + 5 * HOUR)],
            [],
            5 * HOUR,
        ),
        ([], [service(service_step(Phase.CONTRACT, not_before=NOW + 72 * HOUR))], 72 * HOUR),
        ([], [service(service_step(Phase.CONTRACT, not_before=NOW - HOUR))], HOUR),
        ([], [service(service_step(Phase.CONTRACT, after=["a"], not_before=NOW + 9 * HOUR))], HOUR),
        ([], [service(service_step(Phase.EXPAND, not_before=NOW + 9 * HOUR))], HOUR),
        ([], [service(service_step(Phase.CONTRACT, not_before=NOW + 72 * HOUR), organization="other")], HOUR),
        (
            [txt([PRIMARY, SECONDARY], [PRIMARY], Phase.CONTRACT, status=Status.HELD, not_before=NOW + 9 * HOUR)],
            [service(service_step(Phase.CONTRACT, not_before=NOW + 3 * HOUR))],
            3 * HOUR,
        ),
    ],
)
def test_a_switch_is_safe_to_undo_until_the_old_state_is_taken_apart(
    steps: list[StepDocument], services: list[Any], until: timedelta
) -> None:
    undo = inverse(TOKEN_THERE, SWITCH, *steps, applied=[SWITCH], services=services)
    assert undo.safe_until == undo.expires_at == NOW + until
    assert "the old way still works" in undo.safe_note


def test_a_removed_second_mx_is_mail_that_moves() -> None:
    assert inverse(mx([EU, OLD_MX], [EU], Phase.CONTRACT)).safe_until == NOW + HOUR


def test_verification_values_go_only_before_the_mx_moved() -> None:
    undo = inverse(TOKEN, HELD_SWITCH)
    assert [(s.id, s.phase, s.status) for s in undo.domains[0].steps] == [
        ("acme.example/mx/unchanged", Phase.SWITCH, Status.DONE),
        ("acme.example/verification/undo", Phase.CONTRACT, Status.READY),
    ]
    assert undo.safe_until is None
    assert "as long as the MX has not moved" in undo.safe_note
    left = applied_to(world_before(TOKEN, HELD_SWITCH), TOKEN)
    assert [s.id for s in matched(undo, left).steps] == ["acme.example/verification/undo"]
    moved = matched(undo, applied_to(left, mx([OLD_MX], [EU])))
    assert moved.steps == ()
    assert moved.stale.startswith("acme.example/mx/unchanged: the apply left 10 mail.acme.example. (TTL 3600)")


@pytest.mark.parametrize(
    ("steps", "stage", "status"),
    [
        ([TOKEN, mx([EU], [EU])], Stage.SWITCHED, Status.HELD),  # a value that was lost came back
        ([TOKEN, mx([OLD_MX], [EU])], Stage.READY, Status.HELD),  # a waiver let the MX move in the same run
        ([TOKEN, mx([], [], status=Status.UNKNOWN)], Stage.UNKNOWN, Status.HELD),
        ([TOKEN, mx([EU], [EU_MULTI], status=Status.HELD)], Stage.SWITCHED, Status.HELD),  # it lost all its values
        (
            [txt([PRIMARY], [PRIMARY, SECONDARY]), mx([EU], [EU_MULTI], status=Status.HELD)],
            Stage.SWITCHED,
            Status.READY,
        ),
        ([TOKEN, mx([OLD_MX], [OLD_MX], Phase.EXPAND, ttl=60), HELD_SWITCH], Stage.VERIFYING, Status.READY),
    ],
)
def test_verification_values_that_the_gateway_needs_stay(
    steps: list[StepDocument], stage: Stage, status: Status
) -> None:
    undo = inverse(*steps, stage=stage)
    back = next(s for s in undo.domains[0].steps if s.id == "acme.example/verification/undo")
    assert back.status is status
    assert [g.id for g in back.gates] == (["undo"] if status is Status.HELD else [])


def test_what_is_held_is_not_written() -> None:
    steps = [TOKEN, SWITCH]
    undo = inverse(*steps)
    left = applied_to(world_before(*steps), *steps)
    assert [s.id for s in matched(undo, left).steps] == ["acme.example/mx/undo"]


def test_the_order_is_turned_round() -> None:
    contract = txt([PRIMARY, SECONDARY], [PRIMARY], Phase.CONTRACT)
    undo = inverse(mx([OLD_MX], [OLD_MX], Phase.EXPAND, ttl=60), contract)
    phases = [(s.phase, s.resource.type) for s in undo.domains[0].steps]
    assert phases == [(Phase.EXPAND, "TXT"), (Phase.CONTRACT, "MX")]


# what is written of it

STEPS = (TOKEN_THERE, SWITCH)
UNDO = inverse(*STEPS)
LEFT = applied_to(world_before(*STEPS), SWITCH)


def test_what_the_apply_left_is_undone() -> None:
    result = matched(UNDO, LEFT)
    assert result.stale == ""
    (step,) = result.steps
    change = step.change()
    assert change is not None
    assert (change.key, change.expected, change.wanted) == (MX_KEY, frozenset({EU}), frozenset({OLD_MX}))
    assert (change.ttl_before, change.ttl) == (300, 3600)


def test_what_is_undone_already_is_not_written_again() -> None:
    result = matched(UNDO, world_before(*STEPS))
    assert (result.steps, result.stale) == ((), "")


@pytest.mark.parametrize(
    ("key", "content"),
    [
        (MX_KEY, (frozenset({"5 other.example."}), 300)),
        (MX_KEY, (frozenset({EU}), 301)),
        (MX_KEY, (frozenset({EU, OLD_MX}), 300)),
        (MX_KEY, (frozenset({OLD_MX}), 300)),
        (MX_KEY, (frozenset(), None)),
        (TXT_KEY, (frozenset(), None)),
        (TXT_KEY, (frozenset({PRIMARY, SECONDARY}), 3600)),
    ],
)
def test_anything_else_that_is_there_now_is_stale(key: Key, content: tuple[frozenset[str], int | None]) -> None:
    result = matched(UNDO, LEFT | {key: content})
    assert result.steps == ()
    assert "and now there is" in result.stale


def test_another_ttl_of_what_was_not_written_is_no_matter() -> None:
    assert matched(UNDO, LEFT | {TXT_KEY: (frozenset({PRIMARY}), 60)}).steps


def test_what_cannot_be_seen_is_not_undone() -> None:
    there = seen(LEFT)
    lost = observation(MX_KEY, Unknown(Cause.TIMEOUT, "silence"))
    for given, said in (
        ({TXT_KEY: there[TXT_KEY]}, "nobody looked"),
        ({**there, MX_KEY: lost}, "silence"),
        ({**there, MX_KEY: Observation(MX_KEY, None, there[MX_KEY].answers)}, "another zone"),
    ):
        (result,) = match_inverse(UNDO, given, NOW)
        assert result.steps == ()
        assert said in result.stale


def test_after_its_time_nothing_is_undone() -> None:
    assert matched(UNDO, LEFT, HOUR).steps
    late = matched(UNDO, LEFT, HOUR + timedelta(seconds=1))
    assert late.steps == ()
    assert late.stale.startswith("it was safe until 2026-11-21T13:00+00:00: The MX may go back")
    assert "Revert the commit" in late.stale


def test_only_what_the_journal_knows_is_undone() -> None:
    change = SWITCH.change()
    assert change is not None
    (known,) = match_inverse(UNDO, seen(LEFT), NOW, [change])
    assert [s.id for s in known.steps] == ["acme.example/mx/undo"]
    (unknown,) = match_inverse(UNDO, seen(LEFT), NOW, [])
    assert unknown.steps == ()
    assert "the journal does not know" in unknown.stale


def test_a_step_without_a_ttl_cannot_be_written() -> None:
    """No plan of ours has one; a file may."""
    domain = UNDO.domains[0]
    steps = [s.model_copy(update={"ttl": None}) for s in domain.steps]
    forged = UNDO.model_copy(update={"domains": [domain.model_copy(update={"steps": steps})]})
    assert "no change that could be written" in matched(forged, LEFT).stale


# the document


def test_it_survives_json_and_its_fields_are_sealed(tmp_path: Path) -> None:
    path = tmp_path / "inverse.json"
    path.write_text(render_document(UNDO))
    assert load_document(path) == UNDO
    data = json.loads(path.read_text())
    jsonschema.validate(data, plan_schema())
    for change in (
        {"inverse_of": None},
        {"inverse_of": "sha256:0"},
        {"safe_until": "2036-11-21T13:00:00Z"},
        {"safe_until": None},
    ):
        path.write_text(json.dumps(data | change))
        with pytest.raises(PlanFileError, match="altered"):
            load_document(path)


def test_an_ordinary_plan_does_not_have_its_fields() -> None:
    assert not {"inverse_of", "safe_until", "safe_note"} & set(json.loads(render_document(document(SWITCH))))
