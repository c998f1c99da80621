"""Origins: an export that several services name is read once in a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from builders import NOW, SOURCE

from reconciler.manifest.fleet import Service, ServiceAllowlist, ServiceSpamRule
from reconciler.observe.origin import OriginObserver
from reconciler.state import Cause, Unknown
from reconciler.targets.base import AllowlistContent, DeclaredAllowlist, Intent

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.origin import AllowlistFact


def service(name: str, *lists: ServiceAllowlist, rule: ServiceSpamRule | None = None) -> Service:
    return Service("acme", name, "exim", "mx", "eu", False, lists, rule, (), (), SOURCE)  # noqa: FBT003


def allowlist(export: str | None, name: str = "") -> ServiceAllowlist:
    declared = DeclaredAllowlist("plain", name, Intent.ALLOW, exclusive=False)
    return ServiceAllowlist(declared, export, SOURCE)


def observer(folder: Path) -> OriginObserver:
    return OriginObserver(folder, now=NOW, max_age_hours=10**6)


def export(folder: Path, address: str) -> None:
    (folder / "list").write_text(f"{address}\n")
    os.utime(folder / "list", (NOW.timestamp(), NOW.timestamp()))


def addresses(fact: AllowlistFact) -> list[str]:
    assert isinstance(fact.observed, AllowlistContent)
    return [entry.written for entry in fact.observed.entries]


def test_an_export_is_read_once_for_all_who_name_it(tmp_path: Path) -> None:
    """In whatever spelling; the next run reads it again."""
    export(tmp_path, "192.0.2.1")
    run = observer(tmp_path)
    one = run.observe(service("one", allowlist("list"))).allowlists
    export(tmp_path, "192.0.2.2")
    two = run.observe(service("two", allowlist("./list"))).allowlists
    assert addresses(one[0]) == addresses(two[0]) == ["192.0.2.1"]
    (again,) = observer(tmp_path).observe(service("one", allowlist("list"))).allowlists
    assert addresses(again) == ["192.0.2.2"]


def test_what_is_declared_otherwise_is_read_for_itself(tmp_path: Path) -> None:
    """Where a list stands in an export depends on what it is called."""
    export(tmp_path, "192.0.2.1")
    run = observer(tmp_path)
    run.observe(service("one", allowlist("list")))
    export(tmp_path, "192.0.2.2")
    (other,) = run.observe(service("two", allowlist("list", "another"))).allowlists
    assert addresses(other) == ["192.0.2.2"]


@pytest.mark.parametrize("rule", [ServiceSpamRule(None, None, SOURCE), ServiceSpamRule("sieve", None, SOURCE)])
def test_what_a_person_attests_is_not_read(tmp_path: Path, rule: ServiceSpamRule) -> None:
    found = observer(tmp_path).observe(service("one", allowlist(None), rule=rule))
    assert [fact.observed for fact in found.allowlists] == [None]
    assert found.mail_rule is not None
    assert found.mail_rule.observed is None


def test_a_rules_export_that_is_missing_is_unknown(tmp_path: Path) -> None:
    found = observer(tmp_path).observe(service("one", rule=ServiceSpamRule("sieve", "rules", SOURCE)))
    assert found.mail_rule is not None
    assert isinstance(found.mail_rule.observed, Unknown)
    assert found.mail_rule.observed.cause is Cause.UNREADABLE


def test_a_service_without_a_rule_has_none(tmp_path: Path) -> None:
    assert observer(tmp_path).observe(service("one")).mail_rule is None
