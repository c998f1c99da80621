"""Zones found as the world finds them: a BIND resolver, a root, a top-level zone and two name servers of the leaf.

Each has an address of its own in 127.0.0.0/8, all on one high port; BIND serves on addresses of interfaces alone, and
that is 127.0.0.1.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import pytest
from servers.bind import run_bind
from servers.differential import observed_by_both
from servers.knot import run_knot
from servers.observing import Asking, observe_one, question
from servers.processes import ask, free_port, require, running

from reconciler.names import canonical_name
from reconciler.observe.dns import LiveObserver
from reconciler.state import Absent, Cause, Present, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.observe import Question
    from reconciler.state import Observation, Observed

pytestmark = pytest.mark.integration

ROOT, TLD, ONE, TWO, NOBODY = (f"127.0.0.{n}" for n in (111, 112, 1, 114, 119))

SOA = "@ IN SOA a.root.test. hostmaster.root.test. 1 3600 600 86400 60\n"
ROOT_ZONE = f"""$TTL 300
{SOA}
@ IN NS a.root.test.
a.root.test. IN A {ROOT}
example. IN NS ns.nic.example.
ns.nic.example. IN A {TLD}
"""
TLD_ZONE = f"""$TTL 300
{SOA}
@ IN NS ns.nic
ns.nic IN A {TLD}
acme IN NS ns1.acme
acme IN NS ns2.acme
acme IN NS gone.nowhere
acme IN NS dead.acme
ns1.acme IN A {ONE}
ns2.acme IN A {TWO}
dead.acme IN A {NOBODY}
lame IN NS ns.lame
ns.lame IN A {NOBODY}
unserved IN NS ns1.acme
"""
LEAF = f"""$TTL 300
{SOA}
@ IN NS NS1
@ IN NS ns2
@ IN NS gone.nowhere.example.
@ IN NS dead
ns1 IN A {ONE}
ns1 IN AAAA ::1
ns2 IN A {TWO}
dead IN A {NOBODY}
mail IN A 192.0.2.1
alias IN CNAME www.acme.example.
www IN CNAME mail
child IN NS ns1
child IN NS ns2
@ IN MX 10 mail
_amazonses IN TXT "token"
"""
CHILD = f"""$TTL 300
{SOA}
@ IN NS ns1.acme.example.
@ IN NS ns2.acme.example.
@ IN MX 5 mx.example.
alias IN CNAME www.acme.example.
"""


@dataclass(frozen=True)
class World:
    """Where everything listens."""

    port: int
    resolver: tuple[str, int]

    @property
    def asking(self) -> Asking:
        """Through the resolver; the dead name server may take its short time."""
        return Asking(resolvers=(self.resolver,), timeout=2.0)

    def observation(self, asked: Question, asking: Asking | None = None) -> Observation:
        """The one observation of a question."""
        return observe_one(asking or self.asking, asked, port=self.port)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All servers; the tests only read."""
    port = free_port(ONE)
    directory = tmp_path_factory.mktemp("world")
    leaf = {"acme.example.": LEAF, "child.acme.example.": CHILD}
    newer = leaf | {"acme.example.": LEAF.replace("MX 10 mail", 'MX 10 mail\n@ IN CAA 0 issue "ca.example"')}
    with ExitStack() as stack:
        stack.enter_context(run_knot({".": ROOT_ZONE}, directory=directory / "root", address=ROOT, port=port))
        stack.enter_context(run_knot({"example.": TLD_ZONE}, directory=directory / "tld", address=TLD, port=port))
        stack.enter_context(run_bind(leaf, directory=directory / "one", address=ONE, port=port))
        stack.enter_context(run_knot(newer, directory=directory / "two", address=TWO, port=port))
        yield World(port, run_resolver(stack, directory / "resolver", port))


