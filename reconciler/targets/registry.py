"""Every target, by the name that manifests use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.targets.exim_filter import EximFilter, EximSystemFilter
from reconciler.targets.plain import Plain
from reconciler.targets.sieve import Sieve
from reconciler.targets.spamassassin import SpamAssassin

if TYPE_CHECKING:
    from reconciler.targets.base import AllowlistTarget
    from reconciler.targets.mail_rule import MailRuleTarget

_ALLOWLIST_TARGETS: tuple[AllowlistTarget, ...] = (Plain(),)

ALLOWLIST_TARGETS: dict[str, AllowlistTarget] = {target.id: target for target in _ALLOWLIST_TARGETS}

_MAIL_RULE_TARGETS: tuple[MailRuleTarget, ...] = (
    Sieve(),
    EximSystemFilter(),
    EximFilter(),
    SpamAssassin(),
)

MAIL_RULE_TARGETS: dict[str, MailRuleTarget] = {target.id: target for target in _MAIL_RULE_TARGETS}
