"""Master files as the observed world."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from reconciler.names import Name, canonical_name
from reconciler.observe import Question
from reconciler.observe.zonefile import ZonefileObserver
from reconciler.state import Absent, Cause, Key, Observation, Present, Unknown, Zone

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "$TTL 300\n@ IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 192.0.2.1\n"


def write_zone(directory: Path, apex: str, text: str, *, extension: str = ".zone") -> None:
    (directory / f"{apex}{extension}").write_text(text, encoding="utf-8")


def observe_one(
    directory: Path, owner: str, rdtype: str, *, domain: str = "", zone: str = "", extension: str = ".zone"
) -> Observation:
    declared = canonical_name(zone) if zone else None
    question = Question(Key(Name(owner), rdtype), canonical_name(domain or owner), declared)
    (observation,) = ZonefileObserver(directory, extension).observe([question])
    return observation


def unknown(observation: Observation) -> Unknown:
    assert isinstance(observation.observed, Unknown), observation
    return observation.observed


def test_present_with_ttl_and_every_octet(tmp_path: Path) -> None:
    write_zone(tmp_path, "acme.example", f'{HEAD}_amazonses 60 IN TXT "a\\\\b;\\200" "" "c"\n@ IN MX 10 Mail\n')
    observation = observe_one(tmp_path, "_amazonses.acme.example.", "TXT", domain="acme.example")
    path = str(tmp_path / "acme.example.zone")
    assert observation.zone == Zone(Name("acme.example."), (path,))
    assert [a.server for a in observation.answers] == [path]
    assert isinstance(observation.observed, Present)
    assert observation.observed.rrset.ttl == 60
    assert observation.observed.rrset.rdatas == ('"a\\\\b;\\200" "" "c"',)
    mx = observe_one(tmp_path, "acme.example.", "MX").observed
    assert isinstance(mx, Present)
    assert mx.rrset.rdatas == ("10 mail.acme.example.",)
    assert mx.rrset.ttl == 300


@pytest.mark.parametrize("altitude", ["42949673.00m", "1e400m"])
def test_rdata_that_cannot_be_encoded_leave_the_other_zones_alone(tmp_path: Path, altitude: str) -> None:
    """The exceptions of dnspython's arithmetic are no DNSException: struct.error, OverflowError."""
    write_zone(tmp_path, "acme.example", f"{HEAD}l IN LOC 52 22 23.000 N 4 53 32.000 E {altitude}\n")
    assert unknown(observe_one(tmp_path, "acme.example.", "MX")).cause is Cause.UNREADABLE


def test_origins_that_change_inside_the_file(tmp_path: Path) -> None:
    text = f"$ORIGIN acme.example.\n{HEAD}$ORIGIN sub\n@ IN MX 10 mail\n$ORIGIN acme.example.\n_amazonses IN TXT x\n"
    write_zone(tmp_path, "acme.example", text)
    below = observe_one(tmp_path, "sub.acme.example.", "MX").observed
    assert isinstance(below, Present)
    assert below.rrset.rdatas == ("10 mail.sub.acme.example.",)
    assert isinstance(observe_one(tmp_path, "_amazonses.acme.example.", "TXT", domain="acme.example").observed, Present)


def test_directives_of_everyday_files(tmp_path: Path) -> None:
    moved = "$ORIGIN sub.acme.example.\n@ MX 1 mx\n$TTL 5m\n$ORIGIN acme.example.\n"
    write_zone(tmp_path, "acme.example", f"{HEAD}{moved}_amazonses.sub TXT (\n  a ; why\n  b )\n")
    mx = observe_one(tmp_path, "sub.acme.example.", "MX").observed
    assert isinstance(mx, Present)
    assert mx.rrset.rdatas == ("1 mx.sub.acme.example.",)
    txt = observe_one(tmp_path, "_amazonses.sub.acme.example.", "TXT", domain="sub.acme.example").observed
    assert isinstance(txt, Present)
    assert txt.rrset.rdatas == ('"a" "b"',)
    assert txt.rrset.ttl == 300


def test_octodns_names_files_with_a_dot_alone_too(tmp_path: Path) -> None:
    write_zone(tmp_path, "acme.example", HEAD, extension=".")
    observation = observe_one(tmp_path, "acme.example.", "NS", extension=".")
    assert isinstance(observation.observed, Present)


def test_absent(tmp_path: Path) -> None:
    write_zone(tmp_path, "acme.example", HEAD)
    for owner, rdtype in (("acme.example.", "MX"), ("x.acme.example.", "MX")):
        assert observe_one(tmp_path, owner, rdtype, domain="acme.example").observed == Absent()


