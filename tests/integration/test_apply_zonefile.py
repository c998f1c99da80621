"""Master files on a real disk: locks, links, a full disk, kill -9, and real name servers that read the result."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING

import pytest
from octodns_bind import ZoneFileProvider
from servers.bind import run_bind
from servers.knot import run_knot
from servers.nasty import BIND_WITHOUT, KNOT_WITHOUT, NASTY_TXT, content, nasty_zone
from servers.processes import NameServer

from reconciler.apply import ApplyError, CannotCarryError, NoSuchZoneError, StaleError
from reconciler.apply import zonefile as zonefile_module
from reconciler.apply.zonefile import ZonefileWriter
from reconciler.diff import Change
from reconciler.names import Name
from reconciler.state import Key, Rdata, txt_rdata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ZONE = Name("acme.example.")
TXT = Key(Name("_amazonses.acme.example."), "TXT")
MX = Key(ZONE, "MX")
TOKEN = txt_rdata("our token")
TEXT = """$TTL 3600
@ SOA ns hostmaster 2026112000 3600 600 86400 300
@ NS ns
@ MX 10 mail
ns A 127.0.0.1
mail A 192.0.2.1
alias CNAME mail
sub NS ns.sub
ns.sub A 127.0.0.1
moved DNAME elsewhere.example.
"""
SWITCH = Change(MX, ZONE, (Rdata("10 mail.acme.example."),), (Rdata("0 eu.mx-pp.com."),), (), 3600, 3600)
ADD_TOKEN = Change(TXT, ZONE, (), (TOKEN,), (), None, 300)
EXPECTED = TEXT.replace("10 mail", "0 eu.mx-pp.com.").replace("2026112000", "2026112100")

pytestmark = pytest.mark.integration


def today() -> date:
    return date(2026, 11, 21)


def writer(directory: Path, extension: str = ".zone", clock: Callable[[], date] = today) -> ZonefileWriter:
    provider = ZoneFileProvider("files", directory=str(directory), file_extension=extension)
    return ZonefileWriter(provider, provider_id="files", today=clock)


def zone_file(directory: Path, text: str = TEXT) -> Path:
    path = directory / "acme.example.zone"
    path.write_text(text)
    return path


def names_in(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_writes_and_a_second_write_is_stale(tmp_path: Path) -> None:
    path = zone_file(tmp_path)
    path.chmod(0o640)
    writer(tmp_path).write(ZONE, [SWITCH, ADD_TOKEN])
    assert path.read_text() == EXPECTED + f"{TXT.name}\t300\tIN\tTXT\t{TOKEN}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names_in(tmp_path) == [path.name]
    with pytest.raises(StaleError, match="plan again"):
        writer(tmp_path).write(ZONE, [SWITCH])


def test_the_owner_stays(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to somebody else")
    path = zone_file(tmp_path)
    os.chown(path, 12345, 23456)
    writer(tmp_path).write(ZONE, [SWITCH])
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)
    assert path.read_text() == EXPECTED


def test_octodns_own_file_names_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "acme.example."
    path.write_text(TEXT)
    writer(tmp_path, ".").write(ZONE, [SWITCH])
    assert path.read_text() == EXPECTED


def test_a_noop_leaves_the_file_alone(tmp_path: Path) -> None:
    path = zone_file(tmp_path)
    before = path.stat()
    writer(tmp_path).write(ZONE, [Change(MX, ZONE, SWITCH.before, SWITCH.before, (), 3600, 3600)])
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_symbolic_link_stays_one_and_its_target_is_edited(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = zone_file(tmp_path / "real")
    (tmp_path / "zones").mkdir()
    link = tmp_path / "zones" / "acme.example.zone"
    link.symlink_to("../real/acme.example.zone")
    writer(tmp_path / "zones").write(ZONE, [SWITCH])
    assert link.is_symlink()
    assert target.read_text() == EXPECTED


@pytest.mark.parametrize("kind", ["hard link", "journal", "folder", "generate", "not a zone"])
def test_what_cannot_be_edited_is_refused_and_untouched(tmp_path: Path, kind: str) -> None:
    text = "nonsense ( \n" if kind == "not a zone" else TEXT
    path = zone_file(tmp_path, text)
    if kind == "hard link":
        (tmp_path / "other").hardlink_to(path)
    elif kind == "journal":
        (tmp_path / "acme.example.zone.jnl").write_bytes(b"")
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "generate":
        path.write_text(text.replace("@ MX 10 mail\n", "") + "$GENERATE 1-1 _amazonses 300 TXT made$\n")
    made = Change(TXT, ZONE, (Rdata('"made1"'),), (TOKEN,), (), 300, 300)
    with pytest.raises(CannotCarryError, match=r"acme\.example\.zone"):
        writer(tmp_path).write(ZONE, [made if kind == "generate" else SWITCH])
    assert kind in {"folder", "generate"} or path.read_text() == text


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("alias.acme.example.", "cname"),
        ("_amazonses.sub.acme.example.", "delegated"),
        ("sub.acme.example.", "delegated"),
        ("_amazonses.moved.acme.example.", "delegated"),
        ("_amazonses.child.acme.example.", "delegated"),
        ("other.example.", "apply-failed"),
    ],
)
def test_names_that_the_zone_does_not_answer_for_are_refused(tmp_path: Path, name: str, code: str) -> None:
    path = zone_file(tmp_path)
    (tmp_path / "child.acme.example.zone").write_text(TEXT)
    with pytest.raises(ApplyError) as caught:
        writer(tmp_path).write(ZONE, [SWITCH, Change(Key(Name(name), "TXT"), ZONE, (), (TOKEN,), (), None, 300)])
    assert caught.value.code == code
    assert path.read_text() == TEXT


def test_a_zone_file_is_never_created(tmp_path: Path) -> None:
    with pytest.raises(NoSuchZoneError, match="never created"):
        writer(tmp_path).write(ZONE, [SWITCH])
    with pytest.raises(NoSuchZoneError, match="never created"):
        writer(tmp_path / "nowhere").write(ZONE, [SWITCH])
    assert names_in(tmp_path) == []


def test_a_lock_held_by_another_run_is_waited_for_and_then_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zonefile_module, "LOCK_SECONDS", 0.2)
    path = zone_file(tmp_path)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(ApplyError, match="locked by another run"):
            writer(tmp_path).write(ZONE, [SWITCH])
    finally:
        os.close(descriptor)
    assert path.read_text() == TEXT
    writer(tmp_path).write(ZONE, [SWITCH])
    assert path.read_text() == EXPECTED


def test_an_editor_that_saves_between_our_reading_and_our_rename_loses_nothing(tmp_path: Path) -> None:
    path = zone_file(tmp_path)

    def clock_that_saves() -> date:
        path.write_text(TEXT + "www A 192.0.2.80\n")
        return today()

    with pytest.raises(StaleError, match="somebody else"):
        writer(tmp_path, clock=clock_that_saves).write(ZONE, [SWITCH])
    assert path.read_text() == TEXT + "www A 192.0.2.80\n"
    assert names_in(tmp_path) == [path.name]


def test_of_many_runs_at_once_each_writes_on_what_the_one_before_left(tmp_path: Path) -> None:
    path = zone_file(tmp_path)

    def write(number: int) -> str:
        name = Key(Name(f"_amazonses.d{number}.acme.example."), "TXT")
        writer(tmp_path).write(ZONE, [Change(name, ZONE, (), (TOKEN,), (), None, 300)])
        return name.name

    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(write, range(12)))
    assert all(f"{name}\t300\tIN\tTXT\t{TOKEN}\n" in path.read_text() for name in written)
    assert "2026112111" in path.read_text()


_CHILD = """
import json, os, resource, signal, sys
from datetime import date
from octodns_bind import ZoneFileProvider
from reconciler.apply.zonefile import ZonefileWriter
from reconciler.diff import Change
directory, key, zone, before, after, where, limit = json.loads(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
def audit(event, arguments):
    text = " ".join(str(a) for a in arguments)
    if event == where and ".reconciler-tmp" in text:
        os.kill(os.getpid(), signal.SIGKILL)
if where:
    sys.addaudithook(audit)
from reconciler.state import Key
change = Change(Key(*key), zone, (before,), (after,), (), 3600, 3600)
provider = ZoneFileProvider("files", directory=directory, file_extension=".zone")
try:
    ZonefileWriter(provider, provider_id="files", today=lambda: date(2026, 11, 21)).write(zone, [change])
except Exception as exc:
    print(type(exc).__name__, exc)
"""


def child(directory: Path, where: str = "", limit: int = 0) -> subprocess.CompletedProcess[str]:
    arguments = json.dumps([str(directory), list(MX), ZONE, SWITCH.before[0], SWITCH.after[0], where, limit])
    return subprocess.run(
        [sys.executable, "-c", _CHILD, arguments], capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize(("where", "expected"), [("open", TEXT), ("os.rename", TEXT), ("os.remove", EXPECTED)])
def test_killed_at_any_moment_the_old_or_the_new_file_is_there_and_the_next_run_converges(
    tmp_path: Path, where: str, expected: str
) -> None:
    """Killed as it opens the temporary file, renames it, and cleans up after the rename."""
    path = zone_file(tmp_path)
    assert child(tmp_path, where).returncode == -9
    assert path.read_text() == expected
    if expected == TEXT:
        writer(tmp_path).write(ZONE, [SWITCH])
    assert path.read_text() == EXPECTED
    assert names_in(tmp_path) == [path.name]


def test_a_full_disk_changes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the write fails half-way in the same place."""
    path = zone_file(tmp_path)
    done = child(tmp_path, limit=100)
    assert done.stdout.startswith("ApplyError")
    assert "nothing was changed" in done.stdout
    assert path.read_text() == TEXT
    assert names_in(tmp_path) == [path.name]


@pytest.mark.parametrize(("run", "without"), [(run_bind, BIND_WITHOUT), (run_knot, KNOT_WITHOUT)])
def test_real_servers_read_the_edited_file_and_every_foreign_rdata_is_the_same(
    tmp_path: Path, run: object, without: dict[str, str]
) -> None:
    text = nasty_zone(ZONE, without=without)
    foreign = tuple(sorted(Rdata(t) for t in NASTY_TXT))
    served = []
    path = zone_file(tmp_path, text)
    for number in range(3):
        with run({ZONE: path.read_text()}, directory=tmp_path / f"server{number}") as server:  # type: ignore[operator]
            assert isinstance(server, NameServer)
            served.append(content(server.axfr(ZONE)))
        before, after = ((), (TOKEN,)) if number == 0 else ((TOKEN,), ())
        if number < 2:
            writer(tmp_path).write(ZONE, [Change(TXT, ZONE, before, after, foreign, 1234, 1234)])
    for zone in served:
        zone.pop((ZONE, "SOA"))
    assert served[0] == served[2]
    during = served[1].pop((TXT.name, "TXT"))
    original = served[0].pop((TXT.name, "TXT"))
    assert served[0] == served[1]
    assert during[1] - original[1] == {b"\x09our token"}
    assert original[1] < during[1]
