"""Whatever a manifest holds, loading it ends in a fleet or in diagnostics with places; never in another exception."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.catalog import load_catalog
from reconciler.errors import ManifestError
from reconciler.manifest.load import load_manifests

CATALOG = load_catalog()

junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "acme.example", "us.mx-pp.com", "192.0.2.1", "bücher.example", "mx", "api", "2026-11-01", "eu"]
    ),
    st.just([]),
    st.just({}),
    st.just(["allowlist", {"what": "allowlist"}]),
)
Strategy = st.SearchStrategy[Any]


def _or_junk(good: Strategy) -> Strategy:
    return st.one_of(good, good, good, junk)


def _mapping(build: Callable[[], dict[str, Strategy]]) -> Strategy:
    """A mapping with some of the keys, perhaps a strange one, and junk here and there."""
    keys = {key: _or_junk(value) for key, value in build().items()}
    return _or_junk(st.fixed_dictionaries({}, optional={**keys, "strange": junk}))


days = st.sampled_from(["2026-11-01", "2026-11-22", "2026-02-30", "2027-01-01"])
texts = st.sampled_from(["ops@acme.example", "", "a\u202eb"])
names = st.sampled_from(["acme.example", "ACME.example.", "b.example", "a..b", "mx-pp.com", "co.uk", "bücher.example"])
flags = st.booleans()
attestations = st.lists(
    _mapping(lambda: {"what": st.just("allowlist"), "by": texts, "on": days, "expires": days, "region": st.just("eu")}),
    max_size=2,
)
waivers = st.lists(
    _mapping(lambda: {"gate": st.just("residency"), "owner": texts, "reason": texts, "expires": days}), max_size=2
)
inherited = {"ttl": st.just(300), "mx": _mapping(lambda: {"exclusive": flags}), "attestations": attestations}
domains = _mapping(
    lambda: {
        "name": names,
        "next_hops": st.lists(_or_junk(names), max_size=2),
        "verification": _mapping(lambda: {"primary": st.just("one"), "secondary": st.sampled_from(["one", "two"])}),
        "zone": names,
        "waivers": waivers,
        **inherited,
    }
)
services = _mapping(
    lambda: {
        "name": st.just("hq"),
        "kind": st.sampled_from(["exchange", "microsoft-365"]),
        "connection": st.sampled_from(["mx", "api"]),
        "domains": st.lists(domains, max_size=3),
        "waivers": waivers,
        **inherited,
    }
)
organizations = _mapping(
    lambda: {
        "organization": st.just("acme"),
        "region": st.sampled_from(["eu", "au", "us"]),
        "multi_region": flags,
        "escalation_contacts": st.lists(_or_junk(st.just("ops@acme.example")), max_size=2),
        "mx_host": _mapping(lambda: {"value": names, "reason": texts}),
        "services": st.lists(services, max_size=2),
        "waivers": waivers,
        **inherited,
    }
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manifests=st.lists(organizations, min_size=1, max_size=2))
def test_ends_in_a_fleet_or_in_diagnostics(manifests: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("manifests")
    for i, manifest in enumerate(manifests):
        # JSON is YAML, unless a character is one that the strict loader refuses: then that is the diagnostic
        (directory / f"{i}.yaml").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    try:
        fleet, diagnostics = load_manifests(directory, catalog=CATALOG, today=date(2026, 11, 21))
    except ManifestError as exc:
        diagnostics = list(exc.diagnostics)
        assert all(d.line for d in diagnostics if d.code != "no-domains")
    else:
        assert fleet.domains
    assert all(d.summary and d.detail.endswith((".", ")", "]")) for d in diagnostics)
