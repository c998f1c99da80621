"""The shipped catalog says what the vendor's pages say, and nothing dangling is accepted in another one."""

from importlib import resources
from pathlib import Path

import pytest

from reconciler.catalog import Catalog, load_catalog
from reconciler.catalog.load import SHIPPED as SHIPPED_FILE
from reconciler.errors import SettingsError
from reconciler.names import canonical_name

SHIPPED = resources.files("reconciler.catalog").joinpath("catalog.yaml").read_text(encoding="utf-8")

# the table of the vendor's pages, read on 2026-11-21
ADDRESSES = {
    "us": ["54.227.64.76", "3.81.182.154", "3.93.155.149", "3.95.118.12", "3.95.142.181"],
    "eu": ["99.81.216.78", "34.249.190.60", "108.128.137.108", "99.80.189.20"],
    "au": ["13.236.255.231", "54.66.125.250"],
}
MX_HOSTS = {
    ("us", False): "inbound-smtp.us-east-1.amazonaws.com.",
    ("us", True): "us.mx-pp.com.",
    ("eu", False): "inbound-smtp.eu-west-1.amazonaws.com.",
    ("eu", True): "eu.mx-pp.com.",
    ("au", False): "inbound-smtp.eu-west-1.amazonaws.com.",
    ("au", True): "australia.mx-pp.com.",
}
SHARED_ADDRESS = "52.12.169.124"


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load_catalog()


@pytest.mark.parametrize("multi_region", [False, True])
@pytest.mark.parametrize("region", ADDRESSES)
def test_each_region_is_the_vendors(shipped: Catalog, region: str, *, multi_region: bool) -> None:
    extra = [SHARED_ADDRESS] if multi_region else []
    assert shipped.mx_host(region, multi_region=multi_region) == MX_HOSTS[region, multi_region]
    assert list(shipped.addresses(region, multi_region=multi_region)) == ADDRESSES[region] + extra


def test_the_other_facts_are_the_vendors(shipped: Catalog) -> None:
    assert set(shipped.regions) == set(ADDRESSES)
    assert (shipped.mx_preference, shipped.verification_label, shipped.propagation_hours) == (0, "_amazonses", 72)
    assert shipped.verification_name(canonical_name("acme.example")) == "_amazonses.acme.example."
    rule = shipped.spam_rule
    assert (rule.name, rule.header) == ("Perception Point Spam Rule", "X-PERCEPTION-POINT-SPAM")
    assert (rule.pattern, rule.confidence_level) == ("FAIL", 6)
    assert (shipped.residency_conflict, shipped.excluded_connections) == (("eu",), ("api", "journaling"))
    assert [(a.region, a.multi_region) for a in shipped.advisories] == [("au", False), ("au", True)]


def test_gateway_hosts_are_told_from_others(shipped: Catalog) -> None:
    for host in (*MX_HOSTS.values(), "mx-pp.com.", "new.region.mx-pp.com."):
        assert shipped.is_gateway_host(canonical_name(host))
    for host in ("amazonaws.com.", "xmx-pp.com.", "mx-pp.com.example.", "mail.acme.example."):
        assert not shipped.is_gateway_host(canonical_name(host))


def test_states_of_an_mx_host(shipped: Catalog) -> None:
    def states(host: str) -> tuple[tuple[str, bool], ...]:
        return shipped.states_with_mx_host(canonical_name(host))

    assert states(MX_HOSTS["us", False]) == (("us", False),)
    assert states(MX_HOSTS["eu", False]) == (("eu", False), ("au", False))
    assert states("mail.acme.example") == ()


def test_another_file_of_the_same_shape_is_read(tmp_path: Path, shipped: Catalog) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SHIPPED, encoding="utf-8")
    assert load_catalog(path) == shipped
    path.write_text(SHIPPED.replace("[52.12.169.124]", '["2001:db8::1"]'), encoding="utf-8")
    other = load_catalog(path)
    assert other.multi_region_addresses == ("2001:db8::1",)
    assert other.digest != shipped.digest


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("52.12.169.124", "52.12.169.256", "address", "no IPv4 or IPv6 address"),
        ("[52.12.169.124]", '["2001:DB8::1"]', "address", "not how this address is written"),
        ("us.mx-pp.com", "us..mx-pp.com", "name", "no valid name"),
        ("preference: 0", "preference: -1", "wrong-value", "at least 0"),
        ("addresses: [13.236.255.231, 54.66.125.250]", "addresses: []", "wrong-value", "at least 1 item"),
        ("preference: 0", "preference: '0'", "wrong-type", "whole number"),
        ("preference: 0", "preference: 0\n  preferences: 1", "unknown-key", "`preferences` is not a known key of: mx"),
        ('format_version: "1.0"', 'format_version: "2.0"', "format-version", "version is `2.0`"),
        ("residency_conflict: [eu]", "residency_conflict: [ue]", "catalog", "no region `ue`"),
        ("secondary_region: us", "secondary_region: uk", "catalog", "no region `uk`"),
        ("  code: au-mx-host\n    source: connecting", "  code: x\n    source: conecting", "catalog", "`conecting`"),
        ("label: _amazonses", "label: a.b", "catalog", "no single label"),
        ("label: _amazonses", "label: a b", "catalog", "no single label"),
        ('minimum_version: "1.2"', 'minimum_version: "one"', "tls-version", "no version of TLS"),
        ("gateway: Perception", "gateway: &x Perception", "yaml-anchor", "anchor"),
        ("mx:\n", "mx: [\n", "yaml-syntax", "no YAML"),
        ("support: support@perception-point.io\n", "", "missing-key", "`support` is missing"),
        ("read: 2026-11-21", "read: yesterday", "date", "no date"),
    ],
)
def test_refuses_with_the_place(tmp_path: Path, old: str, new: str, code: str, says: str) -> None:
    old, new = old.replace("  code", "- code"), new.replace("  code", "- code")
    assert old in SHIPPED
    path = tmp_path / "mine.yaml"
    path.write_text(SHIPPED.replace(old, new), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_catalog(path)
    first = next(d for d in caught.value.diagnostics if d.code == code)
    assert says in first.summary
    assert (first.file, first.line > 0, first.column > 0) == (str(path), True, True)
    assert first.detail


def test_a_missing_catalog_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load_catalog(tmp_path / "gone.yaml")
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load_catalog(tmp_path)


def test_the_shipped_catalog_is_one_that_would_be_taken_if_the_settings_named_it() -> None:
    """No run checks it: its models take longer to build than a small fleet to validate."""
    assert load_catalog(SHIPPED_FILE) == load_catalog()
