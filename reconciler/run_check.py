"""The shell of `check`: the hazards of mail domains that nobody has declared yet, or of declared ones, probed now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.desired import build_desired
from reconciler.errors import Diagnostic, ExitCode, ManifestError, Severity, error
from reconciler.gates import CHECK_GATES, Facts, GateResult, Verdict, find_hazards, judge_gates
from reconciler.gather import gather_facts
from reconciler.manifest.fleet import Domain, Source, Verification
from reconciler.names import InvalidNameError, Name, canonical_name
from reconciler.observing import observe_domains
from reconciler.state import Cause, Present, Unknown, mx_exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.catalog import Catalog
    from reconciler.invocation import Invocation

_NOT_DECLARED = Source("", 0)


@dataclass(frozen=True, slots=True)
class Checked:
    """One mail domain: what the gates of its switch say now, and its hazards."""

    domain: Domain
    is_declared: bool
    gates: tuple[GateResult, ...]
    hazards: tuple[Diagnostic, ...]
    unread: Unread | None = None

    @property
    def exit_code(self) -> ExitCode:
        """1 for an error, 3 for anything that would hold the switch."""
        if any(h.severity is Severity.ERROR for h in self.hazards):
            return ExitCode.ERROR
        is_held = self.unread is not None or any(g.verdict is not Verdict.PASS for g in self.gates)
        return ExitCode.INCOMPLETE if is_held else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class Unread:
    """Why the MX could not be read, what to do, and the gates that nobody can judge without it."""

    evidence: str
    advice: str
    gates: tuple[str, ...]


def check_domains(
    invocation: Invocation,
    names: Sequence[str],
    declared: Mapping[Name, Domain],
    *,
    region: str | None,
    multi_region: bool,
) -> list[Checked]:
    """Probe every domain as if its MX were to move to the gateway now; `region` is for those that nobody declared.

    Raises:
        ManifestError: a name is none, or the gateway has no such region; all of them.

    """
    catalog = invocation.catalog
    wanted = _canonical(names, catalog, region)
    bare = {n: declared.get(n) or _undeclared(n, (), region or next(iter(catalog.regions)), catalog) for n in wanted}
    observed = {o.domain.name: o.observations for o in observe_domains(invocation, list(bare.values()))}
    domains = []
    for name, domain in bare.items():
        if name in declared or not domain.is_filtered_by_mx:
            domains.append(domain)
            continue
        mx = observed[name][build_desired(domain, catalog).rrsets[-1].key].observed
        hosts = tuple(mx_exchange(v) for v in mx.rrset.rdatas) if isinstance(mx, Present) else ()
        domains.append(_undeclared(name, hosts, region, catalog, multi_region=multi_region))
    gathered = gather_facts(invocation, domains, {}, lambda _names: {}, is_everything_probed=True)
    facts = {f.domain.name: f for f in gathered}
    return [_checked(facts[d.name], is_declared=d.name in declared) for d in domains]


def _checked(facts: Facts, *, is_declared: bool) -> Checked:
    gates = CHECK_GATES if facts.domain.next_hops else tuple(g for g in CHECK_GATES if g.id not in _ABOUT_NEXT_HOPS)
    hazards = find_hazards(facts)
    if not is_declared:
        hazards = tuple(h for h in hazards if h.code not in _ABOUT_VALUES)
    judged = judge_gates(gates, facts)
    mx = facts.desired.mx
    seen = None if mx is None else facts.observations[mx.key].observed
    if not isinstance(seen, Unknown):
        return Checked(facts.domain, is_declared, judged, hazards)
    # nothing around the domain was looked at: what a gate says of that is about this run, not about the domain
    known = tuple(g for g in judged if g.verdict is Verdict.HOLD or (g.verdict is Verdict.PASS and g.id != "mx-target"))
    unread = Unread(seen.detail, _ADVICE.get(seen.cause, _ASK_AGAIN), tuple(g.id for g in judged if g not in known))
    return Checked(facts.domain, is_declared, known, hazards, unread)


_ASK_AGAIN = (
    "look whether the server answers from here, and whether it is the right one (`observe` in the settings); "
    "then check again"
)
_ADVICE = {
    Cause.NO_SUCH_ZONE: "correct the name, or where zones are looked for (`observe` in the settings); then check again",
    Cause.DELEGATED: "correct the name, or the zone's delegation; then check again",
    Cause.CNAME: "put an MX in the place of the CNAME; then check again",
    Cause.DISAGREE: "wait until the zone's servers agree, or mend the one that lags behind; then check again",
    Cause.UNREADABLE: "mend the file; then check again",
}


_ABOUT_NEXT_HOPS = frozenset({"loop", "next-hop", "tls"})
# what only a manifest or the console tells
_ABOUT_VALUES = frozenset({"token-removed", "token-suffix", "retired-value-unnamed", "verified", "bypass-mx"})


def _canonical(names: Iterable[str], catalog: Catalog, region: str | None) -> list[Name]:
    found, wrong = [], []
    for text in names:
        try:
            found.append(canonical_name(text))
        except InvalidNameError as exc:
            wrong.append(error("domain-name", f"{text!r} is no domain name: {exc}", "Correct it."))
    if region is not None and region not in catalog.regions:
        known = ", ".join(catalog.regions)
        wrong.append(error("region", f"the gateway has no region {region!r}", f"Use one of {known}."))
    if wrong:
        raise ManifestError(wrong)
    return list(dict.fromkeys(found))


def _undeclared(
    name: Name, hosts: tuple[Name, ...], region: str | None, catalog: Catalog, *, multi_region: bool = False
) -> Domain:
    """A mail domain as its MX shows it: its next hops are where its mail goes now, unless that is the gateway."""
    states = [state for host in hosts for state in catalog.states_with_mx_host(host)]
    if region is None:
        region, multi_region = states[0] if states else (next(iter(catalog.regions)), multi_region)
    return Domain(
        name=name,
        written=name.removesuffix("."),
        organization="",
        service="",
        kind="other",
        connection="mx",
        region=region,
        multi_region=multi_region,
        next_hops=tuple(h for h in dict.fromkeys(hosts) if not catalog.is_gateway_host(h)),
        verification=Verification(None, None),
        zone=None,
        provider=None,
        mx_exclusive=True,
        mx_host=None,
        ttl=None,
        attestations=(),
        waivers=(),
        source=_NOT_DECLARED,
    )
