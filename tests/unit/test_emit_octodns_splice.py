"""Splicing records into zone files: each golden case holds a file before, and after or why it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.emit.octodns_proof import RecordEdit, YamlOptions
from reconciler.emit.octodns_splice import splice_records
from reconciler.emit.octodns_values import RefusedError
from reconciler.names import Name
from reconciler.state import mx_rdata, txt_rdata

GOLDEN = Path(__file__).parent.parent / "golden" / "emit_octodns"
CASES = sorted(path.name for path in GOLDEN.iterdir())

NEW, OLD, FOREIGN = txt_rdata("new-token=="), txt_rdata("old-token=="), txt_rdata("other-vendor==")
GATEWAY = mx_rdata(0, Name("eu.mx-pp.com."))
TOKEN = RecordEdit("_amazonses", "TXT", 3600, (NEW, FOREIGN), frozenset({NEW, OLD}), is_whole=False)
MAIL = RecordEdit("", "MX", 300, (GATEWAY,), frozenset({GATEWAY}), is_whole=True)


def spliced(text: str, *edits: RecordEdit, **options: object) -> str:
    return splice_records(text, edits or (MAIL, TOKEN), YamlOptions(**options), "zone.yaml")  # type: ignore[arg-type]


def outcome(text: str) -> tuple[str, str]:
    try:
        return "after.yaml", spliced(text)
    except RefusedError as exc:
        return "refused.txt", f"{exc.file}:{exc.line}: {exc.reason}\n{exc.advice}\n"


@pytest.mark.parametrize("case", CASES)
def test_golden_case(case: str) -> None:
    """The file after the edit is exactly the golden one, or the refusal is."""
    folder = GOLDEN / case
    name, text = outcome((folder / "before.yaml").read_bytes().decode())
    assert {path.name for path in folder.iterdir()} == {"before.yaml", name}
    assert text.encode() == (folder / name).read_bytes()


def test_an_edit_of_an_edited_file_changes_nothing() -> None:
    """Every golden result is in sync with the same edits."""
    for path in sorted(GOLDEN.glob("*/after.yaml")):
        text = path.read_bytes().decode()
        assert spliced(text) == text, path


def test_crlf_stays_and_is_used_for_new_lines() -> None:
    before = (
        "---\r\n'':\r\n  type: A\r\n  value: 192.0.2.1\r\n_amazonses:\r\n  type: TXT\r\n  value: other-vendor==\r\n"
    )
    after = spliced(before)
    assert after.count("\r\n") == after.count("\n")
    assert "- type: A\r\n  value: 192.0.2.1\r\n- ttl: 300\r\n  type: MX\r\n" in after
    assert "  values:\r\n  - other-vendor==\r\n  - 'new-token=='\r\n" in after


def test_a_byte_order_mark_stays_in_front() -> None:
    assert spliced("\ufeff---\n_amazonses:\n  type: TXT\n  value: new-token==\n", TOKEN).startswith("\ufeff---\n")


def test_removing_the_last_value_removes_the_record_and_nothing_else() -> None:
    gone = RecordEdit("_amazonses", "TXT", 3600, (), frozenset({OLD}), is_whole=False)
    record = "_amazonses:\n  type: TXT\n  value: old-token==   # ours\n  # its comment\n"
    other = "# web\nwww:\n  type: A\n  value: 192.0.2.1\n"
    assert spliced(record + other, gone) == other
    assert spliced(record, gone) == ""


def test_removing_a_record_from_a_list_keeps_the_others() -> None:
    gone = RecordEdit("", "MX", 300, (), frozenset({GATEWAY}), is_whole=False)
    before = (
        "'':\n- type: A\n  value: 192.0.2.1\n- type: MX\n  value:\n    exchange: eu.mx-pp.com.\n    preference: 0\n"
    )
    assert spliced(before, gone) == "'':\n- type: A\n  value: 192.0.2.1\n"
    only = "'':\n- type: MX\n  value: {exchange: eu.mx-pp.com., preference: 0}\nwww:\n  type: A\n  value: 192.0.2.1\n"
    assert spliced(only, gone) == "www:\n  type: A\n  value: 192.0.2.1\n"


def test_foreign_values_alone_are_never_removed() -> None:
    gone = RecordEdit("_amazonses", "TXT", 3600, (FOREIGN,), frozenset({OLD}), is_whole=False)
    before = "_amazonses:\n  type: TXT\n  values:\n  - old-token==\n  - unseen==\n"
    assert spliced(before, gone) == "_amazonses:\n  type: TXT\n  values:\n  - unseen==\n"


def test_mx_that_is_not_exclusive_keeps_values_of_the_file() -> None:
    beside = RecordEdit("", "MX", 300, (GATEWAY,), frozenset({GATEWAY}), is_whole=False)
    before = "'':\n  type: MX\n  value:\n    exchange: mail.acme.example.\n    preference: 10\n"
    after = spliced(before, beside)
    assert "  values:\n  - exchange: 'mail.acme.example.'\n    preference: 10\n  - exchange: 'eu.mx-pp.com.'\n" in after


@pytest.mark.parametrize(("default_ttl", "line"), [(3600, ""), (300, "  ttl: 3600\n")])
def test_a_new_record_says_its_ttl_where_the_provider_has_another(default_ttl: int, line: str) -> None:
    assert spliced("---\n", TOKEN, default_ttl=default_ttl).startswith(f"---\n_amazonses:\n{line}  type: TXT\n")


def test_simple_order_puts_a_name_where_octodns_sorts_it() -> None:
    host = RecordEdit("host10", "TXT", 3600, (NEW,), frozenset({NEW}), is_whole=False)
    before = "host1:\n  type: A\n  value: 192.0.2.1\nhost2:\n  type: A\n  value: 192.0.2.1\n"
    simple, natural = spliced(before, host, order_mode="simple"), spliced(before, host)
    assert simple.index("host10") < simple.index("host2")
    assert natural.index("host10") > natural.index("host2")


def test_an_unordered_file_is_edited_where_order_is_not_enforced() -> None:
    before = "www:\n  type: A\n  value: 192.0.2.1\na:\n  type: A\n  value: 192.0.2.1\n"
    after = spliced(before, TOKEN, enforce_order=False)
    assert before in after


@pytest.mark.parametrize(("escaped", "written"), [(True, "'a\\;b'"), (False, "'a;b'")])
def test_semicolons_are_written_as_the_provider_reads_them(escaped: bool, written: str) -> None:  # noqa: FBT001
    value = txt_rdata("a;b")
    edit = RecordEdit("_amazonses", "TXT", 3600, (value,), frozenset({value}), is_whole=False)
    after = spliced("---\n", edit, escaped_semicolons=escaped)
    assert f"  value: {written}\n" in after
    assert spliced(after, edit, escaped_semicolons=escaped) == after


@pytest.mark.parametrize("text", ["on", "no", "12:30:45", "0x10", "1e3", "~", "", "it's", "- a", "# a", "{a}", "a: b"])
def test_every_value_comes_back_as_the_text_it_was(text: str) -> None:
    value = txt_rdata(text)
    edit = RecordEdit("no", "TXT", 3600, (value, NEW), frozenset({value, NEW}), is_whole=False)
    for before in ("", "'no':\n  type: TXT\n  value: x\n", "'no': {type: TXT, values: [x, y]}\n"):
        after = spliced(before, edit)
        assert spliced(after, edit) == after


def test_an_include_of_foreign_records_stays(tmp_path: Path) -> None:
    (tmp_path / "www.yaml").write_text("type: A\nvalue: 192.0.2.1\n")
    before = "_amazonses:\n  type: TXT\n  value: old-token==\nwww: !include www.yaml\n"
    after = splice_records(before, [TOKEN], YamlOptions(), str(tmp_path / "zone.yaml"))
    assert after == before.replace("old-token==", "'new-token=='")
