"""Emitting into empty folders and into octoDNS repositories: where the records go, and what is refused."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

import pytest
from octodns.yaml import safe_load

from reconciler.emit.octodns import DomainRRsets, EmitReport, emit_octodns
from reconciler.errors import EmitError
from reconciler.names import Name, canonical_name
from reconciler.state import Key, Rdata, build_rrset, mx_rdata, txt_rdata

if TYPE_CHECKING:
    from pathlib import Path

OURS, OLD, FOREIGN = txt_rdata("new-token=="), txt_rdata("old-token=="), txt_rdata("other-vendor==")
MX = mx_rdata(0, Name("eu.mx-pp.com."))


def domain(name: str, *, zone: str | None = None, foreign: tuple[Rdata, ...] = (FOREIGN,)) -> DomainRRsets:
    """A domain with its MX and its token beside foreign values."""
    absolute = canonical_name(name)
    mx, txt = Key(absolute, "MX"), Key(Name(f"_amazonses.{absolute}"), "TXT")
    rrsets = (build_rrset(mx, 300, (MX,)), build_rrset(txt, 3600, (OURS, *foreign)))
    owned = {mx: frozenset({MX}), txt: frozenset({OURS, OLD})}
    return DomainRRsets(absolute, canonical_name(zone or name), rrsets, owned)


def leaving(name: str) -> DomainRRsets:
    """A domain that shall have nothing of ours."""
    absolute = canonical_name(name)
    return DomainRRsets(absolute, absolute, (), {Key(Name(f"_amazonses.{absolute}"), "TXT"): frozenset({OURS})})


def repository(root: Path, files: dict[str, str]) -> Path:
    """A folder with files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return root


def config(zones: str = "  acme.example.: {sources: [config], targets: []}\n", **options: object) -> str:
    extra = "".join(f"    {key}: {value}\n" for key, value in options.items())
    block = "    class: octodns.provider.yaml.YamlProvider\n    directory: ./zones\n"
    return f"providers:\n  config:\n{block}{extra}zones:\n{zones}"


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def refusal(report: EmitReport) -> str:
    assert report.written + report.changed == ()
    return report.refused[0].summary


ACME = "---\nwww:\n  type: A\n  value: 192.0.2.1\n"


def test_an_empty_folder_becomes_a_repository(tmp_path: Path) -> None:
    out = tmp_path / "not" / "yet"
    report = emit_octodns([domain("acme.example"), domain("sub.acme.example", zone="acme.example")], out)
    assert report.written == ("README.md", "config.yaml", "requirements.txt", "zones/acme.example.yaml")
    assert not report.refused
    zone = safe_load((out / "zones/acme.example.yaml").read_text())
    assert list(zone) == ["", "_amazonses", "_amazonses.sub", "sub"]
    assert zone["_amazonses"] == {"ttl": 3600, "type": "TXT", "values": ["new-token==", "other-vendor=="]}
    assert zone["sub"] == {"ttl": 300, "type": "MX", "value": {"exchange": "eu.mx-pp.com.", "preference": 0}}
    settings = safe_load((out / "config.yaml").read_text(), enforce_order=False)
    assert settings["zones"]["acme.example."]["sources"] == ["live", "reconciler"]
    assert settings["providers"]["reconciler"]["populate_should_replace"] is True


