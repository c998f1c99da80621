"""Exchange Server and Exchange Online: the spam rule as a mail flow (transport) rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.targets.base import Output, UnreadableExportError
from reconciler.targets.exchange_json import read_export
from reconciler.targets.mail_rule import MailRuleContent, ObservedRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.targets.exchange_json import Record
    from reconciler.targets.mail_rule import MailRule

_STATES = {"enabled": True, "disabled": False}
_MODES = {"enforce": True, "audit": False, "auditandnotify": False}


@dataclass(frozen=True, slots=True)
class ExchangeSpamRule:
    """Acts by setting the spam confidence level."""

    id: str = "exchange-spam-rule"
    title: str = "Exchange mail flow rule"
    outputs: tuple[Output, ...] = (Output("spam-rule.ps1", "exchange/spam_rule.ps1.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export-spam-rule.ps1", "exchange/export_spam_rule.ps1.j2"),)

    def action(self, rule: MailRule) -> str:
        """As `SetSCL` gives it."""
        return f"SetSCL {rule.confidence_level}"

    def read(self, text: str) -> MailRuleContent:
        """Every rule of the export."""
        export = read_export(text, self.id)
        return MailRuleContent(tuple(_observed(o) for o in export.objects), export.made_at)


def _observed(rule: Record) -> ObservedRule:
    level = rule.optional_text("SetSCL")
    return ObservedRule(
        identity=rule.text("Guid"),
        name=rule.text("Name"),
        header=rule.optional_text("HeaderMatchesMessageHeader"),
        patterns=rule.texts("HeaderMatchesPatterns"),
        action=f"SetSCL {level}" if level else "",
        is_enabled=_known(rule, "State", _STATES),
        is_enforced=_known(rule, "Mode", _MODES),
        further=tuple(_further(rule)),
    )


def _known(rule: Record, key: str, values: dict[str, bool]) -> bool:
    text = rule.text(key)
    if text.casefold() not in values:
        message = f"the rule {rule.text('Name')} has the {key} {text!r}, which is not known"
        raise UnreadableExportError(message)
    return values[text.casefold()]


def _further(rule: Record) -> Iterator[str]:
    """What the rule has beside the one condition and the one action that it is for."""
    own_conditions = 1 if rule.optional_text("HeaderMatchesMessageHeader") else 0
    own_actions = 1 if rule.optional_text("SetSCL") else 0
    if len(rule.texts("Conditions")) > own_conditions:
        yield "conditions"
    if rule.texts("Exceptions"):
        yield "exceptions"
    if len(rule.texts("Actions")) > own_actions:
        yield "actions"
    for key in ("ActivationDate", "ExpiryDate"):
        if rule.optional_text(key):
            yield key
