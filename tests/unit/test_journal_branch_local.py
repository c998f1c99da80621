"""What is in the folder and not on the branch is not lost without a word; what was stopped is gone on with."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from journal_branch_lab import Checkout, Forge, git, make_forge
from journal_lab import ACME, LEASE, NONE, diagnostic

from reconciler.errors import JournalError, JournalLockedError
from reconciler.files import write_atomically
from reconciler.journal import open_journal, read_journal
from reconciler.journal_branch import fetch
from reconciler.journal_branch.branch import Branch
from reconciler.journal_branch.claim import read_own_claim, write_own_claim

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.journal_branch import Result


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return make_forge(tmp_path)


def codes(result: Result) -> list[str]:
    return [d.code for d in result.diagnostics]


def is_restored(checkout: Checkout) -> bool:
    settings = checkout.settings
    with read_journal(settings.journal.url, directory=settings.directory, state_directory=checkout.state) as reader:
        assert not (reader.diagnostics and reader.histories([ACME])[ACME].mx)
        return bool(reader.diagnostics)


def unpushed(forge: Forge) -> Checkout:
    """A machine on which a run died after it had written; another one took over, worked more, and gave it back."""
    dead = forge.checkout("dead")
    dead.fetch()
    dead.work()
    dead.push()
    dead.fetch()
    dead.work(2)
    heir = forge.checkout("heir")
    heir.fetch(is_taking_over=True)
    heir.work(5)
    heir.push()
    return dead


def refuse(checkout: Checkout, code: str) -> None:
    with pytest.raises(JournalError) as refused:
        checkout.fetch()
    assert diagnostic(refused)[0] == code


def test_a_journal_with_writes_that_the_branch_lacks_is_not_written_over(forge: Forge) -> None:
    """Even where the branch counts further: the two went different ways."""
    dead = unpushed(forge)
    kept = dead.journal.read_bytes()
    tip = forge.tip()
    refuse(dead, "journal-branch-unpushed")
    with pytest.raises(JournalError):
        dead.fetch(is_read_only=True)
    assert dead.journal.read_bytes() == kept
    assert forge.tip() == tip


def test_taking_over_sets_it_aside_and_waits_the_full_times(forge: Forge) -> None:
    dead = unpushed(forge)
    kept = dead.journal.read_bytes()
    assert codes(dead.fetch(is_taking_over=True)) == ["journal-branch-aside"]
    (aside,) = dead.state.glob("journal.sqlite3.unpushed-*")
    assert aside.read_bytes() == kept
    assert is_restored(dead)
    dead.push()
    assert forge.listing() == ["README.md", "journal.mark", "journal.sqlite3"]


def test_another_journal_is_not_written_over_either(forge: Forge) -> None:
    one = forge.checkout("one")
    one.fetch()
    one.work()
    one.push()
    stranger = forge.checkout("stranger")
    stranger.work()
    refuse(stranger, "journal-branch-unpushed")
    assert codes(stranger.fetch(is_taking_over=True)) == ["journal-branch-aside"]
    assert is_restored(stranger)


def test_a_damaged_journal_is_kept_too(forge: Forge) -> None:
    one = forge.checkout("one")
    one.fetch()
    one.work()
    one.push()
    one.journal.write_bytes(b"no database")
    refuse(one, "journal-damaged")
    assert codes(one.fetch(is_taking_over=True)) == ["journal-branch-aside"]
    (aside,) = one.state.glob("journal.sqlite3.unpushed-*")
    assert aside.read_bytes() == b"no database"
    assert is_restored(one)


def test_a_journal_to_which_a_run_writes_is_not_replaced(forge: Forge) -> None:
    """Its writes would go to a file that nobody finds again."""
    for number in range(2):
        one = forge.checkout(str(number))
        one.fetch()
        one.work()
        one.push()
    older = Checkout(one.directory.parent / "0")
    settings = older.settings
    opened = open_journal(settings.journal.url, directory=settings.directory, state_directory=older.state)
    tip = forge.tip()
    with opened as journal, journal.lock("an apply by hand", LEASE, NONE):
        for is_taking_over in (False, True):
            with pytest.raises(JournalLockedError) as refused:
                older.fetch(is_taking_over=is_taking_over)
            assert "an apply by hand has its lock" in diagnostic(refused)[1]
    assert forge.tip() == tip


def test_a_database_of_something_else_is_never_written_over(forge: Forge) -> None:
    one = forge.checkout("one")
    one.fetch()
    one.work()
    one.push()
    two = forge.checkout("two")
    two.state.mkdir()
    with closing(sqlite3.connect(two.journal)) as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
    kept = two.journal.read_bytes()
    refuse(two, "journal-damaged")
    two.fetch(is_taking_over=True)
    (aside,) = two.state.glob("journal.sqlite3.unpushed-*")
    assert aside.read_bytes() == kept


def test_an_older_copy_gives_way(forge: Forge) -> None:
    one, two = forge.checkout("one"), forge.checkout("two")
    for checkout in (one, two, one):
        checkout.fetch()
        checkout.work()
        checkout.push()
    assert codes(two.fetch()) == []
    assert not is_restored(two)
    assert not list(two.state.glob("*unpushed*"))


def test_fetching_twice_is_fetching_once(forge: Forge) -> None:
    one = forge.checkout("one")
    one.fetch()
    one.work()
    kept, tip = one.journal.read_bytes(), forge.tip()
    assert one.fetch().lines[0].endswith("and is this run's still")
    assert one.fetch(is_read_only=True).lines[0].endswith("fetched to be written")
    assert (one.journal.read_bytes(), forge.tip()) == (kept, tip)
    one.push()


class StoppedError(Exception):
    """As if the process had been killed here."""


def stopping_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Stop at the `number`th file that a fetch replaces in the folder."""
    left = [number]

    def write(path: Path, octets: bytes, *, mode: int = 0o644) -> None:
        if left[0] == 0:
            raise StoppedError
        left[0] -= 1
        write_atomically(path, octets, mode=mode)

    for module in ("journal_branch.claim", "journal_branch.local", "journal.mark"):
        monkeypatch.setattr(f"reconciler.{module}.write_atomically", write)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A branch, and three machines: with no journal, with an older copy, and with writes that were not pushed."""
    folder = tmp_path_factory.mktemp("scene")
    forge = make_forge(folder)
    dead, other = unpushed(forge), forge.checkout("older copy")
    dead.directory.rename(folder / "unpushed")
    other.fetch(is_read_only=True)
    heir = Checkout(folder / "heir")
    heir.fetch()
    heir.write_undo("20261121T120000-0a1b2c3d.undo.json")
    heir.work()
    heir.push()
    forge.checkout("fresh")
    for name in ("unpushed", "older copy", "fresh"):
        git("-C", folder / name, "remote", "set-url", "origin", "../forge.git")
    return folder


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("where", ["fresh", "older copy", "unpushed"])
def test_a_fetch_that_was_stopped_at_any_file_is_gone_on_with(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, where: str
) -> None:
    """The claim that it left is its own: nobody is waited for, and no wait is longer for it."""
    for name in ("forge.git", where):
        shutil.copytree(scene / name, tmp_path / name)
    forge, checkout = Forge(tmp_path / "forge.git"), Checkout(tmp_path / where)
    lost = checkout.journal.read_bytes() if where == "unpushed" else b""
    is_taking_over = where == "unpushed"
    with monkeypatch.context() as patched:
        stopping_at(patched, number)
        try:
            checkout.fetch(is_taking_over=is_taking_over)
            assert number == 5
        except StoppedError:
            pass
    checkout.fetch(is_taking_over=is_taking_over)
    own = read_own_claim(checkout.state)
    assert own is not None
    assert own.is_fetched
    assert is_restored(checkout) == is_taking_over
    if where == "unpushed":
        (aside,) = checkout.state.glob("journal.sqlite3.unpushed-*")
        assert aside.read_bytes() == lost
    checkout.work()
    checkout.push()
    assert "in-use" not in forge.listing()


def test_a_claim_that_was_stopped_before_it_was_pushed_is_nothing(
    forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = forge.checkout("one")

    def stop(*_: object) -> bool:
        raise StoppedError

    with monkeypatch.context() as patched:
        patched.setattr(Branch, "publish", stop)
        with pytest.raises(StoppedError):
            one.fetch()
    with pytest.raises(JournalError) as refused:
        one.push()
    assert diagnostic(refused)[0] == "journal-branch-lost"
    one.fetch()
    one.push()


def test_a_push_after_a_fetch_that_was_stopped_gives_the_claim_back_and_changes_nothing(
    forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = forge.checkout("one")
    one.fetch()
    one.work()
    one.push()
    before = forge.octets("journal.sqlite3")
    two = forge.checkout("two")
    with monkeypatch.context() as patched:
        stopping_at(patched, 2)
        with pytest.raises(StoppedError):
            two.fetch()
    assert two.push().lines[0].endswith("nothing was fetched, so nothing changes")
    assert forge.octets("journal.sqlite3") == before
    assert "in-use" not in forge.listing()


def test_a_push_whose_answer_was_lost_is_found_out(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    one = forge.checkout("one")
    one.fetch()
    one.work()

    def stop(_: Path) -> None:
        raise StoppedError

    with monkeypatch.context() as patched:
        patched.setattr("reconciler.journal_branch.push.forget_own_claim", stop)
        with pytest.raises(StoppedError):
            one.push()
    assert one.push().lines == ("the journal was pushed to origin/reconciler-journal before",)
    assert codes(one.fetch()) == []


def test_the_same_and_a_fetch_comes_next(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    one = forge.checkout("one")
    one.fetch()
    one.work()
    with monkeypatch.context() as patched:
        patched.setattr("reconciler.journal_branch.push.forget_own_claim", lambda _: None)
        one.push()
    assert codes(one.fetch()) == []
    assert not is_restored(one)
    one.push()


@pytest.mark.parametrize("how", ["gone", "older", "another"])
def test_what_is_not_the_journal_that_was_fetched_is_not_pushed(forge: Forge, how: str) -> None:
    one = forge.checkout("one")
    one.fetch()
    one.work(3)
    older = one.journal.read_bytes()
    one.work()
    one.push()
    one.fetch()
    one.journal.unlink()
    if how == "older":
        one.journal.write_bytes(older)
    elif how == "another":
        (one.state / "journal.mark").unlink()
        one.work(9)
    tip = forge.tip()
    with pytest.raises(JournalError) as refused:
        one.push()
    assert diagnostic(refused)[0] == "journal-branch-other"
    assert forge.tip() == tip


def test_whoever_claims_while_one_reads_is_named(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost race: the claim that comes between the reading and the pushing is a living run's, whatever is said."""
    first, second = forge.checkout("first"), forge.checkout("second")
    look = fetch._Fetching._look  # noqa: SLF001 - the moment after the reading

    def raced(*given: object, **named: object) -> object:
        monkeypatch.undo()
        first.fetch()
        return look(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(fetch._Fetching, "_look", raced)  # noqa: SLF001
    with pytest.raises(JournalError) as refused:
        second.fetch(is_taking_over=True)
    code, text = diagnostic(refused)
    assert (code, "acme/mail first has it since" in text) == ("journal-branch-in-use", True)
    assert read_own_claim(second.state) is None
    first.push()


def test_a_claim_of_another_branch_is_not_this_ones(forge: Forge) -> None:
    one = forge.checkout("one")
    one.fetch()
    own = read_own_claim(one.state)
    assert own is not None
    write_own_claim(one.state, replace(own, branch="another"))
    with pytest.raises(JournalError) as refused:
        one.push()
    assert diagnostic(refused)[0] == "journal-branch-not-fetched"


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"remote": "origin"}', "{" * 100_000, '{"counter": true}'])
def test_a_record_that_cannot_be_read_is_as_good_as_missing(tmp_path: Path, text: str) -> None:
    (tmp_path / "journal.claim").write_text(text)
    assert read_own_claim(tmp_path) is None


