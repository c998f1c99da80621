"""What is said for an organization or a service, and again, closer, for one domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifest.fleet import Attestation, DriftIgnore, Lifecycle, Source, Waiver
from reconciler.manifest.hosts import build_name
from reconciler.manifest.rules import apply_attestation_rules, apply_ignore_rules, apply_waiver_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.manifest.declared import Mapping
    from reconciler.manifest.findings import Context, Findings
    from reconciler.manifest.models import (
        AttestationManifest,
        DomainManifest,
        DriftIgnoreManifest,
        OrganizationManifest,
        ServiceManifest,
        WaiverManifest,
    )
    from reconciler.names import Name
    from reconciler.strict_yaml import Loc, Node

_INHERITED = frozenset({"provider", "ttl", "switch_ttl", "lifecycle", "mx", "attestations", "waivers", "ignore_drift"})


class Level(NamedTuple):
    """What holds from one level downwards."""

    provider: str | None
    ttl: int | None
    switch_ttl: int | None
    lifecycle: Lifecycle
    mx_exclusive: bool
    attestations: tuple[Attestation, ...]
    waivers: tuple[Waiver, ...]
    ignore_drift: tuple[DriftIgnore, ...]


TOP = Level(None, None, None, Lifecycle.ACTIVE, True, (), (), ())  # noqa: FBT003 - a tuple's field


class LevelBuilder:
    """Builds the levels of one manifest, and applies the rules for what people vouch for and excuse."""

    def __init__(self, context: Context, findings: Findings) -> None:
        """For the manifest of these findings."""
        self._context = context
        self._findings = findings
        self._document = findings.document

    def build(
        self, model: OrganizationManifest | ServiceManifest | DomainManifest, loc: Loc, node: Mapping, outer: Level
    ) -> Level:
        """What holds below `outer`, with what the model says closer; `node` is what is written at `loc`."""
        if _INHERITED.isdisjoint(node):
            return outer
        attestations, waivers, ignore_drift = outer.attestations, outer.waivers, outer.ignore_drift
        if model.attestations:
            attestations = (*self._attestations(model.attestations, loc, node["attestations"]), *attestations)
        if model.waivers:
            waivers = (*self._waivers(model.waivers, loc, node["waivers"]), *waivers)
        if model.ignore_drift:
            ignore_drift = (*self._ignore_rules(model.ignore_drift, loc, node["ignore_drift"]), *ignore_drift)
        return Level(
            outer.provider if model.provider is None else model.provider,
            outer.ttl if model.ttl is None else model.ttl,
            outer.switch_ttl if model.switch_ttl is None else model.switch_ttl,
            outer.lifecycle if model.lifecycle is None else Lifecycle(model.lifecycle),
            outer.mx_exclusive if model.mx is None else model.mx.exclusive,
            attestations,
            waivers,
            ignore_drift,
        )

    def _sources(self, loc: Loc, nodes: Sequence[Node]) -> list[Source]:
        """The places of the items, `nodes`, of the list at `loc`."""
        file = self._document.file
        return [Source(file, line) for line in self._document.lines(loc, nodes)]

    def _attestations(
        self, declared: Sequence[AttestationManifest], loc: Loc, nodes: Sequence[Node]
    ) -> list[Attestation]:
        apply_attestation_rules(declared, loc, self._context, self._findings)
        own = (*loc, "attestations")
        return [
            Attestation(
                a.what,
                a.by,
                a.on,
                a.expires,
                a.region,
                a.multi_region,
                source,
                self._attested_next_hops(a, (*own, i)) if a.next_hops else None,
            )
            for i, (a, source) in enumerate(zip(declared, self._sources(own, nodes), strict=True))
        ]

    def _attested_next_hops(self, a: AttestationManifest, loc: Loc) -> tuple[Name, ...] | None:
        hosts = [
            build_name("next-hop-name", h, (*loc, "next_hops", i), self._findings) for i, h in enumerate(a.next_hops)
        ]
        return tuple(sorted(h for h in hosts if h is not None)) or None

    def _waivers(self, declared: Sequence[WaiverManifest], loc: Loc, nodes: Sequence[Node]) -> list[Waiver]:
        apply_waiver_rules(declared, loc, self._context, self._findings)
        sources = self._sources((*loc, "waivers"), nodes)
        return [
            Waiver(w.gate, w.owner, w.reason, w.expires, source) for w, source in zip(declared, sources, strict=True)
        ]

    def _ignore_rules(
        self, declared: Sequence[DriftIgnoreManifest], loc: Loc, nodes: Sequence[Node]
    ) -> list[DriftIgnore]:
        apply_ignore_rules(declared, loc, self._context, self._findings)
        sources = self._sources((*loc, "ignore_drift"), nodes)
        return [
            DriftIgnore(r.finding, r.resource, r.owner, r.reason, r.expires, source)
            for r, source in zip(declared, sources, strict=True)
        ]
