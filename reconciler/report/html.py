"""A plan as one self-contained HTML page: no script, no request to anywhere, readable in light, dark and print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import sorted_diagnostics
from reconciler.plan import Stage
from reconciler.report.alike import told
from reconciler.report.folded import listed, unlisted_text
from reconciler.report.text import STAGE_MEANINGS, by_organization
from reconciler.templating import Templates

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.document import PlanDocument


def render_html(document: PlanDocument, user_templates: Path | None) -> str:
    """The page, from `report/plan.html.j2`; `user_templates` is the user's own folder of templates, if any."""
    shown = listed(document)
    organizations = [
        {"name": name, "services": services, "domains": domains} for name, services, domains in by_organization(shown)
    ]
    in_sync = sum(d.stage is Stage.PROTECTED for d in document.domains)
    counts = document.summary.model_dump(exclude={"done"})
    return Templates(user_templates).render(
        "report/plan.html.j2",
        {
            "plan": document,
            "counts": [*counts.items(), ("domains", len(document.domains)), ("in sync", in_sync)],
            "organizations": organizations,
            "unlisted": unlisted_text(document, shown),
            "diagnostics": sorted_diagnostics(document.diagnostics_as_data()),
            "told": told(document.diagnostics_as_data()),
            "meanings": {stage.value: meaning for stage, meaning in STAGE_MEANINGS.items()},
        },
    )
