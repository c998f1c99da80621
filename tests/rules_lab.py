"""The spam rule of the shipped catalog, and each target's files and exports, for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders import catalog

from reconciler.emit.allowlists import render_mail_rule
from reconciler.targets.exim_filter import EximFilter, EximSystemFilter
from reconciler.targets.mail_rule import MailRule, MailRuleEmission, RuleState, compare_rule
from reconciler.targets.sieve import Sieve
from reconciler.targets.spamassassin import SpamAssassin
from reconciler.templating import Templates

if TYPE_CHECKING:
    from reconciler.targets.mail_rule import MailRuleTarget

GOLDEN = Path(__file__).parent / "golden" / "rules"
TARGETS: tuple[MailRuleTarget, ...] = (Sieve(), EximSystemFilter(), EximFilter(), SpamAssassin())
HEAD = "reconciler-export 1 {} 2026-11-21T12:00:00Z\n"


def mail_rule(**changes: Any) -> MailRule:  # noqa: ANN401
    """The rule as the catalog has it."""
    wanted = catalog().spam_rule
    return replace(MailRule(wanted.name, wanted.header, wanted.pattern, wanted.confidence_level), **changes)


def emitted(target: MailRuleTarget, **changes: Any) -> dict[str, str]:  # noqa: ANN401
    """What is emitted for the service hq of acme."""
    return dict(render_mail_rule(target, MailRuleEmission("acme", "hq", mail_rule(**changes)), Templates(None)))


def rule_file(target: MailRuleTarget, **changes: Any) -> str:  # noqa: ANN401
    """The emitted file that holds the rule."""
    return emitted(target, **changes)[target.outputs[0].file_name]


def export_script(target: MailRuleTarget) -> str:
    """The emitted script that makes the export."""
    return emitted(target)[target.export_outputs[0].file_name]


def framed(target: MailRuleTarget, **sections: str) -> str:
    """An export with these sections, as the target's script makes it."""
    body = "".join(
        f"[{name}]\n" + "".join(f"| {line}\n" for line in text.splitlines()) for name, text in sections.items()
    )
    return f"{HEAD.format(target.id)}{body}end\n"


def state(target: MailRuleTarget, export: str) -> RuleState:
    """How the wanted rule compares with an export."""
    rule = mail_rule()
    return compare_rule(rule, target.read(export), action=target.action(rule))
