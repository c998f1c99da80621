"""Which addresses an allowlist has to let in, and which services share one list. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from reconciler.addresses import parse_address_set
from reconciler.targets.base import Intent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.addresses import AddressSet
    from reconciler.catalog import Catalog
    from reconciler.manifest.fleet import Service, ServiceAllowlist


ListKey = tuple[str, ...]
_State = tuple[str, bool]
"""A region, and whether it is multi-region: what the gateway's addresses follow from."""


@dataclass(frozen=True)
class Sharing:
    """Services that are behind the same lists, in the manifests' order; each of them may have the same object."""

    services: tuple[Service, ...] = ()

    def states(self, allowlist: ServiceAllowlist) -> tuple[_State, ...]:
        """The states of those whom a list is for, without repetition: everybody where it keeps others out."""
        if allowlist.declared.intent is Intent.RESTRICT:
            return self._all_states
        key = list_key(allowlist)
        return self._states.get(key, ()) if key is not None else ()

    @cached_property
    def _all_states(self) -> tuple[_State, ...]:
        return tuple(dict.fromkeys(map(_state, self.services)))

    @cached_property
    def _states(self) -> Mapping[ListKey, tuple[_State, ...]]:
        found: dict[ListKey, dict[_State, None]] = {}
        for service in self.services:
            for key in filter(None, map(list_key, service.allowlists)):
                found.setdefault(key, {})[_state(service)] = None
        return {key: tuple(states) for key, states in found.items()}


NOBODY = Sharing()
"""Of a service that shares no list."""


def _state(service: Service) -> _State:
    return service.region, service.multi_region


def gateway_addresses(service: Service, catalog: Catalog) -> tuple[str, ...]:
    """The gateway addresses of the service's target state, in the catalog's order."""
    return catalog.addresses(service.region, multi_region=service.multi_region)


def list_addresses(
    allowlist: ServiceAllowlist, service: Service, sharing: Sharing, catalog: Catalog, *, is_needed: bool = True
) -> tuple[str, ...]:
    """The gateway addresses that a list of the service has to let in: its own, and those of whoever shares the list.

    One that keeps others out is for everybody of `sharing`, who is behind it. `is_needed` is False once every mail
    domain of the service leaves the gateway.
    """
    states = (*((_state(service),) if is_needed else ()), *sharing.states(allowlist))
    return tuple(dict.fromkeys(a for region, flag in states for a in catalog.addresses(region, multi_region=flag)))


def list_key(allowlist: ServiceAllowlist) -> ListKey | None:
    """What tells that two services declare one list: the same export of it; None where there is no export."""
    if allowlist.export is None:
        return None
    declared = allowlist.declared
    return (PurePosixPath(allowlist.export).as_posix(), declared.target, declared.name)


def list_id(service: Service, allowlist: ServiceAllowlist) -> str:
    """What the ids of a list's steps begin with; a service has no two lists of one target and name."""
    declared = allowlist.declared
    return "/".join(filter(None, (service.organization, service.name, declared.target, declared.name)))


def known_addresses(catalog: Catalog) -> AddressSet:
    """Every address that the catalog knows as the gateway's, of any state: ours to remove when not needed."""
    texts = [a for r in catalog.regions for a in catalog.addresses(r, multi_region=True)]
    return parse_address_set(texts)