def test_a_journal_that_is_too_large_for_a_branch_is_told_in_time(
    forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = forge.checkout("one")
    one.fetch()
    one.work()
    size = one.journal.stat().st_size
    monkeypatch.setattr("reconciler.journal_branch.content.MAX_JOURNAL", size - 1)
    with pytest.raises(JournalError) as refused:
        one.push()
    assert diagnostic(refused)[0] == "journal-branch-size"
    monkeypatch.undo()
    monkeypatch.setattr("reconciler.journal_branch.content.WARN_JOURNAL", size - 1)
    assert codes(one.push()) == ["journal-branch-size"]


def test_a_link_for_the_folder_of_undo_plans_is_not_followed(forge: Forge) -> None:
    one = forge.checkout("one")
    one.fetch()
    one.write_undo("20261121T120000-0a1b2c3d.undo.json")
    one.push()
    two = forge.checkout("two")
    outside = two.directory.parent / "outside"
    outside.mkdir()
    two.state.mkdir()
    (two.state / "undo").symlink_to(outside)
    refuse(two, "journal-branch-link")
    assert not list(outside.iterdir())
    (two.state / "undo").unlink()
    two.fetch()
    (two.state / "undo" / "20991121T120000-0a1b2c3d.undo.json").symlink_to("/etc/hostname")
    two.push()
    assert [n for n in forge.listing() if n.startswith("undo/")] == ["undo/20261121T120000-0a1b2c3d.undo.json"]


def test_the_record_of_the_claim_never_gets_to_the_branch(forge: Forge) -> None:
    one = forge.checkout("one")
    one.fetch(lease=timedelta(minutes=30))
    claim = json.loads(forge.octets("in-use"))
    assert (claim["holder"], claim["lease_seconds"]) == ("acme/mail one", 1800)
    assert forge.listing() == ["README.md", "in-use"]
