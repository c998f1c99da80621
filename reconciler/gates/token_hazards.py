"""Verification values that vanished, that stand at a wrong name, or that nobody can tell from a stranger's any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.gates.base import Facts, build_diagnostic
from reconciler.gates.observed import is_through_gateway, observation_of, observed_hosts, observed_rrset
from reconciler.names import InvalidNameError, canonical_name, display_name
from reconciler.state import Key, Present, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.catalog import Catalog
    from reconciler.errors import Diagnostic
    from reconciler.names import Name


@dataclass(frozen=True, slots=True)
class TokenRemoved:
    """Mail goes through the gateway and the verification values have vanished: the verification will be withdrawn."""

    id: str = "token-removed"
    severity: Severity = Severity.WARNING

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Any value of ours that is still there keeps it quiet, and so does an MX that is not the gateway's."""
        desired = facts.desired.verification
        if desired is None:
            return
        observed = observation_of(facts, desired).observed
        there = observed.rrset.rdatas if isinstance(observed, Present) else ()
        if isinstance(observed, Unknown) or any(map(desired.ownership.owns, there)):
            return
        is_needed = bool(desired.wanted) or facts.domain.verification.primary is not None
        if not is_needed or not is_through_gateway(facts):
            return
        advice = (
            "Move the MX back to the next hops soon."
            if facts.domain.is_leaving
            else "Apply this plan soon; if another value there is the one in force, name it in the manifest."
        )
        yield build_diagnostic(
            self,
            facts,
            f"mail goes through the gateway, and {display_name(desired.key.name)} has no value that the manifest names",
            f"Without it the verification is withdrawn within {facts.catalog.propagation_hours} hours. {advice}",
        )


@dataclass(frozen=True, slots=True)
class RetiredValueUnnamed:
    """Multi-region goes off, and nobody says which value was the secondary region's: it would stay for ever."""

    id: str = "retired-value-unnamed"
    severity: Severity = Severity.WARNING

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look whether every gateway host of now is one of multi-region."""
        domain = facts.domain
        if domain.multi_region or domain.verification.secondary is not None or domain.is_leaving:
            return
        states = [s for host in observed_hosts(facts) for s in facts.catalog.states_with_mx_host(host)]
        if states and all(is_multi_region for _, is_multi_region in states):
            yield build_diagnostic(
                self,
                facts,
                "multi-region goes off, and the manifest does not name the value of the secondary region",
                "That value would stay in DNS as somebody else's. Keep verification.secondary in the manifest until "
                "the domain is in sync: it is removed from DNS as the last step.",
            )


def suffixed_verification_key(domain: Name, catalog: Catalog) -> Key | None:
    """Where the values stand when a DNS console appended the domain once more; None where no name is that long."""
    try:
        return Key(canonical_name(f"{catalog.verification_name(domain)}{domain}"), "TXT")
    except InvalidNameError:
        return None


@dataclass(frozen=True, slots=True)
class TokenSuffix:
    """A verification value stands one domain too deep, because a DNS console appended the domain's name."""

    id: str = "token-suffix"
    severity: Severity = Severity.WARNING

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look there, where somebody observed it."""
        desired, key = facts.desired.verification, suffixed_verification_key(facts.domain.name, facts.catalog)
        seen = facts.observations.get(key) if key is not None else None
        if desired is None or key is None or seen is None or not isinstance(seen.observed, Present):
            return
        if not any(desired.ownership.owns(v) for v in seen.observed.rrset.rdatas):
            return
        rrset = observed_rrset(facts, desired)
        right = display_name(desired.key.name)
        if rrset is not None and set(desired.wanted) <= set(rrset.rdatas):
            detail = f"The values stand at {right} as well. Remove those at the longer name."
        else:
            label = facts.catalog.verification_label
            detail = f"The DNS console appends the domain itself: enter the name {label} alone, so that it is {right}."
        yield build_diagnostic(self, facts, f"a verification value stands at {display_name(key.name)}", detail)
