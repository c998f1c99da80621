"""The scripts for cPanel and CSF in a real shell: lines of others stay, and a second run changes nothing."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest
from origin_lab import EU, US, Origin
from targets_lab import declared_list

from reconciler.addresses import parse_address_set
from reconciler.targets.base import UnreadableExportError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

SECONDS = 20.0
OTHERS = """# ours, do not touch
203.0.113.77 # office
tcp|in|d=22|s=198.51.100.9
tcp|out|d=25|s=54.227.64.76
udp|in|d=25|s=99.81.216.78
Include /etc/csf/cpanel.allow"""
CSF_CONF = 'TCP_IN = "22,25,80"\nTCP_OUT = "25"\nCONNLIMIT = "22;5,25;3"\n'
# stands in for cPanel, which runs nowhere but on its own servers: the answers are those of its API's documentation
WHMAPI1 = """#!/bin/sh
printf '%s\\n' "$*" >>"$CALLS"
case $2 in
  read_*) cat "$ANSWER" ;;
  *) printf '{"data":{%s},"metadata":{"command":"%s","result":%s,"version":1}}' "$FAILED" "$2" "$RESULT" ;;
esac
"""


def _run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)


def _text(*command: str | Path, **environment: str) -> str:
    ran = _run(*command, **environment)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_csf(tmp_path: Path) -> None:
    folder = tmp_path / "csf"
    folder.mkdir()
    allow = folder / "csf.allow"
    allow.write_text(OTHERS)
    allow.chmod(0o600)
    (folder / "csf.conf").write_text(CSF_CONF)
    origin = Origin(declared_list("csf", intent="restrict"), tmp_path)
    files = origin.emit(EU)
    for gateway in (EU, US, US):
        before = allow.read_text()
        told = _text(files["apply.sh"], allow)
        assert ("nothing to change" in told) == (gateway == US and before == allow.read_text())
        content = origin.read(_text(files["export.sh"], folder))
        files = origin.emit(US, content)
    assert origin.is_in_sync(US, content)
    assert content.addresses == parse_address_set([*US, "203.0.113.77"])
    lines = allow.read_text().splitlines()
    assert lines[:6] == OTHERS.splitlines()
    assert lines[6:] == [f"tcp|in|d=25|s={address} # gateway" for address in US]
    assert stat.S_IMODE(allow.stat().st_mode) == 0o600
    assert {a.code for a in content.advice} == {"wider-than-needed", "restricts-nothing", "client-limit"}
    assert sorted(path.name for path in folder.iterdir()) == ["csf.allow", "csf.allow.before", "csf.conf"]


def test_csf_reads_what_is_included(tmp_path: Path) -> None:
    included = tmp_path / "more.allow"
    included.write_text(f"tcp|in|d=25,465|s={EU[0]}\n")
    folder = tmp_path / "csf"
    folder.mkdir()
    (folder / "csf.allow").write_text(f"Include {included}\n")
    (folder / "csf.conf").write_text(CSF_CONF)
    origin = Origin(declared_list("csf"), tmp_path)
    export = _text(origin.emit(EU)["export.sh"], folder)
    assert origin.read(export).addresses == parse_address_set([EU[0]])
    with pytest.raises(UnreadableExportError, match="includes"):
        origin.read((folder / "csf.allow").read_text())


@pytest.mark.parametrize("ending", ["\n", ""])
def test_trusted_mail_hosts(ending: str, tmp_path: Path) -> None:
    """A line that was not ended is not joined with the next."""
    hosts = tmp_path / "trustedmailhosts"
    hosts.write_text(f'# c\n203.0.113.77\n"2001:db8::1"{ending}')
    exim = tmp_path / "exim"
    exim.write_text("#!/bin/sh\necho 'message_size_limit = 50M'\n")
    exim.chmod(0o755)
    origin = Origin(declared_list("cpanel-trustedmailhosts"), tmp_path)
    files = origin.emit((*EU, "2001:db8::25"))
    for gateway in ((*EU, "2001:db8::25"), US):
        _text(files["apply.sh"], hosts)
        content = origin.read(_text(files["export.sh"], hosts, EXIM=str(exim)))
        assert origin.is_in_sync(gateway, content)
        files = origin.emit(US, content)
    assert "nothing to change" in _text(files["apply.sh"], hosts)
    expected = ["# c", "203.0.113.77", '"2001:db8::1"', '"2001:db8::25"', *US]
    assert hosts.read_text().splitlines() == expected


@pytest.fixture
def whm(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "whmapi1").write_text(WHMAPI1)
    (folder / "whmapi1").chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    return {
        "PATH": path,
        "CALLS": str(tmp_path / "calls"),
        "ANSWER": str(tmp_path / "answer"),
        "RESULT": "1",
        "FAILED": "",
    }


def test_greylisting(whm: dict[str, str], tmp_path: Path) -> None:
    hosts = ",".join(f'{{"host_ip":"{a}","id":1,"comment":null}}' for a in (*EU[:2], "203.0.113.77"))
    metadata = '{"command":"read_cpgreylist_trusted_hosts","reason":"OK","result":1,"version":1}'
    (tmp_path / "answer").write_text(f'{{"data":{{"greylist_trusted_hosts":[{hosts}]}},"metadata":{metadata}}}')
    origin = Origin(declared_list("cpanel-greylist"), tmp_path)
    origin.emit(US)
    content = origin.read(_text(tmp_path / "export.sh", **whm))
    assert content.addresses == parse_address_set([*EU[:2], "203.0.113.77"])
    origin.emit(US, content)
    (tmp_path / "calls").unlink()
    _text(tmp_path / "apply.sh", **whm)
    create, delete = ("--output=json create_cpgreylist_trusted_host", "--output=json delete_cpgreylist_trusted_host")
    expected = [*(f"{create} ip={a} comment=gateway of acme" for a in US), *(f"{delete} ip={a}" for a in EU[:2])]
    assert (tmp_path / "calls").read_text().splitlines() == expected


@pytest.mark.parametrize("trouble", [{"RESULT": "0"}, {"FAILED": '"ips_failed": {"5.5": "invalid"}'}])
def test_a_call_that_fails_stops_the_script(trouble: dict[str, str], whm: dict[str, str], tmp_path: Path) -> None:
    origin = Origin(declared_list("cpanel-greylist"), tmp_path)
    ran = _run(origin.emit(EU)["apply.sh"], **{**whm, **trouble})
    assert ran.returncode == 1
    assert "failed" in ran.stderr
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


@pytest.mark.parametrize("target", ["cpanel-greylist", "pfsense-alias", "ipset"])
def test_an_export_whose_command_fails_is_unreadable(target: str, tmp_path: Path) -> None:
    """The shell stops at the command, and the reader misses the end."""
    origin = Origin(declared_list(target, "gateway"), tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    for command in ("whmapi1", "pfctl", "ipset"):
        (folder / command).write_text("#!/bin/sh\necho 192.0.2.1\nexit 1\n")
        (folder / command).chmod(0o755)
    ran = _run(origin.emit(EU)["export.sh"], PATH=f"{folder}:{os.environ['PATH']}")
    assert ran.returncode == 1
    with pytest.raises(UnreadableExportError, match="no end"):
        origin.read(ran.stdout)
