"""octoDNS's own commands judge what was emitted and edited, against a real BIND."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from octodns.yaml import safe_load
from servers.bind import run_bind

from reconciler.emit.octodns import DomainRRsets, emit_octodns
from reconciler.names import Name
from reconciler.state import Key, Rdata, build_rrset, mx_rdata, rdata_text, txt_rdata

if TYPE_CHECKING:
    import dns.zone
    from servers.bind import Bind

pytestmark = pytest.mark.integration

ZONE = Name("acme.example.")
MX_KEY, TXT_KEY = Key(ZONE, "MX"), Key(Name("_amazonses.acme.example."), "TXT")
OURS, FOREIGN, GATEWAY = txt_rdata("new-token=="), txt_rdata("v=other; vendor"), mx_rdata(0, Name("eu.mx-pp.com."))

MASTER = r"""$ORIGIN acme.example.
$TTL 3600
@ SOA ns1 hostmaster 1 3600 600 86400 300
@ NS ns1
ns1 A 127.0.0.1
@ A 192.0.2.1
@ MX 10 mail
@ TXT "v=spf1 -all"
mail A 192.0.2.1
www CNAME @
*.wild A 192.0.2.7
_amazonses 600 TXT "v=other; vendor"
box HINFO "a" "b"
back TXT "trailing\\"
parts TXT "one" "two"
quoted TXT "\"q\""
_sip._tcp SRV 0 5 5060 mail
bad_name A 192.0.2.9
null MX 0 .
sub NS ns.elsewhere.example.
"""

HOLDS_IT_ALL = r"""---
# the whole zone, as somebody keeps it
'':
  - type: A
    value: 192.0.2.1
  - type: MX
    values:
      - exchange: mail.acme.example.   # the old server
        preference: 10
  - type: NS
    value: ns1.acme.example.
  - type: TXT
    value: v=spf1 -all
_amazonses:
  ttl: 600
  type: TXT
  value: v=other\; vendor   # theirs
mail:
  type: A
  value: 192.0.2.1
ns1:
  type: A
  value: 127.0.0.1
www:
  type: CNAME
  value: acme.example.
