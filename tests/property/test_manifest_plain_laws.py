"""What is taken without the models is what they say, attribute for attribute; whatever else there is they say alone."""

from __future__ import annotations

import itertools
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from damaged_data import damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_laws import assert_equal, assert_table_is_of

from reconciler.catalog import load_catalog
from reconciler.errors import ManifestError
from reconciler.manifest import declared, models, origin_models, plain
from reconciler.manifest.load import load_manifests
from reconciler.manifest.plain import read_plain_manifest
from reconciler.strict_yaml import load_yaml
from reconciler.tables import NotPlainError, Table

if TYPE_CHECKING:
    from pydantic import BaseModel

    from reconciler.errors import Diagnostic
    from reconciler.manifest.fleet import Fleet

CATALOG = load_catalog()
TODAY = date(2026, 11, 22)
ROOT = Path(__file__).parents[2]
TABLES: dict[type[BaseModel], Table] = {
    models.OrganizationManifest: plain.ORGANIZATION,
    models.ServiceManifest: plain.SERVICE,
    models.DomainManifest: plain.DOMAIN,
    models.AttestationManifest: plain.ATTESTATION,
    models.WaiverManifest: plain.WAIVER,
    models.DriftIgnoreManifest: plain.DRIFT_IGNORE,
    models.VerificationManifest: plain.VERIFICATION,
    models.MxManifest: plain.MX,
    models.MxHostManifest: plain.MX_HOST,
    origin_models.AllowlistManifest: plain.ALLOWLIST,
    origin_models.SpamRuleManifest: plain.SPAM_RULE,
    origin_models.CapabilitiesManifest: plain.CAPABILITIES,
}

days = st.sampled_from(["2026-11-01", "2026-11-22", "2027-06-30", "0001-01-01", "9999-12-31", "2024-02-29"])
texts = st.sampled_from(["ops@acme.example", "The board said so", "ä", " b ", "x" * 500, "MX acme.example", "true"])
names = st.sampled_from(["acme.example", "ACME.example.", "b.example", "bücher.example", "a..b", "", "192.0.2.1"])
words = st.sampled_from(["hq", "a", "A.b_c-d", "x" * 63, "manual"])
tokens = st.sampled_from(["k3Jx0Zb5Yw1=", "one", "~", "x" * 255])
flags = st.booleans()
addresses = st.sampled_from(["ops@acme.example", "a.b+c@bücher.example", f"{'x' * 64}@a.b"])
exports = st.sampled_from(["exports/acme/hq.json", "a", "a/./b"])


def _mapping(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


attestations = _mapping(
    {"what": st.sampled_from(["console", "verified", "mail-rule", "restricted-hard"]), "by": texts, "on": days},
    {"expires": days, "region": st.just("eu"), "multi_region": flags, "next_hops": st.lists(names, max_size=2)},
)
waivers = _mapping(
    {"gate": st.sampled_from(["residency", "tls"]), "owner": texts, "reason": texts, "expires": days}, {}
)
ignored = _mapping({"finding": st.just("ttl"), "owner": texts, "reason": texts, "expires": days}, {"resource": texts})
inherited = {
    "provider": words,
    "ttl": st.sampled_from([60, 300, 604800]),
    "switch_ttl": st.sampled_from([1, 604800]),
    "lifecycle": st.sampled_from(["active", "offboarded"]),
    "mx": _mapping({"exclusive": flags}, {}),
    "attestations": st.lists(attestations, max_size=2),
    "waivers": st.lists(waivers, max_size=2),
    "ignore_drift": st.lists(ignored, max_size=2),
}
domains = _mapping(
    {"name": names},
    {
        "next_hops": st.lists(names, max_size=2),
        "verification": _mapping({}, {"primary": tokens, "secondary": tokens}),
        "zone": names,
        **inherited,
    },
)
allowlists = _mapping(
    {"target": st.sampled_from(["plain", "nftables", "exchange-receive-connector", "strange"])},
    {
        "name": st.sampled_from(["gw", "From (gateway)", "a/b:c@d"]),
        "intent": st.sampled_from(["allow", "restrict"]),
        "exclusive": flags,
        "export": exports,
        "options": st.dictionaries(st.sampled_from(["table", "family", "ä"]), words, max_size=2),
    },
)
capabilities = _mapping({"third_party_mx": flags, "allowlist": flags}, {"header_rules": flags})
services = _mapping(
    {
        "name": words,
        "kind": st.sampled_from(["exchange", "microsoft-365", "other", "postfix"]),
        "domains": st.lists(domains, max_size=3),
    },
    {
        "connection": st.sampled_from(["mx", "api", "journaling"]),
        "capabilities": capabilities,
        "allowlists": st.lists(allowlists, max_size=2),
        "spam_rule": st.just(True) | _mapping({}, {"target": st.just("sieve"), "export": exports}),  # noqa: FBT003
        **inherited,
    },
)
organizations = _mapping(
    {
        "organization": words,
        "region": st.sampled_from(["eu", "us", "mars", ""]),
        "escalation_contacts": st.lists(addresses, max_size=2),
        "services": st.lists(services, max_size=2),
    },
    {"multi_region": flags, "mx_host": _mapping({"value": names, "reason": texts}, {}), **inherited},
)
ODD: list[Any] = [
    None, True, False, 0, 1, 59, 604801, 2**70, 300.0, float("nan"), "", " ", "a\u202eb", "a\nb", "\ud800",
    "x" * 501, "2026-02-30", "20261101", "2026-11-01T00:00", "\uff12\uff10\uff12\uff16-11-01", "true", "api ",
    "-x", "a b@c.example", "a@b", "/etc/passwd", "../b", "a\\b", [], {}, [None], [1], [[]], [{}], ["console"],
    {"exclusive": 1}, {"exclusive": None}, {"what": "console"}, {"primary": "b c"}, {1: "a"},
]  # fmt: skip
KEYS = [*dict.fromkeys(key for table in TABLES.values() for key in table.takes), "strange", "Name", 1]


def check(data: Any) -> bool:  # noqa: ANN401 - any data
    """Whether it is taken; then the models say the same."""
    made = read_plain_manifest(data)
    if made is not None:
        assert_equal(made, models.OrganizationManifest.model_validate(data))
    return made is not None


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_a_table_has_the_keys_of_its_model_with_their_defaults(model: type[BaseModel]) -> None:
    assert_table_is_of(TABLES[model], model)


def test_every_model_of_a_manifest_has_a_table() -> None:
    inside = models.OrganizationManifest.model_json_schema()["$defs"]
    assert {model.__name__ for model in TABLES} == {*inside, models.OrganizationManifest.__name__}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=organizations)
