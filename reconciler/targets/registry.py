"""Every target, by the name that manifests use. A target's module is imported when the target is first asked for.

A fleet has a few of them, and most runs ask for none: all of them at once take longer to import than `validate` takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.targets.base import AllowlistTarget
    from reconciler.targets.mail_rule import MailRuleTarget

_Target = TypeVar("_Target")


class Registry(Mapping[str, _Target]):
    """Targets by their names; the names are known without importing any of them."""

    def __init__(self, places: Mapping[str, tuple[str, str]]) -> None:
        """For each target its module in this package, and there its class, or the target itself."""
        self._places = places
        self._imported: dict[str, _Target] = {}

    def __getitem__(self, name: str) -> _Target:
        """The target. Raises KeyError where there is none."""
        if name not in self._imported:
            module, attribute = self._places[name]
            found = getattr(import_module(f"{__package__}.{module}"), attribute)
            self._imported[name] = found() if isinstance(found, type) else found
        return self._imported[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a target of this name."""
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        """The names, in the order of the documentation."""
        return iter(self._places)

    def __len__(self) -> int:
        """How many targets there are."""
        return len(self._places)


ALLOWLIST_TARGETS: Final[Registry[AllowlistTarget]] = Registry(
    {
        "plain": ("plain", "Plain"),
        "postfix-access": ("postfix", "PostfixAccess"),
        "postfix-postscreen": ("postfix", "PostfixPostscreen"),
        "exim-iplsearch": ("exim", "EximIplsearch"),
        "cpanel-trustedmailhosts": ("cpanel", "CpanelTrustedMailHosts"),
        "cpanel-greylist": ("cpanel", "CpanelGreylist"),
        "csf": ("csf", "Csf"),
        "nftables": ("nftables", "Nftables"),
        "ipset": ("ipset", "Ipset"),
        "iptables": ("iptables", "Iptables"),
        "firewalld": ("firewalld", "Firewalld"),
        "aws-prefix-list": ("aws", "AwsPrefixList"),
        "pfsense-alias": ("pf", "PfsenseAlias"),
        "opnsense-alias": ("pf", "OpnsenseAlias"),
        "exchange-receive-connector": ("exchange_receive_connector", "ExchangeReceiveConnector"),
        "exchange-edge": ("exchange_edge", "ExchangeEdge"),
        "exchange-online-connection-filter": ("exchange_online_connection_filter", "ExchangeOnlineConnectionFilter"),
        "exchange-online-inbound-connector": ("exchange_online_inbound_connector", "ExchangeOnlineInboundConnector"),
        "exchange-online-enhanced-filtering": ("exchange_online_enhanced_filtering", "ExchangeOnlineEnhancedFiltering"),
        "zoho": ("checklist", "ZOHO"),
        "google-workspace": ("checklist", "GOOGLE_WORKSPACE"),
    }
)

MAIL_RULE_TARGETS: Final[Registry[MailRuleTarget]] = Registry(
    {
        "exchange-spam-rule": ("exchange_spam_rule", "ExchangeSpamRule"),
        "sieve": ("sieve", "Sieve"),
        "exim-system-filter": ("exim_filter", "EximSystemFilter"),
        "exim-filter": ("exim_filter", "EximFilter"),
        "spamassassin": ("spamassassin", "SpamAssassin"),
    }
)
