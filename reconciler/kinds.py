"""What each kind of mail service can do: a table, and the questions that are asked of it. Pure.

The vendor requires that a service takes mail through a third party's MX and that it can allow the gateway's addresses;
the spam rule is optional, "only if your email service supports rules with headers". A service of kind `other` declares
all three in its manifest.
"""

from __future__ import annotations

from typing import NamedTuple

OTHER = "other"


class Capabilities(NamedTuple):
    """What a service can do.

    `third_party_mx`: its domains' MX may name another host than its own. `allowlist`: it, or a firewall before it, can
    be told which addresses may deliver. `header_rules`: it can act on a header of a message.
    """

    third_party_mx: bool
    allowlist: bool
    header_rules: bool


class ServiceKind(NamedTuple):
    """One kind of service; `capabilities` is None where the manifest has to declare them.

    The targets are ids of the registry, the one that fits best first; the first of `mail_rule_targets` is what is meant
    where a manifest says only that there is a spam rule. A kind with header rules and without such a target has a
    console instead: a person makes the rule there, and attests it.
    """

    id: str
    title: str
    capabilities: Capabilities | None
    allowlist_targets: tuple[str, ...]
    mail_rule_targets: tuple[str, ...]


class KindProblem(NamedTuple):
    """Why a service cannot be as it is declared; `detail` says what to do."""

    code: str
    summary: str
    detail: str


_ALL = Capabilities(third_party_mx=True, allowlist=True, header_rules=True)

# in front of whatever server somebody runs himself
_PERIMETER = ("nftables", "ipset", "iptables", "firewalld", "aws-prefix-list", "pfsense-alias", "opnsense-alias")
_EXCHANGE = ("exchange-receive-connector", "exchange-edge")
_EXCHANGE_ONLINE = (
    "exchange-online-inbound-connector",
    "exchange-online-enhanced-filtering",
    "exchange-online-connection-filter",
)
_POSTFIX = ("postfix-access", "postfix-postscreen")
_EXIM = ("exim-iplsearch",)
_CPANEL = ("cpanel-trustedmailhosts", "cpanel-greylist", "csf")
_EXCHANGE_RULES = ("exchange-spam-rule",)
_EXIM_RULES = ("exim-system-filter", "exim-filter")

_KINDS = (
    ServiceKind("exchange", "Exchange Server", _ALL, (*_EXCHANGE, *_PERIMETER, "plain"), _EXCHANGE_RULES),
    ServiceKind("exchange-online", "Exchange Online", _ALL, _EXCHANGE_ONLINE, _EXCHANGE_RULES),
    ServiceKind("microsoft-365", "Microsoft 365", _ALL, _EXCHANGE_ONLINE, _EXCHANGE_RULES),
    ServiceKind("google-workspace", "Google Workspace", _ALL, ("google-workspace",), ()),
    ServiceKind("zoho", "Zoho Mail", _ALL, ("zoho",), ()),
    ServiceKind(
        "cpanel", "cPanel", _ALL, (*_CPANEL, *_EXIM, *_PERIMETER, "plain"), ("spamassassin", *_EXIM_RULES, "sieve")
    ),
    ServiceKind("postfix", "Postfix", _ALL, (*_POSTFIX, *_PERIMETER, "csf", "plain"), ("sieve", "spamassassin")),
    ServiceKind("exim", "Exim", _ALL, (*_EXIM, *_PERIMETER, "csf", "plain"), (*_EXIM_RULES, "sieve", "spamassassin")),
    ServiceKind(
        OTHER,
        "another service",
        None,
        ("plain", *_PERIMETER, *_POSTFIX, *_EXIM, *_CPANEL, *_EXCHANGE),
        ("sieve", "spamassassin", *_EXIM_RULES, *_EXCHANGE_RULES),
    ),
)

KINDS: dict[str, ServiceKind] = {kind.id: kind for kind in _KINDS}


def service_capabilities(kind: ServiceKind, declared: Capabilities | None) -> Capabilities | None:
    """What a service can do: the kind's, or for `other` what its manifest declares; None where nobody has said."""
    return kind.capabilities or declared


def find_kind_problems(kind: ServiceKind, declared: Capabilities | None) -> tuple[KindProblem, ...]:
    """Why a service that is connected by MX cannot be behind the gateway at all."""
    if kind.capabilities is not None and declared is not None:
        detail = f"Remove the declaration: what {kind.title} can do is known. Only the kind {OTHER} declares it."
        return (KindProblem("capabilities-known", f"a service of kind {kind.id} declares what it can do", detail),)
    can = service_capabilities(kind, declared)
    if can is None:
        detail = "Declare third_party_mx, allowlist and header_rules, each true or false; ask whoever runs the service."
        return (KindProblem("capabilities-unknown", f"nothing is known of a service of kind {kind.id}", detail),)
    problems = []
    if not can.third_party_mx:
        detail = (
            "The gateway works by the MX alone here. Leave the service out, or move its mail to one that allows it."
        )
        problems.append(KindProblem("no-third-party-mx", "the service does not take mail through another's MX", detail))
    if not can.allowlist:
        detail = "The origin must accept the gateway's addresses and nobody else's. Put a firewall before the service."
        problems.append(KindProblem("no-allowlist", "the service cannot allow addresses", detail))
    return tuple(problems)


def find_allowlist_problem(kind: ServiceKind, target: str) -> KindProblem | None:
    """Why a list of this target cannot belong to a service of this kind; the target itself is known."""
    if target in kind.allowlist_targets:
        return None
    detail = f"Write one of {', '.join(kind.allowlist_targets)}, or correct the kind."
    return KindProblem("target-kind", f"{target} is no allowlist of a service of kind {kind.id}", detail)


def find_mail_rule_problem(kind: ServiceKind, declared: Capabilities | None, target: str | None) -> KindProblem | None:
    """Why a spam rule cannot be at a service of this kind; `target` is None where a person makes the rule."""
    can = service_capabilities(kind, declared)
    if can is None:
        return None  # `find_kind_problems` says it
    if not can.header_rules:
        detail = "Remove spam_rule: the vendor asks for it only where a service can act on headers."
        return KindProblem("no-header-rules", "the service has no rules on headers", detail)
    if target is None or target in kind.mail_rule_targets:
        return None
    if not kind.mail_rule_targets:
        detail = "Leave the target out, make the rule in the service's console, and attest it as mail-rule."
    else:
        detail = f"Write one of {', '.join(kind.mail_rule_targets)}, or correct the kind."
    return KindProblem("target-kind", f"{target} does not run at a service of kind {kind.id}", detail)


def default_mail_rule_target(kind: ServiceKind) -> str | None:
    """What runs the spam rule where a manifest does not say; None where a person makes it in a console."""
    return kind.mail_rule_targets[0] if kind.mail_rule_targets and kind.id != OTHER else None
