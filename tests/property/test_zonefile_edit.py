"""Laws of editing master files: whatever the style, foreign lines and records stay, or the edit is refused."""

from __future__ import annotations

from datetime import date

import dns.name
import dns.rdatatype
from hypothesis import event, given, settings
from hypothesis import strategies as st

from reconciler.apply.masterfile import MasterFileError
from reconciler.apply.zonefile_edit import edited_zone, parsed_zone, rrset_of
from reconciler.diff import Change
from reconciler.names import Name
from reconciler.state import Key, Rdata, txt_rdata

ZONE = Name("acme.example.")
KEY = Key(Name("_amazonses.acme.example."), "TXT")
MX = Key(ZONE, "MX")
TODAY = date(2026, 11, 21)

values = st.binary(max_size=12).map(
    lambda octets: '"' + "".join(chr(o) if 32 <= o < 127 and o not in b'"\\' else f"\\{o:03d}" for o in octets) + '"'
)
ours = st.sampled_from([txt_rdata(f"token {n}") for n in range(4)])
blanks = st.sampled_from([" ", "\t", "  \t"])
comments = st.sampled_from(["", "", " ; plain", ' ; "quote', " ; ( paren", ";\xe9\xff", "\t;; \\"])
ttls = st.sampled_from(["", "", "300", "1h", "900"])
fillers = st.sampled_from(
    ["", "; a comment", "   ", "\t; ) \xfe", "$TTL 600", "$ORIGIN sub.acme.example.", "$ORIGIN acme.example."]
)
owners = st.sampled_from(
    [
        "_amazonses.acme.example.",
        "_amazonses.acme.example.",
        "_amazonses.acme.example.",
        "acme.example.",
        "www.acme.example.",
        "a.sub.acme.example.",
    ]
)


@st.composite
def record_lines(draw: st.DrawFn, owner: str, rdtype: str, rdata: str, ttl: str, *, inherits: bool) -> str:
    """One record in some style; names are absolute, so that it means the same under any $ORIGIN."""
    blank = draw(blanks)
    middle = draw(st.permutations([part for part in (ttl, draw(st.sampled_from(["", "IN", "in"]))) if part]))
    head = blank.join(["" if inherits else owner, *middle, draw(st.sampled_from([rdtype, rdtype.lower()]))])
    style = draw(st.integers(0, 3))
    comment = draw(comments)
    if style == 0:
        return f"{head} ({comment}\n{blank}{rdata} ){comment}\n"
    if style == 1:
        return f"{head} ( {rdata}{comment}\n )\n"
    return f"{head}{blank}{rdata}{comment}\n"


@st.composite
def zone_files(draw: st.DrawFn) -> bytes:
    """A master file with rrsets in many styles; every rrset has one TTL, because RFC 2181 section 5.2 wants it."""
    per_owner = {
        owner: draw(ttls)
        for owner in ("_amazonses.acme.example.", "acme.example.", "www.acme.example.", "a.sub.acme.example.")
    }
    text = draw(st.sampled_from(["$TTL 3600\n", "$TTL 3600 ; default\n\n", ""]))
    text += "acme.example. 600 IN SOA ns.acme.example. h.acme.example. ( 7 ; serial\n 3600 600 86400 300 )\n"
    text += "acme.example. 600 NS ns.acme.example.\nns.acme.example. 600 A 192.0.2.53\n"
    previous = "ns.acme.example."
    for owner in draw(st.lists(owners, max_size=8)):
        text += draw(st.lists(fillers, max_size=2).map(lambda lines: "".join(f"{line}\n" for line in lines)))
        rdtype, rdata = draw(
            st.one_of(
                st.tuples(st.just("TXT"), st.one_of(ours, values)),
                st.tuples(st.just("MX"), st.integers(0, 3).map(lambda n: f"{n} mail.acme.example.")),
                st.tuples(st.just("A"), st.integers(1, 4).map(lambda n: f"192.0.2.{n}")),
            )
        )
        inherits = previous == owner and draw(st.booleans())
        text += draw(record_lines(owner, rdtype, rdata, per_owner[owner], inherits=inherits))
        previous = owner
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return (text if draw(st.booleans()) else text.rstrip("\r\n")).encode("latin-1")


