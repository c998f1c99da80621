"""From one look at the fleet to the files of the page: the same look and templates give the same octets."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import TYPE_CHECKING

from markupsafe import Markup

from reconciler.errors import EmitError, error
from reconciler.escape import csv_cell, html_data
from reconciler.plan import Stage
from reconciler.report.text import STAGE_MEANINGS
from reconciler.site.cards import moment
from reconciler.site.organizations import Organizations
from reconciler.site.overview import age_text, build_overview
from reconciler.site.standing import NOT_BY_MX, SEVERITIES, build_standings, worst_first
from reconciler.templating import Templates, shipped_templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from reconciler.site.seen import Seen
    from reconciler.site.standing import Standing

_PLAIN_ROWS = 200
"""Rows that a reader without scripts has on the first page; the organizations' pages have every domain."""
_ASSETS = ("site.css", "site.js", "icon.svg")
_STAGES = (*(s.value for s in Stage), NOT_BY_MX)
_RANKS = (*(s.value for s in SEVERITIES), "none")


def build_site(seen: Seen, user_templates: Path | None) -> Mapping[str, Callable[[], bytes]]:
    """Every file's path below the folder, and what makes its octets; `index.html` comes last.

    Raises:
        EmitError: by what is called: a template cannot be used.

    """
    templates = Templates(user_templates)
    standings = build_standings(seen)
    organizations = Organizations(seen, standings)
    common = _common(seen)

    def rendered(template: str, context: Mapping[str, object]) -> bytes:
        return templates.render(template, {**common, **context}).encode()

    def organization(name: str, number: int) -> bytes:
        context = {"page": organizations.page(name, number), "root": "../"}
        return rendered("site/organization.html.j2", context)

    def index() -> bytes:
        ordered = worst_first(standings)
        context = {
            "overview": build_overview(seen, standings),
            "rows": ordered[:_PLAIN_ROWS],
            "data": Markup(html_data(_table_data(ordered))),  # noqa: S704 - escaped for a script element by html_data
        }
        return rendered("site/index.html.j2", context)

    return {
        **{name: partial(_asset, name, user_templates) for name in _ASSETS},
        **{f"organizations/{file}": partial(organization, name, n) for file, name, n in organizations.files()},
        "organizations.html": lambda: rendered("site/organizations.html.j2", {"organizations": organizations.lines()}),
        "domains.csv": lambda: _csv(standings),
        "index.html": index,
    }


def _common(seen: Seen) -> dict[str, object]:
    return {
        "gateway": seen.gateway,
        "plan": seen.plan,
        "drift": seen.drift,
        "is_whole": seen.is_whole,
        "root": "",
        "moment": moment,
        "age": age_text,
        "stages": [(stage.value, meaning) for stage, meaning in STAGE_MEANINGS.items()],
        "not_by_mx": NOT_BY_MX,
        "ranks": _RANKS,
    }


def _asset(name: str, user_templates: Path | None) -> bytes:
    folders = [f for f in (user_templates, shipped_templates()) if f is not None]
    path = next((f / "site" / name for f in folders if (f / "site" / name).is_file()), None)
    if path is None:
        detail = "Reinstall the program, or put the file into the folder that `templates:` in the settings names."
        raise EmitError([error("template", f"the file site/{name} of the templates is not there", detail)])
    return path.read_bytes()


def _table_data(ordered: Sequence[Standing]) -> dict[str, object]:
    """What the script needs of every domain; names that many share are told once, and rows are lists, to be short."""
    organizations = list(dict.fromkeys(s.organization for s in ordered))
    pages = list(dict.fromkeys(s.page for s in ordered))
    names, files = ({v: i for i, v in enumerate(values)} for values in (organizations, pages))
    return {
        "organizations": organizations,
        "pages": pages,
        "stages": _STAGES,
        "severities": _RANKS,
        "rows": [
            [
                s.written,
                s.alabel,
                names[s.organization],
                _STAGES.index(s.stage_text),
                s.trouble.rank,
                s.trouble.findings,
                moment(s.trouble.since) if s.trouble.since is not None else "",
                s.region,
                files[s.page],
                "" if s.anchor == f"d-{s.domain}" else s.anchor,
            ]
            for s in ordered
        ],
    }


_COLUMNS = (
    "organization", "domain", "written", "service", "region", "multi_region", "stage",
    "open_findings", "severity", "since",
)  # fmt: skip


def _csv(standings: Iterable[Standing]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # with the line ends of RFC 4180
    writer.writerow(_COLUMNS)
    for s in standings:
        since = s.trouble.since.isoformat(timespec="minutes") if s.trouble.since is not None else ""
        cells = (
            s.organization, s.domain, s.written, s.service, s.region, "yes" if s.is_multi_region else "no",
            s.stage_text, str(s.trouble.findings), _RANKS[s.trouble.rank], since,
        )  # fmt: skip
        writer.writerow([csv_cell(cell) for cell in cells])
    return text.getvalue().encode()
