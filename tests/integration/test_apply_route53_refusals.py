"""Which hosted zones and rrsets Route 53's writer refuses, and what it says of AWS's errors; on moto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from apply_builders import FOREIGN, OLD, OURS, TOKEN_NAME, ZONE, build_change
from route53_lab import (
    LOOPBACK,
    NAMESPACE,
    Elsewhere,
    build_provider,
    build_writer,
    error_answer,
    reset,
    run_moto,
    writer_answered_by,
    xml_answer,
)
from servers.processes import free_port

from reconciler.apply import ApplyError, CannotCarryError, NoSuchZoneError, StaleError
from reconciler.apply.comparison import CnameConflictError, DelegatedError
from reconciler.apply.route53 import Route53Writer
from reconciler.names import canonical_name
from reconciler.state import Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSResponse


pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with run_moto() as url:
        yield url


@pytest.fixture(autouse=True)
def clean(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reset(endpoint, monkeypatch)


def test_a_value_that_is_too_long_is_refused_beforehand() -> None:
    with pytest.raises(CannotCarryError, match="at most 4000"):
        build_writer().write(ZONE, [build_change(after=(" ".join([f'"{"x" * 250}"'] * 17),))])
    assert Elsewhere().values() is None


@pytest.mark.parametrize("value", [r'"not octal \900"', f'"{"x" * 300}"'])
def test_a_foreign_value_that_cannot_be_read_exactly_is_refused(value: str) -> None:
    Elsewhere().upsert(TOKEN_NAME, "TXT", value)
    with pytest.raises(CannotCarryError, match="cannot be read exactly"):
        build_writer().write(ZONE, [build_change(after=(OURS,))])


@pytest.mark.parametrize(
    "fields",
    [
        {"AliasTarget": {"HostedZoneId": "Z1", "DNSName": "other.example.", "EvaluateTargetHealth": False}},
        {"SetIdentifier": "a", "Weight": 1, "TTL": 300, "ResourceRecords": [{"Value": OLD}]},
        {
            "SetIdentifier": "eu",
            "GeoLocation": {"ContinentCode": "EU"},
            "TTL": 300,
            "ResourceRecords": [{"Value": OLD}],
        },
        {"HealthCheckId": "abc", "TTL": 300, "ResourceRecords": [{"Value": OLD}]},
    ],
    ids=["alias", "weighted", "geo", "health"],
)
def test_more_than_a_simple_rrset_is_refused(fields: dict[str, object]) -> None:
    Elsewhere().upsert_special(TOKEN_NAME, "TXT", fields)
    with pytest.raises(CannotCarryError, match="alias or has a routing policy"):
        build_writer().write(ZONE, [build_change(before=(OLD,), after=(OURS,))])


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("alias.acme.example", CnameConflictError),
        ("sub.acme.example", DelegatedError),
        ("_amazonses.deep.sub.acme.example", DelegatedError),
    ],
)
def test_names_that_cannot_answer_are_refused(name: str, error: type[ApplyError]) -> None:
    elsewhere = Elsewhere()
    elsewhere.upsert("alias.acme.example.", "CNAME", "mail.acme.example.")
    elsewhere.upsert("sub.acme.example.", "NS", "ns.elsewhere.example.")
    with pytest.raises(error, match="nothing was written"):
        build_writer().write(ZONE, [build_change(key=Key(canonical_name(name), "TXT"), after=(OURS,))])


def test_an_unknown_zone_is_never_created() -> None:
    unknown = canonical_name("unknown.example")
    change = build_change(key=Key(unknown, "MX"), zone=unknown, after=("0 eu.mx-pp.com.",))
    with pytest.raises(NoSuchZoneError, match="never created"):
        build_writer().write(unknown, [change])
    zones = Elsewhere().client.list_hosted_zones()["HostedZones"]
    assert [zone["Name"] for zone in zones] == [ZONE]


def test_two_public_zones_of_one_name_are_refused() -> None:
    second = Elsewhere().create_zone(ZONE)
    with pytest.raises(ApplyError, match=r"2 public hosted zones") as caught:
        build_writer().write(ZONE, [build_change(after=(OURS,))])
    assert second in str(caught.value)


def test_of_private_zones_the_one_of_the_providers_vpc_is_meant() -> None:
    elsewhere = Elsewhere()
    create = elsewhere.client.create_hosted_zone
    private = {"Name": ZONE, "HostedZoneConfig": {"PrivateZone": True}}
    ours, _ = (
        create(CallerReference=vpc, VPC={"VPCId": vpc, "VPCRegion": "us-east-1"}, **private)["HostedZone"]["Id"]
        for vpc in ("vpc-ours", "vpc-theirs")
    )
    provider = build_provider(vpc_id="vpc-ours", vpc_region="us-east-1")
    Route53Writer(provider, provider_id="aws").write(ZONE, [build_change(after=(OURS,))])
    rrsets = elsewhere.client.list_resource_record_sets(HostedZoneId=ours)["ResourceRecordSets"]
    assert [r["ResourceRecords"] for r in rrsets if r["Type"] == "TXT"] == [[{"Value": OURS}]]


def test_the_zones_after_ours_in_the_list_are_others() -> None:
    """AWS lists every zone from the name asked for on; moto only those of that name."""
    provider, ours = build_provider(), Elsewhere().zone_id()
    zones = "".join(
        f"<HostedZone><Id>{zone_id}</Id><Name>{name}</Name><CallerReference>x</CallerReference></HostedZone>"
        for zone_id, name in ((ours, ZONE), ("/hostedzone/Z2", "sub.acme.example."), ("/hostedzone/Z3", "b.example."))
    )
    answer = (
        f"<ListHostedZonesByNameResponse {NAMESPACE}><HostedZones>{zones}</HostedZones><DNSName>{ZONE}</DNSName>"
        "<IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>"
    )

    def before_send(**_: object) -> AWSResponse:
        return xml_answer(answer)

    provider._conn.meta.events.register("before-send.route53.ListHostedZonesByName", before_send)  # noqa: SLF001
    Route53Writer(provider, provider_id="aws").write(ZONE, [build_change(after=(OURS,))])
    assert Elsewhere().values() == (300, [OURS])


def test_a_private_zone_of_the_same_name_is_left_alone_unless_it_is_asked_for() -> None:
    elsewhere = Elsewhere()
    public, private = elsewhere.zone_id(), elsewhere.create_zone(ZONE, private=True)
    build_writer().write(ZONE, [build_change(after=(OURS,))])
    build_writer(private=True).write(ZONE, [build_change(after=(OLD,))])
    for zone_id, value in ((public, OURS), (private, OLD)):
        rrsets = elsewhere.client.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
        assert [r["ResourceRecords"] for r in rrsets if r["Type"] == "TXT"] == [[{"Value": value}]]


def test_a_name_with_more_rrsets_than_a_page_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """With pages of two, because moto cannot go on inside the rrsets of one name and type."""
    monkeypatch.setattr("reconciler.apply.route53_api._PAGE", 2)
    elsewhere = Elsewhere()
    contents = {"A": "192.0.2.1", "AAAA": "2001:db8::1", "CAA": '0 issue ";"', "MX": "10 a.example.", "SRV": "0 0 1 a."}
    for rdtype, content in contents.items():
        elsewhere.upsert(TOKEN_NAME, rdtype, content)
    elsewhere.upsert(TOKEN_NAME, "TXT", FOREIGN)
    with pytest.raises(StaleError, match="somebody else"):
        build_writer().write(ZONE, [build_change(after=(OURS,))])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (error_answer(403, "AccessDenied"), "allow route53:ChangeResourceRecordSets"),
        (error_answer(403, "ExpiredToken"), "correct or renew"),
        (error_answer(403, "SignatureDoesNotMatch", "very-secret"), "correct or renew"),
        (error_answer(400, "Throttling"), "too busy"),
        (error_answer(503, "ServiceUnavailable"), "too busy"),
        (error_answer(400, "PriorRequestNotComplete"), "too busy"),
        (error_answer(404, "NoSuchHostedZone"), "no longer has the hosted zone"),
        (error_answer(400, "InvalidInput"), "InvalidInput: as AWS puts it"),
        (error_answer(500, "InternalFailure"), "read back: nothing was written"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_aws_answers_becomes_one_sentence_without_secrets(answer: AWSResponse, said: str) -> None:
    with pytest.raises(ApplyError, match=said) as caught:
        writer_answered_by(lambda: answer).write(ZONE, [build_change(after=(OURS,))])
    assert "very-secret" not in str(caught.value)


def test_an_endpoint_that_is_down_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{LOOPBACK}:{free_port(LOOPBACK)}")
    with pytest.raises(ApplyError, match="cannot be reached"):
        build_writer().write(ZONE, [build_change(after=(OURS,))])


def test_missing_credentials_are_said() -> None:
    with pytest.raises(ApplyError, match="has no credentials"):
        build_writer(access_key_id=None, secret_access_key=None).write(ZONE, [build_change(after=(OURS,))])
