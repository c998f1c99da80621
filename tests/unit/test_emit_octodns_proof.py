"""The proof refuses every edit that is not exactly the one meant, whatever made it."""

from __future__ import annotations

import pytest

from reconciler.emit.octodns_proof import RecordEdit, YamlOptions, load_records, prove, value_change
from reconciler.emit.octodns_values import RefusedError, rdata_of
from reconciler.state import txt_rdata

NEW, OLD = txt_rdata("new"), txt_rdata("old")
EDIT = RecordEdit("t", "TXT", 60, (NEW,), frozenset({NEW, OLD}), is_whole=False)
BEFORE = "a:\n  ttl: 1\n  type: A\n  value: 192.0.2.1\nt:\n  ttl: 60\n  type: TXT\n  values: [theirs, old]\n"
AFTER = BEFORE.replace("[theirs, old]", "[theirs, 'new']")


def proven(after: str, before: str = BEFORE) -> None:
    options = YamlOptions()
    change = value_change(EDIT, load_records(before, options, "z"), options, "z")
    prove(before, after, EDIT, change, options, "z")


def test_the_edit_meant_is_proven() -> None:
    proven(AFTER)


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (BEFORE, "values would not be"),
        (AFTER.replace("192.0.2.1", "192.0.2.2"), "other records"),
        (AFTER.replace("ttl: 1", "ttl: true"), "other records"),
        (AFTER + "z:\n  type: A\n  value: 192.0.2.1\n", "other records"),
        (AFTER.replace("theirs", "mine"), "other values"),
        (AFTER.replace("theirs, ", ""), "values would not be|other values"),
        (AFTER.replace("'new'", "'new', extra"), "values would not be"),
        (AFTER.replace("ttl: 60", "ttl: 61"), "other fields"),
        (AFTER.replace("type: TXT", "type: SPF"), "other records"),
        (AFTER.split("t:\n", maxsplit=1)[0], "would not be there"),
        (AFTER + "b:\n  type: A\n  value: 192.0.2.1\n", "out of order"),
    ],
)
def test_anything_else_is_refused(after: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        proven(after)


def test_a_new_record_must_have_the_ttl_wanted() -> None:
    before = BEFORE.split("t:\n", maxsplit=1)[0]
    proven(before + "t:\n  ttl: 60\n  type: TXT\n  value: new\n", before)
    with pytest.raises(RefusedError, match="TTL"):
        proven(before + "t:\n  type: TXT\n  value: new\n", before)


@pytest.mark.parametrize("text", ["- a\n", "a: 1\n", "a: [1]\n", "a: {value: 1}\n", "1: &a [*a]\n", "-é: {type: A}\n"])
def test_what_is_no_zone_file_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        load_records(text, YamlOptions(), "z")


@pytest.mark.parametrize(
    ("record_type", "value"),
    [
        ("TXT", None),
        ("TXT", 1),
        ("TXT", "ü\\"),
        ("MX", "10 a."),
        ("MX", {}),
        ("MX", {"preference": "ten", "exchange": "a."}),
        ("MX", {"preference": 1, "exchange": None}),
        ("MX", {"preference": 99999, "exchange": "a."}),
        ("A", "192.0.2.1"),
    ],
)
def test_values_that_cannot_be_ours_are_foreign(record_type: str, value: object) -> None:
    """Whatever a person wrote there, and however odd, it is neither ours nor a crash."""
    assert rdata_of(record_type, value) is None


def test_mx_of_other_spellings_is_the_same_rdata() -> None:
    assert rdata_of("MX", {"priority": 0, "value": "EU.mx-pp.com."}) == "0 eu.mx-pp.com."