def run_resolver(stack: ExitStack, directory: Path, port: int) -> tuple[str, int]:
    """A resolver that asks name servers on `port`."""
    resolver = ("127.0.0.1", free_port("127.0.0.1"))
    named = require("named")
    directory.mkdir()
    (directory / "hints").write_text(f". 3600 IN NS a.root.test.\na.root.test. 3600 IN A {ROOT}\n", encoding="ascii")
    (directory / "named.conf").write_text(
        f"""options {{
            directory "{directory}"; pid-file none; session-keyfile none; managed-keys-directory "{directory}";
            port {port}; listen-on port {resolver[1]} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
            recursion yes; allow-recursion {{ any; }}; dnssec-validation no; empty-zones-enable no;
            resolver-query-timeout 1000; lame-ttl 0; servfail-ttl 0;
        }};
        controls {{ }};
        zone "." {{ type hint; file "hints"; }};
        """,
        encoding="ascii",
    )

    def is_ready() -> bool:
        try:
            ask(*resolver, "version.bind", "TXT")
        except (OSError, EOFError, dns.exception.DNSException):
            return False
        return True

    command = [named, "-g", "-4", "-n", "1", "-c", str(directory / "named.conf")]
    stack.enter_context(running(command, log=directory / "named.log", is_ready=is_ready))
    return resolver


def cause(observed: Observed) -> Cause:
    assert isinstance(observed, Unknown), observed
    return observed.cause


def test_every_name_server_of_the_zone_is_asked(world: World) -> None:
    observation = world.observation(question("acme.example.", "MX"))
    assert observation.zone is not None
    assert observation.zone.apex == "acme.example."
    names = ("dead.acme.example.", "gone.nowhere.example.", "ns1.acme.example.", "ns2.acme.example.")
    assert observation.zone.servers == names
    assert tuple(a.server for a in observation.answers) == names
    dead, gone, one, two = (a.observed for a in observation.answers)
    assert cause(dead) is Cause.NETWORK
    assert cause(gone) is Cause.NETWORK
    assert "gone.nowhere.example." in str(gone)
    assert isinstance(one, Present)
    assert one == two
    assert observation.observed == one


def test_two_servers_of_one_zone_that_disagree(world: World) -> None:
    assert cause(world.observation(question("acme.example.", "CAA")).observed) is Cause.DISAGREE


def test_names_inside_a_zone_have_its_apex(world: World) -> None:
    observation = world.observation(question("not.there.acme.example.", "MX"))
    assert observation.zone is not None
    assert observation.zone.apex == "acme.example."
    assert observation.observed == Absent()
    txt = world.observation(question("_amazonses.acme.example.", "TXT", domain="acme.example"))
    assert isinstance(txt.observed, Present)


def test_an_alias_is_in_the_zone_that_holds_it(world: World) -> None:
    observation = world.observation(question("alias.acme.example.", "MX"))
    assert observation.zone is not None
    assert observation.zone.apex == "acme.example."
    assert cause(observation.observed) is Cause.CNAME


def test_an_alias_to_a_zone_above_is_still_in_the_zone_that_holds_it(world: World) -> None:
    """The resolver's answer ends with the SOA of the target's zone, which looks like an enclosing one."""
    observation = world.observation(question("alias.child.acme.example.", "MX"))
    assert observation.zone is not None
    assert observation.zone.apex == "child.acme.example."


def test_a_child_zone_is_found(world: World) -> None:
    observation = world.observation(question("child.acme.example.", "MX"))
    assert observation.zone is not None
    assert observation.zone.apex == "child.acme.example."
    assert isinstance(observation.observed, Present)


def test_a_child_zone_is_delegated_when_the_manifest_names_the_parent(world: World) -> None:
    observation = world.observation(question("child.acme.example.", "MX", zone="acme.example"))
    assert cause(observation.observed) is Cause.DELEGATED


def test_a_domain_that_nobody_registered(world: World) -> None:
    observation = world.observation(question("nobody.example.", "MX"))
    assert observation.zone is None
    assert cause(observation.observed) is Cause.NO_SUCH_ZONE


def test_a_top_level_domain_that_does_not_exist(world: World) -> None:
    observation = world.observation(question("acme.invalid.", "MX"))
    assert observation.zone is None
    assert cause(observation.observed) is Cause.NO_SUCH_ZONE


