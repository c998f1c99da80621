"""The laboratory's counting: what it would say of mail that is lost, doubled, or taken past the gateway."""

from __future__ import annotations

from typing import Any

from mail_lab.origin import Arrival
from mail_lab.tally import SLACK_SECONDS, Restriction, Tally, count_messages

GATEWAY = "99.81.216.78"
ELSEWHERE = "203.0.113.66"


def event(name: str, message: str, at: float = 0.0, **more: str) -> dict[str, Any]:
    return {"event": name, "id": message, "at": at, **more}


def tally(*events: dict[str, Any], arrivals: tuple[Arrival, ...] = (), restriction: Restriction | None = None) -> Tally:
    return count_messages(events, arrivals, {GATEWAY}, restriction or Restriction())


def test_a_message_that_neither_arrived_nor_bounced_is_lost() -> None:
    found = tally(
        *(event("sent", message) for message in ("m1", "m2", "m3")),
        event("bounced", "m2", why="550"),
        arrivals=(Arrival("m1", GATEWAY, 1.0),),
    )
    assert found.arrived == {"m1"}
    assert found.bounced == {"m2": "550"}
    assert found.lost == {"m3"}
    assert found.through_gateway == {"m1"}


def test_a_second_copy_is_explained_only_where_an_answer_was_lost() -> None:
    twice = tuple(Arrival(message, GATEWAY, at) for message in ("m1", "m2") for at in (1.0, 2.0))
    found = tally(event("sent", "m1"), event("sent", "m2"), event("unsure", "m2"), arrivals=twice)
    assert found.duplicates == {"m1", "m2"}
    assert found.unexplained_duplicates == {"m1"}


def test_past_the_gateway_counts_from_the_restriction_until_its_end() -> None:
    restriction = Restriction()
    restriction.begin(10.0)
    restriction.begin(15.0)  # from soft to hard: the same span
    restriction.end(20.0)
    times = {"early": 9.0, "slack": 10.0 + SLACK_SECONDS / 2, "past": 15.0, "late": 20.0}
    arrivals = tuple(Arrival(message, ELSEWHERE, at) for message, at in times.items())
    through = Arrival("m1", GATEWAY, 15.0)
    attacks = [event("attack", message, at) for message, at in times.items()]
    found = tally(event("sent", "m1"), *attacks, arrivals=(*arrivals, through), restriction=restriction)
    assert found.past_the_gateway == {"past"}
    assert (found.attacks, found.attacks_while_restricted) == (4, 1)
    assert not restriction.is_on
    assert "past the gateway once restricted" in found.table("all")
