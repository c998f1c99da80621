"""Drafting manifests: lists are read whole or refused whole, and what DNS does not say is left to people."""

from __future__ import annotations

import pytest
from builders import catalog, present
from hypothesis import given
from hypothesis import strategies as st

from reconciler.importer.draft import DomainFacts
from reconciler.importer.render import World, quoted, render_manifest
from reconciler.importer.request import ImportListError, Request, parse_requests
from reconciler.importer.suggest import find_operators, find_providers, load_operators
from reconciler.names import Name, canonical_name
from reconciler.state import Absent, Cause, Key, Observation, Observed, ServerAnswer, Unknown, Zone, txt_rdata
from reconciler.strict_yaml import load_yaml

SES = "pmBGN/7MjnfhTKUZ06Enqq1PeGUaOkw8lGhcfwefcHU="
SES2 = "aaaGN/7MjnfhTKUZ06Enqq1PeGUaOkw8lGhcfwefcHU="
LOST = Unknown(Cause.SERVFAIL, "ns1 said SERVFAIL")


def _parsed(text: str, *, organization: str = "") -> list[tuple[str, str, int]]:
    requests = parse_requests([], text.encode(), file="list", organization=organization)
    return [(r.domain, r.organization, r.line) for r in requests]


def _refused(*, domains: tuple[str, ...] = (), listed: bytes | None = None) -> list[tuple[int, str]]:
    with pytest.raises(ImportListError) as caught:
        parse_requests(domains, listed, file="list", organization="")
    return [(d.line, d.code) for d in caught.value.diagnostics]


def test_a_list_has_comments_blank_lines_and_any_line_end() -> None:
    text = "\ufeff# ours\r\nacme.example # the first\r\n\r\n  M\u00fcller.example.  \n"
    assert _parsed(text, organization="acme") == [
        ("acme.example.", "acme", 2),
        ("xn--mller-kva.example.", "acme", 4),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_has_its_columns_in_any_order(separator: str) -> None:
    rows = ["# exported", "Organization,note,Domain", 'acme,"a ""b"", c",acme.example', ",,", ",,other.example"]
    text = "\n".join(row.replace(",", separator) for row in rows)
    assert _parsed(text, organization="rest") == [("acme.example.", "acme", 3), ("other.example.", "rest", 5)]


def test_every_error_of_a_list_is_said_at_once() -> None:
    listed = b"domain,organization\nacme.example,acme\nbad..name,acme\nACME.example,Acme\nlocalhost,a b\n,acme\n"
    assert _refused(domains=("acme.example", "-x.example"), listed=listed) == [
        (0, "import-name"),
        (2, "import-duplicate"),
        (3, "import-name"),
        (4, "import-duplicate"),
        (4, "import-organization"),
        (5, "import-name"),
        (5, "import-organization"),
        (6, "import-name"),
    ]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (b"ok.example\n\xff\n", [(2, "import-encoding")]),
        (b"\n# nothing\n", [(0, "import-empty")]),
        (b"domain,organization\n", [(0, "import-empty")]),
        (b'domain\n"acme.example"x\n', [(2, "import-csv")]),
        (b"Domain;Org\nacme.example;acme\n", [(1, "import-column")]),
        (b"acme.example,acme\n", [(1, "import-name")]),
        (b"https://acme.example/\n", [(1, "import-name")]),
        (b"a\xe2\x80\xa8b.example\n", [(1, "import-name")]),
        (b"x" * (16 * 1024 * 1024 + 1), [(0, "import-size")]),
    ],
)
def test_a_list_that_cannot_be_used(listed: bytes, expected: list[tuple[int, str]]) -> None:
    assert _refused(listed=listed) == expected


def _observation(key: Key, observed: Observed, zone: str) -> Observation:
    return Observation(key, Zone(Name(zone), ("ns1.",)), (ServerAnswer("ns1.", observed),))


def _facts(
    name: str = "acme.example",
    *,
    mx: Observed | tuple[str, ...] = (),
    txt: Observed | tuple[str, ...] = (),
    zone: str = "",
    name_servers: tuple[str, ...] = (),
    hosts: dict[Name, Observed] | None = None,
) -> DomainFacts:
    domain = canonical_name(name)
    keys = Key(domain, "MX"), catalog_key(domain)
    seen = [
        (present(key, *what) if what else Absent()) if isinstance(what, tuple) else what
        for key, what in zip(keys, (mx, txt), strict=True)
    ]
    mx_seen, txt_seen = (_observation(k, o, zone or domain) for k, o in zip(keys, seen, strict=True))
    return DomainFacts(Request(domain, name, "acme", 1), mx_seen, txt_seen, name_servers, hosts or {})


def catalog_key(domain: Name) -> Key:
    return Key(catalog().verification_name(domain), "TXT")


