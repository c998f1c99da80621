"""Laws of `--changed-since`: one word more or less in a manifest touches exactly the domains below it, order none."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from changed_builders import fleet_of
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.changed import compare_fleets

if TYPE_CHECKING:
    from collections.abc import Mapping

Manifest = dict[str, Any]
Loc = tuple[int, ...]
"""Which organization; which of its services; which of its domains: as far as it goes."""

ATTESTATION = {"what": "console", "by": "ops@acme.example", "on": "2026-11-01"}
WAIVER = {"gate": "residency", "owner": "boss@acme.example", "reason": "we know", "expires": "2027-06-30"}
IGNORED = {"finding": "ttl", "owner": "boss@acme.example", "reason": "we know", "expires": "2027-06-30"}
ANYWHERE: tuple[Manifest, ...] = (
    {"provider": "bind"},
    {"ttl": 300},
    {"switch_ttl": 60},
    {"lifecycle": "offboarded"},
    {"mx": {"exclusive": False}},
    {"attestations": [ATTESTATION]},
    {"attestations": [{**ATTESTATION, "on": "2026-11-02"}]},
    {"attestations": [{**ATTESTATION, "next_hops": ["mail.acme.example"]}]},
    {"waivers": [WAIVER]},
    {"waivers": [{**WAIVER, "expires": "2027-06-29"}]},
    {"ignore_drift": [IGNORED]},
    {"ignore_drift": [{**IGNORED, "resource": "MX"}]},
)
OF_ORGANIZATIONS: tuple[Manifest, ...] = (
    {"region": "us"},
    {"escalation_contacts": ["other@acme.example"]},
    {"mx_host": {"value": "mx.vendor.example", "reason": "the vendor named it"}},
)
OF_SERVICES: tuple[Manifest, ...] = (
    {"kind": "exim"},
    {"allowlists": [{"target": "plain"}]},
    {"allowlists": [{"target": "plain", "export": "exports/list.txt"}]},
    {"spam_rule": {"target": "sieve"}},
)
OF_DOMAINS: tuple[Manifest, ...] = (
    {"next_hops": ["other.acme.example"]},
    {"next_hops": ["mail.acme.example", "other.acme.example"]},
    {"verification": {"primary": "another"}},
    {"verification": {"primary": "one", "secondary": "two"}},
)
BY_DEPTH = (OF_ORGANIZATIONS, OF_SERVICES, OF_DOMAINS)


def _named(sizes: list[list[int]]) -> dict[str, Manifest]:
    """Organizations of services of so many domains."""
    return {
        f"o{o}.yaml": {
            "organization": f"o{o}",
            "region": "eu",
            "escalation_contacts": ["ops@acme.example"],
            "services": [
                {
                    "name": f"s{s}",
                    "kind": "postfix",
                    "domains": [
                        {
                            "name": f"d{d}.s{s}.o{o}.example",
                            "next_hops": ["mail.acme.example"],
                            "verification": {"primary": f"token-{o}-{s}-{d}"},
                        }
                        for d in range(count)
                    ],
                }
                for s, count in enumerate(services)
            ],
        }
        for o, services in enumerate(sizes)
    }


fleets = st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=2), min_size=1, max_size=3).map(_named)


def _places(manifests: Mapping[str, Manifest]) -> list[Loc]:
    found: list[Loc] = []
    for o, organization in enumerate(manifests.values()):
        found.append((o,))
        for s, service in enumerate(organization["services"]):
            found += [(o, s), *((o, s, d) for d in range(len(service["domains"])))]
    return found


def _at(manifests: Mapping[str, Manifest], loc: Loc) -> Manifest:
    place: Manifest = manifests[f"o{loc[0]}.yaml"]
    for key, index in zip(("services", "domains"), loc[1:], strict=False):
        place = place[key][index]
    return place


def _below(manifests: Mapping[str, Manifest], loc: Loc) -> set[str]:
    return {
        f"{_at(manifests, place)['name']}."
        for place in _places(manifests)
        if len(place) == 3 and place[: len(loc)] == loc
    }


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_one_field_touches_exactly_the_domains_below_it(data: st.DataObject) -> None:
    before = data.draw(fleets)
    loc = data.draw(st.sampled_from(_places(before)))
    change = data.draw(st.sampled_from((*ANYWHERE, *BY_DEPTH[len(loc) - 1])))
    after = copy.deepcopy(before)
    _at(after, loc).update(change)
    for then, now in ((before, after), (after, before)):
        compared = compare_fleets(fleet_of(then), fleet_of(now))
        assert compared.touched == _below(before, loc)
        assert compared.undeclared == ()


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_files_order_comments_and_who_vouches_first_touch_nothing(data: st.DataObject) -> None:
    before = data.draw(fleets)
    attested = data.draw(st.permutations([ATTESTATION, {**ATTESTATION, "what": "verified"}]))
    after: dict[str, Any] = {}
    for index, organization in enumerate(data.draw(st.permutations(list(before.values())))):
        organization["attestations"] = [ATTESTATION, {**ATTESTATION, "what": "verified"}]
        moved = copy.deepcopy(organization)
        moved["attestations"] = list(attested)
        moved["services"] = data.draw(st.permutations(moved["services"]))
        for service in moved["services"]:
            service["domains"] = data.draw(st.permutations(service["domains"]))
        shuffled = dict(data.draw(st.permutations(list(moved.items()))))
        after[f"moved-{index}.yaml"] = f"# {data.draw(st.text('ab ', max_size=9))}\n\n{json.dumps(shuffled)}"
    compared = compare_fleets(fleet_of(before), fleet_of(after))
    assert (compared.touched, compared.undeclared) == (frozenset(), ())


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_what_is_added_is_touched_and_what_is_taken_out_is_told(data: st.DataObject) -> None:
    whole = data.draw(fleets)
    loc = data.draw(st.sampled_from([p for p in _places(whole) if len(p) == 3]))
    name = f"{_at(whole, loc)['name']}."
    without = copy.deepcopy(whole)
    del _at(without, loc[:2])["domains"][loc[2]]
    without["other.yaml"] = whole["other.yaml"] = {**_named([[1]])["o0.yaml"], "organization": "other"}
    without["other.yaml"]["services"][0]["domains"][0]["name"] = "other.example"
    without["other.yaml"]["services"][0]["domains"][0]["verification"]["primary"] = "other"
    added = compare_fleets(fleet_of(without), fleet_of(whole))
    assert (set(added.touched), added.undeclared) == ({name}, ())
    removed = compare_fleets(fleet_of(whole), fleet_of(without))
    assert (set(removed.touched), [d.name for d in removed.undeclared]) == (set(), [name])


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_files_that_are_the_same_need_not_be_compared(data: st.DataObject) -> None:
    """Left out of both sides, they change nothing about the rest."""
    before = data.draw(fleets)
    loc = data.draw(st.sampled_from(_places(before)))
    after = copy.deepcopy(before)
    _at(after, loc).update(data.draw(st.sampled_from(ANYWHERE)))
    now = fleet_of(after)
    changed = f"o{loc[0]}.yaml"
    same = frozenset(o.source.file for o in now.organizations if not o.source.file.endswith(f"/{changed}"))
    then = fleet_of({changed: before[changed]})
    assert compare_fleets(then, now, same) == compare_fleets(fleet_of(before), now)
