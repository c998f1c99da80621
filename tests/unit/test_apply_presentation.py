"""A backend's own text of an rdata, and the universal form."""

from __future__ import annotations

import dns.rdataclass
import dns.rdatatype
import pytest
from apply_builders import TOKEN_KEY, ZONE
from dns.rdtypes.ANY.TXT import TXT
from hypothesis import given
from hypothesis import strategies as st
from servers.nasty import NASTY_TXT

from reconciler.apply.presentation import DECIMAL, OCTAL, UnreadableRdataError, octal_rdata, universal_rdata
from reconciler.state import Key, Rdata, rdata_text

MX_KEY = Key(ZONE, "MX")


@pytest.mark.parametrize("rdata", NASTY_TXT)
def test_octal_and_back_is_the_same_rdata(rdata: str) -> None:
    text = octal_rdata(TOKEN_KEY, Rdata(rdata))
    assert text.isascii()
    assert text.isprintable()
    assert universal_rdata(TOKEN_KEY, text, base=OCTAL) == rdata


@given(st.lists(st.binary(max_size=255), min_size=1, max_size=5))
def test_any_octets_survive_both_escapes(strings: list[bytes]) -> None:
    rdata = rdata_text(TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings))
    assert universal_rdata(TOKEN_KEY, rdata, base=DECIMAL) == rdata
    assert universal_rdata(TOKEN_KEY, octal_rdata(TOKEN_KEY, rdata), base=OCTAL) == rdata


@pytest.mark.parametrize(
    ("text", "base", "rdata"),
    [
        (r'"\101\040\\\""', OCTAL, r'"A \\\""'),
        (r'"\065\032\\\""', DECIMAL, r'"A \\\""'),
        ('"a;b" "c"', DECIMAL, '"a;b" "c"'),
        ('"a""b"', DECIMAL, '"a" "b"'),
        ("plain", DECIMAL, '"plain"'),
        ('"\u00fc"', DECIMAL, r'"\195\188"'),
        ('""', OCTAL, '""'),
    ],
)
def test_txt_is_read_as_its_backend_means_it(text: str, base: int, rdata: str) -> None:
    assert universal_rdata(TOKEN_KEY, text, base=base) == rdata


@pytest.mark.parametrize("text", ['"open', 'a"b', "", '"ends\\"', r'"\400"', r'"\089"', f'"{"x" * 256}"'])
def test_what_has_no_exact_meaning_is_refused(text: str) -> None:
    with pytest.raises(UnreadableRdataError):
        universal_rdata(TOKEN_KEY, text, base=OCTAL)


def test_a_long_string_is_split_where_the_backend_does() -> None:
    expected = f'"{"x" * 255}" "{"x" * 45}"'
    assert universal_rdata(TOKEN_KEY, f'"{"x" * 300}"', base=DECIMAL, split_long=True) == expected


def test_names_are_absolute_with_or_without_the_last_dot() -> None:
    assert universal_rdata(MX_KEY, "10 Mail.Acme.Example", base=OCTAL) == "10 mail.acme.example."
    assert universal_rdata(MX_KEY, r"10 a\052b.example.", base=OCTAL) == "10 a*b.example."
    assert universal_rdata(MX_KEY, r"10 a\\052b.example.", base=OCTAL) == r"10 a\\052b.example."


def test_names_get_octal_escapes() -> None:
    rdata = Rdata(r"10 a\032b.example.")
    assert octal_rdata(MX_KEY, rdata) == r"10 a\040b.example."


@pytest.mark.parametrize("text", ["mail.example.", "10", "70000 mail.example.", "10 a..b."])
def test_a_broken_mx_is_refused(text: str) -> None:
    with pytest.raises(UnreadableRdataError):
        universal_rdata(MX_KEY, text, base=OCTAL)
