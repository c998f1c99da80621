"""The origin's side of a service: its allowlists and its spam rule, resolved, with the rules that they must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifest.fleet import ServiceAllowlist, ServiceSpamRule
from reconciler.targets.base import DeclaredAllowlist, Intent
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS
from reconciler.yaml_models import choice_detail, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.manifest.declared import DeclaredService
    from reconciler.manifest.findings import Findings
    from reconciler.manifest.fleet import Source
    from reconciler.manifest.origin_models import AllowlistManifest
    from reconciler.strict_yaml import Loc
    from reconciler.targets.base import AllowlistTarget


def build_allowlists(
    service: DeclaredService, source: Callable[[Loc], Source], findings: Findings
) -> tuple[ServiceAllowlist, ...]:
    """The service's lists; what breaks a rule is among the findings and left out."""
    built = []
    seen: set[tuple[str, str]] = set()
    for i, model in enumerate(service.model.allowlists):
        loc: Loc = (*service.loc, "allowlists", i)
        if findings.is_refused(loc):
            continue
        target = ALLOWLIST_TARGETS.get(model.target)
        if target is None:
            detail = choice_detail(model.target, sorted(ALLOWLIST_TARGETS))
            findings.error("allowlist-target", f"there is no target {shown(model.target)}", detail, (*loc, "target"))
            continue
        _require_fit(model, target, loc, findings)
        key = (model.target, model.name or "")
        if key in seen:
            summary = f"the list {shown(' '.join(key).strip())} stands twice in the service"
            findings.error("duplicate-allowlist", summary, "Remove one, or give it its own name.", loc)
        seen.add(key)
        declared = DeclaredAllowlist(
            model.target, model.name or "", Intent(model.intent), model.exclusive, tuple(sorted(model.options.items()))
        )
        built.append(ServiceAllowlist(declared, model.export, source(loc)))
    return tuple(built)


def _require_fit(model: AllowlistManifest, target: AllowlistTarget, loc: Loc, findings: Findings) -> None:
    if Intent(model.intent) not in target.intents:
        detail = f"Write intent: {', '.join(sorted(target.intents))}."
        findings.error("allowlist-intent", f"{target.title} cannot {model.intent}", detail, (*loc, "intent"))
    if "name" in target.options and model.name is None:
        detail = "Add name: as the server shows the object."
        findings.error("allowlist-name", f"{target.title} needs the object's name", detail, loc)
    if "name" not in target.options and model.name is not None:
        findings.error("allowlist-name", f"{target.title} has one list and no names", "Remove name.", (*loc, "name"))
    if model.export is not None and not target.is_readable:
        detail = "Remove export, and attest the allowlist in attestations."
        findings.error("allowlist-export", f"{target.title} has nothing to export", detail, (*loc, "export"))
    known = sorted(target.options - {"name"})
    for key in model.options:
        if key not in known:
            detail = choice_detail(key, known) if known else "Remove it: this target has no options."
            findings.error("allowlist-option", f"{target.title} has no option {shown(key)}", detail, (*loc, "options"))


def build_spam_rule(
    service: DeclaredService, source: Callable[[Loc], Source], findings: Findings
) -> ServiceSpamRule | None:
    """The service's spam rule, or None where it has none."""
    model = service.model.spam_rule
    loc: Loc = (*service.loc, "spam_rule")
    if model is None or findings.is_refused(loc):
        return None
    target = model.target or default_mail_rule_target(service.model.kind)
    if target is None:
        detail = f"Write spam_rule: {{target: ...}} with one of {', '.join(sorted(MAIL_RULE_TARGETS))}."
        summary = f"nothing runs a spam rule by itself at a service of kind {service.model.kind}"
        findings.error("spam-rule-target", summary, detail, loc)
        return None
    if target not in MAIL_RULE_TARGETS:
        detail = choice_detail(target, sorted(MAIL_RULE_TARGETS))
        findings.error("spam-rule-target", f"there is no target {shown(target)}", detail, (*loc, "target"))
        return None
    return ServiceSpamRule(target, model.export, source(loc))


def default_mail_rule_target(kind: str) -> str | None:
    """What runs a spam rule at a kind of service where its manifest does not say."""
    return {"exchange": "exchange-spam-rule", "exchange-online": "exchange-spam-rule"}.get(kind)
