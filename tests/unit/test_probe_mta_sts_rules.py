"""The TXT record and the policy of MTA-STS, rule by rule (RFC 8461 sections 3.1 and 3.2)."""

from __future__ import annotations

import pytest

from reconciler.names import Name
from reconciler.observe.mta_sts import PolicyError, parse_policy, policy_id
from reconciler.state import Key, Rdata
from reconciler.surroundings import MtaStsPolicy

KEY = Key(Name("_mta-sts.acme.example."), "TXT")
POLICY = "version: STSv1\nmode: enforce\nmx: mail.acme.example\nmax_age: 604800\n"


def record_id(*rdatas: str) -> str | None:
    return policy_id(KEY, [Rdata(rdata) for rdata in rdatas])


@pytest.mark.parametrize(
    "rdata",
    [
        '"v=STSv1; id=20160831085700Z;"',
        '"v=STSv1;id=20160831085700Z"',
        '"v=STSv1 ; id=20160831085700Z ; x.y-z_1=a:b/c ;"',
        '"v=STSv1; id=2016" "0831085700Z;"',
        '"v=STSv1; ext=1; id=20160831085700Z"',
    ],
)
def test_record(rdata: str) -> None:
    assert record_id(rdata) == "20160831085700Z"


def test_records_of_other_things_do_not_count() -> None:
    assert record_id('"v=spf1 -all"', '"v=STSv1; id=1"', '"v=STSv10; id=2"', '"v=TLSRPTv1; rua=x"') == "1"


@pytest.mark.parametrize(
    "rdatas",
    [
        (),
        ('"v=spf1 -all"',),
        ('"v=STSv1; id=1"', '"v=STSv1; id=2"'),
        ('"v=STSv1; id=1"', '"v=STSv1;"'),
        ('"v=STSv1"',),
        ('"v=STSv1;"',),
        ('"v=STSv1; id="',),
        ('"v=STSv1; id=with-hyphen"',),
        (f'"v=STSv1; id={"1" * 33}"',),
        ('"v=STSv1; id=1; id=2"',),
        ('"v=STSv1; id=1; ; x=1"',),
        ('"v=STSv1; id=1; no field"',),
        ('"V=stsv1; id=1"',),
        ('" v=STSv1; id=1"',),
        ('"v=STSv1; id=\\2551"',),
    ],
)
def test_anything_else_is_no_policy(rdatas: tuple[str, ...]) -> None:
    assert record_id(*rdatas) is None


def test_policy() -> None:
    assert parse_policy("7", POLICY) == MtaStsPolicy("7", "enforce", ("mail.acme.example",), 604800)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (POLICY.replace("\n", "\r\n"), (("mail.acme.example",), 604800)),
        (POLICY.rstrip("\n"), (("mail.acme.example",), 604800)),
        (POLICY + "mx:*.Acme.EXAMPLE\t \nmx: mail.acme.example\n", (("mail.acme.example", "*.acme.example"), 604800)),
        (POLICY + "max_age: 1\nmode: none\n", (("mail.acme.example",), 604800)),
        (POLICY + "future_field: käse = 1; x\n\n", (("mail.acme.example",), 604800)),
        (POLICY.replace("604800", "0"), (("mail.acme.example",), 0)),
        (POLICY.replace("604800", "31557600"), (("mail.acme.example",), 31557600)),
    ],
)
def test_policies_that_senders_take(text: str, expected: tuple[tuple[str, ...], int]) -> None:
    policy = parse_policy("7", text)
    assert (policy.mode, policy.mx, policy.max_age) == ("enforce", *expected)


def test_mode_none_needs_no_mx() -> None:
    assert parse_policy("7", "mode: none\nmax_age: 60\nversion: STSv1") == MtaStsPolicy("7", "none", (), 60)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("version: STSv1\n", "", "does not say version"),
        ("STSv1", "STSv2", "does not say version"),
        ("enforce", "Enforce", "its mode is 'Enforce'"),
        ("mx: mail.acme.example\n", "", "has no mx"),
        ("mail.acme.example", "192.0.2.1/24", "is no host name"),
        ("mail.acme.example", "mail.*.example", "is no host name"),
        ("mail.acme.example", "*", "is no host name"),
        ("mail.acme.example", "mail.acme.example.", "is no host name"),
        ("mail.acme.example", ".acme.example", "is no host name"),
        ("mail.acme.example", "käse.example", "is no host name"),
        ("604800", "", "its max_age is ''"),
        ("604800", "-1", "its max_age is '-1'"),
        ("604800", "1d", "its max_age is '1d'"),
        ("604800", "31557601", "its max_age"),
        ("604800", "٣", "its max_age"),
        ("604800", "9" * 5000, "its max_age"),
        ("mode: ", "mode ", "line 2, 'mode enforce', is no field"),
        ("mode: enforce\n", "\nmode: enforce\n", "line 2, '', is no field"),
        ("version", "<html>version", "line 1"),
        ("\nmode", "\x1b\nmode", "does not say version"),
        ("mx: mail.acme.example\n", "".join(f"mx: m{n}.example\n" for n in range(1001)), "more than 1000 mx"),
    ],
)
def test_policies_that_senders_do_not_take(old: str, new: str, why: str) -> None:
    text = POLICY.replace(old, new)
    assert text != POLICY
    with pytest.raises(PolicyError) as caught:
        parse_policy("7", text)
    assert why in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200
