"""The origin's side of a service: its allowlists and its spam rule, resolved, with the rules that they must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds import (
    KINDS,
    Capabilities,
    default_mail_rule_target,
    find_allowlist_problem,
    find_kind_problems,
    find_mail_rule_problem,
)
from reconciler.manifest.fleet import ServiceAllowlist, ServiceSpamRule
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS
from reconciler.wording import choice_detail, shown

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
    require_capabilities(service, findings)
    return _build_declared(service, source, findings) if service.model.allowlists else ()


def _build_declared(
    service: DeclaredService, source: Callable[[Loc], Source], findings: Findings
) -> tuple[ServiceAllowlist, ...]:
    # services without lists, which most runs of `validate` have alone, do without these
    from reconciler.targets.base import DeclaredAllowlist, Intent  # noqa: PLC0415
    from reconciler.targets.declaration import declaration_problems  # noqa: PLC0415

    built = []
    seen: set[tuple[str, str]] = set()
    for i, model in enumerate(service.model.allowlists):
        loc: Loc = (*service.loc, "allowlists", i)
        if findings.is_refused(loc):
            continue
        target = ALLOWLIST_TARGETS.get(model.target)
        if target is None:
            refused = declaration_problems(DeclaredAllowlist(model.target, "", Intent.ALLOW, exclusive=False))
            detail = " ".join(
                (*(f"{reason}." for reason in refused), choice_detail(model.target, sorted(ALLOWLIST_TARGETS)))
            )
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
        for problem in declaration_problems(declared) if declared.name or "name" not in target.options else ():
            findings.error("allowlist-words", f"{shown(model.target)}: {problem}", "Correct the list's words.", loc)
        unfit = None
        if not findings.is_refused((*service.loc, "kind")):
            unfit = find_allowlist_problem(KINDS[service.model.kind], model.target)
        if unfit is not None:
            findings.error(unfit.code, unfit.summary, unfit.detail, (*loc, "target"))
        built.append(ServiceAllowlist(declared, model.export, source(loc)))
    return tuple(built)


def _require_fit(model: AllowlistManifest, target: AllowlistTarget, loc: Loc, findings: Findings) -> None:
    if model.intent not in target.intents:
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
    if model is None or findings.is_refused(loc) or findings.is_refused((*service.loc, "kind")):
        return None
    kind = KINDS[service.model.kind]
    target = model.target or default_mail_rule_target(kind)
    if target is not None and target not in MAIL_RULE_TARGETS:
        detail = choice_detail(target, sorted(MAIL_RULE_TARGETS))
        findings.error("spam-rule-target", f"there is no target {shown(target)}", detail, (*loc, "target"))
        return None
    problem = find_mail_rule_problem(kind, _capabilities(service), target)
    if problem is not None:
        findings.error(problem.code, problem.summary, problem.detail, loc)
    if model.export is not None and target is None:
        detail = "Name the target that runs the rule, or remove export and attest it as mail-rule."
        findings.error("spam-rule-target", "an export of the spam rule has no target that reads it", detail, loc)
    return ServiceSpamRule(target, model.export, source(loc))


def require_capabilities(service: DeclaredService, findings: Findings) -> None:
    """A service that is connected by MX takes a third-party MX and has an allowlist, as the vendor requires."""
    if service.model.connection != "mx" or findings.is_refused((*service.loc, "kind")):
        return
    if findings.is_refused((*service.loc, "capabilities")):
        return
    for problem in find_kind_problems(KINDS[service.model.kind], _capabilities(service)):
        findings.error(problem.code, problem.summary, problem.detail, (*service.loc, "kind"))


def _capabilities(service: DeclaredService) -> Capabilities | None:
    declared = service.model.capabilities
    if declared is None:
        return None
    return Capabilities(declared.third_party_mx, declared.allowlist, declared.header_rules)
