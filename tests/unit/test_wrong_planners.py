"""Every deliberately wrong planner is caught by the proof, with the step named; the right one never is."""

from __future__ import annotations

import pytest
from proof_builders import cases, with_plans
from wrong_planners import WRONG_PLANNERS

CAUGHT = [
    ("switch-before-allow", "verified", "acme.example/mx", "99.80.189.20, which acme/hq/postfix-access does not allow"),
    ("switch-before-allow", "region move", "acme.example/mx", "does not allow"),
    ("switch-before-token", "new", "acme.example/mx", '"primary-token" is not in DNS'),
    ("switch-before-token", "multi-region on", "acme.example/mx", '"secondary-token" is not in DNS'),
    ("remove-address-at-once", "multi-region off", "acme/hq/postfix-access/stale", "from 52.12.169.124, which"),
    ("remove-address-at-once", "multi-region just off", "acme/hq/postfix-access/stale", "from 52.12.169.124, which"),
    ("remove-address-at-once", "multi-region just off, history lost", "acme/hq/postfix-access/stale", "52.12.169.124"),
    ("remove-address-at-once", "region moved", "acme/hq/postfix-access/stale", "from 99.81.216.78, which"),
    ("remove-address-at-once", "left", "acme/hq/postfix-access/stale", "does not allow"),
    ("no-wait", "multi-region just off", "acme.example/verification/retired", '"secondary-token" is not in DNS'),
    ("no-wait", "region moved", "acme/hq/postfix-access/stale", "from 99.81.216.78, which"),
    ("no-wait", "multi-region off", "acme.example/verification/retired", '"secondary-token" is not in DNS'),
    ("no-wait", "switched, only hard", "/restrict", "bounces at mail.acme.example,"),
    ("wrong-ttl", "low TTL", "acme.example/verification/retired", '"secondary-token" is not in DNS'),
    ("wrong-ttl", "low TTL ahead", "acme.example/verification/retired", '"secondary-token" is not in DNS'),
    ("wrong-ttl", "low TTL, switched", "acme.example/verification/retired", '"secondary-token" is not in DNS'),
    ("remove-token-in-use", "protected", "acme.example/verification", '"primary-token" is not in DNS'),
    ("restrict-before-switch", "allowed", "/restrict", "no retry ever gets through"),
    ("restrict-hard-at-once", "switched", "/restrict", "bounces at mail.acme.example,"),
    ("restrict-before-caches-ran-out", "switched, only hard", "/restrict", "bounces at mail.acme.example,"),
    ("restrict-before-caches-ran-out", "switched, long TTL", "/restrict", "longer than senders retry (4 days)"),
    ("leave-before-loosening", "leaving", "acme.example/mx", "bounces at mail.acme.example,"),
    ("leave-without-token", "leaving", "acme.example/verification/retired", '"primary-token" is not in DNS'),
    ("leave-without-token", "leaving, open", "acme.example/verification/retired", '"primary-token" is not in DNS'),
    ("switch-to-another-region", "allowed", "acme.example/mx", "does not allow"),
    ("next-hop-is-the-gateway", "allowed", "acme.example/mx", "loops, because the next hop inbound-smtp.eu-west-1"),
    ("next-hop-is-the-gateway", "leaving", "acme.example/mx", "loops"),
    ("delete-before-adding", "allowed", "acme.example/mx/old", "not known to take the domain's mail"),
    ("delete-before-adding", "multi-region off", "acme.example/mx/old", "not known to take the domain's mail"),
    ("drop-one-address", "verified", "acme.example/mx", "99.80.189.20, which acme/hq/postfix-access does not allow"),
    ("drop-one-address", "multi-region on", "acme.example/mx", "52.12.169.124, which"),
]
CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_a_right_plan_is_proved(name: str) -> None:
    proof = CASES[name].prove()
    assert proof.failure is None, proof.failure.text
    assert len(proof.lines) <= 3


@pytest.mark.parametrize(("planner", "name", "step", "words"), CAUGHT)
def test_a_wrong_plan_is_refused_and_the_step_named(planner: str, name: str, step: str, words: str) -> None:
    given = CASES[name]
    wrong = WRONG_PLANNERS[planner](given.plan, given.service_plan)
    failure = with_plans(given, *wrong).prove().failure
    assert failure is not None
    assert failure.step in failure.text
    assert step in failure.step
    assert words in failure.fate


def test_every_wrong_planner_is_caught_somewhere() -> None:
    assert {planner for planner, *_ in CAUGHT} == set(WRONG_PLANNERS)


@pytest.mark.parametrize("planner", WRONG_PLANNERS)
def test_a_wrong_planner_leaves_alone_what_it_cannot_get_wrong(planner: str) -> None:
    """A domain that has left has nothing to lose; so the simulator can let a wrong planner live a whole life."""
    given = CASES["gone"]
    assert with_plans(given, *WRONG_PLANNERS[planner](given.plan, given.service_plan)).prove().is_ok
