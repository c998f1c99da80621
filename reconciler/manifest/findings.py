"""Where the rules put what they find in one manifest, and what they know beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, Severity

if TYPE_CHECKING:
    from datetime import date

    from reconciler.catalog import Catalog
    from reconciler.manifest.fleet import Source
    from reconciler.names import Name
    from reconciler.strict_yaml import Document, Loc


@dataclass(slots=True)
class Context:
    """What holds for all manifests of one run.

    `providers` are those that can be named, None where nobody knows them. `domains`, `organizations` and `tokens` are
    where each was declared first; a token's domain stands beside it.
    """

    catalog: Catalog
    today: date
    known_gates: frozenset[str]
    providers: frozenset[str] | None = None
    domains: dict[Name, Source] = field(default_factory=dict)
    organizations: dict[str, Source] = field(default_factory=dict)
    tokens: dict[str, tuple[str, str, int]] = field(default_factory=dict)  # domain, file and line


@dataclass(slots=True)
class Findings:
    """The diagnostics of one manifest.

    `refused` are the places that the models refused already: what a rule finds there only follows from that, and is
    not said.
    """

    document: Document
    refused: frozenset[Loc] = frozenset()
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def error(self, code: str, summary: str, detail: str, loc: Loc) -> None:
        """An error at the value of `loc`, or at the nearest thing around it."""
        self._add(Severity.ERROR, code, summary, detail, loc)

    def warning(self, code: str, summary: str, detail: str, loc: Loc) -> None:
        """A warning, as `error`."""
        self._add(Severity.WARNING, code, summary, detail, loc)

    def is_refused(self, loc: Loc) -> bool:
        """Whether the models refused what is at `loc` or around it."""
        return bool(self.refused) and any(loc[:end] in self.refused for end in range(1, len(loc) + 1))

    def _add(self, severity: Severity, code: str, summary: str, detail: str, loc: Loc) -> None:
        if not self.is_refused(loc):
            line, column = self.document.position(loc)
            self.diagnostics.append(Diagnostic(severity, code, summary, detail, self.document.file, line, column))