@pytest.mark.parametrize("domain", ["lame.example.", "unserved.example."])
def test_a_zone_whose_servers_are_lame_is_not_absent(world: World, domain: str) -> None:
    observation = world.observation(question(domain, "MX"))
    assert observation.zone is None
    assert cause(observation.observed) in {Cause.SERVFAIL, Cause.TIMEOUT}


def test_no_resolver_answers(world: World) -> None:
    asking = Asking(resolvers=((NOBODY, world.port),), timeout=0.3)
    observation = world.observation(question("acme.example.", "MX"), asking)
    assert observation.zone is None
    assert cause(observation.observed) in {Cause.NETWORK, Cause.TIMEOUT}


def test_a_second_resolver_helps_out(world: World) -> None:
    asking = Asking(resolvers=((NOBODY, world.port), world.resolver))
    assert isinstance(world.observation(question("child.acme.example.", "MX"), asking).observed, Present)


def test_a_resolver_that_does_not_recurse(world: World) -> None:
    """Its referral must not be read as "no such zone"."""
    observation = world.observation(question("acme.example.", "MX"), Asking(resolvers=((TLD, world.port),)))
    assert cause(observation.observed) is Cause.REFUSED
    assert "recursion" in str(observation.observed)


def test_servers_in_the_settings_may_have_names(world: World) -> None:
    asking = Asking(servers=(("ns2.acme.example", world.port),), resolvers=(world.resolver,))
    observation = world.observation(question("acme.example.", "MX"), asking)
    assert isinstance(observation.observed, Present)
    assert [a.server for a in observation.answers] == [f"ns2.acme.example:{world.port}"]


def test_addresses_follow_aliases_and_have_ipv4_first(world: World) -> None:
    hosts = [
        canonical_name(h) for h in ("alias.acme.example", "ns1.acme.example", "gone.nowhere.example", "x.lame.example")
    ]
    alias, both, gone, lame = hosts
    found = LiveObserver(world.asking).resolve_addresses(hosts)
    assert found[alias] == ("192.0.2.1",)
    assert found[both] == (ONE, "::1")
    assert cause_of(found[gone]) is Cause.NETWORK
    assert cause_of(found[lame]) in {Cause.SERVFAIL, Cause.TIMEOUT}


def cause_of(found: tuple[str, ...] | Unknown) -> Cause:
    assert isinstance(found, Unknown)
    return found.cause


def test_three_hundred_domains_of_one_zone_are_observed_together(world: World) -> None:
    asked = [question(f"d{n}.acme.example.", "MX") for n in range(300)]
    found = list(LiveObserver(world.asking, port=world.port).observe(asked))
    assert len(found) == 300
    assert {o.zone.apex for o in found if o.zone} == {"acme.example."}
    assert all(o.observed == Absent() for o in found)


def test_the_reference_finds_the_same_zones_and_servers(world: World) -> None:
    """Asked through resolvers: the real one, one after a dead one, and a name server that is none."""
    names = (
        "acme", "not.there.acme", "alias.acme", "child.acme", "alias.child.acme", "x.child.acme", "nobody", "lame",
        "unserved", "mail.acme", "www.acme", "gone.nowhere",
    )  # fmt: skip
    asked = [question(f"{name}.example.", rdtype) for name in names for rdtype in ("MX", "TXT")]
    asked += [question("_amazonses.acme.example.", "TXT", domain="acme.example"), question("acme.invalid.", "MX")]
    asked += [question("child.acme.example.", "MX", zone="acme.example"), question("acme.example.", "CAA")]
    found = observed_by_both(world.asking, asked, port=world.port)
    assert {o.zone.apex for o in found if o.zone} == {"acme.example.", "child.acme.example."}
    for resolvers in (((NOBODY, world.port), world.resolver), ((TLD, world.port),), ((NOBODY, world.port),)):
        observed_by_both(Asking(resolvers=resolvers, timeout=1.0), asked[:4], port=world.port)
