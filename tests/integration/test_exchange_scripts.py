"""The emitted scripts run under PowerShell, against a stub of the cmdlets that keeps state."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from exchange_builders import (
    EDGE,
    ENHANCED,
    FILTER,
    GATEWAY,
    INBOUND,
    LIST_TARGETS,
    RECEIVE,
    RULE,
    SPAM_RULE,
    STALE,
    declared,
    edge_entry,
    emission,
    filtering_connector,
    inbound_connector,
    list_scripts,
    receive_connector,
    rule_emission,
    rule_scripts,
    transport_rule,
)

from reconciler.targets.base import AllowlistContent, Intent
from reconciler.targets.mail_rule import RuleState, compare_rule
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS

pytestmark = pytest.mark.integration

TESTS = Path(__file__).parent.parent
FOREIGN = "192.0.2.0/24"
SECONDS = 60
SCRIPT = {
    RECEIVE: "receive-connector.ps1",
    EDGE: "edge-allow-list.ps1",
    FILTER: "connection-filter.ps1",
    INBOUND: "inbound-connector.ps1",
    ENHANCED: "enhanced-filtering.ps1",
}


@pytest.fixture(name="pwsh", scope="module")
def find_pwsh() -> str:
    """PowerShell 7; where it is missing, a skip, or a failure with RECONCILER_REQUIRE_PWSH=1."""
    found = shutil.which("pwsh")
    if found is None:
        if os.environ.get("RECONCILER_REQUIRE_PWSH") == "1":
            pytest.fail("pwsh is required and is not on the PATH")
        pytest.skip("pwsh (PowerShell 7) is not on the PATH")
    return found


@dataclass(frozen=True)
class Ran:
    """One run of a script: its exit code, what it printed, and the stub's state afterwards."""

    code: int
    output: str
    state: dict[str, Any]

    @property
    def summary(self) -> str:
        """The last line that is a summary."""
        return [line for line in self.output.splitlines() if line.startswith("Summary: ")][-1]


class Lab:
    """A folder with the stub's state and the scripts; each run is a PowerShell of its own."""

    def __init__(self, pwsh: str, folder: Path, state: dict[str, Any]) -> None:
        """Write the state; what it does not name is empty."""
        self._pwsh = pwsh
        self._folder = folder
        self._state = folder / "state.json"
        empty: dict[str, Any] = {
            "Rules": [],
            "ReceiveConnectors": [],
            "IPAllowList": [],
            "ConnectionFilterPolicies": [],
            "InboundConnectors": [],
            "Changes": [],
        }
        self._state.write_text(json.dumps(empty | state))

    def run(self, script: str, **parameters: object) -> Ran:
        """Run the text of a script. Confirm is off, as in a pipeline."""
        file = self._folder / "script.ps1"
        file.write_bytes(script.encode())
        if "-Append" in script:
            parameters |= {"Confirm": False, "TranscriptPath": str(self._folder / "transcript.log")}
        command = [self._pwsh, "-NoProfile", "-NonInteractive", "-File", str(TESTS / "pwsh" / "RunScript.ps1")]
        command += ["-State", str(self._state), "-Script", str(file), "-Parameters", json.dumps(parameters)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=self._folder)
        return Ran(done.returncode, done.stdout + done.stderr, json.loads(self._state.read_text()))

    def export(self, script: str) -> str:
        """What an export script writes."""
        path = self._folder / "export.json"
        ran = self.run(script, Path=str(path))
        assert ran.code == 0, ran.output
        octets = path.read_bytes()
        assert not octets.startswith(b"\xef\xbb\xbf")
        return octets.decode()


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


def test_the_skip_list_is_used_and_not_the_last_address(pwsh: str, tmp_path: Path) -> None:
    lab = Lab(pwsh, tmp_path, state_of(ENHANCED, [], EFSkipLastIP=True))
    script = script_of(ENHANCED)
    assert "4 added, 0 removed, 1 corrected, 0 left" in lab.run(script).summary
    assert written(observed(lab, ENHANCED)) == set(GATEWAY)
    assert lab.run(script).summary == "Summary: in sync, nothing to change (4 entries)."


