"""Templates of code: only what a quoting filter of the kind made is printed; hostile values are refused or inert."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING
from xml.sax.saxutils import unescape

import pytest

from reconciler.errors import EmitError
from reconciler.manifest.fleet import Source
from reconciler.templating import Templates

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.errors import Diagnostic

KINDS = ["txt", "cidr", "sh", "json", "xml", "nft", "conf", "sieve", "list", "ps1", "unheard-of"]
FILTERS_OF_A_KIND = {"sh": "sh", "json": "json", "xml": "xml", "nft": "nft", "ps": "ps1", "sieve": "sieve"}


def _rendered(folder: Path, name: str, text: str, **context: object) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return Templates(folder).render(name, context)


def _refused(folder: Path, name: str, text: str, **context: object) -> Diagnostic:
    with pytest.raises(EmitError) as caught:
        _rendered(folder, name, text, **context)
    (problem,) = caught.value.diagnostics
    return problem


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "expression",
    [
        "{{ value }}",
        "{{ 'constant' }}",
        "{{ 7 }}",
        "{{ none }}",
        "{{ value|word ~ value }}",
        "{{ (value|word) + value }}",
        "{{ (value|word)|upper }}",
        "{{ value|safe }}",
        "{{ value|e }}",
        "{{ [value|word] }}",
        "{{ [value|word]|join(' ') }}",
        "{{ '%s'|format(value) }}",
        "{% set block %}{{ value|word }}{% endset %}{{ block }}",
        "{% macro twice(x) %}{{ x|word }}{% endmacro %}{{ twice(value) }}",
    ],
)
def test_what_passed_no_filter_is_refused(tmp_path: Path, kind: str, expression: str) -> None:
    problem = _refused(tmp_path, f"x.{kind}.j2", f"one\n{expression}\n", value="word")
    assert (problem.code, problem.file, problem.line) == ("template-value", str(tmp_path / f"x.{kind}.j2"), 2)
    assert "passed no quoting filter" in problem.summary


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("filter", "{% filter upper %}{{ value|word }}{% endfilter %}"),
        ("filter", "{% filter replace('x', value) %}x{% endfilter %}"),
        ("call", "{% call value.format() %}{% endcall %}"),
        ("autoescape", "{% autoescape true %}{{ value|word }}{% endautoescape %}"),
    ],
)
def test_statements_that_print_past_the_rule_are_errors(tmp_path: Path, statement: str, text: str) -> None:
    problem = _refused(tmp_path, "x.ps1.j2", f"one\n{text}", value="word")
    assert (problem.code, problem.line) == ("template", 2)
    assert f"{{% {statement} %}} has no place" in problem.summary


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", sorted(FILTERS_OF_A_KIND))
def test_the_quoting_of_one_kind_is_not_there_in_another(tmp_path: Path, kind: str, name: str) -> None:
    text = f"{{{{ value|{name} }}}}"
    if FILTERS_OF_A_KIND[name] == kind:
        assert "value" in _rendered(tmp_path, f"x.{kind}.j2", text, value="value")
    else:
        assert "No filter named" in _refused(tmp_path, f"x.{kind}.j2", text, value="value").summary


@pytest.mark.parametrize(
    ("name", "expression", "value", "expected"),
    [
        ("x.txt.j2", "{{ value|address }}", "192.0.2.1", "192.0.2.1"),
        ("x.txt.j2", "{{ value|address }}", " 192.0.2.0-192.0.2.255 ", "192.0.2.0/24"),
        ("x.txt.j2", "{{ value|address }}", "192.0.2.1 - 192.0.2.3", "192.0.2.1-192.0.2.3"),
        ("x.txt.j2", "{{ value|address }}", "::FFFF:192.0.2.1", "192.0.2.1"),
        ("x.txt.j2", "{{ value|address }}", "2001:DB8:0::1", "2001:db8::1"),
        ("x.conf.j2", "{{ value|word }}", "a_B-1.c", "a_B-1.c"),
        ("x.conf.j2", "# {{ value|comment }}", "all ' printable \" $(x) ~", "# all ' printable \" $(x) ~"),
        ("x.list.j2", "{{ value|number }}", -7, "-7"),
        ("x.list.j2", "{% for x in value %}{{ loop.index|number }}{% endfor %}", "ab", "12"),
        ("x.json.j2", "{{ value|json }}", {"a": ["\u2019\n\x7f", 1, None]}, '{"a": ["\\u2019\\n\\u007f", 1, null]}'),
        ("x.xml.j2", '<a b="{{ value|xml }}"/>', "\"'<&>", '<a b="&quot;&apos;&lt;&amp;&gt;"/>'),
        ("x.sh.j2", "echo {{ value|sh }}", "a'b $(id)", "echo 'a'\"'\"'b $(id)'"),
        ("x.nft.j2", "comment {{ value|nft }}", "a b", 'comment "a b"'),
        ("x.ps1.j2", "$x = {{ value|ps }}", "a'b $(x) `", "$x = 'a''b $(x) `'"),
        ("x.sieve.j2", "fileinto {{ value|sieve }};", 'a"\\b', 'fileinto "a\\"\\\\b";'),
        ("x.txt.j2", "{% set y = value|word %}{{ y }}", "a", "a"),
    ],
)
def test_what_a_filter_makes(tmp_path: Path, name: str, expression: str, value: object, expected: str) -> None:
    assert _rendered(tmp_path, name, expression, value=value) == expected


HOSTILE = [
    "\u2018; Remove-Item x; \u2019",
    "\u201cx\u201d",
    "a\u2013b",
    "\u0192",  # its octets in UTF-8 hold 0x92, a quote in the ANSI code page
    "line\nnext",
    "line\r",
    "tab\t",
    "nul\0",
    "\x7f",
    "\x85",
    "\u2028",
    "\u202e",
    "\ud800",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("x.txt.j2", "{{ value|word }}"),
        ("x.txt.j2", "{{ value|address }}"),
        ("x.txt.j2", "# {{ value|comment }}"),
        ("x.xml.j2", "{{ value|xml }}"),
        ("x.sh.j2", "{{ value|sh }}"),
        ("x.nft.j2", "{{ value|nft }}"),
        ("x.ps1.j2", "{{ value|ps }}"),
        ("x.sieve.j2", "{{ value|sieve }}"),
    ],
)
def test_what_is_not_printable_ascii_is_refused(tmp_path: Path, name: str, expression: str, value: str) -> None:
    problem = _refused(tmp_path, name, expression, value=value)
    assert problem.code == "template-value"
    assert name in problem.summary
    assert problem.summary.isascii() or not set("\n\r\0\x85\u2028\u202e\ud800") & set(problem.summary)


@pytest.mark.parametrize(
    ("name", "expression", "value"),
    [
        ("x.txt.j2", "{{ value|word }}", ""),
        ("x.txt.j2", "{{ value|word }}", "-option"),
        ("x.txt.j2", "{{ value|word }}", "_x"),
        ("x.txt.j2", "{{ value|word }}", "a b"),
        ("x.txt.j2", "{{ value|word }}", "word\n"),
        ("x.txt.j2", "{{ value|word }}", 7),
        ("x.txt.j2", "{{ value|address }}", "192.0.2.1/24"),
        ("x.txt.j2", "{{ value|address }}", "fe80::1%eth0"),
        ("x.txt.j2", "{{ value|address }}", "192.0.2.1 OK"),
        ("x.txt.j2", "{{ value|address }}", ""),
        ("x.txt.j2", "{{ value|comment }}", "a #> b"),
        ("x.txt.j2", "{{ value|comment }}", "a */ b"),
        ("x.txt.j2", "{{ value|comment }}", "a --> b"),
        ("x.txt.j2", "{{ value|comment }}", "joins the next line \\"),
        ("x.ps1.j2", "# {{ value|comment }}", "SIG # Begin signature block"),
        ("x.ps1.j2", "<{{ value|comment }}", "# x"),
        ("x.xml.j2", "<!-- {{ value|comment }}-->", "a--b"),
        ("x.xml.j2", "<!-- {{ value|comment }}-->", "a-"),
        ("x.txt.j2", "{{ value|number }}", "7"),
        ("x.txt.j2", "{{ value|number }}", 7.0),
        ("x.txt.j2", "{{ value|number }}", True),
        ("x.txt.j2", "{{ value|number }}", 1 << 64),
        ("x.json.j2", "{{ value|json }}", float("nan")),
        ("x.json.j2", "{{ value|json }}", {1, 2}),
        ("x.nft.j2", "{{ value|nft }}", 'a" drop'),
        ("x.nft.j2", "{{ value|nft }}", "a\\"),
        ("x.ps1.j2", "{{ value|ps }}", ["a"]),
        ("x.sieve.j2", "{{ value|sieve }}", "${unicode: 22}"),
    ],
)
def test_what_a_filter_refuses(tmp_path: Path, name: str, expression: str, value: object) -> None:
    assert _refused(tmp_path, name, expression, value=value).code == "template-value"


@pytest.mark.parametrize("name", ["word", "address", "comment", "number", "ps"])
def test_an_undefined_value_is_the_templates_error(tmp_path: Path, name: str) -> None:
    problem = _refused(tmp_path, "x.ps1.j2", f"{{{{ nothing|{name} }}}}")
    assert (problem.code, "'nothing' is undefined" in problem.summary) == ("template", True)


def test_powershell_has_crlf_and_everything_else_lf(tmp_path: Path) -> None:
    """Whatever line ends the template itself has."""
    (tmp_path / "a.ps1.j2").write_bytes(b"one\r\ntwo\nthree\n")
    (tmp_path / "a.sh.j2").write_bytes(b"one\r\ntwo\n")
    templates = Templates(tmp_path)
    assert templates.render("a.ps1.j2", {}) == "one\r\ntwo\r\nthree\r\n"
    assert templates.render("a.sh.j2", {}) == "one\ntwo\n"


@pytest.mark.parametrize("name", ["x.ps1.j2", "x.sh.j2", "x.cidr.j2"])
def test_the_templates_own_text_is_held_to_ascii_too(tmp_path: Path, name: str) -> None:
    problem = _refused(tmp_path, name, "one\n# it\u2019s\n")
    assert "line 2 of what it makes holds U+2019" in problem.summary


def test_a_tab_is_no_part_of_powershell(tmp_path: Path) -> None:
    assert _rendered(tmp_path, "x.sh.j2", "a\tb") == "a\tb"
    assert "U+0009" in _refused(tmp_path, "x.ps1.j2", "a\tb").summary


def test_a_refusal_names_the_manifest_where_the_caller_knows_it(tmp_path: Path) -> None:
    (tmp_path / "x.ps1.j2").write_text("\n{{ value|ps }}")
    with pytest.raises(EmitError) as caught:
        Templates(tmp_path).render("x.ps1.j2", {"value": "\u2019"}, source=Source("manifests/acme.yaml", 12))
    (problem,) = caught.value.diagnostics
    assert (problem.file, problem.line) == ("manifests/acme.yaml", 12)
    assert "x.ps1.j2:2" in problem.summary


@pytest.mark.parametrize(
    "expression", ["{{ ''.__class__.__mro__|word }}", "{{ (value|word).__class__('x') }}", "{% include '../x' %}"]
)
def test_nothing_but_what_is_given_can_be_reached(tmp_path: Path, expression: str) -> None:
    _refused(tmp_path, "x.ps1.j2", expression, value="a")


@pytest.mark.parametrize("value", ["", "-rf", "$(id) `id` \\ ! * ~ '' \" ; & | < > # {a,b}", "'"])
def test_a_shell_reads_back_what_was_quoted(tmp_path: Path, value: str) -> None:
    script = _rendered(tmp_path, "x.sh.j2", "printf %s {{ value|sh }}", value=value)
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == value


@pytest.mark.parametrize("value", ["", "a'b\"c<d>&", "]]>", "&amp;"])
def test_xml_and_json_read_back_what_was_quoted(tmp_path: Path, value: str) -> None:
    xml = _rendered(tmp_path, "x.xml.j2", "{{ value|xml }}", value=value)
    assert unescape(xml, {"&quot;": '"', "&apos;": "'"}) == value
    assert json.loads(_rendered(tmp_path, "x.json.j2", "{{ value|json }}", value=value)) == value
