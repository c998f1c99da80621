"""What to tell about one mail domain beside its steps: errors that stop it, and hazards that were seen. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.gates import find_hazards

if TYPE_CHECKING:
    from reconciler.errors import Diagnostic
    from reconciler.gates import Facts


def build_findings(facts: Facts) -> tuple[Diagnostic, ...]:
    """Every finding of the domain, errors first."""
    return find_hazards(facts)
