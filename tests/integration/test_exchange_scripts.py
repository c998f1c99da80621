"""The emitted scripts run under PowerShell, against a stub of the cmdlets that keeps state."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from exchange_builders import (
    EDGE,
    ENHANCED,
    FILTER,
    GATEWAY,
    INBOUND,
    LIST_TARGETS,
    RECEIVE,
    STALE,
    declared,
    edge_entry,
    emission,
    filtering_connector,
    inbound_connector,
    list_scripts,
    receive_connector,
)
from exchange_lab import SECONDS, TESTS, Lab, find_pwsh

from reconciler.targets.base import AllowlistContent, Intent
from reconciler.targets.registry import ALLOWLIST_TARGETS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

FOREIGN = "192.0.2.0/24"
SCRIPT = {
    RECEIVE: "receive-connector.ps1",
    EDGE: "edge-allow-list.ps1",
    FILTER: "connection-filter.ps1",
    INBOUND: "inbound-connector.ps1",
    ENHANCED: "enhanced-filtering.ps1",
}


@pytest.fixture(name="pwsh", scope="module")
def pwsh_on_the_path() -> str:
    return find_pwsh()


def identified(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"Identity": o["Name"]} | o for o in objects]


def state_of(target: str, addresses: list[str], **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """The stub's state with the target's object, which holds these addresses."""
    if target == RECEIVE:
        server = {"Identity": "EX01\\Gateway", "Bindings": ["0.0.0.0:25"], "TransportRole": "FrontendTransport"}
        return {"ReceiveConnectors": [server | receive_connector(RemoteIPRanges=addresses) | changes]}
    if target == EDGE:
        entries = [edge_entry(Identity=i, IPRange=a) | changes for i, a in enumerate(addresses, 1)]
        return {"IPAllowList": entries}
    if target == FILTER:
        return {"ConnectionFilterPolicies": identified([{"Name": "Default", "IPAllowList": addresses}])}
    skipping = filtering_connector(EFSkipIPs=addresses if target == ENHANCED else [])
    sending = inbound_connector(SenderIPAddresses=addresses if target == INBOUND else list(GATEWAY))
    return {"InboundConnectors": identified([skipping | sending | changes])}


def script_of(target: str, **changes: Any) -> str:  # noqa: ANN401
    options = (("server", "EX01"),) if target == RECEIVE else ()
    return list_scripts(emission(declared(target, options=options, **changes)))[SCRIPT[target]]


def observed(lab: Lab, target: str) -> AllowlistContent:
    """What the target's own export script, run here, says."""
    given = declared(target)
    scripts = list_scripts(emission(given))
    text = lab.export(next(t for name, t in scripts.items() if name.startswith("export-")))
    return ALLOWLIST_TARGETS[target].read(text, given)


def written(content: AllowlistContent) -> set[str]:
    return {e.written for e in content.entries}


each_list = pytest.mark.parametrize("target", LIST_TARGETS)


def test_powershells_own_parser_finds_no_error(pwsh: str) -> None:
    for folder in (TESTS / "golden" / "exchange", TESTS / "pwsh"):
        command = [pwsh, "-NoProfile", "-NonInteractive", "-File", str(TESTS / "pwsh" / "ParseScript.ps1")]
        done = subprocess.run(
            [*command, "-Folder", str(folder)], capture_output=True, text=True, timeout=SECONDS, check=True
        )
        assert done.stdout == ""


@each_list
def test_missing_addresses_are_added_once_and_nothing_else_is_touched(pwsh: str, tmp_path: Path, target: str) -> None:
    lab = Lab(pwsh, tmp_path, state_of(target, [GATEWAY[0], STALE, FOREIGN]))
    script = script_of(target)
    first = lab.run(script)
    assert (first.code, "3 added, 0 removed, 0 corrected, 1 left" in first.summary) == (0, True), first.output
    assert written(observed(lab, target)) == {*GATEWAY, STALE, FOREIGN}
    second = lab.run(script)
    assert second.state["Changes"] == first.state["Changes"]


@each_list
def test_what_if_changes_nothing(pwsh: str, tmp_path: Path, target: str) -> None:
    lab = Lab(pwsh, tmp_path, state_of(target, [STALE, FOREIGN]))
    ran = lab.run(script_of(target), WhatIf=True, Prune=True)
    assert (ran.code, ran.state["Changes"]) == (0, []), ran.output
    assert "What if:" in ran.output


@each_list
def test_pruned_and_run_again_it_is_in_sync(pwsh: str, tmp_path: Path, target: str) -> None:
    lab = Lab(pwsh, tmp_path, state_of(target, [GATEWAY[0], STALE, FOREIGN]))
    script = script_of(target)
    first = lab.run(script, Prune=True)
    assert (first.code, "3 added, 1 removed, 0 corrected, 0 left" in first.summary) == (0, True), first.output
    assert written(observed(lab, target)) == {*GATEWAY, FOREIGN}
    second = lab.run(script, Prune=True)
    assert second.summary == "Summary: in sync, nothing to change (5 entries)."
    assert second.state["Changes"] == first.state["Changes"]


