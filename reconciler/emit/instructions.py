"""Instruction sheets as files: for whoever runs a domain's DNS, and for whoever works in the vendor's console.

    <out>/<organization>/<domain>.md, .html     one mail domain (`domain_sheet`)
    <out>/<organization>/console.md, .html      one organization (`console_sheet`)

Everything is rendered and every path is checked before the first file is written; each file is replaced whole, and only
when its content changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import EmitError, error
from reconciler.files import contained_path, safe_file_name, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from reconciler.emit.console_sheet import ConsoleSheet
    from reconciler.emit.domain_sheet import DomainSheet
    from reconciler.templating import Templates

FORMATS = ("md", "html")
_CONSOLE_NAME = "console"


@dataclass(frozen=True, slots=True)
class InstructionsReport:
    """The files of the sheets: those that were written, and those that were as they should be; each sorted."""

    written: tuple[Path, ...]
    unchanged: tuple[Path, ...]


def emit_instructions(
    domain_sheets: Iterable[DomainSheet], console_sheets: Iterable[ConsoleSheet], *, out: Path, templates: Templates
) -> InstructionsReport:
    """Write the sheets below a folder, which is made when it is not there.

    Raises:
        EmitError: a template cannot be used, a path leads out of the folder, or two sheets would be one file; nothing
            was written.
        OSError: a file cannot be written; those before it are whole.

    """
    if out.exists() and not out.is_dir():
        raise EmitError([error("emit-folder", f"{out} is no folder", "Name a folder with --out.", file=str(out))])
    texts: dict[Path, str] = {}
    names: dict[str, Path] = {}
    for path, text in _rendered(domain_sheets, console_sheets, out, templates):
        first = names.setdefault(str(path).casefold(), path)
        if path in texts or first != path:
            detail = "Rename one of the organizations, so that they differ in more than upper and lower case."
            raise EmitError([error("emit-collision", f"two sheets would be {path}", detail, file=str(path))])
        texts[path] = text
    changed = {path: text for path, text in texts.items() if not _is_there(path, text)}
    for path, text in sorted(changed.items()):
        write_atomically(path, text.encode())
    return InstructionsReport(tuple(sorted(changed)), tuple(sorted(texts.keys() - changed.keys())))


def domain_sheet_path(out: Path, organization: str, domain: str, *, extension: str = "md") -> Path:
    """Where the sheet of a mail domain (A-labels, without the last dot) is.

    Raises:
        EmitError: a symlink leads out of the folder.

    """
    return _checked_path(out, organization, domain, extension)


def _rendered(
    domain_sheets: Iterable[DomainSheet], console_sheets: Iterable[ConsoleSheet], out: Path, templates: Templates
) -> Iterator[tuple[Path, str]]:
    for sheet in domain_sheets:
        for extension in FORMATS:
            path = domain_sheet_path(out, sheet.organization, sheet.domain, extension=extension)
            yield path, templates.render(f"instructions/domain.{extension}.j2", {"sheet": sheet})
    for console in console_sheets:
        for extension in FORMATS:
            path = _checked_path(out, console.organization, _CONSOLE_NAME, extension)
            yield path, templates.render(f"instructions/console.{extension}.j2", {"sheet": console})


def _checked_path(out: Path, organization: str, name: str, extension: str) -> Path:
    try:
        return contained_path(out, safe_file_name(organization), f"{safe_file_name(name)}.{extension}")
    except ValueError as exc:
        detail = "Remove the symlink, or name another folder with --out. Nothing was written."
        raise EmitError([error("emit-outside", str(exc), detail, file=str(out))]) from exc


def _is_there(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()
