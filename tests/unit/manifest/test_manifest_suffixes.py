"""The quick look into the list's text passes over no public suffix."""

from __future__ import annotations

from pathlib import Path

import pytest
from publicsuffixlist import PSLFILE, PublicSuffixList

from reconciler.manifest.hosts import public_suffix_section
from reconciler.names import InvalidNameError, Name, canonical_name


def _names() -> set[str]:
    """What every rule of the list names, what a wildcard lets through, and names beside them."""
    lines = Path(PSLFILE).read_text(encoding="utf-8").splitlines()
    rules = [line.split()[0] for line in lines if line.strip() and not line.startswith("//")]
    names = set()
    for rule in rules:
        plain = rule.lstrip("!").removeprefix("*.")
        names |= {plain, f"any.{plain}", plain.partition(".")[2]}
    return names - {""}


def _canonical(written: str) -> Name | None:
    try:
        return canonical_name(written)
    except InvalidNameError:
        return None


def test_every_rule_of_the_list_is_found() -> None:
    """Exceptions, wildcards and other scripts included: the answers are those of the reader that knows its rules."""
    known = PublicSuffixList(accept_unknown=False)
    names = [name for written in sorted(_names()) if (name := _canonical(written)) is not None]
    assert len(names) > 10_000
    wrong = [n for n in names if (public_suffix_section(n) is not None) != (known.publicsuffix(n[:-1]) == n[:-1])]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "section"),
    [("co.uk.", "ICANN"), ("any.ck.", "ICANN"), ("www.ck.", None), ("github.io.", "PRIVATE"), ("acme.example.", None)],
)
def test_sections(name: Name, section: str | None) -> None:
    assert public_suffix_section(name) == section
