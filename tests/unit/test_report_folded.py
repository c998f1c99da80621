"""A fleet of which most is in sync: what is to be done is shown, the rest is counted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from builders import EU, MX_KEY, OLD_MX, PRIMARY, TXT_KEY, document, facts, present
from hostile import Page

from reconciler.document import ServiceDocument, render_document
from reconciler.plan import Stage
from reconciler.report.folded import MOST_LISTED
from reconciler.report.html import render_html
from reconciler.report.markdown import render_markdown
from reconciler.report.text import render_text

if TYPE_CHECKING:
    from reconciler.document import PlanDocument

CALM = document(facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU)))
IN_SYNC = CALM.domains[0]
BUSY = document(facts(mx=present(MX_KEY, OLD_MX))).domains[0]


def _fleet(in_sync: int, busy: tuple[int, ...] = (), organizations: int = 10) -> PlanDocument:
    """So many domains in sync, one after the other in the organizations, and more domains that are not."""
    domains = [(i, IN_SYNC) for i in range(in_sync)] + [(i, BUSY) for i in busy]
    made = [
        kind.model_copy(update={"organization": f"o{i % organizations}", "domain": f"d{i}.example", "written": name})
        for i, kind in domains
        for name in [f"d{i}.example"]
    ]
    made.sort(key=lambda d: d.organization)
    return CALM.model_copy(update={"domains": made, "has_changes": bool(busy)})


def _text(made: PlanDocument) -> str:
    return render_text(made, color=False)


def test_a_few_domains_in_sync_are_listed() -> None:
    text = _text(_fleet(MOST_LISTED))
    assert len(re.findall(r"^  d\S+ +in sync$", text, re.MULTILINE)) == MOST_LISTED
    assert "not listed" not in text


def test_a_fleet_in_sync_is_one_line() -> None:
    assert _text(_fleet(12_345)) == "In sync. 12,345 domains, 12,345 in sync.\n"


def test_what_is_to_be_done_is_listed_whatever_is_in_sync() -> None:
    text = _text(_fleet(12_000, busy=(20_003, 20_005)))
    assert re.findall(r"^o\d$", text, re.MULTILINE) == ["o3", "o5"]
    assert re.findall(r"^  (d\S+)", text, re.MULTILINE) == ["d20003.example", "d20005.example"]
    assert "\n\n12,000 domains in sync are not listed.\n" in text
    assert text.endswith(" 12,002 domains, 12,000 in sync.\n")


def test_the_text_is_aligned_by_what_is_listed() -> None:
    long = IN_SYNC.model_copy(update={"written": f"{'long' * 15}.example"})
    made = _fleet(30, busy=(7,))
    text = _text(made.model_copy(update={"domains": [long, *made.domains]}))
    assert "\n  d7.example  declared:" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"stage": Stage.GONE},
        {"stage": Stage.SWITCHED},
        {"flow": ["expand: senders -> mail.acme.example"]},
        {"steps": BUSY.steps},
    ],
)
def test_a_domain_of_which_there_is_more_to_tell_is_listed(changes: dict[str, object]) -> None:
    made = _fleet(30)
    special = IN_SYNC.model_copy(update={"written": "special.example", **changes})
    text = _text(made.model_copy(update={"domains": [*made.domains, special]}))
    assert "\n  special.example  " in text
    assert "30 domains in sync are not listed." in text


def test_markdown_names_only_organizations_that_have_something_to_do() -> None:
    markdown = render_markdown(_fleet(12_000, busy=(20_003, 20_005)))
    assert re.findall(r"^#### (\S+)$", markdown, re.MULTILINE) == ["o3", "o5"]
    assert markdown.count("1200 of 1201 domains have nothing to do.") == 2
    assert "\n9,600 domains of 8 organizations have nothing to do.\n" in markdown


def test_markdown_names_an_organization_of_which_a_service_has_something_to_do() -> None:
    service = ServiceDocument(organization="o2", service="hq", kind="exchange", steps=BUSY.steps)
    markdown = render_markdown(_fleet(100).model_copy(update={"services": [service]}))
    assert re.findall(r"^#### (\S+)$", markdown, re.MULTILINE) == ["o2"]
    assert "\n90 domains of 9 organizations have nothing to do.\n" in markdown


def test_markdown_of_a_few_domains_names_every_organization() -> None:
    markdown = render_markdown(_fleet(MOST_LISTED, organizations=4))
    assert re.findall(r"^#### (\S+)$", markdown, re.MULTILINE) == ["o0", "o1", "o2", "o3"]
    assert "organizations have nothing to do" not in markdown


def test_the_page_lists_what_is_to_be_done() -> None:
    page = Page(render_html(_fleet(12_000, busy=(20_003, 20_005)), None))
    assert (page.tags.count("article"), page.tags.count("h2")) == (2, 2)
    assert "12,000 domains in sync are not listed." in page.text
    assert Page(render_html(_fleet(MOST_LISTED), None)).tags.count("article") == MOST_LISTED


def test_the_document_holds_all_domains() -> None:
    assert render_document(_fleet(100)).count('"written"') == 100
