"""What the documentation's build does beside MkDocs: folders in `nav`, and links that lead out of it.

A link that leads out of `docs/` leads somewhere in a checkout and nowhere on the site: there its words stay alone.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#:\s]+)(?:#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Write out the folders of `nav`."""
    config.nav = _expanded(config.nav or [], Path(config.docs_dir))
    return config


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:  # noqa: ANN401 - MkDocs gives what it likes
    """Unlink what is not part of the site."""
    folder = posixpath.dirname(page.file.src_uri)

    def unlinked(link: re.Match[str]) -> str:
        return link[1] if posixpath.normpath(posixpath.join(folder, link[2])).startswith("../") else link[0]

    return _LINK.sub(unlinked, markdown)


def _expanded(nav: list[Any], docs: Path) -> list[Any]:
    """A `nav` whose entries that name a folder, as `how-to/`, are its pages that are not named beside it."""
    named = set(_pages(nav))
    return [entry for part in nav for entry in _expanded_entry(part, docs, named)]


def _expanded_entry(part: Any, docs: Path, named: set[str]) -> Iterator[Any]:  # noqa: ANN401 - text or mapping
    if isinstance(part, dict):
        yield {
            title: [e for inner in below for e in _expanded_entry(inner, docs, named)]
            if isinstance(below, list)
            else below
            for title, below in part.items()
        }
    elif part.endswith("/"):
        yield from sorted({path.relative_to(docs).as_posix() for path in (docs / part).glob("*.md")} - named)
    else:
        yield part


def _pages(nav: list[Any]) -> Iterator[str]:
    for part in nav:
        if isinstance(part, dict):
            for below in part.values():
                yield from _pages(below) if isinstance(below, list) else [below]
        else:
            yield part
