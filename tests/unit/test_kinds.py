"""Kinds of services: what each can do, and what does not fit."""

from __future__ import annotations

from typing import get_args

import pytest

from reconciler.kinds import (
    KINDS,
    OTHER,
    Capabilities,
    ServiceKind,
    default_mail_rule_target,
    find_allowlist_problem,
    find_kind_problems,
    find_mail_rule_problem,
    service_capabilities,
)
from reconciler.manifest.models import ServiceManifest
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS

ALL = Capabilities(third_party_mx=True, allowlist=True, header_rules=True)
NO_HEADERS = Capabilities(third_party_mx=True, allowlist=True, header_rules=False)


def test_the_table_has_the_kinds_that_manifests_can_name() -> None:
    assert set(KINDS) == set(get_args(ServiceManifest.model_fields["kind"].annotation))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.id)
def test_every_target_of_the_table_is_in_the_registry(kind: ServiceKind) -> None:
    assert set(kind.allowlist_targets) <= set(ALLOWLIST_TARGETS)
    assert set(kind.mail_rule_targets) <= set(MAIL_RULE_TARGETS)


def test_every_target_of_the_registry_fits_some_kind() -> None:
    """A target that no manifest could use would be dead code."""
    assert set(ALLOWLIST_TARGETS) == {t for k in KINDS.values() for t in k.allowlist_targets}
    assert set(MAIL_RULE_TARGETS) == {t for k in KINDS.values() for t in k.mail_rule_targets}


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.id != OTHER], ids=lambda k: k.id)
def test_a_known_kind_needs_no_declaration_and_refuses_one(kind: ServiceKind) -> None:
    assert find_kind_problems(kind, None) == ()
    assert [p.code for p in find_kind_problems(kind, ALL)] == ["capabilities-known"]


def test_other_must_declare() -> None:
    assert [p.code for p in find_kind_problems(KINDS[OTHER], None)] == ["capabilities-unknown"]
    assert service_capabilities(KINDS[OTHER], None) is None
    assert find_kind_problems(KINDS[OTHER], NO_HEADERS) == ()
    assert service_capabilities(KINDS[OTHER], NO_HEADERS) == NO_HEADERS


def test_the_vendor_requires_a_third_party_mx_and_an_allowlist() -> None:
    nothing = Capabilities(third_party_mx=False, allowlist=False, header_rules=False)
    assert [p.code for p in find_kind_problems(KINDS[OTHER], nothing)] == ["no-third-party-mx", "no-allowlist"]


def test_an_allowlist_must_fit_its_kind() -> None:
    assert find_allowlist_problem(KINDS["postfix"], "postfix-access") is None
    problem = find_allowlist_problem(KINDS["zoho"], "postfix-access")
    assert problem is not None
    assert "Write one of zoho" in problem.detail


def test_a_spam_rule_must_fit_its_kind() -> None:
    assert find_mail_rule_problem(KINDS["postfix"], None, "sieve") is None
    problem = find_mail_rule_problem(KINDS["postfix"], None, "exchange-spam-rule")
    assert problem is not None
    assert problem.detail.startswith("Write one of sieve, ")


def test_a_console_takes_a_spam_rule_by_hand_alone() -> None:
    assert find_mail_rule_problem(KINDS["zoho"], None, None) is None
    problem = find_mail_rule_problem(KINDS["zoho"], None, "sieve")
    assert problem is not None
    assert "attest it as mail-rule" in problem.detail


def test_a_spam_rule_needs_rules_on_headers() -> None:
    problem = find_mail_rule_problem(KINDS[OTHER], NO_HEADERS, "sieve")
    assert problem is not None
    assert problem.code == "no-header-rules"
    assert find_mail_rule_problem(KINDS[OTHER], ALL, "sieve") is None
    assert find_mail_rule_problem(KINDS[OTHER], None, "sieve") is None


@pytest.mark.parametrize(
    ("kind", "target"),
    [("exchange", "exchange-spam-rule"), ("postfix", "sieve"), ("exim", "exim-system-filter"),
     ("cpanel", "spamassassin"), ("zoho", None), (OTHER, None)],
)  # fmt: skip
def test_the_default_of_a_spam_rule(kind: str, target: str | None) -> None:
    assert default_mail_rule_target(KINDS[kind]) == target
