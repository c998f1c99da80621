"""What is emitted for a list that is a file at the server is read back as the same addresses, whatever they are."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from targets_lab import assert_identity, declared_list, emission_of

from reconciler.targets.registry import ALLOWLIST_TARGETS

IPV4 = st.integers(0, (1 << 32) - 1).map(lambda n: str(ipaddress.IPv4Address(n)))
IPV6 = st.integers(1 << 100, (1 << 128) - 1).map(lambda n: str(ipaddress.IPv6Address(n)))
BLOCKS = st.builds(lambda a, n: str(ipaddress.ip_network((a, n), strict=False)), IPV4, st.integers(1, 32))
BLOCKS6 = st.builds(lambda a, n: str(ipaddress.ip_network((a, n), strict=False)), IPV6, st.integers(1, 128))

# the target, its file, its object's name, and whether IPv6 may stand in it
FILES = [
    ("postfix-access", "gateway_access.cidr", "", True),
    ("postfix-postscreen", "postscreen_access.cidr", "", True),
    ("exim-iplsearch", "gateway_hosts.list", "", True),
    ("cpanel-trustedmailhosts", "trustedmailhosts.list", "", True),
    ("csf", "csf.allow", "", True),
    ("iptables", "gateway.rules", "GATEWAY", False),
    ("firewalld", "ipset.xml", "gateway", False),
    ("pfsense-alias", "alias.txt", "gateway", True),
    ("opnsense-alias", "alias.txt", "gateway", True),
]


@pytest.mark.parametrize(("target", "file_name", "name", "takes_ipv6"), FILES, ids=[f[0] for f in FILES])
@given(data=st.data())
def test_emitted_and_read_back(target: str, file_name: str, name: str, takes_ipv6: bool, data: st.DataObject) -> None:  # noqa: FBT001
    intent = data.draw(st.sampled_from(sorted(ALLOWLIST_TARGETS[target].intents)))
    gateway = data.draw(st.lists(IPV4 | IPV6 if takes_ipv6 else IPV4, min_size=1, max_size=5, unique=True))
    keep = data.draw(st.lists(BLOCKS | BLOCKS6 if takes_ipv6 else BLOCKS, max_size=5, unique=True))
    declared = declared_list(target, name, intent=str(intent))
    emission = emission_of(declared, gateway, keep=keep, is_observed=data.draw(st.booleans()))
    assert_identity(ALLOWLIST_TARGETS[target], declared, emission, export=lambda files: files[file_name])
