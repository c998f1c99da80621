"""Lists as files: a folder each, all or nothing, inside the folder meant, and only when content changes."""

from __future__ import annotations

import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from targets_lab import GATEWAY, assert_identity, declared_list, emission_of

from reconciler.addresses import parse_address_set
from reconciler.emit.allowlists import (
    EmittedAllowlist,
    EmittedMailRule,
    build_emission,
    emit_allowlists,
    render_mail_rule,
    render_target,
)
from reconciler.errors import EmitError
from reconciler.manifest.fleet import Source
from reconciler.targets.base import AllowlistContent, Intent, Output, read_entries
from reconciler.targets.mail_rule import MailRule, MailRuleContent, MailRuleEmission
from reconciler.targets.plain import Plain
from reconciler.templating import Templates

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.errors import Diagnostic
    from reconciler.targets.base import DeclaredAllowlist

SOURCE = Source("manifests/acme.yaml", 12)
KNOWN = parse_address_set([*GATEWAY, "192.0.2.9"])
SCRIPTED = replace(
    Plain(), outputs=(Output("apply.sh", "apply.sh.j2"),), export_outputs=(Output("export.sh", "export.sh.j2"),)
)
RULE = MailRule("Gateway spam", "X-Spam", "FAIL", 6)


@dataclass(frozen=True, slots=True)
class Rules:
    """A target of mail rules with one file."""

    id: str = "rules"
    title: str = "Rules"
    outputs: tuple[Output, ...] = (Output("rule.conf", "rule.conf.j2"),)
    export_outputs: tuple[Output, ...] = ()

    def action(self, rule: MailRule) -> str:
        """Its name."""
        return rule.name

    def read(self, text: str) -> MailRuleContent:
        """No rule."""
        del text
        return MailRuleContent(())


def _list(declared: DeclaredAllowlist, target: Plain | None = None, *, organization: str = "acme") -> EmittedAllowlist:
    emission = replace(emission_of(declared), organization=organization)
    return EmittedAllowlist(target or Plain(), emission, SOURCE)


def _templates(folder: Path, **texts: str) -> Templates:
    user = folder / "templates"
    user.mkdir()
    for name, text in texts.items():
        (user / name.replace("__", ".")).write_text(text)
    return Templates(user)


def _refused(out: Path, *lists: EmittedAllowlist, templates: Templates | None = None) -> tuple[Diagnostic, ...]:
    with pytest.raises(EmitError) as caught:
        emit_allowlists(lists, (), out=out, templates=templates or Templates(None))
    assert not [p for p in out.rglob("*") if p.is_file()]
    return caught.value.diagnostics


def _built(*written: str, exclusive: bool = False, may_remove: bool = True) -> dict[str, tuple[str, ...]]:
    content = AllowlistContent(read_entries(written), revision="7")
    declared = declared_list("plain", exclusive=exclusive)
    built = build_emission(("acme", "hq"), declared, GATEWAY, content, KNOWN, may_remove=may_remove)
    assert (built.organization, built.service, built.gateway) == ("acme", "hq", GATEWAY)
    assert (built.revision, built.is_observed) == ("7", True)
    return {name: getattr(built, name) for name in ("add", "remove", "keep", "result")}


def test_what_is_to_be_done_with_an_observed_list() -> None:
    assert _built("10.0.0.0/8", "192.0.2.7/32", "192.0.2.9") == {
        "add": ("192.0.2.8",),
        "remove": ("192.0.2.9",),
        "keep": ("10.0.0.0/8",),
        "result": ("192.0.2.7", "192.0.2.8", "10.0.0.0/8"),
    }


def test_before_its_time_nothing_is_removed_and_everything_kept() -> None:
    assert _built("10.0.0.0/8", "192.0.2.9", "192.0.2.8/31", exclusive=True, may_remove=False) == {
        "add": ("192.0.2.7",),
        "remove": (),
        "keep": ("10.0.0.0/8", "192.0.2.9", "192.0.2.8/31"),
        "result": ("192.0.2.7", "192.0.2.8", "10.0.0.0/8", "192.0.2.9", "192.0.2.8/31"),
    }