@pytest.mark.parametrize("record", ['* IN TXT "x"', "* IN CNAME x.example."])
def test_a_wildcard_holds_nothing_at_the_names_it_covers(tmp_path: Path, record: str) -> None:
    write_zone(tmp_path, "acme.example", f"{HEAD}{record}\n")
    observed = observe_one(tmp_path, "_amazonses.acme.example.", "TXT", domain="acme.example").observed
    assert observed == Absent()


@pytest.mark.parametrize(
    ("records", "is_covered"),
    [
        ("* MX 1 mx\n", True),
        ("* A 192.0.2.1\n", True),
        ('* TXT "x"\n', False),
        ("* MX 1 mx\nb A 192.0.2.1\n", False),
        ("* MX 1 mx\nx.a.b A 192.0.2.1\n", False),
        ("* MX 1 mx\n*.b MX 1 mx\n", True),
        ("* MX 1 mx\n*.b TXT x\n", False),
        ("*.c MX 1 mx\n", False),
    ],
)
def test_a_mail_domain_that_only_a_wildcard_makes_is_told_from_none(
    tmp_path: Path, records: str, *, is_covered: bool
) -> None:
    write_zone(tmp_path, "acme.example", f"{HEAD}{records}")
    assert observe_one(tmp_path, "a.b.acme.example.", "MX").observed == Absent(is_covered=is_covered)


def test_the_deepest_file_is_the_zone(tmp_path: Path) -> None:
    write_zone(tmp_path, "example", HEAD)
    write_zone(tmp_path, "acme.example", f"{HEAD}@ IN MX 1 mx\n")
    assert isinstance(observe_one(tmp_path, "acme.example.", "MX").observed, Present)
    inside = observe_one(tmp_path, "a.b.acme.example.", "MX")
    assert inside.zone is not None
    assert inside.zone.apex == "acme.example."
    beside = observe_one(tmp_path, "other.example.", "MX")
    assert beside.zone is not None
    assert beside.zone.apex == "example."


def test_a_child_with_a_file_of_its_own_is_not_the_parents(tmp_path: Path) -> None:
    write_zone(tmp_path, "example", HEAD)
    write_zone(tmp_path, "acme.example", HEAD)
    write_zone(tmp_path, "_amazonses.acme.example", HEAD)
    assert unknown(observe_one(tmp_path, "acme.example.", "MX", zone="example")).cause is Cause.DELEGATED
    token = observe_one(tmp_path, "_amazonses.acme.example.", "TXT", domain="acme.example")
    assert unknown(token).cause is Cause.DELEGATED


@pytest.mark.parametrize("owner", ["cut.acme.example.", "_amazonses.cut.acme.example."])
@pytest.mark.parametrize("rdtype", ["TXT", "NS"])
def test_below_a_delegation(tmp_path: Path, owner: str, rdtype: str) -> None:
    """What the file has below a cut is hidden (RFC 1034 section 4.2.1), even where it looks present."""
    write_zone(tmp_path, "acme.example", f'{HEAD}cut IN NS ns.example.\n_amazonses.cut IN TXT "hidden"\n')
    found = unknown(observe_one(tmp_path, owner, rdtype, domain="cut.acme.example"))
    assert found.cause is Cause.DELEGATED
    assert "cut.acme.example." in found.detail


def test_outside_the_zone(tmp_path: Path) -> None:
    write_zone(tmp_path, "acme.example", HEAD)
    assert unknown(observe_one(tmp_path, "b.example.", "MX", domain="acme.example")).cause is Cause.DELEGATED


@pytest.mark.parametrize(
    ("records", "owner"),
    [
        ("alias IN CNAME x.example.", "alias.acme.example."),
        ("@ IN DNAME x.example.", "a.acme.example."),
        ("sub IN DNAME x.example.", "a.b.sub.acme.example."),
    ],
)
def test_aliases(tmp_path: Path, records: str, owner: str) -> None:
    write_zone(tmp_path, "acme.example", f"{HEAD}{records}\n".replace("ns1 IN A 192.0.2.1\n", ""))
    found = unknown(observe_one(tmp_path, owner, "MX"))
    assert found.cause is Cause.CNAME
    assert "x.example." in found.detail


def test_a_dname_does_not_hide_its_own_name(tmp_path: Path) -> None:
    write_zone(tmp_path, "acme.example", f"{HEAD}@ IN DNAME x.example.\n@ IN MX 1 mx.example.\n")
    assert isinstance(observe_one(tmp_path, "acme.example.", "MX").observed, Present)


def test_no_file(tmp_path: Path) -> None:
    observation = observe_one(tmp_path, "acme.example.", "MX")
    assert observation.zone is None
    assert unknown(observation).cause is Cause.NO_SUCH_ZONE
    assert "acme.example.zone" in unknown(observation).detail


