"""Shards: how one is written, and that whole services stay together with whatever shares their lists."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from builders import SOURCE, domain
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.document import service_documents
from reconciler.limits import Limits, Stops
from reconciler.manifest.fleet import Domain, Fleet, Organization, Service, ServiceAllowlist
from reconciler.names import Name
from reconciler.neighbours import service_key, services_around
from reconciler.plan import Action, Phase, Status
from reconciler.selection import Selection
from reconciler.service_plan import ServicePlan
from reconciler.service_plan.step import ServiceStep
from reconciler.shards import Shard, components, part_of, shard_document, shard_index
from reconciler.targets.base import DeclaredAllowlist, Intent

HOSTS = [Name(f"mail{n}.acme.example.") for n in range(3)]


def allowlist(export: str | None, intent: Intent = Intent.ALLOW) -> ServiceAllowlist:
    declared = DeclaredAllowlist("postfix-access", "", intent, exclusive=False)
    return ServiceAllowlist(declared, export, SOURCE)


def service(organization: str, name: str, *lists: ServiceAllowlist) -> Service:
    return Service(organization, name, "postfix", "mx", "eu", False, lists, None, (), (), SOURCE)  # noqa: FBT003


def fleet(*services: tuple[Service, tuple[Domain, ...]]) -> Fleet:
    names = dict.fromkeys(s.organization for s, _ in services)
    found = []
    for name in names:
        own = [(s, d) for s, d in services if s.organization == name]
        domains = tuple(each for _, d in own for each in d)
        found.append(Organization(name, "eu", False, (), tuple(s for s, _ in own), domains, SOURCE))  # noqa: FBT003
    return Fleet(tuple(found), "sha256:x")


def of(one: Service, *hosts: Name, connection: str = "mx") -> tuple[Service, tuple[Domain, ...]]:
    name = f"{one.name}.{one.organization}.example"
    declared = domain(name=Name(f"{name}."), written=name, organization=one.organization, service=one.name)
    return one, (replace(declared, next_hops=hosts or (Name(f"mx.{name}."),), connection=connection),)


@pytest.mark.parametrize("text", ["1/1", "2/7", "256/256"])
def test_a_shard_is_written_as_it_is_read(text: str) -> None:
    assert str(Shard.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "write INDEX/COUNT"),
        ("1", "write INDEX/COUNT"),
        ("0/3", "write INDEX/COUNT"),
        ("1/-3", "write INDEX/COUNT"),
        ("１/３", "write INDEX/COUNT"),  # noqa: RUF001 - digits that are not ASCII
        ("4/3", "the last one of 3 is 3/3"),
        ("1/10001", "at most 10000"),
    ],
)
def test_what_is_no_shard_is_told_with_what_one_looks_like(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Shard.parse(text)


def test_services_that_declare_one_list_are_one_component_whoever_has_them() -> None:
    given = fleet(
        of(service("b", "x", allowlist("exports/./one"))),
        of(service("a", "y", allowlist("exports/one"), allowlist("exports/two"))),
        of(service("c", "z", allowlist("exports/two"))),
        of(service("c", "alone", allowlist(None))),
    )
    first = ("a", "y")
    assert components(given) == {
        ("a", "y"): first,
        ("b", "x"): first,
        ("c", "z"): first,
        ("c", "alone"): ("c", "alone"),
    }


def test_a_next_hop_joins_services_only_behind_a_list_that_keeps_others_out() -> None:
    restricting = service("a", "x", allowlist("exports/one", Intent.RESTRICT))
    other, third = service("b", "y", allowlist("exports/two")), service("c", "z")
    assert len(set(components(fleet(of(restricting, HOSTS[0]), of(other, HOSTS[0]))).values())) == 1
    assert len(set(components(fleet(of(restricting, HOSTS[0]), of(other, HOSTS[1]))).values())) == 2
    assert len(set(components(fleet(of(other, HOSTS[0]), of(third, HOSTS[0]))).values())) == 2
    past = fleet(of(restricting, HOSTS[0]), of(other, HOSTS[0], connection="api"))
    assert len(set(components(past).values())) == 2


def test_a_list_that_keeps_others_out_joins_nobody_at_other_hosts() -> None:
    """Or one such list anywhere would make one shard of all who are with one hosting company."""
    restricting = service("a", "x", allowlist("exports/one", Intent.RESTRICT))
    other, third = service("b", "y", allowlist("exports/two")), service("c", "z")
    given = fleet(of(restricting, HOSTS[1]), of(other, HOSTS[0]), of(third, HOSTS[0]))
    assert components(given) == {key: key for key in (("a", "x"), ("b", "y"), ("c", "z"))}


def test_without_a_shard_there_are_no_parts() -> None:
    given = fleet(of(service("a", "x")))
    assert part_of(given, Selection(), given.domains) is None


def test_a_shards_document_places_its_services_by_what_is_in_it() -> None:
    """A service in which there is nothing to do is none of its parts, as in the document itself."""
    given = fleet(of(service("a", "x")), of(service("b", "y")), of(service("c", "z")))
    part = part_of(given, Selection(shard=Shard(1, 1)), given.domains)
    assert part is not None
    step = ServiceStep(
        "s", Phase.EXPAND, Action.UPDATE, Status.MANUAL, "allowlist", "plain", (), (), (), (), "", SOURCE
    )
    services = [s for o in given.organizations for s in o.services]
    plans = [ServicePlan(s, steps, ()) for s, steps in zip(services, ((), (), (step,)), strict=True)]
    made = shard_document(part, given, [], plans, Stops(Limits()), "")
    assert made.services == [2]
    assert len(made.services) == len(service_documents(plans, {}))


def test_shards_are_about_as_large_as_each_other() -> None:
    count, number = 8, 4000
    sizes = Counter(shard_index((f"org{n}", "hq"), count) for n in range(number))
    assert set(sizes) == set(range(1, count + 1))
    assert max(sizes.values()) < number / count + 3 * (number / count) ** 0.5


LISTS = st.lists(
    st.builds(allowlist, st.sampled_from([None, "exports/one", "exports/two"]), st.sampled_from(Intent)), max_size=2
)
FLEETS = st.lists(
    st.tuples(st.sampled_from("abc"), LISTS, st.lists(st.sampled_from(HOSTS), min_size=1, max_size=2, unique=True)),
    min_size=1,
    max_size=8,
).map(lambda found: fleet(*(of(service(o, f"s{n}", *lists), *hosts) for n, (o, lists, hosts) in enumerate(found))))


def _index(given: Fleet, count: int) -> dict[Name, int]:
    found: dict[Name, int] = {}
    for index in range(1, count + 1):
        part = part_of(given, Selection(shard=Shard(index, count)), given.domains)
        assert part is not None
        assert [given.domains[at] for at in part.positions] == list(part.domains)
        assert not found.keys() & {d.name for d in part.domains}
        found |= {d.name: index for d in part.domains}
    return found


@settings(deadline=None)
@given(FLEETS, st.integers(1, 5))
def test_every_domain_is_in_one_shard_with_all_that_a_plan_of_it_looks_at(given: Fleet, count: int) -> None:
    """What `services_around` says that a service shares, whichever services are asked for."""
    index = _index(given, count)
    assert set(index) == {d.name for d in given.domains}
    by_service = {service_key(d): index[d.name] for d in given.domains}
    _, sharing, _ = services_around(given, given.domains)
    for key, others in sharing.items():
        assert {by_service[service_key(other)] for other in others} <= {by_service[key]}


@settings(deadline=None)
@given(FLEETS, st.integers(1, 5))
def test_what_is_added_elsewhere_moves_nothing(given: Fleet, count: int) -> None:
    (other,) = fleet(of(service("zz", "new"))).organizations
    more = replace(given, organizations=(*given.organizations, other))
    before, after = _index(given, count), _index(more, count)
    assert {name: after[name] for name in before} == before


@settings(deadline=None)
@given(FLEETS, st.integers(1, 5), st.data())
def test_the_shard_of_a_domain_does_not_depend_on_what_is_chosen(given: Fleet, count: int, data: st.DataObject) -> None:
    chosen = [d for d in given.domains if data.draw(st.booleans())]
    index = _index(given, count)
    for number in range(1, count + 1):
        part = part_of(given, Selection(shard=Shard(number, count)), chosen)
        assert part is not None
        assert list(part.domains) == [d for d in chosen if index[d.name] == number]
