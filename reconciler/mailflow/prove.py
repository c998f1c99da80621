"""The proof: no step of a plan loses mail that was delivered before it, and every MX that a step publishes delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.mailflow.alike import without_alike
from reconciler.mailflow.delivery import Fate, shown
from reconciler.mailflow.model import Failure, Proof, Restriction
from reconciler.mailflow.states import Done, Sent, State, States

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from reconciler.mailflow.model import Mx, Scenario

_OTHERS = {
    Restriction.NONE: "",
    Restriction.SOFT: "whatever comes past the gateway is deferred (4xx)",
    Restriction.HARD: "whatever comes past the gateway is refused (5xx)",
}


def prove(scenario: Scenario) -> Proof:
    """Follow mail through every state that the moves may lead to; see the package's own words for what is assumed."""
    scenario = without_alike(scenario)
    states = States(scenario)
    for done in states.reachable():
        for last in states.last_moves(done):
            failure = _blame(scenario, states, done, last)
            if failure is not None:
                return Proof(failure=failure)
    return Proof(tuple(_lines(scenario, states)))


def _blame(scenario: Scenario, states: States, done: Done, last: int) -> Failure | None:
    """The first mail that the last of these moves loses."""
    move = scenario.moves[last]
    if move.is_excused:
        return None
    before, after = states[done - {last}], states[done]
    for sent, outcome in after.outcomes.items():
        if outcome.fate is Fate.LOST and not _was_lost(scenario, states, before, after, sent):
            return Failure(move.id, after.moment, _mx_text(sent.mx), outcome.why)
    return None


def _was_lost(scenario: Scenario, states: States, before: State, after: State, sent: Sent) -> bool:
    """Whether mail that is lost now has been so without the last move; of an MX that it published that is no excuse."""
    if sent.mx == after.world.mx != before.world.mx:
        # hosts that are no gateway's and that stood there already are somebody else's
        is_kept = before.world.mx is not None and sent.way.host in states.delivery.hosts(before.world.mx)
        if before.world.mx is None or not is_kept or sent.way.host in scenario.gateways:
            return False
        sent = Sent(before.world.mx, sent.way)
    return sent not in before.outcomes or before.outcomes[sent].fate is Fate.LOST


def _lines(scenario: Scenario, states: States) -> Iterator[str]:
    """The flow after each phase, everything being done as early as it may."""
    for phase in dict.fromkeys(move.phase for move in scenario.moves):
        last = max(i for i, move in enumerate(scenario.moves) if move.phase == phase)
        state = states[frozenset(range(last + 1))]
        yield f"{phase}: " + "; ".join(filter(None, (_route(scenario, states, state), *_cached(state), _others(state))))


def _route(scenario: Scenario, states: States, state: State) -> str:
    if state.world.mx is None:
        return "senders -> an MX that is not known"
    hops = ", ".join(shown(hop) for hop in scenario.next_hops)
    routes = []
    for host in states.delivery.hosts(state.world.mx):
        gateway = scenario.gateways.get(host)
        behind = f" -> {_counted(len(gateway.relays))} -> {hops}" if gateway is not None else ""
        routes.append(f"senders -> {shown(host)}{behind}")
    return ", and ".join(routes)


def _counted(addresses: int) -> str:
    return "1 address of the gateway" if addresses == 1 else f"{addresses} addresses of the gateway"


def _cached(state: State) -> Iterator[str]:
    """What senders may hold beside what is published, the longest-lived last."""
    latest: dict[str, datetime] = {}
    for held in state.held:
        name = "any older MX" if held.is_any else f"old {_mx_text(held.mx)}"
        if held.until is not None and held.mx != state.world.mx:
            latest[name] = max(held.until, latest.get(name, held.until))
    for name, until in sorted(latest.items(), key=lambda item: item[1]):
        yield f"{name} cached until {until.isoformat(timespec='minutes')}"


def _others(state: State) -> str:
    return _OTHERS[max((one.restriction for one in state.world.lists), default=Restriction.NONE)]


def _mx_text(mx: Mx) -> str:
    return "MX " + ", ".join(f"{preference} {shown(host)}" for preference, host in mx) if mx else "no MX"
