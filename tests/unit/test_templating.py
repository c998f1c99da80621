"""Templates: every value is escaped for its kind, nothing but what is given can be reached, errors have a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.errors import EmitError
from reconciler.templating import Templates, shipped_templates

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.errors import Diagnostic


def _rendered(folder: Path, name: str, text: str, **context: object) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return Templates(folder).render(name, context)


def _refused(folder: Path, name: str, text: str, **context: object) -> Diagnostic:
    with pytest.raises(EmitError) as caught:
        _rendered(folder, name, text, **context)
    (problem,) = caught.value.diagnostics
    return problem


def test_html_is_escaped_everywhere(tmp_path: Path) -> None:
    text = '<a title="{{ value }}">{{ value }}</a>'
    expected = "&lt;b&gt;&#34;&#39;&amp;"
    assert _rendered(tmp_path, "x.html.j2", text, value="<b>\"'&") == f'<a title="{expected}">{expected}</a>'


@pytest.mark.parametrize("name", ["x.html.j2", "x.md.j2"])
@pytest.mark.parametrize("character", ["\x1b", "\n", "\x85", "\u2028", "\u202e", "\ufeff"])
def test_what_a_reader_cannot_see_is_shown_as_a_code_point(tmp_path: Path, name: str, character: str) -> None:
    assert character not in _rendered(tmp_path, name, "a{{ value }}b", value=character)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{{ value }}", "\\*a\\* &lt;b&gt; \\[x\\]\\(y\\)"),
        ("{{ value|code }}", "`*a* <b> [x](y)`"),
        ("{{ value|fenced }}", "```text\n*a* <b> [x](y)\n```"),
        ("{{ [value, '````']|fenced }}", "`````text\n*a* <b> [x](y)\n````\n`````"),
        ("{{ value|safe }}", "\\*a\\* &lt;b&gt; \\[x\\]\\(y\\)"),
        ("{{ (value|code)|upper }}", "\\`\\*A\\* &lt;B&gt; \\[X\\]\\(Y\\)\\`"),
        ("{{ 7 }}", "7"),
    ],
)
def test_markdown_is_escaped_unless_a_filter_made_it(tmp_path: Path, expression: str, expected: str) -> None:
    assert _rendered(tmp_path, "x.md.j2", expression, value="*a* <b> [x](y)") == expected


@pytest.mark.parametrize(
    "expression",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ value.append(1) }}",
        "{{ value.__init__.__globals__ }}",
        "{{ nothing_of_this_name }}",
        "{{ value.nothing }}",
        "{{ 1 / 0 }}",
        "{{ none }}",
        "{% include '../secret' %}",
        "{{ value|no_such_filter }}",
        "{% if %}",
    ],
)
def test_what_a_template_must_not_do_is_an_error_with_its_place(tmp_path: Path, expression: str) -> None:
    problem = _refused(tmp_path, "x.md.j2", f"one\ntwo {expression}", value=[])
    assert (problem.file, problem.line) == (str(tmp_path / "x.md.j2"), 2)
    assert problem.detail.endswith(".")


def test_the_error_of_an_included_template_names_that_one(tmp_path: Path) -> None:
    (tmp_path / "part.md.j2").write_text("\n\n{{ nothing }}")
    problem = _refused(tmp_path, "x.md.j2", "{% include 'part.md.j2' %}")
    assert (problem.file, problem.line) == (str(tmp_path / "part.md.j2"), 3)


def test_one_file_of_the_users_replaces_one_shipped_template(tmp_path: Path) -> None:
    (tmp_path / "instructions").mkdir()
    (tmp_path / "instructions" / "records.md.j2").write_text("mine")
    templates = Templates(tmp_path)
    assert templates.render("instructions/records.md.j2", {}) == "mine"
    assert "<style>" in templates.render("instructions/page.html.j2", {})


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EmitError, match="is not there"):
        Templates(tmp_path / "missing")


def test_a_missing_template_is_an_error() -> None:
    with pytest.raises(EmitError, match="no-such"):
        Templates(None).render("no-such.md.j2", {})


def test_the_shipped_templates_are_found() -> None:
    assert (shipped_templates() / "instructions" / "domain.md.j2").is_file()