def rule_lab(pwsh: str, folder: Path, *rules: dict[str, Any]) -> Lab:
    return Lab(pwsh, folder, {"Rules": list(rules)})


def rule_state(lab: Lab) -> RuleState:
    target = MAIL_RULE_TARGETS[RULE]
    text = lab.export(rule_scripts(rule_emission())["export-spam-rule.ps1"])
    return compare_rule(SPAM_RULE, target.read(text), action=target.action(SPAM_RULE))


OTHER = transport_rule(
    Guid="6f1d0f0c-0000-4000-8000-000000000002", Name="Another", HeaderMatchesMessageHeader="X-Other"
)


@pytest.mark.parametrize(
    ("rule", "summary"),
    [
        (None, "created"),
        (transport_rule(HeaderMatchesMessageHeader="X-Old"), "corrected"),
        (transport_rule(HeaderMatchesPatterns=["FAIL", "MAYBE"]), "corrected"),
        (transport_rule(SetSCL="9"), "corrected"),
        (transport_rule(Mode="Audit"), "corrected"),
        (transport_rule(State="Disabled"), "enabled"),
        (transport_rule(State="Disabled", SetSCL="5"), "corrected, enabled"),
    ],
)
def test_the_spam_rule_is_made_corrected_and_enabled_once(
    pwsh: str, tmp_path: Path, rule: dict[str, Any] | None, summary: str
) -> None:
    lab = rule_lab(pwsh, tmp_path, OTHER, *([rule] if rule else []))
    script = rule_scripts(rule_emission())["spam-rule.ps1"]
    first = lab.run(script)
    assert (first.code, first.summary) == (0, f"Summary: {summary}."), first.output
    assert rule_state(lab) is RuleState.EQUAL
    second = lab.run(script)
    assert second.summary == "Summary: in sync, nothing to change."
    assert second.state["Changes"] == first.state["Changes"]
    assert OTHER in second.state["Rules"]


def test_what_if_makes_no_spam_rule(pwsh: str, tmp_path: Path) -> None:
    ran = rule_lab(pwsh, tmp_path, OTHER).run(rule_scripts(rule_emission())["spam-rule.ps1"], WhatIf=True)
    assert (ran.code, ran.state["Changes"]) == (0, []), ran.output
    assert ran.summary == "Summary: the rule is missing, and was not made."


def test_an_equal_rule_under_another_name_counts_and_is_left_alone(pwsh: str, tmp_path: Path) -> None:
    lab = rule_lab(pwsh, tmp_path, transport_rule(Name="Gateway spam"))
    ran = lab.run(rule_scripts(rule_emission())["spam-rule.ps1"])
    assert ran.summary == "Summary: in sync: an equal rule is there, named Gateway spam."
    assert ran.state["Changes"] == []
    assert rule_state(lab) is RuleState.EQUAL_OTHER_NAME


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ([transport_rule(), transport_rule(Guid="2")], "2 rules are named"),
        ([transport_rule(Name="A"), transport_rule(Name="B", Guid="2")], "2 rules do what the spam rule does: A, B"),
        ([transport_rule(Exceptions=["ExceptIfFromPredicate"])], "further parts: exceptions"),
        ([transport_rule(Conditions=["HeaderMatchesPredicate", "FromScopePredicate"])], "further parts: conditions"),
    ],
)
def test_what_could_be_meant_twice_or_does_more_is_refused(
    pwsh: str, tmp_path: Path, rules: list[dict[str, Any]], reason: str
) -> None:
    ran = rule_lab(pwsh, tmp_path, *rules).run(rule_scripts(rule_emission())["spam-rule.ps1"])
    assert (ran.code, ran.state["Changes"]) == (1, [])
    assert reason in ran.output
