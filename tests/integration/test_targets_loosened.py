"""What keeps others out is taken away as the emitted files say, and the emitted export shows that nobody is refused."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from origin_lab import EU, FOREIGN, KNOWN, OUTSIDER, Origin
from servers.namespaces import network_namespace
from servers.processes import require
from targets_lab import declared_list

from reconciler.addresses import parse_address_set
from reconciler.emit.allowlists import build_emission, render_target
from reconciler.targets.base import Enforcement
from reconciler.targets.enforcement import hardest_enforcement, softened
from reconciler.targets.registry import ALLOWLIST_TARGETS
from reconciler.templating import Templates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from servers.namespaces import Namespace

    from reconciler.targets.base import AllowlistContent

pytestmark = pytest.mark.integration

SECONDS = 20.0


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    with network_namespace() as made:
        yield made


def _loosened(origin: Origin, content: AllowlistContent) -> dict[str, Path]:
    """The files that take the restriction away, beside the origin's own."""
    emission = build_emission(("acme", "hq"), origin.declared, EU, content, KNOWN, may_remove=False, is_loosening=True)
    files = {}
    for name, text in render_target(ALLOWLIST_TARGETS[origin.declared.target], emission, Templates(None)).items():
        files[name] = origin.folder / name
        files[name].write_text(text)
        files[name].chmod(0o755 if name.endswith(".sh") else 0o644)
    return files


def _exported(origin: Origin, namespace: Namespace) -> AllowlistContent:
    return origin.read(namespace.run([str(origin.folder / "export.sh")]).stdout)


def _done_as_said(script: Path, namespace: Namespace) -> str:
    """Run what the script prints, and give it back; the script alone changes nothing."""
    said = namespace.run([str(script)]).stdout
    assert namespace.run([str(script)]).stdout == said
    namespace.run(["sh", "-eu"], text=said)
    return said


NFT = """table inet filter {
    set gateway { type ipv4_addr; flags interval; elements = { 198.51.100.0/24 } }
    set banned { type ipv4_addr; elements = { 203.0.113.66 } }
    chain smtp {
        %s
    }
    chain input {
        type filter hook input priority filter; policy %s;
        iifname "lo" accept
        ct state vmap { established : accept, related : accept, invalid : drop }
        ip saddr @banned tcp dport 25 drop
        tcp dport 22 accept
        tcp dport { 25, 465 } jump smtp
        %s
    }
}
"""
FROM_GATEWAY = "ip saddr @gateway accept"


@pytest.mark.parametrize(
    ("smtp", "policy", "rule"),
    [
        (FROM_GATEWAY, "accept", "tcp dport 25 reject with tcp reset"),
        (FROM_GATEWAY, "accept", 'tcp dport 25 counter drop comment "others: $(reboot) # handle 1"'),
        (f"{FROM_GATEWAY}; tcp dport 25 drop", "accept", "tcp dport 25 reject"),
        (FROM_GATEWAY, "accept", "ip saddr != @gateway tcp dport 25 log drop"),
        (FROM_GATEWAY, "drop", ""),
        (FROM_GATEWAY, "drop", "tcp dport 25 drop"),
    ],
)
def test_a_ruleset_of_nftables_is_loosened(
    smtp: str, policy: str, rule: str, namespace: Namespace, tmp_path: Path
) -> None:
    nft = require("nft")
    namespace.run([nft, "-f", "-"], text=NFT % (smtp, policy, rule))
    origin = Origin(declared_list("nftables", "gateway", intent="restrict"), tmp_path)
    namespace.run([nft, "-f", str(origin.emit(EU)["gateway.nft"])])
    content = _exported(origin, namespace)
    assert content.enforcement is content.refusal is Enforcement.SOFT
    files = _loosened(origin, content)
    namespace.run([nft, "-f", str(files["gateway.nft"])])
    assert "nft " in _done_as_said(files["loosen.sh"], namespace)
    content = _exported(origin, namespace)
    assert content.enforcement is content.refusal is Enforcement.NONE
    assert content.addresses == parse_address_set([*EU, FOREIGN[0]])
    listed = namespace.run([nft, "list", "ruleset"]).stdout
    assert "ip saddr @banned tcp dport 25 drop" in listed
    assert "tcp dport 22 accept" in listed
    assert not [line for line in _done_as_said(files["loosen.sh"], namespace).splitlines() if line[0] != "#"]


def test_a_rule_of_nftables_for_more_ports_is_a_persons_to_change(namespace: Namespace, tmp_path: Path) -> None:
    nft = require("nft")
    namespace.run([nft, "-f", "-"], text=NFT % (FROM_GATEWAY, "accept", "tcp dport { 25, 465 } drop"))
    origin = Origin(declared_list("nftables", "gateway", intent="restrict"), tmp_path)
    namespace.run([nft, "-f", str(origin.emit(EU)["gateway.nft"])])
    files = _loosened(origin, _exported(origin, namespace))
    assert "by hand" in _done_as_said(files["loosen.sh"], namespace)
    assert _exported(origin, namespace).refusal is Enforcement.SOFT


