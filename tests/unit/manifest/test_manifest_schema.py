"""The schemas for editors: complete enough for a hover, and of one mind with the models."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from reconciler.catalog import load_catalog
from reconciler.manifest.schema import manifest_schema
from reconciler.settings import settings_schema

CATALOG = load_catalog()
SCHEMAS = {"manifest": manifest_schema(CATALOG), "settings": settings_schema()}
MANIFEST: dict[str, Any] = {
    "organization": "acme",
    "region": "us",
    "escalation_contacts": ["secops@acme.example"],
    "services": [
        {
            "name": "hq",
            "kind": "exchange",
            "domains": [
                {
                    "name": "acme.example",
                    "next_hops": ["mail.acme.example"],
                    "verification": {"primary": "one"},
                    "attestations": [{"what": "console", "by": "ops@acme.example", "on": "2026-11-01"}],
                    "waivers": [{"gate": "residency", "owner": "dpo", "reason": "board", "expires": "2027-01-01"}],
                    "ttl": 300,
                }
            ],
        }
    ],
}


def _fields(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for model in (schema, *schema["$defs"].values()):
        yield from model["properties"].items()


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_has_a_title_and_a_description(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    assert [f for f, schema in _fields(SCHEMAS[name]) if not (schema.get("title") and schema.get("description"))] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_null_is_nowhere(name: str) -> None:
    """A key without a value is an error, so no editor may offer one."""
    assert '"null"' not in str(SCHEMAS[name]).replace("'", '"')
    assert "None" not in str(SCHEMAS[name])


def test_accepts_what_the_models_accept() -> None:
    jsonschema.validate(MANIFEST, SCHEMAS["manifest"])


@pytest.mark.parametrize(
    "change",
    [{"region": "mars"}, {"organization": "a/b"}, {"escalation_contacts": []}, {"mx": None}, {"spam_rule": True}],
)
def test_refuses_what_the_models_refuse(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**MANIFEST, **change}, SCHEMAS["manifest"])


def test_regions_come_from_the_catalog_alone() -> None:
    assert SCHEMAS["manifest"]["properties"]["region"]["enum"] == list(CATALOG.regions)
    assert "enum" not in manifest_schema()["properties"]["region"]


@pytest.mark.parametrize(
    "document", [{}, {"observe": {"zonefiles": "zones/"}}, {"observe": {"dns": {"servers": ["127.0.0.1:5300"]}}}]
)
def test_settings_schema_accepts_what_settings_accept(document: dict[str, Any]) -> None:
    jsonschema.validate(document, SCHEMAS["settings"])


def test_the_regions_that_are_described_are_those_of_the_shipped_catalog() -> None:
    description = SCHEMAS["manifest"]["properties"]["region"]["description"]
    *others, last = CATALOG.regions
    assert f": {', '.join(others)} or {last}, if" in description
