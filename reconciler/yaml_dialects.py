"""Texts that YAML 1.1, which octoDNS reads, takes for something else than YAML 1.2, which is read here.

Provider blocks are octoDNS's own, word for word: an `off` that is false there and a text here, and so true, must not
get past anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[tuple[str, ...], int, int]


def find_ambiguous(octets: bytes, data: dict[str, Any], keys: tuple[str, ...]) -> Iterator[Place]:
    """Path, line and column (from 1) of each key or value below `keys` that the two read differently.

    `data` is what YAML 1.2 reads in `octets`, without any error. An empty path is a place where the other reader gives
    up: PyYAML takes no tab between tokens, for one.
    """
    try:
        root = yaml.compose(octets, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        yield (), mark.line + 1, mark.column + 1
        return
    for key, node in root.value if root is not None else ():
        if key.value in keys:
            yield from _below(node, data[key.value], (key.value,))


def _below(node: Any, read: Any, path: tuple[str, ...]) -> Iterator[Place]:  # noqa: ANN401 - PyYAML has no types
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            own = (*path, key.value)
            yield from _below(key, key.value, own)
            yield from _below(value, read[key.value], own)
    elif isinstance(node, yaml.SequenceNode):
        for item, value in zip(node.value, read, strict=True):
            yield from _below(item, value, path)
    elif repr(_in_yaml_1_1(node)) != repr(read):
        yield path, node.start_mark.line + 1, node.start_mark.column + 1


def _in_yaml_1_1(node: Any) -> object:  # noqa: ANN401 - as above
    try:
        read: object = yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, yaml.YAMLError):
        # as in the date 2026-02-30: no value there at all
        return None
    return read
