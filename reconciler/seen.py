"""What is seen of one mail domain, as far as the journal keeps it: little, because it is kept of every one. Pure."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from reconciler.gates import Verdict
from reconciler.gates.observed import has_wanted_values_alone, is_gateway
from reconciler.gates.token_visible import TokenVisible
from reconciler.history import shown_in
from reconciler.state import Present, mx_exchange

if TYPE_CHECKING:
    from reconciler.gates import Facts
    from reconciler.history import Shown
    from reconciler.state import Observation


class Seen(NamedTuple):
    """One look at a mail domain that has an MX of ours.

    `shown` and `is_complete` are as from `shown_in`. `tokens_visible` tells whether every server shows every wanted
    verification value, None where that is not known; `is_wanted_alone` whether no other value of ours is shown;
    `is_switched` whether a host of the gateway is in any MX that is shown.
    """

    shown: Shown
    is_complete: bool
    tokens_visible: bool | None
    is_wanted_alone: bool
    is_switched: bool


def seen_in(facts: Facts) -> Seen | None:
    """What the facts show; None of a mail domain whose mail is not filtered by MX."""
    desired = facts.desired.mx
    if desired is None:
        return None
    shown, is_complete = shown_in(facts.observations[desired.key])
    tokens = TokenVisible().judge(facts).verdict
    return Seen(
        shown,
        is_complete,
        None if tokens is Verdict.UNKNOWN else tokens is Verdict.PASS,
        has_wanted_values_alone(facts),
        any(is_gateway(facts, mx_exchange(v)) for rdatas, _ in shown for v in rdatas),
    )


def seen_at_sight(values: Observation, mx: Observation) -> Seen | None:
    """The same of a mail domain that is settled at sight, where every server shows something; None where one does not.

    Servers that show rrsets and agree show the same values: those that are wanted, and others' alone beside them.
    """
    if not all(isinstance(answer.observed, Present) for answer in chain(values.answers, mx.answers)):
        return None
    shown, is_complete = shown_in(mx)
    return Seen(shown, is_complete, tokens_visible=True, is_wanted_alone=True, is_switched=True)
