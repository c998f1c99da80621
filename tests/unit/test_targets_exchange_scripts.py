"""The scripts for Exchange as code: they parse, call what they may call, and hold hostile values as data."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exchange_builders import (
    EDGE,
    FILTER,
    GATEWAY,
    INBOUND,
    LIST_TARGETS,
    RECEIVE,
    RULE,
    SPAM_RULE,
    declared,
    emission,
    list_scripts,
    rule_emission,
    rule_scripts,
)
from powershell_syntax import errors, function_names, literals, nodes, parse, text_of, texts

from reconciler.errors import EmitError
from reconciler.targets.base import Intent
from reconciler.targets.mail_rule import MailRule

GOLDEN = Path(__file__).parent.parent / "golden" / "exchange"

# reading, and what has no effect outside of the script and its own files
HARMLESS = {
    "ConvertTo-Json",
    "ForEach-Object",
    "Move-Item",
    "New-Object",
    "Set-StrictMode",
    "Start-Transcript",
    "Stop-Transcript",
    "Where-Object",
    "Write-Output",
    "Write-Warning",
}
ALLOWED = {
    "receive-connector.ps1": {"Get-ReceiveConnector", "New-ReceiveConnector", "Set-ReceiveConnector"},
    "edge-allow-list.ps1": {"Get-IPAllowListEntry", "Add-IPAllowListEntry", "Remove-IPAllowListEntry"},
    "connection-filter.ps1": {"Get-HostedConnectionFilterPolicy", "Set-HostedConnectionFilterPolicy"},
    "inbound-connector.ps1": {"Get-InboundConnector", "New-InboundConnector", "Set-InboundConnector"},
    "enhanced-filtering.ps1": {"Get-InboundConnector", "Set-InboundConnector"},
    "spam-rule.ps1": {"Get-TransportRule", "New-TransportRule", "Set-TransportRule", "Enable-TransportRule"},
    "export-receive-connectors.ps1": {"Get-ReceiveConnector", "Get-TransportConfig"},
    "export-edge-allow-list.ps1": {"Get-IPAllowListEntry", "Get-IPAllowListConfig"},
    "export-connection-filter.ps1": {"Get-HostedConnectionFilterPolicy", "Get-OrganizationConfig"},
    "export-inbound-connectors.ps1": {"Get-InboundConnector", "Get-OrganizationConfig"},
    "export-enhanced-filtering.ps1": {"Get-InboundConnector", "Get-OrganizationConfig"},
    "export-spam-rule.ps1": {"Get-TransportRule", "Get-OrganizationConfig"},
}
MUTATIONS = ("New-", "Set-", "Add-", "Remove-", "Enable-")


def all_scripts() -> dict[str, str]:
    """Every file of every target, as `target/name`; the inbound connector once for each intent."""
    scripts = {f"{RULE}/{name}": text for name, text in rule_scripts(rule_emission()).items()}
    for target in LIST_TARGETS:
        scripts |= {f"{target}/{name}": text for name, text in list_scripts(emission(declared(target))).items()}
    lockdown = list_scripts(emission(declared(INBOUND, intent=Intent.RESTRICT)))
    scripts[f"{INBOUND}-restrict/inbound-connector.ps1"] = lockdown["inbound-connector.ps1"]
    return scripts


SCRIPTS = all_scripts()
each_script = pytest.mark.parametrize("path", sorted(SCRIPTS))


@each_script
def test_a_script_is_the_golden_one(path: str) -> None:
    """With RECONCILER_UPDATE_GOLDEN=1 the file is written anew, to be read before it is committed."""
    golden = GOLDEN / path
    if os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(SCRIPTS[path].encode())
    assert golden.read_bytes().decode() == SCRIPTS[path]


def test_no_golden_script_is_an_orphan() -> None:
    assert {str(p.relative_to(GOLDEN)) for p in GOLDEN.rglob("*.ps1")} == set(SCRIPTS)


@each_script
def test_a_script_parses(path: str) -> None:
    root = parse(SCRIPTS[path])
    assert not errors(root)
    assert not root.has_error


@each_script
def test_a_script_calls_what_it_may_call_and_nothing_else(path: str) -> None:
    root = parse(SCRIPTS[path])
    called = texts(root, "command_name")
    assert called <= HARMLESS | ALLOWED[path.split("/")[1]] | function_names(root)
    assert ALLOWED[path.split("/")[1]] <= called


@each_script
def test_a_script_is_printable_ascii_with_line_ends_of_windows(path: str) -> None:
    script = SCRIPTS[path]
    lines = script.split("\r\n")
    assert lines[-1] == ""
    assert all(line.isascii() and (line.isprintable() or not line) for line in lines)


@each_script
def test_a_script_has_no_string_in_which_anything_expands(path: str) -> None:
    root = parse(SCRIPTS[path])
    assert not [n for n in nodes(root) if "expandable" in n.type or "here_string" in n.type]


@each_script
def test_a_script_has_the_shape_that_keeps_it_safe(path: str) -> None:
    script = SCRIPTS[path]
    assert script.startswith("#Requires -Version 5.1\r\n")
    for wanted in ("Set-StrictMode -Version 3.0", "$ErrorActionPreference = 'Stop'"):
        assert script.count(wanted) == 1
    if "/export-" not in path:
        assert "[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]" in script
        assert script.count("\r\nfinally {\r\n    $null = Stop-Transcript\r\n}") == 1


@each_script
def test_every_change_is_asked_for_and_every_query_is_a_list(path: str) -> None:
    """A cmdlet that changes Exchange stands below an `if` that asks ShouldProcess; one that lists stands in @()."""
    root = parse(SCRIPTS[path])
    for node in nodes(root):
        name = text_of(node)
        if node.type != "command_name" or name in HARMLESS:
            continue
        above = []
        parent = node.parent
        while parent is not None:
            above.append(parent)
            parent = parent.parent
        if name.startswith(MUTATIONS):
            asked = [a for a in above if a.type in {"if_statement", "elseif_clause"}]
            assert any("$PSCmdlet.ShouldProcess(" in text_of(a).split("{")[0] for a in asked), name
            assert "@quiet" in text_of(above[0]), name
        elif name.startswith("Get-") and name in ALLOWED[path.split("/")[1]] and not name.endswith("Config"):
            assert any(text_of(a).startswith("@(") for a in above), name
            assert "-ErrorAction Stop" in text_of(above[0]), name


def test_no_script_looks_an_object_up_by_a_name_that_may_be_missing() -> None:
    for path, script in SCRIPTS.items():
        for command in (text_of(n) for n in nodes(parse(script)) if n.type == "command"):
            assert not (command.startswith("Get-") and "-Identity" in command), path


def test_the_rule_is_never_made_without_its_condition() -> None:
    script = SCRIPTS[f"{RULE}/spam-rule.ps1"]
    commands = [text_of(n) for n in nodes(parse(script)) if n.type == "command"]
    setting = [c for c in commands if c.startswith(("New-TransportRule", "Set-TransportRule"))]
    assert len(setting) == 2
    assert all("@content" in c and "-SetSCL" not in c for c in setting)
    content = script.split("$content = @{")[1].split("}")[0]
    assert [line.strip() for line in content.strip().splitlines()] == [
        "HeaderMatchesMessageHeader = $headerName",
        "HeaderMatchesPatterns = $pattern",
        "SetSCL = $level",
        "Mode = 'Enforce'",
    ]


def test_a_receive_connector_never_trusts_its_addresses() -> None:
    script = SCRIPTS[f"{RECEIVE}/receive-connector.ps1"]
    assert "AuthMechanism = 'Tls'\r\n" in script
    assert [line for line in script.splitlines() if "ExternalAuthoritative" in line and "AuthMechanism =" in line] == []


def test_the_lockdown_is_made_by_the_intent_restrict_alone() -> None:
    lockdown = SCRIPTS[f"{INBOUND}-restrict/inbound-connector.ps1"]
    allow = SCRIPTS[f"{INBOUND}/inbound-connector.ps1"]
    assert "RestrictDomainsToIPAddresses = $true" in lockdown
    assert "RestrictDomainsToIPAddresses = $false" not in lockdown
    assert "RestrictDomainsToIPAddresses = $true" not in allow
    assert "LOCKDOWN" in lockdown
    assert "LOCKDOWN" not in allow


def test_nothing_is_removed_that_was_not_seen_to_be_stale() -> None:
    for target in LIST_TARGETS:
        given = emission(declared(target), remove=(), is_observed=False, add=GATEWAY, keep=(), result=GATEWAY)
        script = next(text for name, text in list_scripts(given).items() if not name.startswith("export-"))
        assert "$stale = @(\r\n)" in script


INERT = [
    "it's",
    "''''",
    "'; Remove-Item C:\\ -Recurse; '",
    "$(Remove-Item C:\\)",
    "$env:USERNAME",
    "`r`n Remove-Item",
    '"quoted"',
    "@{Remove='*'}",
    "--%",
    "{0} {1}",
]
REFUSED = [
    "\u2018curly\u2019",
    "\u201acurly\u201b",
    "\u201cdouble\u201d",
    "\u201edouble\u201f",
    "en\u2013dash",
    "two\nlines",
    "carriage\rreturn",
    "tab\there",
    "null\x00",
    "bell\x07",
    "\u0410\u0411",  # their octets hold what Windows-1251 and Windows-1252 read as quotes
    "\u0111\u0192",
    "\u00a0",
    "\x7f",
]


@pytest.mark.parametrize("value", INERT)
@pytest.mark.parametrize("target", [RECEIVE, INBOUND])
def test_a_hostile_name_is_data(target: str, value: str) -> None:
    """The script's tree is the one that a plain name gives, and the name comes out as it went in."""
    scripts = list_scripts(emission(declared(target, name=value)))
    plain = list_scripts(emission(declared(target)))
    for name, script in scripts.items():
        root = parse(script)
        assert not errors(root)
        assert texts(root, "command_name") == texts(parse(plain[name]), "command_name")
        assert value in literals(root) or name.startswith("export-")


