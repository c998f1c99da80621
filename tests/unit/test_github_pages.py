"""What people read on GitHub: hostile values stay text, the counts come first, and nothing is cut inside a block."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from builders import MX_KEY, NOW, OLD_MX, PRIMARY, TXT_KEY, document, domain, facts, present
from github_builders import (
    HEAD,
    PLACE,
    PLAN_ID,
    applied,
    assert_github_markdown_is_safe,
    drift_of,
    hostile_apply,
    many,
    plan_of,
    quiet_plan,
    refused,
    result,
)
from hostile import IN_DOCUMENTS, code_spans, hostile_document

from reconciler.document import DiagnosticDocument, LeftOutDocument
from reconciler.errors import ExitCode, Severity
from reconciler.escape import terminal_text
from reconciler.github.apply_comment import refusal_note
from reconciler.github.apply_page import apply_page, is_refused, is_used
from reconciler.github.plan_page import is_quiet, plan_page, quiet_line
from reconciler.github.sticky import MAX_OCTETS, MOST_PARTS, PART_OCTETS, marked
from reconciler.report.drift_markdown import render_drift_markdown
from reconciler.state import Cause, Unknown


def plan_parts(*sizes: int) -> list[str]:
    return plan_page(plan_of(*sizes), PLACE, HEAD).parts(PLACE, limit=PART_OCTETS, most=MOST_PARTS)


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_nothing_in_a_plan_is_obeyed_in_a_comment(text: str) -> None:
    [part] = plan_page(hostile_document(text), PLACE, text).parts(PLACE, limit=PART_OCTETS, most=MOST_PARTS)
    assert_github_markdown_is_safe(marked("plan", 1, part))
    assert terminal_text(text) in code_spans(part)
    assert_github_markdown_is_safe(quiet_line(hostile_document(text), text))


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_nothing_in_an_apply_is_obeyed_in_a_comment(text: str) -> None:
    [part] = apply_page(hostile_apply(text), PLACE).parts(PLACE, limit=PART_OCTETS, most=MOST_PARTS)
    assert_github_markdown_is_safe(marked("apply", 1, part, refusal_note(text)))
    assert terminal_text(text) in code_spans(part)


def test_the_head_says_what_is_written_what_waits_and_for_which_commit() -> None:
    made = document(
        facts(mx=present(MX_KEY, OLD_MX)),
        facts(domain(organization="beta"), mx=Unknown(Cause.TIMEOUT, "silence")),
    )
    lines = plan_page(made, PLACE, HEAD).head.splitlines()
    assert lines[0] == "### Mail gateway plan: 2 to create in 2 of 2 domains"
    assert lines[2].startswith(f"For commit `{HEAD}`. Steps that wait: 1 held, 1 unknown. The whole plan is in [")
    assert "- **not everything could be observed, and that is left as it is** in 1 domain: `acme.example`" in lines
    assert "| `acme` | 1 | 1 | 0 | 0 | 1 | 0 | 0 |" in lines
    assert "| `beta` | 1 | 1 | 0 | 0 | 0 | 0 | 1 |" in lines


def test_the_tail_says_how_to_apply_it_and_until_when() -> None:
    tail = plan_page(plan_of(1), PLACE, HEAD).tail
    assert "`reconciler apply plan.json`" in tail
    assert tail.endswith("expires 2026-11-22 12:00+00:00.")


def test_what_is_ready_comes_before_what_waits() -> None:
    tokens = present(TXT_KEY, PRIMARY)
    held = facts(domain(organization="a-held", attestations=()), txt=tokens, mx=present(MX_KEY, OLD_MX))
    ready = facts(domain(organization="b-ready"), txt=tokens, mx=present(MX_KEY, OLD_MX))
    page = plan_page(document(held, ready), PLACE, HEAD)
    assert ["b-ready" in fold.summary for fold in page.folds] == [True, False]
    assert "- **the MX moves when this is applied** in 1 domain: `acme.example`" in page.head.splitlines()


def test_hundreds_of_organizations_and_warnings_are_counted() -> None:
    told = [
        DiagnosticDocument(severity=Severity.WARNING, code=f"w{i}", summary=f"warning {i}", detail="Mend it.")
        for i in range(50)
    ]
    made = plan_of(*[1] * 250)
    head = plan_page(made.model_copy(update={"diagnostics": told}), PLACE, HEAD).head
    assert head.count("| `org-") == 200
    assert "50 more organizations have something to do." in head
    assert head.count("- **warning**") == 20
    assert "- 30 more errors and warnings" in head


def test_what_changed_since_left_out_is_told() -> None:
    left = LeftOutDocument(since="1" * 40, domains=7, reason="7 domains are as on main @octocat.")
    head = plan_page(plan_of(1).model_copy(update={"left_out": left}), PLACE, HEAD).head
    assert "7 domains are as on main \\@&zwnj;octocat. Steps that wait: 1 held." in head
    assert_github_markdown_is_safe(head)


def test_few_domains_are_not_folded_away_and_many_are() -> None:
    assert "<details open>" in plan_parts(2)[0]
    assert "<details open>" not in plan_parts(9)[0]


def test_a_plan_is_quiet_when_nothing_changes_and_everything_was_read() -> None:
    assert is_quiet(quiet_plan())
    assert not is_quiet(plan_of(1))
    unread = document(facts(mx=Unknown(Cause.TIMEOUT, "silence"))).model_copy(update={"has_changes": False})
    assert not is_quiet(unread)
    taken_out = DiagnosticDocument(severity=Severity.WARNING, code="undeclared", summary="x is gone", detail="Declare.")
    assert not is_quiet(quiet_plan().model_copy(update={"diagnostics": [taken_out]}))
    assert quiet_line(quiet_plan(), HEAD) == (
        f"Mail gateway plan: nothing changes for commit `{HEAD}`; 0 domains as declared."
    )


def test_ten_thousand_changed_domains_are_readable_in_seconds() -> None:
    plan = plan_of(*[100] * 100)
    begun = time.monotonic()
    parts = plan_page(plan, PLACE, HEAD).parts(PLACE, limit=PART_OCTETS, most=MOST_PARTS)
    assert time.monotonic() - begun < 5
    assert len(parts) == MOST_PARTS
    for number, part in enumerate(parts, 1):
        body = marked("plan", number, f"*Part {number} of {MOST_PARTS}*\n\n{part}")
        assert len(body.encode()) <= MAX_OCTETS
        assert_github_markdown_is_safe(body)
    assert parts[0].startswith("### Mail gateway plan: 10,000 to create in 10,000 of 10,000 domains")
    assert all(f"`org-{i}`" in parts[0] for i in range(100))
    for told in (parts[0], parts[-1]):
        assert "left out here**: GitHub takes no more. The whole document is in [the run's artifacts]" in told
    shown = sum(part.count("**`d") for part in parts)
    left = int(parts[-1].split("> **")[1].split(" domain", maxsplit=1)[0].replace(",", ""))
    assert shown + left == 10_000


def test_an_apply_says_what_was_written_refused_and_waits_and_how_to_undo_it() -> None:
    made = applied(
        result("applied"),
        result("stale", "base-moved", "manifests/acme.yaml:12 declares something else"),
        result("failed", "apply-failed", "the server answers REFUSED"),
        result("already done"),
        waiting=3,
        exit_code=ExitCode.ERROR,
    )
    [part] = apply_page(made, PLACE).parts(PLACE, limit=PART_OCTETS, most=1)
    assert part.startswith(
        "### Mail gateway apply: 1 domain failed, 1 domain refused, 1 domain written, 1 domain done already\n"
    )
    assert "`base-moved`: manifests/acme\\.yaml\\:12 declares something else" in part
    assert "the manifests say something else than what was reviewed" in part
    assert "**Domains and services in which something waits: 3.**" in part
    assert "**To undo it**: revert this pull request." in part
    assert "`reviewed/1.undo.json` (safe until" in part
    assert "reconciler apply" not in part, "the journal that knows the undo plan is not where this is read"
    assert "(safe until 2026-11-21 13:00+00:00)" in part
    assert part.index("<b>failed</b>") < part.index("<b>refused</b>") < part.index("<b>written</b>")
    assert "  - add `0 in.example.`" in part
    assert_github_markdown_is_safe(part)


def test_a_plan_that_was_refused_as_a_whole_says_why_and_what_to_do() -> None:
    made = refused("plan-expired", "the plan expired at noon")
    page = apply_page(made, PLACE)
    assert page.head.startswith("### Mail gateway apply: the plan was refused, and nothing was written")
    assert "the plan expired at noon" in page.head
    assert "**to do**: plan again" in page.head
    assert (is_refused(made), is_used(made)) == (True, False)
    assert is_used(refused("plan-used"))
    assert not is_refused(applied(result("stale", "observed-changed"), exit_code=ExitCode.STALE))


def test_of_a_run_that_was_killed_nobody_says_that_nothing_was_written() -> None:
    head = apply_page(applied(exit_code=ExitCode.ERROR), PLACE).head
    assert head.startswith("### Mail gateway apply: it did not come to its end\n")
    assert "nothing was written" not in head
    assert "nothing was written" in apply_page(applied(), PLACE).head


def test_a_note_in_a_marker_is_a_plan_id_or_nothing() -> None:
    assert refusal_note(PLAN_ID) == f"refused {PLAN_ID}"
    assert refusal_note("x --> y") == ""


def test_drift_links_to_the_line_of_the_commit_and_to_nothing_outside() -> None:
    def source(file: str, line: int) -> str:
        return PLACE.source(file, line, "0" * 40)

    text = render_drift_markdown(drift_of(*many(1)), source=source)
    assert f"[`manifests/acme.yaml:7`](https://github.example/acme/mail/blob/{'0' * 40}/manifests/acme.yaml#L7)" in text
    assert source("../../etc/passwd", 1) == "`../../etc/passwd:1`"
    assert source("/etc/passwd", 1) == "`/etc/passwd:1`"
    assert source("a b)(.yaml", 2).endswith("/a%20b%29%28.yaml#L2)")
    assert PLACE.source("a.yaml", 1, None) == "`a.yaml:1`"
    assert PLACE.source("a.yaml", 1, "main](x)") == "`a.yaml:1`"


def test_plans_made_later_expire_later() -> None:
    later = plan_of(1, expires_at=NOW + timedelta(days=3))
    assert plan_page(later, PLACE, None).tail.endswith("expires 2026-11-24 12:00+00:00.")
