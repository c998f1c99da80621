"""Every target, by the name that manifests use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.targets.aws import AwsPrefixList
from reconciler.targets.checklist import GOOGLE_WORKSPACE, ZOHO
from reconciler.targets.cpanel import CpanelGreylist, CpanelTrustedMailHosts
from reconciler.targets.csf import Csf
from reconciler.targets.exchange_edge import ExchangeEdge
from reconciler.targets.exchange_online_connection_filter import ExchangeOnlineConnectionFilter
from reconciler.targets.exchange_online_enhanced_filtering import ExchangeOnlineEnhancedFiltering
from reconciler.targets.exchange_online_inbound_connector import ExchangeOnlineInboundConnector
from reconciler.targets.exchange_receive_connector import ExchangeReceiveConnector
from reconciler.targets.exchange_spam_rule import ExchangeSpamRule
from reconciler.targets.exim import EximIplsearch
from reconciler.targets.exim_filter import EximFilter, EximSystemFilter
from reconciler.targets.firewalld import Firewalld
from reconciler.targets.ipset import Ipset
from reconciler.targets.iptables import Iptables
from reconciler.targets.nftables import Nftables
from reconciler.targets.pf import OpnsenseAlias, PfsenseAlias
from reconciler.targets.plain import Plain
from reconciler.targets.postfix import PostfixAccess, PostfixPostscreen
from reconciler.targets.sieve import Sieve
from reconciler.targets.spamassassin import SpamAssassin

if TYPE_CHECKING:
    from reconciler.targets.base import AllowlistTarget
    from reconciler.targets.mail_rule import MailRuleTarget

_ALLOWLIST_TARGETS: tuple[AllowlistTarget, ...] = (
    Plain(),
    PostfixAccess(),
    PostfixPostscreen(),
    EximIplsearch(),
    CpanelTrustedMailHosts(),
    CpanelGreylist(),
    Csf(),
    Nftables(),
    Ipset(),
    Iptables(),
    Firewalld(),
    AwsPrefixList(),
    PfsenseAlias(),
    OpnsenseAlias(),
    ExchangeReceiveConnector(),
    ExchangeEdge(),
    ExchangeOnlineConnectionFilter(),
    ExchangeOnlineInboundConnector(),
    ExchangeOnlineEnhancedFiltering(),
    ZOHO,
    GOOGLE_WORKSPACE,
)

ALLOWLIST_TARGETS: dict[str, AllowlistTarget] = {target.id: target for target in _ALLOWLIST_TARGETS}

_MAIL_RULE_TARGETS: tuple[MailRuleTarget, ...] = (
    ExchangeSpamRule(),
    Sieve(),
    EximSystemFilter(),
    EximFilter(),
    SpamAssassin(),
)

MAIL_RULE_TARGETS: dict[str, MailRuleTarget] = {target.id: target for target in _MAIL_RULE_TARGETS}
