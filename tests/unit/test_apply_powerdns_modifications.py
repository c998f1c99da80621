"""The modifications that are sent to PowerDNS; the servers that know EXTEND are newer than the one in Debian."""

from __future__ import annotations

import pytest
from apply_builders import FOREIGN, OLD, OURS, TOKEN_NAME, build_change

from reconciler.apply.powerdns import is_by_value_safe, is_extend_known, modifications_by_value, replacement
from reconciler.apply.powerdns_api import Record, StoredRRset
from reconciler.state import Rdata

ODD_OLD = r'"our\045old\045token"'
RDATAS = {ODD_OLD: OLD, FOREIGN: FOREIGN}
STORED = StoredRRset(300, (Record(ODD_OLD, disabled=False), Record(FOREIGN, disabled=False)), ())
WITH_DISABLED = StoredRRset(300, (*STORED.records, Record('"off"', disabled=True)), ())
CHANGE = build_change(before=(OLD,), after=(OURS,), foreign=(FOREIGN,))


@pytest.mark.parametrize(
    ("version", "is_known"),
    [
        ("4.7.3", False),
        ("4.9.11", False),
        ("4.9.12", True),
        ("5.0.0", False),
        ("5.0.1", False),
        ("5.0.2-rc1", True),
        ("5.1.0", True),
        ("10.0.0", True),
        ("0.0.880gabc", False),
        ("", False),
    ],
)
def test_extend_is_known_from_4_9_12_and_5_0_2_on(version: str, *, is_known: bool) -> None:
    assert is_extend_known(version) is is_known


def test_by_value_adds_first_removes_what_the_server_has_and_sends_no_foreign_value() -> None:
    common = {"name": TOKEN_NAME, "type": "TXT", "ttl": 300}
    assert modifications_by_value(CHANGE, RDATAS) == [
        {**common, "changetype": "EXTEND", "records": [{"content": OURS, "disabled": False}]},
        {**common, "changetype": "PRUNE", "records": [{"content": ODD_OLD, "disabled": False}]},
    ]


def test_a_replacement_sends_foreign_and_disabled_records_as_they_came() -> None:
    rdatas = {**RDATAS, '"off"': Rdata('"off"')}
    assert replacement(CHANGE, WITH_DISABLED, rdatas)["records"] == [
        {"content": FOREIGN, "disabled": False},
        {"content": '"off"', "disabled": True},
        {"content": OURS, "disabled": False},
    ]


def test_the_server_would_drop_disabled_records_comments_and_a_new_ttl() -> None:
    """PowerDNS rebuilds the rrset of an EXTEND or PRUNE from its enabled records (5.1, `applyPruneOrExtend`)."""
    assert is_by_value_safe(CHANGE, STORED)
    assert not is_by_value_safe(CHANGE, WITH_DISABLED)
    assert not is_by_value_safe(build_change(before=(OLD,), after=(OURS,), ttl_before=60), STORED)
    commented = StoredRRset(300, (Record(ODD_OLD, disabled=False),), ({"content": "ask Jane"},))
    assert not is_by_value_safe(build_change(before=(OLD,)), commented)
    assert is_by_value_safe(build_change(before=(OLD,), after=(OURS,)), commented)


def test_nothing_left_is_a_deletion() -> None:
    stored = StoredRRset(300, (Record(OLD, disabled=False),), ())
    modification = replacement(build_change(before=(OLD,)), stored, {OLD: OLD})
    assert modification == {"name": TOKEN_NAME, "type": "TXT", "changetype": "DELETE"}
