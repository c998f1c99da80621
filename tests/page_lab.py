"""A browser that looks at the page, from a folder or below a path of a web server, and is watched while it does."""

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
from playwright.sync_api import Browser, Page, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Dialog, Request

REPOSITORY = Path(__file__).resolve().parent.parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
MADE = "2026-11-21T12:00:00+00:00"
LOOKS = ("2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium of the system, headless and without anything of its own to ask of a network."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        reason = f"none of {', '.join(CHROMIUM)} is on the PATH: apt-get install chromium"
        if os.environ.get("RECONCILER_REQUIRE_SERVERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield launched
        launched.close()


def report_of_examples(folder: Path) -> Path:
    """The page of the repository's own manifests, after some recorded looks; made by the command itself."""
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


def names(page: Page) -> list[str]:
    """The domains that the table shows."""
    return page.locator("#table tbody th a").all_inner_texts()


def tab_to(page: Page, selector: str, *, most: int = 60) -> None:
    """Press Tab until an element that the selector means has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} cannot be reached by {most} times Tab")


def elements(page: Page) -> dict[str, int]:
    """How many there are of the elements that hostile values would make."""
    found: dict[str, int] = page.evaluate(
        "Object.fromEntries(['script', 'img', 'b', 'iframe'].map(n => [n, document.querySelectorAll(n).length]))"
    )
    return found
