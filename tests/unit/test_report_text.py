"""A plan as text: what a person reads, and nothing that a terminal or a build's log obeys."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import (
    CONSOLE,
    EU,
    MX_KEY,
    NOW,
    OLD_MX,
    PRIMARY,
    TXT_KEY,
    catalog,
    document,
    domain,
    facts,
    present,
    waiver,
)
from hostile import IN_DOCUMENTS, assert_log_is_safe, assert_no_controls, hostile_document

from reconciler.document import PlanHead, build_document, load_document, render_document
from reconciler.errors import Diagnostic, Severity
from reconciler.escape import log_text, terminal_text
from reconciler.names import Name
from reconciler.plan import plan_domain
from reconciler.report.terminal import counted, render_diagnostics
from reconciler.report.text import render_text
from reconciler.state import Cause, Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.document import PlanDocument
    from reconciler.gates import Facts

_SGR = re.compile("\x1b\\[[0-9;]+m")


def _text(*given: Facts) -> str:
    return render_text(document(*given), color=False)


def _domains(count: int, organizations: int = 1) -> PlanDocument:
    """Domains that differ in their name alone."""
    base = plan_domain(facts(mx=present(MX_KEY, OLD_MX)), provider="bind", new_ttl=3600)
    plans = [
        replace(
            base,
            domain=domain(name=Name(f"d{i}.example."), written=f"d{i}.example", organization=f"o{i % organizations}"),
            steps=tuple(replace(s, id=f"d{i}.example/{s.key.type}") for s in base.steps),
        )
        for i in range(count)
    ]
    plans.sort(key=lambda p: p.domain.organization)
    head = PlanHead(
        commit=None,
        manifests_digest="m",
        catalog_digest=catalog().digest,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )
    return build_document(head, plans, [])


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_nothing_in_a_plan_is_obeyed(text: str) -> None:
    shown = render_text(hostile_document(text), color=False)
    assert_no_controls(shown)
    assert_log_is_safe(log_text(shown))
    assert terminal_text(text) in shown


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_colours_are_the_only_escapes(text: str) -> None:
    made = hostile_document(text)
    colored = render_text(made, color=True)
    assert "\x1b" in colored
    assert _SGR.sub("", colored) == render_text(made, color=False)


def test_values_before_and_after_and_foreign_ones_are_told_apart() -> None:
    text = _text(
        facts(
            domain(multi_region=True, attestations=()),
            txt=present(TXT_KEY, PRIMARY, '"foreign"'),
            mx=present(MX_KEY, OLD_MX),
        )
    )
    lines = [line.strip() for line in text.splitlines()]
    assert '+ "secondary-token"' in lines
    assert '"primary-token"' in lines
    assert '= "foreign"  (not ours, stays)' in lines
    assert "- 10 mail.acme.example." in lines
    assert "+ 0 eu.mx-pp.com." in lines


def test_a_held_step_says_why_and_what_to_do() -> None:
    text = _text(facts(domain(attestations=()), txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, OLD_MX)))
    assert "switch   MX  acme.example  held" in text
    assert re.search(r"allowlist: nobody attested .*\n +-> allow these addresses", text)
    assert "token-visible:" not in text  # it passed


def test_a_waived_gate_shows_who_waived_it() -> None:
    declared = domain(attestations=CONSOLE, waivers=(waiver("allowlist"),))
    text = _text(facts(declared, txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, OLD_MX)))
    assert "switch   MX  acme.example  ready by bind" in text
    assert "allowlist: waived by boss@acme.example until 2027-06-30 (we know) although nobody attested" in text


def test_what_is_unknown_says_why() -> None:
    text = _text(facts(txt=Unknown(Cause.TIMEOUT, "ns1 did not answer"), mx=present(MX_KEY, EU)))
    assert "unknown: not everything could be observed" in text
    assert "unknown: ns1 did not answer" in text
    assert "1 unknown. 1 domain" in text


def test_a_change_of_the_ttl_is_shown() -> None:
    text = _text(facts(domain(ttl=300), txt=present(TXT_KEY, PRIMARY, ttl=300), mx=present(MX_KEY, EU)))
    assert "TTL 3600 -> 300" in text


def test_a_domain_in_sync_is_one_line() -> None:
    text = _text(facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU)))
    assert text == "acme\n  acme.example  in sync\n\nIn sync. 1 domain, 1 in sync.\n"


def test_a_domain_without_dns_says_so() -> None:
    text = _text(facts(domain(connection="api")))
    assert "acme.example  nothing in DNS: its connection needs no MX change" in text


def test_names_are_aligned_by_the_width_that_they_take() -> None:
    """Wide characters take two columns, combining ones none."""
    in_sync = facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU))
    given = [
        replace(in_sync, desired=replace(in_sync.desired, domain=domain(written=w)))
        for w in ("日本.example", "abcd.example", "u\u0308ber.example", "a.example")
    ]
    lines = _text(*given).splitlines()[1:5]
    assert lines == [
        "  日本.example  in sync",
        "  abcd.example  in sync",
        "  u\u0308ber.example  in sync",
        "  a.example     in sync",
    ]


def test_an_organization_is_one_block() -> None:
    text = render_text(_domains(9, organizations=3), color=False)
    assert re.findall(r"^o\d$", text, re.MULTILINE) == ["o0", "o1", "o2"]
    assert text.endswith(
        "\nPlan: 9 to create, 0 to update, 0 to delete; 9 held, 0 manual, 0 unknown. 9 domains, 0 in sync.\n"
    )


def test_a_plan_without_domains_is_in_sync() -> None:
    assert render_text(document().model_copy(update={"domains": [], "has_changes": False}), color=False).endswith(
        "In sync. 0 domains, 0 in sync.\n"
    )


def test_ten_thousand_domains_are_rendered_and_read_back(tmp_path: Path) -> None:
    made = _domains(10_000, organizations=100)
    path = tmp_path / "plan.json"
    path.write_text(render_document(made), encoding="utf-8")
    assert load_document(path) == made
    text = render_text(made, color=False)
    assert text.count("\n  d") == 10_000
    assert "10000 to create" in text


def _diagnostic(**changes: object) -> Diagnostic:
    given: dict[str, object] = {
        "severity": Severity.ERROR,
        "code": "code",
        "summary": "it is wrong",
        "detail": "Mend it.",
    }
    return Diagnostic(**(given | changes))  # type: ignore[arg-type]


def test_diagnostics_come_errors_first_each_once_with_place_and_advice() -> None:
    given = [
        _diagnostic(severity=Severity.ADVISORY, file="a.yaml", line=1),
        _diagnostic(severity=Severity.WARNING, domain="acme.example"),
        _diagnostic(file="b.yaml", line=2, column=3, detail="One.\nTwo."),
        _diagnostic(file="b.yaml", line=2, column=3, detail="One.\nTwo."),
        _diagnostic(),
    ]
    assert list(render_diagnostics(given, color=False)) == [
        "error[code]: it is wrong",
        "    Mend it.",
        "b.yaml:2:3: error[code]: it is wrong",
        "    One.",
        "    Two.",
        "acme.example: warning[code]: it is wrong",
        "    Mend it.",
        "a.yaml:1: advisory[code]: it is wrong",
        "    Mend it.",
    ]


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_nothing_in_a_diagnostic_is_obeyed(text: str) -> None:
    given = _diagnostic(summary=text, detail=text, file=text, domain=text)
    lines = list(render_diagnostics([given], color=False))
    assert_log_is_safe(log_text("\n".join(lines)))


@pytest.mark.parametrize(("number", "told"), [(0, "0 domains"), (1, "1 domain"), (1234, "1,234 domains")])
def test_counts_have_their_noun_and_thousands_that_can_be_read(number: int, told: str) -> None:
    assert counted(number, "domain") == told