@st.composite
def edits(draw: st.DrawFn) -> tuple[bytes, list[Change]]:
    data = draw(zone_files())
    content = parsed_zone(data, ZONE)
    present, ttl = rrset_of(content, KEY)
    before = tuple(sorted(v for v in present if v.startswith('"token')))
    foreign = tuple(sorted(present - set(before)))
    after = tuple(sorted(draw(st.sets(ours, max_size=3))))
    new_ttl = ttl if foreign and ttl is not None else draw(st.sampled_from([ttl or 300, 60]))
    changes = [Change(KEY, ZONE, before, after, foreign, ttl, new_ttl)]
    if draw(st.booleans()):
        mx, mx_ttl = rrset_of(content, MX)
        changes.append(Change(MX, ZONE, tuple(sorted(mx)), (Rdata("0 eu.mx-pp.com."),), (), mx_ttl, mx_ttl or 300))
    return data, [c for c in changes if not c.is_noop]


def all_rdata(data: bytes) -> dict[tuple[str, str], tuple[int, frozenset[bytes]]]:
    return {
        (name.to_text(), dns.rdatatype.to_text(rds.rdtype)): (rds.ttl, frozenset(r.to_wire() or b"" for r in rds))
        for name, rds in parsed_zone(data, ZONE).iterate_rdatasets()
    }


def is_subsequence(lines: list[bytes], of: list[bytes]) -> bool:
    remaining = iter(of)
    return all(line in remaining for line in lines)


@settings(max_examples=60, deadline=None)
@given(edits())
def test_an_edit_changes_our_rrsets_and_the_serial_alone_or_is_refused(edit: tuple[bytes, list[Change]]) -> None:
    data, changes = edit
    if not changes:
        return
    try:
        new = edited_zone(data, ZONE, changes, TODAY)
    except MasterFileError as exc:
        event(f"refused: {str(exc)[:50]}")
        return
    event("edited")
    content = parsed_zone(new, ZONE)
    for change in changes:
        rdatas, ttl = rrset_of(content, change.key)
        assert rdatas == change.wanted
        assert not rdatas or ttl == change.ttl
    touched = {(c.key.name, c.key.type) for c in changes} | {(ZONE, "SOA")}
    old_rdata, new_rdata = all_rdata(data), all_rdata(new)
    assert {k: v for k, v in old_rdata.items() if k not in touched} == {
        k: v for k, v in new_rdata.items() if k not in touched
    }
    # lines without any value of ours, in their order, octet for octet
    mentioned = [v.encode() for c in changes for v in (*c.before, *c.after)] + [b"mail.acme", b"; serial", b"(", b")"]
    kept = [line.rstrip(b"\r\n") for line in data.split(b"\n") if not any(m in line for m in mentioned)]
    assert is_subsequence(kept, [line.rstrip(b"\r\n") for line in new.split(b"\n")])
    assert dns.name.from_text(ZONE) in content.nodes


@settings(max_examples=25, deadline=None)
@given(edits())
def test_an_edit_and_its_inverse_give_the_same_records(edit: tuple[bytes, list[Change]]) -> None:
    data, changes = edit
    inverse = [
        Change(c.key, c.zone, c.after, c.before, c.foreign, c.ttl if c.wanted else None, c.ttl_before or c.ttl)
        for c in changes
    ]
    if not changes:
        return
    try:
        back = edited_zone(edited_zone(data, ZONE, changes, TODAY), ZONE, inverse, TODAY)
    except MasterFileError:
        return
    ignored = (ZONE, "SOA")
    old, new = all_rdata(data), all_rdata(back)
    assert {k: v for k, v in old.items() if k != ignored} == {k: v for k, v in new.items() if k != ignored}
