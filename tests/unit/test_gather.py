"""Gathering: who shares a list, and that only what lies on the way of a switch is probed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from builders import NOW, OLD_MX
from command import GATEWAY, HEAD, OLD, manifest, write_folder

from reconciler.gather import gather_facts
from reconciler.history import History
from reconciler.invocation import Invocation, open_invocation
from reconciler.names import Name
from reconciler.neighbours import service_key, services_around
from reconciler.run_validate import validate
from reconciler.state import Absent, Key, Present
from reconciler.surroundings import NOT_PROBED, HostSight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reconciler.gates import Facts
    from reconciler.manifest.fleet import Fleet

SERVICES = """organization: {name}
region: eu
escalation_contacts: [secops@acme.example]
services:
  - name: hq
    kind: microsoft-365
    connection: mx
    allowlists: [{{target: exchange-online-connection-filter, export: {export}}}]
    domains:
      - {{name: one.{name}.example, next_hops: [mail.acme.example], verification: {{primary: "one-{name}"}}}}
      - {{name: two.{name}.example, next_hops: [mail.acme.example], verification: {{primary: "two-{name}"}}}}
  - name: plain
    kind: exim
    domains:
      - {{name: plain.{name}.example, next_hops: [mail.acme.example], verification: {{primary: "plain-{name}"}}}}
  - name: cloud
    kind: microsoft-365
    connection: api
    allowlists: [{{target: exchange-online-connection-filter, export: {export}}}]
    domains: [{{name: cloud.{name}.example}}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """acme.example with nothing done, done.example in sync."""
    write_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Told:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.totals: dict[str, int] = {}

    @contextmanager
    def __call__(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """As `Progress`."""
        self.totals[what] = total
        yield lambda _done: None


def _open(folder: Path, progress: Told | None = None) -> Invocation:
    return open_invocation(
        manifests=folder / "manifests",
        settings_file=folder / "reconciler.yaml",
        is_settings_required=True,
        now=NOW,
        commit=None,
        progress=progress or Told(),
    )


def _fleet(folder: Path, **exports: str) -> Fleet:
    for name, export in exports.items():
        (folder / "manifests" / f"{name}.yaml").write_text(SERVICES.format(name=name, export=export))
    fleet, _ = validate(_open(folder), ())
    return fleet


def _around(fleet: Fleet, *names: str) -> tuple[list[str], dict[str, list[str]], list[str]]:
    """Services, who shares a list with each, and the neighbours, as text."""
    services, sharing, neighbours = services_around(fleet, [d for d in fleet.domains if d.written in names])
    by_text = {"/".join(key): ["/".join(service_key(s)) for s in others] for key, others in sharing.items()}
    return ["/".join(service_key(s)) for s in services], by_text, [d.written for d in neighbours]


def _gather(folder: Path, *, is_everything: bool = False, told: Told | None = None) -> dict[Name, Facts]:
    fleet, _ = validate(_open(folder), ())
    gathered = gather_facts(
        _open(folder, told), fleet.domains, {}, lambda _names: {}, is_everything_probed=is_everything
    )
    return {facts.domain.name: facts for facts in gathered}


def test_all_domains_of_a_service_count_for_its_origin(folder: Path) -> None:
    fleet = _fleet(folder, acme="exports/list")
    assert _around(fleet, "one.acme.example") == (
        ["acme/hq"],
        {"acme/hq": ["acme/hq"]},
        ["one.acme.example", "two.acme.example"],
    )


def test_a_service_without_a_list_or_a_rule_has_no_origin_to_plan(folder: Path) -> None:
    assert _around(_fleet(folder, acme="exports/list"), "plain.acme.example") == ([], {}, [])


def test_whoever_declares_the_same_export_of_the_same_list_shares_it(folder: Path) -> None:
    fleet = _fleet(folder, acme="exports/list", globex="exports/./list", other="exports/another")
    services, sharing, neighbours = _around(fleet, "one.acme.example")
    assert (services, sharing) == (["acme/hq"], {"acme/hq": ["acme/hq", "globex/hq"]})
    assert neighbours == [f"{n}.{o}.example" for o in ("acme", "globex") for n in ("one", "two")]


def test_a_service_whose_mail_is_read_by_api_is_nobodys_neighbour(folder: Path) -> None:
    """Nothing comes to its list from the gateway."""
    fleet = _fleet(folder, acme="exports/list", globex="exports/list")
    assert _around(fleet, "one.acme.example")[1] == {"acme/hq": ["acme/hq", "globex/hq"]}
    assert not [name for name in _around(fleet, "cloud.acme.example")[2] if name.startswith("cloud.")]


def test_only_what_lies_on_the_way_of_a_switch_is_probed(folder: Path) -> None:
    told = Told()
    found = {name.removesuffix("."): facts for name, facts in _gather(folder, told=told).items()}
    assert found["done.example"].surroundings == NOT_PROBED
    hosts = found["acme.example"].surroundings.hosts
    assert hosts[Name("mail.acme.example.")] == HostSight(("192.0.2.25",))
    assert told.totals == {"observing": 4, "probing": 1}


def test_nothing_is_probed_where_no_mx_is_to_move(folder: Path) -> None:
    told = Told()
    (folder / "zones" / "acme.example.zone").write_text(HEAD + GATEWAY)
    assert {f.surroundings is NOT_PROBED for f in _gather(folder, told=told).values()} == {True}
    assert told.totals == {"observing": 4}


def test_everything_is_probed_for_a_check(folder: Path) -> None:
    told = Told()
    facts = _gather(folder, is_everything=True, told=told)
    assert all(f.surroundings != NOT_PROBED for f in facts.values())
    assert told.totals["probing"] == 2


def test_a_domain_whose_mx_is_not_known_is_not_probed(folder: Path) -> None:
    (folder / "zones" / "acme.example.zone").write_text("not a zone")
    assert {f.surroundings is NOT_PROBED for f in _gather(folder).values()} == {True}


@pytest.mark.parametrize(("records", "is_probed"), [(GATEWAY, True), ("", False), (OLD, False)])
def test_a_domain_that_leaves_is_probed_until_no_host_of_the_gateway_is_left(
    folder: Path,
    records: str,
    is_probed: bool,  # noqa: FBT001
) -> None:
    text = manifest("acme.example").replace("        next_hops", "        lifecycle: offboarded\n        next_hops")
    (folder / "manifests" / "acme.yaml").write_text(text)
    (folder / "zones" / "acme.example.zone").write_text(f"{HEAD}{records}")
    (facts,) = _gather(folder).values()
    assert (facts.surroundings != NOT_PROBED) is is_probed


def test_facts_have_what_was_remembered_and_observed(folder: Path) -> None:
    fleet, _ = validate(_open(folder), ())
    name = fleet.domains[0].name
    history = History(next_hops=(name,))
    gathered = gather_facts(_open(folder), fleet.domains, {}, lambda _names: {name: history})
    (facts,) = (f for f in gathered if f.domain.name == name)
    assert facts.history == history
    mx, txt = (facts.observations[Key(n, t)].observed for n, t in ((name, "MX"), (Name(f"_amazonses.{name}"), "TXT")))
    assert isinstance(mx, Present)
    assert mx.rrset.rdatas == (OLD_MX,)
    assert isinstance(txt, Absent)


def test_the_host_that_surely_listens_is_the_gateways_or_the_one_of_the_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not even that one answers, port 25 is closed here."""
    given = []

    def observe(_wanted: object, _observe: object, probes: object, _progress: object) -> dict[Name, object]:
        given.append(probes.reference_host)  # type: ignore[attr-defined]
        return {}

    monkeypatch.setattr("reconciler.gather.observe_surroundings", observe)
    _gather(folder)
    settings = folder / "reconciler.yaml"
    settings.write_text(f"{settings.read_text()}probes: {{reference_host: mx.elsewhere.example}}\n")
    _gather(folder)
    assert given == ["inbound-smtp.eu-west-1.amazonaws.com.", "mx.elsewhere.example."]


def test_what_earlier_runs_saw_counts_only_for_those_who_say_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes looks afresh."""
    given = []

    def observe(_wanted: object, _observe: object, probes: object, _progress: object) -> dict[Name, object]:
        given.append(probes.cache)  # type: ignore[attr-defined]
        return {}

    monkeypatch.setattr("reconciler.gather.observe_surroundings", observe)
    settings = folder / "reconciler.yaml"
    settings.write_text(f"{settings.read_text()}probes: {{cache: kept.json}}\n")
    fleet, _ = validate(_open(folder), ())
    for invocation in (_open(folder), _open(folder).with_kept_probes()):
        list(gather_facts(invocation, fleet.domains, {}, lambda _names: {}))
    assert given == [None, folder / "kept.json"]
