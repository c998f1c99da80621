"""The journal on a branch: fetched by one run at a time, pushed back, and taken over from the dead."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from journal_branch_lab import REF, Checkout, Forge, git, make_forge
from journal_lab import ACME, LEASE, NONE, diagnostic

from reconciler.errors import JournalError, JournalLockedError
from reconciler.journal import open_journal, read_journal
from reconciler.journal_branch import BranchName

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.journal_branch import Result

HOUR = timedelta(hours=1)


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return make_forge(tmp_path)


def codes(result: Result) -> list[str]:
    return [d.code for d in result.diagnostics]


def knows(checkout: Checkout) -> tuple[bool, list[str]]:
    """Whether the checkout's journal knows the domain's sightings, and what is unusual about the journal."""
    settings = checkout.settings
    with read_journal(settings.journal.url, directory=settings.directory, state_directory=checkout.state) as reader:
        return bool(reader.histories([ACME])[ACME].mx), [d.code for d in reader.diagnostics]


def one_run(forge: Forge, name: str, writes: int = 1) -> Checkout:
    checkout = forge.checkout(name)
    checkout.fetch()
    checkout.work(writes)
    checkout.push()
    return checkout


def test_the_first_run_begins_with_an_empty_journal_and_the_second_has_what_it_left(forge: Forge) -> None:
    first = forge.checkout("first")
    assert first.fetch().lines == ("there was no branch origin/reconciler-journal: it begins with an empty journal",)
    first.work()
    first.write_undo("20261121T120000-0a1b2c3d.undo.json", b'{"undo": 1}\n')
    first.push()
    second = forge.checkout("second")
    assert second.fetch().lines == ("fetched origin/reconciler-journal for this run alone: 2 writes, 1 undo plans",)
    assert knows(second) == (True, [])
    assert (second.state / "undo" / "20261121T120000-0a1b2c3d.undo.json").read_bytes() == b'{"undo": 1}\n'


def test_the_branch_never_has_more_than_one_commit_and_says_for_people_what_it_is(forge: Forge) -> None:
    for name in ("one", "two", "three"):
        one_run(forge, name)
        assert forge.parents() == []
    assert forge.listing() == ["README.md", "journal.mark", "journal.sqlite3"]
    assert forge.octets("README.md").startswith(b"# The journal of reconciler\n")
    assert git("-C", forge.directory, "log", "-1", "--format=%s", REF) == "Journal after acme/mail three [skip ci]"


def test_nothing_of_the_repository_in_which_it_runs_changes(forge: Forge) -> None:
    """Not its HEAD, its index, its configuration, its references, its objects; nor a file of the work tree."""
    forge.commit_on_main()
    one_run(forge, "before")
    checkout = forge.checkout("checkout")

    def everything() -> dict[str, str]:
        files = [p for p in checkout.directory.rglob("*") if p.is_file() and checkout.state not in p.parents]
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    before = everything()
    checkout.fetch()
    checkout.work()
    checkout.push()
    assert everything() == before
    assert git("-C", checkout.directory, "status", "--porcelain") == "?? .reconciler/"


def test_while_a_run_has_it_another_one_is_refused_by_its_holders_name(forge: Forge) -> None:
    forge.checkout("one").fetch()
    assert json.loads(forge.octets("in-use"))["holder"] == "acme/mail one"
    two = forge.checkout("two")
    with pytest.raises(JournalLockedError) as refused:
        two.fetch()
    code, text = diagnostic(refused)
    assert code == "journal-branch-in-use"
    assert "acme/mail one has it since" in text
    assert not two.state.exists()


def test_push_takes_the_claim_away_and_whoever_waits_gets_the_journal(forge: Forge) -> None:
    one, two = forge.checkout("one"), forge.checkout("two")
    one.fetch()
    one.work()
    waits: list[str] = []

    def say(text: str) -> None:
        waits.append(text)
        one.push()

    two.said = _Calling(say)
    two.fetch(wait=timedelta(seconds=30))
    assert len(waits) == 1
    assert "acme/mail one has it since" in waits[0]
    assert knows(two) == (True, [])


class _Calling(list[str]):
    """A list that calls for what is put into it."""

    def __init__(self, call: object) -> None:
        super().__init__()
        self.call = call

    def append(self, text: str) -> None:
        assert callable(self.call)
        self.call(text)


@pytest.mark.parametrize("how", ["lease", "take over"])
def test_a_dead_runs_journal_counts_as_restored(forge: Forge, how: str) -> None:
    """It may have written to DNS: what was seen before tells nothing of the time since."""
    one_run(forge, "before")
    forge.checkout("dead").fetch(lease=NONE if how == "lease" else HOUR)
    heir = forge.checkout("heir")
    assert codes(heir.fetch(is_taking_over=how == "take over")) == ["journal-branch-taken-over"]
    assert knows(heir) == (False, ["journal-restored"])
    settings = heir.settings
    with open_journal(settings.journal.url, directory=settings.directory, state_directory=heir.state) as journal:
        assert [d.code for d in journal.diagnostics] == ["journal-restored"]
        assert journal.histories([ACME])[ACME].mx == ()


def test_a_journal_that_counts_as_restored_does_so_until_a_run_has_taken_note(forge: Forge) -> None:
    one_run(forge, "before")
    forge.checkout("dead").fetch()
    forge.checkout("dead too").fetch(is_taking_over=True)
    idle = forge.checkout("idle")
    idle.fetch(is_taking_over=True)
    idle.push()
    noting = forge.checkout("noting")
    assert codes(noting.fetch()) == []
    assert knows(noting) == (False, ["journal-restored"])
    noting.work()
    noting.push()
    after = forge.checkout("after")
    after.fetch()
    assert knows(after) == (True, [])


def test_a_run_that_gave_the_journal_back_costs_no_wait(forge: Forge) -> None:
    one_run(forge, "before")
    one_run(forge, "between", writes=3)
    after = forge.checkout("after")
    assert codes(after.fetch(is_taking_over=True)) == []
    assert knows(after) == (True, [])


def test_whose_claim_was_taken_over_pushes_nothing(forge: Forge) -> None:
    slow, heir = forge.checkout("slow"), forge.checkout("heir")
    slow.fetch()
    slow.work()
    heir.fetch(is_taking_over=True)
    tip = forge.tip()
    with pytest.raises(JournalError) as refused:
        slow.push()
    code, text = diagnostic(refused)
    assert code == "journal-branch-lost"
    assert "acme/mail heir has it since" in text
    assert forge.tip() == tip
    heir.push()


def test_what_nobody_fetched_is_not_pushed(forge: Forge) -> None:
    checkout = forge.checkout("one")
    checkout.work()
    with pytest.raises(JournalError) as refused:
        checkout.push()
    assert diagnostic(refused)[0] == "journal-branch-not-fetched"
    checkout.fetch(is_read_only=True)
    with pytest.raises(JournalError) as refused:
        checkout.push()
    assert diagnostic(refused)[0] == "journal-branch-not-fetched"
    assert forge.tip() is None


def test_to_read_claims_nothing_and_is_told_when_a_run_is_at_work(forge: Forge) -> None:
    one_run(forge, "before")
    tip = forge.tip()
    reading = forge.checkout("reading")
    assert codes(reading.fetch(is_read_only=True)) == []
    assert (forge.tip(), knows(reading)) == (tip, (True, []))
    forge.checkout("working").fetch()
    assert codes(forge.checkout("other").fetch(is_read_only=True)) == ["journal-branch-busy"]


def test_to_read_after_a_dead_run_is_told_the_full_waits(forge: Forge) -> None:
    one_run(forge, "before")
    forge.checkout("dead").fetch(lease=NONE)
    reading = forge.checkout("reading")
    assert codes(reading.fetch(is_read_only=True)) == ["journal-branch-dead"]
    assert knows(reading) == (False, ["journal-restored"])


def test_to_read_where_there_is_no_branch_changes_nothing(forge: Forge) -> None:
    reading = forge.checkout("reading")
    assert "no branch origin/reconciler-journal yet" in reading.fetch(is_read_only=True).lines[0]
    assert not reading.state.exists()
    assert forge.tip() is None


def test_a_journal_that_is_here_before_there_is_a_branch_becomes_the_branchs(forge: Forge) -> None:
    adopting = forge.checkout("adopting")
    adopting.work()
    assert adopting.fetch().lines[0].endswith("it begins with the journal that is here")
    adopting.push()
    second = forge.checkout("second")
    second.fetch()
    assert knows(second) == (True, [])


def test_the_journal_may_have_another_place_and_name_on_each_machine(forge: Forge) -> None:
    one_run(forge, "before")
    other = forge.checkout("other")
    (other.directory / "reconciler.yaml").write_text(
        "journal: sqlite:///elsewhere/memory.db\nstate_directory: elsewhere/state\n"
    )
    other.fetch()
    assert knows(other) == (True, [])
    assert (other.directory / "elsewhere" / "memory.db").exists()
    other.push()
    assert forge.listing() == ["README.md", "journal.mark", "journal.sqlite3"]


def test_with_postgresql_the_branch_carries_mark_and_undo_plans_alone(forge: Forge) -> None:
    one = forge.checkout("one")
    (one.directory / "reconciler.yaml").write_text("journal: postgresql://somebody@127.0.0.1/journal\n")
    one.fetch()
    one.write_undo("20261121T120000-0a1b2c3d.undo.json")
    (one.state / "journal.mark").write_text('{"journal": "a", "counter": 7}\n')
    one.push()
    assert forge.listing() == ["README.md", "journal.mark", "undo/20261121T120000-0a1b2c3d.undo.json"]
    two = forge.checkout("two")
    (two.directory / "reconciler.yaml").write_text("journal: postgresql://somebody@127.0.0.1/journal\n")
    assert two.fetch().lines[0].endswith("the journal is in PostgreSQL, 1 undo plans")
    assert json.loads((two.state / "journal.mark").read_text()) == {"journal": "a", "counter": 7}


def test_an_sqlite_journal_is_not_dropped_because_the_settings_name_postgresql(forge: Forge) -> None:
    one_run(forge, "before")
    other = forge.checkout("other")
    (other.directory / "reconciler.yaml").write_text("journal: postgresql://somebody@127.0.0.1/journal\n")
    tip = forge.tip()
    with pytest.raises(JournalError) as refused:
        other.fetch()
    assert diagnostic(refused)[0] == "journal-branch-kind"
    assert forge.tip() == tip


def test_a_journal_whose_lock_a_run_has_is_not_pushed(forge: Forge) -> None:
    one = forge.checkout("one")
    one.fetch()
    settings = one.settings
    opened = open_journal(settings.journal.url, directory=settings.directory, state_directory=one.state)
    with opened as journal, journal.lock("an apply that runs", LEASE, NONE):
        with pytest.raises(JournalLockedError) as refused:
            one.push(timedelta(seconds=0.2))
        assert "an apply that runs has its lock" in diagnostic(refused)[1]
        assert one.said == ["waiting for the journal's lock: an apply that runs has it"]
    one.push()
    assert "in-use" not in forge.listing()


def test_what_lies_in_a_write_ahead_log_is_pushed_too(forge: Forge) -> None:
    """Somebody else switched it on: the journal's file alone has not all of it."""
    one = forge.checkout("one")
    one.fetch()
    one.work()
    with closing(sqlite3.connect(one.journal)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("UPDATE reconciler_domains SET organization = 'in the log'")
        connection.commit()
        assert b"in the log" not in one.journal.read_bytes()
        with closing(sqlite3.connect(one.journal)) as second:
            assert second.execute("SELECT organization FROM reconciler_domains").fetchone() == ("in the log",)
    one.push()
    assert b"in the log" in forge.octets("journal.sqlite3")


def test_what_lies_beside_an_old_file_is_not_played_into_the_new_one(forge: Forge) -> None:
    one_run(forge, "before")
    one = forge.checkout("one")
    one.state.mkdir()
    for ending in ("-journal", "-wal", "-shm"):
        (one.state / f"journal.sqlite3{ending}").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    one.fetch()
    assert {path.name for path in one.state.iterdir()} == {"journal.sqlite3", "journal.mark", "journal.claim"}
    assert knows(one) == (True, [])


def test_the_newest_undo_plans_stay(forge: Forge) -> None:
    one = forge.checkout("one")
    one.fetch()
    names = [f"20261121T{number:06}-0a1b2c3d.undo.json" for number in range(103)]
    for name in names:
        one.write_undo(name)
    one.write_undo("no plan.txt")
    assert one.push().lines[0].endswith("no journal yet, 3 old undo plans left out, 100 undo plans")
    assert [name.removeprefix("undo/") for name in forge.listing() if name.startswith("undo/")] == names[3:]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (BranchName("elsewhere", "reconciler-journal"), "journal-branch-remote"),
        (BranchName("--upload-pack=touch ran", "reconciler-journal"), "journal-branch-remote"),
        (BranchName("origin", "a..b"), "journal-branch-name"),
        (BranchName("origin", "-a b"), "journal-branch-name"),
        (BranchName("origin", ""), "journal-branch-name"),
    ],
)
def test_a_name_that_is_none_is_refused(forge: Forge, name: BranchName, code: str) -> None:
    checkout = forge.checkout("one")
    with pytest.raises(JournalError) as refused:
        checkout.fetch(name=name)
    assert diagnostic(refused)[0] == code
    assert not checkout.state.exists()


