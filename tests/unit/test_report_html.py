"""A plan as a page: our own elements alone, one style, no script and no address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import EU, MX_KEY, OLD_MX, PRIMARY, TXT_KEY, document, domain, facts, present, waiver
from hostile import IN_DOCUMENTS, Page, assert_html_is_safe, hostile_document

from reconciler.escape import terminal_text
from reconciler.report.html import render_html
from reconciler.state import Cause, Unknown

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_nothing_in_a_plan_is_markup(text: str) -> None:
    page = render_html(hostile_document(text), None)
    assert_html_is_safe(page)
    assert Page(page).tags == Page(render_html(hostile_document("plain"), None)).tags
    assert Page(page).text.count(terminal_text(text)) >= Page(render_html(hostile_document("plain"), None)).text.count(
        "plain"
    )


def test_everything_of_a_plan_is_there() -> None:
    declared = domain(attestations=(), multi_region=True, ttl=300, waivers=(waiver("allowlist"),))
    made = document(
        facts(declared, txt=present(TXT_KEY, PRIMARY, '"foreign"'), mx=present(MX_KEY, OLD_MX)),
        facts(txt=Unknown(Cause.CNAME, "it is a CNAME")),
        facts(domain(connection="api")),
        facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU)),
    )
    text = " ".join(Page(render_html(made, None)).text.split())
    for part in (
        f"of commit {'0' * 40}. {made.digest}",
        'add "secondary-token"',
        'keep "primary-token"',
        'not ours, stays "foreign"',
        "remove 10 mail.acme.example.",
        "TTL 3600 to 300",
        "token-visible hold: the verification values",
        "allowlist pass: waived by boss@acme.example",
        "unknown: it is a CNAME",
        "error manifests/acme.yaml:7: it is a CNAME",
        "nothing in DNS: its connection needs no MX change",
    ):
        assert part in text


def test_a_plan_without_commit_names_none() -> None:
    assert "commit" not in Page(render_html(document(commit=None), None)).text


def test_the_users_template_is_taken(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "plan.html.j2").write_text("<p>{{ plan.domains[0].written }}</p>")
    assert render_html(hostile_document("<b>"), tmp_path) == "<p>&lt;b&gt;</p>"
