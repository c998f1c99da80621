"""Allowlists as files that a reviewer reads: an export, what it says, and what is emitted to bring it in line.

Each case is an origin that knows two of the eu region's addresses, one of the us region's and somebody's own block.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from origin_lab import EU, KNOWN
from targets_lab import declared_list

from reconciler.addresses import parse_address_set
from reconciler.allowlist_diff import compare
from reconciler.emit.allowlists import build_emission, render_target
from reconciler.targets.base import UnreadableExportError
from reconciler.targets.declaration import declaration_problems
from reconciler.targets.registry import ALLOWLIST_TARGETS
from reconciler.templating import Templates

if TYPE_CHECKING:
    from reconciler.targets.base import AllowlistContent, DeclaredAllowlist

GOLDEN = Path(__file__).parents[1] / "golden" / "targets"
MADE_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
DECLARED = [
    declared_list("postfix-access", intent="restrict", action="defer"),
    declared_list("postfix-postscreen"),
    declared_list("exim-iplsearch"),
    declared_list("cpanel-trustedmailhosts"),
    declared_list("cpanel-greylist"),
    declared_list("csf", intent="restrict"),
    declared_list("nftables", "gateway", table="mail", name6="gateway6"),
    declared_list("ipset", "gateway", exclusive=True),
    declared_list("iptables", "GATEWAY", intent="restrict"),
    declared_list("firewalld", "gateway"),
    declared_list("aws-prefix-list", "pl-0123456789abcdef0"),
    declared_list("pfsense-alias", "gateway"),
    declared_list("opnsense-alias", "gateway"),
]

each = pytest.mark.parametrize("declared", DECLARED, ids=lambda d: d.target)


def _export(declared: DeclaredAllowlist) -> str:
    return (GOLDEN / declared.target / "before.export").read_text()


def _content(declared: DeclaredAllowlist) -> AllowlistContent:
    return ALLOWLIST_TARGETS[declared.target].read(_export(declared), declared)


def _emitted(declared: DeclaredAllowlist) -> dict[str, str]:
    emission = build_emission(("acme", "hq"), declared, EU, _content(declared), KNOWN, may_remove=True)
    return render_target(ALLOWLIST_TARGETS[declared.target], emission, Templates(None))


def _told(declared: DeclaredAllowlist) -> str:
    """What the export says, as lines for people."""
    content = _content(declared)
    found = compare(parse_address_set(EU), content, KNOWN)
    lines = [f"allowed {entry.written}" for entry in content.entries]
    lines += [f"missing {text}" for text in found.missing.texts]
    lines += [f"stale {entry.written}" for entry in found.stale]
    lines += [f"foreign {entry.written}" for entry in found.foreign]
    lines += [f"advice {a.code}: {a.summary}. {a.detail}" for a in content.advice]
    return "".join(f"{line}\n" for line in lines)


@each
def test_an_export_says_what_its_file_says(declared: DeclaredAllowlist) -> None:
    assert _told(declared) == (GOLDEN / declared.target / "before.txt").read_text()
    assert _content(declared).made_at == MADE_AT


@each
def test_the_emitted_files_are_those_of_the_golden_folder(declared: DeclaredAllowlist) -> None:
    folder = GOLDEN / declared.target / "emitted"
    assert _emitted(declared) == {path.name: path.read_text() for path in folder.iterdir()}


@each
def test_a_cut_off_export_is_never_read(declared: DeclaredAllowlist) -> None:
    text = _export(declared)
    for end in range(len(text)):
        with pytest.raises(UnreadableExportError):
            ALLOWLIST_TARGETS[declared.target].read(text[:end], declared)


@each
def test_an_export_of_another_target_is_never_read(declared: DeclaredAllowlist) -> None:
    for other in DECLARED:
        if other.target != declared.target:
            with pytest.raises(UnreadableExportError):
                ALLOWLIST_TARGETS[declared.target].read(_export(other), declared)


@each
def test_a_good_declaration_has_no_problems(declared: DeclaredAllowlist) -> None:
    assert declaration_problems(declared) == ()


def test_no_golden_folder_is_an_orphan() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {declared.target for declared in DECLARED}