def test_a_second_emission_writes_nothing(tmp_path: Path) -> None:
    emit_octodns([domain("acme.example")], tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    report = emit_octodns([domain("acme.example")], tmp_path)
    assert report == EmitReport((), (), ("zones/acme.example.yaml",), (), ())
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


def test_a_later_domain_joins_an_emitted_repository(tmp_path: Path) -> None:
    block = {"class": "octodns_bind.Rfc2136Provider", "host": "192.0.2.53"}
    emit_octodns([domain("acme.example")], tmp_path, provider=("bind", block))
    report = emit_octodns([domain("acme.example"), domain("beta.example")], tmp_path)
    assert (report.written, report.changed) == (("zones/beta.example.yaml",), ("config.yaml",))
    zones = safe_load((tmp_path / "config.yaml").read_text(), enforce_order=False)["zones"]
    assert zones["beta.example."] == zones["acme.example."]
    assert zones["beta.example."]["targets"] == ["bind"]


def test_an_emitted_file_follows_the_observed_foreign_values(tmp_path: Path) -> None:
    """What the program wrote itself is no person's truth: a foreign value that left DNS leaves the file."""
    emit_octodns([domain("acme.example")], tmp_path)
    emit_octodns([domain("acme.example", foreign=(txt_rdata("newcomer"),))], tmp_path)
    zone = safe_load((tmp_path / "zones/acme.example.yaml").read_text())
    assert sorted(zone["_amazonses"]["values"]) == ["new-token==", "newcomer"]


def test_an_emission_that_was_killed_is_finished(tmp_path: Path) -> None:
    emit_octodns([domain("acme.example")], tmp_path)
    (tmp_path / "config.yaml").unlink()
    assert emit_octodns([domain("acme.example")], tmp_path).written == ("config.yaml",)


def test_secrets_are_never_written(tmp_path: Path) -> None:
    block: dict[str, Any] = {
        "class": "octodns_powerdns.PowerDnsProvider",
        "host": "192.0.2.53",
        "api_key": "hunter2/abc==",
        "nested": {"key_secret": "hunter2", "token": "env/TOKEN", "others": [{"password": "hunter2"}]},
    }
    report = emit_octodns([domain("acme.example")], tmp_path, provider=("pdns", block))
    assert not any(b"hunter2" in text for text in contents(tmp_path).values())
    live = safe_load((tmp_path / "config.yaml").read_text(), enforce_order=False)["providers"]["pdns"]
    assert live["api_key"] == "env/PDNS_API_KEY"
    assert "env/TOKEN" in live["nested"].values()
    assert len(report.warnings) == 3
    assert "octodns-powerdns" in (tmp_path / "requirements.txt").read_text()


def test_a_removal_cannot_be_said_in_an_emitted_repository(tmp_path: Path) -> None:
    report = emit_octodns([domain("acme.example"), leaving("beta.example")], tmp_path)
    assert [w.code for w in report.warnings] == ["emit-no-removal"]
    assert "beta.example" not in (tmp_path / "config.yaml").read_text()


@pytest.mark.parametrize(
    "rdata",
    [
        '"back\\\\slash"',
        '"trailing\\\\"',
        '"\\255"',
        '"one" "two"',
        '"\\"quoted\\""',
        '"a\\" \\"b"',
        '"line\\010break"',
        f'"{"x" * 254};"',
    ],
)
def test_what_octodns_cannot_carry_refuses_its_zone_alone(tmp_path: Path, rdata: str) -> None:
    report = emit_octodns([domain("acme.example", foreign=(Rdata(rdata),)), domain("beta.example")], tmp_path)
    assert [d.domain for d in report.refused] == ["acme.example."]
    assert "byte for byte" in report.refused[0].summary
    assert "zones/beta.example.yaml" in report.written
    assert not (tmp_path / "zones/acme.example.yaml").exists()


@pytest.mark.parametrize("rdata", ['"v=x; y"', '""', '"it\'s"', '"tab\\009bed"', f'"{"x" * 255}" "y"', '"del\\127"'])
def test_what_octodns_carries_is_written(tmp_path: Path, rdata: str) -> None:
    report = emit_octodns([domain("acme.example", foreign=(Rdata(rdata),))], tmp_path)
    assert not report.refused


@pytest.mark.parametrize("files", [{"notes.txt": "x"}, {"README.md": "# mine"}, {"a/b.txt": "x"}])
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, files: dict[str, str]) -> None:
    repository(tmp_path, files)
    before = contents(tmp_path)
    with pytest.raises(EmitError, match="not empty"):
        emit_octodns([domain("acme.example")], tmp_path)
    assert contents(tmp_path) == before


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(EmitError, match="no folder"):
        emit_octodns([domain("acme.example")], tmp_path / "out")


@pytest.mark.parametrize("text", ["providers: [\nzones:\n", "providers: []\nzones: {}\n"])
def test_a_configuration_that_cannot_be_loaded_stops_everything(tmp_path: Path, text: str) -> None:
    repository(tmp_path, {"config.yaml": text})
    with pytest.raises(EmitError, match="configuration"):
        emit_octodns([domain("acme.example")], tmp_path)


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
