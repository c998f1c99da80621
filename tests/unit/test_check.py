"""`check`: what would lose mail if a domain's MX moved to the gateway now, for any domain, declared or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command import HEAD, OLD, Command

if TYPE_CHECKING:
    from pathlib import Path

EU_HOST, EU_MULTI_HOST = "inbound-smtp.eu-west-1.amazonaws.com.", "eu.mx-pp.com."


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in its folder."""
    return Command(tmp_path, monkeypatch, capsys)


def _zone(run: Command, name: str, *records: str) -> None:
    (run.zone.parent / f"{name}.zone").write_text(HEAD + "".join(f"{r}\n" for r in records))


def test_a_domain_that_nobody_declared_is_checked_against_where_its_mail_goes_now(run: Command) -> None:
    _zone(run, "new.example", "@ MX 10 mx.new.example.", "mx A 192.0.2.7")
    ran = run("check", "new.example")
    assert (ran.code, ran.err) == (3, "")
    assert "new.example  as for the region us" in ran.out
    assert "pass    next-hop: mx.new.example resolves" in ran.out
    assert "unknown tls: whether mx.new.example offers STARTTLS is not known" in ran.out
    assert "1 domain, 1 with something to mend first." in ran.out


def test_what_only_a_manifest_tells_is_not_told_of_a_domain_without_one(run: Command) -> None:
    """Nobody named its verification values, and nobody can have attested anything."""
    _zone(run, "new.example", f"@ MX 0 {EU_MULTI_HOST}", "_amazonses TXT one", "_amazonses TXT two")
    out = run("check", "new.example", "--region", "eu").out
    assert "as for the region eu\n" in out
    assert "token-" not in out
    assert "retired-value-unnamed" not in out
    assert "verified" not in out
    assert "console:" not in out


@pytest.mark.parametrize(
    ("mx", "options", "said"),
    [
        (EU_HOST, (), "region eu\n"),
        (EU_MULTI_HOST, (), "region eu with multi-region\n"),
        (EU_HOST, ("--region", "us"), "region us\n"),
        ("mx.other.example.", ("--region", "au", "--multi-region"), "region au with multi-region\n"),
        ("mx.other.example.", ("--multi-region",), "region us with multi-region\n"),
    ],
)
def test_the_region_is_the_one_that_was_named_or_that_its_mx_shows(
    run: Command, mx: str, options: tuple[str, ...], said: str
) -> None:
    _zone(run, "new.example", f"@ MX 0 {mx}")
    assert said in run("check", "new.example", *options).out


def test_a_domain_behind_the_gateway_has_no_next_hop_to_look_at(run: Command) -> None:
    """Where the gateway delivers only its console shows."""
    _zone(run, "new.example", f"@ MX 0 {EU_HOST}")
    out = run("check", "new.example").out
    assert not [gate for gate in ("loop:", "next-hop:", "tls:") if f" {gate}" in out]
    assert "mx-target:" in out


def test_a_declared_domain_is_checked_as_it_is_declared(run: Command) -> None:
    run.zone.write_text(f'{HEAD}{OLD}_amazonses TXT "token-of-acme.example"\n')
    ran = run("check", "ACME.example.", "done.example")
    assert "pass    tls: mail.acme.example: STARTTLS attested by ops@acme.example" in ran.out
    assert "advisory[origin-spf]" in ran.out
    assert "2 domains, 0 with something to mend first." in ran.out
    assert ran.code == 0


def test_no_manifests_are_needed(run: Command) -> None:
    (run.zone.parent.parent / "manifests").rename(run.zone.parent.parent / "elsewhere")
    ran = run("check", "acme.example")
    assert (ran.code, ran.err) == (3, "")
    assert "acme.example  as for the region us" in ran.out


def test_an_error_is_an_error(run: Command) -> None:
    _zone(run, "new.example", "@ MX 10 mx.new.example.", "mx A 99.81.216.78")
    ran = run("check", "new.example")
    assert ran.code == 1
    assert "error[loop]" in ran.out


def test_a_domain_that_cannot_be_seen_is_not_fine(run: Command) -> None:
    assert run("check", "unknown.example").code != 0


def test_a_domain_whose_mail_is_read_by_api_is_not_asked_for(run: Command) -> None:
    manifest = run.zone.parent.parent / "manifests" / "acme.yaml"
    text = manifest.read_text().replace("kind: exchange", "kind: microsoft-365\n    connection: api")
    manifest.write_text(text)
    ran = run("check", "done.example")
    assert (ran.code, ran.err) == (0, "")


def test_everything_that_is_wrong_with_what_was_asked_is_said_at_once(run: Command) -> None:
    ran = run("check", "x" * 70, "a..b", "--region", "mars")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("error[domain-name]") == 2
    assert "mars" in ran.err
