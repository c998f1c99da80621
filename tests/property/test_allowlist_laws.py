"""Laws of lists: foreign entries stay, what is emitted gives coverage, and doing it again changes nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from targets_lab import declared_list

from reconciler.addresses import AddressSet, Interval, address_set, parse_address_set
from reconciler.allowlist_diff import compare
from reconciler.emit.allowlists import build_emission
from reconciler.targets.base import AllowlistContent, AllowlistEmission, Entry, read_entries

BASE = int.from_bytes(bytes([192, 0, 2, 0]))
KNOWN = tuple(f"192.0.2.{n}" for n in (4, 5, 6, 9, 12))


def _entry(ends: tuple[int, int]) -> Entry:
    interval = Interval(4, BASE + min(ends), BASE + max(ends))
    return Entry(str(interval), interval)


ENTRIES = st.tuples(st.integers(0, 15), st.integers(0, 15)).map(_entry)
LISTS = st.lists(ENTRIES, max_size=8).map(lambda entries: AllowlistContent(tuple(entries)))
GATEWAYS = st.lists(st.sampled_from(KNOWN), min_size=1, unique=True).map(tuple)
YES = st.booleans()


def _emission(
    gateway: tuple[str, ...], content: AllowlistContent, *, exclusive: bool, may_remove: bool
) -> AllowlistEmission:
    declared = declared_list("plain", exclusive=exclusive)
    known = parse_address_set(KNOWN)
    return build_emission(("acme", "hq"), declared, gateway, content, known, may_remove=may_remove)


def _changed(content: AllowlistContent, emission: AllowlistEmission) -> AllowlistContent:
    """What a server has that adds and removes one by one."""
    left = [e.written for e in content.entries if e.written not in emission.remove]
    return AllowlistContent(read_entries((*left, *emission.add)))


def _replaced(emission: AllowlistEmission) -> AllowlistContent:
    """What a server has whose list is replaced whole."""
    return AllowlistContent(read_entries(emission.result))


@settings(deadline=None)
@given(GATEWAYS, LISTS)
def test_every_entry_has_exactly_one_standing(gateway: tuple[str, ...], content: AllowlistContent) -> None:
    found = compare(parse_address_set(gateway), content, parse_address_set(KNOWN))
    standings = (*found.needed, *found.wider, *found.stale, *found.foreign)
    assert sorted(standings, key=str) == sorted(content.entries, key=str)
    for exclusive in (False, True):
        kept, gone = found.kept(exclusive=exclusive), found.removable(exclusive=exclusive)
        assert sorted((*found.needed, *kept, *gone), key=str) == sorted(content.entries, key=str)


@settings(deadline=None)
@given(GATEWAYS, LISTS)
def test_only_known_gateway_addresses_go_unless_the_list_is_exclusive(
    gateway: tuple[str, ...], content: AllowlistContent
) -> None:
    found = compare(parse_address_set(gateway), content, parse_address_set(KNOWN))
    gone = address_set(e.interval for e in found.removable(exclusive=False))
    assert parse_address_set(KNOWN).covers(gone)
    for exclusive in (False, True):
        removed = address_set(e.interval for e in found.removable(exclusive=exclusive))
        assert not removed & parse_address_set(gateway)


@settings(deadline=None)
@given(gateway=GATEWAYS, content=LISTS, exclusive=YES, may_remove=YES)
def test_what_is_emitted_gives_coverage_and_keeps_what_is_foreign(
    gateway: tuple[str, ...], content: AllowlistContent, *, exclusive: bool, may_remove: bool
) -> None:
    emission = _emission(gateway, content, exclusive=exclusive, may_remove=may_remove)
    known, desired = parse_address_set(KNOWN), parse_address_set(gateway)
    for after in (_changed(content, emission), _replaced(emission)):
        assert after.addresses.covers(desired)
        assert not after.addresses - content.addresses - desired
        if not exclusive or not may_remove:
            assert after.addresses.covers(content.addresses - (known if may_remove else AddressSet()))
    assert _changed(content, emission).addresses == _replaced(emission).addresses
    assert parse_address_set(emission.merged) == parse_address_set(emission.result)


@settings(deadline=None)
@given(gateway=GATEWAYS, content=LISTS, exclusive=YES)
def test_a_second_run_changes_nothing(gateway: tuple[str, ...], content: AllowlistContent, *, exclusive: bool) -> None:
    first = _emission(gateway, content, exclusive=exclusive, may_remove=True)
    for after in (_changed(content, first), _replaced(first)):
        second = _emission(gateway, after, exclusive=exclusive, may_remove=True)
        assert (second.add, second.remove) == ((), ())
        assert compare(parse_address_set(gateway), after, parse_address_set(KNOWN)).is_in_sync(exclusive=exclusive)


@settings(deadline=None)
@given(GATEWAYS, LISTS)
def test_nothing_is_removed_before_its_time(gateway: tuple[str, ...], content: AllowlistContent) -> None:
    emission = _emission(gateway, content, exclusive=True, may_remove=False)
    assert emission.remove == ()
    assert _replaced(emission).addresses.covers(content.addresses)
