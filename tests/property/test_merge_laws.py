"""Laws of shards: put together they are what one process finds, to the byte, whatever the fleet and its limits."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from builders import NOW
from command import GATEWAY, HEAD, OLD
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from shard_lab import KINDS, merged, opened, rendered, shards, whole

from reconciler.run_drift import drift
from reconciler.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPORT = "reconciler-export 1 postfix-access 2026-11-21T11:00:00Z\n[table]\n{lines}end\n"
ADDRESSES = ["99.81.216.78", "192.0.2.1"]
ZONES = {
    "old": OLD,
    "switched": GATEWAY + '_amazonses TXT "{token}"\n',
    "unverified": GATEWAY,
    "bypassed": GATEWAY + '@ MX 10 mail\n_amazonses TXT "{token}"\n',
    "outdated": GATEWAY + '_amazonses TXT "{token}"\n_amazonses TXT "{token}-of-before"\n',
    "unknown": "",
}
ATTESTED = [
    {"what": what, "by": "ops@acme.example", "on": "2026-11-10"} for what in ("console", "verified", "next-hop-tls")
]


class Declared(NamedTuple):
    """One service, and what is in DNS for its domains."""

    organization: int
    lists: list[tuple[str, bool]]
    next_hop: str
    is_leaving: bool
    zones: list[str]


SERVICES = st.builds(
    Declared,
    organization=st.integers(0, 3),
    lists=st.lists(st.tuples(st.sampled_from(["own", "one", "two"]), st.booleans()), max_size=1),
    next_hop=st.sampled_from(["mail.acme.example", "mx.acme.example"]),
    is_leaving=st.booleans(),
    zones=st.lists(st.sampled_from(sorted(ZONES)), min_size=1, max_size=2),
)
LIMITS = st.fixed_dictionaries(
    {
        "switches_per_run": st.integers(1, 3),
        "switches_per_organization": st.integers(1, 2),
        "unhealthy_share": st.sampled_from([0.2, 1]),
    }
)
STOPS = st.sampled_from(["none", "none", "kill", "freeze"])


def _service(n: int, declared: Declared) -> dict[str, object]:
    lists = [
        {
            "target": "postfix-access",
            "intent": "restrict" if is_restricting else "allow",
            "export": f"exports/own-{n}" if export == "own" else f"exports/{export}",
        }
        for export, is_restricting in declared.lists
    ]
    domains = [
        {
            "name": f"d{n}-{at}.example",
            "next_hops": [declared.next_hop],
            "verification": {"primary": f"token-{n}-{at}"},
            **({"lifecycle": "offboarded"} if declared.is_leaving else {}),
        }
        for at in range(len(declared.zones))
    ]
    return {"name": f"s{n}", "kind": "postfix", "allowlists": lists, "domains": domains}


def _write(services: list[Declared], limits: dict[str, float], stop: str) -> None:
    for name in ("manifests", "zones", "exports"):
        Path(name).mkdir()
    for organization in {s.organization for s in services}:
        found = [_service(n, s) for n, s in enumerate(services) if s.organization == organization]
        text = {
            "organization": f"org{organization}",
            "region": "eu",
            "escalation_contacts": ["secops@acme.example"],
            "attestations": ATTESTED,
            "services": found,
        }
        Path(f"manifests/org{organization}.yaml").write_text(json.dumps(text))
    for n, service in enumerate(services):
        Path(f"exports/own-{n}").write_text(EXPORT.format(lines="".join(f"| {a} OK\n" for a in ADDRESSES[: n % 3])))
        for at, zone in enumerate(service.zones):
            if zone != "unknown":
                Path(f"zones/d{n}-{at}.example.zone").write_text(HEAD + ZONES[zone].format(token=f"token-{n}-{at}"))
    for n, name in enumerate(("one", "two")):
        Path(f"exports/{name}").write_text(EXPORT.format(lines=f"| {ADDRESSES[n]} OK\n"))
    freeze = [{"from": NOW.isoformat(), "until": (NOW + timedelta(days=1)).isoformat(), "reason": "feast"}]
    settings_text = {
        "observe": {"zonefiles": "zones"},
        "default_provider": "files",
        "providers": {"files": {"class": "octodns_bind.ZoneFileProvider", "directory": "zones"}},
        "limits": limits,
        **({"kill_switch": "incident"} if stop == "kill" else {}),
        **({"freeze": freeze} if stop == "freeze" else {}),
    }
    Path("reconciler.yaml").write_text(json.dumps(settings_text))


@contextmanager
def _folder() -> Iterator[None]:
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


@given(
    services=st.lists(SERVICES, min_size=1, max_size=6),
    limits=LIMITS,
    stop=STOPS,
    count=st.sampled_from([1, 2, 7]),
    is_recorded=st.booleans(),
)
# a fleet is slow to look at, and a failing one small enough as it is
@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_shards_put_together_are_what_one_process_finds(
    services: list[Declared], limits: dict[str, float], stop: str, count: int, *, is_recorded: bool
) -> None:
    with _folder():
        _write(services, limits, stop)
        if is_recorded:
            drift(opened(NOW - timedelta(days=9)), Selection(), is_recorded=True)
        for kind in KINDS:
            parts = shards(kind, count)
            found = merged(parts)
            assert rendered(found) == rendered(whole(kind))
            assert merged(reversed(parts)) == found
            assert merged([*parts, *parts]) == found
            assert merged([found]) == found
