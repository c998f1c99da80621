"""Laws of the strict loader."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.strict_yaml import Document, Loc, load_yaml
from reconciler.yaml_events import MAX_DEPTH

# json.dumps writes what the strict loader refuses as an escape, which YAML reads too; but not DEL, and beyond U+FFFF it
# writes surrogate pairs, which are not YAML's
texts = st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF, exclude_characters="\x7f"), max_size=12)
numbers = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
data = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
).filter(lambda value: value is not None)
shapes = st.sampled_from([None, 1, 3])


@given(value=data, indent=shapes)
def test_json_is_read_as_what_it_says(value: Any, indent: int | None) -> None:  # noqa: ANN401 - any JSON value
    """YAML 1.2 is a superset of JSON (section 1.3)."""
    document = load_yaml(json.dumps(value, indent=indent).encode(), "f.yaml")
    assert document.diagnostics == ()
    assert document.data == value


def _at(value: Any, loc: Loc) -> Any:  # noqa: ANN401 - any JSON value
    for key in loc:
        value = value[key]
    return value


def _locs(value: Any, loc: Loc = ()) -> list[Loc]:  # noqa: ANN401 - any JSON value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [loc, *(below for key, inner in items for below in _locs(inner, (*loc, key)))]


@given(value=data, indent=shapes)
def test_every_value_stands_where_its_position_says(value: Any, indent: int | None) -> None:  # noqa: ANN401 - any JSON value
    """What begins at the position is the value, and nothing else has that position but a key of its own."""
    text = json.dumps(value, indent=indent)
    document = load_yaml(text.encode(), "f.yaml")
    lines = text.splitlines(keepends=True)
    for loc in _locs(value):
        line, column = document.position(loc)
        rest = "".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert json.JSONDecoder().raw_decode(rest)[0] == _at(value, loc)
        if isinstance(_at(value, loc), dict):
            assert document.line(loc) == line


@given(octets=st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode(errors="replace")))
def test_any_octets_end_in_data_or_diagnostics(octets: bytes) -> None:
    document = load_yaml(octets, "f.yaml")
    assert (document.data is not None) or document.diagnostics
    _hold_the_contract(document, octets)


fragments = st.sampled_from(
    [
        "a: ",
        "b: ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ",",
        ": ",
        "? ",
        "\n",
        "  ",
        "&x ",
        "*x ",
        "!!str ",
        "'",
        '"',
        "|\n",
        "#",
        "1",
        "~",
        "é",
    ]
)


@given(parts=st.lists(fragments, max_size=40))
def test_any_fragments_end_in_data_or_diagnostics(parts: list[str]) -> None:
    octets = "".join(parts).encode()
    _hold_the_contract(load_yaml(octets, "f.yaml"), octets)


def _hold_the_contract(document: Document, octets: bytes) -> None:
    lines = octets.decode(errors="replace").split("\n")
    for diagnostic in document.diagnostics:
        assert diagnostic.code.startswith("yaml-")
        assert 1 <= diagnostic.line <= len(lines) + 1
        assert diagnostic.column >= 1
        assert diagnostic.detail
    if document.data is not None:
        assert _depth(document.data) <= MAX_DEPTH
        for loc in _locs(document.data):
            line, column = document.position(loc)
            assert line >= 1
            assert column >= 1


def _depth(value: Any) -> int:  # noqa: ANN401 - any JSON value
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)
