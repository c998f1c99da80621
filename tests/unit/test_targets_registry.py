"""The registry: its names are the targets' own, and a target is imported when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

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
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS
from reconciler.targets.sieve import Sieve
from reconciler.targets.spamassassin import SpamAssassin

if TYPE_CHECKING:
    from reconciler.targets.base import AllowlistTarget
    from reconciler.targets.mail_rule import MailRuleTarget

# by their types, so that mypy holds each one against the interface: the registry names them by text alone
ALLOWLISTS: tuple[AllowlistTarget, ...] = (
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
MAIL_RULES: tuple[MailRuleTarget, ...] = (
    ExchangeSpamRule(),
    Sieve(),
    EximSystemFilter(),
    EximFilter(),
    SpamAssassin(),
)


def test_every_target_is_known_by_its_own_name() -> None:
    assert list(ALLOWLIST_TARGETS.items()) == [(target.id, target) for target in ALLOWLISTS]
    assert list(MAIL_RULE_TARGETS.items()) == [(target.id, target) for target in MAIL_RULES]
    assert (len(ALLOWLIST_TARGETS), len(MAIL_RULE_TARGETS)) == (len(ALLOWLISTS), len(MAIL_RULES))


def test_a_target_is_the_same_one_each_time() -> None:
    assert ALLOWLIST_TARGETS["csf"] is ALLOWLIST_TARGETS["csf"]


@pytest.mark.parametrize("name", ["", "mynetworks", "sieve", "reconciler.targets.csf"])
def test_nothing_else_is_a_target(name: str) -> None:
    assert name not in ALLOWLIST_TARGETS
    assert ALLOWLIST_TARGETS.get(name) is None
    with pytest.raises(KeyError):
        ALLOWLIST_TARGETS[name]


def test_a_target_imports_its_own_module_alone() -> None:
    """Names, their number and whether one is known import none."""
    program = (
        "import sys\n"
        "from reconciler.targets.registry import ALLOWLIST_TARGETS\n"
        "assert 'csf' in ALLOWLIST_TARGETS and len(list(ALLOWLIST_TARGETS)) > 20\n"
        "print(*sorted(m for m in sys.modules if m.startswith('reconciler.targets')))\n"
        "ALLOWLIST_TARGETS['csf']\n"
        "print('reconciler.targets.csf' in sys.modules, 'reconciler.targets.postfix' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["reconciler.targets reconciler.targets.registry", "True False"]
