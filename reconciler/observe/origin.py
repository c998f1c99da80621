"""Observing a service's origin: the exports that its manifest names, each read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.observe.exports import read_allowlist_export, read_mail_rule_export
from reconciler.origin import AllowlistFact, MailRuleFact, OriginFacts
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from reconciler.manifest.fleet import Service, ServiceAllowlist, ServiceSpamRule


def observe_origin(service: Service, directory: Path, *, now: datetime, max_age_hours: int) -> OriginFacts:
    """What the service's exports say; paths are relative to `directory`. Nothing that a file holds raises."""

    def allowlist(each: ServiceAllowlist) -> AllowlistFact:
        if each.export is None:
            return AllowlistFact(each, None)
        target = ALLOWLIST_TARGETS[each.declared.target]
        path = directory / each.export
        observed = read_allowlist_export(path, target, each.declared, now, max_age_hours, within=directory)
        return AllowlistFact(each, observed)

    def mail_rule(rule: ServiceSpamRule) -> MailRuleFact:
        if rule.export is None or rule.target is None:
            return MailRuleFact(rule, None)
        path = directory / rule.export
        target = MAIL_RULE_TARGETS[rule.target]
        return MailRuleFact(rule, read_mail_rule_export(path, target, now, max_age_hours, within=directory))

    return OriginFacts(
        service,
        tuple(allowlist(each) for each in service.allowlists),
        mail_rule(service.spam_rule) if service.spam_rule is not None else None,
    )
