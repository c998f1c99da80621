"""What is said for an organization or a service, and again, closer, for one domain."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from reconciler.manifest.drafts import row_of
from reconciler.manifest.fleet import Attestation, DriftIgnore, Lifecycle, Source, Waiver
from reconciler.manifest.hosts import build_name
from reconciler.manifest.rules import (
    apply_attestation_rules,
    apply_ignore_rules,
    apply_waiver_rules,
    require_known_provider,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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

_D = TypeVar("_D")
_M = TypeVar("_M")

_SETTINGS = frozenset({"provider", "ttl", "switch_ttl", "lifecycle", "mx"})
_INHERITED = frozenset({*_SETTINGS, "attestations", "waivers", "ignore_drift"})


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


make_level = row_of(Level)

TOP = Level(None, None, None, Lifecycle.ACTIVE, True, (), (), ())  # noqa: FBT003 - a tuple's field


class LevelBuilder:
    """Builds the levels of one manifest, and applies the rules for what people vouch for and excuse.

    Most of that is written alike for one domain after the other: what no rule had a word for is kept, and is the same.
    """

    def __init__(self, context: Context, findings: Findings) -> None:
        """For the manifest of these findings."""
        self._context = context
        self._findings = findings
        self._document = findings.document
        self._attested: dict[tuple[AttestationManifest, ...], list[Attestation]] = {}
        self._waived: dict[tuple[WaiverManifest, ...], list[Waiver]] = {}

    def build(
        self, model: OrganizationManifest | ServiceManifest | DomainManifest, loc: Loc, node: Mapping, outer: Level
    ) -> Level:
        """What holds below `outer`, with what the model says closer; `node` is what is written at `loc`."""
        if _INHERITED.isdisjoint(node):
            return outer
        provider, ttl, switch_ttl, lifecycle, mx_exclusive, attestations, waivers, ignore_drift = outer
        if not _SETTINGS.isdisjoint(node):
            if model.provider is not None:
                provider = model.provider
                require_known_provider(provider, (*loc, "provider"), self._context, self._findings)
            ttl = ttl if model.ttl is None else model.ttl
            switch_ttl = switch_ttl if model.switch_ttl is None else model.switch_ttl
            lifecycle = lifecycle if model.lifecycle is None else Lifecycle(model.lifecycle)
            mx_exclusive = mx_exclusive if model.mx is None else model.mx.exclusive
        if said := model.attestations:
            judge_said = partial(self._attestations, said, (*loc, "attestations"))
            attestations = (*self._judged(self._attested, said, judge_said), *attestations)
        if excused := model.waivers:
            judge_excused = partial(self._waivers, excused, (*loc, "waivers"))
            waivers = (*self._judged(self._waived, excused, judge_excused), *waivers)
        if rules := model.ignore_drift:
            ignored = self._ignore_rules(rules, (*loc, "ignore_drift"), node["ignore_drift"])
            ignore_drift = (*ignored, *ignore_drift)
        return make_level(provider, ttl, switch_ttl, lifecycle, mx_exclusive, attestations, waivers, ignore_drift)

    def _judged(
        self, known: dict[tuple[_D, ...], list[_M]], declared: tuple[_D, ...], judge: Callable[[], list[_M]]
    ) -> list[_M]:
        """What is made of a list by `judge`, which applies its rules; or was, where it is written alike."""
        made = known.get(declared)
        if made is None:
            before = len(self._findings.diagnostics)
            made = judge()
            # where the models refused something no rule is heard, and silence proves nothing
            if len(self._findings.diagnostics) == before and not self._findings.refused:
                known[declared] = made
        return made

    def _attestations(self, declared: tuple[AttestationManifest, ...], loc: Loc) -> list[Attestation]:
        apply_attestation_rules(declared, loc, self._context, self._findings)
        return [
            Attestation(a.what, a.by, a.on, a.expires, a.region, a.multi_region, self._attested_next_hops(a, (*loc, i)))
            for i, a in enumerate(declared)
        ]

    def _attested_next_hops(self, a: AttestationManifest, loc: Loc) -> tuple[Name, ...] | None:
        hosts = [
            build_name("next-hop-name", h, (*loc, "next_hops", i), self._findings) for i, h in enumerate(a.next_hops)
        ]
        return tuple(sorted(h for h in hosts if h is not None)) or None

    def _waivers(self, declared: tuple[WaiverManifest, ...], loc: Loc) -> list[Waiver]:
        apply_waiver_rules(declared, loc, self._context, self._findings)
        return [Waiver(w.gate, w.owner, w.reason, w.expires) for w in declared]

    def _ignore_rules(
        self, declared: Sequence[DriftIgnoreManifest], loc: Loc, nodes: Sequence[Node]
    ) -> list[DriftIgnore]:
        apply_ignore_rules(declared, loc, self._context, self._findings)
        document = self._document
        lines = [document.line((*loc, i), node) for i, node in enumerate(nodes)]
        return [
            DriftIgnore(r.finding, r.resource, r.owner, r.reason, r.expires, Source(document.file, line))
            for r, line in zip(declared, lines, strict=True)
        ]
