"""What is on the branch is data: what no run of the program wrote is refused, and nothing is taken from it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_branch_lab import Forge, make_forge
from journal_lab import diagnostic

from reconciler.errors import JournalError
from reconciler.journal_branch import content
from reconciler.journal_branch.claim import Claim, fit_holder, read_claim, render_claim
from reconciler.journal_branch.content import File, is_undo_name, kept_undo, read_listing

if TYPE_CHECKING:
    from pathlib import Path

BLOB = "1" * 40


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return make_forge(tmp_path)


@pytest.mark.parametrize(
    ("mode", "kind", "name"),
    [
        ("120000", "blob", "journal.mark"),
        ("100755", "blob", "journal.mark"),
        ("160000", "commit", "journal.mark"),
        ("100644", "blob", "authorized_keys"),
        ("100644", "blob", ".gitattributes"),
        ("100644", "blob", "journal.claim"),
        ("100644", "blob", "20261121T120000-0a1b2c3d.undo.json"),
    ],
)
def test_what_the_program_does_not_write_is_refused(forge: Forge, mode: str, kind: str, name: str) -> None:
    commit = forge.replace((mode, kind, name, b"../../outside"))
    checkout = forge.checkout("one")
    for is_read_only in (True, False):
        with pytest.raises(JournalError) as refused:
            checkout.fetch(is_read_only=is_read_only, is_taking_over=not is_read_only)
        assert diagnostic(refused)[0] == "journal-branch-content"
    assert not checkout.state.exists()
    assert forge.tip() == commit


def entry(name: str, octets: object = 3, mode: str = "100644", kind: str = "blob") -> bytes:
    return f"{mode} {kind} {BLOB} {octets:>7}\t{name}\0".encode()


@pytest.mark.parametrize(
    "listing",
    [
        entry("journal.sqlite3", content.MAX_JOURNAL + 1),
        entry("journal.mark", 20_000),
        entry("in-use", 20_000),
        entry("undo/a.undo.json", content.MAX_UNDO_OCTETS + 1),
        entry("undo/a.undo.json", content.MAX_UNDO_OCTETS) + entry("undo/b.undo.json", 1),
        b"".join(entry(f"undo/{n}.undo.json") for n in range(content.MAX_UNDO + 1)),
        b"".join(entry(f"undo/{n}.undo.json") for n in range(100_000)),
        entry("undo/../../outside.undo.json"),
        entry("/etc/passwd"),
        entry("undo/.undo.json"),
        entry("undo/-a.undo.json"),
        entry("undo/a/b.undo.json"),
        entry("undo/a.json"),
        entry("undo/\x1b[31m.undo.json"),
        entry("undo/" + "a" * 300 + ".undo.json"),
        entry("JOURNAL.SQLITE3"),
        entry("journal.sqlite3-journal"),
        entry("journal.mark", "-", "160000", "commit"),
        b"nonsense\0",
        b"100644 blob \xff\0",
    ],
)
def test_too_much_too_large_and_badly_named_is_refused(listing: bytes) -> None:
    with pytest.raises(JournalError) as refused:
        read_listing(listing, "here")
    code, text = diagnostic(refused)
    assert code == "journal-branch-content"
    assert "\x1b" not in text


def test_the_largest_that_is_written_is_read() -> None:
    listing = entry("journal.sqlite3", content.MAX_JOURNAL) + entry("journal.mark") + entry("README.md")
    listing += b"".join(entry(f"undo/{n}.undo.json") for n in range(content.MAX_UNDO))
    assert len(read_listing(listing, "here")) == 3 + content.MAX_UNDO


@pytest.mark.parametrize(
    "claim",
    [
        b"",
        b"[" * 100_000,
        b"{}",
        b'{"holder": "x", "since": "yesterday", "lease_seconds": 1, "token": "x"}',
        b'{"holder": "x", "since": "2026-11-21T12:00:00", "lease_seconds": 1, "token": "x"}',
        b'{"holder": "x", "since": "2026-11-21T12:00:00+00:00", "lease_seconds": 1e9, "token": "x"}',
        b'{"holder": "x", "since": "2026-11-21T12:00:00+00:00", "lease_seconds": 99999999999999999999, "token": "x"}',
        b'{"holder": "x", "since": "2026-11-21T12:00:00+00:00", "lease_seconds": -1, "token": "x"}',
        b'{"holder": ["x"], "since": "2026-11-21T12:00:00+00:00", "lease_seconds": 1, "token": "x"}',
    ],
)
def test_a_claim_that_no_run_wrote_is_no_claim(claim: bytes) -> None:
    assert read_claim(claim) is None


def test_and_the_branch_is_refused_for_it(forge: Forge) -> None:
    commit = forge.replace(("100644", "blob", "in-use", b"me"))
    with pytest.raises(JournalError) as refused:
        forge.checkout("one").fetch(is_taking_over=True)
    assert diagnostic(refused)[0] == "journal-branch-content"
    assert forge.tip() == commit


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"", "journal-branch-content"),
        (b"no database at all", "journal-damaged"),
        (b"SQLite format 3\0" + bytes(5000), "journal-damaged"),
    ],
)
def test_a_file_that_is_no_journal_is_refused_before_the_branch_is_claimed(
    forge: Forge, octets: bytes, code: str
) -> None:
    commit = forge.replace(("100644", "blob", "journal.sqlite3", octets))
    checkout = forge.checkout("one")
    with pytest.raises(JournalError) as refused:
        checkout.fetch(is_taking_over=True)
    assert diagnostic(refused)[0] == code
    assert forge.tip() == commit
    assert not checkout.state.exists()


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE reconciler_meta SET schema_version = 99", "journal-version"),
        ("DROP TABLE reconciler_meta", "journal-damaged"),
    ],
)
def test_a_journal_of_a_newer_program_and_another_database_are_refused_too(
    forge: Forge, statement: str, code: str
) -> None:
    one = forge.checkout("one")
    one.fetch()
    one.work()
    with closing(sqlite3.connect(one.journal)) as connection:
        connection.execute(statement)
        connection.commit()
    commit = forge.replace(("100644", "blob", "journal.sqlite3", one.journal.read_bytes()))
    with pytest.raises(JournalError) as refused:
        forge.checkout("two").fetch(is_taking_over=True)
    assert diagnostic(refused)[0] == code
    assert forge.tip() == commit


def test_what_a_holder_is_called_is_one_short_line() -> None:
    assert fit_holder("acme\n::set-output\x1b[31m" + "x" * 1000).startswith("acme ::set-output [31mxx")
    assert len(fit_holder("x" * 1000)) == 200
    assert fit_holder("\n") == "somebody"
    hostile = json.dumps(
        {"holder": "\x1b[2J\r\nroot", "since": "2026-11-21T12:00:00+00:00", "lease_seconds": 1, "token": "x"}
    )
    claim = read_claim(hostile.encode())
    assert claim is not None
    assert claim.described().isprintable()


@given(
    st.text(),
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - as hypothesis wants it
    st.integers(0, 30 * 86400),
)
def test_a_claim_survives_the_branch(holder: str, since: datetime, seconds: int) -> None:
    claim = Claim(fit_holder(holder), since.replace(microsecond=0), timedelta(seconds=seconds), "token")
    assert read_claim(render_claim(claim)) == claim


@given(st.dictionaries(st.from_regex(r"[0-9]{1,4}\.undo\.json", fullmatch=True), st.integers(0, 9), max_size=200))
def test_undo_plans_that_stay_are_the_newest_and_never_more_than_may_be_read(sizes: dict[str, int]) -> None:
    kept, left_out = kept_undo(sizes)
    assert sorted([*kept, *left_out]) == sorted(sizes)
    assert all(is_undo_name(name) for name in kept)
    assert not kept or not left_out or min(kept) > max(left_out)
    listing = b"".join(entry(f"undo/{name}", sizes[name]) for name in kept)
    assert read_listing(listing, "here") == {f"undo/{name}": File(BLOB, sizes[name]) for name in kept}
