"""What the exports of Exchange and Exchange Online say."""

from __future__ import annotations

from typing import Any

import pytest
from exchange_builders import (
    EDGE,
    ENHANCED,
    FILTER,
    GATEWAY,
    INBOUND,
    LIST_TARGETS,
    NAMED,
    RECEIVE,
    RULE,
    SPAM_RULE,
    declared,
    edge_entry,
    export,
    filtering_connector,
    inbound_connector,
    receive_connector,
    transport_rule,
)

from reconciler.addresses import parse_address_set
from reconciler.targets.base import AllowlistContent, Intent, UnreadableExportError
from reconciler.targets.mail_rule import RuleState, compare_rule
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS


def read(target: str, *objects: dict[str, Any], text: str | None = None, **changes: Any) -> AllowlistContent:  # noqa: ANN401
    """What a target reads of an export of these objects."""
    given = declared(target, **changes)
    return ALLOWLIST_TARGETS[target].read(export(target, *objects) if text is None else text, given)


def written(content: AllowlistContent) -> tuple[str, ...]:
    return tuple(e.written for e in content.entries)


def codes(content: AllowlistContent) -> list[str]:
    return [a.code for a in content.advice]


OBJECTS: dict[str, dict[str, Any]] = {
    RECEIVE: receive_connector(),
    EDGE: edge_entry(),
    FILTER: {"Name": "Default", "IPAllowList": list(GATEWAY)},
    INBOUND: inbound_connector(),
    ENHANCED: filtering_connector(),
}


@pytest.mark.parametrize("target", LIST_TARGETS)
def test_an_object_as_it_should_be_needs_no_advice(target: str) -> None:
    content = read(target, OBJECTS[target])
    assert written(content) == (GATEWAY if target != EDGE else GATEWAY[:1])
    assert not content.advice
    assert content.made_at is not None


@pytest.mark.parametrize("target", LIST_TARGETS)
def test_a_whole_export_without_the_object_is_an_empty_list(target: str) -> None:
    other = OBJECTS[target] | {"Name": "Another"}
    assert written(read(target, *([] if target == EDGE else [other]))) == ()


@pytest.mark.parametrize("target", [*sorted(NAMED), FILTER])
def test_two_objects_of_one_name_are_unreadable(target: str) -> None:
    with pytest.raises(UnreadableExportError):
        read(target, OBJECTS[target], OBJECTS[target])


@pytest.mark.parametrize("target", LIST_TARGETS)
def test_the_export_of_another_target_is_unreadable(target: str) -> None:
    other = EDGE if target != EDGE else RECEIVE
    with pytest.raises(UnreadableExportError, match="not of"):
        read(target, text=export(other, OBJECTS[other]))


def test_receive_connectors_of_several_servers_are_told_apart() -> None:
    there = receive_connector(Server="EX02", RemoteIPRanges=["192.0.2.1"])
    content = read(RECEIVE, receive_connector(), there, options=(("server", "ex02.acme.example"),))
    assert written(content) == ("192.0.2.1",)
    with pytest.raises(UnreadableExportError, match=r"EX01, EX02.*add `server`"):
        read(RECEIVE, receive_connector(), there)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Enabled": False}, "exchange-connector-disabled"),
        ({"PermissionGroups": "ExchangeServers, ExchangeUsers"}, "exchange-connector-anonymous"),
    ],
)
def test_a_receive_connector_that_takes_nothing_from_the_gateway_allows_nobody(
    changes: dict[str, object], code: str
) -> None:
    content = read(RECEIVE, receive_connector(**changes))
    assert (written(content), codes(content)) == ((), [code])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"AuthMechanism": "Tls, ExternalAuthoritative"}, "exchange-connector-trusting"),
        ({"MaxMessageSize": "36 MB (37,748,736 bytes)"}, "exchange-message-size"),
        ({"MaxInboundConnectionPerSource": "20"}, "exchange-connection-limit"),
        ({"MaxInboundConnectionPercentagePerSource": "2"}, "exchange-connection-limit"),
        ({"MessageRateLimit": "600"}, "exchange-connection-limit"),
        ({"TarpitInterval": "00:00:05"}, "exchange-connection-limit"),
    ],
)
def test_limits_that_hurt_mail_from_few_addresses_are_advised(changes: dict[str, object], code: str) -> None:
    content = read(RECEIVE, receive_connector(**changes))
    assert (written(content), codes(content)) == (GATEWAY, [code])