def _draft(*facts: DomainFacts) -> str:
    providers = {"aws": {"class": "octodns_route53.Route53Provider"}, "bind": {"class": "octodns_bind.Rfc2136Provider"}}
    return render_manifest("acme", facts, World(catalog(), load_operators(), providers, "2026-11-21T12:00:00+00:00"))


def _data(text: str) -> dict[str, object]:
    document = load_yaml(text.encode(), "draft")
    assert document.diagnostics == ()
    assert isinstance(document.data, dict)
    return document.data  # type: ignore[return-value]


def _domain(text: str, index: int = 0) -> dict[str, object]:
    services: list[dict[str, list[dict[str, object]]]] = _data(text)["services"]  # type: ignore[assignment]
    return services[0]["domains"][index]


def test_next_hops_are_the_present_mx_in_order_of_preference() -> None:
    draft = _draft(_facts(mx=("100 c.acme.example.", "20 b.acme.example.", "3 a.acme.example.", "30 a.acme.example.")))
    assert _domain(draft)["next_hops"] == ["a.acme.example", "b.acme.example", "c.acme.example"]
    assert _data(draft)["region"] is None


@pytest.mark.parametrize(
    ("mx", "hosts", "hops", "said"),
    [
        (LOST, {}, [], "(servfail): ns1 said SERVFAIL."),
        ((), {}, [], "There is no MX"),
        (("0 .",), {}, [], "null MX (RFC 7505)"),
        (("10 192.0.2.1.",), {}, [], "is an address and no name"),
        (("10 we\\032ird.example.",), {}, [], "10 we\\032ird.example. names no host"),
        (
            ("10 mail.acme.example.",),
            {Name("mail.acme.example."): Unknown(Cause.CNAME, "mail.acme.example. is a CNAME to x.example.")},
            ["mail.acme.example"],
            "is a CNAME to x.example: an MX must not point there",
        ),
        (("0 eu.mx-pp.com.", "10 mail.acme.example."), {}, [], "Beside it stands 10 mail.acme.example."),
    ],
)
def test_an_mx_that_tells_no_next_hop_is_said(
    mx: Observed | tuple[str, ...], hosts: dict[Name, Observed], hops: list[str], said: str
) -> None:
    draft = _draft(_facts(mx=mx, hosts=hosts))
    assert _domain(draft)["next_hops"] == hops
    assert said in draft


@pytest.mark.parametrize("multi_region", [False, True])
@pytest.mark.parametrize("region", ["us", "eu", "au"])
def test_region_and_multi_region_are_recognised_from_the_mx(region: str, *, multi_region: bool) -> None:
    """Where a host stands for two regions, none is chosen."""
    host = catalog().mx_host(region, multi_region=multi_region)
    draft = _draft(_facts(mx=(f"0 {host}",)))
    is_ambiguous = len(catalog().states_with_mx_host(host)) > 1
    assert _data(draft)["region"] == (None if is_ambiguous else region)
    assert _data(draft)["multi_region"] is multi_region
    assert ("au with multi-region off or eu with multi-region off" in draft) is is_ambiguous


def test_domains_of_different_states_leave_the_organization_open() -> None:
    draft = _draft(_facts(mx=("0 eu.mx-pp.com.",)), _facts("b.example", mx=("0 us.mx-pp.com.",)))
    assert (_data(draft)["region"], _data(draft)["multi_region"]) == (None, None)
    assert "# b.example: us with multi-region on." in draft


def test_a_second_domain_settles_what_the_first_leaves_open() -> None:
    unprotected = _facts("b.example", mx=("10 mail.b.example.",))
    draft = _draft(_facts(mx=("0 eu.mx-pp.com.",)), unprotected)
    assert (_data(draft)["region"], _data(draft)["multi_region"]) == ("eu", True)
    assert _domain(draft, 1)["next_hops"] == ["mail.b.example"]


def test_an_unknown_host_of_the_gateway_gives_no_region() -> None:
    draft = _draft(_facts(mx=("0 new.mx-pp.com.",)))
    assert (_data(draft)["region"], _data(draft)["multi_region"]) == (None, None)
    assert "gives to no region" in draft


MULTI, SINGLE = ("0 eu.mx-pp.com.",), ("0 inbound-smtp.us-east-1.amazonaws.com.",)


