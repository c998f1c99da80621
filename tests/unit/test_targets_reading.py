"""What the readers of mail servers and firewalls take, and what makes an export tell nothing."""

from __future__ import annotations

import pytest

from reconciler.addresses import parse_address_set
from reconciler.targets.base import AllowlistContent, DeclaredAllowlist, Intent, UnreadableExportError
from reconciler.targets.declaration import declaration_problems
from reconciler.targets.registry import ALLOWLIST_TARGETS

NAMES = {
    "nftables": "gateway",
    "ipset": "gateway",
    "iptables": "GATEWAY",
    "firewalld": "gateway",
    "aws-prefix-list": "pl-0123456789abcdef0",
    "pfsense-alias": "gateway",
    "opnsense-alias": "gateway",
}


def _declared(target: str, name: str, options: dict[str, str]) -> DeclaredAllowlist:
    words = {**options}
    intent = Intent(words.pop("intent", "allow"))
    return DeclaredAllowlist(target, name, intent, exclusive=False, options=tuple(sorted(words.items())))


def _read(target: str, text: str, **options: str) -> AllowlistContent:
    return ALLOWLIST_TARGETS[target].read(text, _declared(target, NAMES.get(target, ""), options))


def _codes(content: AllowlistContent) -> set[str]:
    return {advice.code for advice in content.advice}


NFT_SET = "table inet filter {\n\tset gateway {\n\t\ttype ipv4_addr\n\t\tflags interval\n%s\t}\n}\n"
NFT_JSON = '{"nftables":[{"set":{"family":"inet","table":"filter","name":"gateway","type":"ipv4_addr"%s}}]}\n'
IPTABLES = "*filter\n:INPUT DROP [0:0]\n:GATEWAY - [0:0]\n-A INPUT -p tcp -m tcp --dport 25 -j GATEWAY\n%sCOMMIT\n"
IPTABLES_UNUSED = IPTABLES.replace("DROP", "ACCEPT").replace("-j GATEWAY", "-j OTHER")
ACCEPT = "-A GATEWAY -s 192.0.2.1/32 -p tcp -m tcp --dport 25 -j ACCEPT\n"
FIREWALLD = '<?xml version="1.0" encoding="utf-8"?>\n<ipset type="hash:net">%s<entry>192.0.2.1</entry></ipset>\n'
COUNT_LIMIT = "smtpd_client_connection_count_limit"
NFT_ELEMENTS = "\t\telements = { 192.0.2.1, 192.0.2.4/30,\n\t\t\t     192.0.2.9-192.0.2.12 }\n"
NFT_WRAPPED = '{"elem":{"val":{"prefix":{"addr":"192.0.2.0","len":24}},"counter":{}}}'
IPTABLES_SHADOWED = "-A GATEWAY -s 192.0.2.0/31 -j DROP\n-A GATEWAY -s 192.0.2.0/30 -j ACCEPT\n"
PFSENSE = "<alias><name>gateway</name><type>host</type><address>192.0.2.1 192.0.2.2</address></alias>"
OPNSENSE = (
    '{"aliases":{"alias":{"u-1":{"name":"gateway","type":"host","enabled":"1","content":"192.0.2.1\\n192.0.2.2"}}}}\n'
)


