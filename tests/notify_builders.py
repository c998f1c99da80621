"""Builders of what notifications are decided from: findings and documents of drift and applies, and endpoints."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from builders import NOW

from reconciler.document.applied import ApplyDocument
from reconciler.drift import DriftClass, DriftDocument, DriftSeverity
from reconciler.notify.record import Endpoint, Event, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
EVERY_SEVERITY = frozenset(s.value for s in DriftSeverity)


def finding(domain: str = "acme.example", code: str = "mx-not-gateway", **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A finding of a drift document; its fingerprint is told by organization, domain and code."""
    organization = changes.get("organization", "acme")
    return {
        "fingerprint": f"{organization}|{domain}|{code}",
        "code": code,
        "class": "out-of-band",
        "is_certain": True,
        "severity": "critical",
        "organization": organization,
        "domain": domain,
        "resource": {"kind": "rrset", "name": f"{domain}.", "type": "MX", "zone": f"{domain}."},
        "expected": ["0 eu.mx-pp.com."],
        "observed": ["10 mail.acme.example."],
        "first_seen": (NOW - 2 * HOUR).isoformat(),
        "age_hours": 2,
        "summary": f"mail to {domain} no longer goes through the gateway",
        "cause": "",
        "repair": "Apply again.",
        "held_by": [],
        "not_before": None,
        "source": None,
        "changed_by": None,
        "is_ignored": False,
        "ignored_by": None,
        **changes,
    }


def held(domain: str = "acme.example", hours: int = 30, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A finding whose repair waits for a gate."""
    given = {"severity": "info", "class": "pending", "held_by": ["ttl"], "age_hours": hours, **changes}
    return finding(domain, "mx-not-switched", **given)


def unread(domain: str = "acme.example", **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A finding that says that nobody could look."""
    return finding(domain, "not-observed", **{"class": "unknown", "severity": "medium", **changes})


def drift(
    *findings: dict[str, Any],
    at: datetime = NOW,
    domains: Iterable[tuple[str, str]] = (("acme", "acme.example"),),
    diagnostics: Sequence[dict[str, Any]] = (),
) -> DriftDocument:
    """A drift document of a look at these domains, by organization and name."""
    return DriftDocument.model_validate(
        {
            "format_version": "1.0",
            "kind": "drift",
            "digest": "sha256:0",
            "commit": None,
            "manifests_digest": "sha256:1",
            "catalog_digest": "sha256:2",
            "created_at": at,
            "summary": {
                "severities": dict.fromkeys(DriftSeverity, 0),
                "classes": dict.fromkeys(DriftClass, 0),
                "ignored": 0,
                "domains": 0,
                "in_sync": 0,
            },
            "domains": [{"organization": o, "domain": d, "stage": "protected"} for o, d in domains],
            "findings": list(findings),
            "diagnostics": list(diagnostics),
        }
    )


def drift_json(*findings: dict[str, Any], **changes: Any) -> str:  # noqa: ANN401
    """Its JSON."""
    return drift(*findings, **changes).model_dump_json(by_alias=True)


def result(domain: str = "acme.example", **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A domain whose MX an apply moved."""
    step = {
        "id": f"{domain}/mx",
        "phase": changes.pop("phase", "switch"),
        "resource": {"kind": "rrset", "name": f"{domain}.", "type": "MX", "zone": f"{domain}."},
        "before": ["10 mail.acme.example."],
        "after": ["0 eu.mx-pp.com."],
    }
    return {
        "organization": "acme",
        "domain": domain,
        "became": "applied",
        "steps": [step],
        "code": "",
        "message": "",
        "is_seen": True,
        **changes,
    }


def applied(*results: dict[str, Any], at: datetime = NOW) -> ApplyDocument:
    """An apply document."""
    return ApplyDocument.model_validate(
        {
            "format_version": "1.0",
            "kind": "apply",
            "plan_id": None,
            "commit": None,
            "run": "somebody",
            "created_at": at,
            "exit_code": 0,
            "results": list(results),
            "waiting": 0,
            "undo": [],
            "diagnostics": [],
        }
    )


def applied_json(*results: dict[str, Any], at: datetime = NOW) -> str:
    """Its JSON."""
    text = applied(*results, at=at).model_dump_json()
    assert json.loads(text)["kind"] == "apply"
    return text


def endpoint(*events: Event, name: str = "CHAT", **changes: Any) -> Endpoint:  # noqa: ANN401
    """An endpoint that is told these events, or all of them."""
    return Endpoint(name, (Rule(frozenset(events or Event), changes.pop("severities", EVERY_SEVERITY), **changes),))
