"""What an earlier run saw counts for a plan, and the evidence says how long ago that was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from gate_builders import EU_HOST, HOP, ready, smtp, surroundings

from reconciler.gates.mta_sts import MtaSts, MxCertificate
from reconciler.gates.next_hop import NextHop
from reconciler.gates.tls import Tls
from reconciler.surroundings import MtaStsPolicy, TlsSight, seen_ago

if TYPE_CHECKING:
    from reconciler.gates import Gate
    from reconciler.surroundings import SmtpSight

EIGHT = timedelta(minutes=8)
POLICY = MtaStsPolicy("1", "enforce", ("*.mx-pp.com", EU_HOST.removesuffix("."), "*.acme.example"), 86400)
OLD_TLS = smtp(tls=TlsSight("TLSv1.0", (), ""))
GATEWAY = smtp(tls=TlsSight("TLSv1.3", (EU_HOST.removesuffix("."),)))


def evidence(gate: Gate, seen: SmtpSight, policy: MtaStsPolicy) -> str:
    servers = {**surroundings().smtp, HOP: seen, EU_HOST: replace(GATEWAY, age=seen.age)}
    around = {"smtp": servers, "mta_sts": policy}
    return gate.judge(ready(around=around)).evidence


@pytest.mark.parametrize("age", [timedelta(), EIGHT])
@pytest.mark.parametrize(
    ("gate", "seen", "policy"),
    [
        (Tls(), smtp(), POLICY),
        (Tls(), OLD_TLS, POLICY),
        (NextHop(must_answer=True), smtp(), POLICY),
        (MtaSts(), smtp(), POLICY),
        (MtaSts(), smtp(), replace(POLICY, mx=("mail.other.example",))),
        (MxCertificate(), smtp(), POLICY),
        (MxCertificate(), smtp(), replace(POLICY, mode="testing")),
    ],
)
def test_the_age_is_told_where_there_is_one(gate: Gate, seen: SmtpSight, policy: MtaStsPolicy, age: timedelta) -> None:
    told = evidence(gate, replace(seen, age=age), replace(policy, age=age))
    assert ("(seen 8 min ago)" in told) == bool(age)


def test_what_was_not_asked_of_the_host_has_no_age() -> None:
    assert "ago" not in evidence(NextHop(), replace(smtp(), age=EIGHT), POLICY)


@pytest.mark.parametrize(
    ("age", "said"),
    [(timedelta(), ""), (timedelta(seconds=3), " (seen 1 min ago)"), (timedelta(hours=2), " (seen 120 min ago)")],
)
def test_ages_are_minutes(age: timedelta, said: str) -> None:
    assert seen_ago(age) == said