@pytest.mark.parametrize(
    ("target", "text", "addresses"),
    [
        ("postfix-access", "# nothing\n", []),
        ("postfix-access", "192.0.2.1\tOK\r\n192.0.2.2 ok\r\n", ["192.0.2.1", "192.0.2.2"]),
        ("postfix-access", "192.0.2.1 DUNNO\n", []),
        ("postfix-access", "192.0.2.0/30 REJECT\n192.0.2.0/29 OK\n", ["192.0.2.4/30"]),
        ("postfix-postscreen", "192.0.2.1 permit\n192.0.2.2 OK\n192.0.2.3 dunno\n", ["192.0.2.1"]),
        ("exim-iplsearch", '192.0.2.1\n"2001:db8::1": data\n\tmore\n#\n', ["192.0.2.1", "2001:db8::1"]),
        ("csf", "tcp|in|d=20_30|s=192.0.2.1\ntcp|in|d=80|s=192.0.2.2\n192.0.2.3 # x\n", ["192.0.2.1", "192.0.2.3"]),
        ("nftables", NFT_SET % NFT_ELEMENTS, ["192.0.2.1", "192.0.2.4/30", "192.0.2.9-192.0.2.12"]),
        ("nftables", NFT_SET % "", []),
        ("nftables", NFT_JSON % "", []),
        ("nftables", NFT_JSON % f',"elem":[{NFT_WRAPPED}]', ["192.0.2.0/24"]),
        ("ipset", "create gateway hash:ip family inet\nadd gateway 192.0.2.1 timeout 0\n", ["192.0.2.1"]),
        ("iptables", IPTABLES % ACCEPT, ["192.0.2.1"]),
        ("iptables", IPTABLES % IPTABLES_SHADOWED, ["192.0.2.2/31"]),
        ("iptables", IPTABLES % "-A GATEWAY -p udp -j ACCEPT\n-A GATEWAY -j LOG\n", []),
        ("iptables", IPTABLES % "-A GATEWAY -p tcp -m multiport --dports 24:26,80 -j ACCEPT\n", ["0.0.0.0/0"]),
        ("firewalld", FIREWALLD % "", ["192.0.2.1"]),
        ("pfsense-alias", "192.0.2.1 192.0.2.4/30\n", ["192.0.2.1", "192.0.2.4/30"]),
        ("pfsense-alias", f"<pfsense><aliases>{PFSENSE}</aliases></pfsense>\n", ["192.0.2.1", "192.0.2.2"]),
        ("pfsense-alias", "<pfsense><aliases/></pfsense>\n", []),
        ("opnsense-alias", OPNSENSE, ["192.0.2.1", "192.0.2.2"]),
        ("opnsense-alias", OPNSENSE.replace("gateway", "another"), []),
        ("opnsense-alias", OPNSENSE.rstrip(), ["192.0.2.1", "192.0.2.2"]),
        ("aws-prefix-list", '{"Entries":[{"Cidr":"192.0.2.0/24"}]}\n', ["192.0.2.0/24"]),
    ],
)  # fmt: skip
def test_what_a_server_allows(target: str, text: str, addresses: list[str]) -> None:
    assert _read(target, text).addresses == parse_address_set(addresses)


