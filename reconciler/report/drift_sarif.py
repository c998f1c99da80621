"""Drift as SARIF 2.1.0 (OASIS Standard): a rule for each code, a result for each finding at its manifest's line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reconciler import __version__
from reconciler.drift import DriftSeverity
from reconciler.escape import sarif_text, terminal_text
from reconciler.report.drift_words import about_text, class_text, ignored_text, since_text

if TYPE_CHECKING:
    from reconciler.drift import DriftDocument, FindingDocument

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "mailGatewayDrift/v1"
_LEVELS = {
    DriftSeverity.CRITICAL: "error",
    DriftSeverity.HIGH: "error",
    DriftSeverity.MEDIUM: "warning",
    DriftSeverity.LOW: "note",
    DriftSeverity.INFO: "note",
}


def render_drift_sarif(document: DriftDocument) -> str:
    """The log as JSON text, in ASCII; ignored findings are suppressed results (section 3.27.23)."""
    codes = sorted({f.code for f in document.findings})
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "mail-gateway-reconciler",
                        "semanticVersion": __version__,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(f, codes.index(f.code)) for f in document.findings],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=True) + "\n"


def _rule(code: str) -> dict[str, Any]:
    text = f"Drift of mail domains: {code.replace('-', ' ')}"
    return {"id": code, "name": code.title().replace("-", ""), "shortDescription": {"text": text}}


def _result(finding: FindingDocument, rule: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "kind": "fail",
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "properties": {
            "class": finding.drift_class.value,
            "isCertain": finding.is_certain,
            "severity": finding.severity.value,
            "firstSeen": finding.first_seen.isoformat(),
        },
        "locations": [_location(finding)],
    }
    if finding.is_ignored:
        reason = sarif_text(ignored_text(finding))
        result["suppressions"] = [{"kind": "external", "justification": reason}]
    return result


def _message(finding: FindingDocument) -> str:
    whose = finding.domain or finding.organization
    parts = [
        f"{whose}: {finding.summary}.",
        f"{class_text(finding)}{f' ({finding.cause})' if finding.cause else ''}.",
        f"Since {since_text(finding)}.",
        finding.repair,
    ]
    return sarif_text(" ".join(parts))


def _location(finding: FindingDocument) -> dict[str, Any]:
    """Where it is declared, and what it is about; the latter alone where nothing declares it."""
    location: dict[str, Any] = {
        "logicalLocations": [{"name": terminal_text(about_text(finding)), "kind": "resource"}],
    }
    source = finding.source
    if source is not None:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(source.file.encode("utf-8", "surrogateescape"))},
            "region": {"startLine": max(1, source.line)},
        }
    return location
