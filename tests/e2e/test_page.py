"""The page in headless Chromium, from a folder and below a path of a web server: people find what they look for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hostile import IN_DOCUMENTS
from page_lab import REPOSITORY, chromium, elements, names, report_of_examples, served, tab_to, watching
from playwright.sync_api import expect
from site_builders import hostile_seen

from reconciler.escape import terminal_text
from reconciler.site import build_site, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of the system."""
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the repository's own manifests."""
    return report_of_examples(tmp_path_factory.mktemp("example"))


@pytest.fixture(params=["file", "http"])
def origin(request: pytest.FixtureRequest, example: Path) -> Iterator[str]:
    """Where the example is: in a folder, or below a path of a web server."""
    if request.param == "file":
        yield f"{example.as_uri()}/"
        return
    with served(example) as address:
        yield address


def test_who_looks_for_a_domain_filters_sorts_and_opens_its_organization(browser: Browser, origin: str) -> None:
    with watching(browser, origin) as watched:
        page = watched.go("index.html")
        expect(page.locator("#count")).to_have_text("9 domains")
        assert names(page)[:3] == ["globex-billing.example", "initech.example", "umbrella.example"]
        page.get_by_label("Domain", exact=True).fill("SHOP")
        expect(page.locator("#count")).to_have_text("1 of 9 domains")
        assert page.url == f"{origin}index.html#q=SHOP"
        page.get_by_role("link", name="acme-shop.example").last.click()
        assert page.url == f"{origin}organizations/acme.html#d-acme-shop.example"
        expect(page.locator("#d-acme-shop\\.example")).to_be_focused()
        expect(page.locator("#d-acme-shop\\.example > details.timeline")).to_have_attribute("open", "")
        expect(page.locator("#d-acme-shop\\.example")).to_contain_text("SPF says mx, which means")
        page.go_back()
        expect(page.locator("#count")).to_have_text("1 of 9 domains")
        expect(page.get_by_label("Domain", exact=True)).to_have_value("SHOP")
        page.get_by_role("button", name="Show all").click()
        expect(page.locator("#count")).to_have_text("9 domains")


@pytest.mark.parametrize(
    ("fragment", "shown"),
    [
        ("stage=protected", ["acme.example", "wonka.example"]),
        ("stage=not+by+MX", ["hooli.example"]),
        ("severity=high", ["globex-billing.example", "initech.example", "umbrella.example"]),
        ("severity=none&sort=domain&order=descending", ["wonka.example", "hooli.example", "acme.example"]),
        ("organization=hooli&sort=domain&order=ascending", ["bücher.example", "hooli.example"]),
        ("q=xn--", ["bücher.example"]),
        ("q=nothing+is+called+so", []),
        ("q=wonka&page=-7&sort=__proto__&order=x&stage=%FF", []),
        ("q=wonka&page=99999&sort=constructor", ["wonka.example"]),
    ],
)
def test_the_address_says_what_the_table_shows(
    browser: Browser, example: Path, fragment: str, shown: list[str]
) -> None:
    with watching(browser, f"{example.as_uri()}/") as watched:
        page = watched.go(f"index.html#{fragment}")
        expect(page.locator("#filter")).to_be_visible()
        if "%FF" in fragment:
            page.get_by_label("Stage").select_option("")  # no such stage is no stage at all: everything of the name
            shown = ["wonka.example"]
        assert names(page) == shown


def test_columns_are_sorted_by_buttons_that_say_how(browser: Browser, example: Path) -> None:
    with watching(browser, f"{example.as_uri()}/") as watched:
        page = watched.go("index.html")
        head = page.locator("th[data-sort=domain]")
        expect(page.locator("th[data-sort=severity]")).to_have_attribute("aria-sort", "descending")
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", "ascending")
        assert names(page)[0] == "acme-shop.example"
        head.get_by_role("button").press("Enter")
        expect(head).to_have_attribute("aria-sort", "descending")
        assert names(page)[0] == "wonka.example"
        assert page.locator("th[aria-sort]").count() == 1
        page.locator("th[data-sort=since] button").click()
        assert page.locator("#table tbody tr:last-child .time").inner_text() == ""


def test_the_keyboard_alone_leads_from_the_top_to_a_domain(browser: Browser, origin: str) -> None:
    with watching(browser, origin) as watched:
        page = watched.go("index.html")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        expect(page.locator(".skip")).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        tab_to(page, "#filter-q")
        page.keyboard.type("umbrella")
        expect(page.locator("#count")).to_have_text("1 of 9 domains")
        tab_to(page, "#table tbody a")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        page.keyboard.press("Enter")
        expect(page.locator("#d-umbrella\\.example")).to_be_focused()
        tab_to(page, "#d-umbrella\\.example summary")
        page.keyboard.press("Enter")
        expect(page.locator("#d-umbrella\\.example > details").first).not_to_have_attribute("open", "")


def test_the_policy_lets_nothing_in_that_is_not_ours(browser: Browser, origin: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(f"{origin}index.html")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}),"
        " Object.assign(document.createElement('img'), {src: 'https://elsewhere.example/x.png'}))"
    )
    page.evaluate("fetch('index.html').then(() => { window.ran = 1 }, () => {})")
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    for directive in ("script-src 'self'", "img-src 'self'", "default-src 'none'"):
        assert [text for text in refused if "Content Security Policy" in text and directive in text] != []
    context.close()


@pytest.mark.parametrize("part", range(4))
def test_hostile_values_are_inert(browser: Browser, tmp_path: Path, part: int) -> None:
    text = " ".join(IN_DOCUMENTS[part::4])
    write_site(tmp_path, build_site(hostile_seen(text), None))
    with watching(browser, f"{tmp_path.as_uri()}/") as watched:
        page = watched.go("index.html")
        expect(page.locator("#count")).to_have_text("3 domains")
        page.locator("#filter-organization").focus()
        assert page.locator("#known-organizations option").get_attribute("value") == terminal_text(text)
        page.locator("#filter-q").fill(terminal_text(text))
        expect(page.locator("#count")).to_have_text("3 domains")
        assert elements(page) == {"script": 2, "img": 0, "b": 0, "iframe": 0}
        assert page.locator("#table tbody td").first.evaluate("e => e.textContent") == terminal_text(text)
        page.locator("#table tbody a").first.click()
        expect(page.locator("h1")).to_be_visible()
        assert elements(page) == {"script": 1, "img": 0, "b": 0, "iframe": 0}
        assert page.locator("h1").evaluate("e => e.textContent") == terminal_text(text)


def test_a_page_that_nobody_makes_anew_says_so(browser: Browser, example: Path) -> None:
    with watching(browser, f"{example.as_uri()}/") as watched:
        page = watched.go("index.html")
        expect(page.locator("#stale")).to_be_hidden()
        page.clock.set_fixed_time("2026-11-27T11:00:00Z")
        page.reload()
        expect(page.locator("#stale")).to_have_text(
            "This page was made 5 days ago, and what it shows may be long past."
        )


def test_its_picture_in_the_documentation_is_of_the_page_as_it_is(browser: Browser, example: Path) -> None:
    kept = REPOSITORY / "docs" / "images" / "page.png"
    with watching(browser, f"{example.as_uri()}/", color_scheme="light") as watched:
        taken = watched.go("index.html").screenshot()
    if os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1":
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(taken)
    # fonts differ between machines, and so do pixels: that it is there and what it costs is all that is compared
    assert kept.read_bytes()[:8] == taken[:8] == b"\x89PNG\r\n\x1a\n"
    assert kept.stat().st_size < 200_000