@pytest.mark.parametrize(
    ("target", "text", "reason"),
    [
        ("postfix-access", "", "empty"),
        ("postfix-access", "192.0.2.1 OK\n192.0.2.7 OK", "no line end"),
        ("postfix-access", " 192.0.2.1 OK\n", "continued"),
        ("postfix-access", "192.0.2.1\n", "no result"),
        ("postfix-access", "if 192.0.2.0/24\n192.0.2.1 OK\nendif\n", "not understood"),
        ("postfix-access", "!192.0.2.0/24 REJECT\n", "not understood"),
        ("postfix-access", "192.0.2.1/24 OK\n", "host bits"),
        ("postfix-access", "010.0.0.1 OK\n", "no IP address"),
        (
            "postfix-access",
            "reconciler-export 1 postfix-access 2026-11-21T12:00:00Z\n[table]\n| 192.0.2.1 OK\n",
            "no end",
        ),
        ("postfix-access", "reconciler-export 2 postfix-access 2026-11-21T12:00:00Z\nend\n", "not one of this version"),
        ("postfix-access", "reconciler-export 1 postfix-access yesterday\nend\n", "no time"),
        ("postfix-access", "reconciler-export 1 exim-iplsearch 2026-11-21T12:00:00Z\nend\n", "not of postfix-access"),
        ("postfix-access", "reconciler-export 1 postfix-access 2026-11-21T12:00:00Z\n192.0.2.1 OK\nend\n", "no place"),
        ("exim-iplsearch", "2001:db8::1\n", "no IP address"),
        ("exim-iplsearch", "*.example\n", "no IP address"),
        ("cpanel-greylist", '{"metadata":{"result":0,"reason":"Access denied"}}\n', "refused the call"),
        ("cpanel-greylist", '{"metadata":{"command":"listaccts","result":1},"data":{}}\n', "answer to"),
        ("cpanel-greylist", '{"metadata":{"result":1},"data":{"greylist_trusted_hosts":[{}]}}\n', "no host_ip"),
        ("csf", "Include /etc/csf/more.allow\n", "use export.sh"),
        ("csf", "tcp|in|d=25|s=mail.example\n", "no IP address"),
        ("csf", "tcp|in|whatever|s=192.0.2.1\n", "no filter"),
        ("nftables", NFT_JSON.replace("gateway", "another") % "", "no set gateway"),
        ("nftables", NFT_JSON.replace('"ipv4_addr"', '["ipv4_addr","inet_service"]') % "", "not of addresses"),
        ("nftables", NFT_JSON % ',"elem":[{"concat":["192.0.2.1",25]}]', "not understood"),
        ("nftables", NFT_JSON % ',"elem":[{"elem":{"val":"192.0.2.1","timeout":60}}]', "expire"),
        ("nftables", NFT_SET % "\t\telements = { 192.0.2.1 timeout 1h expires 59m }\n", "expire"),
        ("nftables", (NFT_SET % "\t\telements = { 192.0.2.1 }\n")[:-2], "not closed"),
        ("ipset", "create gateway hash:ip,port family inet\n", "of type"),
        ("ipset", "add gateway 192.0.2.1\n", "no set"),
        ("ipset", "create gateway hash:net family inet\nadd gateway 192.0.2.1 nomatch\n", "exceptions"),
        ("ipset", "create gateway hash:net family inet timeout 60\nadd gateway 192.0.2.1 timeout 59\n", "expire"),
        ("ipset", "Name: gateway\nType: hash:net\n", "none of"),
        ("iptables", (IPTABLES % ACCEPT).replace("COMMIT\n", ""), "COMMIT"),
        ("iptables", (IPTABLES % "").replace("GATEWAY", "OTHER"), "no chain"),
        ("iptables", IPTABLES % "-A GATEWAY ! -s 192.0.2.1/32 -p tcp -m tcp --dport 25 -j DROP\n", "not understood"),
        ("iptables", IPTABLES % "-A GATEWAY -m set --match-set office src -j ACCEPT\n", "not understood"),
        ("iptables", IPTABLES % "-A GATEWAY -p tcp -j OTHER\n", "not understood"),
        ("firewalld", FIREWALLD % '<option name="family" value="inet6"/>', "family"),
        ("firewalld", FIREWALLD % '<option name="timeout" value="60"/>', "expire"),
        ("firewalld", FIREWALLD % "<entry>2001:db8::1</entry>", "other family"),
        ("firewalld", "<!DOCTYPE a [<!ENTITY b 'c'>]><ipset type='hash:net'><entry>&b;</entry></ipset>\n", "no XML"),
        ("firewalld", "<zone/>\n", "no ipset"),
        ("aws-prefix-list", '{"Entries":[],"NextToken":"x"}\n', "one page of several"),
        ("aws-prefix-list", '{"PrefixLists":[]}\n', "no Entries"),
        ("pfsense-alias", "mail.example.com\n", "no IP address"),
        ("opnsense-alias", OPNSENSE.replace('"1"', '"0"'), "not one enabled alias"),
        ("opnsense-alias", OPNSENSE.replace('"host"', '"urltable"'), "not one enabled alias"),
    ],
)
def test_what_tells_nothing(target: str, text: str, reason: str) -> None:
    with pytest.raises(UnreadableExportError, match=reason):
        _read(target, text)


