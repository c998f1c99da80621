"""What is read line by line is what the parser's events say, to every value's type and every mapping's place."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.plain_yaml import read_plain_yaml
from reconciler.strict_yaml import load_yaml

PLAIN = [
    "b",
    "b c",
    "b.example",
    "1",
    "012",
    "1e3",
    ".nan",
    "2026-11-01",
    "true",
    "no",
    "é",
    "a+b/c=",
    "sqlite:///b.db",
    "12:30:00",
    "1:2",
    "b::c:/",
    "9" * 44 + "=",
]
QUOTED = ["''", '"b"', "' c: d '", '"#"', '"[é]"']
ODD = [
    "~",
    "&a b",
    "*a",
    "!b c",
    "|",
    ">-",
    "'b",
    '"\\n"',
    "'b''c'",
    "b: c",
    "@",
    "b #c",
    "x:y#z",
    "x: #z",
    "[",
    "b]",
    "{b",
    ",",
    "- b",
    "?",
    "9" * 44,
]
KEYS = ["a", "b", "next_hops", "x-y", "_z", "Name", "yes"]

scalars = st.sampled_from(PLAIN + QUOTED)
keys = st.sampled_from(KEYS)
comments = st.sampled_from(["", "", "", " # c", "   #", "  "])
flows = st.recursive(
    scalars.filter(lambda text: text[0] in "'\"" or not set(text) & set(":#")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(keys, inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"{key}: {item}" for key, item in items.items()) + "}"
        ),
    ),
    max_leaves=6,
)
inline = st.builds(lambda value, comment: [f" {value}{comment}"], scalars | flows, comments)


def _mapping(entries: list[tuple[str, list[str]]]) -> list[str]:
    return [line for key, value in entries for line in (f"{key}:{value[0]}", *(f"  {line}" for line in value[1:]))]


def _sequence(items: list[list[str]]) -> list[str]:
    """An item is the rest of its first line, or a mapping below nothing, which begins on the dash's own line."""
    lines = [item if item[0] else [f" {item[1]}", *item[2:]] for item in items]
    return [line for item in lines for line in (f"-{item[0]}", *(f"  {line}" for line in item[1:]))]


def _mappings(values: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.tuples(keys, values), min_size=1, max_size=4, unique_by=lambda entry: entry[0]).map(_mapping)


def _below(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    """What a key's value can be besides what ends on its line: a block, after the rest of the key's line."""
    mappings = _mappings(inner).map(lambda lines: ["", *lines])
    sequences = st.lists(inline | mappings, min_size=1, max_size=3).map(lambda items: ["", *_sequence(items)])
    return inner | mappings | sequences


documents = _mappings(st.recursive(inline, _below, max_leaves=8)).map("\n".join)


def _places(node: Any, starts: dict[int, tuple[int, int]]) -> list[tuple[int, int]]:  # noqa: ANN401 - any data
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    own = [starts[id(node)]] if isinstance(node, dict) else []
    return own + [place for each in below for place in _places(each, starts)]


def check(text: str) -> bool:
    """Whether it is read line by line; then the events say the same."""
    read = read_plain_yaml(text)
    if read is None:
        return False
    data, starts = read
    document = load_yaml(text.encode(), "f.yaml", by_events=True)
    assert document.diagnostics == ()
    assert repr(data) == repr(document.data)
    assert len(starts) == len(_places(data, starts)), "the places of mappings, and of nothing else"
    assert _places(data, starts) == _places(document.data, document._starts)  # noqa: SLF001 - every mapping's, cheaply
    return True


@settings(max_examples=100, deadline=None)
@given(text=documents, head=st.sampled_from(["", "---\n", "# c\n\n"]))
def test_documents_in_the_style_of_manifests_are_read(text: str, head: str) -> None:
    assert check(head + text)


lines = st.builds(
    lambda indent, dash, key, value, comment: f"{' ' * indent}{dash}{key}{value}{comment}",
    st.sampled_from([0, 0, 2, 2, 4, 1, 6]),
    st.sampled_from(["", "", "", "- ", "-  ", "- - "]),
    st.sampled_from(["a: ", "b: ", "c: ", "a:", "b:", "c:", "", '"d": ', "null: ", "? "]),
    st.one_of(scalars, flows, st.just(""), st.sampled_from(ODD)),
    comments,
)


@settings(max_examples=250, deadline=None)
@given(text=st.lists(lines, max_size=6).map("\n".join))
def test_any_lines_are_read_as_the_events_say_or_not_at_all(text: str) -> None:
    check(text)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A document with a few characters taken away or put in."""
    text = draw(documents)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        put = draw(
            st.sampled_from(
                ["", " ", "  ", "\n", ":", ": ", "- ", "#", "'", '"', "[", "]", "{", "}", ",", "?", "&", "é"]
            )
        )
        text = text[:at] + put + text[at + draw(st.integers(0, 2)) :]
    return text


@settings(max_examples=250, deadline=None)
@given(text=damaged())
def test_damaged_documents_are_read_as_the_events_say_or_not_at_all(text: str) -> None:
    check(text)
