"""Emitting a list and reading it back is the identity, for every target whose list is a file; others need their server.

The others are nftables, ipset, AWS, cPanel's greylisting and Exchange: what is written for them is no export.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from exports_lab import declared_for
from hypothesis import given, settings
from hypothesis import strategies as st
from targets_lab import assert_identity, emission_of

from reconciler.targets.base import Enforcement, Intent
from reconciler.targets.enforcement import hardest_enforcement
from reconciler.targets.registry import ALLOWLIST_TARGETS

DUAL = (
    "plain",
    "postfix-access",
    "postfix-postscreen",
    "exim-iplsearch",
    "cpanel-trustedmailhosts",
    "csf",
    "pfsense-alias",
    "opnsense-alias",
)
IPV4_ALONE = ("iptables", "firewalld")

IPV4 = st.tuples(st.integers(0, 2**32 - 1), st.integers(8, 32)).map(
    lambda pair: str(ipaddress.IPv4Network((pair[0] >> (32 - pair[1]) << (32 - pair[1]), pair[1])))
)
IPV6 = st.tuples(st.integers(0, 2**128 - 1), st.integers(16, 128)).map(
    lambda pair: str(ipaddress.IPv6Network((pair[0] >> (128 - pair[1]) << (128 - pair[1]), pair[1])))
)
GATEWAYS = st.lists(st.integers(2**24, 2**32 - 1).map(lambda n: str(ipaddress.IPv4Address(n))), min_size=1, max_size=6)


@pytest.mark.parametrize("intent", Intent)
@pytest.mark.parametrize("target", [*DUAL, *IPV4_ALONE])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_emitted_reads_back_as_itself(target: str, intent: Intent, data: st.DataObject) -> None:
    if intent not in ALLOWLIST_TARGETS[target].intents:
        return
    declared = replace(declared_for(target), intent=intent)
    keep = data.draw(st.lists(IPV4 | IPV6 if target in DUAL else IPV4, max_size=6))
    emission = emission_of(declared, data.draw(GATEWAYS), keep=keep)
    assert_identity(ALLOWLIST_TARGETS[target], declared, emission)


@pytest.mark.parametrize(
    ("target", "options"), [("postfix-access", ("reject",)), ("postfix-access", ("defer",)), ("iptables", ())]
)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_intent_decides_what_becomes_of_everybody_else(
    target: str, options: tuple[str, ...], data: st.DataObject
) -> None:
    """Restricted as hard as declared, and nobody is refused by what is emitted with the intent allow."""
    action = tuple(("action", option) for option in options)
    declared = replace(declared_for(target), intent=Intent.RESTRICT, options=action)
    gateway, keep = data.draw(GATEWAYS), data.draw(st.lists(IPV4, max_size=6))
    found = ALLOWLIST_TARGETS[target]
    for intent, wanted in ((Intent.RESTRICT, hardest_enforcement(declared)), (Intent.ALLOW, Enforcement.NONE)):
        emission = emission_of(replace(declared, intent=intent), gateway, keep=keep)
        content = assert_identity(found, declared, emission)
        assert (content.enforcement, content.refusal) == (wanted, wanted)
