"""What a plan is about once the changes are known, and what is told of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from builders import domain

from reconciler.changed import Changes, Scope, narrowed
from reconciler.changed.repository import Base
from reconciler.errors import Diagnostic, Severity
from reconciler.manifest.fleet import Lifecycle, Source
from reconciler.names import Name, canonical_name
from reconciler.selection import ChangedSince, Selection

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.manifest.fleet import Domain

COMMIT = "0123456789abcdef" * 2 + "01234567"
SHORT = "0123456789ab"
UNUSUAL = Diagnostic(Severity.ADVISORY, "no-merge-base", "summary", "detail")


def named(name: str, organization: str = "acme", **changes: Any) -> Domain:  # noqa: ANN401
    return domain(name=canonical_name(name), written=name, organization=organization, **changes)


ONE, TWO = named("one.example"), named("two.example", "other")


def scope(
    touched: Collection[Domain] = (),
    removed: Collection[Domain] = (),
    *everything: str,
    selection: Selection | None = None,
    gone: Collection[Name] = (),
) -> Scope:
    """The scope of one.example and two.example."""
    undeclared = tuple((d, Source("manifests/old.yaml", 7)) for d in removed)
    changes = Changes(Base(COMMIT), frozenset(d.name for d in touched), everything, undeclared)
    return narrowed((ONE, TWO), selection or Selection(), changes, gone)


def reason(made: Scope) -> str:
    assert made.left_out is not None
    assert made.left_out.since == COMMIT
    assert made.left_out.domains == 2 - len(made.domains)
    return made.left_out.reason


def test_what_is_touched_is_planned_and_the_rest_is_counted() -> None:
    made = scope([TWO])
    assert made.domains == (TWO,)
    assert reason(made) == f"1 domain was left out: nothing that touches it changed since {SHORT}."


def test_thousands_are_counted_so_that_they_can_be_read() -> None:
    many = [named(f"d{i}.example") for i in range(1235)]
    changes = Changes(Base(COMMIT, (UNUSUAL,)), frozenset({many[0].name}), (), ())
    made = narrowed(many, Selection(), changes)
    assert made.left_out is not None
    assert made.left_out.reason.startswith("1,234 domains were left out: nothing that touches them changed")
    assert made.diagnostics == (UNUSUAL,)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (scope([ONE, TWO]), f"Nothing was left out: every domain is touched since {SHORT}."),
        (
            scope([], [], "a is one", "b is two"),
            f"Nothing was left out: compared with {SHORT}, a is one; and b is two.",
        ),
        (scope(), f"Nothing to plan: the manifests declare the same as at {SHORT}."),
        (
            scope([], [named("old.example")]),
            f"Nothing to plan: the domains that are still declared are declared as at {SHORT}.",
        ),
        (
            scope(selection=Selection(organizations=("acme", "other"))),
            f"Nothing to plan: of the domains that were named none is touched since {SHORT}.",
        ),
    ],
)
def test_why_nothing_was_left_out_or_nothing_is_planned(made: Scope, said: str) -> None:
    assert reason(made) == said


def test_what_touches_everything_touches_everything() -> None:
    assert scope([], [], "the settings are not the same").domains == (ONE, TWO)


def test_what_is_declared_no_more_is_told_with_what_to_do() -> None:
    (told,) = scope([], [named("old.example", "elsewhere")]).diagnostics
    assert (told.severity, told.code, told.domain) == (Severity.WARNING, "undeclared", "old.example")
    assert "its MX and values stay as they are" in told.summary
    assert told.detail.startswith(f"It was declared in manifests/old.yaml, line 7, at {SHORT}.")
    assert "declare it again in elsewhere with `lifecycle: offboarded`" in told.detail


def test_what_was_declared_to_leave_may_go_once_it_is_gone() -> None:
    leaving = named("old.example", lifecycle=Lifecycle.OFFBOARDED)
    (told,) = scope([], [leaving]).diagnostics
    assert told.severity is Severity.ADVISORY
    assert "merge this when a plan has shown that it is gone" in told.detail
    assert scope([], [leaving], gone={leaving.name}).diagnostics == ()


def test_at_most_twenty_are_named() -> None:
    removed = [named(f"old{i:02}.example") for i in range(22)]
    told = scope([], removed).diagnostics
    assert [d.domain for d in told] == [*(f"old{i:02}.example" for i in range(20)), ""]
    assert told[-1].summary == "2 more domains are declared no more"
    assert scope([], removed[:21]).diagnostics[-1].summary == "1 more domain is declared no more"
    assert scope([], removed[:20]).diagnostics[-1].domain == "old19.example"


def test_only_what_was_named_is_told_of() -> None:
    removed = [named("old.example"), named("older.example", "other")]
    by_name = Selection(domains=("OLD.example",))
    by_organization = Selection(organizations=("other",))
    assert [d.domain for d in scope([], removed, selection=by_name).diagnostics] == ["old.example"]
    assert [d.domain for d in scope([], removed, selection=by_organization).diagnostics] == ["older.example"]


def test_a_selection_by_change_is_not_everything() -> None:
    """So that what is told of the fleet as a whole is not told of a part of it."""
    since = ChangedSince("HEAD", Path("reconciler.yaml"))
    assert Selection().is_everything
    assert not Selection(changed_since=since).is_everything
    assert not Selection(changed_since=since).is_narrow
    assert not Selection(domains=("one.example",)).is_everything
    assert Selection(changed_since=since).is_about(ONE.name, "acme")