def test_the_organizations_message_size_is_advised() -> None:
    text = export(RECEIVE, receive_connector(), Settings={"MaxReceiveSize": "10 MB (10,485,760 bytes)"})
    (advice,) = read(RECEIVE, text=text).advice
    assert "the organization takes messages of 10485760 octets" in advice.summary


def test_expired_entries_of_an_edge_server_allow_nobody() -> None:
    content = read(EDGE, edge_entry(), edge_entry(IPRange="192.0.2.1", HasExpired=True))
    assert written(content) == GATEWAY[:1]


def test_an_entry_that_will_expire_is_advised() -> None:
    assert codes(read(EDGE, edge_entry(ExpirationTime="2027-01-01T00:00:00"))) == ["exchange-edge-expires"]


def test_an_edge_list_that_is_not_in_use_is_advised() -> None:
    text = export(EDGE, edge_entry(), Settings={"Enabled": False, "ExternalMailEnabled": True})
    assert codes(read(EDGE, text=text)) == ["exchange-edge-off"]


def test_another_connection_filter_policy_can_be_named() -> None:
    policy = {"Name": "Strict", "IPAllowList": "192.0.2.1"}
    assert written(read(FILTER, OBJECTS[FILTER], policy, options=(("policy", "strict"),))) == ("192.0.2.1",)


def test_a_disabled_inbound_connector_allows_nobody() -> None:
    content = read(INBOUND, inbound_connector(Enabled=False))
    assert (written(content), codes(content)) == ((), ["exchange-connector-disabled"])


def test_an_inbound_connector_of_another_type_is_advised() -> None:
    assert codes(read(INBOUND, inbound_connector(ConnectorType="OnPremises"))) == ["exchange-connector-type"]


@pytest.mark.parametrize(
    ("rejects", "domains", "intent", "expected"),
    [
        (True, ["smtp:*;1"], Intent.RESTRICT, []),
        (True, ["*"], Intent.RESTRICT, []),
        (True, ["smtp:acme.example;1"], Intent.RESTRICT, ["exchange-connector-open"]),
        (True, ["smtp:*.acme.example;1"], Intent.RESTRICT, ["exchange-connector-open"]),
        (False, ["smtp:*;1"], Intent.RESTRICT, ["exchange-connector-open"]),
        (False, ["smtp:*;1"], Intent.ALLOW, []),
        (True, ["smtp:*;1"], Intent.ALLOW, ["exchange-connector-rejects"]),
    ],
)
def test_an_inbound_connector_that_rejects_more_or_less_than_declared_is_advised(
    *, rejects: bool, domains: list[str], intent: Intent, expected: list[str]
) -> None:
    connector = inbound_connector(RestrictDomainsToIPAddresses=rejects, SenderDomains=domains)
    assert codes(read(INBOUND, connector, intent=intent)) == expected


def test_addresses_that_enhanced_filtering_ignores_are_not_there() -> None:
    assert written(read(ENHANCED, filtering_connector(EFSkipLastIP=True))) == ()


def test_enhanced_filtering_for_some_recipients_is_advised() -> None:
    content = read(ENHANCED, filtering_connector(EFUsers=["a@acme.example"]))
    assert (written(content), codes(content)) == (GATEWAY, ["exchange-enhanced-filtering-users"])


