"""New next hops are told until the vendor's console has them: mail goes where the console says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import EU, MX_KEY, NOW, OLD_MX, attestation, present
from gate_builders import day, leaving, ready, ready_domain

from reconciler.gates.next_hops_changed import NextHopsChanged
from reconciler.history import History
from reconciler.names import Name

if TYPE_CHECKING:
    from reconciler.manifest.fleet import Attestation, Domain

OLD, NEW = Name("old.acme.example."), Name("mail.acme.example.")


def told(
    declared: Domain, mx: str = EU, before: tuple[Name, ...] = (OLD,), since: timedelta = timedelta(days=2)
) -> list[str]:
    history = History(next_hops=before, next_hops_since=NOW - since)
    found = NextHopsChanged().find(ready(declared, mx=present(MX_KEY, mx), history=history))
    return [d.summary for d in found]


@pytest.mark.parametrize(
    ("attested", "is_told"),
    [
        ((), True),
        ((attestation(what="console", on=day(30)),), True),
        ((attestation(what="console", on=day(1)),), False),
        ((attestation(what="console", on=day(30), next_hops=(NEW,)),), False),
        ((attestation(what="console", on=day(1), next_hops=(OLD,)),), True),
    ],
)
def test_it_is_told_until_somebody_saw_the_new_ones_in_the_console(
    attested: tuple[Attestation, ...],
    is_told: bool,  # noqa: FBT001
) -> None:
    summaries = told(ready_domain(attestations=attested))
    assert bool(summaries) is is_told
    assert all("to old.acme.example" in s and "has mail.acme.example" in s for s in summaries)


def test_without_a_change_or_without_mail_through_the_gateway_there_is_nothing_to_tell() -> None:
    unattested = ready_domain(attestations=())
    assert told(unattested, before=()) == []
    assert told(unattested, before=(NEW,)) == []
    assert told(unattested, mx=OLD_MX) == []
    assert told(leaving(attestations=())) == []
