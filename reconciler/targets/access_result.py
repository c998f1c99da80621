"""What the results of an access(5) table of Postfix mean for whoever a line is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.addresses import AddressSet, address_set
from reconciler.targets.base import Enforcement, harder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.targets.base import Entry

# access(5), "OTHER ACTIONS", and what asks for nothing: the client is let on
_PASSING = frozenset({"bcc", "dunno", "filter", "hold", "info", "prepend", "redirect", "warn", "defer_if_reject"})
_DEFERRING = frozenset({"defer", "defer_if_permit"})
_CODE = re.compile(r"([45])[0-9]{2}", re.ASCII)
# a line for more than so many addresses of its version is about everybody, and not about single clients
_EVERYBODY_BITS = {4: 24, 6: 120}


@dataclass(frozen=True, slots=True)
class Replies:
    """How main.cf makes `REJECT` a 4xx: `access_map_reject_code` and `soft_bounce` of postconf(5)."""

    is_reject_soft: bool = False
    is_all_soft: bool = False

    def of(self, result: str) -> Enforcement:
        """What a result that does not permit does; one that is not known may refuse for good."""
        word = result.replace(",", " ").split()[0].lower()
        code = _CODE.fullmatch(word)
        if word in _PASSING:
            return Enforcement.NONE
        if word in _DEFERRING or (code and code[1] == "4"):
            return Enforcement.SOFT
        is_soft = self.is_all_soft or (word == "reject" and self.is_reject_soft)
        # DISCARD says 2xx and loses the message, which no setting makes any softer
        return Enforcement.SOFT if is_soft and word != "discard" else Enforcement.HARD


def read_replies(settings: Mapping[str, str]) -> Replies:
    """The replies by settings as `postconf` prints them; its defaults stand for those that are not there."""
    return Replies(
        is_reject_soft=settings.get("access_map_reject_code", "554").startswith("4"),
        is_all_soft=settings.get("soft_bounce", "no").lower() == "yes",
    )


@dataclass(frozen=True, slots=True)
class Refused:
    """`refusal` is the hardest answer of the lines about everybody; `passed` is whom such a line lets on."""

    refusal: Enforcement
    passed: AddressSet


def judge_lines(lines: Iterable[tuple[Entry, Enforcement]], refused: AddressSet) -> Refused:
    """What the lines that do not permit do to everybody else, in their order; the first that fits decides.

    `refused` are the addresses that no line before theirs permits.
    """
    wide = dict.fromkeys(
        (e.interval, does) for e, does in lines if e.interval.size > 1 << _EVERYBODY_BITS[e.interval.version]
    )
    refusal = Enforcement.NONE
    decided, passed = AddressSet(), AddressSet()
    for interval, does in wide:
        fresh = (address_set([interval]) & refused) - decided
        decided |= fresh
        if fresh and does is Enforcement.NONE:
            passed |= fresh
        elif fresh:
            refusal = harder(refusal, does)
    return Refused(refusal, passed)
