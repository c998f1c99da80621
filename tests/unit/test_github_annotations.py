"""Annotations: workflow commands that say what is meant and obey nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from builders import MX_KEY, document, facts
from github_builders import FINDING, OTHER, applied, drift_of, hostile_apply, many, plan_of, result
from hostile import IN_DOCUMENTS, assert_no_controls, hostile_document

from reconciler.document import DiagnosticDocument
from reconciler.drift import DriftSeverity
from reconciler.errors import Severity
from reconciler.github.annotations import (
    Annotation,
    apply_annotations,
    drift_annotations,
    plan_annotations,
    render_annotations,
)
from reconciler.manifest.fleet import Source
from reconciler.state import Cause, Unknown

_COMMAND = re.compile(r"::(?P<kind>error|warning|notice)(?P<properties> [^\n]*?)?::(?P<message>[^\n]*)")


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_every_line_is_one_command_of_ours(text: str) -> None:
    finding = replace(FINDING, domain=text, code=text, summary=text, repair=text, source=Source(text, 3))
    for told in (
        plan_annotations(hostile_document(text)),
        apply_annotations(hostile_apply(text)),
        drift_annotations(drift_of(finding, errors=[text])),
    ):
        lines = render_annotations(told).splitlines()
        assert lines
        for line in lines:
            assert_no_controls(line)
            match = _COMMAND.fullmatch(line)
            assert match is not None
            for pair in (match["properties"] or "").strip().split(","):
                name, _, value = pair.partition("=")
                assert name in {"file", "line", "title", ""}
                assert ":" not in value


@pytest.mark.parametrize(
    ("number", "shown", "last"), [(9, 9, ""), (10, 10, ""), (11, 10, "2 more"), (500, 10, "491 more")]
)
def test_the_tenth_of_a_kind_says_how_many_more_there_are(number: int, shown: int, last: str) -> None:
    lines = render_annotations(Annotation("error", f"t{i}", "m") for i in range(number)).splitlines()
    assert len(lines) == shown
    assert lines[0] == "::error title=t0::m"
    assert last in lines[-1]
    assert ("more" in lines[-1]) == bool(last)


def test_the_worst_kind_comes_first_and_each_has_its_own_ten() -> None:
    given = [Annotation(kind, "t", "m") for kind in ("notice", "error", "warning") for _ in range(12)]
    kinds = [line.split()[0].split("::")[1] for line in render_annotations(given).splitlines()]
    assert kinds == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 10


def test_places_are_files_of_the_repository() -> None:
    def shown(file: str, line: int) -> str:
        return render_annotations([Annotation("error", "t", "m", file, line)]).strip()

    assert shown("manifests/a,b:c.yaml", 3) == "::error file=manifests/a%2Cb%3Ac.yaml,line=3,title=t::m"
    assert shown("reconciler.yaml", 0) == "::error file=reconciler.yaml,title=t::m"
    assert shown("/etc/passwd", 3) == "::error title=t::m"
    assert shown("a/../../b", 3) == "::error title=t::m"


def test_severities_of_a_plan() -> None:
    unread = facts(mx=Unknown(Cause.TIMEOUT, "silence at ns1.acme.example."))
    told = DiagnosticDocument(severity=Severity.ERROR, code="broken", summary="it is broken.", detail="Mend\nit.")
    made = document(unread)
    given = list(plan_annotations(made.model_copy(update={"diagnostics": [told]})))
    assert given[0] == Annotation("error", "broken", "it is broken. Mend it.")
    [unknown] = [a for a in given if a.kind == "warning"]
    assert unknown.title == f"{MX_KEY.name.removesuffix('.')}/mx: unknown"
    assert "silence" in unknown.message
    assert (unknown.file, unknown.line) == ("manifests/acme.yaml", 7)
    assert {a.kind for a in plan_annotations(plan_of(1))} == {"notice"}


def test_severities_of_an_apply_and_of_drift() -> None:
    made = applied(result("applied"), result("stale", "base-moved", "moved"), result("failed", "x", "broken"))
    assert [(a.kind, a.title) for a in apply_annotations(made)] == [
        ("error", "acme.example: failed"),
        ("error", "acme.example: stale"),
    ]
    low = replace(FINDING, severity=DriftSeverity.LOW)
    medium = replace(FINDING, severity=DriftSeverity.MEDIUM)
    assert [a.kind for a in drift_annotations(drift_of(FINDING, OTHER, medium, low))] == [
        "error",
        "error",
        "warning",
        "notice",
    ]
    assert len(render_annotations(drift_annotations(drift_of(*many(10_000)))).splitlines()) == 10
