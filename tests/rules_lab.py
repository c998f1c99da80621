"""The spam rule of the shipped catalog, and each target's files and exports, for tests."""

from __future__ import annotations

import os
import subprocess
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
    from collections.abc import Sequence

    from reconciler.targets.mail_rule import MailRuleTarget

GOLDEN = Path(__file__).parent / "golden" / "rules"
TARGETS: tuple[MailRuleTarget, ...] = (Sieve(), EximSystemFilter(), EximFilter(), SpamAssassin())
_SECONDS = 60.0
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


def run(command: Sequence[str | Path], *, given: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    """A command with its output; it may fail."""
    ran = subprocess.run(
        command, input=given, capture_output=True, timeout=_SECONDS, check=False, env=os.environ | environment
    )
    return subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def export(script: str, folder: Path, *arguments: str | Path) -> str:
    """What the emitted script makes."""
    path = folder / "export.sh"
    path.write_text(script)
    ran = run(["sh", path, *arguments])
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def message(folder: Path, verdict: str | None) -> Path:
    """A message with the gateway's header, or without it."""
    marked = "" if verdict is None else f"{mail_rule().header}: {verdict}\n"
    path = folder / f"{verdict}.eml"
    path.write_text(
        "Received: from a.example ([192.0.2.1]) by b.example with ESMTP; Sat, 21 Nov 2026 12:00:00 +0000\n"
        "From: a@a.example\nTo: b@b.example\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n"
        f"Message-ID: <1@a.example>\nSubject: minutes\n{marked}\nThe minutes of the meeting.\n"
    )
    return path
