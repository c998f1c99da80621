"""Generated zones on real servers: wildcards, aliases, cuts and empty non-terminals in any order, seen by both alike.

`RECONCILER_ZONE_EXAMPLES` sets how many lots of zones each make of server gets.
"""

from __future__ import annotations

import os
import tempfile
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from servers.bind import run_bind
from servers.differential import observed_by_both
from servers.knot import run_knot
from servers.nsd import run_nsd
from servers.observing import Asking, question
from servers.powerdns import run_powerdns
from servers.processes import require

from reconciler.state import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from servers.processes import NameServer

    from reconciler.observe import Question

pytestmark = pytest.mark.integration

EXAMPLES = int(os.environ.get("RECONCILER_ZONE_EXAMPLES", "2"))
ZONES = 5  # of one lot, which a server holds together
MAKES: dict[str, tuple[str, Callable[..., AbstractContextManager[NameServer]]]] = {
    "bind": ("named", run_bind),
    "knot": ("knotd", run_knot),
    "nsd": ("nsd", run_nsd),
    "powerdns": ("pdns_server", run_powerdns),
}
OWNERS = ("a", "b", "*", "a.a", "b.a", "a.b", "*.a", "*.b", "a.b.a", "b.b.a", "*.b.a")
HEAD = "$TTL 60\n@ IN SOA ns host.master 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n"
RDATAS = {
    "MX": ("10 a", "20 Mail.Example.NET.", "0 .", r"5 odd\.label.b", r"7 nul\000.example."),
    "TXT": ('"v=spf1 -all"', '"token" ""', r'"\000\255\"\\"', f'"{"x" * 255}" "{"y" * 255}" "{"z" * 255}"'),
    "A": ("192.0.2.1", "192.0.2.2"),
    "AAAA": ("2001:db8::1",),
}
TARGETS = ("a", "b.a", "elsewhere.example.", "x.a.b", "kid")


@st.composite
def records(draw: st.DrawFn, owner: str) -> list[str]:
    """What stands at an owner name: records, an alias, or a cut."""
    is_wildcard = owner.startswith("*")
    kind = draw(st.sampled_from(["records"] * 5 + ["CNAME"] * 2 + ([] if is_wildcard else ["NS", "DNAME"])))
    ttl = draw(st.sampled_from([0, 60, 3600]))
    if kind == "records":
        types = draw(st.lists(st.sampled_from(sorted(RDATAS)), min_size=1, max_size=3, unique=True))
        chosen = {t: draw(st.lists(st.sampled_from(RDATAS[t]), min_size=1, max_size=3, unique=True)) for t in types}
        return [f"{owner} {ttl} IN {t} {rdata}" for t, rdatas in chosen.items() for rdata in rdatas]
    return [f"{owner} {ttl} IN {kind} {draw(st.sampled_from(TARGETS))}"]


@st.composite
def zone_texts(draw: st.DrawFn) -> str:
    """Some owner names with what stands there; nothing below what hides it."""
    lines = [HEAD]
    lines += draw(st.sampled_from([[], ["@ IN MX 10 a"], ["@ IN MX 10 a", '@ IN TXT "v=spf1 -all"']]))
    hidden: list[str] = []
    for owner in sorted(draw(st.lists(st.sampled_from(OWNERS), max_size=7, unique=True)), key=len):
        if not any(owner.endswith(f".{cut}") for cut in hidden):
            added = draw(records(owner))
            hidden += [owner] if " NS " in added[0] or " DNAME " in added[0] else []
            lines += added
    if draw(st.booleans()):
        lines.append("kid IN NS ns")
    return "\n".join(lines) + "\n"


def questions(apex: str) -> list[Question]:
    """For every name that may be there, asked as the domain itself and as a name of the zone's own."""
    owners = [apex, *(f"{owner}.{apex}" for owner in OWNERS), f"x.y.{apex}", f"kid.{apex}", f"x.kid.{apex}"]
    asked = []
    for owner, rdtype in product(owners, ("MX", "TXT")):
        asked.append(question(owner, rdtype, domain=apex))
        if "*" not in owner:
            asked.append(question(owner, rdtype))
            asked.append(question(f"_amazonses.{owner}", rdtype, domain=owner))
    return asked


def zones_of(texts: list[str], kids: list[str]) -> dict[str, str]:
    """Each zone with its apex; and a child on the same server, where the zone has one."""
    zones = {f"z{number}.example.": text for number, text in enumerate(texts)}
    for number, kid in enumerate(kids):
        if "kid IN NS" in texts[number]:
            zones[f"kid.z{number}.example."] = kid
    return zones


@pytest.mark.parametrize("make", MAKES)
def test_any_zone_is_seen_alike(make: str) -> None:
    program, run = MAKES[make]
    require(program)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        texts=st.lists(zone_texts(), min_size=ZONES, max_size=ZONES),
        kids=st.lists(zone_texts(), min_size=2, max_size=2),
    )
    def check(texts: list[str], kids: list[str]) -> None:
        zones = zones_of(texts, kids)
        with tempfile.TemporaryDirectory() as directory, run(zones, directory=Path(directory)) as server:
            asking = Asking(servers=((server.address, server.port),))
            asked = [one for apex in zones for one in questions(apex)]
            seen = dict(zip(asked, observed_by_both(asking, asked), strict=True))
            # where nobody answers both see the same, too
            unseen = [apex for apex in zones if isinstance(seen[question(apex, "MX")].observed, Unknown)]
            assert unseen == []

    check()
