"""A whole export for each target that has one, as the real thing writes it, small; what tests cut up and mutate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from targets_lab import declared_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.targets.base import DeclaredAllowlist

MADE_AT = "2026-11-21T11:00:00Z"
_RULES = Path(__file__).parent / "golden" / "rules"


def framed(target: str, **sections: str) -> str:
    """The frame that emitted export scripts write; `__` in a section's name stands for a dot."""
    parts = [f"[{name.replace('__', '.')}]\n{_marked(text)}" for name, text in sections.items()]
    return f"reconciler-export 1 {target} {MADE_AT}\n{''.join(parts)}end\n"


def _marked(text: str) -> str:
    return "".join(f"| {line}\n" for line in text.splitlines())


def exchange_export(target: str, *objects: Mapping[str, object], **settings: object) -> str:
    """What the export scripts for Exchange write."""
    head = {"Format": "exchange-export", "FormatVersion": "1", "ToolVersion": "0", "Target": target, "MadeAt": MADE_AT}
    rest = {"Server": "EX01", "Count": len(objects), "Settings": settings, "Objects": objects}
    return json.dumps(head | rest, indent=2)


NFT_TEXT = """table inet filter {
\tset gateway {
\t\ttype ipv4_addr
\t\tflags interval
\t\telements = { 192.0.2.7, 198.51.100.0/24,
\t\t\t     203.0.113.1-203.0.113.9 }
\t}
}
"""
NFT_JSON = json.dumps(
    {
        "nftables": [
            {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
            {
                "set": {
                    "family": "inet",
                    "name": "gateway",
                    "table": "filter",
                    "type": "ipv4_addr",
                    "handle": 2,
                    "flags": ["interval"],
                    "elem": [
                        "192.0.2.7",
                        {"prefix": {"addr": "198.51.100.0", "len": 24}},
                        {"range": ["203.0.113.1", "203.0.113.9"]},
                        {"elem": {"val": "192.0.2.8", "comment": "gateway"}},
                    ],
                }
            },
        ]
    }
)
IPSET = """create gateway hash:net family inet hashsize 1024 maxelem 65536
add gateway 192.0.2.7
add gateway 198.51.100.0/24
"""
IPTABLES = """*filter
:INPUT ACCEPT [0:0]
:gateway - [0:0]
-A INPUT -p tcp -m tcp --dport 25 -j gateway
-A gateway -s 192.0.2.7/32 -p tcp -m tcp --dport 25 -j ACCEPT
-A gateway -p tcp -m tcp --dport 25 -j REJECT --reject-with icmp-port-unreachable
COMMIT
"""
FIREWALLD = """<?xml version="1.0" encoding="utf-8"?>
<ipset type="hash:net">
  <option name="family" value="inet"/>
  <entry>192.0.2.7</entry>
  <entry>198.51.100.0/24</entry>
</ipset>
"""
PREFIX_LIST = json.dumps({"Entries": [{"Cidr": "192.0.2.7/32", "Description": "gateway"}, {"Cidr": "198.51.100.0/24"}]})
PREFIX_LIST_ITSELF = json.dumps(
    {"PrefixLists": [{"PrefixListId": "pl-1", "State": "modify-complete", "MaxEntries": 60, "Version": 7}]}
)
GREYLIST = json.dumps(
    {
        "metadata": {"command": "read_cpgreylist_trusted_hosts", "result": 1, "version": 1},
        "data": {"greylist_trusted_hosts": [{"host_ip": "192.0.2.7", "comment": "gateway"}, {"host_ip": "192.0.2.8"}]},
    }
)
PFSENSE = """<?xml version="1.0"?>
<pfsense><aliases><alias>
<name>gateway</name><type>network</type><address>192.0.2.7 198.51.100.0/24</address>
</alias></aliases></pfsense>
"""
OPNSENSE = json.dumps(
    {
        "aliases": {
            "alias": {"1": {"name": "gateway", "type": "host", "content": "192.0.2.7\n192.0.2.8", "enabled": "1"}}
        }
    }
)
_LINES = "192.0.2.7\n198.51.100.0/24 # somebody else\n"
_CONNECTOR = {
    "Name": "Gateway",
    "Server": "EX01",
    "Enabled": True,
    "Bindings": ["0.0.0.0:25"],
    "RemoteIPRanges": ["192.0.2.7", "203.0.113.1-203.0.113.9"],
    "PermissionGroups": "AnonymousUsers",
    "AuthMechanism": "Tls",
    "MaxMessageSize": "40 MB (41,943,040 bytes)",
    "MaxInboundConnectionPerSource": "Unlimited",
    "MaxInboundConnectionPercentagePerSource": "100",
    "MessageRateLimit": "Unlimited",
    "TarpitInterval": "00:00:00",
}
_INBOUND = {
    "Name": "Gateway",
    "Enabled": True,
    "ConnectorType": "Partner",
    "SenderDomains": ["smtp:*;1"],
    "SenderIPAddresses": ["192.0.2.7", "198.51.100.0/24"],
    "RestrictDomainsToIPAddresses": False,
    "EFSkipLastIP": False,
    "EFSkipIPs": ["192.0.2.7"],
    "EFUsers": [],
}
_RULE = {
    "Guid": "00000000-0000-0000-0000-000000000001",
    "Name": "Spam",
    "State": "Enabled",
    "Mode": "Enforce",
    "HeaderMatchesMessageHeader": "X-Spam",
    "HeaderMatchesPatterns": ["FAIL"],
    "SetSCL": "6",
    "Conditions": ["x"],
    "Exceptions": [],
    "Actions": ["y"],
    "ActivationDate": None,
    "ExpiryDate": None,
}

ALLOWLIST_EXPORTS: dict[str, tuple[str, ...]] = {
    "plain": (_LINES, framed("plain", list=_LINES)),
    "postfix-access": (
        "192.0.2.7 OK\n0.0.0.0/0 REJECT\n",
        framed("postfix-access", table="192.0.2.7\tOK\n::/0 REJECT\n", postconf="message_size_limit = 10240000\n"),
    ),
    "postfix-postscreen": ("192.0.2.7 permit\n203.0.113.9 reject\n", framed("postfix-postscreen", table=_LINES[:0])),
    "exim-iplsearch": (
        '192.0.2.7\n"2001:db8::/32": x\n',
        framed("exim-iplsearch", hosts="192.0.2.7\n", settings="message_size_limit = 50M\n"),
    ),
    "cpanel-trustedmailhosts": (
        "192.0.2.7\n",
        framed("cpanel-trustedmailhosts", hosts="192.0.2.7\n"),
    ),
    "cpanel-greylist": (f"{GREYLIST}\n", framed("cpanel-greylist", answer=GREYLIST, remotedomains="acme.example\n")),
    "csf": (
        "tcp|in|d=25|s=192.0.2.7 # gateway\n10.0.0.0/8\n",
        "reconciler-export 1 csf 2026-11-21T11:00:00Z\n[/etc/csf/csf.allow]\n| tcp|in|d=25|s=192.0.2.7\nend\n",
    ),
    "nftables": (NFT_TEXT, f"{NFT_JSON}\n", framed("nftables", sets=NFT_JSON), framed("nftables", sets=NFT_TEXT)),
    "ipset": (IPSET, framed("ipset", save=IPSET)),
    "iptables": (IPTABLES, framed("iptables", filter=IPTABLES)),
    "firewalld": (FIREWALLD, framed("firewalld", xml=FIREWALLD)),
    "aws-prefix-list": (
        f"{PREFIX_LIST}\n",
        framed("aws-prefix-list", list=PREFIX_LIST_ITSELF, entries=PREFIX_LIST),
    ),
    "pfsense-alias": ("192.0.2.7 192.0.2.8\n", PFSENSE, framed("pfsense-alias", addresses=PFSENSE)),
    "opnsense-alias": ("192.0.2.7\n192.0.2.8\n", f"{OPNSENSE}\n", framed("opnsense-alias", addresses=OPNSENSE)),
    "exchange-receive-connector": (
        exchange_export("exchange-receive-connector", _CONNECTOR, MaxReceiveSize="Unlimited"),
    ),
    "exchange-edge": (
        exchange_export(
            "exchange-edge",
            {"IPRange": "192.0.2.7", "HasExpired": False, "ExpirationTime": "9999-12-31T23:59:59", "Identity": "1"},
            Enabled=True,
            ExternalMailEnabled=True,
        ),
    ),
    "exchange-online-connection-filter": (
        exchange_export("exchange-online-connection-filter", {"Name": "Default", "IPAllowList": ["192.0.2.7"]}),
    ),
    "exchange-online-inbound-connector": (exchange_export("exchange-online-inbound-connector", _INBOUND),),
    "exchange-online-enhanced-filtering": (exchange_export("exchange-online-enhanced-filtering", _INBOUND),),
}

MAIL_RULE_EXPORTS: dict[str, tuple[str, ...]] = {
    "exchange-spam-rule": (exchange_export("exchange-spam-rule", _RULE),),
    **{
        target.name: tuple(path.read_text() for path in sorted(target.glob("*.export")))
        for target in sorted(_RULES.iterdir())
    },
}


def declared_for(target: str) -> DeclaredAllowlist:
    """The list that the target's exports here are of."""
    if target == "nftables":
        return declared_list(target, "gateway", family="inet", table="filter")
    names = {"aws-prefix-list": "pl-1"} | dict.fromkeys(
        ("exchange-receive-connector", "exchange-online-inbound-connector", "exchange-online-enhanced-filtering"),
        "Gateway",
    )
    return declared_list(target, names.get(target, "gateway"))
