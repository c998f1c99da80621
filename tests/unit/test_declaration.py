"""The digest of what is declared: all that has a meaning, and nothing of where or how it was written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from builders import SOURCE, attestation, domain, waiver

from reconciler.declaration import Declarations
from reconciler.document import digest_of
from reconciler.manifest.fleet import (
    Domain,
    DriftIgnore,
    Fleet,
    Lifecycle,
    MxHostOverride,
    Organization,
    Service,
    ServiceAllowlist,
    ServiceSpamRule,
    Source,
    Verification,
)
from reconciler.names import canonical_name
from reconciler.targets.base import DeclaredAllowlist, Intent

if TYPE_CHECKING:
    from collections.abc import Mapping

ELSEWHERE = Source("elsewhere/acme.yaml", 99)
IGNORE = DriftIgnore("ttl", None, "ops@acme.example", "known", attestation().on, SOURCE)
ALLOWLIST = ServiceAllowlist(DeclaredAllowlist("plain", "list", Intent.ALLOW, exclusive=False), "list.txt", SOURCE)
CHANGES: Mapping[str, object] = {
    "organization": "other",
    "service": "branch",
    "kind": "postfix",
    "connection": "api",
    "region": "us",
    "multi_region": True,
    "next_hops": (canonical_name("mx2.acme.example"),),
    "verification": Verification("another", None),
    "zone": canonical_name("example"),
    "provider": "files",
    "mx_exclusive": False,
    "mx_host": MxHostOverride(canonical_name("mx.vendor.example"), "a trial"),
    "ttl": 300,
    "attestations": (attestation(),),
    "waivers": (waiver("tls"),),
    "switch_ttl": 60,
    "lifecycle": Lifecycle.OFFBOARDED,
    "ignore_drift": (IGNORE,),
    "name": canonical_name("other.example"),
}


def service(**changes: Any) -> Service:  # noqa: ANN401
    given = Service(
        organization="acme",
        name="hq",
        kind="exchange",
        connection="mx",
        region="eu",
        multi_region=False,
        allowlists=(ALLOWLIST,),
        spam_rule=ServiceSpamRule("exchange-spam-rule", None, SOURCE),
        attestations=(),
        waivers=(),
        source=SOURCE,
    )
    return replace(given, **changes)


def digest(declared: Domain, **changes: Any) -> str:  # noqa: ANN401
    """Of a domain in its fleet; `changes` are the organization's, and `its_service` its service."""
    its_service = changes.pop("its_service", None) or service(organization=declared.organization, name=declared.service)
    given = Organization(declared.organization, "eu", False, ("a@acme.example",), (its_service,), (declared,), SOURCE)  # noqa: FBT003 - as it is resolved
    fleet = Fleet((replace(given, **changes),), "sha256:f")
    return Declarations(fleet).of_domain(declared)


def test_everything_that_is_declared_for_a_domain_is_in_it() -> None:
    """Of a field that comes later it has to be said here what it means."""
    assert set(CHANGES) == {f.name for f in fields(Domain)} - {"source", "written"}
    digests = {name: digest(domain(**{name: value})) for name, value in CHANGES.items()}
    assert len({*digests.values(), digest(domain())}) == len(CHANGES) + 1


@pytest.mark.parametrize(
    "its_service",
    [
        service(kind="postfix"),
        service(allowlists=()),
        service(allowlists=(replace(ALLOWLIST, export="other.txt"),)),
        service(spam_rule=None),
        service(waivers=(waiver("tls"),)),
    ],
)
def test_its_service_is_in_it(its_service: Service) -> None:
    assert digest(domain(), its_service=its_service) != digest(domain())


def test_its_organization_is_in_it() -> None:
    assert digest(domain(), escalation_contacts=("b@acme.example",)) != digest(domain())
    assert digest(domain(), region="us") != digest(domain())


def test_another_domain_of_the_organization_is_not() -> None:
    one, other = domain(), domain(name=canonical_name("other.example"))
    assert digest(one, domains=(one, other)) == digest(one)


def test_two_domains_of_one_service_have_one_of_it_and_two_of_their_own() -> None:
    one, other = domain(), domain(name=canonical_name("other.example"))
    organization = Organization("acme", "eu", False, (), (service(),), (one, other), SOURCE)  # noqa: FBT003 - as it is resolved
    declarations = Declarations(Fleet((organization,), "sha256:f"))
    assert declarations.of_domain(one) != declarations.of_domain(other)
    assert declarations.of_service(service()) == declarations.of_service(service())
    assert declarations.of_domain(one) == Declarations(Fleet((organization,), "sha256:g")).of_domain(one)


def test_places_spellings_and_the_order_of_statements_are_not() -> None:
    moved = tuple(reversed(domain().attestations))
    assert digest(domain(attestations=moved, source=ELSEWHERE, written="ACME.Example")) == digest(domain())
    moved_list = replace(ALLOWLIST, source=ELSEWHERE)
    assert digest(domain(), its_service=service(source=ELSEWHERE, allowlists=(moved_list,))) == digest(domain())


def test_the_order_of_next_hops_is_declared() -> None:
    hops = (canonical_name("a.example"), canonical_name("b.example"))
    assert digest(domain(next_hops=hops)) != digest(domain(next_hops=hops[::-1]))


def test_it_is_the_same_in_every_process() -> None:
    """Whatever the seed of hashes: a plan is reviewed on one machine and applied on another."""
    code = "from test_declaration import *; print(digest(domain()))"
    folder = os.path.dirname(__file__)  # noqa: PTH120 - as PYTHONPATH takes it
    paths = os.pathsep.join([folder, os.path.dirname(folder)])  # noqa: PTH120 - likewise
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code]
        ran = subprocess.run(command, env=environment, capture_output=True, check=True, text=True, timeout=60)
        assert ran.stdout.strip() == digest(domain())


def plainly(value: Any) -> Any:  # noqa: ANN401
    """What is declared as JSON data, as it is defined: each value by itself."""
    if is_dataclass(value) or hasattr(value, "_asdict"):
        meant = {f.name: getattr(value, f.name) for f in fields(value)} if is_dataclass(value) else value._asdict()
        sets = {"attestations", "waivers", "ignore_drift", "escalation_contacts"}
        return {
            name: sorted(json.dumps(plainly(each), sort_keys=True) for each in said) if name in sets else plainly(said)
            for name, said in meant.items()
            if name not in {"source", "written", "services", "domains"}
        }
    if isinstance(value, tuple):
        return [plainly(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def test_what_domains_have_in_common_is_in_the_digest_of_each() -> None:
    """Whatever differs from the domain before it, and back again."""
    base = domain()
    changes: Mapping[str, Any] = {n: v for n, v in CHANGES.items() if n not in {"organization", "service"}}
    changed = [replace(base, **{name: value}) for name, value in changes.items()]
    domains = tuple(each for other in changed for each in (base, other))
    its = service(organization=base.organization, name=base.service)
    fleet = Fleet((Organization(base.organization, "eu", False, ("a@acme.example",), (its,), domains, SOURCE),), "")  # noqa: FBT003 - as it is resolved
    declarations = Declarations(fleet)
    for each in domains:
        expected = {"domain": plainly(each), "service": declarations.of_service(its)}
        assert declarations.of_domain(each) == digest_of(expected)
