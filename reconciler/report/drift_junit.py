"""Drift as JUnit XML: a suite for each organization, a case for each domain and what is found of it, or in sync.

The format that Jenkins, GitLab and others read: `testsuites`, `testsuite`, `testcase` with `failure`, `error` or
`skipped`. Unknown is an error; what waits, and what is ignored, is skipped.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.drift import DriftClass
from reconciler.escape import xml_text
from reconciler.report.drift_words import about_text, class_text, ignored_text, place_text, since_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.drift import DriftDocument, FindingDocument

IN_SYNC = "in-sync"
_ELEMENTS = {DriftClass.UNKNOWN: "error", DriftClass.PENDING: "skipped"}


def render_drift_junit(document: DriftDocument) -> str:
    """The whole document as XML 1.0 in ASCII."""
    cases: dict[str, list[tuple[str, str]]] = defaultdict(list)
    found = {f.domain for f in document.findings}
    for finding in document.findings:
        cases[finding.organization] += _cases(finding)
    for domain in document.domains:
        if domain.domain not in found:
            cases[domain.organization].append(("", _case(domain.domain, IN_SYNC, "")))
    kinds = [kind for suite in cases.values() for kind, _ in suite]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="mail gateway drift"{_counts(kinds)}>']
    time = document.created_at.strftime("%Y-%m-%dT%H:%M:%S")
    for organization in sorted(cases):
        suite = cases[organization]
        counts = _counts([kind for kind, _ in suite], skipped=True)
        lines.append(f'  <testsuite name="{xml_text(organization)}"{counts} timestamp="{time}" time="0">')
        lines += (text for _, text in sorted(suite, key=lambda case: case[1]))
        lines.append("  </testsuite>")
    text = "\n".join([*lines, "</testsuites>", ""])
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _counts(kinds: list[str], *, skipped: bool = False) -> str:
    counts = f' tests="{len(kinds)}" failures="{kinds.count("failure")}" errors="{kinds.count("error")}"'
    return counts + (f' skipped="{kinds.count("skipped")}"' if skipped else "")


def _cases(finding: FindingDocument) -> Iterator[tuple[str, str]]:
    """One for each gate that the repair waits for, or one for the finding; the kind beside its text."""
    kind = "skipped" if finding.is_ignored else _ELEMENTS.get(finding.drift_class, "failure")
    about = about_text(finding)
    for name in [f"{finding.code} ({gate})" for gate in finding.held_by] or [finding.code]:
        full = f"{name}: {about}" if about != finding.domain else name
        yield kind, _case(finding.domain or "service", full, _outcome(kind, finding))


def _case(domain: str, name: str, outcome: str) -> str:
    opening = f'    <testcase classname="{xml_text(domain)}" name="{xml_text(name)}" time="0"'
    return f"{opening}>\n{outcome}\n    </testcase>" if outcome else f"{opening}/>"


def _outcome(kind: str, finding: FindingDocument) -> str:
    message = xml_text(ignored_text(finding) or finding.summary)
    if kind == "skipped":
        return f'      <skipped message="{message}"/>'
    told = [
        finding.severity.value,
        class_text(finding),
        finding.cause,
        *(f"expected {value}" for value in finding.expected),
        *(f"observed {value}" for value in finding.observed),
        f"since {since_text(finding)}",
        f"declared {place_text(finding)}" if finding.source is not None else "",
        finding.repair,
    ]
    body = "\n".join(xml_text(line) for line in told if line)
    return f'      <{kind} type="{xml_text(finding.code)}" message="{message}">{body}</{kind}>'
