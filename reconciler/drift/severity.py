"""How bad a finding is: by its code, and by whether mail goes through the gateway, class and age. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.drift.finding import DriftClass, DriftSeverity
from reconciler.errors import Severity

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from reconciler.drift.finding import Cause

_FIXED = {
    "token-removed": DriftSeverity.CRITICAL,
    "mx-not-gateway": DriftSeverity.CRITICAL,
    "bypass-mx": DriftSeverity.HIGH,
    "verified": DriftSeverity.MEDIUM,
    "next-hops-changed": DriftSeverity.MEDIUM,
    "orphaned": DriftSeverity.MEDIUM,
    "ttl": DriftSeverity.LOW,
    "spam-rule": DriftSeverity.LOW,
    "allowlist-stale": DriftSeverity.LOW,
}
# while mail goes through the gateway
_THROUGH_GATEWAY = {
    "token-missing": DriftSeverity.HIGH,
    "allowlist-address-missing": DriftSeverity.HIGH,
}
# nobody reaches a name like that
_BROKEN = frozenset({"cname-apex", "cname-token", "delegated", "no-such-zone"})
_OF_DIAGNOSTICS = {
    Severity.ERROR: DriftSeverity.MEDIUM,
    Severity.WARNING: DriftSeverity.MEDIUM,
    Severity.ADVISORY: DriftSeverity.LOW,
}


def severity_of(
    code: str,
    cause: Cause,
    age: timedelta,
    *,
    is_through_gateway: bool,
    not_before: datetime | None,
    patience: timedelta,
) -> DriftSeverity:
    """The severity of what differs; after `patience` something that only had to wait is more than that."""
    if cause.drift_class is DriftClass.UNKNOWN:
        return DriftSeverity.CRITICAL if is_through_gateway and code in _BROKEN else DriftSeverity.MEDIUM
    if cause.drift_class is DriftClass.PENDING and code in {"ttl", "allowlist-stale", "spam-rule"}:
        return _of_waiting(cause, age, not_before, patience)
    if code in _FIXED:
        return _FIXED[code]
    if is_through_gateway and code in _THROUGH_GATEWAY:
        return _THROUGH_GATEWAY[code]
    return _of_waiting(cause, age, not_before, patience)


def _of_waiting(cause: Cause, age: timedelta, not_before: datetime | None, patience: timedelta) -> DriftSeverity:
    if cause.drift_class is DriftClass.OUT_OF_BAND:
        return DriftSeverity.HIGH if cause.is_certain else DriftSeverity.MEDIUM
    if age >= patience and not_before is None:
        return DriftSeverity.MEDIUM
    return DriftSeverity.INFO if cause.drift_class is DriftClass.PENDING else DriftSeverity.LOW


def severity_of_hazard(code: str, severity: Severity, *, is_through_gateway: bool) -> DriftSeverity:
    """The severity of a hazard: an error of a domain whose mail goes through the gateway bounces mail, or loops."""
    if code in _FIXED:
        return _FIXED[code]
    if severity is Severity.ERROR and is_through_gateway:
        return DriftSeverity.CRITICAL
    return _OF_DIAGNOSTICS[severity]
