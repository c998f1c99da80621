"""Desired state: exactly the vendor's facts."""

from __future__ import annotations

import pytest
from builders import EU, MX_KEY, OLD_MX, PRIMARY, SECONDARY, TXT_KEY, catalog, domain

from reconciler.desired import RRSETS_EACH, OwnsGatewayHosts, build_desired, desired_keys
from reconciler.history import History
from reconciler.manifest.fleet import Lifecycle, MxHostOverride, Verification
from reconciler.names import canonical_name
from reconciler.state import Rdata

FACTS = {
    ("us", False): "inbound-smtp.us-east-1.amazonaws.com.",
    ("us", True): "us.mx-pp.com.",
    ("eu", False): "inbound-smtp.eu-west-1.amazonaws.com.",
    ("eu", True): "eu.mx-pp.com.",
    ("au", False): "inbound-smtp.eu-west-1.amazonaws.com.",
    ("au", True): "australia.mx-pp.com.",
}


@pytest.mark.parametrize(("region", "multi_region"), FACTS)
def test_every_region_gives_exactly_the_facts(region: str, multi_region: bool) -> None:  # noqa: FBT001
    """The MX of the vendor's table with preference 0, and one token, or two with multi-region."""
    desired = build_desired(domain(region=region, multi_region=multi_region), catalog())
    assert desired.mx is not None
    assert desired.verification is not None
    assert desired.mx.key == ("acme.example.", "MX")
    assert desired.mx.wanted == (f"0 {FACTS[region, multi_region]}",)
    assert desired.verification.key == ("_amazonses.acme.example.", "TXT")
    tokens = ('"primary-token"', '"secondary-token"') if multi_region else ('"primary-token"',)
    assert desired.verification.wanted == tokens


def test_a_secondary_token_without_multi_region_is_ours_and_not_wanted() -> None:
    desired = build_desired(domain(), catalog()).verification
    assert desired is not None
    assert desired.ownership.owns(Rdata('"secondary-token"'))
    assert not desired.ownership.owns(Rdata('"somebody-else"'))


@pytest.mark.parametrize("connection", ["mx", "api", "journaling"])
def test_the_keys_of_what_is_desired_are_known_before_it_is_built(connection: str) -> None:
    declared = domain(connection=connection)
    built = build_desired(declared, catalog())
    assert desired_keys(declared, catalog()) == tuple(r.key for r in built.rrsets)
    assert len(built.rrsets) == (RRSETS_EACH if connection == "mx" else 0)


@pytest.mark.parametrize("connection", ["api", "journaling"])
def test_a_connection_without_mx_wants_nothing_in_dns(connection: str) -> None:
    desired = build_desired(domain(connection=connection, verification=Verification(None, None)), catalog())
    assert desired.rrsets == ()
    assert desired.is_mx_as_wanted((Rdata("10 mail.acme.example."),))


def test_an_override_replaces_the_catalogs_host_and_is_ours_in_a_shared_mx() -> None:
    host = canonical_name("inbound-smtp.ap-southeast-2.amazonaws.com")
    declared = domain(region="au", mx_host=MxHostOverride(host, "support said so"), mx_exclusive=False)
    desired = build_desired(declared, catalog()).mx
    assert desired is not None
    assert desired.wanted == (f"0 {host}",)
    assert isinstance(desired.ownership, OwnsGatewayHosts)
    assert desired.ownership.owns(Rdata(f"5 {host}"))
    assert desired.ownership.owns(Rdata("10 us.mx-pp.com."))
    assert not desired.ownership.owns(Rdata("10 mail.acme.example."))


def test_values_that_the_program_wrote_stay_ours_when_the_manifest_names_them_no_more() -> None:
    """Until they are gone from DNS; values of another name are another's."""
    history = History(written=frozenset({(TXT_KEY, Rdata('"earlier"')), (MX_KEY, Rdata('"elsewhere"'))}))
    desired = build_desired(domain(), catalog(), history).verification
    assert desired is not None
    assert desired.wanted == (PRIMARY,)
    owned = [v for v in (PRIMARY, SECONDARY, '"earlier"', '"elsewhere"') if desired.ownership.owns(Rdata(v))]
    assert owned == [PRIMARY, SECONDARY, '"earlier"']


def test_a_domain_that_leaves_wants_its_next_hops_in_their_order_and_none_of_our_values() -> None:
    hops = (canonical_name("one.acme.example"), canonical_name("two.acme.example"))
    desired = build_desired(domain(lifecycle=Lifecycle.OFFBOARDED, next_hops=hops, ttl=600), catalog())
    assert desired.mx is not None
    assert desired.verification is not None
    assert desired.mx.wanted == ("10 one.acme.example.", "20 two.acme.example.")
    assert desired.verification.wanted == ()
    assert [desired.mx.ownership.owns(Rdata(v)) for v in (EU, OLD_MX)] == [True, False]
