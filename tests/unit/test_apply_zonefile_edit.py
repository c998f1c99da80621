"""Editing one master file after another: what changes, what stays, and what is refused."""

from __future__ import annotations

from datetime import date

import pytest

from reconciler.apply.masterfile import MasterFileError
from reconciler.apply.zonefile_edit import (
    edited_zone,
    parsed_zone,
    raised_serial,
    require_same_lines,
    require_same_records,
    rrset_of,
)
from reconciler.diff import Change
from reconciler.names import Name
from reconciler.state import Key, Rdata

ZONE = Name("acme.example.")
TXT = Key(Name("_amazonses.acme.example."), "TXT")
MX = Key(ZONE, "MX")
TODAY = date(2026, 11, 21)
HEAD = "$TTL 3600\n@ SOA ns hostmaster 7 3600 600 86400 300\n@ NS ns\nns A 192.0.2.53\n"


def change(
    key: Key,
    before: tuple[str, ...],
    after: tuple[str, ...],
    foreign: tuple[str, ...] = (),
    ttl: tuple[int | None, int] = (3600, 3600),
) -> Change:
    """A change; `ttl` is (before, after) in seconds."""
    rdatas = [tuple(Rdata(v) for v in values) for values in (before, after, foreign)]
    return Change(key, ZONE, rdatas[0], rdatas[1], rdatas[2], ttl[0], ttl[1])


def edited(text: str, *changes: Change) -> str:
    return edited_zone(text.encode("latin-1"), ZONE, changes, TODAY).decode("latin-1")


def switch(ttl: tuple[int | None, int] = (3600, 3600)) -> Change:
    return change(MX, ("10 mail.acme.example.",), ("0 eu.mx-pp.com.",), ttl=ttl)


def token(foreign: tuple[str, ...] = (), ttl: tuple[int | None, int] = (None, 300)) -> Change:
    return change(TXT, (), ('"token"',), foreign, ttl)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("@ MX 10 mail ; the old one\n", "@ MX 0 eu.mx-pp.com. ; the old one\n"),
        ("@\tIN\tMX\t10\tmail.acme.example.\n", "@\tIN\tMX\t0 eu.mx-pp.com.\n"),
        ("acme.example. 3600 IN MX 10 Mail.Acme.Example.\n", "acme.example. 3600 IN MX 0 eu.mx-pp.com.\n"),
        ("@ IN 1h mx 10 mail\n", "@ IN 1h mx 0 eu.mx-pp.com.\n"),
        ("@ IN MX ( 10 ; preference\n  mail )\n", "@\t3600\tIN\tMX\t0 eu.mx-pp.com.\n"),
        ("$ORIGIN example.\nacme MX 10 mail.acme\n", "$ORIGIN example.\nacme MX 0 eu.mx-pp.com.\n"),
        ("@ A 192.0.2.1\n  MX 10 mail\n  MX 10 mail\n", "@ A 192.0.2.1\n  MX 0 eu.mx-pp.com.\n"),
    ],
)
def test_a_value_is_replaced_in_its_line(line: str, expected: str) -> None:
    assert edited(HEAD + line, switch()) == HEAD.replace(" 7 ", " 8 ") + expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("@ MX 10 mail ; kept\n", "@ 60 MX 10 mail ; kept\n"),
        ("@ IN MX 10 mail\n", "@ 60 IN MX 10 mail\n"),
        ("@ IN 3600 MX 10 mail\n", "@ IN 60 MX 10 mail\n"),
        ("@ 1H MX (10 mail)\n", "@\t60\tIN\tMX\t10 mail.acme.example.\n"),
    ],
)
def test_a_ttl_alone_is_changed_in_its_line(line: str, expected: str) -> None:
    kept = ("10 mail.acme.example.",)
    assert edited(HEAD + line, change(MX, kept, kept, ttl=(3600, 60))) == HEAD.replace(" 7 ", " 8 ") + expected


def test_a_new_value_stands_below_its_siblings_and_a_new_rrset_at_the_end() -> None:
    text = HEAD + '_amazonses 900 TXT "foreign" ; theirs\nwww A 192.0.2.80\n; the end'
    added = edited(text, token(('"foreign"',), (900, 900)))
    assert '"foreign" ; theirs\n_amazonses.acme.example.\t900\tIN\tTXT\t"token"\nwww' in added
    new = change(Key(Name("new.acme.example."), "TXT"), (), ('"a"', '"b"'), ttl=(None, 60))
    created = edited(text, new)
    assert created.endswith('; the end\nnew.acme.example.\t60\tIN\tTXT\t"a"\nnew.acme.example.\t60\tIN\tTXT\t"b"\n')


