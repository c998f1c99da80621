"""Errors cross from the process of a worker to the one that tells them, whole."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
from typing import TYPE_CHECKING, TypeVar

import pytest

import reconciler
from reconciler.errors import Diagnostic, ReconcilerError, Severity
from reconciler.github.errors import GithubError

if TYPE_CHECKING:
    from collections.abc import Iterator

FOUND = [
    Diagnostic(Severity.ERROR, "one", "first", "do this", "manifests/a.yaml", 3, 4, "a.example"),
    Diagnostic(Severity.WARNING, "two", "second", "do that"),
]


def kinds(of: type[ReconcilerError] = ReconcilerError) -> Iterator[type[ReconcilerError]]:
    """Every kind of error that the program has."""
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


E = TypeVar("E", bound=ReconcilerError)


def sent(error: E) -> E:
    """What arrives in another process."""
    back: E = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    return back


for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
    if module.name != "reconciler.__main__":
        importlib.import_module(module.name)


KINDS = sorted(set(kinds()), key=str)


@pytest.mark.parametrize("kind", [k for k in KINDS if not issubclass(k, GithubError)], ids=lambda kind: kind.__name__)
def test_it_comes_back_as_it_went(kind: type[ReconcilerError]) -> None:
    back = sent(kind(FOUND))
    assert type(back) is kind
    assert (back.diagnostics, str(back), back.exit_code) == (tuple(FOUND), "first; second", kind.exit_code)


@pytest.mark.parametrize("kind", [k for k in KINDS if issubclass(k, GithubError)], ids=lambda kind: kind.__name__)
def test_what_a_kind_has_beside_its_diagnostics_comes_too(kind: type[GithubError]) -> None:
    error = kind("no", "do this", status=404)
    back = sent(error)
    assert type(back) is kind
    assert (back.diagnostics, back.status) == (error.diagnostics, 404)
