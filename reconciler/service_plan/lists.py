"""Which addresses an allowlist has to let in, and which services share one list. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from reconciler.addresses import parse_address_set
from reconciler.targets.base import Intent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.addresses import AddressSet
    from reconciler.catalog import Catalog
    from reconciler.manifest.fleet import Service, ServiceAllowlist


def gateway_addresses(service: Service, catalog: Catalog) -> tuple[str, ...]:
    """The gateway addresses of the service's target state, in the catalog's order."""
    return catalog.addresses(service.region, multi_region=service.multi_region)


def list_addresses(
    allowlist: ServiceAllowlist,
    service: Service,
    sharing: Sequence[Service],
    catalog: Catalog,
    *,
    is_needed: bool = True,
) -> tuple[str, ...]:
    """The gateway addresses that a list of the service has to let in: its own, and those of whoever shares the list.

    One that keeps others out is for everybody of `sharing`, who is behind it. `is_needed` is False once every mail
    domain of the service leaves the gateway.
    """
    own = (service,) if is_needed else ()
    is_for_all = allowlist.declared.intent is Intent.RESTRICT
    users = (*own, *(s for s in sharing if is_for_all or any(_is_same_list(a, allowlist) for a in s.allowlists)))
    return tuple(dict.fromkeys(a for user in users for a in gateway_addresses(user, catalog)))


def list_key(allowlist: ServiceAllowlist) -> tuple[str, ...] | None:
    """What tells that two services declare one list: the same export of it; None where there is no export."""
    if allowlist.export is None:
        return None
    declared = allowlist.declared
    return (PurePosixPath(allowlist.export).as_posix(), declared.target, declared.name)


def _is_same_list(one: ServiceAllowlist, other: ServiceAllowlist) -> bool:
    return list_key(one) is not None and list_key(one) == list_key(other)


def list_id(service: Service, allowlist: ServiceAllowlist) -> str:
    """What the ids of a list's steps begin with; a service has no two lists of one target and name."""
    declared = allowlist.declared
    return "/".join(filter(None, (service.organization, service.name, declared.target, declared.name)))


def known_addresses(catalog: Catalog) -> AddressSet:
    """Every address that the catalog knows as the gateway's, of any state: ours to remove when not needed."""
    texts = [a for r in catalog.regions for a in catalog.addresses(r, multi_region=True)]
    return parse_address_set(texts)
