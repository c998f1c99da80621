"""The command `import`: drafts from master files and a real BIND, and the law that a protected domain is in sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from servers.bind import run_bind

from reconciler.catalog import load_catalog
from reconciler.cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

NOW = ["--now", "2026-11-21T12:00:00+00:00"]
HEAD = """$TTL 3600
@ SOA ns1.dns.example. hostmaster.dns.example. 1 3600 600 86400 300
@ NS ns1.dns.example.
@ NS ns-1.awsdns-01.com.
"""
PRIMARY, SECONDARY = "pmBGN/7MjnfhTKUZ06Enqq1PeGUaOkw8lGhcfwefcHU=", "aaaGN/7MjnfhTKUZ06Enqq1PeGUaOkw8lGhcfwefcHU="
FOREIGN = '"v=something else" "\\255\\010"'


def _protected(host: str, *, multi_region: bool) -> str:
    tokens = [PRIMARY, SECONDARY][: 1 + multi_region]
    return (
        HEAD + f"@ MX 0 {host}\n" + "".join(f'_amazonses TXT "{t}"\n' for t in tokens) + f"_amazonses TXT {FOREIGN}\n"
    )


def _filled_in(draft: str, region: str) -> str:
    """What a person fills in, because DNS does not say it."""
    filled = draft.replace("escalation_contacts: []", "escalation_contacts: [secops@acme.example]")
    filled = filled.replace("next_hops: []", "next_hops: [mail.hosting.example]")
    filled = filled.replace("region:  #", f"region: {region}  #", 1)
    filled = filled.replace("capabilities:  #", "capabilities: {third_party_mx: true, allowlist: true}  #")
    waiver = "waivers: [{gate: residency, owner: o@acme.example, reason: accepted, expires: 2027-06-30}]\n"
    return filled.replace("services:\n", f"{waiver}services:\n", 1)


def _settings(folder: Path, text: str) -> list[str]:
    (folder / "reconciler.yaml").write_text(text)
    return [*NOW, "--settings", str(folder / "reconciler.yaml"), "--manifests", str(folder / "manifests")]


@pytest.mark.parametrize("multi_region", [False, True])
@pytest.mark.parametrize("region", ["us", "eu", "au"])
def test_a_protected_domain_is_in_sync_once_the_unknowable_is_filled_in(
    region: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, multi_region: bool
) -> None:
    host = load_catalog().mx_host(region, multi_region=multi_region)
    with run_bind({"acme.example.": _protected(host, multi_region=multi_region)}, directory=tmp_path / "bind") as bind:
        options = _settings(tmp_path, f"observe:\n  dns: {{servers: ['{bind.address}:{bind.port}']}}\n")
        imported = [*options, "import", "acme.example", "--organization", "acme", "--out", str(tmp_path / "manifests")]
        assert main(imported) == 0
        manifest = tmp_path / "manifests" / "acme.yaml"
        assert main([*options, "validate"]) == 1
        manifest.write_text(_filled_in(manifest.read_text(), region))
        capsys.readouterr()
        assert main([*options, "plan", "--detailed-exitcode"]) == 0
    assert capsys.readouterr().out.endswith("In sync. 1 domain, 1 in sync.\n")


def test_a_domain_in_front_of_the_gateway_is_drafted_from_a_real_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zone = HEAD + "@ MX 20 backup.hosting.example.\n@ MX 10 mail\nmail CNAME host\nhost A 192.0.2.25\nsub MX 5 mail\n"
    with run_bind({"acme.example.": zone}, directory=tmp_path / "bind") as bind:
        options = _settings(tmp_path, f"observe:\n  dns: {{servers: ['{bind.address}:{bind.port}']}}\n")
        assert main([*options, "import", "acme.example", "sub.acme.example", "--organization", "acme"]) == 0
    draft = capsys.readouterr().out
    assert 'next_hops: ["mail.acme.example", "backup.hosting.example"]' in draft
    assert "mail.acme.example. is a CNAME to host.acme.example" in draft
    assert 'zone: "acme.example"' in draft
    assert "# Name servers: ns-1.awsdns-01.com, ns1.dns.example" in draft
    assert "octoDNS package octodns-route53." in draft


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two zones as master files, and the command's first options."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zones").mkdir()
    for name in ("acme.example", "other.example"):
        (tmp_path / "zones" / f"{name}.zone").write_text(HEAD + "@ MX 10 mail.hosting.example.\n")
    return _settings(tmp_path, "observe: {zonefiles: zones/}\n")


def test_what_cannot_be_observed_is_drafted_open_with_its_cause(
    lab: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*lab, "import", "lost.example", "acme.example"]) == 3
    shown = capsys.readouterr()
    assert "could not be read (no-such-zone): there is no master file" in shown.out
    assert 'next_hops: ["mail.hosting.example"]' in shown.out
    assert "warning[import-unknown]" in shown.err


def test_each_organization_has_its_file_and_none_is_overwritten(
    lab: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.csv").write_text("domain,organization\nacme.example,acme\nother.example,other\n")
    command = [*lab, "import", "--from", "list.csv", "--out", "manifests"]
    assert main(command) == 0
    assert sorted(p.name for p in (tmp_path / "manifests").iterdir()) == ["acme.yaml", "other.yaml"]
    (tmp_path / "manifests" / "acme.yaml").unlink()
    assert main(command) == 1
    assert "other.yaml is there already" in capsys.readouterr().err
    assert not (tmp_path / "manifests" / "acme.yaml").exists()


def test_several_drafts_on_stdout_say_which_file_each_is(
    lab: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.csv").write_text("domain,organization\nacme.example,acme\nother.example,other\n")
    assert main([*lab, "import", "--from", "list.csv"]) == 0
    first, second = capsys.readouterr().out.removeprefix("---\n").split("---\n")
    assert first.startswith("# acme.yaml\n")
    assert second.startswith("# other.yaml\n")


def test_a_list_with_errors_observes_nothing(
    lab: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list").write_text("acme.example\nacme.example\nbad..name\n")
    assert main([*lab, "import", "--from", "list"]) == 1
    assert main([*lab, "import", "--from", "missing"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line.split(": ")[0] for line in shown.err.splitlines() if "error[" in line] == [
        "list:2",
        "list:3",
        "missing",
    ]


def test_every_domain_whose_verification_name_is_too_long_is_refused(
    lab: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """`_amazonses.` and its dot do not fit before these names (RFC 1035 section 2.3.4)."""
    names = [".".join([letter * 60] * 4) + ".io" for letter in "ab"]
    assert main([*lab, "import", *names, "acme.example"]) == 1
    assert capsys.readouterr().err.count("error[import-name]") == 2


def test_an_mx_that_names_no_host_is_said(lab: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "zones" / "acme.example.zone").write_text(HEAD + "@ MX 10 we\\032ird\n@ MX 20 mail.hosting.example.\n")
    assert main([*lab, "import", "acme.example"]) == 0
    draft = capsys.readouterr().out
    assert "The MX value 10 we\\032ird.acme.example. names no host." in draft
    assert 'next_hops: ["mail.hosting.example"]' in draft


def test_a_symlink_out_of_the_folder_is_refused(
    lab: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "acme.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    command = [*lab, "import", "acme.example", "--organization", "acme", "--out", "manifests"]
    assert main(command) == 1
    assert "leads outside" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere.yaml").exists()