@pytest.mark.parametrize(
    ("mx", "values", "verification", "said"),
    [
        (SINGLE, (SES,), {"primary": SES}, ""),
        (SINGLE, (SES, "v=spf1 -all"), {"primary": SES}, 'Foreign, as it seems, and left alone: "v=spf1 -all"'),
        (SINGLE, (SES, "google-site-verification=abc"), {"primary": SES}, "Foreign, as it seems"),
        (SINGLE, (SES, SES2), {"primary": None}, f"choose with the console: {SES2}"),
        (SINGLE, (), {"primary": None}, "No value of the gateway was found there."),
        (MULTI, (SES,), {"primary": SES, "secondary": None}, "check which region's it is"),
        (MULTI, (SES, SES2), {"primary": SES2, "secondary": SES}, "which of the two is for which region"),
        (MULTI, (SES, SES2, "third"), {"primary": None, "secondary": None}, "choose with the console: third"),
    ],
)
def test_tokens_are_taken_where_there_is_no_choice(
    mx: tuple[str, ...], values: tuple[str, ...], verification: dict[str, str | None], said: str
) -> None:
    draft = _draft(_facts(mx=mx, txt=tuple(map(txt_rdata, values))))
    assert _domain(draft)["verification"] == verification
    assert said in draft


@pytest.mark.parametrize("mx", [(), ("10 mail.acme.example.",), LOST])
@pytest.mark.parametrize("values", [("newsletter-4711",), (SES,), (SES, SES2)])
def test_values_of_a_domain_that_is_not_behind_the_gateway_may_be_anybodys(
    mx: Observed | tuple[str, ...], values: tuple[str, ...]
) -> None:
    """What the manifest declares is ours, and goes when the domain leaves: a guess could take a foreign value away."""
    behind = _facts("b.example", mx=MULTI)
    draft = _draft(_facts(mx=mx, txt=tuple(map(txt_rdata, values))), behind)
    assert _domain(draft)["verification"] == {"primary": None, "secondary": None}
    assert "primary:  # FILL IN" in draft
    assert all(f"# _amazonses.acme.example: Found there, choose with the console: {v}" in draft for v in values)
    assert "it may be somebody else's" in draft


@pytest.mark.parametrize(("mx", "values"), [(SINGLE, (SES,)), (MULTI, (SES, SES2))])
def test_a_value_that_was_taken_says_where_it_is_from(mx: tuple[str, ...], values: tuple[str, ...]) -> None:
    draft = _draft(_facts(mx=mx, txt=tuple(map(txt_rdata, values))))
    assert "# _amazonses.acme.example: Taken from DNS, because the MX is the gateway's." in draft
    assert "Taken from DNS" not in _draft(_facts(mx=mx))


def test_tokens_that_could_not_be_read_are_not_taken_for_absent() -> None:
    draft = _draft(_facts(mx=SINGLE, txt=LOST))
    assert "could not be read (servfail): ns1 said SERVFAIL." in draft
    assert "No value" not in draft


def test_the_zone_is_written_where_it_is_another_name() -> None:
    assert "zone" not in _domain(_draft(_facts()))
    assert _domain(_draft(_facts("mail.acme.example", zone="acme.example.")))["zone"] == "acme.example"


@pytest.mark.parametrize(
    ("name_server", "package"),
    [
        ("ns-12.awsdns-03.co.uk.", "octodns-route53"),
        ("Ada.NS.Cloudflare.com", "octodns-cloudflare"),
        ("ns1-07.azure-dns.com.", "octodns-azure"),
        ("ns-cloud-a1.googledomains.com.", "octodns-googlecloud"),
        ("ns41.domaincontrol.com.", ""),
        ("awsdns.example.", None),
        ("ns.cloudflare.com.evil.example.", None),
    ],
)
def test_name_servers_suggest_a_package(name_server: str, package: str | None) -> None:
    found = [o.package for o in find_operators([name_server], load_operators())]
    assert found == ([] if package is None else [package])


def test_a_provider_of_the_settings_is_named() -> None:
    draft = _draft(_facts(name_servers=("ns-12.awsdns-03.com.",)))
    assert "octoDNS package octodns-route53; in the settings: aws." in draft
    assert find_providers("octodns-bind", {"x": {"class": "octodns_binder.X"}, "y": {}}) == ()
    assert _domain(draft)["provider"] == "manual"


@given(st.text())
def test_quoted_text_reads_as_it_was(text: str) -> None:
    """Any text that YAML can hold; a lone surrogate is none (YAML 1.2 section 5.1)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    scalar = quoted(text)
    assert scalar.isascii()
    assert scalar.isprintable()
    assert _data(f"a: {scalar}") == {"a": text}


HOSTILE = st.text(
    alphabet=st.sampled_from('"\\#:\n\r\t\x00\x1b\x85\u2028\u2029\u202e\ufeff-{}[]*&!%@`a. '), max_size=30
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_values_neither_end_a_comment_nor_add_a_key(value: str, server: str, detail: str) -> None:
    txt = present(catalog_key(canonical_name("acme.example")), f'"{value}"', f"{value}")
    draft = _draft(_facts(mx=Unknown(Cause.MALFORMED, detail), txt=txt, name_servers=(server,)))
    assert set(_data(draft)) == {"organization", "region", "multi_region", "escalation_contacts", "services"}
    assert set(_domain(draft)) == {"name", "provider", "next_hops", "verification"}