@pytest.mark.parametrize("command", ["iptables", "ip6tables"])
@pytest.mark.parametrize(
    ("policy", "last"),
    [
        ("ACCEPT", "-A INPUT -p tcp --dport 25 -j REJECT --reject-with tcp-reset"),
        ("ACCEPT", "-A INPUT -p tcp -m set ! --match-set NAME src --dport 25 -j DROP"),
        ("DROP", "-A INPUT -p tcp --dport 22 -j ACCEPT"),
    ],
)
def test_the_rules_around_an_ipset_are_loosened(
    command: str, policy: str, last: str, namespace: Namespace, tmp_path: Path
) -> None:
    ipset, iptables = require("ipset"), require(command)
    origin = Origin(declared_list("ipset", "gateway", intent="restrict", name6="gateway6"), tmp_path)
    namespace.run([ipset, "restore", "-file", str(origin.emit(EU)["gateway.ipset"])])
    name = "gateway" if command == "iptables" else "gateway6"
    single = "203.0.113.66" if command == "iptables" else "2001:db8::66"
    rules = [
        f"-P INPUT {policy}",
        f"-A INPUT -s {single} -p tcp --dport 25 -j DROP",
        f"-A INPUT -p tcp --dport 25 -m set --match-set {name} src -j ACCEPT",
        last.replace("NAME", name),
    ]
    assert _exported(origin, namespace).enforcement is Enforcement.NONE
    for rule in rules:
        namespace.run([iptables, *rule.split()])
    content = _exported(origin, namespace)
    assert content.enforcement is content.refusal is Enforcement.SOFT
    files = _loosened(origin, content)
    namespace.run([ipset, "restore", "-file", str(files["gateway.ipset"])])
    _done_as_said(files["loosen.sh"], namespace)
    content = _exported(origin, namespace)
    assert content.enforcement is content.refusal is Enforcement.NONE
    assert origin.is_in_sync(EU, content)
    assert f"-s {single}" in namespace.run([iptables, "-S", "INPUT"]).stdout


def test_what_a_shell_could_misread_is_deleted_by_hand(namespace: Namespace, tmp_path: Path) -> None:
    iptables, ipset = require("iptables"), require("ipset")
    origin = Origin(declared_list("ipset", "gateway", intent="restrict"), tmp_path)
    namespace.run([ipset, "restore", "-file", str(origin.emit(EU)["gateway.ipset"])])
    rule = "-A INPUT -p tcp --dport 25 -m comment -j DROP --comment"
    namespace.run([iptables, *rule.split(), f"$(touch {tmp_path}/obeyed)"])
    files = _loosened(origin, _exported(origin, namespace))
    assert "by hand" in _done_as_said(files["loosen.sh"], namespace)
    assert not (tmp_path / "obeyed").exists()
    assert _exported(origin, namespace).refusal is Enforcement.SOFT


@pytest.mark.parametrize("policy", ["ACCEPT", "DROP"])
def test_a_chain_of_iptables_is_loosened(policy: str, namespace: Namespace, tmp_path: Path) -> None:
    """The chain's own file takes its refusal away; what INPUT does after it, the script says."""
    iptables, restore = require("iptables"), [require("iptables-restore"), "--noflush"]
    origin = Origin(declared_list("iptables", "GATEWAY", intent="restrict"), tmp_path)
    namespace.run([*restore, str(origin.emit(EU)["gateway.rules"])])
    namespace.run([iptables, "-P", "INPUT", policy])
    namespace.run([iptables, "-I", "INPUT", "-p", "tcp", "--dport", "25", "-j", "GATEWAY"])
    content = _exported(origin, namespace)
    assert content.enforcement is content.refusal is Enforcement.SOFT
    files = _loosened(origin, content)
    namespace.run([*restore, str(files["gateway.rules"])])
    content = _exported(origin, namespace)
    assert content.enforcement is Enforcement.NONE
    assert content.refusal is (Enforcement.NONE if policy == "ACCEPT" else Enforcement.SOFT)
    _done_as_said(files["loosen.sh"], namespace)
    content = _exported(origin, namespace)
    assert content.enforcement is content.refusal is Enforcement.NONE
    assert content.addresses == parse_address_set(EU)


def _run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)


