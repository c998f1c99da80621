"""Emitting into somebody's octoDNS repository: where the records go, and what is refused."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

import pytest
from octodns.yaml import safe_load
from octodns_builders import ACME, MX, config, contents, domain, leaving, refusal, repository

from reconciler.emit.octodns import DomainRRsets, emit_octodns
from reconciler.errors import EmitError
from reconciler.names import Name
from reconciler.state import Key, Rdata, build_rrset

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("config_path", "options"),
    [("config.yaml", {}), ("config/production.yaml", {}), ("config.yaml", {"default_ttl": 300})],
)
def test_a_plain_zone_file_is_found(tmp_path: Path, config_path: str, options: dict[str, Any]) -> None:
    root = repository(tmp_path, {config_path: config(**options), "zones/acme.example.yaml": ACME})
    report = emit_octodns([domain("acme.example")], root)
    assert (report.written, report.changed) == ((), ("zones/acme.example.yaml",))
    zone = safe_load((root / "zones/acme.example.yaml").read_text())
    assert zone[""].get("ttl") == (None if options else 300)


def test_a_zone_file_without_a_configuration_is_found(tmp_path: Path) -> None:
    root = repository(tmp_path, {"dns/acme.example.yaml": ACME})
    assert emit_octodns([domain("acme.example")], root).changed == ("dns/acme.example.yaml",)
    repository(tmp_path, {"old/acme.example.yaml": ACME})
    assert "several places" in refusal(emit_octodns([domain("acme.example")], root))


def test_a_dynamic_zone_is_found(tmp_path: Path) -> None:
    zones = "  '*': {glob: '*.example.', sources: [config], targets: []}\n"
    root = repository(tmp_path, {"config.yaml": config(zones), "zones/acme.example.yaml": ACME})
    assert emit_octodns([domain("acme.example")], root).changed == ("zones/acme.example.yaml",)
    assert "no configuration" in refusal(emit_octodns([domain("acme.test")], root))


def test_an_internationalised_zone_is_found_under_its_own_spelling(tmp_path: Path) -> None:
    zones = "  zürich.example.: {sources: [config], targets: []}\n"
    root = repository(tmp_path, {"config.yaml": config(zones), "zones/zürich.example.yaml": ACME})
    assert emit_octodns([domain("zürich.example")], root).changed == ("zones/zürich.example.yaml",)


def test_split_zones_keep_a_file_for_each_name(tmp_path: Path) -> None:
    apex = "---\n'':\n  type: A\n  value: 192.0.2.1\n"
    files = {
        "config.yaml": config(split_extension="."),
        "zones/acme.example./$acme.example.yaml": apex,
        "zones/acme.example./www.yaml": ACME,
    }
    report = emit_octodns([domain("acme.example")], repository(tmp_path, files))
    assert report.written == ("zones/acme.example./_amazonses.yaml",)
    assert report.changed == ("zones/acme.example./$acme.example.yaml",)
    assert report.unchanged == ("zones/acme.example./www.yaml",)
    written = (tmp_path / "zones/acme.example./_amazonses.yaml").read_text()
    assert written == "---\n_amazonses:\n  type: TXT\n  values:\n  - 'new-token=='\n  - 'other-vendor=='\n"


def test_a_split_zone_with_a_record_in_two_files_is_refused(tmp_path: Path) -> None:
    record = "---\n_amazonses:\n  type: TXT\n  value: old-token==\n"
    files = {"zones/acme.example./a.yaml": record, "zones/acme.example./b.yaml": record}
    repository(tmp_path, {"config.yaml": config(split_extension="."), **files})
    assert "several files" in refusal(emit_octodns([domain("acme.example")], tmp_path))


def test_a_record_in_the_shared_file_is_refused(tmp_path: Path) -> None:
    shared = "---\n_amazonses:\n  type: TXT\n  value: old-token==\n"
    files = {"config.yaml": config(shared_filename="all.yaml"), "zones/all.yaml": shared}
    repository(tmp_path, {**files, "zones/acme.example.yaml": ACME})
    assert "every zone" in refusal(emit_octodns([domain("acme.example")], tmp_path))


def test_two_providers_with_the_zone_are_refused(tmp_path: Path) -> None:
    both = config("  acme.example.: {sources: [config, other], targets: []}\n").replace(
        "zones:\n",
        "  other:\n    class: octodns.provider.yaml.YamlProvider\n    directory: ./other\nzones:\n",
    )
    repository(tmp_path, {"config.yaml": both, "zones/acme.example.yaml": ACME, "other/acme.example.yaml": ACME})
    assert "several places" in refusal(emit_octodns([domain("acme.example")], tmp_path))


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"config.yaml": config()}, "no YAML file"),
        ({"config.yaml": config("  other.example.: {sources: [config], targets: []}\n")}, "lists acme.example."),
        ({"config.yaml": config("  acme.example.: {alias: other.example.}\n")}, "alias"),
        ({"config.yaml": config().replace("./zones", "env/ZONES")}, "directory"),
        ({"config.yaml": config(default_ttl="env/TTL"), "zones/acme.example.yaml": ACME}, "default_ttl"),
        ({"config.yaml": config("  '*': {regex: '(', sources: [config], targets: []}\n")}, "regex"),
        ({"config.yaml": config(order_mode="odd"), "zones/acme.example.yaml": ACME}, "order_mode"),
        ({"config.yaml": config("  acme.example.:\n")}, "no settings"),
        ({"config.yaml": config(), "zones/acme.example.yaml": "a: [\n"}, "cannot load"),
    ],
)
def test_a_zone_that_cannot_be_edited_is_refused(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    repository(tmp_path, files)
    before = contents(tmp_path)
    assert reason in refusal(emit_octodns([domain("acme.example")], tmp_path))
    assert contents(tmp_path) == before


def test_a_refused_zone_does_not_stop_the_others(tmp_path: Path) -> None:
    zones = "".join(f"  {name}.example.: {{sources: [config], targets: []}}\n" for name in ("acme", "beta"))
    files = {"config.yaml": config(zones), "zones/acme.example.yaml": "b: *x\n", "zones/beta.example.yaml": ACME}
    report = emit_octodns([domain("acme.example"), domain("beta.example")], repository(tmp_path, files))
    assert [(d.domain, d.line) for d in report.refused] == [("acme.example.", 1)]
    assert report.changed == ("zones/beta.example.yaml",)


def test_two_domains_that_want_one_name_are_refused(tmp_path: Path) -> None:
    assert "two ways" in refusal(emit_octodns([domain("acme.example"), domain("acme.example", foreign=())], tmp_path))


def test_a_symlink_that_leads_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(ACME)
    root = repository(tmp_path / "out", {"config.yaml": config(), "zones/keep": ""})
    (root / "zones/acme.example.yaml").symlink_to(tmp_path / "outside.yaml")
    assert "outside" in refusal(emit_octodns([domain("acme.example")], root))
    assert (tmp_path / "outside.yaml").read_text() == ACME


def test_a_directory_outside_is_refused(tmp_path: Path) -> None:
    repository(tmp_path, {"zones/acme.example.yaml": ACME})
    root = repository(tmp_path / "out", {"config.yaml": config().replace("./zones", "../zones")})
    assert "outside" in refusal(emit_octodns([domain("acme.example")], root))


def test_a_symlink_inside_stays_a_symlink(tmp_path: Path) -> None:
    root = repository(tmp_path, {"config.yaml": config(), "real/acme.yaml": ACME, "zones/keep": ""})
    (root / "zones/acme.example.yaml").symlink_to("../real/acme.yaml")
    assert emit_octodns([domain("acme.example")], root).changed == ("real/acme.yaml",)
    assert (root / "zones/acme.example.yaml").is_symlink()


def test_the_mode_of_an_edited_file_stays(tmp_path: Path) -> None:
    root = repository(tmp_path, {"config.yaml": config(), "zones/acme.example.yaml": ACME})
    (root / "zones/acme.example.yaml").chmod(0o640)
    emit_octodns([domain("acme.example")], root)
    assert (root / "zones/acme.example.yaml").stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in (root / "zones").iterdir()) == ["acme.example.yaml"]


def test_a_file_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """A limit on file sizes stands in for a full disk: the write itself fails, half-way."""
    root = repository(tmp_path, {"config.yaml": config(), "zones/acme.example.yaml": ACME})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        with pytest.raises(EmitError, match="cannot be written"):
            emit_octodns([domain("acme.example")], root)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (root / "zones/acme.example.yaml").read_text() == ACME
    assert [p.name for p in (root / "zones").iterdir()] == ["acme.example.yaml"]


def test_an_observed_foreign_value_that_the_file_lacks_is_told(tmp_path: Path) -> None:
    zone = "---\n_amazonses:\n  type: TXT\n  value: old-token==\n"
    root = repository(tmp_path, {"config.yaml": config(), "zones/acme.example.yaml": zone})
    report = emit_octodns([domain("acme.example")], root)
    assert [w.code for w in report.warnings] == ["emit-not-in-file"]
    assert "other-vendor" not in (root / "zones/acme.example.yaml").read_text()


def test_leaving_removes_our_value_from_somebodys_file(tmp_path: Path) -> None:
    zone = "---\n_amazonses:\n  type: TXT\n  values:\n  - new-token==\n  - other-vendor==\n"
    root = repository(tmp_path, {"config.yaml": config(), "zones/acme.example.yaml": zone})
    assert not emit_octodns([leaving("acme.example")], root).warnings
    assert (root / "zones/acme.example.yaml").read_text() == zone.replace("  - new-token==\n", "")


def test_the_split_provider_of_old_is_found(tmp_path: Path) -> None:
    old = config().replace("YamlProvider", "SplitYamlProvider")
    repository(tmp_path, {"config.yaml": old, "zones/acme.example./www.yaml": ACME, "zones/acme.example.yaml": ACME})
    report = emit_octodns([domain("acme.example")], tmp_path)
    assert report.written == ("zones/acme.example./$acme.example.yaml", "zones/acme.example./_amazonses.yaml")


def test_one_zone_in_two_spellings_is_refused(tmp_path: Path) -> None:
    zones = "  zürich.example.: {sources: [config], targets: []}\n"
    files = {"zones/zürich.example.yaml": ACME, "zones/xn--zrich-kva.example.yaml": ACME}
    repository(tmp_path, {"config.yaml": config(zones), **files})
    assert "exist" in refusal(emit_octodns([domain("zürich.example")], tmp_path))


def test_octets_outside_utf_8_in_a_zone_file_are_refused(tmp_path: Path) -> None:
    repository(tmp_path, {"config.yaml": config(), "zones/acme.example.yaml": ACME})
    (tmp_path / "zones/acme.example.yaml").write_bytes(b"# \xff\n")
    assert "cannot be read" in refusal(emit_octodns([domain("acme.example")], tmp_path))


def test_a_wanted_mx_that_is_shared_keeps_what_the_file_has(tmp_path: Path) -> None:
    """An MX rrset with observed foreign values is not exclusive: ours joins what somebody's file holds."""
    zone = "---\n'':\n  type: MX\n  value: {exchange: mail.acme.example., preference: 10}\n"
    root = repository(tmp_path, {"config.yaml": config(), "zones/acme.example.yaml": zone})
    key, apex = Key(Name("acme.example."), "MX"), Name("acme.example.")
    both = build_rrset(key, 300, (MX, Rdata("10 mail.acme.example.")))
    emit_octodns([DomainRRsets(apex, apex, (both,), {key: frozenset({MX})})], root)
    values = safe_load((root / "zones/acme.example.yaml").read_text())[""]["values"]
    assert [value["exchange"] for value in values] == ["mail.acme.example.", "eu.mx-pp.com."]