def test_a_folder_in_no_repository_is_refused(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.environment["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    with pytest.raises(JournalError) as refused:
        checkout.fetch()
    assert diagnostic(refused)[0] == "journal-branch-repository"


def test_a_branch_of_something_else_is_never_overwritten(forge: Forge) -> None:
    tip = forge.commit_on_main()
    with pytest.raises(JournalError) as refused:
        forge.checkout("one").fetch(name=BranchName("origin", "main"), is_taking_over=True)
    assert diagnostic(refused)[0] == "journal-branch-content"
    assert git("-C", forge.directory, "rev-parse", "main") == tip


def test_a_remote_that_is_not_there_is_told_before_anything_is_written(forge: Forge) -> None:
    checkout = forge.checkout("one")
    git("-C", checkout.directory, "remote", "set-url", "origin", str(forge.directory.parent / "nowhere.git"))
    with pytest.raises(JournalError) as refused:
        checkout.fetch()
    assert diagnostic(refused)[0] == "journal-branch-unreachable"
    assert not checkout.state.exists()


def test_a_remote_that_is_relative_is_found_from_a_folder_below(forge: Forge) -> None:
    checkout = forge.checkout("one")
    git("-C", checkout.directory, "remote", "set-url", "origin", "../forge.git")
    below = Checkout(checkout.directory / "mail")
    below.directory.mkdir()
    below.fetch()
    below.work()
    below.push()
    assert forge.listing() == ["README.md", "journal.mark", "journal.sqlite3"]


def test_a_repository_of_sha256_is_as_good(tmp_path: Path) -> None:
    forge = make_forge(tmp_path, object_format="sha256")
    forge.commit_on_main()  # git takes the format of an empty repository for sha1
    one_run(forge, "first")
    second = forge.checkout("second")
    second.fetch()
    assert knows(second) == (True, [])
    assert len(str(forge.tip())) == 64
