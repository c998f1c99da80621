"""Exports of Exchange as their scripts write them, and what the templates of the scripts are given."""

from __future__ import annotations

import json
from typing import Any

from reconciler import __version__
from reconciler.targets.base import AllowlistEmission, DeclaredAllowlist, Intent
from reconciler.targets.mail_rule import MailRule, MailRuleEmission
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS
from reconciler.templating import Templates

RECEIVE = "exchange-receive-connector"
EDGE = "exchange-edge"
FILTER = "exchange-online-connection-filter"
INBOUND = "exchange-online-inbound-connector"
ENHANCED = "exchange-online-enhanced-filtering"
RULE = "exchange-spam-rule"
LIST_TARGETS = (RECEIVE, EDGE, FILTER, INBOUND, ENHANCED)
NAMED = frozenset({RECEIVE, INBOUND, ENHANCED})

SPAM_RULE = MailRule("Perception Point Spam Rule", "X-PERCEPTION-POINT-SPAM", "FAIL", 6)
GATEWAY = ("99.81.216.78", "34.249.190.60", "108.128.137.108", "99.80.189.20")
STALE = "52.12.169.124"


def declared(target: str, **changes: Any) -> DeclaredAllowlist:  # noqa: ANN401
    """A list of intent allow; `Gateway` where the target needs a name."""
    given = {"name": "Gateway" if target in NAMED else "", "intent": Intent.ALLOW, "exclusive": False, "options": ()}
    return DeclaredAllowlist(target, **(given | changes))


def emission(given: DeclaredAllowlist, **changes: Any) -> AllowlistEmission:  # noqa: ANN401
    """The eu region's addresses are wanted, one of them is there, and one is stale."""
    fields: dict[str, Any] = {
        "organization": "acme",
        "service": "hq",
        "declared": given,
        "gateway": GATEWAY,
        "add": GATEWAY[1:],
        "remove": (STALE,),
        "keep": ("192.0.2.0/24",),
        "result": (*GATEWAY, "192.0.2.0/24"),
        "revision": "",
        "is_observed": True,
    }
    return AllowlistEmission(**(fields | changes))


def rule_emission(**changes: Any) -> MailRuleEmission:  # noqa: ANN401
    """The catalog's spam rule."""
    fields: dict[str, Any] = {"organization": "acme", "service": "hq", "rule": SPAM_RULE}
    return MailRuleEmission(**(fields | changes))


def list_scripts(given: AllowlistEmission) -> dict[str, str]:
    """Every file of an allowlist by its name."""
    target = ALLOWLIST_TARGETS[given.declared.target]
    templates = Templates(None)
    outputs = (*target.outputs, *target.export_outputs)
    return {o.file_name: templates.render(o.template, {"list": given, "version": __version__}) for o in outputs}


def rule_scripts(given: MailRuleEmission) -> dict[str, str]:
    """Every file of the spam rule by its name."""
    target = MAIL_RULE_TARGETS[RULE]
    templates = Templates(None)
    outputs = (*target.outputs, *target.export_outputs)
    return {o.file_name: templates.render(o.template, {"mail_rule": given, "version": __version__}) for o in outputs}


def export(target: str, *objects: dict[str, Any], **changes: Any) -> str:  # noqa: ANN401
    """An export of these objects."""
    fields = {
        "Format": "exchange-export",
        "FormatVersion": "1",
        "Target": target,
        "MadeAt": "2026-11-21T11:00:00Z",
        "Server": "EX01",
        "Count": len(objects),
        "Settings": _SETTINGS.get(target, {}),
        "Objects": list(objects),
    }
    return json.dumps(fields | changes)


_SETTINGS: dict[str, dict[str, Any]] = {
    RECEIVE: {"MaxReceiveSize": "100 MB (104,857,600 bytes)"},
    EDGE: {"Enabled": True, "ExternalMailEnabled": True},
}


def receive_connector(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A receive connector that is as it should be."""
    return {
        "Name": "Gateway",
        "Server": "EX01",
        "Enabled": True,
        "Bindings": ["0.0.0.0:25", "[::]:25"],
        "RemoteIPRanges": list(GATEWAY),
        "AuthMechanism": "Tls",
        "PermissionGroups": "AnonymousUsers",
        "MaxMessageSize": "40 MB (41,943,040 bytes)",
        "MaxInboundConnectionPerSource": "Unlimited",
        "MaxInboundConnectionPercentagePerSource": "100",
        "MessageRateLimit": "Unlimited",
        "TarpitInterval": "00:00:00",
    } | changes


def edge_entry(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """One entry that never expires."""
    return {
        "Identity": "1",
        "IPRange": GATEWAY[0],
        "HasExpired": False,
        "ExpirationTime": "9999-12-31T23:59:59",
    } | changes


def inbound_connector(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """An inbound connector that knows the gateway and rejects nobody."""
    return {
        "Name": "Gateway",
        "Enabled": True,
        "ConnectorType": "Partner",
        "SenderDomains": ["smtp:*;1"],
        "SenderIPAddresses": list(GATEWAY),
        "RestrictDomainsToIPAddresses": False,
    } | changes


def filtering_connector(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """An inbound connector with enhanced filtering for everybody."""
    given = {"Name": "Gateway", "Enabled": True, "EFSkipLastIP": False, "EFSkipIPs": list(GATEWAY), "EFUsers": []}
    return given | changes


def transport_rule(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """The spam rule as it should be."""
    return {
        "Guid": "6f1d0f0c-0000-4000-8000-000000000001",
        "Name": SPAM_RULE.name,
        "State": "Enabled",
        "Mode": "Enforce",
        "HeaderMatchesMessageHeader": SPAM_RULE.header,
        "HeaderMatchesPatterns": [SPAM_RULE.pattern],
        "SetSCL": str(SPAM_RULE.confidence_level),
        "Conditions": ["Microsoft.Exchange.MessagingPolicies.Rules.Tasks.HeaderMatchesPredicate"],
        "Exceptions": [],
        "Actions": ["Microsoft.Exchange.MessagingPolicies.Rules.Tasks.SetSclAction"],
        "ActivationDate": "",
        "ExpiryDate": "",
    } | changes
