"""The shell of `emit allowlists` and `emit exchange`: nothing keeps others out while mail still comes directly.

What senders may hold is known from the journal alone, so whatever is to be restricted was seen by earlier runs.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
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
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Looks = tuple[tuple[int, str], ...]
"""Earlier runs: so many days ago, with this export."""
LONG_AGO = 6
"""Days after which an MX of two days was forgotten, and three more have passed."""
OPEN_TABLE = "reconciler-export 1 postfix-access 2026-11-21T11:00:00Z\n[table]\n| 192.0.2.9 OK\nend\n"
SOFT_TABLE = OPEN_TABLE.replace("end\n", "| 0.0.0.0/0 450 4.7.1 later\n| ::/0 450 4.7.1 later\nend\n")
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
    (tmp_path / "reconciler.yaml").write_text("observe: {zonefiles: zones/}\nwaits: {assumed_ttl_hours: 48}\n")


def _look(days_ago: int, export: str) -> None:
    """A run so many days ago, which wrote nothing and remembers what it saw; the export was new then."""
    then = NOW - timedelta(days=days_ago)
    Path("exports/list").write_text(export.replace("2026-11-21T11", f"{then:%Y-%m-%dT11}"))
    main(["--now", then.isoformat(), "apply", "--auto-approve"])


def _emit(what: str, export: str, *mx: str, kind: str, target: str, more: str = "", looks: Looks = ()) -> Path:
    """Emit with these MX of the service's two domains; gives the list's folder."""
    manifest = MANIFEST.format(kind=kind, target=target, more=more)
    Path("manifests/acme.yaml").write_text(manifest if export else manifest.replace(", export: exports/list", ""))
    for zone, record in zip(("acme.example", "acme.test"), mx, strict=True):
        Path(f"zones/{zone}.zone").write_text(ZONE + record)
    for look in looks:
        _look(*look)
    Path("exports/list").write_text(export)
    assert main(["--now", NOW.isoformat(), "emit", what, "--domain", "acme.example", "--out", "out"]) == 0
    (folder,) = Path("out/acme/hq").iterdir()
    return folder


def _table(export: str, *mx: str, looks: Looks = ()) -> str:
    folder = _emit("allowlists", export, *mx, kind="postfix", target="postfix-access", looks=looks)
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
    assert "0.0.0.0/0" not in _table("", GATEWAY_MX, GATEWAY_MX)


@pytest.mark.parametrize("export", ["", OPEN_TABLE], ids=["attested", "exported"])
@pytest.mark.parametrize("days_ago", [LONG_AGO, LONG_AGO - 1])
def test_everybody_else_is_deferred_days_after_all_are_switched(
    export: str, days_ago: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """What senders may hold, and three days more."""
    table = _table(export, GATEWAY_MX, GATEWAY_MX, looks=((days_ago, export),))
    is_long_ago = days_ago == LONG_AGO
    assert ("0.0.0.0/0 450" in table, "0.0.0.0/0" in table) == (is_long_ago, is_long_ago)
    assert ("held back" in capsys.readouterr().out) is not is_long_ago


@pytest.mark.parametrize(("deferred_for", "action"), [(3, "450"), (4, "REJECT")])
def test_everybody_else_is_refused_days_after_that(deferred_for: int, action: str) -> None:
    assert f"0.0.0.0/0 {action}" in _table(
        SOFT_TABLE, GATEWAY_MX, GATEWAY_MX, looks=((LONG_AGO + 4, OPEN_TABLE), (deferred_for, SOFT_TABLE))
    )


def test_a_table_that_keeps_others_out_goes_on_doing_so() -> None:
    assert "0.0.0.0/0 REJECT" in _table(CLOSED_TABLE, OLD_MX, OLD_MX)


@pytest.mark.parametrize(("mx", "value"), [(OLD_MX, "$false"), (GATEWAY_MX, "$true")])
def test_a_new_inbound_connector_rejects_after_the_switch_alone(mx: str, value: str) -> None:
    words = {"kind": "exchange-online", "target": "exchange-online-inbound-connector", "more": "name: Gateway, "}
    folder = _emit("exchange", json.dumps(CONNECTORS), mx, mx, **words, looks=((LONG_AGO, json.dumps(CONNECTORS)),))
    assert f"RestrictDomainsToIPAddresses = {value}" in (folder / "inbound-connector.ps1").read_text()
