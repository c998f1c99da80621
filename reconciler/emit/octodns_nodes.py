"""A zone file as text with the places of its YAML nodes, read by the same parser as octoDNS's own.

A place is an index into the text. Lines end as the file's lines end; columns count from 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from reconciler.emit.octodns_values import RefusedError, encoded_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Node = Any  # PyYAML publishes no types

_OPEN_A_FILE = "Edit this record by hand, or put it into plain block style, and run again."


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replace `text[start:end]` by `replacement`."""

    start: int
    end: int
    replacement: str


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """The text with all edits made; they may touch and do not overlap."""
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    return text


class ZoneText:
    """The text of one zone file and its nodes; `path` is for messages."""

    def __init__(self, text: str, path: str) -> None:
        """Compose the text.

        Raises:
            RefusedError: it is no YAML mapping in block style with each name once.

        """
        self.text = text
        self.path = path
        self.newline = "\r\n" if "\r\n" in text else "\n"
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as exc:
            raise yaml_refusal(exc, path) from exc
        is_empty = root is None or (isinstance(root, yaml.ScalarNode) and not root.value)
        self.entries: list[tuple[Node, Node]] = [] if is_empty else self._checked_entries(root)

    def _checked_entries(self, root: Node) -> list[tuple[Node, Node]]:
        if not isinstance(root, yaml.MappingNode) or root.flow_style is True:
            raise self.refusal("the file is not a mapping in block style", root)
        seen: set[str] = set()
        for key, _ in root.value:
            if key.tag == "tag:yaml.org,2002:merge" or not isinstance(key, yaml.ScalarNode):
                raise self.refusal("names come from a merge key or are no plain names", key)
            name = encoded_name(key.value)
            if name in seen:
                message = f"the name {key.value!r} is there twice"
                raise self.refusal(message, key)
            seen.add(name)
        return list(root.value)

    def refusal(self, reason: str, node: Node, advice: str = _OPEN_A_FILE) -> RefusedError:
        """A refusal at the place of a node."""
        return RefusedError(reason, advice, file=self.path, line=node.start_mark.line + 1)

    def entry(self, name: str) -> tuple[Node, Node] | None:
        """The key and the value of a name in its encoded form."""
        return next(((k, v) for k, v in self.entries if encoded_name(k.value) == name), None)

    def check_unshared(self, node: Node) -> None:
        """See that nothing in a node is an alias, is aliased, is merged or has a tag of its own.

        Raises:
            RefusedError: an edit here would change something elsewhere, or cannot be seen from here.

        """
        counts: dict[int, int] = {}
        for _, value in self.entries:
            for each in walk(value, counts):
                counts[id(each)] = counts.get(id(each), 0) + 1
        for each in walk(node, {}):
            if counts.get(id(each), 0) > 1:
                raise self.refusal("the record is shared through an anchor and an alias", each)
            if not each.tag.startswith("tag:yaml.org,2002:"):
                message = f"the record has the tag {each.tag}"
                raise self.refusal(message, each)
            if each.tag == "tag:yaml.org,2002:merge":
                raise self.refusal("the record has a merge key", each)

    def line_start(self, index: int) -> int:
        """Where the line of a place begins."""
        return self.text.rfind("\n", 0, index) + 1

    def after_line(self, index: int) -> int:
        """Where the line after the one of a place begins, or the text's end."""
        end = self.text.find("\n", index)
        return len(self.text) if end < 0 else end + 1

    def column(self, index: int) -> int:
        """The column of a place."""
        return index - self.line_start(index)

    def is_first_on_line(self, index: int) -> bool:
        """Whether nothing but blanks stands before a place on its line."""
        return not self.text[self.line_start(index) : index].strip()

    def end(self, node: Node) -> int:
        """Where a node's own text ends: PyYAML's mark of a block's end lies behind the comments after it."""
        if isinstance(node, yaml.CollectionNode) and node.flow_style is not True:
            last = node.value[-1]
            return max(self.end(part) for part in (last if isinstance(last, tuple) else (last,)))
        mark = int(node.end_mark.index)
        if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}:
            return len(self.text[:mark].rstrip())
        return mark

    def after_block(self, node: Node, column: int) -> int:
        """The line after a block, comments that are indented deeper than `column` included."""
        position = after = self.after_line(self.end(node))
        while after < len(self.text):
            line = self.text[after : self.after_line(after)]
            stripped = line.lstrip(" ")
            if stripped.startswith("#") and len(line) - len(stripped) > column:
                position = self.after_line(after)
            elif stripped.strip():
                break
            after = self.after_line(after)
        return position

    def inserted(self, position: int, lines: Iterable[str], column: int) -> TextEdit:
        """Whole lines, put where a line begins or at the text's end, which keeps its final newline or lack of one."""
        block = self.newline.join(" " * column + line for line in lines)
        if position == len(self.text) and self.text and not self.text.endswith("\n"):
            return TextEdit(position, position, self.newline + block)
        return TextEdit(position, position, block + self.newline)


def walk(node: Node, visited: dict[int, int]) -> Iterator[Node]:
    """A node and all below it; what is in `visited` already is not entered again."""
    yield node
    if visited.get(id(node), 0) > 1 or isinstance(node, yaml.ScalarNode):
        return
    for part in node.value:
        for child in part if isinstance(part, tuple) else (part,):
            yield from walk(child, visited)


def is_mapping(node: Node) -> bool:
    """Whether a node is a mapping."""
    return isinstance(node, yaml.MappingNode)


def is_sequence(node: Node) -> bool:
    """Whether a node is a list."""
    return isinstance(node, yaml.SequenceNode)


def is_flow(node: Node) -> bool:
    """Whether a node is a collection in flow style."""
    return isinstance(node, yaml.CollectionNode) and node.flow_style is True


def is_plain_key(text: str) -> bool:
    """Whether a name, written without quotes, is read as that very string."""
    return (
        text.isascii()
        and text.replace("_", "a").replace("-", "a").replace(".", "a").isalnum()
        and (not text.startswith(("-", ".")) and yaml.safe_load(text) == text)
    )


def yaml_refusal(exc: Exception, path: str) -> RefusedError:
    """A refusal for a file that the parser or octoDNS's loader does not take."""
    mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
    problem = getattr(exc, "problem", None) or " ".join(str(exc).split())
    # octoDNS says the place of names that are out of order in words
    said = re.search(r" at .*, line (\d+), column \d+$", problem)
    line = mark.line + 1 if mark else int(said[1]) if said else 0
    reason = f"octoDNS cannot load the file: {problem[: said.start()] if said else problem}"
    return RefusedError(reason, "Correct the file first.", file=path, line=line)
