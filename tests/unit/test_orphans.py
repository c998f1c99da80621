"""Domains that left the manifests without off-boarding: told, whatever is left of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builders import NOW, PRIMARY, SOURCE, TXT_KEY, domain

from reconciler.errors import Severity
from reconciler.journal import KnownDomain
from reconciler.manifest.fleet import Fleet, Lifecycle, Organization
from reconciler.names import Name, canonical_name
from reconciler.orphans import find_orphans

if TYPE_CHECKING:
    from reconciler.errors import Diagnostic

FLEET = Fleet((Organization("acme", "eu", False, (), (), (domain(),), SOURCE),), "sha256:x")  # noqa: FBT003
SWITCHED = KnownDomain("globex", Lifecycle.ACTIVE, is_switched=True, is_gone=False, last_seen=NOW)


def found(**known: KnownDomain) -> list[Diagnostic]:
    return list(find_orphans(FLEET, {Name(f"{name}.example."): each for name, each in known.items()}))


def test_a_domain_that_is_declared_or_gone_or_never_was_connected_is_no_orphan() -> None:
    gone = replace(SWITCHED, is_gone=True)
    never = replace(SWITCHED, is_switched=False)
    assert found(acme=SWITCHED, gone=gone, never=never) == []


def test_an_orphan_says_how_to_leave_and_when_it_was_last_seen() -> None:
    (orphan,) = found(left=SWITCHED)
    assert (orphan.severity, orphan.code, orphan.domain) == (Severity.WARNING, "orphaned", "left.example")
    assert "`lifecycle: offboarded`" in orphan.detail
    assert "globex" in orphan.detail
    assert "2026-11-21" in orphan.detail


def test_values_that_were_written_make_an_orphan_before_the_switch_too() -> None:
    begun = replace(SWITCHED, is_switched=False, written=frozenset({(TXT_KEY, PRIMARY)}))
    assert [d.code for d in found(begun=begun)] == ["orphaned"]


def test_orphans_come_in_the_order_of_their_names_as_people_read_them() -> None:
    known = {canonical_name(f"{name}.example"): SWITCHED for name in ("zeta", "müller", "alpha")}
    assert [d.domain for d in find_orphans(FLEET, known)] == ["alpha.example", "xn--mller-kva.example", "zeta.example"]
