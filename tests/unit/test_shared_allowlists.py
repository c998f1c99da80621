"""One list before several services: what one of them does not need any more may be all that another one has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli import main

ZONE = """$TTL 3600
@ SOA ns1.dns.example. hostmaster.dns.example. 1 3600 600 86400 300
@ NS ns1.dns.example.
_amazonses TXT "token"
@ MX 0 {mx}
"""
MANIFEST = """organization: {name}
region: {region}
escalation_contacts: [secops@acme.example]
services:
  - name: hq
    kind: postfix
    allowlists: [{{target: postfix-access, exclusive: {exclusive}, export: {export}}}]
    domains:
      - {{name: {name}.example, next_hops: [mail.acme.example], verification: {{primary: token}}}}
"""
US_MX = "inbound-smtp.us-east-1.amazonaws.com."
EU_MX = "inbound-smtp.eu-west-1.amazonaws.com."
EU_ADDRESS = "99.81.216.78"
EXPORT = "reconciler-export 1 postfix-access 2026-11-21T11:00:00Z\n[table]\n{lines}end\n"


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with settings and a list that has an address of the region eu."""
    monkeypatch.chdir(tmp_path)
    for name in ("zones", "manifests", "exports"):
        (tmp_path / name).mkdir()
    (tmp_path / "reconciler.yaml").write_text("observe: {zonefiles: zones/}\nwaits: {assumed_ttl_hours: 48}\n")
    for name in ("list", "other"):
        (tmp_path / "exports" / name).write_text(EXPORT.format(lines=f"| {EU_ADDRESS} OK\n"))


def _declare(name: str, region: str, mx: str, export: str = "exports/list", *, exclusive: bool = False) -> None:
    words = {"name": name, "region": region, "export": export, "exclusive": str(exclusive).lower()}
    Path(f"manifests/{name}.yaml").write_text(MANIFEST.format(**words))
    Path(f"zones/{name}.example.zone").write_text(ZONE.format(mx=mx))


def _table(*, seen: bool = True) -> str:
    """What is emitted for the organization acme, which is in the region us.

    `seen` where a run three days ago saw the same MX: longer ago than senders hold another one.
    """
    if seen:
        main(["--now", "2026-11-18T12:00:00+00:00", "apply", "--auto-approve"])
    command = ["emit", "allowlists", "--organization", "acme", "--out", "o"]
    assert main(["--now", "2026-11-21T12:00:00+00:00", *command]) == 0
    assert not Path("o/globex").exists()
    return Path("o/acme/hq/postfix-access/gateway_access.cidr").read_text()


@pytest.mark.parametrize("exclusive", [False, True])
def test_an_address_that_another_organization_needs_stays(*, exclusive: bool) -> None:
    _declare("acme", "us", US_MX, exclusive=exclusive)
    _declare("globex", "eu", EU_MX, "exports/./list")
    assert EU_ADDRESS in _table()


def test_an_address_stays_until_the_domains_of_all_who_share_the_list_are_switched() -> None:
    _declare("acme", "us", US_MX)
    _declare("globex", "us", EU_MX)
    assert EU_ADDRESS in _table()


def test_what_nobody_who_shares_the_list_needs_goes() -> None:
    _declare("acme", "us", US_MX)
    _declare("globex", "us", US_MX)
    assert EU_ADDRESS not in _table()


def test_nothing_goes_while_nobody_knows_which_mx_senders_hold() -> None:
    _declare("acme", "us", US_MX)
    _declare("globex", "us", US_MX)
    assert EU_ADDRESS in _table(seen=False)


def test_another_list_does_not_count() -> None:
    _declare("acme", "us", US_MX)
    _declare("globex", "eu", EU_MX, "exports/other")
    assert EU_ADDRESS not in _table()


def test_a_list_that_keeps_others_out_waits_for_everybody_whose_mail_its_server_takes() -> None:
    """Two services with one next hop: only one declares the list, and the other's mail would be turned away."""
    _declare("acme", "us", US_MX)
    _declare("globex", "eu", "mail.acme.example.")
    acme, globex = Path("manifests/acme.yaml"), Path("manifests/globex.yaml")
    acme.write_text(acme.read_text().replace("exclusive: false", "exclusive: false, intent: restrict"))
    globex.write_text(
        "".join(line for line in globex.read_text().splitlines(keepends=True) if "allowlists" not in line)
    )
    main(["--now", "2026-11-21T12:00:00+00:00", "plan", "--organization", "acme", "--json-into", "plan.json"])
    steps = json.loads(Path("plan.json").read_text())["services"][0]["steps"]
    evidence = {s["id"].rpartition("/")[2]: [g["evidence"] for g in s["gates"]] for s in steps}
    assert any(text.startswith("globex.example: the MX is not yet as desired") for text in evidence["restrict"])
    assert EU_ADDRESS in next(s for s in steps if s["id"].endswith("postfix-access"))["after"]