@each_list
@pytest.mark.parametrize(
    "wide", ["0.0.0.0-255.255.255.255", "96.0.0.0/3", "99.81.216.1/24", "99.81.216.0(255.255.255.0)"]
)
def test_an_address_that_an_entry_covers_is_not_added(pwsh: str, tmp_path: Path, target: str, wide: str) -> None:
    lab = Lab(pwsh, tmp_path, state_of(target, [wide, *GATEWAY[1:]]))
    ran = lab.run(script_of(target))
    assert (ran.code, ran.state["Changes"]) == (0, []), ran.output


@pytest.mark.parametrize(
    ("target", "state"), [(RECEIVE, {}), (INBOUND, {}), (EDGE, {"IPAllowList": []})], ids=[RECEIVE, INBOUND, EDGE]
)
def test_what_is_missing_is_made(pwsh: str, tmp_path: Path, target: str, state: dict[str, Any]) -> None:
    lab = Lab(pwsh, tmp_path, state)
    script = script_of(target)
    first = lab.run(script)
    assert (first.code, "4 added" in first.summary) == (0, True), first.output
    content = observed(lab, target)
    assert (written(content), content.advice) == (set(GATEWAY), ())
    assert lab.run(script).state["Changes"] == first.state["Changes"]


def test_an_expired_entry_of_an_edge_server_does_not_count(pwsh: str, tmp_path: Path) -> None:
    lab = Lab(pwsh, tmp_path, state_of(EDGE, list(GATEWAY), HasExpired=True))
    assert "4 added" in lab.run(script_of(EDGE)).summary


@pytest.mark.parametrize(
    ("target", "changes", "reason"),
    [
        (RECEIVE, {"AuthMechanism": "Tls, ExternalAuthoritative"}, "ExternalAuthoritative"),
        (RECEIVE, {"PermissionGroups": "ExchangeServers"}, "refuses anonymous"),
        (RECEIVE, {"Enabled": False}, "is disabled"),
        (INBOUND, {"ConnectorType": "OnPremises"}, "not Partner"),
        (ENHANCED, {"Name": "Another"}, "Make the connector first"),
    ],
)
def test_an_object_that_must_not_be_used_is_refused(
    pwsh: str, tmp_path: Path, target: str, changes: dict[str, object], reason: str
) -> None:
    ran = Lab(pwsh, tmp_path, state_of(target, [], **changes)).run(script_of(target))
    assert (ran.code, ran.state["Changes"]) == (1, [])
    assert reason in ran.output


def test_a_connection_filter_that_is_full_is_refused(pwsh: str, tmp_path: Path) -> None:
    full = [f"10.0.{i // 256}.{i % 256}" for i in range(1271)]
    ran = Lab(pwsh, tmp_path, state_of(FILTER, full)).run(script_of(FILTER))
    assert (ran.code, ran.state["Changes"]) == (1, [])
    assert "1273" in ran.output


def test_the_lockdown_comes_after_the_addresses_and_once(pwsh: str, tmp_path: Path) -> None:
    lab = Lab(pwsh, tmp_path, state_of(INBOUND, [GATEWAY[0]], Enabled=False))
    script = script_of(INBOUND, intent=Intent.RESTRICT)
    first = lab.run(script)
    assert (first.code, "3 added, 0 removed, 2 corrected" in first.summary) == (0, True), first.output
    changes = first.state["Changes"]
    assert [("SenderIPAddresses" in c, "RestrictDomainsToIPAddresses" in c) for c in changes] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert lab.run(script).summary == "Summary: in sync, nothing to change (4 entries)."


def test_a_lockdown_is_loosened_only_on_demand(pwsh: str, tmp_path: Path) -> None:
    lab = Lab(pwsh, tmp_path, state_of(INBOUND, list(GATEWAY), RestrictDomainsToIPAddresses=True))
    script = script_of(INBOUND)
    kept = lab.run(script)
    assert (kept.code, kept.state["Changes"]) == (0, [])
    assert "-Loosen" in kept.output
    loosened = lab.run(script, Loosen=True)
    assert loosened.state["InboundConnectors"][0]["RestrictDomainsToIPAddresses"] is False
    assert lab.run(script).summary == "Summary: in sync, nothing to change (4 entries)."


def test_a_disabled_lockdown_is_not_enabled_before_it_is_loosened(pwsh: str, tmp_path: Path) -> None:
    """Before the switch it would reject all mail."""
    state = state_of(INBOUND, list(GATEWAY), RestrictDomainsToIPAddresses=True, Enabled=False)
    lab = Lab(pwsh, tmp_path, state)
    script = script_of(INBOUND)
    assert lab.run(script).state["Changes"] == []
    (connector,) = lab.run(script, Loosen=True).state["InboundConnectors"]
    assert (connector["RestrictDomainsToIPAddresses"], connector["Enabled"]) == (False, True)


def test_the_skip_list_is_used_and_not_the_last_address(pwsh: str, tmp_path: Path) -> None:
    lab = Lab(pwsh, tmp_path, state_of(ENHANCED, [], EFSkipLastIP=True))
    script = script_of(ENHANCED)
    assert "4 added, 0 removed, 1 corrected, 0 left" in lab.run(script).summary
    assert written(observed(lab, ENHANCED)) == set(GATEWAY)
    assert lab.run(script).summary == "Summary: in sync, nothing to change (4 entries)."
