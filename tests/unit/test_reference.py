"""The reference that is made from the code has all of it, and its tables are tables."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from documentation import DOCS, ROOT
from reference import PARTS, fill_in
from reference.codes import codes_in, collect_codes
from reference.command_line import command_parser, render_command_line, verbs_of
from reference.schemas import render_schema
from reference.table import table_of, text_of

from reconciler.catalog import load_catalog
from reconciler.gates import HAZARDS
from reconciler.schemas import SCHEMAS

if TYPE_CHECKING:
    from pathlib import Path

CATALOG_CODES = {advisory.code for advisory in load_catalog().advisories}


PAGES = [page for page in DOCS.rglob("*.md") if "<!-- made from the code: " in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_the_pages_in_the_repository_have_what_the_code_says(page: Path) -> None:
    """With RECONCILER_UPDATE_GOLDEN=1 they are written, and the run fails so that nobody forgets to read them."""
    text = page.read_text(encoding="utf-8")
    made = fill_in(text)
    if os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1":
        page.write_text(made, encoding="utf-8")
        pytest.fail("written; read it")
    assert text == made, "make it again: RECONCILER_UPDATE_GOLDEN=1 pytest tests/unit/test_reference.py"


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_its_place_and_is_well_formed(part: str) -> None:
    mark = f"<!-- made from the code: {part} -->\n"
    assert sum(page.read_text(encoding="utf-8").count(mark) for page in PAGES) == 1
    filled = PARTS[part]()
    assert filled
    assert "made from the code" not in filled
    for line in filled.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
    tables = re.findall(r"(?:^\|.*\n?)+", filled, re.MULTILINE)
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


def test_every_verb_and_option_of_the_parser_is_in_the_reference() -> None:
    made = render_command_line()
    for name, (verb, _) in verbs_of(command_parser()).items():
        assert f"## {name}\n" in made
        for option in re.findall(r"--[a-z][a-z-]+", verb.format_help()):
            assert option == "--help" or f"{option}" in made, f"{name} {option}"


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_key_of_a_schema_is_in_the_reference(kind: str) -> None:
    made = render_schema(kind)
    schema = SCHEMAS[kind]()
    for definition in (schema, *schema["$defs"].values()):
        for key in definition.get("properties", {}):
            assert f"| `{key}` |" in made


def test_a_key_has_its_type_bounds_and_default() -> None:
    made = render_schema("settings")
    assert "| `attempts` | integer; at least 1; at most 10 | `3` |" in made
    assert "| `dns` | [dns](#settings-dns) |" in made
    made = render_schema("manifest")
    assert '| `intent` | `allow`, `restrict` | `"allow"` |' in made
    assert "| `escalation_contacts` | list of: text; at least 1 of them | required |" in made


def _seen_in_tests() -> set[str]:
    """Every code that a test or an example shows somebody to be told."""
    files: list[Path] = [p for p in (ROOT / "tests").rglob("*") if p.suffix in {".py", ".txt", ".md"} and p.is_file()]
    shown = re.compile(r"\b(?:error|warning|advisory)\[([a-z][a-z0-9-]+)\]")
    return {code for file in files for code in shown.findall(file.read_text(encoding="utf-8", errors="ignore"))}


def test_every_code_that_a_test_has_seen_is_collected() -> None:
    known = {code.code for code in collect_codes()} | {hazard.id for hazard in HAZARDS} | CATALOG_CODES
    # made of a word of the command line; and a test's own word
    missing = _seen_in_tests() - known - {"no-such-domain", "no-such-organization", "code"}
    assert missing == set()
    assert "no-such-…" in known


def test_every_code_is_as_bad_as_something() -> None:
    assert {code.code for code in collect_codes() if not code.severity} <= {"undeclared"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('error("a-code", "what is wrong", "what to do")', {("a-code", "error", "what is wrong")}),
        ('def f(x):\n summary = f"{x} is wrong"\n error("a-code", summary, "")', {("a-code", "error", "… is wrong")}),
        ('Diagnostic(Severity.WARNING, "a-code", "hm", "")', {("a-code", "warning", "hm")}),
        ('WORD = "a-code"\ndef f():\n error(WORD, "hm", "")', {("a-code", "error", "hm")}),
        (
            'def f(x):\n if x:\n  code = "a"\n else:\n  code = "b"\n error(code, "hm", "")',
            {("a", "error", "hm"), ("b", "error", "hm")},
        ),
        (
            'def f():\n code = "a"\n error(code, "x", "")\n code = "b"\n error(code, "y", "")',
            {("a", "error", "x"), ("b", "error", "y")},
        ),
        ('def f() -> Iterator[_Problem]:\n yield "a-code", "hm", "", ()', {("a-code", "error", "hm")}),
        ('def f() -> tuple[str, str]:\n return "a-code", "hm"', set()),
        ('reader.report("alias", f"`*{x}` is an alias", "", place)', {("yaml-alias", "error", "`*…` is an alias")}),
        ('GateResult("limit", Verdict.HOLD, "as many as may", "")', {("limit", "holds", "as many as may")}),
        ('GateResult(self.id, Verdict.HOLD, "as many as may", "")', set()),
        ('error("a-code", "one" if x else "two", "")', {("a-code", "error", "one"), ("a-code", "error", "two")}),
    ],
)
def test_codes_are_collected_where_diagnostics_are_made(source: str, found: set[tuple[str, str, str]]) -> None:
    assert {(code.code, code.severity, code.summary) for code in codes_in(source)} == found


def test_whatever_holds_a_step_beside_its_gates_is_on_the_page_on_gates() -> None:
    page = (DOCS / "reference" / "gates.md").read_text(encoding="utf-8")
    holding = {code.code for code in collect_codes() if code.severity == "holds"}
    assert {code for code in holding if f"| `{code}` |" not in page} == set()


def test_words_of_messages_are_no_markup() -> None:
    assert text_of("`a|b` _x_ <y> *z* | [w]") == "`a\\|b` \\_x\\_ &lt;y&gt; \\*z\\* \\| \\[w\\]"
    assert table_of(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
