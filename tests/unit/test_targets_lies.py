"""Exports that seem to let the gateway in and do not: none may be read as if they did."""

from __future__ import annotations

import pytest
from exchange_builders import RECEIVE, export, receive_connector

from reconciler.targets.base import AllowlistContent, DeclaredAllowlist, Intent, UnreadableExportError
from reconciler.targets.registry import ALLOWLIST_TARGETS

ACCEPT = "-A gateway -s 192.0.2.1/32 -p tcp -m tcp --dport 25 -j ACCEPT\n"
JUMP = "-A INPUT -p tcp -m tcp --dport 25 -j gateway\n"
IPTABLES = "*filter\n:INPUT {policy} [0:0]\n:gateway - [0:0]\n:other - [0:0]\n{rules}" + ACCEPT + "COMMIT\n"
FIREWALLD = '<ipset type="hash:net"><entry>0.0.0.0/0</entry></ipset>\n'
IPSET = "create gateway hash:ip family inet timeout 0 comment\n"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def _read(target: str, text: str) -> AllowlistContent:
    return ALLOWLIST_TARGETS[target].read(text, DeclaredAllowlist(target, "gateway", Intent.ALLOW, exclusive=False))


def _iptables(rules: str, policy: str = "DROP") -> str:
    return IPTABLES.format(rules=rules, policy=policy)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        # postmap -q finds neither for 192.0.2.1
        ("postfix-access", "::ffff:192.0.2.1 OK\n"),
        ("postfix-access", f"192.0.2.1{NO_BREAK_SPACE}OK\n"),
        ("postfix-postscreen", f"{NO_BREAK_SPACE}192.0.2.1 permit\n"),
        ("plain", f"192.0.2.1{NO_BREAK_SPACE}\n"),
        ("exim-iplsearch", '" 192.0.2.1"\n'),
        ("exim-iplsearch", '"::ffff:192.0.2.1"\n'),
        ("nftables", "table inet filter {\n set gateway {\n type ipv6_addr\n elements = { ::ffff:192.0.2.1 }\n }\n}\n"),
        ("firewalld", FIREWALLD),
        ("ipset", f'{IPSET}add gateway 192.0.2.1 timeout 300 comment "x timeout 0 y"\n'),
        ("iptables", _iptables("")),
        ("iptables", _iptables("-A other -j gateway\n")),
        ("iptables", _iptables("-A INPUT -p udp -j gateway\n")),
        ("iptables", _iptables("-A INPUT -s 10.0.0.0/8 -j gateway\n")),
        ("iptables", _iptables(f"-A INPUT -p tcp -m tcp --dport 25 -j DROP\n{JUMP}", "ACCEPT")),
        ("iptables", _iptables("-A INPUT -j REJECT --reject-with icmp-host-prohibited\n", "ACCEPT")),
    ],
)
def test_what_the_server_does_not_take_for_the_gateway_tells_nothing(target: str, text: str) -> None:
    with pytest.raises(UnreadableExportError):
        _read(target, text)


@pytest.mark.parametrize(
    "text",
    [
        _iptables(JUMP),
        _iptables("-A INPUT -j other\n-A other -j gateway\n"),
        _iptables(f"-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -s 10.0.0.0/8 -j DROP\n{JUMP}"),
        _iptables("-A INPUT -i eth0 -j gateway\n-A INPUT -j DROP\n"),
        _iptables("-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT\n"),
        _iptables("", "ACCEPT"),
    ],
)
def test_a_chain_that_input_comes_to_lets_in_what_it_accepts(text: str) -> None:
    assert _read("iptables", text).addresses.texts == ("192.0.2.1",)


def test_a_no_break_space_in_a_comment_is_no_harm() -> None:
    assert _read("plain", f"192.0.2.1 # the{NO_BREAK_SPACE}gateway\n").addresses.texts == ("192.0.2.1",)


def test_rules_that_the_emitted_chain_would_lose_are_told() -> None:
    rules = f"{JUMP}-A gateway -p tcp -m tcp --dport 587 -j ACCEPT\n"
    assert [a.code for a in _read("iptables", _iptables(rules)).advice] == ["iptables-mixed-chain"]
    assert not _read("iptables", _iptables(JUMP)).advice


def test_a_receive_connector_of_another_port_lets_nobody_in() -> None:
    content = _read(
        "exchange-receive-connector", export(RECEIVE, receive_connector(Name="gateway", Bindings=["0.0.0.0:587"]))
    )
    assert not content.entries
    assert [a.code for a in content.advice] == ["exchange-connector-port"]


def test_a_chain_of_very_many_mixed_rules_tells_nothing_at_once() -> None:
    mixed = "-A gateway -s 10.0.0.1/32 -j DROP\n-A gateway -s 10.0.0.2/32 -j ACCEPT\n" * 2600
    with pytest.raises(UnreadableExportError, match="mixes rules"):
        _read("iptables", _iptables(f"{JUMP}{mixed}"))
