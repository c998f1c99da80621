"""What becomes of everybody else at a list: as it is declared, as its export shows it, and once it is loosened."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from exchange_builders import INBOUND, export, inbound_connector
from exports_lab import ALLOWLIST_EXPORTS, declared_for, framed
from origin_lab import EU, KNOWN
from powershell_syntax import errors, parse
from targets_lab import GATEWAY, declared_list, emission_of

from reconciler.emit.allowlists import build_emission, render_target
from reconciler.targets.base import DeclaredAllowlist, Enforcement, Intent
from reconciler.targets.enforcement import hardest_enforcement, loosening_outputs, shows_enforcement, softened
from reconciler.targets.registry import ALLOWLIST_TARGETS
from reconciler.templating import Templates

if TYPE_CHECKING:
    from reconciler.targets.base import AllowlistContent

NONE, SOFT, HARD = Enforcement
RESTRICTING = sorted(t.id for t in ALLOWLIST_TARGETS.values() if Intent.RESTRICT in t.intents)
# what takes the restriction away: the emitted list itself, or what a person does as loosen.* says
BY_ITSELF = {"postfix-access", "exchange-online-inbound-connector", "google-workspace"}


def restricting(target: str, **options: str) -> DeclaredAllowlist:
    return replace(declared_for(target), intent=Intent.RESTRICT, options=tuple(sorted(options.items())))


def read(declared: DeclaredAllowlist, text: str) -> AllowlistContent:
    return ALLOWLIST_TARGETS[declared.target].read(text, declared)


@pytest.mark.parametrize("target", sorted(ALLOWLIST_TARGETS))
def test_a_list_that_only_allows_restricts_nobody(target: str) -> None:
    declared = declared_list(target)
    assert hardest_enforcement(declared) is NONE
    assert softened(declared) is None


@pytest.mark.parametrize("target", RESTRICTING)
def test_every_target_that_restricts_says_how_hard(target: str) -> None:
    declared = restricting(target)
    hardest, soft = hardest_enforcement(declared), softened(declared)
    assert hardest is not NONE
    if soft is not None:
        assert (hardest, hardest_enforcement(soft)) == (HARD, SOFT)
        assert softened(soft) is None
        assert replace(soft, options=declared.options) == declared


@pytest.mark.parametrize("target", RESTRICTING)
def test_every_target_that_restricts_can_be_loosened(target: str) -> None:
    """By what is emitted for the list, or by a file of its own that says what to remove."""
    assert bool(loosening_outputs(target)) != (target in BY_ITSELF)
    declared = restricting(target)
    emission = build_emission(("acme", "hq"), declared, EU, None, KNOWN, may_remove=False, is_loosening=True)
    assert emission.declared.intent is Intent.ALLOW
    files = render_target(ALLOWLIST_TARGETS[target], emission, Templates(None))
    assert {o.file_name for o in loosening_outputs(target)} <= files.keys()
    held = render_target(ALLOWLIST_TARGETS[target], replace(emission, is_loosening=False), Templates(None))
    assert held != files
    assert not {o.file_name for o in loosening_outputs(target)} & held.keys()


def test_a_list_of_postfix_is_softened_by_its_action() -> None:
    soft = softened(restricting("postfix-access", action="reject"))
    assert soft is not None
    assert soft.options == (("action", "defer"),)
    assert softened(restricting("postfix-access", action="defer")) is None


@pytest.mark.parametrize("target", sorted(set(RESTRICTING) & ALLOWLIST_EXPORTS.keys()))
@pytest.mark.parametrize("intent", Intent)
def test_open_is_what_enforces_nothing(target: str, intent: Intent) -> None:
    declared = replace(declared_for(target), intent=intent)
    for text in ALLOWLIST_EXPORTS[target]:
        content = read(declared, text)
        assert content.is_open == (content.enforcement is NONE)
        assert content.refusal in {content.enforcement, hardest_enforcement(restricting(target))}


@pytest.mark.parametrize("target", sorted(set(RESTRICTING) - {"google-workspace"}))
def test_what_no_export_shows_is_presumed(target: str) -> None:
    """Of a list whose rule stands elsewhere: where it is to keep others out and has entries, it does so."""
    (text, *_) = ALLOWLIST_EXPORTS[target]
    if not shows_enforcement(target) or target in {"csf", "ipset", "nftables"}:
        assert read(restricting(target), text).enforcement is hardest_enforcement(restricting(target))
        assert read(replace(declared_for(target), intent=Intent.ALLOW), text).enforcement is NONE


ENDS = "0.0.0.0/0 %s\n::/0 %s\n"


@pytest.mark.parametrize(
    ("table", "enforcement", "refusal"),
    [
        ("", NONE, NONE),
        (ENDS % ("REJECT go away", "reject"), HARD, HARD),
        (ENDS % ("DEFER", "450 4.7.1 later"), SOFT, SOFT),
        (ENDS % ("defer_if_permit x", "421 x"), SOFT, SOFT),
        (ENDS % ("REJECT", "DEFER"), HARD, HARD),
        (ENDS % ("DEFER", "554 5.7.1 no"), HARD, HARD),
        (ENDS % ("DISCARD", "DISCARD"), HARD, HARD),
        (ENDS % ("reject_unverified_sender", "greylisting"), HARD, HARD),
        (ENDS % ("WARN", "HOLD"), NONE, NONE),
        (ENDS % ("DEFER_IF_REJECT", "DEFER_IF_REJECT"), NONE, NONE),
        ("0.0.0.0/0 REJECT\n", NONE, HARD),
        ("::/0 450 x\n", NONE, SOFT),
        ("0.0.0.0/1 REJECT\n128.0.0.0/1 DEFER\n::/0 DEFER\n", HARD, HARD),
        ("198.51.100.0/24 REJECT\n2001:db8::/32 REJECT\n" + ENDS % ("DEFER", "DEFER"), SOFT, SOFT),
        ("0.0.0.0/0 DEFER\n::/0 DEFER\n" + ENDS % ("REJECT", "REJECT"), SOFT, SOFT),
        ("0.0.0.0/0 WARN\n" + ENDS % ("REJECT", "REJECT"), NONE, HARD),
        ("0.0.0.0/0 OK\n::/0 OK\n" + ENDS % ("REJECT", "REJECT"), NONE, NONE),
    ],
)
def test_postfix_tells_a_deferral_from_a_refusal(table: str, enforcement: Enforcement, refusal: Enforcement) -> None:
    content = read(restricting("postfix-access"), f"192.0.2.7 OK\n{table}")
    assert (content.enforcement, content.refusal) == (enforcement, refusal)
    assert content.is_open == (enforcement is NONE)


def test_a_table_of_postfix_without_the_gateway_refuses_all_the_same() -> None:
    content = read(restricting("postfix-access"), ENDS % ("REJECT", "REJECT"))
    assert (content.enforcement, content.refusal) == (NONE, HARD)


@pytest.mark.parametrize(
    ("settings", "result", "refusal"),
    [
        ("soft_bounce = yes", "REJECT", SOFT),
        ("soft_bounce = yes", "554 no", SOFT),
        ("soft_bounce = yes", "DISCARD", HARD),
        ("soft_bounce = no", "REJECT", HARD),
        ("access_map_reject_code = 450", "REJECT", SOFT),
        ("access_map_reject_code = 450", "554 no", HARD),
        ("access_map_reject_code = 550", "REJECT", HARD),
    ],
)
def test_settings_of_postfix_can_make_a_refusal_soft(settings: str, result: str, refusal: Enforcement) -> None:
    text = framed("postfix-access", table="192.0.2.7 OK\n" + ENDS % (result, result), postconf=settings)
    assert read(restricting("postfix-access"), text).enforcement is refusal


@pytest.mark.parametrize("action", ["reject", "defer"])
def test_a_restricted_table_is_emitted_loosened(action: str) -> None:
    """The same list, read as the manifest still declares it: nobody is refused by what was emitted."""
    declared = restricting("postfix-access", action=action)
    target = ALLOWLIST_TARGETS["postfix-access"]
    text = render_target(target, emission_of(declared), Templates(None))["gateway_access.cidr"]
    content = read(declared, text)
    assert content.enforcement is {"reject": HARD, "defer": SOFT}[action]
    loosened = build_emission(("acme", "hq"), declared, GATEWAY, content, KNOWN, may_remove=False, is_loosening=True)
    content = read(declared, render_target(target, loosened, Templates(None))["gateway_access.cidr"])
    assert (content.enforcement, content.refusal) == (NONE, NONE)
    assert {e.written for e in content.entries} == set(GATEWAY)


CSF = "[/etc/csf/csf.allow]\n| tcp|in|d=25|s=192.0.2.7\n[csf.conf]\n%send\n"


@pytest.mark.parametrize(
    ("settings", "enforcement", "refusal"),
    [
        ('TCP_IN = "22,80"\nTCP6_IN = "22"\n', SOFT, SOFT),
        ('TCP_IN = "22,20:30"\nTCP6_IN = "25"\n', NONE, NONE),
        ('TCP_IN = "25"\nTCP6_IN = "22"\n', NONE, SOFT),
        ('CONNLIMIT = ""\n', SOFT, SOFT),
    ],
)
def test_csf_refuses_what_its_settings_do_not_open(
    settings: str, enforcement: Enforcement, refusal: Enforcement
) -> None:
    marked = "".join(f"| {line}\n" for line in settings.splitlines())
    content = read(restricting("csf"), f"reconciler-export 1 csf 2026-11-21T11:00:00Z\n{CSF % marked}")
    assert (content.enforcement, content.refusal) == (enforcement, refusal)


@pytest.mark.parametrize(
    ("connector", "enforcement", "refusal"),
    [
        (inbound_connector(RestrictDomainsToIPAddresses=True), HARD, HARD),
        (inbound_connector(RestrictDomainsToIPAddresses=True, SenderDomains=["smtp:a.example;1"]), NONE, HARD),
        (inbound_connector(RestrictDomainsToIPAddresses=True, Enabled=False), NONE, NONE),
        (inbound_connector(), NONE, NONE),
    ],
)
def test_an_inbound_connector_refuses_for_good(
    connector: dict[str, object], enforcement: Enforcement, refusal: Enforcement
) -> None:
    declared = declared_list(INBOUND, "Gateway", intent="restrict")
    content = read(declared, export(INBOUND, connector))
    assert (content.enforcement, content.refusal) == (enforcement, refusal)


def test_an_inbound_connector_is_loosened_without_a_word_more() -> None:
    """The switch that keeps a stranger's lockdown is not there where the manifest's own is to be taken away."""
    declared = declared_list(INBOUND, "Gateway", intent="restrict")
    emission = build_emission(("acme", "hq"), declared, EU, None, KNOWN, may_remove=False, is_loosening=True)
    script = render_target(ALLOWLIST_TARGETS[INBOUND], emission, Templates(None))["inbound-connector.ps1"]
    assert "Loosen" not in script
    assert "RestrictDomainsToIPAddresses = $false" in script
    assert "RestrictDomainsToIPAddresses = $true" not in script
    assert errors(parse(script)) == []


def test_the_documented_table_says_the_same() -> None:
    """Every target has its row, in the order of the other table, with the words of the code."""
    page = (Path(__file__).parents[2] / "docs" / "targets" / "README.md").read_text()
    section = page.split("## What becomes of everybody else")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| `")
    ][1:]
    assert [row[0].strip("`") for row in rows] == list(ALLOWLIST_TARGETS)
    for target, hardness, soft_first, shown, how in ((row[0].strip("`"), *row[1:]) for row in rows):
        if target not in RESTRICTING:
            assert (hardness, soft_first, shown, how) == ("-", "", "", "")
            continue
        declared = restricting(target)
        assert hardness.startswith(hardest_enforcement(declared).value)
        assert soft_first.startswith("yes") == (softened(declared) is not None)
        assert shown.startswith("no") != shows_enforcement(target)
        assert {o.file_name for o in loosening_outputs(target)} == set(re.findall(r"loosen\.\w+", how))
