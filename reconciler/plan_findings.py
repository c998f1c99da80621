"""What to tell about one mail domain beside its steps: errors that stop it, and hazards that were seen. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, Severity
from reconciler.names import ROOT, display_name
from reconciler.state import Absent, Cause, Present, Unknown, mx_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.desired import DesiredRRset
    from reconciler.gates import Facts
    from reconciler.state import RRset


def build_findings(facts: Facts) -> tuple[Diagnostic, ...]:
    """Every finding of the domain, errors first."""
    found = [
        *_name_errors(facts),
        *_wildcard_errors(facts),
        *_mx_findings(facts),
        *_token_findings(facts),
        *_retired_token_findings(facts),
    ]
    return tuple(sorted(found, key=lambda d: (d.severity is not Severity.ERROR, d.code)))


def _diagnostic(facts: Facts, severity: Severity, code: str, summary: str, detail: str) -> Diagnostic:
    source = facts.domain.source
    return Diagnostic(severity, code, summary, detail, source.file, source.line, domain=display_name(facts.domain.name))


def _name_errors(facts: Facts) -> Iterator[Diagnostic]:
    seen = set()
    for desired in facts.desired.rrsets:
        observed = facts.observations[desired.key].observed
        if not isinstance(observed, Unknown) or observed.cause not in _NAME_CAUSES:
            continue
        code, detail = _NAME_CAUSES[observed.cause]
        if observed.cause is Cause.CNAME:
            code = "cname-apex" if desired is facts.desired.mx else "cname-token"
        if (code, observed.detail) not in seen:
            seen.add((code, observed.detail))
            yield _diagnostic(facts, Severity.ERROR, code, observed.detail, detail)


_NAME_CAUSES = {
    Cause.CNAME: (
        "cname",
        "No other record can stand beside a CNAME (RFC 1034 section 3.6.2). Remove the CNAME at that name.",
    ),
    Cause.DELEGATED: (
        "delegated",
        "A record above a zone cut is never seen. Name the zone that holds the domain with `zone:`, or mend the cut.",
    ),
    Cause.NO_SUCH_ZONE: (
        "no-such-zone",
        "Zones are never created here. Register or delegate the domain first, or correct its name.",
    ),
}


def _wildcard_errors(facts: Facts) -> Iterator[Diagnostic]:
    """The verification values alone, one step before the MX, would make the domain a name without mail."""
    desired = facts.desired.mx
    answers = facts.observations[desired.key].answers if desired is not None else ()
    if any(isinstance(a.observed, Absent) and a.observed.is_covered for a in answers):
        yield _diagnostic(
            facts,
            Severity.ERROR,
            "wildcard-domain",
            f"a wildcard answers for {display_name(facts.domain.name)}, which has no records of its own",
            "Any record at or below it ends that (RFC 4592 section 3.3.1), its mail and addresses included. First give "
            "the domain records of its own: the MX that senders get today, and addresses if it has some.",
        )


def _mx_findings(facts: Facts) -> Iterator[Diagnostic]:
    desired = facts.desired.mx
    rrset = _observed_rrset(facts, desired)
    if desired is None or rrset is None:
        return
    hosts = {v: mx_exchange(v) for v in rrset.rdatas}
    others = [v for v, host in hosts.items() if v not in desired.wanted and not facts.catalog.is_gateway_host(host)]
    is_exclusive = facts.domain.mx_exclusive
    if ROOT in hosts.values() and not is_exclusive:
        yield _diagnostic(
            facts,
            Severity.ERROR,
            "null-mx",
            f"{display_name(facts.domain.name)} says by a null MX that it takes no mail",
            "A null MX stands alone (RFC 7505 section 3). Remove it, or declare `mx: {exclusive: true}`.",
        )
    elif others and set(desired.wanted) & set(rrset.rdatas):
        advice = (
            "It goes with this plan's contract step."
            if is_exclusive
            else "Remove it at the DNS, or declare `mx: {exclusive: true}` so that it goes."
        )
        yield _diagnostic(
            facts,
            Severity.WARNING,
            "bypass-mx",
            f"mail can pass by the gateway: {', '.join(others)} stands beside the gateway's MX",
            advice,
        )


def _token_findings(facts: Facts) -> Iterator[Diagnostic]:
    desired = facts.desired.verification
    mx = _observed_rrset(facts, facts.desired.mx)
    if desired is None or mx is None or not any(facts.catalog.is_gateway_host(mx_exchange(v)) for v in mx.rdatas):
        return
    observed = facts.observations[desired.key].observed
    if isinstance(observed, Unknown):
        return
    there = observed.rrset.rdatas if isinstance(observed, Present) else ()
    missing = [v for v in desired.wanted if v not in there]
    if missing and not any(desired.ownership.owns(v) for v in there):
        yield _diagnostic(
            facts,
            Severity.WARNING,
            "token-removed",
            f"mail goes through the gateway, and {display_name(desired.key.name)} has no value that the manifest names",
            f"Without it the verification is withdrawn within {facts.catalog.propagation_hours} hours. Apply this plan "
            "soon; if another value there is the one in force, name it in the manifest.",
        )


def _retired_token_findings(facts: Facts) -> Iterator[Diagnostic]:
    """Multi-region goes off, and nobody says which value was the secondary region's: it would stay for ever."""
    domain, mx = facts.domain, _observed_rrset(facts, facts.desired.mx)
    if mx is None or domain.multi_region or domain.verification.secondary is not None:
        return
    states = [state for v in mx.rdatas for state in facts.catalog.states_with_mx_host(mx_exchange(v))]
    if states and all(is_multi_region for _, is_multi_region in states):
        yield _diagnostic(
            facts,
            Severity.WARNING,
            "retired-value-unnamed",
            "multi-region goes off, and the manifest does not name the value of the secondary region",
            "That value would stay in DNS as somebody else's. Keep verification.secondary in the manifest until the "
            "domain is in sync: it is removed from DNS as the last step.",
        )


def _observed_rrset(facts: Facts, desired: DesiredRRset | None) -> RRset | None:
    observed = facts.observations[desired.key].observed if desired is not None else None
    return observed.rrset if isinstance(observed, Present) else None
