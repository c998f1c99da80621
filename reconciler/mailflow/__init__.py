"""A model of mail, to prove plans with: it knows senders, caches, the gateway, the origin and time, and no planner.

The question is always the same: whatever of a plan is done, in whatever order and however late, is there a sender whose
mail is lost by it? The model takes the worst that the standards and the vendor's pages allow:

* a sender may hold an MX rrset for the whole of its TTL after it was last shown, and may use any host of it: whatever
  is better may fail for now (RFC 5321 section 5.1); a refusal for good (5xx) bounces at once, one for now (4xx) is
  retried for four days (section 4.5.4.1), with a fresh look at DNS once the cache has run out;
* the gateway takes mail only while every verification value that the host needs is in DNS, and may relay it from any
  address of the host's region; mail from an address that a list of the origin lacks is lost (spam filter, greylisting,
  rate limits, refusal); an origin without lists is attested by people, and takes it;
* mail that does not come through the gateway gets what the strictest list does with everybody else;
* what may be done now may be done at once, late, in any order, or never; what is held is done after everything
  before it in the plan, as early as its time allows.

What a plan is to blame for: a move that loses mail which was delivered before it, and an MX that a move publishes and
that does not deliver. What is broken before the first move, and that no move touches, is the world's fault: a plan that
mends half of it is better than none. Of a cached MX of which nobody knows what it is, every way is taken that delivered
before the first move.
"""

from reconciler.mailflow.model import (
    Cached,
    Failure,
    Gateway,
    Move,
    Mx,
    OriginList,
    Proof,
    Restriction,
    Scenario,
    SetList,
    SetMx,
    SetTokens,
    World,
)
from reconciler.mailflow.prove import prove

__all__ = [
    "Cached",
    "Failure",
    "Gateway",
    "Move",
    "Mx",
    "OriginList",
    "Proof",
    "Restriction",
    "Scenario",
    "SetList",
    "SetMx",
    "SetTokens",
    "World",
    "prove",
]