def test_the_declared_zone_has_no_file(tmp_path: Path) -> None:
    write_zone(tmp_path, "example", HEAD)
    assert unknown(observe_one(tmp_path, "acme.example.", "MX", zone="acme.example")).cause is Cause.NO_SUCH_ZONE


def test_no_folder(tmp_path: Path) -> None:
    observation = observe_one(tmp_path / "missing", "acme.example.", "MX")
    assert unknown(observation).cause is Cause.UNREADABLE
    assert observation.zone is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{HEAD}@ IN MX ten mail\n", 5),
        (f"{HEAD}$INCLUDE /etc/passwd\n", 5),
        (f'{HEAD}@ IN TXT "unclosed\n', 6),
        (f"{HEAD}@ IN NOSUCHTYPE x\n", 5),
        (f"{HEAD}a.b IN SOA ns1 hostmaster 1 2 3 4 5\n", 0),
        (f"{HEAD}a IN CNAME b\na IN MX 1 mx\n", 0),
        ("", 0),
        ("$TTL 300\n@ IN NS ns1\n", 0),
        ("$TTL 300\n@ IN SOA ns1 hostmaster 1 2 3 4 5\n", 0),
    ],
)
def test_unreadable_with_the_file_and_the_line_where_known(tmp_path: Path, text: str, line: int) -> None:
    write_zone(tmp_path, "acme.example", text)
    observation = observe_one(tmp_path, "acme.example.", "MX")
    found = unknown(observation)
    assert found.cause is Cause.UNREADABLE
    assert "acme.example.zone" in found.detail
    assert not line or f"acme.example.zone:{line}" in found.detail
    assert observation.zone is not None, "the zone is known, its content is not"


def test_a_line_that_makes_a_billion_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.observe.masterfile.MAX_RECORDS", 100)
    write_zone(tmp_path, "acme.example", f"{HEAD}$GENERATE 1-90 h$ A 192.0.2.1\n")
    assert isinstance(observe_one(tmp_path, "h90.acme.example.", "A").observed, Present)
    write_zone(tmp_path, "acme.example", f"{HEAD}$generate 1-1000000000 h$ A 192.0.2.1\n")
    assert unknown(observe_one(tmp_path, "acme.example.", "MX")).cause is Cause.UNREADABLE


def test_octets_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "acme.example.zone").write_bytes(HEAD.encode() + b'@ IN TXT "\xff"\n')
    found = unknown(observe_one(tmp_path, "acme.example.", "MX"))
    assert found.cause is Cause.UNREADABLE
    assert "acme.example.zone:5" in found.detail


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "acme.example.zone")
    (tmp_path / "b.example.zone").mkdir()
    (tmp_path / "c.example.zone").symlink_to(tmp_path / "nowhere")
    for domain in ("acme.example.", "b.example.", "c.example."):
        assert unknown(observe_one(tmp_path, domain, "MX")).cause is Cause.UNREADABLE


def test_one_broken_file_leaves_the_others_alone(tmp_path: Path) -> None:
    write_zone(tmp_path, "a.example", "broken")
    write_zone(tmp_path, "b.example", f"{HEAD}@ IN MX 1 mx\n")
    names = [canonical_name(n) for n in ("a.example", "b.example")]
    questions = [Question(Key(n, "MX"), n) for n in names]
    observed = {o.key.name: o.observed for o in ZonefileObserver(tmp_path, ".zone").observe(questions)}
    assert isinstance(observed[names[0]], Unknown)
    assert isinstance(observed[names[1]], Present)


def test_one_observation_for_each_question_duplicates_too(tmp_path: Path) -> None:
    write_zone(tmp_path, "acme.example", HEAD)
    name = canonical_name("acme.example")
    seen: list[int] = []
    questions = [Question(Key(name, t), name) for t in ("MX", "TXT", "MX")]
    found = list(ZonefileObserver(tmp_path, ".zone", seen.append).observe(questions))
    assert sorted(o.key.type for o in found) == ["MX", "MX", "TXT"]
    assert seen == [1, 2, 3]


def test_a_file_is_read_again_in_the_next_run(tmp_path: Path) -> None:
    observer = ZonefileObserver(tmp_path, ".zone")
    question = Question(Key(Name("acme.example."), "MX"), Name("acme.example."))
    write_zone(tmp_path, "acme.example", HEAD)
    assert [o.observed for o in observer.observe([question])] == [Absent()]
    write_zone(tmp_path, "acme.example", f"{HEAD}@ IN MX 1 mx\n")
    assert [type(o.observed) for o in observer.observe([question])] == [Present]