def test_several_new_rrsets_share_the_end_of_a_file_without_a_last_newline() -> None:
    other = change(Key(Name("new.acme.example."), "TXT"), (), ('"a"',), ttl=(None, 60))
    created = edited(HEAD + "www A 192.0.2.80", token(), other)
    assert created.endswith(
        'www A 192.0.2.80\n_amazonses.acme.example.\t300\tIN\tTXT\t"token"\nnew.acme.example.\t60\tIN\tTXT\t"a"\n'
    )


def test_windows_line_ends_comments_and_octets_that_are_not_utf_8_stay() -> None:
    text = (HEAD + '; caf\xe9 \xff\n@ MX 10 mail\nother TXT "\xe9\\\xff;" ; \xfe\n').replace("\n", "\r\n")
    new = edited(text, switch(), token())
    expected = text.replace(" 7 ", " 8 ").replace("10 mail", "0 eu.mx-pp.com.")
    assert new == expected + '_amazonses.acme.example.\t300\tIN\tTXT\t"token"\r\n'


def test_a_line_that_others_depend_on_takes_another_value_of_ours() -> None:
    text = HEAD + '_amazonses TXT "old"\n TXT "foreign"\n TXT "kept"\n TXT "older"\nwww A 192.0.2.80\n'
    leaving = change(TXT, ('"kept"', '"old"', '"older"'), ('"kept"',), ('"foreign"',))
    assert edited(text, leaving) == HEAD.replace(" 7 ", " 8 ") + (
        '_amazonses TXT "kept"\n TXT "foreign"\nwww A 192.0.2.80\n'
    )


def test_a_foreign_line_that_would_lose_its_owner_name_is_named_and_nothing_is_done() -> None:
    text = HEAD + '_amazonses TXT "old"\n TXT "foreign"\n'
    with pytest.raises(MasterFileError, match="owner name") as caught:
        edited(text, change(TXT, ('"old"',), (), ('"foreign"',)))
    assert caught.value.line == 6


def test_a_foreign_line_never_takes_over_a_ttl_of_ours() -> None:
    """Without $TTL a record has the TTL that was stated last."""
    text = "@ 900 SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n_amazonses TXT 'x'\n@ MX 10 mail\nlast A 192.0.2.2\n"
    text = text.replace("'", '"')
    before, after = parsed_zone(text.encode(), ZONE), edited(text, token(('"x"',), (900, 900)), switch((900, 900)))
    assert parsed_zone(after.encode(), ZONE).get_rdataset("last.acme.example.", "A") == before.get_rdataset(
        "last.acme.example.", "A"
    )
    with pytest.raises(MasterFileError, match="TTL"):
        edited(text, switch((900, 60)))


def test_a_last_record_may_go_whole() -> None:
    text = HEAD + '_amazonses TXT "old"\n'
    assert edited(text, change(TXT, ('"old"',), ())) == HEAD.replace(" 7 ", " 8 ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$INCLUDE other.zone\n", "INCLUDE"),
        ("$UNICODE on\n", "directive|read"),
        ("@ RRSIG MX 8 2 3600 20300101000000 20200101000000 1 acme.example. AwEAAaet\n", "signed"),
        ('x TXT "open\n', "quote|read"),
        ("x A ( 192.0.2.1\n", "read|parenthes"),
        ("x A 192.0.2.1 \r y\n", "carriage"),
        ("x CH A 192.0.2.1\n", "read|class"),
        ("x NOSUCHTYPE 192.0.2.1\n", "read|understood"),
        ("@ SOA ns hostmaster 9 3600 600 86400 300\n", "one SOA"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text: str, reason: str) -> None:
    with pytest.raises(MasterFileError, match=reason):
        edited(HEAD + "@ MX 10 mail\n" + text, switch())


def test_a_value_made_by_generate_is_refused_and_its_line_stays_otherwise() -> None:
    text = HEAD + '$GENERATE 1-2 host$ A 192.0.2.$\n_amazonses TXT "old"\n$GENERATE 1-1 _amazonses TXT made$\n'
    with pytest.raises(MasterFileError, match="GENERATE"):
        edited(text, change(TXT, ('"made1"', '"old"'), ('"new"',)))
    new = edited(text, change(TXT, ('"old"',), ('"new"',), ('"made1"',)))
    assert new == text.replace(" 7 ", " 8 ").replace("old", "new")


