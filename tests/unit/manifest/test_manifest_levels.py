"""What is written alike for several domains is judged for each of them."""

from datetime import date
from pathlib import Path

import pytest

from reconciler.catalog import load_catalog
from reconciler.errors import Diagnostic, ManifestError
from reconciler.manifest.fleet import Fleet
from reconciler.manifest.load import load_manifests

CATALOG = load_catalog()
TODAY = date(2026, 11, 21)
HEAD = """\
organization: acme
region: us
escalation_contacts: [secops@acme.example]
services:
  - name: hq
    kind: exchange
    domains:
"""
GOOD = """\
        attestations:
          - {what: console, by: ops, on: 2026-11-01, next_hops: [b.acme.example, A.acme.example]}
          - {what: verified, by: ops, on: 2026-11-02}
        waivers: [{gate: tls, owner: ops, reason: known, expires: 2027-06-30}]
"""


def manifest(*said: str) -> str:
    """A manifest with a domain for each of what is said in it."""
    domains = (
        f"      - name: d{i}.example\n        next_hops: [mail.acme.example]\n"
        f"        verification: {{primary: token-{i}}}\n{text}"
        for i, text in enumerate(said)
    )
    return HEAD + "".join(domains)


def load(tmp_path: Path, text: str) -> tuple[Fleet, list[Diagnostic]]:
    (tmp_path / "acme.yaml").write_text(text, encoding="utf-8")
    return load_manifests(tmp_path, catalog=CATALOG, today=TODAY)


def refused(tmp_path: Path, text: str) -> list[tuple[str, int]]:
    with pytest.raises(ManifestError) as caught:
        load(tmp_path, text)
    return [(d.code, d.line) for d in caught.value.diagnostics]


def test_what_is_written_alike_is_the_same(tmp_path: Path) -> None:
    first, silent, last = load(tmp_path, manifest(GOOD, "", GOOD))[0].domains
    assert (silent.attestations, silent.waivers) == ((), ())
    assert [a.next_hops for a in first.attestations] == [("a.acme.example.", "b.acme.example."), None]
    assert first.attestations == last.attestations
    assert first.waivers[0] is last.waivers[0]
    assert first.waivers[0].gate == "tls"


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("waivers: [{gate: tls, owner: o, reason: r, expires: 2026-11-20}]", "waiver-expired"),
        ("waivers: [{gate: strange, owner: o, reason: r, expires: 2027-01-01}]", "unknown-gate"),
        ("attestations: [{what: console, by: o, on: 2026-11-22}]", "attestation-future"),
        ("attestations: [{what: console, by: o, on: 2026-11-01, next_hops: [a..b]}]", "next-hop-name"),
        ("attestations: [{what: tls-check-off, by: o, on: 2026-11-01, region: us}]", "attestation-state"),
        ("ignore_drift: [{finding: strange, owner: o, reason: r, expires: 2027-01-01}]", "unknown-finding"),
    ],
)
def test_an_error_is_said_for_every_domain_that_has_it(tmp_path: Path, statement: str, code: str) -> None:
    wrong = f"        {statement}\n"
    text = manifest(wrong, GOOD, wrong)
    lines = [i for i, line in enumerate(text.splitlines(), 1) if line == wrong[:-1]]
    assert refused(tmp_path, text) == [(code, line) for line in lines]


def test_a_warning_is_said_for_every_domain_that_has_it(tmp_path: Path) -> None:
    expired = "        attestations: [{what: console, by: o, on: 2026-11-01, expires: 2026-11-02}]\n"
    _, diagnostics = load(tmp_path, manifest(expired, expired))
    assert [(d.code, d.line) for d in diagnostics] == [("attestation-expired", 11), ("attestation-expired", 15)]


def test_what_was_left_out_of_a_refused_list_hides_no_error(tmp_path: Path) -> None:
    """Something stands in for what the models refuse, and rules are silent there."""
    refused_item = "        waivers: [{gate: 1}]\n"
    wrong = "        waivers: [{gate: tls, owner: o, reason: r, expires: 2026-11-20}]\n"
    codes = [code for code, _ in refused(tmp_path, manifest(refused_item, wrong, wrong))]
    assert codes.count("waiver-expired") == 2
