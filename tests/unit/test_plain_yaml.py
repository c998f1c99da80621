"""What is read line by line, and what is left to the parser."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler import plain_yaml
from reconciler.plain_yaml import read_plain_yaml
from reconciler.strict_yaml import load_yaml

MANIFESTS = sorted((Path(__file__).parent.parent.parent / "manifests").glob("*.yaml"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: b", {"a": "b"}),
        ("a: b\nc: d\n", {"a": "b", "c": "d"}),
        ("---\na: b\n", {"a": "b"}),
        ("# first\n\n---\n   # a comment\na: b # another\n\n  \nc: d   \n# last", {"a": "b", "c": "d"}),
        ("a:\n  b:\n    c: d\n  e: f\ng: h\n", {"a": {"b": {"c": "d"}, "e": "f"}, "g": "h"}),
        ("a:  # below\n  b: c\n", {"a": {"b": "c"}}),
        ("a:\n  - b\n  - c\n", {"a": ["b", "c"]}),
        ("a:\n- b: c\n  d: e\n- f: g\nh: i\n", {"a": [{"b": "c", "d": "e"}, {"f": "g"}], "h": "i"}),
        ("a:\n  - b:\n    - c\n    - d\n", {"a": [{"b": ["c", "d"]}]}),
        ("a: 012\nb: 0o14\nc: .5\nd: 2026-11-01\ne: true\nf: NULL", {
            "a": 12, "b": 12, "c": 0.5, "d": "2026-11-01", "e": True, "f": None,
        }),
        ("a:\n  - 1\n  - no\n  - false\n", {"a": [1, "no", False]}),
        (f"a: {'1' * 43}=\n", {"a": "1" * 43 + "="}),
        ('a: "b: #c"\nd: \'e "f"\' # g\n', {"a": "b: #c", "d": 'e "f"'}),
        ('a: "1"\nb: \'true\'\nc: ""\n', {"a": "1", "b": "true", "c": ""}),
        ("a: b c   # d: e\nf: g/h+i", {"a": "b c", "f": "g/h+i"}),
        ("a: b [c], {d}\n", {"a": "b [c], {d}"}),
        ("a: https://b.example\nb: 10:30 # c\nd: e :f::g", {"a": "https://b.example", "b": "10:30", "d": "e :f::g"}),
        ("a: öffentlich\nb: größer als ß\n", {"a": "öffentlich", "b": "größer als ß"}),
        ("a: []\nb: { }\nc: [ d , 1 ]  # e\n", {"a": [], "b": {}, "c": ["d", 1]}),
        ("a: [b, {c: d, e: [f, {}]}, \"g, h\", 'i']", {"a": ["b", {"c": "d", "e": ["f", {}]}, "g, h", "i"]}),
        ('a:\n  - {b: 1, c: "}"}\n  - [d]\n', {"a": [{"b": 1, "c": "}"}, ["d"]]}),
    ],
)  # fmt: skip
def test_reads_what_can_be_taken_in_one_way(text: str, value: object) -> None:
    read = read_plain_yaml(text)
    assert read is not None
    assert repr(read[0]) == repr(value)
    assert repr(load_yaml(text.encode(), "f.yaml", by_events=True).data) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        # no mapping at the margin
        *("", "\n", "# a", "a", "- a", " a: b", "{a: b}", "[a]", '"a": b', "1: b", "---", "--- a"),
        # keys: twice, no string, quoted, explicit, merge, too long for the parser
        *("a: b\na: c", "a: {b: c, b: d}", "null: a", "a: {true: b}", 'a: {"b": c}', "? a\n: b", "<<: a"),
        f"{'a' * 1100}: b",
        # other styles, and what goes on in the next line
        *("a: |\n  b", "a: >-\n  b", "a: b\n  c", "a: 'b\n  c'", "a: [b,\n  c]", "a:\n  b", "a:\n  - b\n    c"),
        # escapes, anchors, aliases, tags, directives, documents
        *('a: "b\\n"', "a: 'b''c'", "a: &b c", "a: *b", "a: !b c", "%YAML 1.2\n---\na: b", "a: b\n---\nc: d"),
        "a: b\n...",
        # nothing where a value belongs
        *("a:", "a:\nb: c", "- a:", "a:\n  b:\nc: d", "a:\n  -\n", "a: [b, ]", "a: {b: }", "a: {b}", "a: [b: c]"),
        "a: [,]",
        # indents that fit nothing
        *("a:\n    b: c\n  d: e", "a: b\n c: d", "a:\n  - b\n - c", "a:\n  - b\n  c: d", "a:\n  - b: c\n     d: e"),
        *("a:\n  b:\n- c", "a:\n- b:\n- c", "a:\n  b:\nc: d", "a:\n    - b\n  - c"),
        # no syntax at all
        *("a: b: c", "a: [b", "a: [b]]", "a: [b}", "a: {b: c]", "a: [b] c", "a: [b]#c", 'a: "b" c', 'a: "b"#c'),
        *("a: @b", "a: b c: d", "a: %b", "a: [b? c]", "a: [b:c]", "a: [b #c]", "a: [[b] c]", "a:\n  - - b"),
        *("a: - b", "a:\tb", "a: b\r", "a: b\t", "a: {b:c}", "---\n---\na: b"),
        # what goes on in the next line, and looks like an item
        "a:\n- b\n  - c",
        # colons that may end a key, and hashes, in plain scalars: the parser knows what they mean where
        *("a: b:", "a: b: ", "a: b: # c", "a: b:\xa0c", "a: b:\u2028c", "a: b:#c", "a: b#c", "a: b #c:d\ne: f:"),
        # what the loader has a word to say about
        f"a: {'1' * 41}",
    ],
)  # fmt: skip
def test_leaves_everything_else_to_the_parser(text: str) -> None:
    assert read_plain_yaml(text) is None


@pytest.mark.parametrize(
    "nested",
    [
        lambda depth: "\n".join(f"{'  ' * level}a:" for level in range(depth - 1)) + f"\n{'  ' * (depth - 1)}a: b",
        lambda depth: "\n".join(
            ["a:", *(f"{'  ' * level}- a:" for level in range(depth // 2 - 1)), "  " * depth + "- b"]
        ),
        lambda depth: f"a: {'[' * (depth - 1)}{']' * (depth - 1)}",
        lambda depth: f"a: {'{a: ' * (depth - 2)}{{}}{'}' * (depth - 2)}",
    ],
)
def test_leaves_what_lies_deep_to_the_parser(nested: Callable[[int], str]) -> None:
    """No recursion without a bound, and the parser's own refusal of great depth."""
    assert read_plain_yaml(nested(16)) is not None
    assert read_plain_yaml(nested(18)) is None
    assert read_plain_yaml(nested(2000)) is None


