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
from typing import TYPE_CHECKING

import pytest
from apply_builders import FOREIGN, OLD, OURS, TOKEN_KEY, TOKEN_NAME, ZONE, build_change
from route53_lab import (
    MX_KEY,
    PENDING,
    Elsewhere,
    build_provider,
    build_writer,
    error_answer,
    reset,
    run_moto,
    writer_answered_by,
    xml_answer,
)
from servers.nasty import NASTY_TXT

from reconciler.apply import ApplyError, StaleError, VerifyError
from reconciler.apply.presentation import octal_rdata
from reconciler.apply.route53 import MAX_VALUE_CHARACTERS, Route53Writer
from reconciler.state import Rdata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSResponse

    from reconciler.diff import Change


pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with run_moto() as url:
        yield url


@pytest.fixture(autouse=True)
def clean(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reset(endpoint, monkeypatch)


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


def test_the_wait_for_changes_that_spread_is_one_for_all_domains(caplog: pytest.LogCaptureFixture) -> None:
    """A minute for each of a thousand domains, one after the other, would be most of a day."""
    elsewhere = Elsewhere()
    elsewhere.upsert(ZONE, "MX", "10 mail.acme.example.")
    asked: list[str] = []

    def pending() -> AWSResponse:
        elsewhere.upsert(TOKEN_NAME, "TXT", *([OURS] if not asked else [OURS, OLD]))
        return xml_answer(PENDING)

    def still_pending(request: object, **_: object) -> AWSResponse:
        asked.append(str(request))
        return xml_answer(PENDING.replace("ChangeResourceRecordSetsResponse", "GetChangeResponse"))

    writer = writer_answered_by(pending)
    writer._api._client.meta.events.register("before-send.route53.GetChange", still_pending)  # noqa: SLF001
    writer._api._patience = 3.0  # noqa: SLF001 - seconds: one look
    writer.write(ZONE, [build_change(after=(OURS,))])
    writer.write(ZONE, [build_change(before=(OURS,), after=(OLD, OURS))])
    assert len(asked) == 1
    assert caplog.text.count("no more is waited for") == 1


def test_an_accepted_batch_that_is_not_there_fails_the_verification() -> None:
    accepted = PENDING.replace("PENDING", "INSYNC")
    with pytest.raises(VerifyError, match="no rrset"):
        writer_answered_by(lambda: xml_answer(accepted)).write(ZONE, [build_change(after=(OURS,))])


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