@pytest.mark.parametrize("value", INERT)
def test_a_hostile_rule_is_data(value: str) -> None:
    rule = MailRule(value, "X-SPAM", value, 6)
    for name, script in rule_scripts(rule_emission(rule=rule)).items():
        root = parse(script)
        assert not errors(root)
        assert texts(root, "command_name") <= HARMLESS | ALLOWED[name] | function_names(root)
        assert value in literals(root)


@pytest.mark.parametrize("value", REFUSED)
def test_what_windows_powershell_could_read_as_something_else_is_refused(value: str) -> None:
    for given in (
        emission(declared(RECEIVE, name=value)),
        emission(declared(EDGE), service=value),
        emission(declared(FILTER), organization=value),
        emission(declared(FILTER, options=(("policy", value),))),
        emission(declared(RECEIVE, options=(("server", value),))),
        emission(declared(EDGE), remove=(value,)),
        emission(declared(EDGE), gateway=(value,)),
    ):
        with pytest.raises(EmitError):
            list_scripts(given)
    changed: tuple[dict[str, Any], ...] = ({"name": value}, {"header": value}, {"pattern": value})
    for changes in changed:
        with pytest.raises(EmitError):
            rule_scripts(rule_emission(rule=replace(SPAM_RULE, **changes)))


@pytest.mark.parametrize("value", ["#>", "# Requires", "ends\\", "*/", "#Requires -Version 7", "<#"])
def test_a_service_that_could_end_a_comment_is_refused(value: str) -> None:
    with pytest.raises(EmitError):
        list_scripts(emission(declared(EDGE), service=value))
    with pytest.raises(EmitError):
        rule_scripts(rule_emission(organization=value))


def test_the_text_of_a_level_is_refused() -> None:
    with pytest.raises(EmitError):
        rule_scripts(rule_emission(rule=MailRule("R", "X", "FAIL", "6; Get-Process")))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["ExchangeStub.psm1", "RunScript.ps1", "ParseScript.ps1"])
def test_what_runs_the_scripts_in_tests_parses_as_well(name: str) -> None:
    """PowerShell is not on every machine that runs the tests."""
    script = (GOLDEN.parent.parent / "pwsh" / name).read_text(encoding="ascii")
    assert not errors(parse(script))


def test_the_stub_has_every_cmdlet_that_a_script_calls() -> None:
    stub = function_names(parse((GOLDEN.parent.parent / "pwsh" / "ExchangeStub.psm1").read_text(encoding="ascii")))
    assert set().union(*ALLOWED.values()) <= stub