@pytest.mark.parametrize(
    ("serial", "expected"),
    [
        (1, 2),
        (4294967295, 1),
        (4294967294, 4294967295),
        (2026112000, 2026112100),
        (2026112100, 2026112101),
        (2026112199, 2026112200),
        (2027010100, 2027010101),
        (2026139901, 2026139902),
        (1762000000, 1762000001),
        (1987000000, 1987000001),
    ],
)
def test_serials_go_up_and_dates_stay_dates(serial: int, expected: int) -> None:
    assert raised_serial(serial, TODAY) == expected


def test_names_that_are_escaped_or_in_another_case_are_found() -> None:
    text = HEAD + '_AMAZON\\083es 900 TXT "old"\n'
    assert '\\083es 900 TXT "token"' in edited(text, change(TXT, ('"old"',), ('"token"',), ttl=(900, 900)))


def test_a_serial_over_several_lines_with_comments_goes_up_in_place() -> None:
    soa = "@ IN SOA ns hostmaster (\n    2026112003 ; serial (yes)\n    3600 600 86400 300 ) ; end\n"
    text = f"$TTL 3600\n{soa}@ NS ns\nns A 192.0.2.53\n@ MX 10 mail\n"
    assert edited(text, switch()) == text.replace("2026112003", "2026112100").replace("10 mail", "0 eu.mx-pp.com.")


def test_rrset_of_reads_the_universal_form() -> None:
    content = parsed_zone((HEAD + "@ 5 MX 10 Mail\n").encode(), ZONE)
    assert rrset_of(content, MX) == (frozenset({"10 mail.acme.example."}), 5)
    assert rrset_of(content, TXT) == (frozenset(), None)


def test_octets_above_127_are_octets_whatever_their_encoding() -> None:
    text = HEAD + '_amazonses TXT "z\xc3\xbcrich"\n_amazonses TXT "\xff\\\xfe"\n'
    foreign = ('"\\255\\254"', '"z\\195\\188rich"')
    assert rrset_of(parsed_zone(text.encode("latin-1"), ZONE), TXT) == (frozenset(foreign), 3600)
    assert edited(text, token(foreign, (3600, 3600))).startswith(text.replace(" 7 ", " 8 "))


def test_where_a_line_below_the_siblings_would_pass_its_ttl_on_it_stands_at_the_end() -> None:
    siblings = '_amazonses 300 TXT "x"\n_amazonses 900 TXT "y"\n'
    text = f"@ 900 SOA ns h 7 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n{siblings}www A 192.0.2.2\n"
    new = edited(text, token(('"x"', '"y"'), (300, 300)))
    assert new == text.replace(" 7 ", " 8 ") + '_amazonses.acme.example.\t300\tIN\tTXT\t"token"\n'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("; a comment\n", "; another comment\n"),
        ("www A 192.0.2.1\n", "www  A 192.0.2.1\n"),
        ("www A 192.0.2.1\nwww A 192.0.2.2\n", "www A 192.0.2.2\nwww A 192.0.2.1\n"),
        ("\n\n", "\n"),
    ],
)
def test_the_proof_of_lines_sees_what_means_the_same(old: str, new: str) -> None:
    before, after = (parsed_zone((HEAD + "@ MX 10 mail\n" + text).encode(), ZONE) for text in (old, new))
    kept = ("10 mail.acme.example.",)
    require_same_records(before, after, [change(MX, kept, kept)])
    with pytest.raises(MasterFileError, match="not ours"):
        require_same_lines(HEAD + old, HEAD + new, ZONE, [switch()])


@pytest.mark.parametrize("new", ["www 60 A 192.0.2.1\n", "www A 192.0.2.3\n", "", "www A 192.0.2.1\nx A 192.0.2.1\n"])
def test_the_proof_of_records_sees_ttls_rdatas_and_names(new: str) -> None:
    old = parsed_zone((HEAD + "@ MX 0 eu.mx-pp.com.\nwww A 192.0.2.1\n").encode(), ZONE)
    wrong = parsed_zone((HEAD + "@ MX 0 eu.mx-pp.com.\n" + new).encode(), ZONE)
    with pytest.raises(MasterFileError, match="another record"):
        require_same_records(old, wrong, [switch()])


def test_rdata_that_cannot_be_encoded_are_refused_as_a_file_that_cannot_be_read() -> None:
    """The arithmetic of dnspython raises struct.error for this altitude."""
    with pytest.raises(MasterFileError, match="cannot be read"):
        parsed_zone((HEAD + "l LOC 52 22 23.000 N 4 53 32.000 E 42949673.00m\n").encode(), ZONE)