def _text(*command: str | Path, **environment: str) -> str:
    ran = _run(*command, **environment)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_table_of_postfix_goes_from_soft_to_hard_and_back(tmp_path: Path) -> None:
    """Each table is whole; Postfix answers, its check passes for it alone, and its export says how hard it is."""
    require("postmap")
    settings = tmp_path / "postfix"
    settings.mkdir()
    restriction = f"smtpd_client_restrictions = check_client_access cidr:{tmp_path / 'gateway_access.cidr'}"
    (settings / "main.cf").write_text(f"compatibility_level = 3.6\nmessage_size_limit = 0\n{restriction}\n")
    environment = {"MAIL_CONFIG": str(settings)}
    hard = declared_list("postfix-access", intent="restrict")
    soft = softened(hard)
    assert soft is not None
    content = None
    checks: dict[str, str] = {}
    answers = {"soft": r"450 4\.7\.1 \S", "hard": r"REJECT \S", "none": r"$"}
    for declared, is_loosening in ((soft, False), (hard, False), (hard, True)):
        origin = Origin(declared, tmp_path)
        wanted = Enforcement.NONE if is_loosening else hardest_enforcement(declared)
        files = _loosened(origin, content) if is_loosening and content is not None else origin.emit(EU, content)
        table = files["gateway_access.cidr"]
        if content is None:
            table.write_text(f"{FOREIGN[0]} OK\n{table.read_text()}")
        for outsider in (OUTSIDER, "2001:db8::25"):
            answer = _run("postmap", "-q", outsider, f"cidr:{table}", **environment)
            assert re.match(answers[wanted], answer.stdout)
            assert not answer.stderr
        for allowed in (*EU, "198.51.100.9"):
            assert _text("postmap", "-q", allowed, f"cidr:{table}", **environment) == "OK\n"
        _text(files["check.sh"], table, **environment)
        checks[wanted] = files["check.sh"].read_text()
        for name, text in checks.items():
            (tmp_path / "other.sh").write_text(text)
            assert (_run("sh", tmp_path / "other.sh", table, **environment).returncode == 0) == (name == wanted)
        content = Origin(hard, tmp_path).read(_text(files["export.sh"], table, **environment))
        assert (content.enforcement, content.refusal) == (wanted, wanted)
        assert content.addresses == parse_address_set([*EU, FOREIGN[0]])


def test_settings_of_postfix_are_exported_that_make_a_refusal_soft(tmp_path: Path) -> None:
    require("postmap")
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\nsoft_bounce = yes\n")
    origin = Origin(declared_list("postfix-access", intent="restrict"), tmp_path)
    files = origin.emit(EU)
    export = _text(files["export.sh"], files["gateway_access.cidr"], MAIL_CONFIG=str(tmp_path))
    assert origin.read(export).enforcement is Enforcement.SOFT


def test_csf_is_loosened_as_said(tmp_path: Path) -> None:
    folder = tmp_path / "csf"
    folder.mkdir()
    settings = folder / "csf.conf"
    settings.write_text('TCP_IN = "22,80"\nTCP_OUT = "25"\nTCP6_IN = ""\n')
    origin = Origin(declared_list("csf", intent="restrict"), tmp_path)
    (folder / "csf.allow").write_text(origin.emit(EU)["csf.allow"].read_text())
    content = origin.read(_text(tmp_path / "export.sh", folder))
    assert content.enforcement is content.refusal is Enforcement.SOFT
    files = _loosened(origin, content)
    said = _text(files["loosen.sh"], settings)
    for name, value in re.findall(r'to: (\w+) = "(.*)"', said):
        settings.write_text(re.sub(rf'(?m)^{name} = ".*"$', f'{name} = "{value}"', settings.read_text()))
    assert settings.read_text() == 'TCP_IN = "22,80,25"\nTCP_OUT = "25"\nTCP6_IN = "25"\n'
    content = origin.read(_text(files["export.sh"], folder))
    assert content.enforcement is content.refusal is Enforcement.NONE
    assert _text(files["loosen.sh"], settings) == "port 25 is open to everybody\n"
    settings.write_text('TCP_IN = "20:30"\nTCP6_IN = "22,1:25"\n')
    assert _text(files["loosen.sh"], settings) == "port 25 is open to everybody\n"


def _stub(folder: Path, name: str, text: str) -> dict[str, str]:
    """Stands in for what runs nowhere here; what it prints is by its documentation."""
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin"}


def test_what_is_said_of_firewalld_and_aws(tmp_path: Path) -> None:
    content = replace(Origin(declared_list("plain"), tmp_path).read("192.0.2.7\n"), entries=())
    active = r'printf "public\n  interfaces: eth0\ndmz (default)\n  sources: 192.0.2.0/24\n"'
    zones = f'case "$*" in *get-active-zones*) {active};;'
    environment = _stub(
        tmp_path, "firewall-cmd", f"{zones} *zone=dmz*query-service=smtp) exit 0;; *query*) exit 1;; esac"
    )
    files = _loosened(Origin(declared_list("firewalld", "gateway", intent="restrict"), tmp_path), content)
    said = _text(files["loosen.sh"], **environment).splitlines()
    assert "firewall-cmd --permanent --zone=public --add-service=smtp" in said
    assert "# the zone dmz lets everybody in on port 25" in said
    environment = _stub(tmp_path, "aws", "printf 'sg-1\\tsg-2\\n'")
    name = "pl-0123456789abcdef0"
    files = _loosened(Origin(declared_list("aws-prefix-list", name, intent="restrict"), tmp_path), content)
    said = _text(files["loosen.sh"], **environment).splitlines()
    assert [line.split("--group-id ")[1].split()[0] for line in said if line.startswith("aws ")] == ["sg-1", "sg-2"]
