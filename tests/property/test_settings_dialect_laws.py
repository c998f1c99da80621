"""The glance at settings: whatever it takes for alike in YAML 1.1 and 1.2 is alike to PyYAML and the strict loader."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.settings.dialects import are_surely_alike
from reconciler.strict_yaml import load_yaml
from reconciler.yaml_dialects import find_ambiguous

_WORDS = """
a node No no ON off yes Yes y true TRUE null ~ 0 1 53 053 0o17 0x1f 0b11 1e3 1.5 1.5e+3 1. .5 .inf .NaN -.inf -1 +1
1_000 12:30 12:30.5 2026-11-21 2026-02-30 127.0.0.1 127.0.0.1:53 1.2.3 .zone . .. = << env/NAME a.B /x sqlite:///x.y
'no' "no" '' "" 'it' "[a]" "a\\n" [] {} * & ! ? - -- | > % @ ` # #x a:b a:no no:a a#b no-go nobody nan inf null.x on/x
off.
"""
_SCALARS = st.sampled_from([*_WORDS.split(), "'{b: no}'", '"# no"', "'a: b'", '"a, b"']) | st.text(
    "ayno01.:-+_eE/'\"#[]{},? ", min_size=1, max_size=8
)
_PHRASES = st.lists(_SCALARS, min_size=1, max_size=3).map(" ".join)


def _flow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    entries = st.lists(st.one_of(inner, st.builds("{}: {}".format, _SCALARS, inner)), max_size=3)
    joined = st.builds(lambda e, comma: comma.join(e), entries, st.sampled_from([", ", ",", " , "]))
    return st.one_of(joined.map("[{}]".format), joined.map("{{{}}}".format))


_VALUES = _PHRASES | st.recursive(_SCALARS, _flow, max_leaves=6)
_COMMENTS = st.sampled_from(["", "", "", " ", " # no", "  #", "#", " #'[a"])
_LINES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "  ", "- ", "  - ", "    ", "\t"]),
    st.one_of(st.just(""), st.builds("{}:{}".format, _SCALARS, st.sampled_from([" ", "", "  "]))),
    st.one_of(st.just(""), _VALUES),
    _COMMENTS,
)
_BLOCKS = st.lists(st.builds("    {}: {}{}\n".format, _SCALARS, _VALUES, _COMMENTS), max_size=4).map("".join)
_TEXTS = st.one_of(
    st.builds("providers:\n  p:\n    class: a.B\n{}".format, _BLOCKS),
    st.builds("providers: {{p: {}}}\n".format, _VALUES),
    st.lists(_LINES, max_size=5).map("\n".join),
)


@given(_TEXTS)
@example("a: {b:c}\n")
@example("a: 1\n  - 2\n")
@example('a: "x [b] y"\n')
@example("a: [\"[x]\", {b: 'c'}]\n")
@example("a: on\n  call\n")
@example("a: call\n  on\n")
def test_what_seems_alike_is_alike(text: str) -> None:
    """What the strict loader refuses never gets as far; everything else at every level of the file."""
    octets = text.encode()
    document = load_yaml(octets, "reconciler.yaml")
    if are_surely_alike(octets) and not document.diagnostics and isinstance(document.data, dict):
        assert list(find_ambiguous(octets, document.data, tuple(document.data))) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# a comment: no\n\n",
        "observe: {dns: {servers: ['127.0.0.1:5300'], timeout: 2.5}}\nlimits: {switches_per_run: 50}\n",
        "journal: sqlite:///.reconciler/journal.sqlite3   # beside it\ndefault_provider: bind\n",
        "providers:\n  bind:\n    class: octodns_bind.Rfc2136Provider\n    host: 127.0.0.1\n    a: e/B\n    port: 53\n",
        "providers: {files: {class: octodns_bind.ZoneFileProvider, directory: zones, file_extension: .zone}}",
        "freeze:\n  - from: '2026-12-20'\n    until: \"2027-01-02\"\n    reason: nobody is there then\n",
        "kill_switch: false\nproviders: {}\nnotifications: {endpoints: [{url: env/X, severity: high}]}\n",
    ],
)
def test_usual_settings_are_seen_to_be_alike(text: str) -> None:
    assert are_surely_alike(text.encode())


@pytest.mark.parametrize("text", ["a: no", "no: a", "[a, Off]", "a: 053", "a: 1e3", "a: é", "a:\tb", "a: b\r", "a: -1"])
def test_what_may_be_otherwise_is_looked_at(text: str) -> None:
    assert not are_surely_alike(text.encode())


@pytest.mark.parametrize("comment", ["    # a comment", "", "  ", "- - a: b # c"])
@pytest.mark.parametrize("odd", ["    key_secret: abc==", "é: 1", "\ta", "a: {b: [c, [d}"])
def test_whatever_is_in_a_file_the_look_at_it_has_an_end(comment: str, odd: str) -> None:
    """In a process of its own, which can be ended."""
    program = (
        "from reconciler.settings.dialects import are_surely_alike\n"
        f"print(are_surely_alike({(f'{comment}{chr(10)}' * 1000 + odd).encode()!r}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"
