"""Instruction sheets with the hostile set in every value: text in running text, in tables, in fences and in HTML."""

from __future__ import annotations

import pytest
from builders import EU, MX_KEY, NOW, SOURCE, TXT_KEY, attestation, catalog, domain, facts, present
from hostile import (
    IN_DOCUMENTS,
    Page,
    assert_html_is_safe,
    assert_markdown_is_safe,
    assert_no_controls,
    code_spans,
)

from reconciler.document import DiagnosticDocument, PlanHead, build_document
from reconciler.emit.console_sheet import build_console_sheet
from reconciler.emit.domain_sheet import build_domain_sheet
from reconciler.errors import Severity
from reconciler.escape import terminal_text
from reconciler.manifest.fleet import Organization, Source, Verification
from reconciler.plan import plan_domain
from reconciler.templating import Templates

TEMPLATES = Templates(None)


def _sheets(text: str) -> dict[str, str]:
    """Every sheet, by its template, with the text wherever DNS, a server or a manifest puts one."""
    declared = domain(
        written=text,
        organization=text,
        service=text,
        source=Source(text, 7),
        verification=Verification(text, None),
        attestations=(attestation(by=text, region="us"),),
    )
    seen = facts(declared, txt=present(TXT_KEY, text, f"{text}2"), mx=present(MX_KEY, EU, f"10 {text}"))
    head = PlanHead(commit=None, manifests_digest="m", catalog_digest="c", created_at=NOW, expires_at=NOW)
    plan = build_document(head, [plan_domain(seen, provider="manual", new_ttl=3600)], []).domains[0]
    note = DiagnosticDocument(severity=Severity.WARNING, code="code", summary=text, detail=text)
    domain_sheet = build_domain_sheet(
        plan, declared, name_servers=["ns.example.", f"-{text}"], catalog=catalog(), observed_at=NOW, notes=[note]
    )
    organization = Organization(text, "eu", False, (text,), (), (declared,), SOURCE)  # noqa: FBT003
    console_sheet = build_console_sheet(organization, catalog=catalog(), now=NOW)
    return {
        f"{name}.{kind}": TEMPLATES.render(f"instructions/{name}.{kind}.j2", {"sheet": sheet})
        for name, sheet in (("domain", domain_sheet), ("console", console_sheet))
        for kind in ("md", "html")
    }


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_nothing_in_a_sheet_is_markup(text: str) -> None:
    for name, sheet in _sheets(text).items():
        assert_no_controls(sheet)
        if name.endswith(".md"):
            assert_markdown_is_safe(sheet)
        else:
            assert_html_is_safe(sheet)


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_values_are_copied_as_they_are(text: str) -> None:
    """From the tables of the Markdown sheets, too, where a bar would end the cell."""
    sheets, plain, shown = _sheets(text), _sheets("plain text"), terminal_text(text)
    for name, suffix in (("console.md", ""), ("domain.md", "2")):
        expected = code_spans(plain[name]).count(f"plain text{suffix}")
        assert code_spans(sheets[name]).count(f"{shown}{suffix}") == expected > 0
    assert f"{shown}2" in Page(sheets["domain.html"]).text


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_a_sheet_has_the_structure_of_any_other(text: str) -> None:
    sheets, plain = _sheets(text), _sheets("plain text")
    for name in ("domain.html", "console.html"):
        assert Page(sheets[name]).tags == Page(plain[name]).tags
