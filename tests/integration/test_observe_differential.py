"""The fast observer against the reference on real servers: the same observations to the letter, whatever the zone."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from servers.bind import run_bind
from servers.differential import observed_by_both
from servers.knot import run_knot
from servers.nasty import SAMPLES
from servers.nsd import run_nsd
from servers.observing import Asking, question
from servers.powerdns import run_powerdns
from servers.processes import free_port
from servers.tricky import HEAD, TRICKY_ZONE

from reconciler.state import Absent, Cause, Present, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from servers.processes import NameServer

    from reconciler.observe import Question

pytestmark = pytest.mark.integration

# what its wildcard makes stands at its apex, too; and no letter of it is a capital, as is usual
CHILD = f"""{HEAD.replace("HostMaster", "hostmaster").replace("NS2", "ns2")}@ IN MX 5 mx
_amazonses IN TXT "child"
@ IN A 192.0.2.9
* IN A 192.0.2.9
alias IN CNAME mail.acme.example.
"""
DEEP = "d" * 63 + "." + "e" * 63 + "." + "f" * 63
ZONES = {"acme.example.": TRICKY_ZONE, "child.acme.example.": CHILD, "sub.child.acme.example.": HEAD}
OWNERS = (
    "", "_amazonses", "odd", "nulls", "alias", "inner", "back", "chain", "chain2", "strange", "_amazonses.alias",
    "dname", "x.dname", "x.y.dname", "inward", "exists.inward", "x.inward", "empty.non.terminal", "non.terminal",
    "terminal", "cut", "ns.cut", "mail.cut", "apps", "x.apps", "_amazonses.x.apps", "hosts", "x.hosts", "exists.hosts",
    "x.exists.hosts", "x.mails", "mails", "x.six", "x.dim", "dim", "same", "deep.same", "x.same", "zero", "ages", "big",
    "bigmx", "edge", "nasty", "nothing", "no.thing", "_amazonses.nothing", "*", "*.apps", "wildcard-probe", DEEP,
)  # fmt: skip
CHILD_OWNERS = ("", "_amazonses", "x", "alias", "sub", "_amazonses.sub")

MAKES: dict[str, Callable[..., AbstractContextManager[NameServer]]] = {
    "bind": run_bind,
    "knot": run_knot,
    "nsd": run_nsd,
    "powerdns": run_powerdns,
}


@pytest.fixture(scope="module", params=MAKES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    """One server of each make for all tests of the module: they only read."""
    with MAKES[request.param](ZONES, directory=tmp_path_factory.mktemp("server")) as running:
        yield running


def name(owner: str, apex: str = "acme.example.") -> str:
    return f"{owner}.{apex}" if owner else apex


def asked_of_acme() -> list[Question]:
    """Every owner for every type, as the domain itself, as a name of acme.example, and in zones declared."""
    asked = []
    for owner in (name(o) for o in OWNERS):
        asked += [question(owner, t, domain="acme.example") for t in ("MX", "TXT", "A", "NS", "SOA", "CNAME")]
        if not owner.startswith(("*", "_", "wildcard")):
            asked += [question(owner, t) for t in ("MX", "TXT")]
    for owner in (name(o, "child.acme.example.") for o in CHILD_OWNERS):
        for zone in ("", "acme.example", "child.acme.example", "no.acme.example"):
            asked += [question(owner, t, domain="child.acme.example", zone=zone) for t in ("MX", "TXT", "A")]
    asked += [question(d, "MX") for d in ("unknown.example.", "example.", "cme.example.", "xacme.example.")]
    asked.append(question("other.example.", "MX", domain="acme.example"))
    return asked


def test_a_nasty_zone_on_every_make_of_server(server: NameServer) -> None:
    found = observed_by_both(Asking(servers=((server.address, server.port),)), asked_of_acme())
    kinds = [o.observed for o in found]
    assert sum(isinstance(o, Present) for o in kinds) > 40
    assert sum(isinstance(o, Absent) for o in kinds) > 60
    assert Absent(is_covered=True) in kinds
    causes = {o.cause for o in kinds if isinstance(o, Unknown)}
    assert {Cause.CNAME, Cause.DELEGATED, Cause.NO_SUCH_ZONE, Cause.REFUSED} <= causes


def test_rrsets_too_big_for_a_datagram_are_the_same(server: NameServer) -> None:
    asked = [question(name(o), t, domain="acme.example") for o, t in (("big", "TXT"), ("bigmx", "MX"), ("edge", "TXT"))]
    found = [o.observed for o in observed_by_both(Asking(servers=((server.address, server.port),)), asked)]
    assert [len(o.rrset.rdatas) for o in found if isinstance(o, Present)] == [60, 90, 10]


def test_every_type_of_record_is_the_same(tmp_path: Path) -> None:
    """Those that the walker does not read, too."""
    lines = [f"type-{t.lower()} 777 IN {t} {r}" for t, rdatas in SAMPLES.items() if _is_plain(t) for r in rdatas]
    with run_bind({"acme.example.": HEAD + "\n".join(lines) + "\n"}, directory=tmp_path) as server:
        asked = [question(name(f"type-{t.lower()}"), t, domain="acme.example") for t in SAMPLES if _is_plain(t)]
        found = observed_by_both(Asking(servers=((server.address, server.port),)), asked)
    assert sum(isinstance(o.observed, Present) for o in found) >= len(asked) - 2


def _is_plain(rdtype: str) -> bool:
    return not rdtype.startswith("TYPE") and rdtype not in ("DNAME", "NS")


def several(tmp_path: Path, stack: ExitStack) -> dict[str, tuple[str, int]]:
    """Servers of the same zones that are not of one mind, and some that are none."""
    newer = {**ZONES, "acme.example.": TRICKY_ZONE.replace("MX 10 Mail", "MX 10 New").replace("token one", "token two")}
    lame = {"elsewhere.example.": HEAD}
    parent: Mapping[str, str] = {"acme.example.": TRICKY_ZONE}
    endpoints = {"closed": ("127.0.0.1", free_port("127.0.0.1"))}
    for label, make, zones in (("old", "nsd", ZONES), ("new", "knot", newer), ("lame", "bind", lame)):
        server = stack.enter_context(MAKES[make](zones, directory=tmp_path / label))
        endpoints[label] = (server.address, server.port)
    server = stack.enter_context(run_bind(parent, directory=tmp_path / "parent", unloadable=["child.acme.example."]))
    endpoints["parent"] = (server.address, server.port)
    return endpoints


def test_servers_that_disagree_are_lame_dead_or_fail(tmp_path: Path) -> None:
    asked = [
        question(name(owner, apex), rdtype, domain=apex)
        for apex in ("acme.example.", "child.acme.example.", "nobody.example.")
        for owner, rdtype in (("", "MX"), ("", "TXT"), ("_amazonses", "TXT"), ("x.mails", "MX"), ("alias", "MX"))
    ]
    causes = set()
    with ExitStack() as stack:
        endpoints = several(tmp_path, stack)
        for labels in ("old new", "old lame", "lame", "closed old", "closed", "parent", "parent new", "lame parent"):
            servers = tuple(endpoints[label] for label in labels.split())
            found = observed_by_both(Asking(servers=servers, timeout=1.0), asked)
            causes |= {o.observed.cause for o in found if isinstance(o.observed, Unknown)}
    expected = {Cause.DISAGREE, Cause.REFUSED, Cause.NETWORK, Cause.SERVFAIL, Cause.CNAME}
    assert expected <= causes