def rule_state(*rules: dict[str, Any]) -> RuleState:
    target = MAIL_RULE_TARGETS[RULE]
    return compare_rule(SPAM_RULE, target.read(export(RULE, *rules)), action=target.action(SPAM_RULE))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, RuleState.EQUAL),
        ({"HeaderMatchesPatterns": "FAIL"}, RuleState.EQUAL),
        ({"Name": "Another"}, RuleState.EQUAL_OTHER_NAME),
        ({"State": "Disabled"}, RuleState.DISABLED),
        ({"Mode": "Audit"}, RuleState.DIFFERS),
        ({"SetSCL": "9"}, RuleState.DIFFERS),
        ({"SetSCL": "", "Actions": ["Quarantine"]}, RuleState.DIFFERS),
        ({"HeaderMatchesMessageHeader": None, "HeaderMatchesPatterns": None}, RuleState.DIFFERS),
        ({"Conditions": ["HeaderMatches", "FromScope"]}, RuleState.DIFFERS),
        ({"Exceptions": ["ExceptIfFrom"]}, RuleState.DIFFERS),
        ({"Actions": ["SetScl", "Quarantine"]}, RuleState.DIFFERS),
        ({"ExpiryDate": "11/30/2026 00:00:00"}, RuleState.DIFFERS),
        ({"ActivationDate": "11/30/2026 00:00:00"}, RuleState.DIFFERS),
    ],
)
def test_a_transport_rule_is_compared_with_all_its_parts(changes: dict[str, object], expected: RuleState) -> None:
    assert rule_state(transport_rule(**changes)) is expected


def test_no_transport_rule_and_two_of_them() -> None:
    assert rule_state() is RuleState.ABSENT
    assert rule_state(transport_rule(), transport_rule()) is RuleState.AMBIGUOUS


@pytest.mark.parametrize("changes", [{"State": "1"}, {"Mode": 2}, {"State": None}, {"SetSCL": 6}, {"Exceptions": [1]}])
def test_a_transport_rule_that_is_not_understood_is_unreadable(changes: dict[str, object]) -> None:
    with pytest.raises(UnreadableExportError):
        rule_state(transport_rule(**changes))


def test_a_connector_that_is_not_there_is_told_with_those_that_are() -> None:
    """A misspelt name must not look like a connector that is still to be made."""
    others = (receive_connector(Name="Gateway"), receive_connector(Name="Default"))
    content = read(RECEIVE, *others, name="Gatewy")
    assert content.entries == ()
    (advice,) = content.advice
    assert advice.code == "exchange-connector-missing"
    assert "Gateway, Default" in advice.summary


def test_the_servers_own_connector_gets_no_advice_to_open_its_limits() -> None:
    """Its limits guard against the whole Internet."""
    everybody = ["0.0.0.0-255.255.255.255"]
    own = receive_connector(Name="Default Frontend EX01", RemoteIPRanges=everybody, TarpitInterval="00:00:05")
    content = read(RECEIVE, own, name="Default Frontend EX01")
    assert [a.code for a in content.advice] == ["exchange-connector-shared"]


def test_the_more_specific_connector_takes_the_gateways_mail() -> None:
    """Exchange gives a connection to the narrowest range, even where that connector refuses it."""
    wide = receive_connector(RemoteIPRanges=["99.81.0.0/16", "34.249.190.60"])
    relay = receive_connector(
        Name="Relay", RemoteIPRanges=["99.81.216.78", "34.249.190.60", "10.0.0.5"], PermissionGroups="ExchangeServers"
    )
    content = read(RECEIVE, wide, relay, name="Gateway")
    assert not content.addresses.covers(parse_address_set(["99.81.216.78"]))
    assert content.addresses.covers(parse_address_set(["99.81.216.79", "34.249.190.60"]))
    assert [a.code for a in content.advice] == ["exchange-connector-preferred"]
    assert written(content) == ("99.81.0.0/16", "34.249.190.60")


@pytest.mark.parametrize(
    "harmless",
    [
        {"PermissionGroups": "AnonymousUsers, ExchangeServers"},
        {"Server": "EX02"},
        {"Enabled": False},
        {"Bindings": ["0.0.0.0:587"]},
        {"RemoteIPRanges": ["99.0.0.0/8"]},
    ],
)
def test_another_connector_is_harmless_where_it_is_not_preferred_or_takes_everybody(harmless: dict[str, Any]) -> None:
    wide = receive_connector(RemoteIPRanges=["99.81.0.0/16"])
    narrow = {"Name": "Relay", "RemoteIPRanges": ["99.81.216.78"], "PermissionGroups": "ExchangeServers"}
    content = read(RECEIVE, wide, receive_connector(**(narrow | harmless)), name="Gateway")
    assert content.addresses.covers(parse_address_set(["99.81.0.0/16"]))
    assert content.advice == ()
