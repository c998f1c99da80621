"""Errors of the settings hide none of the manifests, and one kind of errors hides none of another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import SETTINGS, Command, manifest

import reconciler

if TYPE_CHECKING:
    from command import Ran

_REGION = "region: eu"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in its folder."""
    return Command(tmp_path, monkeypatch, capsys)


def _settings(more: str) -> None:
    Path("reconciler.yaml").write_text(SETTINGS + more)


def _manifest(old: str, new: str) -> None:
    Path("manifests/acme.yaml").write_text(manifest("acme.example", "done.example").replace(old, new, 1))


def _said(ran: Ran) -> list[str]:
    assert (ran.code, ran.out) == (1, "")
    return [line.partition("]")[0] + "]" for line in ran.err.splitlines() if "error[" in line]


@pytest.mark.parametrize("verb", ["validate", "plan", "drift", "emit instructions --out out", "check acme.example"])
def test_an_error_of_the_settings_hides_none_of_the_manifests(run: Command, verb: str) -> None:
    _settings("new_rrset_ttl: 1\n")
    _manifest("mail.acme.example", "192.0.2.25")
    assert _said(run(*verb.split())) == [
        "manifests/acme.yaml:14:21: error[next-hop-address]",
        "reconciler.yaml:4:16: error[wrong-value]",
    ]


def test_what_another_catalog_may_say_is_not_judged_by_the_shipped_one(run: Command) -> None:
    _settings("new_rrset_ttl: 1\ncatalog: [own.yaml]\n")
    Path("manifests/acme.yaml").write_text(
        manifest("acme.example").replace(_REGION, "region: mars").replace("mail.acme.example", "192.0.2.25")
    )
    assert _said(run("validate"))[0] == "manifests/acme.yaml:14:21: error[next-hop-address]"
    assert "mars" not in run("validate").err


def test_errors_of_every_kind_in_the_settings_are_told_together(run: Command) -> None:
    freeze = "freeze:\n  - {from: 2027-01-04, until: 2026-12-18, reason: x}\n"
    _settings(f"{freeze}catalog: nope.yaml\nlimits: {{switches_per_run: -1}}\n")
    Path("reconciler.yaml").write_text(Path("reconciler.yaml").read_text().replace("provider: files", "provider: nix"))
    expected = [
        "nope.yaml: error[catalog-unreadable]",
        "reconciler.yaml:2:1: error[default-provider]",
        "reconciler.yaml:5:24: error[freeze]",
        "reconciler.yaml:7:28: error[wrong-value]",
    ]
    _manifest(_REGION, "region: mars")  # which the catalog that cannot be read may have
    assert _said(run("validate")) == expected
    assert _said(run("import", "new.example", "--organization", "new")) == expected


def test_what_depends_on_a_value_that_is_wrong_is_not_judged(run: Command) -> None:
    """Whether `files` is a provider nobody knows where the providers cannot be read."""
    Path("reconciler.yaml").write_text("default_provider: files\nproviders: [files]\ncatalog: [a]\n")
    assert _said(run("validate")) == [
        "reconciler.yaml:2:12: error[wrong-type]",
        "reconciler.yaml:3:10: error[wrong-type]",
    ]


def test_manifests_are_judged_by_the_catalog_that_settings_with_errors_name(run: Command) -> None:
    shipped = (Path(reconciler.__file__).parent / "catalog" / "catalog.yaml").read_text(encoding="utf-8")
    Path("own.yaml").write_text(shipped)
    _settings("new_rrset_ttl: 1\ncatalog: own.yaml\n")
    _manifest(_REGION, "region: mars")
    assert _said(run("validate")) == [
        "manifests/acme.yaml:2:9: error[region]",
        "reconciler.yaml:4:16: error[wrong-value]",
    ]


def test_without_the_settings_that_were_named_nobody_knows_the_catalog(run: Command) -> None:
    _manifest(_REGION, "region: mars")
    assert _said(run("--settings", "gone.yaml", "validate")) == ["gone.yaml: error[settings-missing]"]
    _manifest("mail.acme.example", "192.0.2.25")
    assert len(_said(run("--settings", "gone.yaml", "validate", "manifests/acme.yaml"))) == 2


def test_good_manifests_and_missing_ones_add_nothing_to_an_error_of_the_settings(run: Command) -> None:
    _settings("new_rrset_ttl: 1\n")
    assert _said(run("validate")) == ["reconciler.yaml:4:16: error[wrong-value]"]
    Path("manifests").rename("elsewhere")
    assert _said(run("check", "acme.example")) == ["reconciler.yaml:4:16: error[wrong-value]"]


def test_a_verb_that_reads_no_manifests_tells_nothing_of_them(run: Command) -> None:
    _settings("new_rrset_ttl: 1\n")
    _manifest("mail.acme.example", "192.0.2.25")
    assert _said(run("import", "new.example", "--organization", "new")) == ["reconciler.yaml:4:16: error[wrong-value]"]


def test_an_unknown_provider_is_told_at_its_key_and_with_everything_else(run: Command) -> None:
    _manifest('verification: {primary: "token-of-acme.example"}', "provider: fils\n        verification: {}")
    ran = run("validate")
    assert _said(ran) == [
        "manifests/acme.yaml:15:19: error[unknown-provider]",
        "manifests/acme.yaml:16:9: error[no-primary-token]",
    ]
    assert "Did you mean `files`? Write one of: files, manual." in ran.err
    assert "`providers:`" in ran.err


def test_a_provider_of_many_is_told_once(run: Command) -> None:
    _manifest(_REGION, "provider: nosuch\nregion: eu")
    assert _said(run("plan")) == ["manifests/acme.yaml:2:11: error[unknown-provider]"]


def test_the_providers_of_settings_with_errors_are_not_known(run: Command) -> None:
    _settings("new_rrset_ttl: 1\n")
    _manifest(_REGION, "provider: nosuch\nregion: eu")
    assert _said(run("validate")) == ["reconciler.yaml:4:16: error[wrong-value]"]
