"""The shell of `emit allowlists` and `emit exchange`: nothing keeps others out while mail still comes directly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli import main

ZONE = """$TTL 3600
@ SOA ns1.dns.example. hostmaster.dns.example. 1 3600 600 86400 300
@ NS ns1.dns.example.
_amazonses TXT "token"
"""
OLD_MX = "@ MX 10 mail\n"
GATEWAY_MX = "@ MX 0 inbound-smtp.us-east-1.amazonaws.com.\n"
MANIFEST = """organization: acme
region: us
escalation_contacts: [secops@acme.example]
services:
  - name: hq
    kind: {kind}
    allowlists: [{{target: {target}, {more}intent: restrict, export: exports/list}}]
    domains:
      - {{name: acme.example, next_hops: [mail.acme.example], verification: {{primary: token}}}}
      - {{name: acme.test, next_hops: [mail.acme.example], verification: {{primary: token}}}}
"""
OPEN_TABLE = "reconciler-export 1 postfix-access 2026-11-21T11:00:00Z\n[table]\n| 192.0.2.9 OK\nend\n"
CLOSED_TABLE = OPEN_TABLE.replace("end\n", "| 0.0.0.0/0 REJECT\n| ::/0 REJECT\nend\n")
CONNECTORS = {
    "Format": "exchange-export",
    "FormatVersion": "1",
    "ToolVersion": "0.1.0",
    "Target": "exchange-online-inbound-connector",
    "MadeAt": "2026-11-21T11:00:00Z",
    "Server": "acme.example",
    "Count": 0,
    "Settings": {},
    "Objects": [],
}


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with settings; the tests add zones, manifest and export."""
    monkeypatch.chdir(tmp_path)
    for name in ("zones", "manifests", "exports"):
        (tmp_path / name).mkdir()
    (tmp_path / "reconciler.yaml").write_text("observe: {zonefiles: zones/}\n")


def _emit(what: str, export: str, *mx: str, kind: str, target: str, more: str = "") -> Path:
    """Emit with these MX of the service's two domains; gives the list's folder."""
    manifest = MANIFEST.format(kind=kind, target=target, more=more)
    Path("manifests/acme.yaml").write_text(manifest if export else manifest.replace(", export: exports/list", ""))
    Path("exports/list").write_text(export)
    for zone, record in zip(("acme.example", "acme.test"), mx, strict=True):
        Path(f"zones/{zone}.zone").write_text(ZONE + record)
    assert main(["--now", "2026-11-21T12:00:00+00:00", "emit", what, "--domain", "acme.example", "--out", "out"]) == 0
    (folder,) = Path("out/acme/hq").iterdir()
    return folder


def _table(export: str, *mx: str) -> str:
    folder = _emit("allowlists", export, *mx, kind="postfix", target="postfix-access")
    return (folder / "gateway_access.cidr").read_text()


@pytest.mark.parametrize("mx", [(OLD_MX, OLD_MX), (GATEWAY_MX, OLD_MX)])
def test_nobody_is_refused_while_a_domain_of_the_service_is_not_switched(
    mx: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    table = _table(OPEN_TABLE, *mx)
    assert "192.0.2.9 OK" in table
    assert "0.0.0.0/0" not in table
    assert "held back  acme/hq/postfix-access: " in capsys.readouterr().out


def test_a_list_without_an_export_refuses_nobody_before_the_switch_either() -> None:
    assert "0.0.0.0/0" not in _table("", OLD_MX, OLD_MX)
    assert "0.0.0.0/0 REJECT" in _table("", GATEWAY_MX, GATEWAY_MX)


def test_everybody_else_is_refused_once_all_are_switched(capsys: pytest.CaptureFixture[str]) -> None:
    assert "0.0.0.0/0 REJECT" in _table(OPEN_TABLE, GATEWAY_MX, GATEWAY_MX)
    assert "held back" not in capsys.readouterr().out


def test_a_table_that_keeps_others_out_goes_on_doing_so() -> None:
    assert "0.0.0.0/0 REJECT" in _table(CLOSED_TABLE, OLD_MX, OLD_MX)


@pytest.mark.parametrize(("mx", "value"), [(OLD_MX, "$false"), (GATEWAY_MX, "$true")])
def test_a_new_inbound_connector_rejects_after_the_switch_alone(mx: str, value: str) -> None:
    words = {"kind": "exchange-online", "target": "exchange-online-inbound-connector", "more": "name: Gateway, "}
    folder = _emit("exchange", json.dumps(CONNECTORS), mx, mx, **words)
    assert f"RestrictDomainsToIPAddresses = {value}" in (folder / "inbound-connector.ps1").read_text()
