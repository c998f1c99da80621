"""Comparing lists: each entry is needed, wider, stale or foreign, and what goes never takes coverage with it."""

from __future__ import annotations

import pytest

from reconciler.addresses import parse_address_set
from reconciler.allowlist_diff import Comparison, compare
from reconciler.targets.base import AllowlistContent, Entry, read_entries

DESIRED = parse_address_set(["192.0.2.7", "192.0.2.8"])
# 192.0.2.9 and 198.51.100.4 belong to other regions
KNOWN = parse_address_set(["192.0.2.7", "192.0.2.8", "192.0.2.9", "198.51.100.4"])


def _compared(*written: str) -> Comparison:
    return compare(DESIRED, AllowlistContent(read_entries(written)), KNOWN)


def _texts(entries: tuple[Entry, ...]) -> tuple[str, ...]:
    return tuple(entry.written for entry in entries)


@pytest.mark.parametrize(
    ("written", "standing"),
    [
        ("192.0.2.7", "needed"),
        ("192.0.2.7-192.0.2.8", "needed"),
        ("192.0.2.9", "stale"),
        ("198.51.100.4/32", "stale"),
        ("192.0.2.8/31", "wider"),  # a desired and a stale address
        ("192.0.2.0/24", "wider"),
        ("0.0.0.0/0", "wider"),
        ("198.51.100.0/24", "foreign"),  # holds a stale address, and is somebody's block
        ("203.0.113.9", "foreign"),
        ("2001:db8::/32", "foreign"),
        ("::/0", "foreign"),
    ],
)
def test_each_entry_has_one_standing(written: str, standing: str) -> None:
    compared = _compared(written)
    found = {name: _texts(getattr(compared, name)) for name in ("needed", "wider", "stale", "foreign")}
    assert found == {name: (written,) if name == standing else () for name in found}


def test_what_is_missing() -> None:
    assert _compared().missing == DESIRED
    assert _compared("192.0.2.7").missing.texts == ("192.0.2.8",)
    assert not _compared("192.0.2.0/28").missing


def test_foreign_entries_go_from_exclusive_lists_alone() -> None:
    compared = _compared("192.0.2.7", "192.0.2.9", "10.0.0.0/8", "192.0.2.8/31")
    assert _texts(compared.removable(exclusive=False)) == ("192.0.2.9",)
    assert _texts(compared.removable(exclusive=True)) == ("192.0.2.9", "10.0.0.0/8")
    assert _texts(compared.kept(exclusive=False)) == ("192.0.2.8/31", "10.0.0.0/8")
    assert _texts(compared.kept(exclusive=True)) == ("192.0.2.8/31",)


def test_in_sync() -> None:
    assert _compared("192.0.2.7", "192.0.2.8").is_in_sync(exclusive=True)
    assert _compared("192.0.2.0/24", "10.0.0.0/8").is_in_sync(exclusive=False)
    assert not _compared("192.0.2.0/24", "10.0.0.0/8").is_in_sync(exclusive=True)
    assert not _compared("192.0.2.7").is_in_sync(exclusive=False)
    assert not _compared("192.0.2.7", "192.0.2.8", "192.0.2.9").is_in_sync(exclusive=False)


def test_a_desired_address_is_never_stale_though_the_catalog_forgot_it() -> None:
    compared = compare(DESIRED, AllowlistContent(read_entries(["192.0.2.7"])), parse_address_set([]))
    assert (_texts(compared.needed), compared.stale) == (("192.0.2.7",), ())
