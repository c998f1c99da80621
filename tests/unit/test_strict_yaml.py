"""The strict loader: what YAML 1.2 means, what is refused, and where it stands."""

import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import Severity
from reconciler.strict_yaml import MAX_DIAGNOSTICS, MAX_OCTETS, Document, load_yaml
from reconciler.yaml_events import MAX_DEPTH


def load(text: str | bytes) -> Document:
    return load_yaml(text if isinstance(text, bytes) else text.encode(), "acme.yaml")


def codes(document: Document) -> list[tuple[str, int, int]]:
    assert all(d.severity is Severity.ERROR and d.file == "acme.yaml" for d in document.diagnostics)
    return [(d.code.removeprefix("yaml-"), d.line, d.column) for d in document.diagnostics]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # the table of YAML 1.2.2 section 10.3.2
        *((word, None) for word in ("~", "null", "Null", "NULL")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        ("0", 0),
        ("-19", -19),
        ("+7", 7),
        ("012", 12),
        ("0o14", 12),
        ("0x3A", 58),
        ("0.", 0.0),
        ("-0.0", -0.0),
        (".5", 0.5),
        ("+12e03", 12000.0),
        ("-2E+05", -200000.0),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        # texts, though YAML 1.1 or other programs read more into them
        *((word, word) for word in ("no", "No", "yes", "on", "off", "y", "nULL", "truE", "nan", "inf")),
        *((word, word) for word in ("2026-11-01", "1:30", "0b11", "1_000", "-0x1F", "0o8", "1.2.3.4", "+", ".", "12e")),
        *(
            (word, word) for word in ("\u0661", "<<", "=")
        ),  # a digit of another script; merge and value keys of YAML 1.1
        ('"true"', "true"),
        ("'12'", "12"),
        ("|\n  12\n", "12\n"),
        (">-\n  12\n  13\n", "12 13"),
        ('"\\u0085\\x00"', "\x85\x00"),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    document = load(f"key: {text}\n")
    assert document.diagnostics == ()
    assert document.data == {"key": value}
    assert isinstance(document.data, dict)
    assert type(document.data["key"]) is type(value)


def test_not_a_number() -> None:
    document = load("- .nan\n- .NAN\n")
    assert isinstance(document.data, list)
    assert all(isinstance(v, float) and v != v for v in document.data)  # noqa: PLR0124 - so NaN is told


def test_collections_nest() -> None:
    document = load("a: {b: [1, {c: }]}\nd:\n  - e\n  -\n")
    assert document.data == {"a": {"b": [1, {"c": None}]}, "d": ["e", None]}


@pytest.mark.parametrize("text", ["%YAML 1.2\n---\na: 1\n", "---\na: 1\n...\n", "a: 1", "\n\n# comment\na: 1\r\n"])
def test_forms_of_one_document(text: str) -> None:
    document = load(text)
    assert (document.data, document.diagnostics) == ({"a": 1}, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", [("duplicate-key", 3, 1)]),
        ("a: 1\n'a': 3\n\"\\x61\": 4\n", [("duplicate-key", 2, 1), ("duplicate-key", 3, 1)]),
        ("a: &x 1\n", [("anchor", 1, 4)]),
        ("&x a: [&y b]\n", [("anchor", 1, 1), ("anchor", 1, 8)]),
        ("a: *x\n", [("alias", 1, 4)]),
        ("*x : 1\n", [("alias", 1, 1)]),
        ("a: !!str 1\n", [("tag", 1, 4)]),
        ("a: ! x\n", [("tag", 1, 4)]),
        ("!!map {a: !t [b]}\n", [("tag", 1, 1), ("tag", 1, 11)]),
        ("a: !!python/object/apply:os.system [id]\n", [("tag", 1, 4)]),
        ("1: a\n", [("key", 1, 1)]),
        ("true: a\n? {b: c}\n: d\n", [("key", 1, 1), ("key", 2, 3)]),
        ("%YAML 1.1\n---\na: 1\n", [("directive", 1, 1)]),
        ("%TAG ! tag:example,2026:\n---\na: 1\n", [("directive", 1, 1)]),
        ("a: 1\n---\nb: 1\n", [("documents", 2, 1)]),
        ("", [("empty", 1, 1)]),
        ("# nothing\n", [("empty", 1, 1)]),
        ("---\n", [("empty", 1, 1)]),
        ("null\n", [("empty", 1, 1)]),
        (b"a: 1\nb: \xff\n", [("encoding", 2, 4)]),
        ("a: 1".encode("utf-16"), [("encoding", 1, 1)]),
        ("a: 1".encode("utf-16-le"), [("character", 1, n) for n in (2, 4, 6, 8)]),
        ("\ufeffa: &x 1\n", [("character", 1, 1), ("anchor", 1, 4)]),
        ("a: b\x00\nc: \x1b[2J\n", [("character", 1, 5), ("character", 2, 4)]),
        ("a: b\u2028c: d\n", [("character", 1, 5)]),
        ("# \u202e\na: 1\n", [("character", 1, 3)]),
        ("# b\r  c: d # e\n\ra: 1\r\n", [("character", 1, 4), ("character", 2, 1)]),
        ("ä: ü: 1\n", [("syntax", 1, 5)]),
        ("a: [1\nb: 2\n", [("syntax", 2, 2)]),
        ("a:\n\t- b\n", [("syntax", 2, 1)]),
        ("a: " + "9" * 5000 + "\n", [("number", 1, 4)]),
        ("a: 0x" + "f" * 50 + "\n", [("number", 1, 4)]),
    ],
)
def test_refuses_with_the_place(text: str | bytes, expected: list[tuple[str, int, int]]) -> None:
    document = load(text)
    assert codes(document) == expected
    assert all(d.detail for d in document.diagnostics)


