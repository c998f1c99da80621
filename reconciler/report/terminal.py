"""What every text for a terminal has: colours, counts, diagnostics. A verb needs these where it needs no report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.escape import terminal_text
from reconciler.report.alike import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.errors import Diagnostic

_SEVERITY_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.ADVISORY: "cyan"}
_SGR = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36"}


class Style:
    """Colours, or none."""

    def __init__(self, *, color: bool) -> None:
        """With `color` False every text comes back as it is."""
        self._color = color

    def __call__(self, text: str, name: str) -> str:
        """The text in a style of the table above."""
        return f"\x1b[{_SGR[name]}m{text}\x1b[0m" if self._color else text


def counted(number: int, noun: str) -> str:
    """As in `1 domain` and `2,000 domains`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def render_diagnostics(diagnostics: Iterable[Diagnostic], *, color: bool) -> Iterator[str]:
    """Every diagnostic, errors first, each with its place and what to do; advisories that are alike as one."""
    style = Style(color=color)
    for entry in told(diagnostics):
        d = entry.diagnostic
        place = f"{terminal_text(d.place)}: " if d.place else ""
        severity = style(f"{d.severity.value}[{d.code}]", _SEVERITY_STYLE[d.severity])
        yield f"{place}{severity}: {terminal_text(d.summary)}"
        yield from (f"    {terminal_text(line)}" for line in d.detail.splitlines())
        if entry.also:
            yield f"    {style(terminal_text(entry.also), 'dim')}"
