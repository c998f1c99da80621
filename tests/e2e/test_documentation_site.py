"""The documentation's site: it builds without a warning, has every page, and asks no other host for anything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from documentation import DOCS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

# what a browser fetches by itself; a link is followed by a person
FETCHED = {"script", "img", "link", "iframe", "source", "video", "audio", "object", "embed", "form", "use", "image"}
# a link that says where the page itself is, or a page beside it: nothing is fetched for it
SAID = {"canonical", "next", "prev"}


class Addresses(HTMLParser):
    """Whatever the page makes a browser fetch."""

    def __init__(self) -> None:
        """Nothing is found yet."""
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the addresses of what is fetched."""
        given = dict(attrs)
        if tag in FETCHED and given.get("rel") not in SAID:
            names = ("src", "href", "srcset", "data", "action", "poster", "xlink:href")
            self.found += [value for name in names if (value := given.get(name))]
        self.found += re.findall(r"url\(([^)]*)\)", given.get("style") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it; a link or an anchor that leads nowhere fails the build."""
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


def test_every_page_is_there_and_can_be_found(site: Path) -> None:
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    built = {
        f"{page.removesuffix('README.md')}index.html" if page.endswith("README.md") else f"{page[:-3]}.html"
        for page in pages
    }
    assert {page for page in built if not (site / page).exists()} == set()
    entries = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    assert built <= {entry["location"].partition("#")[0] or "index.html" for entry in entries} | {"index.html"}


def test_what_is_made_from_the_code_is_in_it(site: Path) -> None:
    assert "--detailed-exitcode" in (site / "reference" / "command-line.html").read_text(encoding="utf-8")
    assert "waiver-expired" in (site / "reference" / "codes.html").read_text(encoding="utf-8")
    assert "13. The journal" in (site / "adr" / "index.html").read_text(encoding="utf-8")


def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        addresses = Addresses()
        addresses.feed(text)
        outside = [a for a in addresses.found if re.match(r"\s*(?:[a-z]+:)?//|\s*https?:", a)]
        assert outside == [], page
        # the theme would fetch a renderer for these
        assert 'class="mermaid"' not in text, page
    for sheet in site.rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//[^)]*", sheet.read_text(encoding="utf-8")) == [], (
            sheet
        )


def test_light_and_dark_and_search_are_there(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    assert 'data-md-color-scheme="slate"' in page
    assert "(prefers-color-scheme: dark)" in page
    assert 'data-md-component="search"' in page
