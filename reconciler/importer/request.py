"""Which domains to import: from the command line, from a list with one domain a line, or from CSV with a header.

The list may have comments (`#`) and blank lines. CSV (RFC 4180) has a column `domain` and may have one `organization`;
others are ignored. Commas, semicolons and tabs separate.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, ReconcilerError, error, sorted_diagnostics
from reconciler.escape import terminal_text
from reconciler.manifest.forms import IDENTIFIER_PATTERN
from reconciler.names import InvalidNameError, Name, canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_OCTETS = 16 * 1024 * 1024
_MAX_SHOWN = 60
_SEPARATORS = ",;\t"
_IDENTIFIER = re.compile(IDENTIFIER_PATTERN, re.ASCII)
_COMMENT = re.compile(r"(?:^|\s)#.*", re.DOTALL)


class ImportListError(ReconcilerError):
    """The list of domains cannot be used: every error in it at once."""


@dataclass(frozen=True, slots=True)
class Request:
    """One domain to import; `organization` is empty where none was named, `line` 0 for the command line."""

    domain: Name
    written: str
    organization: str
    line: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """A name and an organization as they were written, and where."""

    written: str
    organization: str
    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else "the command line"

    def error(self, code: str, summary: str, detail: str) -> Diagnostic:
        domain = "" if self.line else _shown(self.written)
        return error(code, summary, detail, file=self.file, line=self.line, domain=domain)


def parse_requests(domains: Iterable[str], listed: bytes | None, *, file: str, organization: str) -> list[Request]:
    """The requests, in the order given: the command line's first, then those of the file's octets, if there is one.

    `file` is the file's name in errors; `organization` is for domains that name none.

    Raises:
        ImportListError: every bad name, duplicate, bad organization and unreadable line, sorted.

    """
    entries = [_Entry(name, "", "", 0) for name in domains]
    found: list[Diagnostic] = []
    if listed is not None:
        text = _decoded(listed, file)
        entries += _csv_entries(text, file, found) if _has_header(text) else _list_entries(text, file)
    requests = _checked(entries, organization, found)
    if not found and not requests:
        detail = "Write one domain a line, or CSV with the header domain,organization."
        found.append(error("import-empty", "there is no domain in the list", detail, file=file))
    if found:
        raise ImportListError(sorted_diagnostics(found))
    return requests


def _decoded(octets: bytes, file: str) -> str:
    try:
        if len(octets) > MAX_OCTETS:
            raise ImportListError(
                [error("import-size", f"the file is longer than {MAX_OCTETS} octets", "Split it.", file=file)]
            )
        return octets.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as exc:
        line = octets.count(b"\n", 0, exc.start) + 1
        detail = "Save it in the encoding UTF-8."
        raise ImportListError(
            [error("import-encoding", "the file is not UTF-8", detail, file=file, line=line)]
        ) from exc


def _without_comment(line: str) -> str:
    return _COMMENT.sub("", line).strip()


def _header(text: str) -> str:
    return next((content for line in text.split("\n") if (content := _without_comment(line))), "")


def _has_header(text: str) -> bool:
    return "domain" in _fields(_header(text))


def _fields(header: str) -> list[str]:
    return [field.strip().strip('"').lower() for field in re.split(f"[{_SEPARATORS}]", header)]


def _list_entries(text: str, file: str) -> Iterator[_Entry]:
    for number, line in enumerate(text.split("\n"), 1):
        written = _without_comment(line)
        if written:
            yield _Entry(written, "", file, number)


def _csv_entries(text: str, file: str, found: list[Diagnostic]) -> Iterator[_Entry]:
    separator = next((s for s in _SEPARATORS if s in _header(text)), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    header: list[str] | None = None
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if header is None:
                header = [cell.lower() for cell in cells]
                near = [cell for cell in header if cell.startswith("org") and cell != "organization"]
                if near and "organization" not in header:
                    summary = f"the column {near[0]!r} is not read: the name is 'organization'"
                    detail = "Rename the column to organization."
                    found.append(error("import-column", summary, detail, file=file, line=reader.line_num))
                continue
            named = dict(zip(header, cells, strict=False))
            yield _Entry(named.get("domain", ""), named.get("organization", ""), file, reader.line_num)
    except csv.Error as exc:
        detail = "Close every quotation mark on its line, and double those inside a field."
        found.append(error("import-csv", f"this is no CSV: {exc}", detail, file=file, line=reader.line_num))


def _checked(entries: Sequence[_Entry], default: str, found: list[Diagnostic]) -> list[Request]:
    requests: list[Request] = []
    first_of: dict[Name, _Entry] = {}
    spellings: dict[str, tuple[str, _Entry]] = {}
    for entry in entries:
        organization = entry.organization or default
        found += _organization_errors(entry, organization, spellings)
        try:
            domain = _mail_domain(entry.written)
        except InvalidNameError as exc:
            detail = (
                "Write a domain as in acme.example, one a line; several columns need the header domain,organization."
            )
            found.append(entry.error("import-name", f"{_shown(entry.written)!r} is no domain: {exc}", detail))
            continue
        first = first_of.setdefault(domain, entry)
        if first is not entry:
            summary = f"{_shown(entry.written)!r} was named before, in {first.place}"
            found.append(entry.error("import-duplicate", summary, "Remove one of the two."))
        requests.append(Request(domain, entry.written.removesuffix("."), organization, entry.line))
    return requests


def _mail_domain(written: str) -> Name:
    domain = canonical_name(written)
    if domain.count(".") == 1:
        raise InvalidNameError("it has one label only")
    return domain


def _organization_errors(
    entry: _Entry, organization: str, spellings: dict[str, tuple[str, _Entry]]
) -> Iterator[Diagnostic]:
    if not organization:
        return
    if not _IDENTIFIER.fullmatch(organization):
        summary = f"{_shown(organization)!r} is not usable as an organization's name"
        detail = "Write 1 to 63 letters, digits, dots, hyphens or underscores, with a letter or digit at both ends."
        yield entry.error("import-organization", summary, detail)
        return
    spelling, first = spellings.setdefault(organization.casefold(), (organization, entry))
    if spelling != organization:
        summary = f"the organization {organization!r} is written {spelling!r} in {first.place}"
        yield entry.error("import-organization", summary, "Write its name alike everywhere.")


def _shown(text: str) -> str:
    safe = terminal_text(text)
    return safe if len(safe) <= _MAX_SHOWN else f"{safe[:_MAX_SHOWN]}..."