@pytest.mark.parametrize("written", [None, "192.0.2.9"])
def test_a_list_that_is_loosened_is_emitted_as_one_that_keeps_nobody_out(written: str | None) -> None:
    """Whether an export was read or not: the intent of what is written is `allow`, and of what is declared stays."""
    declared = declared_list("plain", intent=Intent.RESTRICT)
    content = None if written is None else AllowlistContent(read_entries([written]))
    for is_loosening, intent in ((True, Intent.ALLOW), (False, Intent.RESTRICT)):
        built = build_emission(
            ("acme", "hq"), declared, GATEWAY, content, KNOWN, may_remove=False, is_loosening=is_loosening
        )
        assert (built.declared.intent, built.is_loosening) == (intent, is_loosening)
    assert declared.intent is Intent.RESTRICT


def test_an_exclusive_list_is_rid_of_foreign_entries() -> None:
    assert _built("10.0.0.0/8", "10.0.0.0/8", exclusive=True)["remove"] == ("10.0.0.0/8",)
    assert _built("10.0.0.0/8", exclusive=True)["result"] == GATEWAY


def test_without_an_export_everything_is_added_and_nothing_removed() -> None:
    built = build_emission(("acme", "hq"), declared_list("plain"), GATEWAY, None, KNOWN, may_remove=True)
    assert (built.add, built.result, built.remove, built.keep) == (GATEWAY, GATEWAY, (), ())
    assert not built.is_observed
    text = render_target(Plain(), built, Templates(None))["allowlist.txt"]
    assert "was not read" in text
    assert (
        "was not read" not in render_target(Plain(), emission_of(declared_list("plain")), Templates(None)).popitem()[1]
    )


def test_a_plain_list_reads_back_as_what_was_emitted() -> None:
    declared = declared_list("plain")
    keep = ("10.0.0.0/8", "2001:db8::/32", "203.0.113.1-203.0.113.9")
    content = assert_identity(Plain(), declared, emission_of(declared, keep=keep))
    assert [e.written for e in content.entries] == [*GATEWAY, *keep]


def test_the_identity_fails_where_an_address_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    (folder / "allowlists").mkdir(parents=True)
    (folder / "allowlists" / "plain.txt.j2").write_text(
        "{% for a in list.result[1:] %}\n{{ a|address }}\n{% endfor %}\n"
    )
    declared = declared_list("plain")
    with pytest.raises(AssertionError):
        assert_identity(Plain(), declared, emission_of(declared), user_templates=folder)


def test_every_list_and_rule_has_its_folder(tmp_path: Path) -> None:
    templates = _templates(
        tmp_path,
        apply__sh__j2="#!/bin/sh\n",
        export__sh__j2="#!/bin/sh\n",
        rule__conf__j2="{{ mail_rule.rule.header|word }}\n",
    )
    rule = EmittedMailRule(Rules(), MailRuleEmission("acme", "hq", RULE), SOURCE)
    lists = [_list(declared_list("plain")), _list(declared_list("ipset", "Mail Gateway"), SCRIPTED)]
    out = tmp_path / "out"
    report = emit_allowlists(lists, [rule], out=out, templates=templates)
    names = [path.relative_to(out).as_posix() for path in report.written]
    assert names == [
        "acme/hq/_ipset-Mail-Gateway-" + names[0].rsplit("-", 1)[1].split("/")[0] + "/apply.sh",
        names[0].replace("apply", "export"),
        "acme/hq/plain/allowlist.txt",
        "acme/hq/rules/rule.conf",
    ]
    assert [stat.S_IMODE(p.stat().st_mode) for p in report.written] == [0o755, 0o755, 0o644, 0o644]
    assert (out / "acme/hq/rules/rule.conf").read_text() == "X-Spam\n"


