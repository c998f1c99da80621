"""What was read of the manifests, as digests of all that is declared for a mail domain or a service. Pure.

A plan carries them, so that a domain whose declaration is another one by now can be told from one that is as it was
reviewed. Where something stands, how a name is spelled, and in which order people vouch is no part of what is declared.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from reconciler.document import digest_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from reconciler.manifest.fleet import Domain, Fleet, Organization, Service

_NO_MEANING = frozenset({"source", "written", "services", "domains"})
"""Places and spellings; and what an organization holds, which is declared by itself."""
_SETS = frozenset({"attestations", "waivers", "ignore_drift", "escalation_contacts"})


class Declarations:
    """The digests of what a fleet declares, as `sha256:`; each service's and organization's is made once."""

    def __init__(self, fleet: Fleet) -> None:
        """Of this fleet."""
        self._organizations = {o.name: o for o in fleet.organizations}
        self._services = {(s.organization, s.name): s for o in fleet.organizations for s in o.services}
        self._digests: dict[tuple[str, str], str] = {}

    def of_domain(self, domain: Domain) -> str:
        """All that is declared for one mail domain of the fleet: its own, its service's and its organization's."""
        service = self.of_service(self._services[domain.organization, domain.service])
        return digest_of({"domain": _plain(domain), "service": service})

    def of_service(self, service: Service) -> str:
        """All that is declared for one service of the fleet, and for its organization."""
        key = (service.organization, service.name)
        if key not in self._digests:
            self._digests[key] = declared_service(service, self._organizations[service.organization])
        return self._digests[key]


def declared_service(service: Service, organization: Organization) -> str:
    """The digest of one service's declaration and its organization's."""
    return digest_of({"service": _plain(service), "organization": _plain(organization)})


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON data
    """Data of the manifests as JSON data."""
    if is_dataclass(value):
        return {name: _of_field(name, getattr(value, name)) for name in _meaningful(value.__class__)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _of_field(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON data
    return sorted(map(_statement, value)) if name in _SETS else _plain(value)


@lru_cache(maxsize=4096)  # the domains of a service share what was said for all of them
def _statement(value: Hashable) -> str:
    return json.dumps(_plain(value), sort_keys=True)


@cache
def _meaningful(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - a dataclass
    return tuple(f.name for f in fields(kind) if f.name not in _NO_MEANING)
