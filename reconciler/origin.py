"""What is known of a service's origin: each declared list and rule beside what its export said. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.manifest.fleet import Service, ServiceAllowlist, ServiceSpamRule
    from reconciler.state import Unknown
    from reconciler.targets.base import AllowlistContent
    from reconciler.targets.mail_rule import MailRuleContent


@dataclass(frozen=True, slots=True)
class AllowlistFact:
    """One declared list and what was observed; `observed` is None where there is no export and a person attests."""

    allowlist: ServiceAllowlist
    observed: AllowlistContent | Unknown | None


@dataclass(frozen=True, slots=True)
class MailRuleFact:
    """The declared spam rule and what was observed, likewise."""

    rule: ServiceSpamRule
    observed: MailRuleContent | Unknown | None


@dataclass(frozen=True, slots=True)
class OriginFacts:
    """Everything that is known of one service's origin."""

    service: Service
    allowlists: tuple[AllowlistFact, ...]
    mail_rule: MailRuleFact | None
