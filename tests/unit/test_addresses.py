"""Addresses, blocks and ranges become intervals, or are refused; an interval's text is one of the three."""

from __future__ import annotations

import pytest

from reconciler.addresses import AddressSet, Interval, InvalidAddressError, parse_address_set, parse_interval


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1/32", "192.0.2.1"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.0/255.255.255.0", "192.0.2.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        (" 192.0.2.1 - 192.0.2.3 ", "192.0.2.1-192.0.2.3"),
        ("192.0.2.0-192.0.2.255", "192.0.2.0/24"),
        ("192.0.2.1-192.0.2.1", "192.0.2.1"),
        ("192.0.2.1-192.0.2.2", "192.0.2.1-192.0.2.2"),
        ("0.0.0.0-255.255.255.255", "0.0.0.0/0"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::/0", "::/0"),
        ("2001:db8::1-2001:db8::ffff", "2001:db8::1-2001:db8::ffff"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::ffff:192.0.2.1-::ffff:192.0.2.9", "192.0.2.1-192.0.2.9"),
        # more than the mapped block is IPv6
        ("::fffe:0:0/95", "::fffe:0:0/95"),
    ],
)
def test_what_is_read(text: str, shown: str) -> None:
    interval = parse_interval(text)
    assert str(interval) == shown
    assert parse_interval(str(interval)) == interval


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no IP address"),
        ("mail.example", "no IP address"),
        ("192.0.2", "no IP address"),
        ("192.0.2.256", "no IP address"),
        ("192.0.2.01", "no IP address"),
        ("3221225985", "no IP address"),
        ("\u0661.0.0.1", "no IP address"),
        ("192.0.2.1\n192.0.2.2", "no IP address"),
        ("192.0.2.1 OK", "no IP address"),
        ("192.0.2.1/24", "has host bits set"),
        ("192.0.2.0/33", "no IP address"),
        ("192.0.2.0/24/24", "no IP address"),
        ("192.0.2.0/24-192.0.3.0/24", "no IP address"),
        ("192.0.2.1-", "no IP address"),
        ("192.0.2.1-9", "no IP address"),
        ("192.0.2.1-192.0.2.3-192.0.2.5", "no IP address"),
        ("192.0.2.9-192.0.2.1", "must go upwards"),
        ("192.0.2.1-2001:db8::1", "within one version"),
        ("192.0.2.1-::ffff:192.0.2.9", "within one version"),
        ("fe80::1%eth0", "scope"),
        ("fe80::%1/64", "scope"),
        ("fe80::1%1-fe80::2%1", "scope"),
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidAddressError, match=says):
        parse_interval(text)


def test_neighbours_become_one() -> None:
    parsed = parse_address_set(["192.0.2.2", "192.0.2.0/31", "192.0.2.3", "192.0.2.1", "192.0.2.5"])
    assert parsed.texts == ("192.0.2.0/30", "192.0.2.5")
    assert parsed.size == 5


def test_versions_never_touch() -> None:
    """The last IPv4 address is no neighbour of an IPv6 address with the next number."""
    parsed = parse_address_set(["255.255.255.255", "::1:0:0"])
    assert parsed.texts == ("255.255.255.255", "::1:0:0")
    assert not parse_address_set(["::/0"]).covers(parse_address_set(["192.0.2.1"]))
    assert (parse_address_set(["0.0.0.0/0", "::/0"]) - parse_address_set(["0.0.0.0/0"])).texts == ("::/0",)


def test_one_wrong_text_spoils_the_set() -> None:
    with pytest.raises(InvalidAddressError):
        parse_address_set(["192.0.2.1", "x"])


def test_the_empty_set() -> None:
    assert not AddressSet()
    assert AddressSet().size == 0
    assert AddressSet().covers(AddressSet())
    assert Interval(4, 1, 3).size == 3


def test_large_sets_are_compared_in_time() -> None:
    """Quadratic work would take minutes here."""
    even = parse_address_set(f"10.{a}.{b}.{2 * c}" for a in range(2) for b in range(256) for c in range(128))
    odd = parse_address_set(f"10.{a}.{b}.{2 * c + 1}" for a in range(2) for b in range(256) for c in range(128))
    assert even - odd == even
    assert not even & odd
    assert (even | odd).texts == ("10.0.0.0/15",)