def test_leaves_a_file_of_empty_lines_to_the_parser() -> None:
    """Each of them would be a tuple in memory."""
    assert read_plain_yaml("a: b" + "\n" * 50_000) is not None
    assert read_plain_yaml("a: b" + "\n" * 50_001) is None


def test_the_lines_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their number, and by the length of each; what was kept does not change what is read."""
    monkeypatch.setattr(plain_yaml, "_MAX_KNOWN", 2)
    monkeypatch.setattr(plain_yaml, "_MAX_KNOWN_LENGTH", 20)
    known = plain_yaml._known_lines  # noqa: SLF001 - that is what is looked at
    known.clear()
    for text, value in (("a: b\nc: 1\na2: b", {"a": "b", "c": 1, "a2": "b"}), (f"a: {'x' * 20}", {"a": "x" * 20})):
        for _ in range(2):
            read = read_plain_yaml(text)
            assert read is not None
            assert repr(read[0]) == repr(value)
            assert len(known) <= 2
            assert all(len(line) <= 20 for line in known)


def test_says_where_each_mapping_begins() -> None:
    text = "# a\na:\n  - b: {c: d}\n    e: [f, {g: h}]\n  -   {}\n"
    read = read_plain_yaml(text)
    assert read is not None
    data, starts = read
    document = load_yaml(text.encode(), "f.yaml")
    places = {("a", 0): (3, 5), ("a", 0, "b"): (3, 8), ("a", 0, "e", 1): (4, 12), ("a", 1): (5, 7), (): (2, 1)}
    assert {loc: document.position(loc) for loc in places} == places
    assert starts[id(data)] == (2, 1)
    assert len(starts) == len(places)


def test_a_sequence_has_no_place() -> None:
    """Its id would go to whatever is made next."""
    read = read_plain_yaml("a: [b, []]\nc:\n  - d\n")
    assert read is not None
    assert len(read[1]) == 1


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_the_manifests_shown_to_users_need_no_parser(manifest: Path) -> None:
    """A short cut that nobody takes would be none."""
    assert read_plain_yaml(manifest.read_text(encoding="utf-8")) is not None
