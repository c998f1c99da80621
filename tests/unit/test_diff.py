"""Differences: value by value, ours alone."""

from __future__ import annotations

from builders import EU, MX_KEY, OLD_MX, PRIMARY, SECONDARY, TXT_KEY, catalog, domain

from reconciler.desired import DesiredRRset, build_desired
from reconciler.diff import Difference, diff_rrset
from reconciler.names import Name
from reconciler.state import Rdata, RRset, build_rrset

ZONE = Name("acme.example.")
FOREIGN = Rdata('"somebody \\"else\\""')


def desired_txt(**changes: object) -> DesiredRRset:
    desired = build_desired(domain(**changes), catalog()).verification
    assert desired is not None
    return desired


def diff_txt(*there: Rdata, there_ttl: int = 300, **changes: object) -> Difference:
    observed: RRset | None = build_rrset(TXT_KEY, there_ttl, there) if there else None
    return diff_rrset(desired_txt(**changes), observed, zone=ZONE, new_ttl=3600)


def test_nothing_there_is_a_create_with_the_new_ttl() -> None:
    change = diff_txt().change(add=True, remove=True)
    assert (change.before, change.after, change.foreign) == ((), (PRIMARY,), ())
    assert (change.ttl_before, change.ttl) == (None, 3600)
    assert change.expected == frozenset()


def test_a_declared_ttl_is_for_rrsets_that_are_ours_alone() -> None:
    """Beside a foreign value the rrset's TTL stays; alone it is set, also when only the TTL is off."""
    assert diff_txt(FOREIGN, there_ttl=300, ttl=600).ttl_wanted == 300
    alone = diff_txt(PRIMARY, there_ttl=300, ttl=600)
    assert alone.is_ttl_off
    assert not alone.is_empty
    assert alone.change(add=True, remove=False).ttl == 600
    assert diff_txt(there_ttl=300, ttl=600).ttl_wanted == 600


def test_foreign_values_stand_apart() -> None:
    difference = diff_txt(FOREIGN, SECONDARY)
    assert difference.foreign == (FOREIGN,)
    assert difference.surplus == (SECONDARY,)
    expand = difference.change(add=True, remove=False)
    assert expand.added == (PRIMARY,)
    assert expand.removed == ()
    assert expand.wanted == {FOREIGN, PRIMARY, SECONDARY}
    contract = diff_txt(FOREIGN, PRIMARY, SECONDARY).change(add=False, remove=True)
    assert contract.added == ()
    assert contract.removed == (SECONDARY,)
    assert contract.wanted == {FOREIGN, PRIMARY}


def test_equal_is_empty_and_its_change_is_no_change() -> None:
    difference = diff_txt(FOREIGN, PRIMARY)
    assert difference.is_empty
    assert difference.change(add=True, remove=True).is_noop


def test_a_removal_alone_keeps_the_observed_ttl() -> None:
    difference = diff_txt(PRIMARY, SECONDARY, there_ttl=300, ttl=600)
    assert difference.change(add=False, remove=True).ttl == 300


def test_an_exclusive_mx_is_ours_whole() -> None:
    desired = build_desired(domain(), catalog()).mx
    assert desired is not None
    difference = diff_rrset(desired, build_rrset(MX_KEY, 300, (OLD_MX,)), zone=ZONE, new_ttl=3600)
    change = difference.change(add=True, remove=True)
    assert (change.before, change.after, change.ttl) == ((OLD_MX,), (EU,), 300)


def test_a_shared_mx_keeps_strangers() -> None:
    desired = build_desired(domain(mx_exclusive=False), catalog()).mx
    assert desired is not None
    old_gateway = Rdata("5 us.mx-pp.com.")
    difference = diff_rrset(desired, build_rrset(MX_KEY, 300, (OLD_MX, old_gateway)), zone=ZONE, new_ttl=3600)
    change = difference.change(add=True, remove=True)
    assert (change.before, change.after, change.foreign) == ((old_gateway,), (EU,), (OLD_MX,))
