"""Reading exports: what is not whole, fresh and of the target is unknown with its cause, never absent."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from targets_lab import declared_list

from reconciler.observe.exports import MAX_EXPORT_OCTETS, read_allowlist_export, read_mail_rule_export
from reconciler.state import Cause, Unknown
from reconciler.targets.base import AllowlistContent, DeclaredAllowlist, UnreadableExportError
from reconciler.targets.mail_rule import MailRuleContent
from reconciler.targets.plain import Plain

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.targets.base import Output
    from reconciler.targets.mail_rule import MailRule

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MAX_AGE_HOURS = 24
LINE = b"192.0.2.7 # the gateway\r\n"


def _written(folder: Path, octets: bytes, *, age: timedelta = timedelta(hours=1)) -> Path:
    path = folder / "export"
    path.write_bytes(octets)
    modified = (NOW - age).timestamp()
    os.utime(path, (modified, modified))
    return path


def _read(path: Path, within: Path | None = None) -> AllowlistContent | Unknown:
    return read_allowlist_export(path, Plain(), declared_list("plain"), NOW, MAX_AGE_HOURS, within=within)


def _texts(content: AllowlistContent | Unknown) -> tuple[str, ...]:
    assert isinstance(content, AllowlistContent), content
    return content.addresses.texts


def _unknown(content: AllowlistContent | MailRuleContent | Unknown, says: str, cause: Cause = Cause.UNREADABLE) -> None:
    assert isinstance(content, Unknown), content
    assert content.cause is cause
    assert says in content.detail
    assert content.detail.isprintable()
    assert len(content.detail) <= 303


@dataclass(frozen=True, slots=True)
class Dated(Plain):
    """A plain list that says when it was made, or whose reader fails."""

    made_at: datetime | None = None
    failure: Exception | None = None

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """What the plain list says, at the time given."""
        if self.failure is not None:
            raise self.failure
        return replace(Plain().read(text, declared), made_at=self.made_at)


def _read_dated(path: Path, target: Dated) -> AllowlistContent | Unknown:
    return read_allowlist_export(path, target, declared_list("plain"), NOW, MAX_AGE_HOURS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    assert _texts(_read(_written(tmp_path, LINE.decode().encode(encoding)))) == ("192.0.2.7",)


def test_utf_16_of_either_byte_order_needs_its_mark(tmp_path: Path) -> None:
    text = LINE.decode()
    assert _texts(_read(_written(tmp_path, b"\xfe\xff" + text.encode("utf-16-be")))) == ("192.0.2.7",)
    _unknown(_read(_written(tmp_path, text.encode("utf-16-be"))), "U+0000")
    _unknown(_read(_written(tmp_path, b"\xff\xfe\0\0" + text.encode("utf-32-le"))), "U+0000")


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (b"\xff\xfe", "empty"),
        (LINE + b"\xfc", "UTF-8"),
        (b"\xff\xfe1\x000\x00.", "UTF-16"),
        (b"\xff\xfe\x00\xd8\n\x00", "UTF-16"),
        (LINE + b"192.0.2.8\0\n", "line 2 holds U+0000"),
        (b"192.0.2.7\x1b[2J\n", "U+001B"),
        (b"192.0.2.7\r192.0.2.8\n", "U+000D"),
        (b"192.0.2.7 # \xc2\x85203.0.113.9\n", "U+0085"),
        (b"192.0.2.7 # \xe2\x80\xa8203.0.113.9\n", "U+2028"),
        (LINE + b"192.0.2.8", "cut off"),
        (LINE + b"mail.example\n", "no IP address"),
        (b"x" * 5000 + b"\n", "..."),
        ("192.0.2.7\u202e\n".encode(), "\\u202e"),
        (b"reconciler-export 1 postfix-access 2026-11-21T11:00:00Z\n[table]\nend\n", "not of plain"),
        (b"reconciler-export 1 plain 2026-11-21T11:00:00Z\n[list]\n| 192.0.2.7\n", "no end"),
        (b"reconciler-export 1 plain 2026-11-21T11:00:00Z\nend\n", "no list in it"),
    ],
)
def test_what_is_not_whole_is_unknown(tmp_path: Path, octets: bytes, says: str) -> None:
    _unknown(_read(_written(tmp_path, octets)), says)


def test_a_list_of_comments_alone_is_an_empty_list(tmp_path: Path) -> None:
    assert _texts(_read(_written(tmp_path, b"# nobody\n"))) == ()


@pytest.mark.parametrize(("more", "is_known"), [(0, True), (1, False)])
def test_the_limit_of_size(tmp_path: Path, more: int, *, is_known: bool) -> None:
    path = _written(tmp_path, LINE + b"#" * (MAX_EXPORT_OCTETS - len(LINE) - 1 + more) + b"\n")
    if is_known:
        assert _texts(_read(path)) == ("192.0.2.7",)
    else:
        _unknown(_read(path), "more than 10,000,000 octets")


@pytest.mark.parametrize(
    ("age", "is_known"),
    [
        (timedelta(hours=24), True),
        (timedelta(hours=24, seconds=1), False),
        (timedelta(hours=-1), True),
        (timedelta(hours=-1, seconds=-1), False),
    ],
)
def test_the_age_counts_from_the_file_where_the_export_says_nothing(
    tmp_path: Path, age: timedelta, *, is_known: bool
) -> None:
    path = _written(tmp_path, LINE, age=age)
    if is_known:
        assert _texts(_read(path)) == ("192.0.2.7",)
    else:
        _unknown(_read(path), "make the export again", Cause.STALE_EXPORT)


def test_what_the_export_says_of_its_age_outranks_the_file(tmp_path: Path) -> None:
    """Copying or checking out a file makes it look new."""
    path = _written(tmp_path, LINE)
    old = Dated(made_at=NOW - timedelta(hours=50))
    _unknown(_read_dated(path, old), "it is 50 hours old, and at most 24 are allowed", Cause.STALE_EXPORT)
    _unknown(_read_dated(path, Dated(made_at=NOW + timedelta(hours=2))), "future", Cause.STALE_EXPORT)
    fresh = Dated(made_at=NOW.replace(tzinfo=None))
    assert _texts(_read_dated(_written(tmp_path, LINE, age=timedelta(days=99)), fresh)) == ("192.0.2.7",)


@pytest.mark.parametrize("seconds", [2**62, -(2**62)])
def test_a_time_that_is_none(tmp_path: Path, seconds: int) -> None:
    path = _written(tmp_path, LINE)
    try:
        os.utime(path, (0, seconds))
    except OverflowError:
        pytest.skip("this system's files cannot have such a time")
    assert isinstance(_read(path), Unknown)


def test_what_is_no_regular_file_is_unknown_at_once(tmp_path: Path) -> None:
    """A FIFO would be waited for; a device never ends."""
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        _unknown(_read(tmp_path / "socket"), "cannot be read")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    _unknown(_read(tmp_path / "fifo"), "no file")
    _unknown(_read(tmp_path), "no file")
    _unknown(_read(tmp_path / "circle"), "leads nowhere")
    _unknown(_read(tmp_path / "missing"), "not there")
    _unknown(_read(tmp_path / "missing\n\x1b[2J"), "not there")
    _unknown(_read(tmp_path / "nul\0"), "leads nowhere")
    _unknown(_read(tmp_path / ("x" * 5000)), "")


def test_a_symlink_must_stay_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    (folder / "exports").mkdir(parents=True)
    path = _written(tmp_path, LINE)
    link = folder / "exports" / "list.txt"
    link.symlink_to(path)
    _unknown(_read(link, folder), "leads out of")
    assert _texts(_read(link)) == ("192.0.2.7",)
    link.unlink()
    link.symlink_to(_written(folder, LINE))
    assert _texts(_read(link, folder)) == ("192.0.2.7",)


@pytest.mark.parametrize(
    "failure",
    [
        UnreadableExportError("it is of another target"),
        ValueError("x"),
        RecursionError(),
        MemoryError(),
        KeyError("x"),
        TypeError("x"),
        AttributeError("x"),
        OverflowError("x"),
    ],
)
def test_whatever_a_reader_does_is_unknown_and_shown(tmp_path: Path, failure: Exception) -> None:
    says = "another target" if isinstance(failure, UnreadableExportError) else type(failure).__name__
    _unknown(_read_dated(_written(tmp_path, LINE), Dated(failure=failure)), says)


@dataclass(frozen=True, slots=True)
class Rules:
    """A server's rules, of which an export says nothing but that it was read."""

    id: str = "rules"
    title: str = "Rules"
    outputs: tuple[Output, ...] = ()
    export_outputs: tuple[Output, ...] = ()

    def action(self, rule: MailRule) -> str:
        """Its name."""
        return rule.name

    def read(self, text: str) -> MailRuleContent:
        """No rule, where the text speaks of one."""
        if "rule" not in text:
            raise UnreadableExportError("it holds no rule")
        return MailRuleContent(())


def test_exports_of_mail_rules_are_read_the_same_way(tmp_path: Path) -> None:
    assert read_mail_rule_export(_written(tmp_path, b"rule"), Rules(), NOW, MAX_AGE_HOURS) == MailRuleContent(())
    _unknown(read_mail_rule_export(_written(tmp_path, b"x"), Rules(), NOW, MAX_AGE_HOURS), "no rule")
    _unknown(read_mail_rule_export(tmp_path / "missing", Rules(), NOW, MAX_AGE_HOURS), "not there")
    old = _written(tmp_path, b"rule", age=timedelta(days=2))
    _unknown(read_mail_rule_export(old, Rules(), NOW, MAX_AGE_HOURS), "old", Cause.STALE_EXPORT)
