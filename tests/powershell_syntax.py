"""What a parser sees in a PowerShell script: its errors, the commands that it calls, and its strings.

The parser is tree-sitter's. It takes syntax of PowerShell 7 that 5.1 refuses, and does not know that PowerShell reads
typographic quotes as quotes: scripts must be ASCII as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tree_sitter_powershell
from tree_sitter import Language, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_PARSER = Parser(Language(tree_sitter_powershell.language()))


def parse(script: str) -> Node:
    """The root of a script's tree."""
    return _PARSER.parse(script.encode()).root_node


def nodes(root: Node) -> Iterator[Node]:
    """Every node below and with the root."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending += node.children


def text_of(node: Node) -> str:
    """What the node stands for in the script."""
    assert node.text is not None
    return node.text.decode()


def errors(root: Node) -> list[str]:
    """Every place that is no PowerShell, with its line from 1."""
    wrong = [node for node in nodes(root) if node.is_error or node.is_missing]
    return [f"{node.start_point[0] + 1}: {text_of(node)[:60]}" for node in wrong]


def texts(root: Node, kind: str) -> set[str]:
    """The texts of all nodes of one kind, as `command_name`."""
    return {text_of(node) for node in nodes(root) if node.type == kind}


def function_names(root: Node) -> set[str]:
    """The functions that the script defines."""
    return texts(root, "function_name")


def literals(root: Node) -> set[str]:
    """What the single-quoted strings of a script stand for."""
    return {text[1:-1].replace("''", "'") for text in texts(root, "verbatim_string_characters")}
