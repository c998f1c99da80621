"""The files of the page: what the world says stays text in each, and the same look gives the same octets."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hostile import IN_DOCUMENTS, Page, assert_no_controls
from site_builders import fleet, hostile_seen, seen

from reconciler.errors import EmitError
from reconciler.escape import terminal_text
from reconciler.site import build_site
from reconciler.site.standing import page_name

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.site import Seen

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
REFERENCE = re.compile(
    r"(?:\.\./)?(?:index\.html(?:#domains)?|organizations\.html|domains\.csv|site\.css|site\.js|icon\.svg)"
    r"|(?:organizations/)?[A-Za-z0-9._~-]+\.html(?:#d-[A-Za-z0-9._-]+)?|#(?:main|d-[A-Za-z0-9._-]+)"
)
HANDLERS = re.compile(r"on[a-z]+|style|srcset|srcdoc|action|formaction|ping|target")


def built(given: Seen) -> dict[str, str]:
    return {name: build().decode() for name, build in build_site(given, None).items()}


@cache
def plain() -> dict[str, str]:
    return built(hostile_seen("plain"))


def shape(text: str) -> tuple[list[str], list[str]]:
    """The elements and the names of the attributes, but for code, which a text may set off by its backticks."""
    page = Page(text)
    return [tag for tag in page.tags if tag != "code"], [name for name, _ in page.attributes]


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_nothing_of_the_world_is_markup_in_any_file(text: str) -> None:
    for (name, content), (_, expected) in zip(built(hostile_seen(text)).items(), plain().items(), strict=True):
        assert REFERENCE.fullmatch(name), name
        assert_no_controls(content.replace("\r\n", "\n"))
        if not name.endswith(".html"):
            continue
        assert shape(content) == shape(expected)
        page = Page(content)
        assert page.comments == []
        assert [n for n, _ in page.attributes if HANDLERS.fullmatch(n)] == []
        assert [v for n, v in page.attributes if n in {"href", "src"} and not REFERENCE.fullmatch(v or "")] == []
        assert page.attributes.count(("content", POLICY)) == 1
        assert terminal_text(text) in page.text
        if name == "index.html":
            assert_data_are_inert(content, text)


def assert_data_are_inert(content: str, text: str) -> None:
    """The script's data are JSON that nothing in them ends, and a path in them is a file's name."""
    raw = content.split('<script type="application/json" id="data">')[1].split("</script>", maxsplit=1)[0]
    assert not set("<>&\u2028\u2029") & set(raw)
    data = json.loads(raw)
    assert data["organizations"] == [terminal_text(text)]
    assert {row[0] for row in data["rows"]} == {terminal_text(text)}
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]+\.html", page) for page in data["pages"])


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_no_cell_of_the_spreadsheet_is_a_formula(text: str) -> None:
    for hostile in (text, f"={text}", f"@SUM({text})"):
        rows = list(
            csv.reader(io.StringIO(build_site(hostile_seen(hostile), None)["domains.csv"]().decode(), newline=""))
        )
        assert {len(row) for row in rows} == {10}
        assert [c for row in rows for c in row if c[:1] and c[0] in "=+-@"] == []


def test_the_same_look_gives_the_same_octets() -> None:
    assert built(fleet(30, 4)) == built(fleet(30, 4))


def test_every_link_leads_to_a_file_and_a_place_in_it() -> None:
    files = built(fleet(450, 2))
    ids = {name: {v for n, v in Page(text).attributes if n == "id"} for name, text in files.items()}
    assert {"organizations/org-0000.html", "organizations/org-0000~2.html"} <= set(files)
    for name, text in files.items():
        folder = "organizations/" if name.startswith("organizations/") else ""
        for attribute, value in Page(text).attributes:
            if attribute == "href" and value is not None:
                path, _, place = value.partition("#")
                target = path.removeprefix("../") if path.startswith("../") else f"{folder}{path}" if path else name
                assert target in files, (name, value)
                assert not place or place in ids[target], (name, value)


def test_ids_are_told_once() -> None:
    for name, text in built(fleet(30, 2)).items():
        ids = [v for n, v in Page(text).attributes if n == "id"]
        assert len(ids) == len(set(ids)), name


def test_every_domain_stands_on_a_page_and_in_the_data_and_in_the_table() -> None:
    files = built(fleet(450, 2))
    text = "".join(files[n] for n in files if n.startswith("organizations/"))
    assert text.count('<article class="domain"') == 450
    assert len(json.loads(files["index.html"].split('id="data">')[1].split("</script>")[0])["rows"]) == 450
    assert files["domains.csv"].count("\r\n") == 451
    assert files["index.html"].count("organizations/org-") == 200 + 10 + 1  # rows, findings, the oldest


def test_what_a_look_found_is_told_on_its_pages() -> None:
    files = built(seen())
    page = " ".join(Page(files["organizations/acme.html"]).text.split())
    assert "acme.example critical" in page
    assert "Expected" in page
    assert '"primary-token"' in page
    assert "token-removed" in page
    assert "The journal has nothing of this domain" in page
    index = " ".join(Page(files["index.html"]).text.split())
    assert "Mail is lost, or will be 1 critical finding, of acme.example, since 2026-11-21 12:00" in index
    assert "No history yet." in index


def test_a_part_of_the_fleet_says_so_and_shows_no_history_of_all() -> None:
    text = Page(built(seen(is_whole=False))["index.html"]).text
    assert "A part of the fleet" in text
    assert "this is a part of it" in text
    assert "A part of the fleet" not in Page(built(seen())["index.html"]).text


def test_the_users_templates_and_assets_are_taken_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "site.css").write_text("body { margin: 0 }")
    (tmp_path / "site" / "organizations.html.j2").write_text("{{ organizations[0].name }} <")
    files = build_site(seen(), tmp_path)
    assert files["site.css"]() == b"body { margin: 0 }"
    assert files["organizations.html"]() == b"acme <"
    assert b"startTable" in files["site.js"]()


def test_a_template_that_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html.j2").write_text("{{ nothing.here }}")
    with pytest.raises(EmitError) as caught:
        build_site(seen(), tmp_path)["index.html"]()
    assert caught.value.diagnostics[0].file.endswith("index.html.j2")


@pytest.mark.parametrize(
    "others", [("acme", "Acme", "ACME"), ("_Acme-00000000", "Acme"), ("con", "nul", "a b", "a-b"), ("x", "x~2")]
)
def test_organizations_never_share_a_file_whatever_the_file_system(others: tuple[str, ...]) -> None:
    names = [page_name(o, n) for o in others for n in (1, 2)]
    assert len({n.lower() for n in names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]+\.html", n) for n in names)
    assert not {n.split(".")[0].lower() for n in names} & {"con", "nul"}
