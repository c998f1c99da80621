"""What the strict loader is fuzzed for: what it accepts, ruamel.yaml's parser in Python composes to the same value.

And whatever it reads line by line, the events say to the letter.

The values of plain scalars are those of the core schema (YAML 1.2.2 section 10.3.2), read here once more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.composer import ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from reconciler.strict_yaml import load_yaml

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

    from fuzz.walker_target import Drawing
    from reconciler.strict_yaml import Document

_FRAGMENTS = (
    "a: ", "b: ", "- ", "{", "}", "[", "]", ", ", ": ", "? ", "\n", "\n  ", "  ", "&x ", "*x", "!!str ", "'", '"',
    "|\n  ", ">-\n ", "#", " # c", "1", "~", "no", "true", "0o17", "0x1F", "012", "1_000", "1e3", "-.inf", ".nan",
    "2026-01-01", "<<: ", "= ", "---\n", "...\n", "%YAML 1.2\n", "é", "\t", "\\n", "\\x41", "\ufeff", "12:30:00",
)  # fmt: skip
# blank lines before a block scalar's first line may be indented less than it (YAML 1.2.2 section 8.1.1.1), not more
_STRICTER = "more indented follow up line than first in a block scalar"
_NULLS = ("", "~", "null", "Null", "NULL")
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_DECIMAL, _FLOAT = re.compile(r"[-+]?[0-9]+"), re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE, _NO_NUMBER = re.compile(r"[-+]?(\.inf|\.Inf|\.INF)"), (".nan", ".NaN", ".NAN")


def fuzz_one(drawing: Drawing) -> bool:
    """Draws one file and holds the loader against the slow one; says whether it was accepted.

    Raises:
        AssertionError: a finding; and so is whatever else is raised.

    """
    if drawing.ConsumeIntInRange(0, 2):
        most = drawing.ConsumeIntInRange(0, 40)
        text = "".join(_FRAGMENTS[drawing.ConsumeIntInRange(0, len(_FRAGMENTS) - 1)] for _ in range(most))
        octets = text.encode()
    else:
        octets = drawing.ConsumeBytes(drawing.remaining_bytes())
    return check(octets)


def check(octets: bytes) -> bool:
    """Whether the loader accepts it; then it means the same to the slow one."""
    document, by_events = load_yaml(octets, "f.yaml"), load_yaml(octets, "f.yaml", by_events=True)
    assert (repr(document.data), document.diagnostics) == (repr(by_events.data), by_events.diagnostics)
    assert _mappings(document, document.data) == _mappings(by_events, by_events.data)
    # the slow one ends a plain scalar at a tab, which section 7.3.3 of YAML 1.2.2 allows inside
    if document.diagnostics or b"\t" in octets:
        return False
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    text = octets.decode()
    try:
        node = yaml.compose(text)
    except YAMLError as exc:
        if _is_allowed(exc, text):
            return False
        raise AssertionError("accepted, and refused by the slow one") from exc
    assert repr(_value(node)) == repr(document.data)
    return True


def _is_allowed(error: YAMLError, text: str) -> bool:
    """Whether the slow one refuses what YAML 1.2.2 allows."""
    if _STRICTER in str(error):
        return True
    if not isinstance(error, MarkedYAMLError):
        return False
    at = error.problem_mark.index
    if isinstance(error, ComposerError):
        return text.startswith("...", at)  # many may end a document (section 9.2)
    # a value stands right behind a quoted key in a sequence, too (section 7.4.2, c-ns-flow-map-adjacent-value)
    return text[at - 1 : at + 1] in {'":', "':"}


def _mappings(document: Document, node: object) -> list[tuple[int, int]]:
    """Where each mapping begins."""
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    own = [document._starts[id(node)]] if isinstance(node, dict) else []  # noqa: SLF001 - cheaper than asking for each
    return own + [place for each in below for place in _mappings(document, each)]


def _value(node: Node) -> object:
    if isinstance(node, SequenceNode):
        return [_value(item) for item in node.value]
    if isinstance(node, MappingNode):
        return {_value(key): _value(item) for key, item in node.value}
    assert isinstance(node, ScalarNode)
    return node.value if node.style else _plain(node.value)


def _plain(text: str) -> object:
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _DECIMAL.fullmatch(text):
        return int(text)
    for prefix, base in (("0o", 8), ("0x", 16)):
        digits = text[2:].lower()
        if text.startswith(prefix) and digits and set(digits) <= set("0123456789abcdef"[:base]):
            return int(digits, base)
    if _INFINITE.fullmatch(text) or text in _NO_NUMBER:
        return float(text.lower().replace(".", ""))
    return float(text) if _FLOAT.fullmatch(text) else text
