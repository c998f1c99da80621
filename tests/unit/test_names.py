"""The universal form of names (RFC 1035 section 2.3, RFC 5891, UTS 46)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.names import ROOT, InvalidNameError, Name, canonical_name, deepest_apex, display_name, is_under


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("acme.example", "acme.example."),
        ("ACME.Example.", "acme.example."),
        ("_amazonses.acme.example", "_amazonses.acme.example."),
        ("bücher.example", "xn--bcher-kva.example."),
        ("BÜCHER.example", "xn--bcher-kva.example."),
        ("XN--Bcher-kva.example", "xn--bcher-kva.example."),
        ("bu\u0308cher.example", "xn--bcher-kva.example."),  # u and a combining diaeresis
        ("straße.example", "xn--strae-oqa.example."),
        ("a\u3002b.example", "a.b.example."),  # an ideographic full stop is a dot, UTS 46 section 4
        ("\uff41.example", "a.example."),
        ("127.example", "127.example."),
        ("a" * 63, "a" * 63 + "."),
    ],
)
def test_canonical_form(written: str, name: str) -> None:
    assert canonical_name(written) == name


@pytest.mark.parametrize(
    "written",
    [
        "",
        ".",
        "..",
        ".acme.example",
        "acme..example",
        "acme.example..",
        "-acme.example",
        "acme-.example",
        "ac me.example",
        "acme.example\n",
        "acme\x00.example",
        "*.acme.example",
        "acme.example:25",
        "[192.0.2.1]",
        "a" * 64,
        "ü" * 60,
        ".".join(["a" * 63] * 4),
        "xn--.example",
        "xn--a.example",
        "xn--\u00fc.example",
        "\u2603.example",  # a symbol, RFC 5892
        "\u202eacme.example",
        "a\u3002.example",
        "\u3002",
    ],
)
def test_what_is_no_name(written: str) -> None:
    with pytest.raises(InvalidNameError, match=r"\w+ \w+"):
        canonical_name(written)


def test_the_limit_is_255_octets_on_the_wire() -> None:
    longest = ".".join(["a" * 63] * 3 + ["a" * 61])
    assert len(canonical_name(longest)) + 1 == 255
    with pytest.raises(InvalidNameError, match="256 octets"):
        canonical_name(f"{longest}a")


@pytest.mark.parametrize("label", ["ü.", "a.", "\u00ad", "a"])
def test_a_mebibyte_is_refused_unread(label: str) -> None:
    """Names come from pull requests: encoding 100,000 labels took six seconds."""
    with pytest.raises(InvalidNameError, match="characters long"):
        canonical_name(label * (1 << 20))


@given(st.text(max_size=20) | st.from_regex(r"[a-zA-Z0-9_.\-äß。]{1,20}", fullmatch=True))
def test_a_name_is_its_own_canonical_form(text: str) -> None:
    try:
        name = canonical_name(text)
    except InvalidNameError:
        return
    assert canonical_name(name) == canonical_name(display_name(name)) == canonical_name(name.upper()) == name
    assert name.isascii()
    assert all(0 < len(label) <= 63 for label in name[:-1].split("."))


def test_is_under() -> None:
    acme, mail = Name("acme.example."), Name("mail.acme.example.")
    assert is_under(mail, acme)
    assert is_under(acme, acme)
    assert is_under(acme, ROOT)
    assert not is_under(acme, mail)
    assert not is_under(Name("xacme.example."), acme)


def test_display_name() -> None:
    assert display_name(Name("acme.example.")) == "acme.example"
    assert display_name(ROOT) == "."


@pytest.mark.parametrize(
    ("name", "apex"),
    [
        ("acme.example.", "acme.example."),
        ("_amazonses.mail.acme.example.", "mail.acme.example."),
        ("www.acme.example.", "acme.example."),
        ("notacme.example.", None),
        ("example.", None),
        (".", None),
    ],
)
def test_the_deepest_apex_holds_a_name_and_the_root_holds_none(name: str, apex: str | None) -> None:
    apexes = {Name("acme.example."), Name("mail.acme.example."), ROOT}
    assert deepest_apex(Name(name), apexes) == apex
