"""The next hops changed in the manifest: the vendor's console decides where mail goes, and only a person sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.gates.base import Facts, Verdict, build_diagnostic
from reconciler.gates.console import ConsoleEntry
from reconciler.gates.observed import is_through_gateway
from reconciler.names import display_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.errors import Diagnostic


@dataclass(frozen=True, slots=True)
class NextHopsChanged:
    """Clean mail goes to the old next hops until the console has the new ones."""

    id: str = "next-hops-changed"
    severity: Severity = Severity.WARNING

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Tell it from when the journal saw the change until the console is attested to show the new ones."""
        old, new = facts.history.next_hops, facts.domain.next_hops
        if not old or set(old) == set(new) or facts.domain.is_leaving or not is_through_gateway(facts):
            return
        if ConsoleEntry().judge(facts).verdict is Verdict.PASS:
            return
        before, after = (", ".join(map(display_name, hosts)) for hosts in (old, new))
        summary = f"clean mail still goes to {before}: nobody attested that the console has {after}"
        detail = (
            f"Let {after} take mail from the gateway first, as its allowlists say, then enter it in the vendor's "
            "console and attest it: {what: console, by: ..., on: ..., next_hops: [...]}. Keep the old ones running for "
            "as long as the gateway may still have mail for them."
        )
        yield build_diagnostic(self, facts, summary, detail)
