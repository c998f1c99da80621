"""The expressions of workflows, as GitHub evaluates them; what the tests' runner does not know it refuses."""

from __future__ import annotations

import pytest
from workflows.expressions import ExpressionError, Scope, evaluate, filled, is_met

CONTEXTS = {
    "github": {"event_name": "pull_request", "repository": "acme/mail", "event": {"number": 7}},
    "vars": {},
    "env": {"IS_FORK": "true"},
}


def scope(*, is_failed: bool = False) -> Scope:
    return Scope(CONTEXTS, is_failed=is_failed)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'it''s'", "it's"),
        ("github.event_name == 'PULL_REQUEST'", True),
        ("github.event_name != 'push' && 'HEAD^1' || ''", "HEAD^1"),
        ("github.event.pull_request.head.repo.full_name != github.repository", True),
        ("github.event.pull_request.number || github.repository", "acme/mail"),
        ("vars.RECONCILER_PAGES == 'true'", False),
        ("vars.RECONCILER_PAGES == ''", True),
        ("github.event.number == '7'", True),
        ("github.event.number == 'seven'", False),
        ("!(true && false) && !null", True),
        ("true || false && false", True),
        ("format('{0}-{1}', github.repository, 1)", "acme/mail-1"),
        ("startsWith('refs/heads/main', 'REFS/')", True),
    ],
)
def test_values(expression: str, value: object) -> None:
    assert evaluate(expression, scope()) == value


@pytest.mark.parametrize(
    ("condition", "when_good", "when_failed"),
    [
        (None, True, False),
        ("env.IS_FORK == 'true'", True, False),
        ("${{ always() && env.IS_FORK == 'true' }}", True, True),
        ("${{ !cancelled() }}", True, True),
        ("failure()", False, True),
        ("env.IS_FORK == 'false'", False, False),
        (False, False, False),
    ],
)
def test_conditions_mean_success_where_they_name_no_status(
    condition: object, *, when_good: bool, when_failed: bool
) -> None:
    assert is_met(condition, scope()) is when_good
    assert is_met(condition, scope(is_failed=True)) is when_failed


def test_templates_are_filled_as_text() -> None:
    assert filled("${{ github.event.number }} of ${{ github.repository }}: ${{ env.MISSING }}", scope()) == (
        "7 of acme/mail: "
    )
    assert filled("${{ true }}", scope()) == "true"


def test_json_is_read() -> None:
    assert evaluate("fromJSON('[1, \"two\"]')", scope()) == [1, "two"]


@pytest.mark.parametrize(
    "expression",
    [
        "fromJSON('[1,')",
        "hashFiles('x')",
        "matrix.python",
        "github.event[0]",
        "'open",
        "1 +",
        "(true",
        "true true",
        "",
        "success(",
    ],
)
def test_the_rest_of_the_language_is_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, scope())


def test_a_context_is_no_text() -> None:
    with pytest.raises(ExpressionError):
        filled("${{ github.event }}", scope())