def test_dunno_lets_in_where_the_table_keeps_others_out() -> None:
    text = "192.0.2.1 DUNNO\n0.0.0.0/0 REJECT\n::/0 REJECT\n"
    assert _read("postfix-access", text, intent="restrict").addresses == parse_address_set(["192.0.2.1"])
    assert not _read("postfix-access", text).addresses


@pytest.mark.parametrize(
    ("target", "text", "code"),
    [
        ("postfix-access", "192.0.2.1 OK\n", "restricts-nothing"),
        ("postfix-access", "192.0.2.1 OK\n0.0.0.0/0 REJECT\n", "restricts-nothing"),
        ("iptables", IPTABLES % ACCEPT, "restricts-nothing"),
        (
            "iptables",
            IPTABLES_UNUSED % f"{ACCEPT}-A GATEWAY -j DROP\n",
            "list-not-used",
        ),
    ],
)
def test_a_list_that_keeps_nobody_out_is_told(target: str, text: str, code: str) -> None:
    assert _codes(_read(target, text, intent="restrict")) == {code}


@pytest.mark.parametrize(
    ("settings", "codes"),
    [
        ("message_size_limit = 41943040", set()),
        ("message_size_limit = 0", set()),
        ("mail_name = x", {"message-size"}),
        ("message_size_limit = 0\n| mynetworks = 127.0.0.0/8, 192.0.2.1/32", {"open-relay"}),
        ("message_size_limit = 0\n| smtpd_client_restrictions = permit_mynetworks", {"list-not-used"}),
        ("message_size_limit = 0\n| smtpd_client_connection_count_limit = 5", {"client-limit"}),
        (
            f"message_size_limit = 0\n| {COUNT_LIMIT} = 5\n| smtpd_client_event_limit_exceptions = 192.0.2.1",
            set(),
        ),
    ],
)
def test_settings_of_postfix_that_hurt(settings: str, codes: set[str]) -> None:
    head = "reconciler-export 1 postfix-access 2026-11-21T12:00:00Z\n"
    text = f"{head}[table]\n| 192.0.2.1 OK\n[postconf]\n| {settings}\nend\n"
    assert _codes(_read("postfix-access", text)) == codes


def test_a_huge_mixed_table_is_not_worked_through() -> None:
    lines = (f"10.{n >> 8}.{n & 255}.1 {'OK' if n % 2 else 'REJECT'}\n" for n in range(20000))
    with pytest.raises(UnreadableExportError, match="mixes"):
        _read("postfix-access", "".join(lines))


@pytest.mark.parametrize(
    ("target", "name", "options", "reason"),
    [
        ("postfix-mynetworks", "", {}, "open relay"),
        ("postfix-access", "", {"table": "mynetworks"}, "open relay"),
        ("cpanel-skipsmtpcheckhosts", "", {}, "relaying"),
        ("plain", "/etc/skipsmtpcheckhosts", {}, "relaying"),
        ("postfix-access", "", {"action": "drop"}, "reject, defer"),
        ("nftables", "gate way", {}, "must be"),
        ("nftables", "gateway", {"family": "arp"}, "inet, ip"),
        ("nftables", "gateway", {"name6": "6"}, "must be"),
        ("ipset", "g" * 28, {}, "1 to 27"),
        ("iptables", "INPUT", {}, "built-in"),
        ("firewalld", "gateway", {"family": "both"}, "inet, inet6"),
        ("aws-prefix-list", "gateway", {}, "id"),
        ("pfsense-alias", "gate-way", {}, "must be"),
    ],
)
def test_what_a_manifest_cannot_ask(target: str, name: str, options: dict[str, str], reason: str) -> None:
    (problem,) = declaration_problems(_declared(target, name, options))
    assert reason in problem