def test_whatever_the_models_accept_is_taken(data: dict[str, Any]) -> None:
    assert check(data)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=damaged(organizations, ODD, KEYS))
def test_damaged_manifests_are_taken_as_the_models_take_them_or_not_at_all(data: Any) -> None:  # noqa: ANN401
    check(data)


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_no_odd_value_is_taken_otherwise_at_any_key(model: type[BaseModel]) -> None:
    """Each key of each table by itself, so that none hides behind another that is refused."""
    for key, odd in itertools.product(model.model_fields, ODD):
        try:
            made: Any = TABLES[model]({**_least(model), key: odd})
        except NotPlainError:
            continue
        assert_equal(made, model.model_validate({**_least(model), key: odd}))


def _least(model: type[BaseModel]) -> dict[str, Any]:
    """The least that the model accepts."""
    good = {
        "organization": "acme", "region": "eu", "escalation_contacts": [], "services": [], "name": "hq",
        "kind": "postfix", "domains": [], "what": "console", "by": "me", "on": "2026-11-01", "gate": "tls",
        "owner": "me", "reason": "why", "expires": "2026-11-01", "finding": "ttl", "exclusive": True, "value": "b",
        "target": "plain", "third_party_mx": True, "allowlist": True,
    }  # fmt: skip
    return {key: good[key] for key, field in model.model_fields.items() if field.is_required()}


def test_what_is_written_alike_is_looked_at_by_its_types_too() -> None:
    """A number that equals a flag is no flag, whatever was taken before it."""
    head = {"organization": "a", "region": "eu", "escalation_contacts": [], "services": []}
    good = {"what": "verified", "by": "me", "on": "2026-11-01"}
    assert check({**head, "attestations": [good, {**good, "multi_region": True}, good]})
    assert not check({**head, "attestations": [{**good, "multi_region": 1}]})
    assert not check({**head, "attestations": [good, {**good, "on": "2026-11-31"}]})
    one, other = read_plain_manifest({**head, "attestations": [good]}), read_plain_manifest({**head, "waivers": []})
    assert one is not None
    assert other is not None
    assert (len(one.attestations), len(other.attestations)) == (1, 0)


def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "_MAX_KNOWN", 2)
    table = plain.Repeated({}, {"a": lambda value: value})
    for word in ("b", "c", "d", "b", "d"):
        made: Any = table({"a": word})
        assert made.a == word
        assert len(table._known) <= 2  # noqa: SLF001 - that is what is looked at


def _loaded(directory: Path, *, is_plain_taken: bool) -> tuple[Fleet | None, list[Diagnostic]]:
    with pytest.MonkeyPatch.context() as patch:
        if not is_plain_taken:
            patch.setattr(declared, "read_plain_manifest", lambda _data: None)
        try:
            return load_manifests(directory, catalog=CATALOG, today=TODAY)
        except ManifestError as exc:
            return None, list(exc.diagnostics)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manifests=st.lists(organizations | damaged(organizations, ODD, KEYS), min_size=1, max_size=2))
def test_a_fleet_and_its_diagnostics_are_the_same_with_and_without(
    manifests: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("manifests")
    for i, manifest in enumerate(manifests):
        (directory / f"{i}.yaml").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    assert _loaded(directory, is_plain_taken=True) == _loaded(directory, is_plain_taken=False)


FOLDERS = sorted({ROOT / "manifests", *(p for p in ROOT.glob("tests/golden/**/manifests") if p.is_dir())})


@pytest.mark.parametrize("directory", FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_written_manifests_are_the_same_with_and_without(directory: Path) -> None:
    assert _loaded(directory, is_plain_taken=True) == _loaded(directory, is_plain_taken=False)


def test_the_manifests_of_this_repository_are_plain() -> None:
    files = sorted((ROOT / "manifests").glob("*.yaml"))
    assert files
    assert [f.name for f in files if not check(load_yaml(f.read_bytes(), f.name).data)] == []
