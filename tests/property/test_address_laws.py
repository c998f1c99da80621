"""Interval sets against `ipaddress` and Python's own sets, address by address, in small windows."""

from __future__ import annotations

import ipaddress
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.addresses import AddressSet, InvalidAddressError, address_set, parse_address_set, parse_interval

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SIZE = 32
# the ends of both versions, the ends of the IPv4-mapped block, and somewhere in between
WINDOWS = [
    ipaddress.ip_address(text)
    for text in (
        "0.0.0.0",  # noqa: S104 - an address to compare with
        "192.0.2.224",
        "255.255.255.224",
        "::",
        "2001:db8::",
        "::fffe:ffff:fff0",
        "::ffff:c000:2e0",
        "::ffff:ffff:fff0",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffe0",
    )
]


@st.composite
def written(draw: st.DrawFn) -> tuple[str, frozenset[Address]]:
    """An address, a block or a range in one of the windows, and the addresses that it stands for."""
    start = draw(st.sampled_from(WINDOWS))
    low, high = sorted(draw(st.tuples(*[st.integers(0, SIZE - 1)] * 2)))
    first, last = start + low, start + high
    shape = draw(st.sampled_from(["address", "block", "range"]))
    if shape == "address":
        return str(first), frozenset({_unmapped(first)})
    if shape == "block":
        bits = draw(st.integers(0, 4))
        block = (int(first) >> bits << bits, first.max_prefixlen - bits)
        is_ipv4 = isinstance(first, ipaddress.IPv4Address)
        members: list[Address] = [*ipaddress.IPv4Network(block)] if is_ipv4 else [*ipaddress.IPv6Network(block)]
        network = f"{members[0]}/{block[1]}"
        return network, frozenset(_unmapped(a) for a in members)
    addresses: list[Address] = [start + n for n in range(low, high + 1)]
    is_partly_mapped = len({_is_mapped(a) for a in addresses}) > 1
    kept = addresses if is_partly_mapped else [_unmapped(a) for a in addresses]
    return f"{first} - {last}", frozenset(kept)


def _is_mapped(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None


def _unmapped(address: Address) -> Address:
    return (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address


SETS = st.lists(written(), max_size=8).map(
    lambda parts: (parse_address_set(text for text, _ in parts), frozenset[Address]().union(*(a for _, a in parts)))
)


def _addresses(intervals: AddressSet) -> frozenset[Address]:
    """Every address one by one."""
    make: dict[int, type[Address]] = {4: ipaddress.IPv4Address, 6: ipaddress.IPv6Address}
    return frozenset(make[i.version](n) for i in intervals.intervals for n in range(i.first, i.last + 1))


def _assert_canonical(intervals: AddressSet) -> None:
    """Sorted, upwards, and never touching each other: equal sets are equal objects."""
    assert all(i.first <= i.last for i in intervals.intervals)
    for one, other in pairwise(intervals.intervals):
        assert (one.version, one.last + 1) < (other.version, other.first)


@settings(deadline=None)
@given(SETS)
def test_a_set_holds_what_its_texts_stand_for(pair: tuple[AddressSet, frozenset[Address]]) -> None:
    intervals, addresses = pair
    _assert_canonical(intervals)
    assert _addresses(intervals) == addresses
    assert (intervals.size, bool(intervals)) == (len(addresses), bool(addresses))


@settings(deadline=None)
@given(SETS, SETS)
def test_sets_are_joined_met_and_subtracted_as_sets_of_addresses(
    one: tuple[AddressSet, frozenset[Address]], other: tuple[AddressSet, frozenset[Address]]
) -> None:
    for intervals, addresses in (
        (one[0] | other[0], one[1] | other[1]),
        (one[0] & other[0], one[1] & other[1]),
        (one[0] - other[0], one[1] - other[1]),
    ):
        _assert_canonical(intervals)
        assert _addresses(intervals) == addresses
    assert one[0].covers(other[0]) == (one[1] >= other[1])
    assert (one[0] == other[0]) == (one[1] == other[1])


@settings(deadline=None)
@given(SETS)
def test_texts_are_read_back_as_the_same_set(pair: tuple[AddressSet, frozenset[Address]]) -> None:
    intervals, _ = pair
    assert parse_address_set(intervals.texts) == intervals


@settings(deadline=None)
@given(st.lists(written(), max_size=8), st.integers(0, 8))
def test_the_order_is_irrelevant(parts: list[tuple[str, frozenset[Address]]], turn: int) -> None:
    intervals = [parse_interval(text) for text, _ in parts]
    middle = turn % (len(intervals) + 1)
    turned = [*reversed(intervals[middle:]), *intervals[:middle]]
    assert address_set(turned) == address_set([*intervals, *turned]) == address_set(intervals)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_range_is_written_as_a_block_exactly_when_it_is_one(one: int, other: int) -> None:
    first, last = (ipaddress.IPv4Address(n) for n in sorted((one, other)))
    blocks = list(ipaddress.summarize_address_range(first, last))
    text = str(parse_interval(f"{first}-{last}"))
    assert text == (str(blocks[0]).removesuffix("/32") if len(blocks) == 1 else f"{first}-{last}")


@settings(deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="0123456789abcdef.:/-% ", max_size=45))
def test_any_text_is_an_interval_or_refused(text: str) -> None:
    try:
        interval = parse_interval(text)
    except InvalidAddressError:
        return
    assert parse_interval(str(interval)) == interval
