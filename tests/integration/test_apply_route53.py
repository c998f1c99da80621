"""Route 53 as moto serves it over HTTP on loopback.

What moto enforces: a DELETE must name values and TTL that the rrset has, or once had; a hosted zone must exist. What it
does not: that a DELETE names the values of now, and that a CREATE finds no rrset. So the server's half of the compare
and swap is seen here in the batch that is sent, and in the answer that AWS documents, put in moto's place; the
writer's own comparison, which comes first, is seen whole.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from functools import cache
from typing import TYPE_CHECKING

import boto3
import pytest
import requests
from apply_builders import FOREIGN, OLD, OURS, TOKEN_KEY, TOKEN_NAME, ZONE, build_change
from botocore.awsrequest import AWSResponse
from moto.server import ThreadedMotoServer
from octodns_route53 import Route53Provider
from servers.nasty import NASTY_TXT
from servers.processes import free_port

from reconciler.apply import ApplyError, CannotCarryError, NoSuchZoneError, StaleError, VerifyError
from reconciler.apply.comparison import CnameConflictError, DelegatedError
from reconciler.apply.presentation import octal_rdata
from reconciler.apply.route53 import MAX_VALUE_CHARACTERS, Route53Writer
from reconciler.names import canonical_name
from reconciler.state import Key, Rdata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.client import BaseClient

    from reconciler.diff import Change

pytestmark = pytest.mark.integration

LOOPBACK = "127.0.0.1"
MX_KEY = Key(ZONE, "MX")
CREDENTIALS = {"access_key_id": "testing", "secret_access_key": "very-secret"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address=LOOPBACK, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def clean(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test begins with one empty hosted zone, and nothing of AWS in the environment but the endpoint."""
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    requests.post(f"{endpoint}/moto-api/reset", timeout=5).raise_for_status()
    Elsewhere().create_zone(ZONE)


@cache
def other_client(endpoint: str) -> BaseClient:
    # moto takes any credentials
    return boto3.client("route53", endpoint_url=endpoint, aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106


class Elsewhere:
    """Another client of the same account."""

    def __init__(self) -> None:
        """Use one client for the whole module: making one takes a quarter of a second."""
        self.client = other_client(os.environ["AWS_ENDPOINT_URL"])

    def create_zone(self, name: str, *, private: bool = False) -> str:
        """Create a hosted zone; its id."""
        config = {"PrivateZone": private}
        zone = self.client.create_hosted_zone(Name=name, CallerReference=os.urandom(8).hex(), HostedZoneConfig=config)
        return str(zone["HostedZone"]["Id"])

    def zone_id(self) -> str:
        """The id of the first hosted zone of our name."""
        return str(self.client.list_hosted_zones_by_name(DNSName=ZONE)["HostedZones"][0]["Id"])

    def upsert(self, name: str, rdtype: str, *values: str, ttl: int = 300) -> None:
        """Write one simple rrset."""
        self.upsert_special(name, rdtype, {"TTL": ttl, "ResourceRecords": [{"Value": v} for v in values]})

    def upsert_special(self, name: str, rdtype: str, fields: dict[str, object]) -> None:
        """Write one rrset of any kind."""
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {"Name": name, "Type": rdtype, **fields}}]}
        self.client.change_resource_record_sets(HostedZoneId=self.zone_id(), ChangeBatch=batch)

    def values(self, name: str = TOKEN_NAME, rdtype: str = "TXT") -> tuple[int, list[str]] | None:
        """TTL and values as stored."""
        rrsets = self.client.list_resource_record_sets(HostedZoneId=self.zone_id())["ResourceRecordSets"]
        found = [r for r in rrsets if r["Name"] == name and r["Type"] == rdtype]
        assert len(found) <= 1
        return (found[0]["TTL"], [r["Value"] for r in found[0]["ResourceRecords"]]) if found else None


def build_provider(**block: object) -> Route53Provider:
    return Route53Provider("aws", **{**CREDENTIALS, "client_max_attempts": 0, **block})


def build_writer(**block: object) -> Route53Writer:
    return Route53Writer(shared_provider(os.environ["AWS_ENDPOINT_URL"], **block), provider_id="aws")


@cache
def shared_provider(endpoint: str, **block: object) -> Route53Provider:
    """One provider for all the tests that do not listen to its client."""
    assert endpoint == os.environ["AWS_ENDPOINT_URL"]
    return build_provider(**block)


def writer_answered_by(answer: Callable[[], AWSResponse | None]) -> Route53Writer:
    """A writer whose change batches are answered by a function; None lets the request through."""
    provider = build_provider()

    def before_send(**_: object) -> AWSResponse | None:
        return answer()

    provider._conn.meta.events.register("before-send.route53.ChangeResourceRecordSets", before_send)  # noqa: SLF001
    return Route53Writer(provider, provider_id="aws")


