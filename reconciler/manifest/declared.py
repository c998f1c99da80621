"""One YAML document as it is declared: what it says at each level, with the place and what is written there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from reconciler.manifest.drafts import row_of
from reconciler.manifest.plain import read_plain_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.errors import Diagnostic
    from reconciler.manifest.models import DomainManifest, OrganizationManifest, ServiceManifest
    from reconciler.strict_yaml import Document, Loc

Mapping: TypeAlias = "dict[str, Any]"
"""What is written in the place of a model."""


class DeclaredDomain(NamedTuple):
    """A domain's model, its place, and the mapping that is written there."""

    loc: Loc
    model: DomainManifest
    node: Mapping


make_declared = row_of(DeclaredDomain)


class DeclaredService(NamedTuple):
    """A service's model, as `DeclaredDomain`; use `domains` and not the model's own."""

    loc: Loc
    model: ServiceManifest
    node: Mapping
    domains: Sequence[DeclaredDomain]


@dataclass(frozen=True, slots=True)
class Declared:
    """An organization's model; use `services` and not the model's own. `refused` places have no trustworthy value."""

    document: Document
    model: OrganizationManifest
    services: Sequence[DeclaredService]
    refused: frozenset[Loc]


def read_declared(document: Document) -> tuple[Declared | None, list[Diagnostic]]:
    """What a document declares, and what the models refused of it; None when not even its outline can be used."""
    model = read_plain_manifest(document.data)
    if model is None:
        from reconciler.manifest.modelled import read_modelled  # noqa: PLC0415 - the models, which few manifests need

        return read_modelled(document)
    return declared_as(model, document), []


def declared_as(model: OrganizationManifest, document: Document) -> Declared:
    """A document's model, or what stands in for it, with the places of all in it."""
    nodes = document.node(("services",))
    services = [_service(("services", i), *each) for i, each in enumerate(zip(model.services, nodes, strict=True))]
    return Declared(document, model, services, frozenset())


def _service(loc: Loc, model: ServiceManifest, node: Mapping) -> DeclaredService:
    each = enumerate(zip(model.domains, node["domains"], strict=True))
    domains = [make_declared((*loc, "domains", i), domain, written) for i, (domain, written) in each]
    return DeclaredService(loc, model, node, domains)
