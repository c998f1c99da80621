"""nftables, ipset and iptables in a network namespace: emitted, loaded, exported, read, in sync; then a move."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from origin_lab import EU, FOREIGN, OUTSIDER, US, Origin
from servers.namespaces import network_namespace
from servers.processes import require
from targets_lab import declared_list

from reconciler.addresses import parse_address_set
from reconciler.targets.base import UnreadableExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.namespaces import Namespace

    from reconciler.targets.base import AllowlistContent

pytestmark = pytest.mark.integration

NFT_SETS = """table inet mail {
    set gateway { type ipv4_addr; flags interval; elements = { %s } }
    set gateway6 { type ipv6_addr; flags interval; }
    set unrelated { type inet_service; elements = { 22 } }
}
"""
IPV6 = ("2001:db8::25",)


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    with network_namespace() as made:
        yield made


def _exported(origin: Origin, namespace: Namespace) -> AllowlistContent:
    return origin.read(namespace.run([str(origin.folder / "export.sh")]).stdout)


def _lives(origin: Origin, namespace: Namespace, load: list[str], file_name: str, foreign: tuple[str, ...]) -> None:
    """From nothing known, to eu, to us, and once more: foreign entries stay, and the last run changes nothing."""
    namespace.run([*load, str(origin.emit(EU)[file_name])])
    content = _exported(origin, namespace)
    assert origin.is_in_sync(EU, content)
    assert content.addresses == parse_address_set([*EU, *foreign])
    for _ in range(2):
        namespace.run([*load, str(origin.emit(US, content)[file_name])])
        content = _exported(origin, namespace)
        assert origin.is_in_sync(US, content)
        assert content.addresses == parse_address_set([*US, *foreign])
    assert content.made_at is not None


@pytest.mark.parametrize("file_name", ["gateway.nft", "gateway.json"])
def test_a_set_of_nftables(file_name: str, namespace: Namespace, tmp_path: Path) -> None:
    nft = require("nft")
    namespace.run([nft, "-f", "-"], text=NFT_SETS % ", ".join([*FOREIGN, "192.0.2.5-192.0.2.9"]))
    origin = Origin(declared_list("nftables", "gateway", table="mail", name6="gateway6"), tmp_path)
    load = [nft, "-j", "-f"] if file_name.endswith("json") else [nft, "-f"]
    _lives(origin, namespace, load, file_name, (*FOREIGN, "192.0.2.5-192.0.2.9"))


@pytest.mark.parametrize("flags", ["interval", "interval; auto-merge", "interval; counter"])
def test_both_listings_of_nft_say_the_same(flags: str, namespace: Namespace, tmp_path: Path) -> None:
    """All shapes of elements: an address, a block, a range, and one with a comment."""
    nft = require("nft")
    elements = '192.0.2.1, 192.0.2.2, 198.51.100.0/24, 203.0.113.5-203.0.113.9, 192.0.2.9 comment "a } , { \\\\ b"'
    listing = f"table inet mail {{ set gateway {{ type ipv4_addr; flags {flags}; elements = {{ {elements} }}; }}; }}\n"
    namespace.run([nft, "-f", "-"], text=listing)
    origin = Origin(declared_list("nftables", "gateway", table="mail"), tmp_path)
    as_json = namespace.run([nft, "-j", "list", "set", "inet", "mail", "gateway"]).stdout
    as_text = namespace.run([nft, "list", "set", "inet", "mail", "gateway"]).stdout
    assert origin.read(as_json).addresses == origin.read(as_text).addresses
    wanted = ["192.0.2.1", "192.0.2.2", "198.51.100.0/24", "203.0.113.5-203.0.113.9", "192.0.2.9"]
    assert origin.read(as_json).addresses == parse_address_set(wanted)
    assert len(json.loads(as_json)["nftables"][1]["set"]["elem"]) >= 4


def test_the_second_set_of_nftables_takes_ipv6(namespace: Namespace, tmp_path: Path) -> None:
    nft = require("nft")
    namespace.run([nft, "-f", "-"], text=NFT_SETS % ", ".join(FOREIGN))
    origin = Origin(declared_list("nftables", "gateway", table="mail", name6="gateway6"), tmp_path)
    _lives_with_ipv6(origin, namespace, [nft, "-f"], "gateway.nft")


def _lives_with_ipv6(origin: Origin, namespace: Namespace, load: list[str], file_name: str) -> None:
    namespace.run([*load, str(origin.emit(EU + IPV6)[file_name])])
    content = _exported(origin, namespace)
    assert origin.is_in_sync(EU + IPV6, content)
    assert content.addresses.covers(parse_address_set(IPV6))


def test_a_set_that_expires_is_another_programs(namespace: Namespace, tmp_path: Path) -> None:
    nft = require("nft")
    listing = "table inet mail { set gateway { type ipv4_addr; timeout 1h; elements = { 192.0.2.1 }; }; }\n"
    namespace.run([nft, "-f", "-"], text=listing)
    origin = Origin(declared_list("nftables", "gateway", table="mail"), tmp_path)
    for option in ("-j", "-nn"):
        listed = namespace.run([nft, option, "list", "set", "inet", "mail", "gateway"]).stdout
        with pytest.raises(UnreadableExportError, match="expire"):
            origin.read(listed)


def test_a_change_of_nftables_is_whole_or_not_at_all(namespace: Namespace, tmp_path: Path) -> None:
    """Somebody allowed a block around a stale address meanwhile: nothing of the file is loaded."""
    nft = require("nft")
    namespace.run([nft, "-f", "-"], text=NFT_SETS % EU[0])
    origin = Origin(declared_list("nftables", "gateway", table="mail"), tmp_path)
    origin.emit(EU)
    file = origin.emit(US, _exported(origin, namespace))["gateway.nft"]
    replaced = f"flush set inet mail gateway\nadd element inet mail gateway {{ {EU[0].rsplit('.', 1)[0]}.0/24 }}\n"
    namespace.run([nft, "-f", "-"], text=replaced)
    assert namespace.run([nft, "-f", str(file)], check=False).returncode != 0
    assert not _exported(origin, namespace).addresses & parse_address_set(US)


def test_the_documented_rules_load(namespace: Namespace, tmp_path: Path) -> None:
    """The rulesets of the pages, as they stand there."""
    namespace.run([require("nft"), "-f", "-"], text=_documented("nftables", "table inet"))
    namespace.run([require("ipset"), "create", "gateway", "hash:net"])
    namespace.run([require("iptables"), "-N", "GATEWAY"])
    for page in ("ipset", "iptables"):
        namespace.run(_documented(page, "iptables -I").split())
    origin = Origin(declared_list("nftables", "gateway"), tmp_path)
    namespace.run([require("nft"), "-f", str(origin.emit(EU)["gateway.nft"])])
    assert origin.is_in_sync(EU, _exported(origin, namespace))


def _documented(page: str, beginning: str) -> str:
    text = (Path(__file__).parents[2] / "docs" / "targets" / f"{page}.md").read_text()
    (block,) = (fenced[1:] for fenced in text.split("```")[1::2] if fenced.startswith(f"\n{beginning}"))
    return block


def test_an_export_of_a_set_that_is_not_there_has_no_end(namespace: Namespace, tmp_path: Path) -> None:
    require("nft")
    origin = Origin(declared_list("nftables", "gateway", table="mail"), tmp_path)
    origin.emit(EU)
    ran = namespace.run([str(origin.folder / "export.sh")], check=False)
    assert ran.returncode != 0
    with pytest.raises(UnreadableExportError, match="no end"):
        origin.read(ran.stdout)


@pytest.mark.parametrize("kind", ["net", "ip"])
def test_a_set_of_ipset(kind: str, namespace: Namespace, tmp_path: Path) -> None:
    """The first file makes the set; entries of others, added before, stay."""
    ipset = require("ipset")
    namespace.run([ipset, "create", "gateway", f"hash:{kind}", "family", "inet"])
    foreign = FOREIGN if kind == "net" else FOREIGN[1:]
    for entry in foreign:
        namespace.run([ipset, "add", "gateway", entry])
    _lives(
        Origin(declared_list("ipset", "gateway", type=kind), tmp_path),
        namespace,
        [ipset, "restore", "-file"],
        "gateway.ipset",
        foreign,
    )


def test_an_exclusive_set_of_ipset_is_swapped(namespace: Namespace, tmp_path: Path) -> None:
    ipset = require("ipset")
    origin = Origin(declared_list("ipset", "gateway", exclusive=True, name6="gateway6"), tmp_path)
    namespace.run([ipset, "restore", "-file", str(origin.emit(EU)["gateway.ipset"])])
    namespace.run([ipset, "add", "gateway", OUTSIDER])
    for _ in range(2):
        file = origin.emit(US, _exported(origin, namespace))["gateway.ipset"]
        namespace.run([ipset, "restore", "-file", str(file)])
        assert _exported(origin, namespace).addresses == parse_address_set(US)
    assert namespace.run([ipset, "list", "-name"]).stdout.split() == ["gateway", "gateway6"]


@pytest.mark.parametrize("intent", ["allow", "restrict"])
def test_a_chain_of_iptables(intent: str, namespace: Namespace, tmp_path: Path) -> None:
    """Rules of other chains stay, and so do foreign sources in the chain itself."""
    restore = [require("iptables-restore"), "--noflush"]
    iptables = require("iptables")
    origin = Origin(declared_list("iptables", "GATEWAY", intent=intent), tmp_path)
    namespace.run([iptables, "-A", "INPUT", "-p", "tcp", "--dport", "22", "-j", "ACCEPT"])
    namespace.run([iptables, "-N", "GATEWAY"])
    namespace.run([iptables, "-I", "INPUT", "-p", "tcp", "--dport", "25", "-j", "GATEWAY"])
    for source in FOREIGN:
        namespace.run([iptables, "-A", "GATEWAY", "-s", source, "-p", "tcp", "--dport", "25", "-j", "ACCEPT"])
    origin.emit(EU)
    content = _exported(origin, namespace)
    assert {a.code for a in content.advice} == ({"restricts-nothing"} if intent == "restrict" else set())
    for gateway in (EU, US, US):
        file = origin.emit(gateway, content)["gateway.rules"]
        namespace.run([*restore, "--test", str(file)])
        namespace.run([*restore, str(file)])
        content = _exported(origin, namespace)
        assert origin.is_in_sync(gateway, content)
        assert content.addresses == parse_address_set([*gateway, *FOREIGN])
        assert content.advice == ()
    rules = namespace.run([iptables, "-S", "INPUT"]).stdout.splitlines()
    assert rules[1:] == ["-A INPUT -p tcp -m tcp --dport 25 -j GATEWAY", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"]