def test_only_what_changes_is_written(tmp_path: Path) -> None:
    lists = [_list(declared_list("plain"))]
    first = emit_allowlists(lists, (), out=tmp_path, templates=Templates(None))
    (path,) = first.written
    before = path.stat()
    second = emit_allowlists(lists, (), out=tmp_path, templates=Templates(None))
    assert (second.written, second.unchanged) == ((), (path,))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    path.write_text("edited by hand")
    assert emit_allowlists(lists, (), out=tmp_path, templates=Templates(None)).written == (path,)


def test_powershell_is_written_as_it_was_rendered(tmp_path: Path) -> None:
    target = replace(Plain(), outputs=(Output("apply.ps1", "apply.ps1.j2"),))
    templates = _templates(tmp_path, apply__ps1__j2="one\ntwo\n")
    (path,) = emit_allowlists(
        [_list(declared_list("x"), target)], (), out=tmp_path / "out", templates=templates
    ).written
    assert path.read_bytes() == b"one\r\ntwo\r\n"


def test_two_sets_of_one_name_in_two_tables_are_two_folders(tmp_path: Path) -> None:
    lists = [_list(declared_list("nftables", "gateway", table=table)) for table in ("inet-filter", "inet-mail")]
    report = emit_allowlists(lists, (), out=tmp_path, templates=Templates(None))
    assert [p.parent.name for p in report.written] == ["nftables-gateway-inet-filter", "nftables-gateway-inet-mail"]


@pytest.mark.parametrize(("first", "second"), [("x", "x"), ("x", "X")])
def test_two_lists_that_would_be_one_folder_are_an_error(tmp_path: Path, first: str, second: str) -> None:
    (problem,) = _refused(tmp_path, _list(declared_list("plain", first)), _list(declared_list("plain", second)))
    assert (problem.code, problem.file, problem.line) == ("emit-collision", SOURCE.file, SOURCE.line)


def test_every_refused_value_is_named_with_its_manifest_and_nothing_is_written(tmp_path: Path) -> None:
    good, bad = declared_list("plain"), declared_list("plain", "b")
    hostile = [
        replace(_list(bad, organization=name), source=Source("manifests/acme.yaml", line))
        for line, name in enumerate(["a\u2019", "a\nb"], 1)
    ]
    problems = _refused(tmp_path / "out", _list(good), *hostile)
    assert [(p.code, p.file, p.line) for p in problems] == [
        ("template-value", "manifests/acme.yaml", n) for n in (1, 2)
    ]


@pytest.mark.parametrize("organization", ["..", "../x", "/etc", "con", ""])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, organization: str) -> None:
    out = tmp_path / "out"
    (path,) = emit_allowlists(
        [_list(declared_list("plain", organization), organization=organization)], (), out=out, templates=Templates(None)
    ).written
    assert path.resolve().is_relative_to(out.resolve())
    assert len(path.relative_to(out).parts) == 4
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_symlink_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / "acme").symlink_to(tmp_path / "elsewhere")
    (problem,) = _refused(out, _list(declared_list("plain")))
    assert problem.code == "emit-outside"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(EmitError, match="is no folder"):
        emit_allowlists((), (), out=tmp_path / "out", templates=Templates(None))


def test_a_rule_is_rendered_with_its_name_as_mail_rule(tmp_path: Path) -> None:
    templates = _templates(tmp_path, rule__conf__j2="# {{ mail_rule.rule.name|comment }} {{ mail_rule.service|word }}")
    emission = MailRuleEmission("acme", "hq", RULE)
    assert render_mail_rule(Rules(), emission, templates) == {"rule.conf": "# Gateway spam hq"}


def test_the_errors_of_rules_are_named_too(tmp_path: Path) -> None:
    templates = _templates(tmp_path, rule__conf__j2="{{ mail_rule.rule.name|word }}")
    rule = EmittedMailRule(Rules(), MailRuleEmission("acme", "hq", RULE), SOURCE)
    with pytest.raises(EmitError) as caught:
        emit_allowlists((), [rule], out=tmp_path / "out", templates=templates)
    assert [(d.code, d.line) for d in caught.value.diagnostics] == [("template-value", 12)]
