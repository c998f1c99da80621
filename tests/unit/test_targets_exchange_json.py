"""The envelope of an Exchange export, and the texts inside of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from exchange_builders import EDGE, RECEIVE, edge_entry, export, receive_connector

from reconciler.targets.base import UnreadableExportError
from reconciler.targets.exchange_json import (
    Record,
    parse_count,
    parse_octets,
    parse_seconds,
    read_export,
    read_ranges,
)


def test_an_export_says_when_and_where_it_was_made() -> None:
    read = read_export(export(EDGE, edge_entry(), MadeAt="2026-11-21T12:00:00.1234567+01:00"), EDGE)
    assert (read.made_at, read.server) == (datetime(2026, 11, 21, 11, 0, 0, 123456, tzinfo=UTC), "EX01")


def test_one_object_that_was_unwrapped_is_a_list_of_one() -> None:
    text = export(EDGE, Count=1, Objects=edge_entry())
    assert len(read_export(text, EDGE).objects) == 1


def test_a_list_that_was_wrapped_once_more_is_read() -> None:
    wrapped = {"value": [edge_entry(), edge_entry()], "Count": 2}
    assert len(read_export(export(EDGE, Count=2, Objects=wrapped), EDGE).objects) == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Format": "another"}, "not what the export script writes"),
        ({"FormatVersion": "2"}, "of format '2'"),
        ({"Target": RECEIVE}, f"of '{RECEIVE}', not of {EDGE}"),
        ({"Count": 2}, "holds 1 objects"),
        ({"Count": True}, "holds 1 objects"),
        ({"Count": None}, "says missing"),
        ({"Objects": None}, "Objects is missing"),
        ({"Objects": ["System.Collections.Hashtable"]}, "not a list of objects"),
        ({"Objects": {"value": [{}], "Count": 2}}, "holds 1 objects"),
        ({"Settings": None}, "Settings is missing"),
        ({"MadeAt": "yesterday"}, "not an ISO 8601 time"),
        ({"MadeAt": "2026-11-21T11:00:00"}, "not a time with its zone"),
        ({"MadeAt": "0001-01-01T00:00:00+14:00"}, "not an ISO 8601 time"),
        ({"Server": ""}, "Server is ''"),
    ],
)
def test_what_is_not_an_export_is_unreadable(changes: dict[str, object], reason: str) -> None:
    given = {"Objects": [edge_entry()], "Count": 1} | changes
    if changes.get("Objects") == {"value": [{}], "Count": 2}:
        given["Count"] = 2
    with pytest.raises(UnreadableExportError, match="^" if reason == "" else ".") as caught:
        read_export(export(EDGE, **given), EDGE)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "\ufeff{}",
        export(EDGE, edge_entry())[:-20],
        '{"Format": "exchange-export", "Format": "exchange-export"}',
        '{"Format": NaN}',
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 10_000,
    ],
)
def test_truncated_nested_and_foreign_json_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableExportError):
        read_export(text, EDGE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1/24", "192.0.2.0/24"),
        ("192.0.2.0(255.255.255.0)", "192.0.2.0/24"),
        ("192.0.2.7 (255.255.255.248)", "192.0.2.0/29"),
        ("0.0.0.0-255.255.255.255", "0.0.0.0/0"),
        ("192.0.2.1-192.0.2.9", "192.0.2.1-192.0.2.9"),
        ("2001:db8::1/64", "2001:db8::/64"),
        ("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"),
    ],
)
def test_ranges_are_read_as_exchange_writes_them(text: str, shown: str) -> None:
    (entry,) = read_ranges([text])
    assert (entry.written, str(entry.interval)) == (text, shown)


@pytest.mark.parametrize("text", ["", "mail.acme.example", "192.0.2.1/33", "1.2.3.4(255.0.255.0)", "System.Object[]"])
def test_an_entry_that_is_not_understood_makes_the_list_unreadable(text: str) -> None:
    with pytest.raises(UnreadableExportError):
        read_ranges(["192.0.2.1", text])


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("36 MB (37,748,736 bytes)", 37748736),
        ("36 MB (37.748.736 bytes)", 37748736),
        ("36 MB (37\u00a0748\u00a0736 bytes)", 37748736),
        ("36 MB (37'748'736 bytes)", 37748736),
        ("Unlimited", None),
        ("36 MB", None),
        ("", None),
    ],
)
def test_sizes_are_read_whatever_separates_thousands(text: str, octets: int | None) -> None:
    assert parse_octets(text) == octets


@pytest.mark.parametrize(("text", "count"), [("20", 20), (" 2 ", 2), ("Unlimited", None), ("", None), ("9" * 99, None)])
def test_counts(text: str, count: int | None) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:00:05", 5), ("1.00:00:00", 86400), ("00:00:05.5000000", 5), ("5", None), ("", None)]
)
def test_time_spans(text: str, seconds: int | None) -> None:
    assert parse_seconds(text) == seconds


def test_a_list_of_one_that_was_unwrapped_is_a_list() -> None:
    assert Record({"a": "x"}).texts("a") == ("x",)
    assert Record({"a": {"value": ["x", "y"], "Count": 2}}).texts("a") == ("x", "y")
    assert Record({"a": None}).texts("a") == ()
    assert Record({"a": []}).texts("a") == ()


@pytest.mark.parametrize("value", [1, True, {"x": 1}, [1], [""], [None], [["x"]], ""])
def test_what_is_no_list_of_texts_is_unreadable(value: object) -> None:
    with pytest.raises(UnreadableExportError):
        Record({"a": value}).texts("a")


def test_a_list_that_is_not_there_is_unreadable_and_not_empty() -> None:
    with pytest.raises(UnreadableExportError, match="has no RemoteIPRanges"):
        Record({}).texts("RemoteIPRanges")


def test_flags_are_read_as_json_and_as_powershell_prints_them() -> None:
    record = Record({"a": True, "b": "False", "c": 1})
    assert (record.flag("a"), record.flag("b")) == (True, False)
    with pytest.raises(UnreadableExportError, match="not true or false"):
        record.flag("c")


def test_an_enumeration_as_a_number_is_refused_with_what_to_do() -> None:
    with pytest.raises(UnreadableExportError, match="make the export with the script"):
        Record({"SetSCL": 6}).optional_text("SetSCL")


def test_the_whole_of_a_receive_connector_survives_json() -> None:
    read = read_export(export(RECEIVE, receive_connector()), RECEIVE)
    assert json.loads(json.dumps(read.objects[0].fields)) == receive_connector()
