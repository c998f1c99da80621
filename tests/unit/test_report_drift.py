"""Drift in six forms: whatever stands in a zone, a manifest or a commit stays text in each."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from builders import NOW, SOURCE
from defusedxml.ElementTree import fromstring
from drift_forms import RENDERERS, assert_form_is_sound
from hostile import IN_DOCUMENTS, Page, code_spans

from reconciler.document import DiagnosticDocument, DocumentHead
from reconciler.drift import AuthorDocument, DriftClass, DriftDocument, DriftDomainDocument, build_drift_document
from reconciler.drift.finding import DriftSeverity, Finding, Resource, certain, uncertain
from reconciler.errors import ExitCode, Severity, worst_exit_code
from reconciler.escape import terminal_text
from reconciler.manifest.fleet import DriftIgnore, Source
from reconciler.plan import Stage
from reconciler.report.drift_markdown import render_drift_markdown
from reconciler.report.drift_text import render_drift_text
from reconciler.run_drift import drift_codes

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = DocumentHead(commit="0" * 40, manifests_digest="sha256:m", catalog_digest="sha256:c", created_at=NOW)
RULE = DriftIgnore("bypass-mx", None, "ops@acme.example", "moves in June", date(2027, 6, 30), SOURCE)
FINDING = Finding(
    code="token-removed",
    cause=certain(DriftClass.OUT_OF_BAND, "after the apply, somebody else removed it"),
    severity=DriftSeverity.CRITICAL,
    organization="acme",
    domain="acme.example",
    resource=Resource("rrset", "_amazonses.acme.example.", "TXT", "acme.example."),
    expected=('"token"',),
    observed=(),
    first_seen=NOW - timedelta(hours=30),
    summary="the token is gone",
    repair="`reconciler apply` puts it right.",
    source=SOURCE,
)
WAITING = replace(
    FINDING,
    code="mx-not-switched",
    cause=certain(DriftClass.PENDING),
    severity=DriftSeverity.INFO,
    resource=Resource("rrset", "acme.example.", "MX"),
    held_by=("ttl", "console"),
)
IGNORED = replace(FINDING, code="bypass-mx", ignored_by=RULE)


def drift(*findings: Finding, diagnostics: Sequence[DiagnosticDocument] = (), author: str = "Ada") -> DriftDocument:
    domains = [
        DriftDomainDocument(organization="acme", domain=name, stage=Stage.PROTECTED)
        for name in ("acme.example", "calm.example")
    ]
    sources = {f.source for f in findings if f.source is not None}
    authors = {s: AuthorDocument(author=author, commit="c" * 40, at=NOW) for s in sources}
    return build_drift_document(HEAD, domains, findings, diagnostics, authors)


def hostile(text: str) -> DriftDocument:
    """The text in every place that DNS, a manifest, a commit or a server can fill, and in some that they cannot."""
    rule = replace(RULE, owner=text, reason=text, source=Source(text, 3))
    given = replace(
        FINDING,
        cause=uncertain(DriftClass.UNAPPLIED, text),
        organization=text,
        domain=text,
        resource=Resource("rrset", text, text, text),
        expected=(text, text),
        observed=(text,),
        summary=text,
        repair=text,
        source=Source(text, 1),
        held_by=(text,),
    )
    other = replace(given, code="bypass-mx", ignored_by=rule)
    unread = replace(given, code="not-observed", cause=certain(DriftClass.UNKNOWN, text), resource=None, held_by=())
    failing = replace(given, code="mx-not-gateway", held_by=())
    told = DiagnosticDocument(severity=Severity.WARNING, code="x", summary=text, detail=text, file=text, line=1)
    return drift(given, other, unread, failing, diagnostics=[told], author=text)


@pytest.mark.parametrize("form", sorted(RENDERERS))
@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_nothing_in_drift_is_obeyed(form: str, text: str) -> None:
    rendered = RENDERERS[form](hostile(text))
    assert_form_is_sound(form, rendered)
    if form == "markdown":
        assert terminal_text(text) in code_spans(rendered)
    elif form == "html":
        assert Page(rendered).tags == Page(RENDERERS[form](hostile("plain"))).tags
    elif form == "junit":
        names = [suite.get("name") for suite in fromstring(rendered).iter("testsuite")]
        assert terminal_text(text) in names
    elif form == "text":
        # a finding begins a line, and nothing that it shows does
        begun = [line.split()[0] for line in rendered.splitlines() if line[:1].isupper()]
        assert begun[-5:] == ["CRITICAL", "CRITICAL", "CRITICAL", "Drift:"][-5:] or begun[-4:-1] == ["CRITICAL"] * 3


@pytest.mark.parametrize("form", sorted(RENDERERS))
def test_a_fleet_in_sync_is_told_in_every_form(form: str) -> None:
    assert_form_is_sound(form, RENDERERS[form](drift()))


def test_the_text_says_what_since_when_and_what_to_do() -> None:
    said = render_drift_text(drift(FINDING, IGNORED), color=False)
    assert said == (
        "CRITICAL acme.example  token-removed\n"
        "    the token is gone\n"
        "    what      TXT _amazonses.acme.example\n"
        '    expected  "token"\n'
        "    observed  nothing\n"
        "    why       out-of-band: somebody changed it\n"
        "              after the apply, somebody else removed it\n"
        "    since     2026-11-20 06:00+00:00 (30 h)\n"
        "    declared  manifests/acme.yaml:7\n"
        "    by        Ada, commit cccccccccccc, 2026-11-21 12:00+00:00\n"
        "    -> `reconciler apply` puts it right.\n"
        "\n"
        "ignored acme.example  bypass-mx, ignored by ops@acme.example until 2027-06-30: moves in June\n"
        "\n"
        "Drift: 1 critical, 1 ignored. 1 of 2 domains in sync.\n"
    )
    assert "\x1b[31mCRITICAL" in render_drift_text(drift(FINDING), color=True)


def test_a_class_that_the_journal_does_not_show_is_not_told_as_a_fact() -> None:
    maybe = replace(FINDING, cause=uncertain(DriftClass.UNAPPLIED, "nobody knows"))
    said = render_drift_text(drift(maybe), color=False)
    assert "why       unapplied or out-of-band: the journal does not show which" in said


def test_ignored_findings_alone_are_in_sync() -> None:
    made = drift(IGNORED)
    assert render_drift_text(made, color=False).endswith("No drift: 1 ignored. 2 of 2 domains in sync.\n")
    assert (made.summary.ignored, made.summary.severities[DriftSeverity.CRITICAL]) == (1, 0)


def test_markdown_stays_below_its_limit_and_says_what_is_left_out() -> None:
    many = [replace(FINDING, domain=f"d{i}.example") for i in range(10_000)]
    markdown = render_drift_markdown(drift(*many))
    assert len(markdown) <= 65_000
    told = markdown.count("#### critical")
    assert told > 50
    assert f"**{10_000 - told} more are left out here**" in markdown


def test_sarif_has_a_rule_for_each_code_and_the_line_and_fingerprint_of_each_finding() -> None:
    log = json.loads(RENDERERS["sarif"](drift(FINDING, IGNORED, WAITING)))
    (run,) = log["runs"]
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    assert rules == ["bypass-mx", "mx-not-switched", "token-removed"]
    first, ignored, waiting = run["results"]
    assert [rules[r["ruleIndex"]] for r in run["results"]] == [r["ruleId"] for r in run["results"]]
    assert [r["level"] for r in run["results"]] == ["error", "error", "note"]
    assert first["partialFingerprints"] == {"mailGatewayDrift/v1": FINDING.fingerprint}
    place = first["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("manifests/acme.yaml", 7)
    assert ignored["suppressions"][0]["justification"].endswith("moves in June")
    assert "suppressions" not in waiting


def test_junit_has_a_case_for_each_domain_and_gate_or_finding() -> None:
    suites = fromstring(RENDERERS["junit"](drift(FINDING, IGNORED, WAITING, replace(FINDING, code="not-observed"))))
    (suite,) = suites
    cases = {(c.get("classname"), c.get("name")): [e.tag for e in c] for c in suite}
    assert cases == {
        ("acme.example", "bypass-mx: TXT _amazonses.acme.example"): ["skipped"],
        ("acme.example", "mx-not-switched (console): MX acme.example"): ["skipped"],
        ("acme.example", "mx-not-switched (ttl): MX acme.example"): ["skipped"],
        ("acme.example", "not-observed: TXT _amazonses.acme.example"): ["failure"],
        ("acme.example", "token-removed: TXT _amazonses.acme.example"): ["failure"],
        ("calm.example", "in-sync"): [],
    }
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("6", "2", "3")


def test_the_digest_is_of_what_the_findings_mean() -> None:
    later = HEAD.model_copy(update={"created_at": NOW + timedelta(days=3)})
    one = build_drift_document(HEAD, [], [FINDING], [], {})
    two = build_drift_document(later, [], [replace(FINDING, first_seen=NOW)], [], {})
    assert one.digest == two.digest
    assert one.digest != build_drift_document(HEAD, [], [replace(FINDING, observed=("x",))], [], {}).digest


def test_markdown_says_what_else_is_known() -> None:
    many = tuple(f'"value-{i}"' for i in range(30))
    about = replace(FINDING, expected=many, domain="", first_seen=NOW - timedelta(days=9))
    undeclared = replace(FINDING, source=None, cause=certain(DriftClass.ORPHANED), resource=None, code="orphaned")
    markdown = render_drift_markdown(drift(about, undeclared))
    assert "#### critical: organization `acme` `token-removed`" in markdown
    assert "- expected: 10 more\n" in markdown
    assert "\\(9 days\\)" in markdown
    assert "by Ada, commit cccccccccccc" in markdown


def test_what_nothing_declares_has_no_line_in_sarif() -> None:
    log = json.loads(RENDERERS["sarif"](drift(replace(FINDING, source=None, resource=None))))
    (result,) = log["runs"][0]["results"]
    assert result["locations"] == [{"logicalLocations": [{"name": "acme.example", "kind": "resource"}]}]


def test_an_error_beside_the_findings_is_1_before_all_else() -> None:
    wrong = DiagnosticDocument(severity=Severity.ERROR, code="mail-flow", summary="it would lose mail", detail="Stop.")
    codes = drift_codes(drift(FINDING, WAITING, diagnostics=[wrong]), is_detailed=True, fail_on=DriftSeverity.HIGH)
    assert worst_exit_code(codes) is ExitCode.ERROR
