"""Gates: what a step waits for; and hazards: what is told about a mail domain beside its steps.

Each is one small pure class with a stable id, in a file of its own or with a few that belong together. `judge_gates`
applies waivers; `find_hazards` finds everything that is worth a diagnostic. A new gate is a class, a place in the
tuples of the steps that wait for it, and its id among the manifests' `KNOWN_GATES`; a new hazard is a class and a place
in `HAZARDS`. Both have a line in `docs/reference/gates.md`, which is compared with the code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.gates.allowlist import AllowlistCovers
from reconciler.gates.attestations import waiver_in_force
from reconciler.gates.base import Facts, Gate, GateResult, Hazard, Verdict
from reconciler.gates.console import ConsoleEntry, MultiRegionFlag, Verified
from reconciler.gates.dnssec import DnssecBroken, DnssecSigned
from reconciler.gates.early_removal import EarlyRemoval
from reconciler.gates.loop import Loop
from reconciler.gates.mta_sts import MtaSts, MxCertificate
from reconciler.gates.mx_hazards import BypassMx, Dane, NullMx, WildcardMx
from reconciler.gates.mx_target import MxTarget
from reconciler.gates.name_hazards import CnameApex, CnameToken, Delegated, NoSuchZone, WildcardDomain
from reconciler.gates.next_hop import NextHop
from reconciler.gates.next_hops_changed import NextHopsChanged
from reconciler.gates.observed import (
    are_next_hops_remembered,
    is_anything_unknown,
    is_loop_possible,
    is_more_observed,
    is_mx_doubtful,
    is_mx_shared,
    is_mx_unsettled,
    is_probed,
)
from reconciler.gates.origin_hazards import BypassOrigin, Limits, OriginSpf, Size
from reconciler.gates.origin_open import OriginOpen
from reconciler.gates.spf_mx import SpfMx, SpfRecords
from reconciler.gates.switch_observed import SwitchObserved
from reconciler.gates.tls import Tls
from reconciler.gates.token_hazards import RetiredValueUnnamed, TokenRemoved, TokenSuffix
from reconciler.gates.token_visible import TokenVisible
from reconciler.gates.ttl import Ttl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.errors import Diagnostic

SWITCH_GATES: tuple[Gate, ...] = (
    TokenVisible(),
    ConsoleEntry(),
    Verified(),
    MultiRegionFlag(),
    AllowlistCovers(),
    MxTarget(),
    Loop(),
    NextHop(),
    Tls(),
    MtaSts(),
    MxCertificate(),
    SpfMx(),
    Ttl(),
)
"""The MX moves to the gateway from elsewhere."""

MOVE_GATES: tuple[Gate, ...] = (
    TokenVisible(),
    ConsoleEntry(),
    Verified(),
    MultiRegionFlag(),
    AllowlistCovers(),
    MxTarget(),
    MtaSts(),
    MxCertificate(),
    Ttl(),
)
"""The MX moves from one host of the gateway to another."""

TIDY_GATES: tuple[Gate, ...] = (TokenVisible(), AllowlistCovers(), MtaSts(is_move=False), MxCertificate())
"""What stands beside the gateway's MX goes: mail takes a way that it takes already.

Not all of it: whoever enforces an MTA-STS policy that does not list the gateway has used what goes, and nothing else.
"""

CHECK_GATES: tuple[Gate, ...] = (MxTarget(), Loop(), NextHop(), Tls(), MtaSts(), MxCertificate(), SpfMx())
"""What can be told of a mail domain that nobody has declared: what lies on its mail's way."""

LEAVE_GATES: tuple[Gate, ...] = (NextHop(must_answer=True), OriginOpen(), MtaSts(), Ttl())
"""The MX goes back to the next hops."""

CONTRACT_GATES: tuple[Gate, ...] = (TokenVisible(), SwitchObserved(), EarlyRemoval())
"""What only the old state needed goes."""

HAZARDS: tuple[Hazard, ...] = (
    CnameApex(),
    CnameToken(),
    Delegated(),
    NoSuchZone(),
    WildcardDomain(),
    NullMx(),
    BypassMx(),
    WildcardMx(),
    Dane(),
    MxTarget(),
    Loop(),
    TokenRemoved(),
    TokenSuffix(),
    RetiredValueUnnamed(),
    Verified(),
    NextHopsChanged(),
    SpfRecords(),
    BypassOrigin(),
    Size(),
    OriginSpf(),
    Limits(),
    DnssecSigned(),
    DnssecBroken(),
)

_NEEDS: tuple[tuple[Callable[[Facts], bool], frozenset[str]], ...] = (
    (is_anything_unknown, frozenset({"cname-apex", "cname-token", "delegated", "no-such-zone"})),
    (is_mx_unsettled, frozenset({"wildcard-domain", "bypass-mx", "verified", "origin-spf", "limits"})),
    (is_more_observed, frozenset({"token-suffix"})),
    (is_mx_shared, frozenset({"null-mx"})),
    (is_mx_doubtful, frozenset({"mx-target"})),
    (are_next_hops_remembered, frozenset({"next-hops-changed"})),
    (is_loop_possible, frozenset({"loop"})),
    (
        is_probed,
        frozenset({"wildcard-mx", "dane", "spf-records", "bypass-origin", "size", "dnssec", "dnssec-broken"}),
    ),
)
"""What hazards cannot be without: most mail domains of a fleet are as they shall be, and few are sought there."""

_SOUGHT_ALWAYS = tuple(h for h in HAZARDS if not any(h.id in ids for _, ids in _NEEDS))
_SOUGHT_WHERE = tuple((need, tuple(h for h in HAZARDS if h.id in ids)) for need, ids in _NEEDS)

OF_THE_SERVICE = frozenset({"limits", "origin-spf"})
"""Hazards that are the same for every mail domain of a service: worth telling once."""

__all__ = [
    "CHECK_GATES",
    "CONTRACT_GATES",
    "HAZARDS",
    "LEAVE_GATES",
    "MOVE_GATES",
    "OF_THE_SERVICE",
    "SWITCH_GATES",
    "TIDY_GATES",
    "Facts",
    "Gate",
    "GateResult",
    "Hazard",
    "Verdict",
    "find_hazards",
    "judge_gates",
]


def judge_gates(gates: Sequence[Gate], facts: Facts) -> tuple[GateResult, ...]:
    """Every gate's result, in order; a waiver that counts today turns a hold into a pass, and shows in the evidence."""
    return tuple(_waived(gate.judge(facts), facts) for gate in gates)


def _waived(result: GateResult, facts: Facts) -> GateResult:
    waiver = waiver_in_force(facts, result.id) if result.verdict is not Verdict.PASS else None
    if waiver is None:
        return result
    return GateResult(
        result.id,
        Verdict.PASS,
        f"waived by {waiver.owner} until {waiver.expires.isoformat()} ({waiver.reason}) although {result.evidence}",
        is_waived=True,
    )


def find_hazards(facts: Facts) -> tuple[Diagnostic, ...]:
    """Everything worth telling about the domain, errors first; what is waived as a gate shows there, and not here."""
    found = [d for hazard in _SOUGHT_ALWAYS for d in hazard.find(facts)]
    for need, hazards in _SOUGHT_WHERE:
        if need(facts):
            found += [d for hazard in hazards for d in hazard.find(facts)]
    if not found:
        return ()
    if facts.domain.waivers:
        found = [d for d in found if waiver_in_force(facts, d.code) is None]
    return tuple(sorted(found, key=lambda d: (d.severity is not Severity.ERROR, d.code)))
