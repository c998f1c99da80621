"""Postfix and Exim answer for themselves: gateway addresses, outsiders, and lines that they would only warn about."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from origin_lab import EU, FOREIGN, OUTSIDER, US, Origin
from servers.processes import require
from targets_lab import declared_list

from reconciler.addresses import parse_address_set
from reconciler.targets.base import UnreadableExportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.targets.base import AllowlistContent

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
EXIM_FOLDER = ROOT / ".venv" / "servers" / "exim" / "usr" / "sbin"  # where tests/servers/install_exim.sh puts it
SECONDS = 20.0


def _run(
    *command: str | Path, check: bool = True, stdin: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        command,
        input=stdin,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert not (check and ran.returncode), ran.stderr
    return ran


@pytest.fixture
def postfix(tmp_path: Path) -> dict[str, str]:
    """The environment of Postfix's commands, with a main.cf of the test's own."""
    require("postmap")
    settings = tmp_path / "postfix"
    settings.mkdir()
    table = tmp_path / "gateway_access.cidr"
    restriction = f"smtpd_client_restrictions = check_client_access cidr:{table}"
    (settings / "main.cf").write_text(f"compatibility_level = 3.6\nmessage_size_limit = 10240000\n{restriction}\n")
    return {"MAIL_CONFIG": str(settings)}


@pytest.mark.parametrize("action", ["reject", "defer"])
@pytest.mark.parametrize("intent", ["allow", "restrict"])
def test_postfix_answers_as_emitted(intent: str, action: str, postfix: dict[str, str], tmp_path: Path) -> None:
    origin = Origin(declared_list("postfix-access", intent=intent, action=action), tmp_path)
    content: AllowlistContent | None = None
    for gateway in (EU, US):
        files = origin.emit(gateway, content)
        table = files["gateway_access.cidr"]
        if content is None:
            lines = table.read_text().splitlines(keepends=True)
            table.write_text("".join([f"{FOREIGN[0]} OK\n", *lines]))
        answers = {
            a: _run("postmap", "-q", a, f"cidr:{table}", check=False, environment=postfix) for a in (*gateway, OUTSIDER)
        }
        assert {answers[a].stdout for a in gateway} == {"OK\n"}
        assert not any(answer.stderr for answer in answers.values())
        refusal = {"reject": r"REJECT ", "defer": r"450 4\.7\.1 "}[action] if intent == "restrict" else "$"
        assert re.match(refusal, answers[OUTSIDER].stdout)
        _run(files["check.sh"], table, environment=postfix)
        content = origin.read(_run(files["export.sh"], table, environment=postfix).stdout)
        assert origin.is_in_sync(gateway, content)
        assert content.addresses == parse_address_set([*gateway, FOREIGN[0]])
        assert {a.code for a in content.advice} == {"message-size"}


@pytest.mark.parametrize(
    "line",
    ["192.0.2.1/24 OK", "2001:db8::g OK", "192.0.2.300 OK", "mail.example OK", "192.0.2.1-192.0.2.9 OK", "10.1 OK"],
)
def test_a_line_that_postfix_only_warns_about_fails_the_check(
    line: str, postfix: dict[str, str], tmp_path: Path
) -> None:
    origin = Origin(declared_list("postfix-access"), tmp_path)
    files = origin.emit(EU)
    table = files["gateway_access.cidr"]
    table.write_text(f"{line}\n{table.read_text()}")
    asked = _run("postmap", "-q", EU[0], f"cidr:{table}", environment=postfix)
    assert (asked.stdout, asked.returncode) == ("OK\n", 0)
    checked = _run(files["check.sh"], table, check=False, environment=postfix)
    assert checked.returncode == 1
    assert "warning" in checked.stderr
    with pytest.raises(UnreadableExportError):
        origin.read(_run(files["export.sh"], table, environment=postfix).stdout)


def test_the_check_fails_for_a_refusal_before_the_gateway(postfix: dict[str, str], tmp_path: Path) -> None:
    """The first line that fits decides, for Postfix and for the reader."""
    origin = Origin(declared_list("postfix-access"), tmp_path)
    files = origin.emit(EU)
    table = files["gateway_access.cidr"]
    table.write_text(f"{EU[0]} REJECT\n{table.read_text()}")
    assert "is answered with" in _run(files["check.sh"], table, check=False, environment=postfix).stderr
    content = origin.read(table.read_text())
    assert content.addresses == parse_address_set(EU[1:])
    assert {a.code for a in content.advice} == {"postfix-mixed-table"}


def test_the_check_fails_where_everybody_is_let_in(postfix: dict[str, str], tmp_path: Path) -> None:
    origin = Origin(declared_list("postfix-access", intent="restrict"), tmp_path)
    files = origin.emit(EU)
    table = files["gateway_access.cidr"]
    table.write_text(f"0.0.0.0/0 OK\n{table.read_text()}")
    assert "not with a refusal" in _run(files["check.sh"], table, check=False, environment=postfix).stderr


def test_the_reader_and_postfix_agree_on_a_strange_table(postfix: dict[str, str], tmp_path: Path) -> None:
    table = tmp_path / "strange.cidr"
    table.write_text(
        "# a comment\n  # another\n192.0.2.1 OK\n[2001:db8::1] OK\n192.0.2.2\n  OK\n198.51.100.7 REJECT no\n"
        "198.51.100.0/29 ok\n203.0.113.0/31 12345\n203.0.113.5 DUNNO\n203.0.113.0/29 permit\n"
    )
    origin = Origin(declared_list("postfix-access"), tmp_path)
    content = origin.read(table.read_text())
    samples = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", *(f"198.51.100.{n}" for n in range(9))]
    samples += [f"203.0.113.{n}" for n in range(9)]
    for address in samples:
        answer = _run("postmap", "-q", address, f"cidr:{table}", check=False, environment=postfix).stdout.strip()
        permits = answer.lower() in {"ok", "permit"} or answer.isdigit()
        assert content.addresses.covers(parse_address_set([address])) == permits, (address, answer)


def test_postscreen(postfix: dict[str, str], tmp_path: Path) -> None:
    origin = Origin(declared_list("postfix-postscreen"), tmp_path)
    files = origin.emit(EU)
    table = files["postscreen_access.cidr"]
    _run(files["check.sh"], table, environment=postfix)
    content = origin.read(_run(files["export.sh"], table, environment=postfix).stdout)
    assert content.addresses == parse_address_set(EU)
    table.write_text(f"{EU[0]} reject\n{table.read_text()}")
    assert _run(files["check.sh"], table, check=False, environment=postfix).returncode == 1
    assert origin.read(table.read_text()).addresses == parse_address_set(EU[1:])


def test_a_table_that_is_not_there_yet_is_an_empty_list(postfix: dict[str, str], tmp_path: Path) -> None:
    origin = Origin(declared_list("postfix-access"), tmp_path)
    files = origin.emit(EU)
    files["gateway_access.cidr"].unlink()
    content = origin.read(_run(files["export.sh"], files["gateway_access.cidr"], environment=postfix).stdout)
    assert content.entries == ()


def _documented_acl() -> str:
    page = (ROOT / "docs" / "targets" / "exim-iplsearch.md").read_text()
    (block,) = re.findall(r"```exim\n(.*?)```", page, re.DOTALL)
    return str(block)


@pytest.fixture
def exim(tmp_path: Path) -> Path:
    """A command that runs Exim with the ACL of the target's page; the host list is in the test's folder."""
    found = EXIM_FOLDER / "exim4"
    binary = str(found) if found.exists() else require("exim4")
    spool = tmp_path / "spool"
    spool.mkdir()
    configuration = tmp_path / "exim.conf"
    acl = _documented_acl().replace("/etc/exim4/gateway_hosts", str(tmp_path / "gateway_hosts.list"))
    configuration.write_text(
        f"primary_hostname = origin.example\nexim_user = {os.geteuid()}\nexim_group = {os.getegid()}\n"
        f"keep_environment =\nspool_directory = {spool}\nlog_file_path = {spool}/%slog\nnever_users =\n"
        f"acl_smtp_connect = acl_check_connect\nacl_smtp_rcpt = acl_check_rcpt\n"
        f"begin acl\n{acl}\nacl_check_rcpt:\n  accept\n"
    )
    command = tmp_path / "exim"
    command.write_text(f'#!/bin/sh\nexec {binary} -C {configuration} "$@"\n')
    command.chmod(0o755)
    _run(command, "-bV")
    return command


def _reply(exim: Path, address: str) -> int:
    """How Exim answers RCPT, or the connection, of a client with this address."""
    session = "EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@acme.example>\r\nQUIT\r\n"
    ran = _run(exim, "-bh", address, check=False, stdin=session)
    replies = re.findall(r"^(\d{3}) ", ran.stdout, re.MULTILINE)
    return int(replies[0]) if replies[0] != "220" else int(replies[3])


def test_exim_answers_as_emitted(exim: Path, tmp_path: Path) -> None:
    origin = Origin(declared_list("exim-iplsearch", intent="restrict"), tmp_path)
    content: AllowlistContent | None = None
    for gateway in ((*EU, "2001:db8::25"), US):
        files = origin.emit(gateway, content)
        assert {_reply(exim, address) for address in gateway} == {250}
        assert {_reply(exim, address) for address in (OUTSIDER, "2001:db8::26")} == {550}
        content = origin.read(
            _run(files["export.sh"], files["gateway_hosts.list"], environment={"EXIM": str(exim)}).stdout
        )
        assert origin.is_in_sync(gateway, content)
        assert content.addresses.covers(parse_address_set(gateway))
        assert content.advice == ()
        assert content.made_at is not None


def test_the_reader_and_exim_agree_on_a_strange_list(exim: Path, tmp_path: Path) -> None:
    hosts = tmp_path / "gateway_hosts.list"
    hosts.write_text('# c\n192.0.2.7\n"2001:db8::7"\n10.0.0.0/8: data\n  192.0.2.10\n192.0.2.9 : more\n192.0.2.11:\n')
    origin = Origin(declared_list("exim-iplsearch", intent="restrict"), tmp_path)
    content = origin.read(hosts.read_text())
    for address in ("192.0.2.7", "2001:db8::7", "10.9.8.7", "192.0.2.10", "192.0.2.9", "192.0.2.11", "192.0.2.12"):
        expected = 250 if content.addresses.covers(parse_address_set([address])) else 550
        assert _reply(exim, address) == expected, address


@pytest.mark.parametrize("line", ["2001:db8::7", "nonsense", "192.0.2.1-192.0.2.9", "::1", '"192.0.2.1'])
def test_what_exim_skips_without_a_word_is_unreadable(line: str, exim: Path, tmp_path: Path) -> None:
    hosts = tmp_path / "gateway_hosts.list"
    hosts.write_text(f"{line}\n{EU[0]}\n")
    assert _reply(exim, EU[0]) == 250
    with pytest.raises(UnreadableExportError):
        Origin(declared_list("exim-iplsearch"), tmp_path).read(hosts.read_text())


def test_a_small_limit_of_exim_is_told(exim: Path, tmp_path: Path) -> None:
    configuration = tmp_path / "exim.conf"
    configuration.write_text(f"message_size_limit = 10M\nsmtp_accept_max_per_host = 5\n{configuration.read_text()}")
    origin = Origin(declared_list("exim-iplsearch"), tmp_path)
    files = origin.emit(EU)
    content = origin.read(_run(files["export.sh"], files["gateway_hosts.list"], environment={"EXIM": str(exim)}).stdout)
    assert {a.code for a in content.advice} == {"message-size", "client-limit"}
