"""Whatever an Exchange export holds, reading it gives a result or says why not."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from exchange_builders import (
    EDGE,
    ENHANCED,
    FILTER,
    INBOUND,
    LIST_TARGETS,
    RECEIVE,
    RULE,
    declared,
    edge_entry,
    export,
    filtering_connector,
    inbound_connector,
    receive_connector,
    transport_rule,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.targets.base import AllowlistContent, UnreadableExportError
from reconciler.targets.mail_rule import MailRuleContent
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
WHOLE: Mapping[str, dict[str, Any]] = {
    RECEIVE: receive_connector(),
    EDGE: edge_entry(),
    FILTER: {"Name": "Default", "IPAllowList": ["192.0.2.1"]},
    INBOUND: inbound_connector(),
    ENHANCED: filtering_connector(),
    RULE: transport_rule(),
}


def read_now(target: str, text: str) -> AllowlistContent | MailRuleContent:
    if target == RULE:
        return MAIL_RULE_TARGETS[target].read(text)
    return ALLOWLIST_TARGETS[target].read(text, declared(target))


def read(target: str, text: str) -> None:
    """Anything but content or the one exception fails the test."""
    with suppress(UnreadableExportError):
        assert isinstance(read_now(target, text), MailRuleContent if target == RULE else AllowlistContent)


@pytest.mark.parametrize("target", [*LIST_TARGETS, RULE])
@settings(max_examples=60, deadline=None)
@given(text=st.text() | JSON.map(json.dumps))
def test_any_text_is_read_or_unreadable(target: str, text: str) -> None:
    read(target, text)


@pytest.mark.parametrize("target", [*LIST_TARGETS, RULE])
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_any_value_anywhere_is_read_or_unreadable(target: str, data: st.DataObject) -> None:
    whole = WHOLE[target]
    key = data.draw(st.sampled_from([*whole, "Objects", "Settings", "MadeAt", "Count", "Server"]))
    value = data.draw(JSON)
    if key in whole:
        read(target, export(target, whole | {key: value}))
    else:
        read(target, export(target, whole, **{key: value}))


@pytest.mark.parametrize("target", [*LIST_TARGETS, RULE])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_half_an_export_is_unreadable(target: str, data: st.DataObject) -> None:
    text = export(target, WHOLE[target])
    half = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(UnreadableExportError):
        read_now(target, half)
