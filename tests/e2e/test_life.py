"""From declared to in sync with the real command on real servers, and not one foreign octet changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from laboratory import BACKENDS, Content, laboratory, manifest
from servers.nasty import BIND_WITHOUT, KNOT_WITHOUT, POWERDNS_WITHOUT, nasty_zone

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

ZONE = "nasty.example."
TOKENS = ("_amazonses.nasty.example.", "TXT")
MX = ("nasty.example.", "MX")
WITHOUT = {
    "bind": BIND_WITHOUT,
    "knot": KNOT_WITHOUT,
    "powerdns-update": POWERDNS_WITHOUT,
    "powerdns-api": POWERDNS_WITHOUT,
    "route53-moto": BIND_WITHOUT,
    "zonefile": frozenset(),
}
EU = b"\x00\x00\x0cinbound-smtp\x09eu-west-1\x09amazonaws\x03com\x00"
EU_MULTI = b"\x00\x00\x02eu\x05mx-pp\x03com\x00"


def txt(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


ONE, TWO = txt("one-nasty.example"), txt("two-nasty.example")


def foreign(content: Content) -> Content:
    """All but our own: every other rrset, and the values of others at the verification name."""
    ttl, values = content.get(TOKENS, (0, frozenset()))
    rest = {k: v for k, v in content.items() if k not in {TOKENS, MX}}
    return {**rest, TOKENS: (ttl, values - {ONE, TWO})}


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_domain_is_onboarded_and_multi_region_goes_on_and_off_in_a_nasty_zone(kind: str, tmp_path: Path) -> None:
    zones = {ZONE: nasty_zone(ZONE, without=WITHOUT[kind])}
    # moto serves no DNS: what was written is seen by the next run alone
    done = 3 if kind == "route53-moto" else 0
    with laboratory(kind, zones, tmp_path) as (workspace, backend):
        before = foreign(backend.content(ZONE))
        assert len(before[TOKENS][1]) >= 20
        workspace.write("manifests/acme.yaml", manifest("nasty.example"))

        saved = workspace.run("plan", "--out", "plan.json")
        assert saved.code == 3, saved.err
        assert workspace.run("apply", "plan.json").code == 3
        assert backend.content(ZONE)[TOKENS][1] - before[TOKENS][1] == {ONE}
        assert backend.content(ZONE)[MX][1] != frozenset({EU})

        assert workspace.statuses() == {"nasty.example/verification": "done", "nasty.example/mx": "ready"}
        assert workspace.run("apply", "--auto-approve").code == done
        assert backend.content(ZONE)[MX] == (600, frozenset({EU}))
        in_sync = workspace.run("plan", "--detailed-exitcode")
        assert (in_sync.code, in_sync.err) == (0, "")
        assert "In sync." in in_sync.out
        assert foreign(backend.content(ZONE)) == before

        # multi-region on: the second value first, then the MX
        workspace.write("manifests/acme.yaml", manifest("nasty.example", multi_region=True))
        assert workspace.run("apply", "--auto-approve").code == 3
        assert backend.content(ZONE)[MX][1] == {EU}
        assert backend.content(ZONE)[TOKENS][1] - before[TOKENS][1] == {ONE, TWO}
        assert workspace.run("apply", "--auto-approve").code == done
        assert backend.content(ZONE)[MX][1] == {EU_MULTI}
        assert workspace.run("plan", "--detailed-exitcode").code == 0

        # and off: the MX first, then the second value
        workspace.write("manifests/acme.yaml", manifest("nasty.example"))
        assert workspace.run("apply", "--auto-approve").code == 3
        assert backend.content(ZONE)[MX][1] == {EU}
        assert backend.content(ZONE)[TOKENS][1] - before[TOKENS][1] == {ONE, TWO}
        assert workspace.run("apply", "--auto-approve").code == done
        assert backend.content(ZONE)[TOKENS][1] - before[TOKENS][1] == {ONE}
        assert workspace.run("plan", "--detailed-exitcode").code == 0
        assert foreign(backend.content(ZONE)) == before


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_writer_that_came_between_plan_and_apply_loses_nothing(kind: str, tmp_path: Path) -> None:
    """The domain is stale and exit code 4 says so; another domain of the same plan is applied."""
    text = "@ 3600 IN SOA ns hostmaster 2026010101 3600 600 86400 300\n@ 3600 IN NS ns\nns 3600 IN A 127.0.0.1\n"
    zones = {f"{name}.example.": f"$ORIGIN {name}.example.\n{text}" for name in ("raced", "calm")}
    with laboratory(kind, zones, tmp_path) as (workspace, backend):
        workspace.write("manifests/acme.yaml", manifest("raced.example", "calm.example"))
        assert workspace.run("plan", "--out", "plan.json").code == 3
        backend.add_txt("_amazonses.raced.example.", '"somebody was faster"')
        applied = workspace.run("apply", "plan.json")
        assert applied.code == 4, applied.err
        assert "raced.example  stale" in applied.out
        assert "plan again" in applied.out
        assert "calm.example  applied" in applied.out
        after = backend.content("raced.example.")["_amazonses.raced.example.", "TXT"]
        assert after == (1234, frozenset({txt("somebody was faster")}))
        assert workspace.run("apply", "plan.json").code == 4
        while workspace.run("apply", "--auto-approve").code == 3:
            pass
        assert workspace.run("plan", "--detailed-exitcode").code == 0
        after = backend.content("raced.example.")["_amazonses.raced.example.", "TXT"]
        assert after == (1234, frozenset({txt("somebody was faster"), txt("one-raced.example")}))
