"""What the models say of a document that is not plain; what can be saved of one with errors, too.

All errors are to be said at once, those of the rules beside those of the models. So a document that the models refuse
is taken apart, what they refuse is left out, and the rest goes to the rules. Nothing of that ever reaches a fleet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.manifest.declared import Declared, DeclaredDomain, DeclaredService, declared_as
from reconciler.manifest.models import DomainManifest, OrganizationManifest, ServiceManifest
from reconciler.yaml_models import model_diagnostics

if TYPE_CHECKING:
    from reconciler.errors import Diagnostic
    from reconciler.manifest.declared import Mapping
    from reconciler.strict_yaml import Document, Loc

_M = TypeVar("_M", bound=BaseModel)

# what stands in for a required value that was refused; the rules say nothing about these places
_STAND_INS: dict[str, Any] = {
    "organization": "unnamed",
    "region": "unknown",
    "escalation_contacts": [],
    "services": [],
    "name": "unnamed",
    "kind": "other",
    "domains": [],
}
# and for an item of a list, so that the others keep their places
_ITEM_STAND_INS: dict[str | int, Any] = {
    "next_hops": "unknown.invalid",
    "attestations": {"what": "console", "by": "unknown", "on": "1970-01-01"},
    "allowlists": {"target": "plain"},
    "waivers": {"gate": "residency", "owner": "unknown", "reason": "unknown", "expires": "9999-12-31"},
    "ignore_drift": {"finding": "ttl", "owner": "unknown", "reason": "unknown", "expires": "9999-12-31"},
}


def read_modelled(document: Document) -> tuple[Declared | None, list[Diagnostic]]:
    """The models of a document, with what they refused of it; None when not even its outline can be used."""
    try:
        model = OrganizationManifest.model_validate(document.data)
    except ValidationError as exc:
        return _salvaged(document), model_diagnostics(exc, OrganizationManifest, document)
    return declared_as(model, document), []


def _salvaged(document: Document) -> Declared | None:
    if not isinstance(document.data, dict):
        return None
    refused: set[Loc] = set()
    outline = _salvage(OrganizationManifest, {**document.data, "services": []}, (), refused)
    services = []
    for i, raw in enumerate(_list(document.data, "services")):
        loc: Loc = ("services", i)
        if isinstance(raw, dict):
            service = _salvage(ServiceManifest, {**raw, "domains": []}, loc, refused)
            domains = [
                DeclaredDomain(place, _salvage(DomainManifest, each, place, refused), each)
                for j, each in enumerate(_list(raw, "domains"))
                if isinstance(each, dict) and (place := (*loc, "domains", j))
            ]
            services.append(DeclaredService(loc, service, raw, domains))
    return Declared(document, outline, services, frozenset(refused))


def _salvage(model: type[_M], raw: Mapping, loc: Loc, refused: set[Loc]) -> _M:
    """The model of a mapping without what it refuses of it; the places of that are added to `refused`."""
    try:
        return model.model_validate(raw)
    except ValidationError as exc:
        places = {problem["loc"][:2] for problem in exc.errors(include_url=False)}
    items = {place for place in places if place[0] in _ITEM_STAND_INS and len(place) > 1}
    keys = {place[0] for place in places - items}
    refused.update((*loc, *place) for place in items)
    refused.update((*loc, key) for key in keys)
    kept = {key: value for key, value in raw.items() if key not in keys}
    for key in {str(place[0]) for place in items} - keys:
        kept[key] = [_ITEM_STAND_INS[key] if (key, i) in items else item for i, item in enumerate(raw[key])]
    stand_ins = {k: v for k, v in _STAND_INS.items() if k in keys and k in model.model_fields}
    return model.model_validate({**stand_ins, **kept})


def _list(raw: object, key: str) -> list[Any]:
    found = raw.get(key) if isinstance(raw, dict) else None
    return found if isinstance(found, list) else []
