"""A next hop that changed in the manifest alone changes nothing: the console delivers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from builders import EU, MX_KEY, NOW, OLD_MX, TODAY, attestation, domain, facts, present, settled

from reconciler.gates.next_hops_changed import NextHopsChanged
from reconciler.manifest.fleet import Attestation, Lifecycle
from reconciler.names import Name

if TYPE_CHECKING:
    from reconciler.gates import Facts


def codes(mx: str = EU, *, old: tuple[str, ...] = ("old.acme.example.",), **changes: object) -> list[str]:
    return [d.code for d in NextHopsChanged().find(changed(mx, old=old, **changes))]


def changed(mx: str, *, old: tuple[str, ...], **changes: object) -> Facts:
    history = replace(settled(mx), next_hops=tuple(map(Name, old)), next_hops_since=NOW - timedelta(days=1))
    return facts(domain(**changes), mx=present(MX_KEY, mx), history=history)


def test_it_is_told_until_the_console_is_attested_to_have_the_new_ones() -> None:
    assert codes() == ["next-hops-changed"]
    (found,) = NextHopsChanged().find(changed(EU, old=("old.acme.example.",)))
    assert found.summary.startswith("clean mail still goes to old.acme.example: ")
    assert codes(attestations=(console(on=TODAY),)) == []
    assert codes(attestations=(console(next_hops=(Name("mail.acme.example."),)),)) == []
    assert codes(attestations=(console(next_hops=(Name("old.acme.example."),)),)) == ["next-hops-changed"]


def test_it_is_not_told_where_no_mail_comes_from_the_gateway_or_nothing_changed() -> None:
    assert codes(OLD_MX) == []
    assert codes(old=()) == []
    assert codes(old=("mail.acme.example.",)) == []
    assert codes(lifecycle=Lifecycle.OFFBOARDED) == []


def console(**changes: object) -> Attestation:
    return attestation(what="console", **changes)
