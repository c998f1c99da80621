"""What was read of the manifests, as digests of all that is declared for a mail domain or a service. Pure.

A plan carries them, so that a domain whose declaration is another one by now can be told from one that is as it was
reviewed. Where something stands, how a name is spelled, and in which order people vouch is no part of what is declared.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any

from reconciler.document.digest import canonical_text, digest_of, digest_of_text
from reconciler.manifest.fleet import Domain

if TYPE_CHECKING:
    from reconciler.manifest.fleet import Fleet, Service

_NO_MEANING = frozenset({"source", "written", "services", "domains"})
"""Places and spellings; and what an organization holds, which is declared by itself."""
_SETS = frozenset({"attestations", "waivers", "ignore_drift", "escalation_contacts"})
_SCALARS = frozenset({str, int, bool, NoneType})
_NOTHING = (object(), "")


class Declarations:
    """The digests of what a fleet declares, as `sha256:`; each service's and organization's is made once."""

    def __init__(self, fleet: Fleet) -> None:
        """Of this fleet."""
        self._organizations = {o.name: o for o in fleet.organizations}
        self._services = {(s.organization, s.name): s for o in fleet.organizations for s in o.services}
        self._digests: dict[tuple[str, str], str] = {}
        self._last: dict[str, tuple[object, str]] = {}
        self._said: dict[tuple[int, ...], tuple[tuple[object, ...], list[str]]] = {}

    def of_domain(self, domain: Domain) -> str:
        """All that is declared for one mail domain of the fleet: its own, its service's and its organization's."""
        service = self.of_service(self._services[domain.organization, domain.service])
        fields_of_domain = ",".join([self._text(name, getattr(domain, name)) for name in _DOMAIN_FIELDS])
        return digest_of_text(f'{{"domain":{{{fields_of_domain}}},"service":"{service}"}}')

    def _text(self, name: str, value: object) -> str:
        """One field of a domain as canonical JSON; most are those of the domain before it, and are not written anew."""
        last, text = self._last.get(name, _NOTHING)
        if value is last or (value.__class__ is tuple and value == last):
            return text
        text = f'"{name}":{canonical_text(self._of_field(name, value))}'
        self._last[name] = value, text
        return text

    def of_service(self, service: Service) -> str:
        """All that is declared for one service of the fleet, and for its organization."""
        key = (service.organization, service.name)
        if key not in self._digests:
            organization = self._plain(self._organizations[service.organization])
            self._digests[key] = digest_of({"service": self._plain(service), "organization": organization})
        return self._digests[key]

    def _plain(self, value: object) -> Any:  # noqa: ANN401 - JSON data
        """Data of the manifests as JSON data."""
        if value.__class__ in _SCALARS:
            return value
        if value.__class__ is tuple:
            return [self._plain(each) for each in value]
        if is_dataclass(value) or isinstance(value, tuple):
            return {name: self._of_field(name, getattr(value, name)) for name in _meaningful(value.__class__)}
        return value.isoformat() if isinstance(value, date) else value

    def _of_field(self, name: str, value: Any) -> Any:  # noqa: ANN401 - JSON data
        return self._statements(value) if name in _SETS else self._plain(value)

    def _statements(self, said: tuple[object, ...]) -> list[str]:
        """In one order; the domains of a service share what was said for all of them."""
        key = tuple(map(id, said))
        if key not in self._said:
            # kept beside its statements, so that nothing else ever gets one of these ids
            self._said[key] = said, sorted(json.dumps(self._plain(each), sort_keys=True) for each in said)
        return self._said[key][1]


@cache
def _meaningful(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - a dataclass, or a named tuple
    names = [f.name for f in fields(kind)] if is_dataclass(kind) else kind._fields
    return tuple(name for name in names if name not in _NO_MEANING)


_DOMAIN_FIELDS = sorted(_meaningful(Domain))
