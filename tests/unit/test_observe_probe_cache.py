"""What is kept of probes: only what is good, for the same question, for its time; and no file but our own counts."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from servers.probing import Probing

from reconciler.names import Name
from reconciler.observe import probe_cache
from reconciler.observe.probe_cache import MAX_TEXT, ProbeCache, open_probe_cache
from reconciler.observe.probe_cache_models import MAX_NAMES
from reconciler.state import Cause, Unknown
from reconciler.surroundings import MtaStsPolicy, SmtpRefusal, SmtpSight, TlsSight

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.surroundings import Smtp

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOST, PORT, ADDRESSES = Name("mail.acme.example."), 25, ("192.0.2.1", "2001:db8::1")
POLICY_HOST = Name("mta-sts.acme.example.")
GOOD = SmtpSight(5, TlsSight("TLSv1.3", ("mail.acme.example", "*.acme.example")))
TEXT = "version: STSv1\nmode: enforce\nmx: mail.acme.example\nmax_age: 86400\n"


def opened(file: Path, *, at: datetime = NOON, asked: str = "0" * 64, age: float = 15) -> ProbeCache:
    cache = ProbeCache(file, timedelta(minutes=age), asked, lambda: at)
    cache.read()
    return cache


def written(file: Path, seen: Smtp = GOOD, *, at: datetime = NOON) -> Path:
    cache = opened(file, at=at)
    cache.keep_mail_server(HOST, PORT, ADDRESSES, seen)
    cache.keep_policy(POLICY_HOST, 443, ADDRESSES, "1", TEXT)
    cache.write()
    return file


def looked_up(file: Path, *, minutes: float = 8, **changes: Any) -> SmtpSight | None:  # noqa: ANN401
    return opened(file, at=NOON + timedelta(minutes=minutes), **changes).mail_server(HOST, PORT, ADDRESSES)


def test_what_is_good_comes_back_with_its_age(tmp_path: Path) -> None:
    file = written(tmp_path / "state" / "probes.json")
    assert looked_up(file) == replace(GOOD, age=timedelta(minutes=8))
    policy = opened(file, at=NOON + timedelta(minutes=8)).policy(POLICY_HOST, 443, ADDRESSES, "1")
    assert policy == MtaStsPolicy("1", "enforce", ("mail.acme.example",), 86400, timedelta(minutes=8))
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["probes.json"]


def test_at_once_is_not_just_now(tmp_path: Path) -> None:
    """Another run saw it, and evidence says so, even if the clocks are the same."""
    found = looked_up(written(tmp_path / "probes.json"), minutes=0)
    assert found is not None
    assert found.ago == " (seen 1 min ago)"


def test_what_is_too_old_does_not_count_and_goes(tmp_path: Path) -> None:
    file = written(tmp_path / "probes.json")
    assert looked_up(file, minutes=15) is not None
    assert looked_up(file, minutes=15.1) is None
    assert looked_up(file, age=7) is None
    cache = opened(file, at=NOON + timedelta(minutes=20))
    cache.keep_mail_server(Name("other.example."), PORT, ADDRESSES, GOOD)
    cache.write()
    assert [one["asked"]["host"] for one in json.loads(file.read_bytes())["mail_servers"]] == ["other.example."]


@pytest.mark.parametrize(
    "seen",
    [
        Unknown(Cause.TIMEOUT, "no answer"),
        SmtpRefusal("554 no"),
        SmtpSight(5, None, "STARTTLS is not offered"),
        SmtpSight(5, TlsSight("TLSv1.3", (), "certificate has expired")),
        SmtpSight(5, TlsSight("TLSv1.3", ()), "in vain"),
        SmtpSight(5, TlsSight("SSLv3", ())),
        SmtpSight(5, TlsSight("TLSv1.3", tuple(f"n{n}.example" for n in range(MAX_NAMES + 1)))),
        SmtpSight(5, TlsSight("TLSv1.3", ("n" * 1001,))),
    ],
)
def test_what_somebody_may_mend_is_looked_at_again(tmp_path: Path, seen: Smtp) -> None:
    assert looked_up(written(tmp_path / "probes.json", seen)) is None


def test_a_long_policy_is_fetched_again(tmp_path: Path) -> None:
    cache = opened(tmp_path / "probes.json")
    cache.keep_policy(POLICY_HOST, 443, ADDRESSES, "1", TEXT + "x: y\n" * MAX_TEXT)
    cache.write()
    assert not cache.file.exists()


def test_only_the_same_question_has_the_same_answer(tmp_path: Path) -> None:
    """Other addresses, another EHLO or other roots, another id: the world may show something else."""
    file = written(tmp_path / "probes.json")
    cache = opened(file)
    assert cache.mail_server(HOST, PORT, ADDRESSES)
    assert cache.mail_server(HOST, PORT, ADDRESSES[:1]) is None
    assert cache.mail_server(HOST, 2525, ADDRESSES) is None
    assert cache.mail_server(POLICY_HOST, 443, ADDRESSES) is None
    assert cache.policy(POLICY_HOST, 443, ADDRESSES, "1")
    assert cache.policy(POLICY_HOST, 443, ADDRESSES, "2") is None
    assert looked_up(file, asked="1" * 64) is None


def test_the_name_in_ehlo_and_the_roots_are_part_of_the_question(tmp_path: Path) -> None:
    roots = tmp_path / "ca.pem"
    roots.write_text("one")
    settings = Probing(cache=tmp_path / "probes.json")
    asked = set()
    for each in (settings, replace(settings, helo="other.example"), replace(settings, ca_file=roots)):
        cache = open_probe_cache(each)
        assert cache is not None
        asked.add(cache.asked)
    roots.write_text("two")
    cache = open_probe_cache(replace(settings, ca_file=roots))
    assert cache is not None
    assert len({*asked, cache.asked}) == 4
    assert open_probe_cache(Probing()) is None


def test_two_runs_at_the_same_time_keep_what_both_saw(tmp_path: Path) -> None:
    file = tmp_path / "probes.json"
    one, other = opened(file), opened(file)
    one.keep_mail_server(HOST, PORT, ADDRESSES, GOOD)
    other.keep_mail_server(Name("other.example."), PORT, ADDRESSES, GOOD)
    one.write()
    other.write()
    assert len(json.loads(file.read_bytes())["mail_servers"]) == 2


def test_a_run_that_saw_nothing_new_leaves_the_file_alone(tmp_path: Path) -> None:
    file = written(tmp_path / "probes.json")
    before = file.stat().st_mtime_ns, file.read_bytes()
    opened(file).write()
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before


def _changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def act(file: Path) -> None:
        document = json.loads(file.read_bytes())
        change(document)
        file.write_text(json.dumps(document))

    return act


def _linked(file: Path) -> None:
    file.rename(file.with_suffix(".real"))
    file.symlink_to(file.with_suffix(".real"))


def _in_a_linked_folder(file: Path) -> None:
    file.parent.rename(file.parent.with_name("real"))
    file.parent.symlink_to(file.parent.with_name("real"))


def _a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (lambda f: f.write_bytes(f.read_bytes()[:-9]), "damaged"),
    "not JSON": (lambda f: f.write_bytes(b"\xff\xfe"), "damaged"),
    "empty": (lambda f: f.write_bytes(b""), "damaged"),
    "deep": (lambda f: f.write_text("[" * 100_000), "damaged"),
    "another version": (_changed(lambda d: d.update(format_version="2")), "not of this version"),
    "another kind": (_changed(lambda d: d.update(kind="plan")), "not of this version"),
    "more than the models": (_changed(lambda d: d["mail_servers"][0].update(problem="")), "not of this version"),
    "a text for a number": (_changed(lambda d: d["mail_servers"][0].update(size="5")), "not of this version"),
    "an escape sequence": (_changed(lambda d: d["mail_servers"][0].update(names=["\x1b[2J"])), "not of this version"),
    "no time zone": (_changed(lambda d: d["mail_servers"][0].update(seen_at="2026-11-22T12:00:00")), "damaged"),
    "no policy": (_changed(lambda d: d["policies"][0].update(text="mode: none")), "damaged"),
    "the future": (_changed(lambda d: d["policies"][0].update(seen_at="2026-11-22T14:00:00Z")), "from the future"),
    "as git checks out": (lambda f: f.chmod(0o644), "mode 0600"),
    "written by a group": (lambda f: f.chmod(0o620), "mode 0600"),
    "a link": (_linked, "symbolic link"),
    "a linked folder": (_in_a_linked_folder, "symbolic link"),
    "a folder": (_a_folder, "no file"),
    "a pipe": (_a_pipe, "no file"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_is_not_ours_is_told_and_not_used(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    act, why = UNUSABLE[name]
    file = written(tmp_path / "state" / "probes.json")
    act(file)
    cache = opened(file)
    assert cache.mail_server(HOST, PORT, ADDRESSES) is None
    assert cache.policy(POLICY_HOST, 443, ADDRESSES, "1") is None
    assert why in caplog.text or (name == "a link" and "Too many levels" in caplog.text)
    assert str(file) in caplog.text


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_is_not_ours_is_replaced_where_it_is_a_file_and_else_left(tmp_path: Path, name: str) -> None:
    file = written(tmp_path / "state" / "probes.json")
    UNUSABLE[name][0](file)
    written(file, replace(GOOD, size=6))
    found = looked_up(file)
    if name in {"a link", "a linked folder", "a folder", "a pipe"}:
        assert found is None
        assert file.is_symlink() or file.parent.is_symlink() or not file.is_file()
    else:
        assert found is not None
        assert found.size == 6
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_link_is_not_followed_to_write(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("theirs")
    (tmp_path / "probes.json").symlink_to(target)
    written(tmp_path / "probes.json")
    assert target.read_text() == "theirs"


def test_a_little_of_the_future_is_another_clock(tmp_path: Path) -> None:
    file = written(tmp_path / "probes.json", at=NOON + timedelta(seconds=30))
    assert looked_up(file, minutes=0) == replace(GOOD, age=timedelta(seconds=1))


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_results(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    written(tmp_path / "file" / "probes.json")
    assert "not kept for the next run" in caplog.text


def test_the_file_is_bounded_and_the_newest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_cache, "MAX_RESULTS", 64)
    monkeypatch.setattr(probe_cache, "MAX_OCTETS", 10_000)
    file = tmp_path / "probes.json"
    for number in range(100):
        cache = opened(file, at=NOON + timedelta(seconds=number))
        cache.keep_mail_server(Name(f"h{number}.example."), PORT, ADDRESSES, GOOD)
        cache.write()
    hosts = [one["asked"]["host"] for one in json.loads(file.read_bytes())["mail_servers"]]
    assert hosts[0] == "h99.example."
    assert 10 < len(hosts) <= 64
    assert file.stat().st_size <= 10_000
    monkeypatch.setattr(probe_cache, "MAX_OCTETS", 100)
    assert opened(file).mail_server(Name("h99.example."), PORT, ADDRESSES) is None
