"""Rules of nftables and iptables, as exports have them: whether everybody else is refused on port 25."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from exports_lab import ALLOWLIST_EXPORTS, NFT_JSON, declared_for, framed

from reconciler.targets.base import DeclaredAllowlist, Enforcement, Intent
from reconciler.targets.registry import ALLOWLIST_TARGETS

if TYPE_CHECKING:
    from reconciler.targets.base import AllowlistContent

NONE, SOFT, _ = Enforcement


def restricting(target: str) -> DeclaredAllowlist:
    return replace(declared_for(target), intent=Intent.RESTRICT)


def read(declared: DeclaredAllowlist, text: str) -> AllowlistContent:
    return ALLOWLIST_TARGETS[declared.target].read(text, declared)


def _ruleset(*statements: list[object], policy: str = "accept", hook: str = "input") -> str:
    chain = {"family": "inet", "table": "filter", "name": "c", "type": "filter", "hook": hook, "policy": policy}
    rules = [{"rule": {"family": "inet", "table": "filter", "chain": "c", "expr": expr}} for expr in statements]
    return json.dumps({"nftables": [{"metainfo": {}}, {"chain": chain}, *rules]})


def _match(protocol: str, field: str, right: object, op: str = "==") -> dict[str, object]:
    return {"match": {"op": op, "left": {"payload": {"protocol": protocol, "field": field}}, "right": right}}


PORT = _match("tcp", "dport", 25)
FROM_GATEWAY = _match("ip", "saddr", "@gateway")
NEW = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "new"}}
INVALID = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "invalid"}}
ACCEPT: dict[str, object] = {"accept": None}
DROP: dict[str, object] = {"drop": None}


@pytest.mark.parametrize(
    ("ruleset", "refusal"),
    [
        (_ruleset([PORT, FROM_GATEWAY, ACCEPT]), NONE),
        (_ruleset([PORT, FROM_GATEWAY, ACCEPT], [PORT, DROP]), SOFT),
        (_ruleset([PORT, FROM_GATEWAY, ACCEPT], policy="drop"), SOFT),
        (_ruleset([PORT, FROM_GATEWAY, ACCEPT], policy="drop", hook="forward"), SOFT),
        (_ruleset([INVALID, DROP], [PORT, NEW, ACCEPT], policy="drop"), NONE),
        (_ruleset([PORT, {"limit": {"rate": 1}}, ACCEPT], policy="drop"), SOFT),
        (_ruleset([PORT, {"limit": {"rate": 9, "inv": True}}, DROP]), NONE),
        (_ruleset([_match("ip", "saddr", "@gateway", "!="), PORT, {"reject": None}]), SOFT),
        (_ruleset([_match("ip", "saddr", "198.51.100.7"), DROP]), NONE),
        (_ruleset([_match("ip", "saddr", {"prefix": {"addr": "128.0.0.0", "len": 1}}), DROP]), SOFT),
        (_ruleset([_match("tcp", "dport", {"set": [{"range": [20, 30]}, 80]}), {"counter": {}}, DROP]), SOFT),
        (_ruleset([_match("tcp", "dport", 26), DROP], [_match("udp", "dport", 25), DROP]), NONE),
        (_ruleset([_match("tcp", "dport", 25, "!="), DROP]), NONE),
        (_ruleset([PORT, {"jump": {"target": "nowhere"}}]), SOFT),
        (_ruleset([PORT, {"goto": {"target": "c"}}]), SOFT),
        (_ruleset([PORT, {"return": None}], [DROP]), NONE),
        (_ruleset([PORT, NEW, {"xt": {}}, {"return": None}], [PORT, ACCEPT], policy="drop"), SOFT),
        (_ruleset([{"xt": None}, DROP]), SOFT),
        (_ruleset([{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["invalid", DROP]]}}}]), NONE),
        (_ruleset([{"vmap": {"key": PORT["match"]["left"], "data": {"set": [[25, DROP]]}}}]), SOFT),  # type: ignore[index]
        (_ruleset([{"vmap": {"key": {"ct": {"key": "state"}}, "data": "@map"}}]), SOFT),
    ],
)
def test_a_ruleset_of_nftables_shows_whether_others_are_refused(ruleset: str, refusal: Enforcement) -> None:
    for intent in Intent:
        declared = replace(declared_for("nftables"), intent=intent)
        content = read(declared, framed("nftables", gateway=NFT_JSON, ruleset=ruleset))
        assert (content.enforcement, content.refusal) == (refusal, refusal)


IPSET = "create gateway hash:net family inet\nadd gateway 192.0.2.7\n"
FROM_SET = "-A INPUT -p tcp -m tcp --dport 25 -m set --match-set gateway src -j ACCEPT"


@pytest.mark.parametrize(
    ("policy", "rules", "refusal"),
    [
        ("ACCEPT", [FROM_SET], NONE),
        ("DROP", [FROM_SET], SOFT),
        ("ACCEPT", [FROM_SET, "-A INPUT -p tcp -m tcp --dport 25 -j DROP"], SOFT),
        ("ACCEPT", ["-A INPUT -p tcp --dport 25 -m set ! --match-set gateway src -j REJECT"], SOFT),
        ("DROP", ["-A INPUT -p tcp -m state --state NEW -m multiport --dports 22,25 -j ACCEPT"], NONE),
        ("DROP", ["-A INPUT -i eth0 -p tcp --dport 25 -j ACCEPT"], SOFT),
        (
            "ACCEPT",
            ["-A INPUT -m conntrack --ctstate INVALID -j DROP", "-A INPUT ! -i lo -s 127.0.0.0/8 -j DROP"],
            NONE,
        ),
        ("ACCEPT", ["-A INPUT -s 198.51.100.7/32 -j DROP"], NONE),
        ("ACCEPT", ["-A INPUT ! -s 192.0.2.7/32 -p tcp --dport 25 -j DROP"], SOFT),
        ("ACCEPT", ["-A INPUT -p tcp --dport 25 -m connlimit --connlimit-above 9 -j REJECT"], NONE),
        ("ACCEPT", ["-A INPUT -p tcp --dport 25 -j LOG", "-A INPUT -p tcp ! --dport 25 -j DROP"], NONE),
        ("ACCEPT", ["-A INPUT -p tcp --dport 25 -j own", "-A own -j RETURN", "-A own -j DROP"], NONE),
        ("ACCEPT", ["-A INPUT -p tcp --dport 25 -g own", "-A INPUT -j DROP"], NONE),
        ("DROP", ["-A INPUT -p tcp --dport 25 -j own", "-A own -i eth0 -j RETURN", "-A own -j ACCEPT"], SOFT),
        ("ACCEPT", ["-A INPUT -p tcp --dport 25 -j own", "-A own -j own"], SOFT),
        ("ACCEPT", ['-A INPUT -m comment --comment "never closed -j DROP'], SOFT),
        ("ACCEPT", ["-A INPUT -p tcp --dport 25 -j NFQUEUE --queue-num 1"], SOFT),
    ],
)
def test_rules_of_iptables_show_whether_others_are_refused(policy: str, rules: list[str], refusal: Enforcement) -> None:
    table = "\n".join(["*filter", f":INPUT {policy} [0:0]", ":FORWARD ACCEPT [0:0]", ":own - [0:0]", *rules, "COMMIT"])
    content = read(restricting("ipset"), framed("ipset", save=IPSET, iptables=table))
    assert (content.enforcement, content.refusal) == (refusal, refusal)


@pytest.mark.parametrize(
    ("rule", "refusal"),
    [("-A INPUT -p tcp --dport 25 -j ACCEPT", NONE), ("-A INPUT -p tcp --dport 22 -j ACCEPT", SOFT)],
)
def test_what_is_forwarded_counts_unless_the_port_is_this_computers(rule: str, refusal: Enforcement) -> None:
    """A container engine's FORWARD drops by policy on a mail server, and a firewall's INPUT says nothing of mail."""
    table = f"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n{rule}\nCOMMIT"
    assert read(restricting("ipset"), framed("ipset", save=IPSET, iptables=table)).refusal is refusal


def test_both_families_of_iptables_count() -> None:
    opened = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT"
    closed = "*filter\n:INPUT DROP [0:0]\nCOMMIT"
    text = framed("ipset", save=IPSET, iptables=opened, ip6tables=closed)
    assert read(restricting("ipset"), text).refusal is SOFT


def test_a_chain_of_iptables_that_nothing_jumps_to_refuses_nobody() -> None:
    (text, _) = ALLOWLIST_EXPORTS["iptables"]
    assert read(restricting("iptables"), text).enforcement is SOFT
    unused = "".join(line for line in text.splitlines(keepends=True) if "-j gateway" not in line)
    assert read(restricting("iptables"), unused).enforcement is NONE
