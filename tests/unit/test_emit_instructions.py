"""Instruction sheets: each golden case holds manifests, zones, and the sheets that a reviewer reads.

With RECONCILER_UPDATE_GOLDEN=1 the expected files are written, and the run fails so that nobody forgets to read them.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from builders import MX_KEY, NOW, OLD_MX, SOURCE, TXT_KEY, catalog, domain, facts, present

from reconciler.cli import main
from reconciler.document import PlanHead, build_document
from reconciler.emit.console_sheet import ConsoleSheet, build_console_sheet
from reconciler.emit.domain_sheet import DomainSheet, When, build_domain_sheet
from reconciler.emit.instructions import InstructionsReport, emit_instructions
from reconciler.errors import EmitError
from reconciler.manifest.fleet import Organization
from reconciler.plan import plan_domain
from reconciler.templating import Templates

GOLDEN = Path(__file__).parent.parent / "golden" / "instructions"
# what is asked for, and the exit code
CASES: dict[str, tuple[tuple[str, ...], int]] = {
    "not_started": ((), 0),
    "ready_to_switch": ((), 0),
    "multi_region_switched_off": (
        ("--domain", "acme.example", "--domain", "later.example", "--domain", "ttl.example"),
        0,
    ),
    "not_known": (("--domain", "lost.example", "--domain", "cloud.example"), 1),
    "missing_values": ((), 3),
}


def _tree(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in folder.rglob("*") if p.is_file()}


def test_every_golden_case_is_run() -> None:
    assert {p.name for p in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize("case", sorted(CASES))
def test_golden_case(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sheets are exactly the golden ones, and a second run writes nothing."""
    options, code = CASES[case]
    monkeypatch.chdir(GOLDEN / case)
    command = ["--now", NOW.isoformat(), "emit", "instructions", "--out", str(tmp_path), *options]
    assert main(command) == code
    if os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1":
        shutil.rmtree("expected", ignore_errors=True)
        shutil.copytree(tmp_path, "expected")
        pytest.fail("written; read them")
    assert _tree(tmp_path) == _tree(Path("expected"))
    capsys.readouterr()
    main(command)
    assert "written" not in capsys.readouterr().out


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.html")), ids=lambda p: f"{p.parts[-4]}-{p.name}")
def test_hostile_values_stay_text_in_html(path: Path) -> None:
    """No script, no element and no event handler of somebody else's; a policy that allows the one style alone."""
    text = path.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert text.count("<style>") == 1
    assert "default-src 'none'; style-src &#39;sha256-" in text
    assert not [c for c in text if c != "\n" and not c.isprintable()]


def _sheet(organization: str = "acme", name: str = "acme.example") -> DomainSheet:
    declared = domain(attestations=())
    given = facts(declared, txt=present(TXT_KEY, '"foreign"'), mx=present(MX_KEY, OLD_MX))
    head = PlanHead(commit=None, manifests_digest="m", catalog_digest="c", created_at=NOW, expires_at=NOW)
    document = build_document(head, [plan_domain(given, provider="manual", new_ttl=3600)], [])
    sheet = build_domain_sheet(
        document.domains[0],
        declared,
        name_servers=["ns2.acme.example.", "ns1.acme.example.", "-f/etc/passwd", "$(id).example."],
        catalog=catalog(),
        observed_at=NOW,
        notes=[],
    )
    return replace(sheet, organization=organization, domain=name)


def _emit(out: Path, *sheets: DomainSheet, consoles: tuple[ConsoleSheet, ...] = ()) -> InstructionsReport:
    return emit_instructions(sheets, consoles, out=out, templates=Templates(None))


def test_names_are_given_in_full_and_relative_to_the_zone() -> None:
    first, second = _sheet().steps
    assert [(r.owner, r.relative, r.priority, r.value) for r in first.add] == [
        ("_amazonses.acme.example", "_amazonses", "", "primary-token")
    ]
    assert [(r.owner, r.relative, r.priority, r.value) for r in second.add] == [
        ("acme.example", "@", "0", "inbound-smtp.eu-west-1.amazonaws.com")
    ]


