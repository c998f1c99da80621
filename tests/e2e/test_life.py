"""From declared to protected, changed, and gone, with the real command on real servers; no foreign octet changes.

Days pass between the runs: each is told the time (`--now`), so that the waits are those of a real installation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from laboratory import ATTESTED, BACKENDS, Backend, Content, Workspace, laboratory, manifest
from servers.nasty import BIND_WITHOUT, KNOT_WITHOUT, POWERDNS_WITHOUT, nasty_zone

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

pytestmark = pytest.mark.integration

ZONE, OTHER_ZONE = "nasty.example.", "other.example."
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
# their DNS is read from files: nobody can be probed, and a person looks at the next hops
UNPROBED = {"route53-moto", "zonefile"}
EU = b"\x00\x00\x0cinbound-smtp\x09eu-west-1\x09amazonaws\x03com\x00"
EU_MULTI = b"\x00\x00\x02eu\x05mx-pp\x03com\x00"
BACK = b"\x00\x0a\x04mail\x09elsewhere\x07example\x00"
RETIRED = "nasty.example/verification/retired"
TTL, SETTLE = timedelta(seconds=600), timedelta(hours=1)
START = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# a run takes its time, and counts from when it has looked
A_RUN = timedelta(seconds=30)
IN_SYNC = f"""$ORIGIN {OTHER_ZONE}
@ 600 IN SOA ns hostmaster 1 3600 600 86400 300
@ 600 IN NS ns
@ 600 IN MX 0 inbound-smtp.eu-west-1.amazonaws.com.
ns 600 IN A 127.0.0.1
_amazonses 600 IN TXT "one-other.example"
"""


def txt(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


ONE, TWO = txt("one-nasty.example"), txt("two-nasty.example")


def foreign(content: Content) -> Content:
    """All but our own: every other rrset, and the values of others at the verification name."""
    ttl, values = content.get(TOKENS, (0, frozenset()))
    rest = {k: v for k, v in content.items() if k not in {TOKENS, MX}}
    return {**rest, TOKENS: (ttl, values - {ONE, TWO})}


@dataclass
class Life:
    """One mail domain in a nasty zone, and another one of another organization, in sync all the time."""

    kind: str
    workspace: Workspace
    backend: Backend

    def __post_init__(self) -> None:
        """Remember what is not ours."""
        self.foreign = foreign(self.backend.content(ZONE))
        self.workspace.write("manifests/other.yaml", manifest("other.example", organization="other", on=START.date()))
        self.workspace.now = START

    def declare(self, **state: Any) -> None:  # noqa: ANN401 - as `manifest`
        """Write a new target state; people look at the console on the same day."""
        assert self.workspace.now is not None
        attested = [a for a in ATTESTED if self.kind in UNPROBED or a != "next-hop-tls"]
        self.workspace.write(
            "manifests/acme.yaml", manifest("nasty.example", attested=attested, on=self.workspace.now.date(), **state)
        )

    def passes(self, time: timedelta) -> None:
        """Time goes by."""
        assert self.workspace.now is not None
        self.workspace.now += time

    def apply(self, *file: str) -> int:
        """Write what is ready; the exit code."""
        return self.workspace.run("apply", *(file or ("--auto-approve",))).code

    @property
    def done(self) -> int:
        """What `apply` ends with when nothing is left; moto serves no DNS: what was written the next run sees alone."""
        return 3 if self.kind == "route53-moto" else 0

    @property
    def mx(self) -> tuple[int, AbstractSet[bytes]]:
        """The MX with its TTL."""
        return self.backend.content(ZONE)[MX]

    @property
    def ours(self) -> AbstractSet[bytes]:
        """Our verification values in DNS."""
        return self.backend.content(ZONE)[TOKENS][1] - self.foreign[TOKENS][1]

    def assert_in_sync(self, stage: str = "protected") -> None:
        """A second run changes nothing and says so, and what is not ours is as it was."""
        ran = self.workspace.run("plan", "--detailed-exitcode", "--format", "json")
        assert (ran.code, ran.err) == (0, ""), ran.out
        stages = {d["domain"]: d["stage"] for d in ran.plan["domains"]}
        assert stages == {"nasty.example": stage, "other.example": "protected"}
        assert foreign(self.backend.content(ZONE)) == self.foreign

    def await_removal(self, values: frozenset[bytes]) -> None:
        """The MX has just been moved: `values` stay for its TTL and the settle time, no longer, and go then."""
        moved = self.workspace.now
        assert moved is not None
        self.passes(MINUTE)
        assert self.apply() == 3
        step = self.workspace.steps()[RETIRED]
        opens = datetime.fromisoformat(step["not_before"])
        assert step["status"] == "held"
        assert [g["id"] for g in step["gates"] if g["verdict"] != "pass"] == ["early-removal"]
        # where only the next run sees what was written, only then the time begins
        latest = moved + (MINUTE if self.kind == "route53-moto" else timedelta()) + TTL + SETTLE + A_RUN
        assert moved + TTL + SETTLE <= opens <= latest
        self.workspace.now = opens - MINUTE
        assert self.apply() == 3
        assert values <= self.ours
        self.workspace.now = opens
        assert self.apply() == self.done
        assert not self.ours & values


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_whole_life_in_a_nasty_zone(kind: str, tmp_path: Path) -> None:
    zones = {ZONE: nasty_zone(ZONE, without=WITHOUT[kind]), OTHER_ZONE: IN_SYNC}
    with laboratory(kind, zones, tmp_path) as (workspace, backend):
        life = Life(kind, workspace, backend)
        assert len(life.foreign[TOKENS][1]) >= 20
        onboard(life)
        grow_old(life)
        multi_region_on(life)
        life.passes(DAY)
        multi_region_off(life)
        life.passes(DAY)
        leave(life)


def onboard(life: Life) -> None:
    """By a reviewed plan, then by the next run: the value first, then the MX."""
    life.declare()
    saved = life.workspace.run("plan", "--out", "plan.json")
    assert saved.code == 3, saved.err
    assert life.apply("plan.json") == 3
    assert life.ours == {ONE}
    assert life.mx[1] != {EU}
    life.passes(MINUTE)
    steps = life.workspace.steps()
    assert steps["nasty.example/verification"]["status"] == "done"
    assert steps["nasty.example/mx"]["status"] == "ready"
    evidence = {g["id"]: g["evidence"] for g in steps["nasty.example/mx"]["gates"]}
    seen = "attested by ops@acme.example" if life.kind in UNPROBED else "offers STARTTLS with TLSv1.3"
    assert seen in evidence["tls"]
    assert life.apply() == life.done
    assert life.mx == (600, {EU})
    life.passes(MINUTE)
    life.assert_in_sync()
    assert "In sync." in life.workspace.run("plan").out


def grow_old(life: Life) -> None:
    """Until nothing from before the first look matters any more; somebody looks now and then."""
    for _ in range(2):
        life.passes(5 * DAY)
        assert life.apply() == 0


def multi_region_on(life: Life) -> None:
    """The second value first, then the MX."""
    life.declare(multi_region=True)
    assert life.apply() == 3
    assert (life.mx[1], life.ours) == ({EU}, {ONE, TWO})
    life.passes(MINUTE)
    assert life.apply() == life.done
    assert (life.mx[1], life.ours) == ({EU_MULTI}, {ONE, TWO})
    life.passes(MINUTE)
    life.assert_in_sync()


def multi_region_off(life: Life) -> None:
    """The MX first; the second value when no sender can hold the old MX any more."""
    life.declare()
    assert life.apply() == 3
    assert (life.mx[1], life.ours) == ({EU}, {ONE, TWO})
    life.await_removal(frozenset({TWO}))
    assert life.ours == {ONE}
    life.passes(MINUTE)
    life.assert_in_sync()


def leave(life: Life) -> None:
    """Back to the next hops, the values when they are over, and then nobody asks for the domain any more."""
    life.declare(lifecycle="offboarded")
    assert life.apply() == 3
    assert life.mx == (600, {BACK})
    assert life.ours == {ONE}
    life.await_removal(frozenset({ONE}))
    life.passes(MINUTE)
    life.assert_in_sync(stage="gone")
    assert life.apply() == 0
    (life.workspace.directory / "manifests" / "acme.yaml").unlink()
    plan = life.workspace.plan()
    assert [d["domain"] for d in plan["domains"]] == ["other.example"]
    assert plan["diagnostics"] == []


def test_a_domain_that_left_without_off_boarding_is_an_orphan_and_stays_as_it_is(tmp_path: Path) -> None:
    zones = {ZONE: nasty_zone(ZONE), OTHER_ZONE: IN_SYNC}
    with laboratory("bind", zones, tmp_path) as (workspace, backend):
        life = Life("bind", workspace, backend)
        onboard(life)
        (workspace.directory / "manifests" / "acme.yaml").unlink()
        before = backend.content(ZONE)
        for _ in range(2):
            life.passes(30 * DAY)
            planned = workspace.run("plan", "--detailed-exitcode", "--format", "json")
            assert planned.code == 0, planned.err
            (orphan,) = planned.plan["diagnostics"]
            assert (orphan["severity"], orphan["code"]) == ("warning", "orphaned")
            assert "nasty.example is declared no more" in orphan["summary"]
            assert "lifecycle: offboarded" in orphan["detail"]
            assert life.apply() == 0
            assert backend.content(ZONE) == before
        # declared again it is as if nothing had been
        life.declare()
        life.assert_in_sync()


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
        for _ in range(5):
            if workspace.run("apply", "--auto-approve").code == 0:
                break
        assert workspace.run("plan", "--detailed-exitcode").code == 0
        after = backend.content("raced.example.")["_amazonses.raced.example.", "TXT"]
        assert after == (1234, frozenset({txt("somebody was faster"), txt("one-raced.example")}))
