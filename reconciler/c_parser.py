"""libyaml's parser, by ruamel.yaml.clib; whoever reads events imports it from here.

A stand-in in Python would be twenty times slower, and accept other documents: no run begins with one.
"""

from __future__ import annotations

import importlib.machinery
from typing import TYPE_CHECKING, Any

import _ruamel_yaml

if TYPE_CHECKING:
    from reconciler.plain_yaml import Position

__all__ = ["CParser", "mark_position"]

if not _ruamel_yaml.__file__.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES)):
    raise ImportError("the C parser of ruamel.yaml.clib is not in use; install ruamel.yaml.clib")

CParser = _ruamel_yaml.CParser


def mark_position(mark: Any) -> Position:  # noqa: ANN401 - the C extension's class is not published
    """A mark's line and column, from 1."""
    return mark.line + 1, mark.column + 1