"""
HELD_BY_MASTER = MASTER.split("*.wild", maxsplit=1)[0] + '_amazonses 600 TXT "v=other; vendor"\n'

IN_SYNC = "Rfc2136Provider[bind] plan:   No changes"


def wanted(*foreign: Rdata) -> DomainRRsets:
    rrsets = (build_rrset(MX_KEY, 3600, (GATEWAY,)), build_rrset(TXT_KEY, 600, (OURS, *foreign)))
    return DomainRRsets(ZONE, ZONE, rrsets, {MX_KEY: frozenset({GATEWAY}), TXT_KEY: frozenset({OURS})})


def octodns(command: str, root: Path, *options: str) -> str:
    """Run one of octoDNS's commands in the repository; its output, or the failure with it."""
    binary = Path(sys.executable).parent / f"octodns-{command}"
    arguments = [str(binary), "--config-file", "config.yaml", *options]
    done = subprocess.run(arguments, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def live(bind: Bind) -> tuple[str, dict[str, Any]]:
    return "bind", {"class": "octodns_bind.Rfc2136Provider", "host": bind.address, "port": bind.port}


def records(zone: dns.zone.Zone) -> set[tuple[str, int, str]]:
    """Every record of a transfer but the SOA, which counts the changes."""
    found = ((str(name), ttl, rdata_text(rdata), rdata.rdtype) for name, ttl, rdata in zone.iterate_rdatas())
    return {(f"{name} {rdtype.name}", ttl, rdata) for name, ttl, rdata, rdtype in found if rdtype.name != "SOA"}


def check_schemas(root: Path) -> None:
    for kind, path in (("config", root / "config.yaml"), ("zone", root / "zones" / "acme.example.yaml")):
        binary = Path(sys.executable).parent / "octodns-schema"
        shown = subprocess.run([str(binary), "--kind", kind], capture_output=True, text=True, timeout=60, check=True)
        jsonschema.validate(safe_load(path.read_text(), enforce_order=False), json.loads(shown.stdout))


EXPECTED = {
    ("acme.example. MX", 3600, GATEWAY),
    (f"{TXT_KEY.name} TXT", 600, OURS),
    (f"{TXT_KEY.name} TXT", 600, FOREIGN),
}
GONE = {("acme.example. MX", 3600, "10 mail.acme.example."), (f"{TXT_KEY.name} TXT", 600, FOREIGN)}


def test_an_emitted_repository_changes_our_records_alone(tmp_path: Path) -> None:
    """Validated, planned and applied by octoDNS itself: all that is foreign is byte-identical in the transfer."""
    with run_bind({ZONE: MASTER}, directory=tmp_path / "bind") as bind:
        root = tmp_path / "repository"
        report = emit_octodns([wanted(FOREIGN)], root, provider=live(bind))
        assert not report.refused
        check_schemas(root)
        octodns("validate", root)
        before = records(bind.axfr(ZONE))
        plan = octodns("sync", root)
        assert "Summary: Creates=0, Updates=2, Deletes=0" in plan
        assert records(bind.axfr(ZONE)) == before
        octodns("sync", root, "--doit")
        assert records(bind.axfr(ZONE)) == (before - GONE) | EXPECTED
        assert IN_SYNC in octodns("sync", root)


def test_a_foreign_value_added_later_is_removed_by_octodns_as_the_readme_says(tmp_path: Path) -> None:
    """The statement of the emitted README, seen: our own apply is the safer way."""
    later = MASTER.replace("box HINFO", '_amazonses 600 TXT "added-later"\nbox HINFO')
    with run_bind({ZONE: later}, directory=tmp_path / "bind") as bind:
        emit_octodns([wanted(FOREIGN)], tmp_path / "repository", provider=live(bind))
        octodns("sync", tmp_path / "repository", "--doit")
        assert not any(rdata == '"added-later"' for _, _, rdata in records(bind.axfr(ZONE)))
    assert "**removes it**" in (tmp_path / "repository" / "README.md").read_text()


def test_octets_outside_utf_8_stop_octodns_as_the_readme_says(tmp_path: Path) -> None:
    with run_bind({ZONE: MASTER + 'bytes TXT "\\255"\n'}, directory=tmp_path / "bind") as bind:
        emit_octodns([wanted(FOREIGN)], tmp_path / "repository", provider=live(bind))
        with pytest.raises(AssertionError, match="RdataParseError"):
            octodns("sync", tmp_path / "repository")


def test_an_edited_repository_changes_our_records_alone(tmp_path: Path) -> None:
    with run_bind({ZONE: HELD_BY_MASTER}, directory=tmp_path / "bind") as bind:
        root = tmp_path / "repository"
        (root / "zones").mkdir(parents=True)
        (root / "zones" / "acme.example.yaml").write_text(HOLDS_IT_ALL)
        name, block = live(bind)
        options = "".join(f"    {key}: {value}\n" for key, value in block.items())
        source = "  config:\n    class: octodns.provider.yaml.YamlProvider\n    directory: ./zones\n"
        zones = f"zones:\n  acme.example.:\n    sources: [config]\n    targets: [{name}]\n"
        (root / "config.yaml").write_text(f"providers:\n  {name}:\n{options}{source}{zones}")
        assert IN_SYNC in octodns("sync", root)
        report = emit_octodns([wanted(FOREIGN)], root)
        assert report.changed == ("zones/acme.example.yaml",)
        check_schemas(root)
        octodns("validate", root)
        plan = octodns("sync", root)
        assert "Summary: Creates=0, Updates=2, Deletes=0" in plan
        before = records(bind.axfr(ZONE))
        octodns("sync", root, "--doit")
        assert records(bind.axfr(ZONE)) == (before - GONE) | EXPECTED
