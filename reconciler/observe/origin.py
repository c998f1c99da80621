"""Observing services' origins: the exports that manifests name, each read once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from reconciler.observe.exports import read_allowlist_export, read_mail_rule_export
from reconciler.origin import AllowlistFact, MailRuleFact, OriginFacts
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from reconciler.manifest.fleet import Service
    from reconciler.state import Unknown
    from reconciler.targets.base import AllowlistContent, DeclaredAllowlist
    from reconciler.targets.mail_rule import MailRuleContent


class OriginObserver:
    """Reads the exports of many services: of those that share one it is read and understood once.

    Paths are relative to `directory`. Nothing that a file holds raises.
    """

    def __init__(self, directory: Path, *, now: datetime, max_age_hours: int) -> None:
        """Read nothing yet."""
        self._directory = directory
        self._now = now
        self._max_age_hours = max_age_hours
        self._allowlist = cache(self._read_allowlist)
        self._mail_rule = cache(self._read_mail_rule)

    def observe(self, service: Service) -> OriginFacts:
        """What the service's exports say."""
        allowlists = tuple(
            AllowlistFact(
                each, None if each.export is None else self._allowlist(self._directory / each.export, each.declared)
            )
            for each in service.allowlists
        )
        rule = service.spam_rule
        if rule is None:
            return OriginFacts(service, allowlists, None)
        is_exported = rule.export is not None and rule.target is not None
        observed = self._mail_rule(self._directory / str(rule.export), str(rule.target)) if is_exported else None
        return OriginFacts(service, allowlists, MailRuleFact(rule, observed))

    def _read_allowlist(self, path: Path, declared: DeclaredAllowlist) -> AllowlistContent | Unknown:
        target = ALLOWLIST_TARGETS[declared.target]
        return read_allowlist_export(path, target, declared, self._now, self._max_age_hours, within=self._directory)

    def _read_mail_rule(self, path: Path, target: str) -> MailRuleContent | Unknown:
        rules = MAIL_RULE_TARGETS[target]
        return read_mail_rule_export(path, rules, self._now, self._max_age_hours, within=self._directory)