def test_a_long_text_is_no_long_number() -> None:
    assert load("a: " + "9" * 60 + "x\n").diagnostics == ()


def test_depth_is_capped_from_the_first_level_too_many() -> None:
    allowed = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert load(allowed).diagnostics == ()
    assert codes(load(f"[{allowed}]")) == [("depth", 1, MAX_DEPTH + 1)]
    assert codes(load("{a: " * 33 + "1" + "}" * 33)) == [("depth", 1, 4 * MAX_DEPTH + 1)]
    assert codes(load("[" * 100_000)) == [("depth", 1, MAX_DEPTH + 1)]


def test_size_is_capped() -> None:
    filler = b"# " + b"x" * (MAX_OCTETS - 8) + b"\n"
    assert load(filler + b"a: 1\n").diagnostics == ()
    assert codes(load(filler + b"a: 12\n")) == [("size", 1, 1)]


def test_the_first_of_two_equal_keys_is_kept_and_reading_goes_on() -> None:
    document = load("a: 1\na: &x 2\nb: *x\nc: 3\n")
    assert document.data == {"a": 1, "b": None, "c": 3}
    assert [code for code, *_ in codes(document)] == ["anchor", "duplicate-key", "alias"]


def test_errors_end_at_a_hundred() -> None:
    document = load("- *x\n" * 10_000)
    assert len(document.diagnostics) == MAX_DIAGNOSTICS
    assert document.data is None
    assert len(load("a: \x07" * 10_000).diagnostics) == MAX_DIAGNOSTICS


NESTED = """\
# a comment
services:
  - name: hq
    verification:
      primary: "one"
    next_hops: [a, b]
  - {name: branch,
     zone: }
"""


@pytest.mark.parametrize(
    ("loc", "value", "key"),
    [
        ((), (2, 1), (2, 1)),
        (("services",), (3, 3), (2, 1)),
        (("services", 0), (3, 5), (3, 5)),
        (("services", 0, "name"), (3, 11), (3, 5)),
        (("services", 0, "verification"), (5, 7), (4, 5)),
        (("services", 0, "verification", "primary"), (5, 16), (5, 7)),
        (("services", 0, "next_hops", 1), (6, 20), (6, 20)),
        (("services", 1, "name"), (7, 12), (7, 6)),
        (("services", 1, "zone"), (8, 12), (8, 6)),
        # nothing there: the nearest thing around it
        (("services", 0, "verification", "secondary"), (4, 5), (4, 5)),
        (("services", 7, "name"), (2, 1), (2, 1)),
        (("organization",), (2, 1), (2, 1)),
    ],
)
def test_positions(loc: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int]) -> None:
    document = load(NESTED)
    assert document.position(loc) == value
    assert document.position(loc, at_key=True) == key


def test_lines_of_mappings_agree_with_positions() -> None:
    document = load(NESTED)
    locs: list[tuple[str | int, ...]] = [(), ("services", 0), ("services", 0, "verification"), ("services", 1)]
    assert [document.line(loc) for loc in locs] == [document.position(loc)[0] for loc in locs] == [2, 3, 5, 7]
    assert document.line(("services", 0, "name")) == 3


def test_positions_are_those_of_what_was_kept() -> None:
    document = load("1: {a: b}\n? [c]\n: {a: c}\na: {x: 1}\na: {y: 1}\nb: 2\n")
    assert document.data == {"a": {"x": 1}, "b": 2}
    assert document.position(("a", "x")) == (4, 8)
    assert document.position(("a", "y")) == (4, 1)
    assert document.position(("b",)) == (6, 4)


def test_a_file_that_cannot_be_read_has_the_first_place() -> None:
    assert load("a: [").position(("a", 0)) == (1, 1)


def test_the_parser_is_imported_where_it_is_demanded_and_nowhere_else() -> None:
    import reconciler  # noqa: PLC0415 - for this test alone

    package = Path(reconciler.__file__).parent
    importing = [
        p.name
        for p in package.rglob("*.py")
        if re.search(r"^\s*(?:import|from) _ruamel_yaml", p.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert importing == ["c_parser.py"]


def test_the_c_parser_is_demanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pure-Python stand-in would be twenty times slower and accept other documents."""
    import importlib  # noqa: PLC0415 - for this test alone
    import sys  # noqa: PLC0415
    import types  # noqa: PLC0415

    stand_in: Any = types.ModuleType("_ruamel_yaml")
    stand_in.__file__ = "/somewhere/_ruamel_yaml.py"
    monkeypatch.setitem(sys.modules, "_ruamel_yaml", stand_in)
    monkeypatch.delitem(sys.modules, "reconciler.c_parser")
    with pytest.raises(ImportError, match=r"ruamel\.yaml\.clib"):
        importlib.import_module("reconciler.c_parser")