class Body:
    """The body of an answer, as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        """Hold the octets."""
        self.content = content

    def stream(self) -> Iterator[bytes]:
        """Give the octets."""
        yield self.content


NAMESPACE = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"'
PENDING = (
    f"<ChangeResourceRecordSetsResponse {NAMESPACE}><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status>"
    "<SubmittedAt>2026-11-01T00:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>"
)


def xml_answer(document: str, status: int = 200) -> AWSResponse:
    return AWSResponse("", status, {"Content-Type": "text/xml"}, Body(document.encode()))


def error_answer(status: int, code: str, message: str = "as AWS puts it") -> AWSResponse:
    document = (
        f"<ErrorResponse {NAMESPACE}><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>0</RequestId></ErrorResponse>"
    )
    return xml_answer(document, status)


def test_creates_updates_retimes_and_deletes() -> None:
    writer, elsewhere = build_writer(), Elsewhere()
    writer.write(ZONE, [build_change(after=(OLD,))])
    assert elsewhere.values() == (300, [OLD])
    writer.write(ZONE, [build_change(before=(OLD,), after=(OURS,))])
    assert elsewhere.values() == (300, [OURS])
    writer.write(ZONE, [build_change(before=(OURS,), after=(OURS,), ttl_before=300, ttl=60)])
    assert elsewhere.values() == (60, [OURS])
    writer.write(ZONE, [build_change(before=(OURS,), ttl=60)])
    assert elsewhere.values() is None


def test_writes_nothing_when_there_is_nothing_to_write() -> None:
    Elsewhere().upsert(TOKEN_NAME, "TXT", OURS)

    def fail() -> AWSResponse:
        pytest.fail("a change batch was sent")

    writer_answered_by(fail).write(ZONE, [build_change(before=(OURS,), after=(OURS,))])


def test_one_batch_deletes_exactly_what_was_read_and_creates_the_rest() -> None:
    elsewhere = Elsewhere()
    elsewhere.upsert(TOKEN_NAME, "TXT", r'"back\134slash"', OLD)
    elsewhere.upsert(ZONE, "MX", "10 Mail.acme.example", ttl=600)
    sent: list[list[dict[str, object]]] = []
    provider = build_provider()

    def record(params: dict[str, dict[str, list[dict[str, object]]]], **_: object) -> None:
        sent.append(params["ChangeBatch"]["Changes"])

    events = provider._conn.meta.events  # noqa: SLF001
    events.register("provide-client-params.route53.ChangeResourceRecordSets", record)
    mx = build_change(key=MX_KEY, before=("10 mail.acme.example.",), after=("0 eu.mx-pp.com.",), ttl=600)
    txt = build_change(before=(OLD,), after=(OURS,), foreign=(r'"back\\slash"',))
    Route53Writer(provider, provider_id="aws").write(ZONE, [txt, mx])
    assert [[(step["Action"], step["ResourceRecordSet"]) for step in batch] for batch in sent] == [
        [
            ("DELETE", rrset(TOKEN_NAME, "TXT", 300, r'"back\134slash"', OLD)),
            ("CREATE", rrset(TOKEN_NAME, "TXT", 300, r'"back\134slash"', OURS)),
            ("DELETE", rrset(ZONE, "MX", 600, "10 Mail.acme.example")),
            ("CREATE", rrset(ZONE, "MX", 600, "0 eu.mx-pp.com.")),
        ]
    ]


def rrset(name: str, rdtype: str, ttl: int, *values: str) -> dict[str, object]:
    return {"Name": name, "Type": rdtype, "TTL": ttl, "ResourceRecords": [{"Value": v} for v in values]}


def test_compares_every_rrset_before_it_writes_any() -> None:
    stale = build_change(key=MX_KEY, before=("10 other.example.",), after=("0 eu.mx-pp.com.",))
    with pytest.raises(StaleError, match="no rrset"):
        build_writer().write(ZONE, [build_change(after=(OURS,)), stale])
    assert Elsewhere().values() is None


@pytest.mark.parametrize(
    "change",
    [
        build_change(after=(OURS,)),
        build_change(before=(OLD,), after=(OURS,)),
        build_change(before=(OLD,)),
        build_change(before=(OLD,), after=(OLD,), ttl_before=300, ttl=60),
    ],
    ids=["create", "update", "delete", "ttl"],
)
def test_a_value_that_came_after_the_plan_is_kept_and_the_change_is_stale(change: Change) -> None:
    elsewhere = Elsewhere()
    elsewhere.upsert(TOKEN_NAME, "TXT", *change.before, FOREIGN)
    before = elsewhere.values()
    with pytest.raises(StaleError, match="somebody else"):
        build_writer().write(ZONE, [change])
    assert elsewhere.values() == before


def test_another_ttl_is_stale() -> None:
    Elsewhere().upsert(TOKEN_NAME, "TXT", OLD, ttl=77)
    with pytest.raises(StaleError, match="TTL 77"):
        build_writer().write(ZONE, [build_change(before=(OLD,), after=(OURS,))])


def test_a_value_that_came_after_the_comparison_is_refused_by_the_server_and_is_stale() -> None:
    elsewhere = Elsewhere()
    elsewhere.upsert(TOKEN_NAME, "TXT", OLD)

    def race() -> AWSResponse:
        elsewhere.upsert(TOKEN_NAME, "TXT", OLD, FOREIGN)
        return error_answer(400, "InvalidChangeBatch", "but the values provided do not match the current values")

    with pytest.raises(StaleError, match="somebody else"):
        writer_answered_by(race).write(ZONE, [build_change(before=(OLD,), after=(OURS,))])
    assert elsewhere.values() == (300, [OLD, FOREIGN])


@pytest.mark.parametrize("answer", [error_answer(400, "InvalidChangeBatch"), error_answer(500, "InternalFailure")])
def test_a_batch_whose_first_answer_was_lost_counts_when_it_took_effect(answer: AWSResponse) -> None:
    elsewhere = Elsewhere()

    def deliver() -> AWSResponse:
        elsewhere.upsert(TOKEN_NAME, "TXT", OURS)
        return answer

    writer_answered_by(deliver).write(ZONE, [build_change(after=(OURS,))])
    assert elsewhere.values() == (300, [OURS])


def test_a_refused_batch_that_changed_nothing_is_an_error_with_its_reason() -> None:
    writer = writer_answered_by(lambda: error_answer(400, "InvalidChangeBatch", "not permitted at apex"))
    with pytest.raises(ApplyError, match="not permitted at apex; read back: nothing was written"):
        writer.write(ZONE, [build_change(after=(OURS,))])


def test_foreign_nasty_values_stay_byte_for_byte() -> None:
    elsewhere = Elsewhere()
    nasty = [octal_rdata(TOKEN_KEY, Rdata(rdata)) for rdata in NASTY_TXT]
    kept = [(value, rdata) for value, rdata in zip(nasty, NASTY_TXT, strict=True) if len(value) <= MAX_VALUE_CHARACTERS]
    assert len(kept) >= 20
    elsewhere.upsert(TOKEN_NAME, "TXT", *(value for value, _ in kept))
    foreign = tuple(rdata for _, rdata in kept)
    build_writer().write(ZONE, [build_change(after=(OURS,), foreign=foreign)])
    assert elsewhere.values() == (300, [*(value for value, _ in kept), OURS])
    build_writer().write(ZONE, [build_change(before=(OURS,), foreign=foreign, ttl=300)])
    assert elsewhere.values() == (300, [value for value, _ in kept])


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


def test_a_change_that_spreads_is_waited_for() -> None:
    elsewhere = Elsewhere()
    asked: list[str] = []

    def pending() -> AWSResponse:
        elsewhere.upsert(TOKEN_NAME, "TXT", OURS)
        return xml_answer(PENDING)

    writer = writer_answered_by(pending)
    events = writer._api._client.meta.events  # noqa: SLF001
    events.register("before-call.route53.GetChange", lambda params, **_: asked.append(params["url_path"]))
    writer.write(ZONE, [build_change(after=(OURS,))])
    assert asked == ["/2013-04-01/change/C1"]


def test_without_permission_to_ask_for_a_change_the_write_counts_and_a_warning_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    elsewhere = Elsewhere()

    def pending() -> AWSResponse:
        elsewhere.upsert(TOKEN_NAME, "TXT", OURS)
        return xml_answer(PENDING)

    def denied(**_: object) -> AWSResponse:
        return error_answer(403, "AccessDenied")

    writer = writer_answered_by(pending)
    writer._api._client.meta.events.register("before-send.route53.GetChange", denied)  # noqa: SLF001
    writer.write(ZONE, [build_change(after=(OURS,))])
    assert "not yet seen on all" in caplog.text


def test_an_accepted_batch_that_is_not_there_fails_the_verification() -> None:
    accepted = PENDING.replace("PENDING", "INSYNC")
    with pytest.raises(VerifyError, match="no rrset"):
        writer_answered_by(lambda: xml_answer(accepted)).write(ZONE, [build_change(after=(OURS,))])


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


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_the_write_leaves_the_old_or_the_new_state(moment: str) -> None:
    elsewhere = Elsewhere()
    elsewhere.upsert(TOKEN_NAME, "TXT", FOREIGN, OLD)
    process = multiprocessing.get_context("fork").Process(target=write_and_die, args=(moment,))
    process.start()
    process.join(20)
    assert process.exitcode == -signal.SIGKILL
    assert elsewhere.values() == (300, [FOREIGN, OLD] if moment == "before" else [FOREIGN, OURS])
    if moment == "before":
        build_writer().write(ZONE, [build_change(before=(OLD,), after=(OURS,), foreign=(FOREIGN,))])
    build_writer().write(ZONE, [build_change(before=(OURS,), after=(OURS,), foreign=(FOREIGN,))])


def write_and_die(moment: str) -> None:
    """Write in a process that is killed around its change batch."""
    provider = build_provider()

    def die(**_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    event = "before-send" if moment == "before" else "after-call"
    provider._conn.meta.events.register(f"{event}.route53.ChangeResourceRecordSets", die)  # noqa: SLF001
    writer = Route53Writer(provider, provider_id="aws")
    writer.write(ZONE, [build_change(before=(OLD,), after=(OURS,), foreign=(FOREIGN,))])
