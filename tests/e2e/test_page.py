"""The page in headless Chromium, from a folder and below a path of a web server: people find what they look for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from hostile import IN_DOCUMENTS
from playwright.sync_api import Browser, Page, expect, sync_playwright
from site_builders import fleet, hostile_seen

from reconciler.escape import terminal_text
from reconciler.site import build_site, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Dialog, Request

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PAGES = ("index.html", "organizations.html", "organizations/acme.html", "organizations/umbrella.html")
MADE = "2026-11-21T12:00:00+00:00"
LOOKS = ("2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of the system."""
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is not there: apt-get install chromium"
        if os.environ.get("RECONCILER_REQUIRE_SERVERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the repository's own manifests, after some recorded looks; made by the command itself."""
    folder = tmp_path_factory.mktemp("example")
    for name in ("manifests", "zones"):
        shutil.copytree(REPOSITORY / name, folder / name)
    shutil.copy(REPOSITORY / "reconciler.yaml", folder)
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder), "PYTHONPATH": str(REPOSITORY)}
    verbs = [(f"{day}T12:00:00+00:00", "drift", "--record") for day in LOOKS]
    for now, *verb in [*verbs, (MADE, "report", "--out", "site")]:
        command = [sys.executable, "-m", "reconciler", "--now", now, *verb]
        ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode in {0, 3}, ran.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 10,000 domains of 400 organizations."""
    folder = tmp_path_factory.mktemp("large") / "site"
    write_site(folder, build_site(fleet(10_000, 400), None))
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder below a path of a web server, as Pages have it; its address."""
    root = folder.parent
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{folder.name}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


@dataclass
class Watched:
    """A page, and everything that it must not do: requests elsewhere are refused and kept."""

    page: Page
    origin: str
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen."""
        self.page.on("console", lambda message: self.problems.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", self._requested)
        self.page.on("dialog", self._asked)
        self.page.on("popup", lambda _: self.problems.append("a window opened"))

    def _requested(self, request: Request) -> None:
        self.requests.append(request.url)
        if not request.url.startswith(self.origin):
            self.problems.append(f"request: {request.url}")

    def _asked(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def go(self, path: str) -> Page:
        """Open a file of the site."""
        self.page.goto(f"{self.origin}{path}")
        return self.page


@contextmanager
def watching(browser: Browser, origin: str, **options: object) -> Iterator[Watched]:
    """A fresh page with a clock that stands five minutes after the report; it did nothing wrong in the end."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.clock.set_fixed_time("2026-11-21T12:05:00Z")
        watched = Watched(page, origin)
        yield watched
        assert watched.problems == []
    finally:
        context.close()


@pytest.fixture(params=["file", "http"])
def origin(request: pytest.FixtureRequest, example: Path) -> Iterator[str]:
    """Where the example is: in a folder, or below a path of a web server."""
    if request.param == "file":
        yield f"{example.as_uri()}/"
        return
    with served(example) as address:
        yield address


def names(page: Page) -> list[str]:
    """The domains that the table shows."""
    return page.locator("#table tbody th a").all_inner_texts()


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


