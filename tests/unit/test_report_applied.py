"""What an apply did, as text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import EU, MX_KEY, OLD_MX, PRIMARY, TXT_KEY, document, facts, present
from hostile import IN_DOCUMENTS, assert_log_is_safe, hostile_document

from reconciler.apply.result import ApplyReport, Became, DomainResult, Sight
from reconciler.continuation import UNREVIEWED
from reconciler.errors import Diagnostic, ExitCode, Severity, worst_exit_code
from reconciler.escape import log_text, terminal_text
from reconciler.names import Name
from reconciler.report.applied import render_applied
from reconciler.state import Cause, Key, Unknown

HELD = facts(mx=present(MX_KEY, OLD_MX))
IN_SYNC = facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU))


def _report(*results: DomainResult, held: bool = False) -> ApplyReport:
    return ApplyReport(results, document(HELD if held else IN_SYNC))


def _applied(shown_by: int = 2) -> DomainResult:
    steps = tuple(document(HELD).domains[0].steps[:1])
    return DomainResult("acme.example", Became.APPLIED, steps, sights=(Sight(TXT_KEY, shown_by, 2),))


def test_an_applied_domain_shows_what_was_written_and_where_it_is_seen() -> None:
    text = render_applied(_report(_applied()), color=False)
    assert text.startswith("acme.example  applied\n    + TXT _amazonses.acme.example\n")
    assert '        + "primary-token"\n' in text
    assert "TXT _amazonses.acme.example: seen at 2 of 2 authoritative servers\n" in text
    assert text.endswith("\nApply: 1 domain applied, 0 already done; 0 stale, 0 failed.\n")


def test_servers_that_are_behind_are_said() -> None:
    text = render_applied(_report(_applied(shown_by=1)), color=False)
    assert "seen at 1 of 2 authoritative servers; the others follow, and the next plan looks again" in text


def test_a_domain_that_was_not_applied_says_why_and_shows_no_values() -> None:
    steps = tuple(document(HELD).domains[0].steps)
    stale = DomainResult("a.example", Became.STALE, steps, "stale", "somebody was faster")
    failed = DomainResult("b.example", Became.FAILED, steps, "apply-failed", "REFUSED")
    text = render_applied(_report(stale, failed), color=False)
    assert "a.example  stale\n    somebody was faster\n" in text
    assert "b.example  failed\n    REFUSED\n" in text
    assert "primary-token" not in text
    assert text.endswith("Apply: 0 domains applied, 0 already done; 1 stale, 1 failed.\n")


def test_what_waits_is_counted() -> None:
    text = render_applied(_report(DomainResult("a.example", Became.ALREADY_DONE, ()), held=True), color=False)
    assert "a.example  already done\n" in text
    assert "0 domains applied, 1 already done; 0 stale, 0 failed. 1 domain waits for a gate" in text


def test_nothing_to_do_is_in_sync() -> None:
    assert render_applied(_report(), color=False) == "In sync. 1 domain, nothing to apply.\n"


def test_nothing_ready_is_not_in_sync() -> None:
    text = render_applied(_report(held=True), color=False)
    assert "In sync" not in text
    assert "waits for a gate" in text


def test_colours_are_there_when_asked_for() -> None:
    assert "\x1b[32mapplied\x1b[0m" in render_applied(_report(_applied()), color=True)
    assert "\x1b" not in render_applied(_report(_applied()), color=False)


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_nothing_that_a_server_says_is_obeyed(text: str) -> None:
    steps = tuple(s for d in hostile_document(text).domains for s in d.steps)
    results = [
        DomainResult(text, Became.FAILED, steps, "apply-failed", text),
        DomainResult(text, Became.APPLIED, steps, sights=(Sight(Key(Name(text), "TXT"), 0, 1),)),
    ]
    shown = render_applied(_report(*results), color=False)
    assert_log_is_safe(log_text(shown))
    assert terminal_text(text) in shown


@pytest.mark.parametrize(
    ("became", "held", "code"),
    [
        ((Became.APPLIED, Became.ALREADY_DONE), False, ExitCode.DONE),
        ((Became.APPLIED,), True, ExitCode.INCOMPLETE),
        ((Became.APPLIED, Became.STALE), True, ExitCode.STALE),
        ((Became.STALE, Became.FAILED), True, ExitCode.ERROR),
    ],
)
def test_the_worst_decides_the_exit_code(became: tuple[Became, ...], held: bool, code: ExitCode) -> None:  # noqa: FBT001
    report = _report(*(DomainResult("a.example", b, ()) for b in became), held=held)
    assert worst_exit_code(report.exit_codes) is code


def test_an_error_of_the_plan_is_an_error_of_the_apply() -> None:
    alias = document(facts(txt=Unknown(Cause.CNAME, "it is a CNAME")))
    assert worst_exit_code(ApplyReport((_applied(),), alias).exit_codes) is ExitCode.ERROR


UNREVIEWED_NOTE = Diagnostic(Severity.WARNING, UNREVIEWED, "a.example/mx is ready", "Review it.", domain="a.example")
OUTDATED = Diagnostic(Severity.WARNING, "reviewed-expired", "a reviewed plan does not go on", "Plan again.")


def test_what_waits_for_a_review_is_counted_and_leaves_the_run_incomplete() -> None:
    report = replace(_report(), notes=(UNREVIEWED_NOTE,))
    assert render_applied(report, color=False).endswith("0 failed. 1 step waits for a review.\n")
    two = replace(_report(), notes=(UNREVIEWED_NOTE, UNREVIEWED_NOTE._replace(summary="b.example/mx is ready")))
    assert "2 steps wait for a review." in render_applied(two, color=False)
    assert worst_exit_code(report.exit_codes) is ExitCode.INCOMPLETE
    assert report.diagnostics == [UNREVIEWED_NOTE]


def test_a_review_that_ended_is_stale_and_not_in_sync() -> None:
    report = replace(_report(), notes=(OUTDATED,), is_outdated=True)
    assert "In sync" not in render_applied(report, color=False)
    assert worst_exit_code(report.exit_codes) is ExitCode.STALE


def test_a_step_that_may_go_on_later_leaves_the_run_incomplete() -> None:
    """Its gates opened between the plan and the apply, which does not write what the review showed as held."""
    assert worst_exit_code(replace(_report(_applied()), is_waiting=True).exit_codes) is ExitCode.INCOMPLETE


def test_rounds_of_one_run_add_up() -> None:
    first = replace(_report(_applied()), notes=(UNREVIEWED_NOTE, OUTDATED), is_outdated=True, is_waiting=True)
    both = first.continued(replace(_report(_applied(0)), notes=(OUTDATED,)))
    assert [(r.became, len(r.steps), r.is_seen) for r in both.results] == [(Became.APPLIED, 2, False)]
    assert (both.notes, both.is_outdated, both.is_waiting) == ((OUTDATED,), True, False)