def test_a_held_switch_is_not_yet_and_says_why() -> None:
    held = _sheet().steps[1]
    assert held.when is When.NOT_YET
    words = ("not yet seen at", "has the domain and its next hops", "is Verified", "accepts mail from")
    assert all(word in w.evidence for word, w in zip(words, held.waits, strict=True))
    assert all(w.evidence.endswith(".") and not w.evidence.endswith("..") for w in held.waits)


def test_nothing_from_dns_becomes_part_of_a_command_line() -> None:
    sheet = _sheet()
    assert sheet.name_servers == ("ns1.acme.example", "ns2.acme.example")
    assert [c for check in sheet.checks for c in check.commands] == [
        "dig +norecurse +short @ns1.acme.example TXT _amazonses.acme.example",
        "dig +norecurse +short @ns2.acme.example TXT _amazonses.acme.example",
    ]


def test_a_check_is_about_what_is_due_alone() -> None:
    """The MX is held, so nobody is to look for the new one."""
    assert [(c.type, c.expected) for c in _sheet().checks] == [("TXT", ('"foreign"', '"primary-token"'))]


def test_an_equal_sheet_is_not_written_again(tmp_path: Path) -> None:
    written = _emit(tmp_path, _sheet()).written
    before = [p.stat().st_mtime_ns for p in written]
    again = _emit(tmp_path, _sheet())
    assert (again.written, again.unchanged) == ((), written)
    assert [p.stat().st_mtime_ns for p in written] == before


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "a/../../b", "..", "con", "x" * 300, "\x00"])
def test_no_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _emit(out, _sheet(name, name))
    assert {p.parent.parent for p in tmp_path.rglob("*.*") if p.is_file()} == {out}


def test_names_that_are_made_safe_stay_different(tmp_path: Path) -> None:
    assert len(_emit(tmp_path, _sheet("a/b"), _sheet("a-b"), _sheet("a:b")).written) == 6


def test_two_sheets_for_one_file_are_refused(tmp_path: Path) -> None:
    """Also where only upper and lower case differ, which some file systems take for the same."""
    with pytest.raises(EmitError, match="two sheets would be"):
        _emit(tmp_path, _sheet("acme"), _sheet("ACME"))
    assert not list(tmp_path.iterdir())


def test_a_symlink_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "acme").symlink_to(elsewhere)
    with pytest.raises(EmitError, match="leads outside"):
        _emit(out, _sheet())
    assert not list(elsewhere.iterdir())


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(EmitError, match="is no folder"):
        _emit(tmp_path / "out", _sheet())


def test_a_broken_template_writes_nothing(tmp_path: Path) -> None:
    """Not even the sheets that were rendered before it."""
    folder = tmp_path / "templates" / "instructions"
    folder.mkdir(parents=True)
    (folder / "domain.html.j2").write_text("<p>\n{{ sheet.nothing_of_this_name }}")
    with pytest.raises(EmitError) as caught:
        emit_instructions([_sheet()], [], out=tmp_path / "out", templates=Templates(folder.parent))
    (problem,) = caught.value.diagnostics
    assert (problem.file, problem.line) == (str(folder / "domain.html.j2"), 2)
    assert not (tmp_path / "out").exists()


def test_the_console_sheet_asks_for_every_missing_value() -> None:
    declared = domain(multi_region=True, verification=domain().verification._replace(secondary=None))
    organization = Organization("acme", "eu", True, ("secops@acme.example",), (), (declared,), SOURCE)  # noqa: FBT003
    sheet = build_console_sheet(organization, catalog=catalog(), now=NOW)
    assert sheet.missing == 1
    assert sheet.services[0].domains[0].missing == ("secondary",)
    assert sheet.services[0].email_service == "Other"
    assert sheet.addresses == catalog().addresses("eu", multi_region=True)
    assert sheet.mx_host == "eu.mx-pp.com"