def tab_to(page: Page, selector: str, *, most: int = 60) -> None:
    """Press Tab until an element that the selector means has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} cannot be reached by {most} times Tab")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_violation(browser: Browser, example: Path, path: str, scheme: str) -> None:
    # axe-core reads the style sheet again, which a browser lets no script do in a folder
    with served(example) as address, watching(browser, address, color_scheme=scheme, bypass_csp=True) as watched:
        page = watched.go(path)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        assert len(results.response["passes"]) > 20


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


def elements(page: Page) -> dict[str, int]:
    """How many there are of the elements that hostile values would make."""
    found: dict[str, int] = page.evaluate(
        "Object.fromEntries(['script', 'img', 'b', 'iframe'].map(n => [n, document.querySelectorAll(n).length]))"
    )
    return found


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


def test_10000_domains_are_interactive_within_2_seconds(browser: Browser, large: Path) -> None:
    ready, filtered, sorted_ = measured(browser, large)
    if ready >= 2000 or filtered >= 100 or sorted_ >= 300:
        ready, filtered, sorted_ = measured(browser, large)  # others use this machine too
    assert ready < 2000
    assert filtered < 100
    assert sorted_ < 300
    assert (large / "index.html").stat().st_size < 2_000_000


def measured(browser: Browser, large: Path) -> tuple[float, float, float]:
    """Milliseconds from the navigation to a table that answers, and of a filter and a sort with their rows."""
    took = "(act) => { const t = performance.now(); act(); document.body.offsetHeight; return performance.now() - t }"
    typed = (
        "() => { const e = document.getElementById('filter-q'); e.value = '123'; e.dispatchEvent(new Event('input')) }"
    )
    with watching(browser, f"{large.as_uri()}/") as watched:
        page = watched.go("index.html")
        expect(page.locator("#count")).to_have_text("10000 domains")
        ready = float(page.locator("html").get_attribute("data-ready") or "inf")
        sorting = page.evaluate(f"({took})(() => document.querySelector('th[data-sort=domain] button').click())")
        assert names(page)[0] == "d00000.example"
        filtering = page.evaluate(f"({took})({typed})")
        expect(page.locator("#count")).to_have_text("20 of 10000 domains")
        return ready, float(filtering), float(sorting)


def test_a_large_table_is_turned_page_by_page(browser: Browser, large: Path) -> None:
    with watching(browser, f"{large.as_uri()}/") as watched:
        page = watched.go("index.html#sort=domain&order=ascending&page=99")
        assert names(page)[0] == "d09800.example"
        page.get_by_role("button", name="Next").click()
        expect(page.locator("#pager-place")).to_have_text("Page 100 of 100")
        expect(page.get_by_role("button", name="Next")).to_be_disabled()
        assert names(page)[-1] == "d09999.example"
        page.get_by_role("link", name="d09999.example").click()
        expect(page.locator("#d-d09999\\.example")).to_be_focused()


def test_in_print_the_table_is_whole_and_what_was_folded_is_open(browser: Browser, large: Path, example: Path) -> None:
    with watching(browser, f"{large.as_uri()}/") as watched:
        page = watched.go("index.html#q=d00")
        expect(page.locator("#table tbody tr")).to_have_count(100)
        page.emulate_media(media="print")
        expect(page.locator("#table tbody tr")).to_have_count(1000)
        expect(page.locator("#filter")).to_be_hidden()
        page.emulate_media(media="screen")
        expect(page.locator("#table tbody tr")).to_have_count(100)
    with watching(browser, f"{example.as_uri()}/") as watched:
        page = watched.go("organizations/wonka.html")
        expect(page.locator(".timeline ol")).to_be_hidden()
        page.emulate_media(media="print")
        expect(page.locator(".timeline ol")).to_be_visible()
        assert page.locator(".timeline ol").evaluate("e => e.checkVisibility({contentVisibilityAuto: true})")
        assert len(page.pdf()) > 10_000


def test_without_scripts_every_domain_can_be_found(browser: Browser, example: Path, large: Path) -> None:
    with watching(browser, f"{example.as_uri()}/", java_script_enabled=False) as watched:
        page = watched.go("index.html")
        assert len(names(page)) == 9
        expect(page.locator("#filter")).to_be_hidden()
        expect(page.get_by_text("All 9 domains, the worst first.")).to_be_visible()
        page.get_by_role("link", name="wonka.example").click()
        expect(page.locator("h1")).to_have_text("wonka")
    with watching(browser, f"{large.as_uri()}/", java_script_enabled=False) as watched:
        page = watched.go("index.html")
        expect(page.get_by_text("The worst 200 of 10000 domains.")).to_be_visible()
        page.get_by_role("link", name="The organizations' pages").click()
        page.get_by_role("link", name="org-0399").click()
        expect(page.locator("article")).to_have_count(25)


@pytest.mark.parametrize("path", PAGES)
def test_a_narrow_screen_shows_the_page_without_moving_sideways(browser: Browser, example: Path, path: str) -> None:
    with watching(browser, f"{example.as_uri()}/") as watched:
        watched.page.set_viewport_size({"width": 360, "height": 700})
        page = watched.go(path)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 360


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
