"""Every diagnostic's code, collected from the source: where one is made, its code and summary stand in the call.

What stands in a variable is looked up in the function around the call; what only a run knows is shown as a blank.
Codes of gates and hazards come from their classes, and are not collected here: the page on gates has them.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import reconciler
from reconciler.catalog import load_catalog
from reference.table import code_of, table_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PACKAGE = Path(reconciler.__file__).parent
BLANK = "…"
_CODE = re.compile(rf"[a-z][a-z0-9]*(-([a-z0-9]+|{BLANK}))*")


@dataclass(frozen=True, slots=True)
class _Maker:
    """A function that makes a diagnostic: which arguments are code and summary, and what stands before the code."""

    severity: str
    code: int = 0
    summary: int = 1
    before: str = ""


_MAKERS: Mapping[str, _Maker] = {
    "error": _Maker("error"),
    "RefusedValueError": _Maker("error"),
    "refuse": _Maker("error", summary=2),
    "_refused": _Maker("error"),
    "KindProblem": _Maker("error"),
    "build_name": _Maker("error"),
    "report": _Maker("error", before="yaml-"),
    "warning": _Maker("warning"),
    "Advice": _Maker("advisory"),
    "_advisory": _Maker("advisory", code=1, summary=2),
    "GateResult": _Maker("holds", summary=2),
}
_SEVERITIES = {"ERROR": "error", "WARNING": "warning", "ADVISORY": "advisory"}
# functions that give the parts of an error to somebody who makes it
_A_PAIR = 2
_GIVERS = ("tuple[str, str, str]", "Iterator[_Problem]")


@dataclass(frozen=True, slots=True, order=True)
class Code:
    """One way in which a diagnostic is made; `area` is the part of the package that does."""

    code: str
    severity: str
    summary: str
    area: str


def render_codes() -> str:
    """One table, by code; a code that says several things has a line for each."""
    found: dict[str, list[Code]] = {}
    for code in sorted(collect_codes() | set(_of_the_catalog())):
        found.setdefault(code.code, []).append(code)
    rows = []
    for name, ways in found.items():
        said = "<br>".join(dict.fromkeys(text_of(way.summary or BLANK) for way in ways))
        areas = ", ".join(sorted({way.area for way in ways}))
        rows.append((code_of(name), ", ".join(dict.fromkeys(way.severity for way in ways)), areas, said))
    return table_of(("code", "severity", "by", "says"), rows)


@cache
def collect_codes() -> frozenset[Code]:
    """Every code of the package."""
    files = PACKAGE.rglob("*.py")
    return frozenset(code for path in files for code in codes_in(path.read_text(encoding="utf-8"), _area(path)))


def _of_the_catalog() -> Iterator[Code]:
    """Advisories are data: the catalog has what is odd about the vendor's pages."""
    for advisory in load_catalog().advisories:
        yield Code(advisory.code, "advisory", advisory.summary, "catalog")


def codes_in(source: str, area: str = "") -> Iterator[Code]:
    """The codes of the diagnostics that a module makes."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    module = _Names(tree)
    for scope in [tree, *functions]:
        names = _Names(scope, None if scope is tree else module)
        for node in _own_nodes(scope):
            if isinstance(node, ast.Call):
                is_maker = isinstance(scope, ast.FunctionDef) and scope.name in _MAKERS
                # whoever makes them for others is told the rest of the code by those
                yield from (c for c in _called(node, names, area) if not (is_maker and BLANK in c.code))
            else:
                yield from _made(_given(node, scope), "error", names, area)


def _area(path: Path) -> str:
    """The first part of a module's name, as the reader sees it: `manifest`, `journal`, `run_import`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function or module itself, and not in a function within it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef):
            yield child
            yield from _own_nodes(child)


class _Names:
    """The texts that names stand for in a function or module, and in what is around it."""

    def __init__(self, scope: ast.AST, around: _Names | None = None) -> None:
        """Look at each assignment of the scope itself."""
        self._around = around
        self._texts: dict[str, list[tuple[int, list[str]]]] = {}
        self._branches = [(n.lineno, n.end_lineno or n.lineno) for n in _own_nodes(scope) if isinstance(n, ast.If)]
        for node in _own_nodes(scope):
            if isinstance(node, ast.Assign):
                for name, value in (pair for target in node.targets for pair in _pairs(target, node.value)):
                    self._texts.setdefault(name, []).append((node.lineno, _texts(value, self)))

    def texts(self, name: str, line: int) -> list[str]:
        """What the name may read on that line: what it was assigned last, in each branch where it was in branches."""
        earlier = [(at, texts) for at, texts in self._texts.get(name, []) if at <= line]
        if not earlier:
            return [] if self._around is None else self._around.texts(name, sys.maxsize)
        last = max(at for at, _ in earlier)
        begin, end = next(((a, b) for a, b in self._branches if a <= last <= b < line), (last, last))
        return [text for at, texts in earlier if begin <= at <= end for text in texts]


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _pairs(one, other)


def _called(node: ast.Call, names: _Names, area: str) -> Iterator[Code]:
    function = node.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    keywords = {word.arg: word.value for word in node.keywords}
    if name == "Diagnostic" and len(node.args) > 1:
        severity = _SEVERITIES.get(getattr(node.args[0], "attr", ""), "")
        yield from _made(node.args[1:], severity, names, area)
    elif name in _MAKERS:
        maker = _MAKERS[name]
        told = [keywords.get("code"), keywords.get("summary")]
        for number, position in enumerate((maker.code, maker.summary)):
            if told[number] is None and position < len(node.args):
                told[number] = node.args[position]
        yield from _made(told, maker.severity, names, area, before=maker.before)


def _given(node: ast.AST, scope: ast.AST) -> list[ast.expr]:
    """The parts of a tuple that is an error's code and summary, for somebody who makes it; none where it is no such."""
    if not isinstance(node, ast.Assign | ast.Yield | ast.Return) or not isinstance(node.value, ast.Tuple):
        return []
    parts = node.value.elts
    if isinstance(node, ast.Assign):
        is_code = len(parts) == _A_PAIR and isinstance(parts[0], ast.Constant) and "-" in str(parts[0].value)
        is_said = is_code and isinstance(parts[1], ast.JoinedStr | ast.Constant)
        return parts if is_said and isinstance(node.targets[0], ast.Name) else []
    gives = ast.unparse(scope.returns) if isinstance(scope, ast.FunctionDef) and scope.returns is not None else ""
    return parts if gives in _GIVERS else []


def _made(
    told: Iterable[ast.expr | None], severity: str, names: _Names, area: str, *, before: str = ""
) -> Iterator[Code]:
    code, summary, *_ = [*told, None, None]
    for written in _texts(code, names):
        if _CODE.fullmatch(written):
            for says in _texts(summary, names) or [""]:
                yield Code(f"{before}{written}", severity, says, area)


def _texts(node: ast.expr | None, names: _Names) -> list[str]:
    """What an expression may read, with blanks for what is known at run time alone."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(v.value) if isinstance(v, ast.Constant) else BLANK for v in node.values)]
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body, names), *_texts(node.orelse, names)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [f"{a}{b}" for a in _texts(node.left, names) or [BLANK] for b in _texts(node.right, names) or [BLANK]]
    if isinstance(node, ast.Name):
        return names.texts(node.id, node.lineno)
    return []
