"""Off-boarding is the same algorithm: the MX goes back to the next hops, and what only the gateway needed goes last."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from builders import EU, MX_KEY, NOW, OLD_MX, PRIMARY, TXT_KEY, VISIBLE, facts, present
from gate_builders import leaving, ready, restrict_list, sighting, surroundings

from reconciler.history import History
from reconciler.names import Name
from reconciler.plan import Action, DomainPlan, Phase, Stage, Status, Step, plan_domain
from reconciler.proof import prove_plan
from reconciler.state import Absent, Cause, Rdata, Unknown
from reconciler.surroundings import SmtpRefusal
from reconciler.targets.base import Enforcement

if TYPE_CHECKING:
    from reconciler.gates import Facts
    from reconciler.state import Observed

HOP = Name("mail.acme.example.")
FOREIGN = "30 backup.hosting.example."


def planned(given: Facts, provider: str = "bind") -> DomainPlan:
    return plan_domain(given, provider=provider, new_ttl=3600)


def mx_of(plan: DomainPlan) -> Step:
    return next(s for s in plan.steps if s.id == "acme.example/mx")


def at_gateway(*mx: str, **changes: Any) -> Facts:  # noqa: ANN401
    """A leaving domain that is still behind the gateway."""
    return ready(leaving(), mx=present(MX_KEY, *(mx or (EU,))), **changes)


def left(ago: timedelta) -> History:
    """The history of a domain whose MX went back so long ago, after a year at the gateway."""
    return History(mx=(sighting(EU, seen=timedelta(days=365), gone=ago), sighting(OLD_MX, seen=ago)))


def test_the_mx_goes_back_to_the_next_hops_and_the_values_stay_until_then() -> None:
    plan = planned(at_gateway())
    assert plan.stage is Stage.LEAVING
    assert [(s.id.rpartition("/")[2], s.phase, s.status) for s in plan.steps] == [
        ("verification", Phase.EXPAND, Status.DONE),
        ("mx", Phase.SWITCH, Status.READY),
        ("retired", Phase.CONTRACT, Status.HELD),
    ]
    change = mx_of(plan).change
    assert change is not None
    assert (change.before, change.after, change.foreign) == ((EU,), (OLD_MX,), ())
    assert [g.id for g in mx_of(plan).gates] == ["next-hop", "origin-open", "mta-sts", "ttl"]


def test_nobody_goes_back_to_an_origin_that_does_not_answer_or_keeps_others_out() -> None:
    refused = at_gateway(around={"smtp": dict(surroundings().smtp) | {HOP: SmtpRefusal("421 not now")}})
    closed = at_gateway(allowlists=(restrict_list(refusal=Enforcement.HARD),))
    for given, gate in ((refused, "next-hop"), (closed, "origin-open")):
        step = mx_of(planned(given))
        assert step.status is Status.HELD
        assert [g.id for g in step.gates if g.verdict != "pass"] == [gate]


@pytest.mark.parametrize("mx", [present(MX_KEY, FOREIGN), present(MX_KEY, OLD_MX), Absent()])
def test_where_no_host_of_the_gateway_is_left_the_mx_is_somebody_elses(mx: Observed) -> None:
    """Whoever moved it to another server meanwhile keeps that."""
    step = mx_of(planned(ready(leaving(), mx=mx)))
    assert (step.status, step.action) == (Status.DONE, Action.NO_OP)


def test_a_next_hop_that_is_there_already_keeps_its_preference() -> None:
    """Only the gateway's host goes from beside it: mail moves by that too, and it waits for the same gates."""
    given = at_gateway(EU, f"20 {HOP}", FOREIGN)
    plan = planned(given)
    assert prove_plan(given, plan, None, None).failure is None
    step = mx_of(plan)
    assert step.change is not None
    assert (step.change.before, step.change.after) == ((EU,), ())
    assert step.change.foreign == (f"20 {HOP}", FOREIGN)
    assert (step.phase, step.status) == (Phase.SWITCH, Status.READY)
    assert [g.id for g in step.gates] == ["next-hop", "origin-open", "mta-sts", "ttl"]


@pytest.mark.parametrize(("ago", "status"), [(timedelta(hours=1), Status.HELD), (timedelta(hours=2), Status.READY)])
def test_the_values_go_when_no_sender_holds_the_gateways_mx(ago: timedelta, status: Status) -> None:
    """The old TTL of an hour, and an hour to settle."""
    plan = planned(ready(leaving(), mx=present(MX_KEY, OLD_MX), history=left(ago)))
    (step,) = [s for s in plan.steps if s.id.endswith("/verification/retired")]
    assert (step.action, step.status) == (Action.DELETE, status)
    assert step.not_before == (NOW + timedelta(hours=1) if status is Status.HELD else None)
    assert plan.stage is Stage.LEAVING


def test_without_our_values_it_is_gone() -> None:
    plan = planned(facts(leaving(), txt=present(TXT_KEY, '"foreign"'), mx=present(MX_KEY, OLD_MX)))
    assert {s.status for s in plan.steps} == {Status.DONE}
    assert plan.stage is Stage.GONE


def test_what_cannot_be_seen_is_not_gone() -> None:
    plan = planned(facts(leaving(), txt=Absent(), mx=Unknown(Cause.TIMEOUT, "silence")))
    assert (mx_of(plan).status, plan.stage) == (Status.UNKNOWN, Stage.UNKNOWN)


def test_a_domain_that_changes_its_mind_is_switched_as_if_it_were_new() -> None:
    """Half-way out and active again: the values are wanted, and the MX goes to the gateway again."""
    plan = planned(ready(mx=present(MX_KEY, OLD_MX), history=replace(left(timedelta(hours=1)), first_seen=VISIBLE)))
    assert [s.status for s in plan.steps] == [Status.DONE, Status.READY]
    change = mx_of(plan).change
    assert change is not None
    assert (change.before, change.after) == ((OLD_MX,), (EU,))


def test_a_connection_without_an_mx_leaves_nothing_behind() -> None:
    plan = planned(facts(leaving(connection="api")))
    assert (plan.steps, plan.stage) == ((), Stage.PROTECTED)


def test_values_that_are_still_there_are_ours_as_long_as_the_manifest_names_them() -> None:
    plan = planned(ready(leaving(), txt=present(TXT_KEY, PRIMARY, '"foreign"'), mx=present(MX_KEY, OLD_MX)))
    (step,) = [s for s in plan.steps if s.id.endswith("/verification/retired")]
    assert step.change is not None
    assert (step.change.removed, step.change.foreign) == ((PRIMARY,), ('"foreign"',))


def test_a_gateways_host_of_the_manifest_alone_is_remembered_when_its_override_goes_too() -> None:
    custom = "0 inbound.custom.example."
    history = replace(left(timedelta(hours=1)), written=frozenset({(MX_KEY, Rdata(custom))}))
    history = replace(history, mx=(sighting(custom, seen=timedelta(days=60)),))
    plan = planned(facts(leaving(), txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, custom), history=history))
    mx = next(s for s in plan.steps if s.id.endswith("/mx"))
    assert mx.change is not None
    assert (mx.phase, mx.change.removed) == (Phase.SWITCH, (custom,))
    assert next(s for s in plan.steps if s.id.endswith("/retired")).status is Status.HELD
