"""What every page that we show on GitHub has: what it is for, where the rest is, and how long names are shortened."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from reconciler.escape import markdown_code, xml_text
from reconciler.github.parts import pack
from reconciler.report.terminal import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.github.parts import Fold, LeftOut

_LONGEST_NAME = 253  # of a domain name, in presentation form without the last dot (RFC 1035 section 2.3.4)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is shown: `run_url` is the run that made it, `repository_url` the repository."""

    repository_url: str
    run_url: str

    @property
    def artifact(self) -> str:
        """Where the whole document is, as a link."""
        return f"[the run's artifacts]({self.run_url}#artifacts)"

    def source(self, file: str, line: int, commit: str | None) -> str:
        """A line of a file at a commit, as a link; as text where it has no page."""
        told = markdown_code(f"{file}:{line}")
        inside = not file.startswith("/") and ".." not in file.split("/")
        if commit is None or not _COMMIT.fullmatch(commit) or not inside:
            return told
        path = quote(file.removeprefix("./"), errors="replace")
        return f"[{told}]({self.repository_url}/blob/{commit}/{path}#L{line})"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the head and the tail are Markdown, the folds what lies between."""

    head: str
    folds: Sequence[Fold]
    tail: str
    noun: str = "domain"

    def parts(self, place: Place, *, limit: int, most: int) -> list[str]:
        """The page as at most `most` texts of at most `limit` octets, and where the rest is."""

        def note(left: LeftOut) -> str:
            told = f"{counted(left.blocks, self.noun)} of {counted(left.folds, 'group')}"
            return f"> **{told} left out here**: GitHub takes no more. The whole document is in {place.artifact}.\n\n"

        return pack(self.head, self.folds, self.tail, limit=limit, most=most, note=note)


def short(text: str) -> str:
    """A name of at most the length of a domain name."""
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"


def bold_name(text: str) -> str:
    """A name in the line of a fold, which is HTML: in a code element GitHub makes no mentions and no references."""
    return f"<b><code>{xml_text(short(text))}</code></b>"


def listed(names: Iterable[str], most: int = 10) -> str:
    """Names as code, at most so many, and how many more there are."""
    given = [*names]
    more = f" and {len(given) - most} more" if len(given) > most else ""
    return f"{', '.join(markdown_code(short(n)) for n in given[:most])}{more}"
