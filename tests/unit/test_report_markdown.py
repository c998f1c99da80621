"""A plan as Markdown for a pull request."""

from __future__ import annotations

import pytest
from builders import EU, MX_KEY, OLD_MX, PRIMARY, TXT_KEY, document, domain, facts, present, waiver
from hostile import IN_DOCUMENTS, assert_markdown_is_safe, code_spans, hostile_document, parsed_markdown

from reconciler.escape import terminal_text
from reconciler.report.markdown import render_markdown
from reconciler.state import Cause, Unknown


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_nothing_in_a_plan_is_markup(text: str) -> None:
    markdown = render_markdown(hostile_document(text))
    assert_markdown_is_safe(markdown)
    assert terminal_text(text) in code_spans(markdown)
    kinds = [kind for kind, _ in parsed_markdown(markdown)]
    assert (kinds.count("heading_open"), kinds.count("table_open")) == (2, 1)


def test_the_counts_come_first() -> None:
    markdown = render_markdown(
        document(facts(mx=present(MX_KEY, OLD_MX)), facts(txt=Unknown(Cause.TIMEOUT, "silence")))
    )
    cells = [c for kind, c in parsed_markdown(markdown) if kind == "text"][1:17]
    assert dict(zip(cells[:8], cells[8:], strict=True)) == {
        "create": "1",
        "update": "0",
        "delete": "0",
        "held": "2",
        "manual": "0",
        "unknown": "1",
        "domains": "2",
        "in sync": "0",
    }


def test_values_are_told_apart() -> None:
    markdown = render_markdown(
        document(
            facts(
                domain(multi_region=True, ttl=300),
                txt=present(TXT_KEY, PRIMARY, '"foreign"'),
                mx=present(MX_KEY, OLD_MX),
            )
        )
    )
    lines = markdown.splitlines()
    assert '  - add `"secondary-token"`' in lines
    assert '  - keep `"primary-token"`' in lines
    assert '  - not ours, stays `"foreign"`' in lines
    assert "  - remove `10 mail.acme.example.`" in lines
    assert "  - TTL 3600 to 300" in lines


def test_a_waived_gate_is_shown_and_a_passed_one_is_not() -> None:
    declared = domain(attestations=(), waivers=(waiver("allowlist"),))
    markdown = render_markdown(document(facts(declared, txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, OLD_MX))))
    assert "  - `allowlist` pass: waived by boss\\@&zwnj;acme" in markdown
    assert "token-visible" not in markdown


def test_what_is_in_sync_is_counted_and_not_listed() -> None:
    in_sync = facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU))
    markdown = render_markdown(document(in_sync, in_sync, facts(mx=present(MX_KEY, OLD_MX))))
    assert "2 of 3 domains have nothing to do." in markdown
    assert markdown.count("**`acme.example`**") == 1


def test_a_finding_ends_with_one_full_stop() -> None:
    markdown = render_markdown(document(facts(txt=Unknown(Cause.CNAME, "it is a CNAME to elsewhere.example."))))
    assert "- **error** `manifests/acme.yaml:7`: it is a CNAME to elsewhere\\.example. No other record" in markdown
