"""The documentation names everything that there is, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.manifest.models import DomainManifest, OrganizationManifest, ServiceManifest
from reconciler.schemas import load_schema
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_target_has_a_page_that_the_index_links() -> None:
    index = (DOCS / "targets" / "README.md").read_text()
    linked = set(re.findall(r"\]\(([a-z0-9-]+\.md)\)", index))
    assert linked == {p.name for p in (DOCS / "targets").glob("*.md")} - {"README.md"}
    named = set(re.findall(r"^\| `([a-z0-9-]+)` \| \[", index, re.MULTILINE))
    assert named == {*ALLOWLIST_TARGETS, *MAIL_RULE_TARGETS}


def test_every_key_of_a_manifest_and_of_the_settings_is_documented() -> None:
    page = (DOCS / "reference" / "manifests.md").read_text()
    models = (OrganizationManifest, ServiceManifest, DomainManifest)
    keys = {key for model in models for key in model.model_fields} | set(load_schema("settings")["properties"])
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []
