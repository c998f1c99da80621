"""Merging: shards of one run become its document; shards of several runs, or too few, are refused with every reason."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import NOW
from command import GATEWAY, HEAD, OLD, Command, manifest
from shard_lab import KINDS, Kind, merged, opened, order, read, rendered, shard, shards, whole

from reconciler.document import PlanDocument, PlanHead, assemble_document
from reconciler.drift import DriftClass, DriftDocument, DriftShardDocument
from reconciler.memory import open_memory
from reconciler.merge import MOST_APART, MergeableDocument, MergeError
from reconciler.plan import Status
from reconciler.run import plan
from reconciler.run_drift import drift
from reconciler.scan import scan
from reconciler.selection import Selection, Shard

if TYPE_CHECKING:
    from reconciler.document import ShardDocument

LIMITED = "limits: {{switches_per_run: {}, switches_per_organization: 9, unhealthy_share: {}}}\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Four organizations with a domain each, of which two are ready to be switched, and one is in sync."""
    command = Command(tmp_path, monkeypatch, capsys)
    for n, zone in enumerate((OLD, OLD, GATEWAY)):
        name = f"d{n}.example"
        token = f'_amazonses TXT "token-of-{name}"\n'
        text = manifest(name).replace("organization: acme", f"organization: org{n}")
        Path(f"manifests/org{n}.yaml").write_text(text)
        Path(f"zones/{name}.zone").write_text(f"{HEAD}{zone}{token}")
    return command


def _settings(text: str) -> None:
    with Path("reconciler.yaml").open("a") as file:
        file.write(text)


def _with(document: MergeableDocument, dropped: int = 0, **changes: object) -> MergeableDocument:
    """The same shard with another head, without its last domains, sealed anew as if it had been made so."""
    assert isinstance(document, PlanDocument)
    head = PlanHead.model_validate(document.model_dump(include=set(PlanHead.model_fields)) | changes)
    kept = document.domains[: len(document.domains) - dropped]
    return assemble_document(head, kept, document.services, document.diagnostics_as_data())


def _with_shard(document: MergeableDocument, **changes: object) -> MergeableDocument:
    assert document.shard is not None
    return _with(document, shard=document.shard.model_copy(update=changes))


def _codes(*documents: MergeableDocument) -> list[str]:
    with pytest.raises(MergeError) as caught:
        merged(documents)
    assert all(d.detail for d in caught.value.diagnostics)
    return [d.code for d in caught.value.diagnostics]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("kind", KINDS)
def test_what_limits_hold_of_the_whole_run_is_held_after_the_merge(kind: Kind) -> None:
    _settings(LIMITED.format(1, 1))
    assert rendered(merged(shards(kind, 7))) == rendered(whole(kind))
    found = merged(shards(kind, 7))
    if isinstance(found, PlanDocument):
        switches = [s.status for d in found.domains for s in d.steps if s.phase == "switch" and s.action != "no-op"]
        assert (Status.HELD in switches, Status.READY in switches) == (True, True)
    else:
        waiting = [f for f in found.findings if "limit" in f.held_by]
        assert waiting
        assert {f.drift_class for f in waiting} == {DriftClass.PENDING}


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("kind", KINDS)
def test_an_unhealthy_fleet_is_told_by_no_shard_and_by_the_merged_document(kind: Kind) -> None:
    _settings(LIMITED.format(9, 0.1))
    Path("zones/done.example.zone").unlink()
    parts = shards(kind, 3)
    assert all(d.code != "unhealthy" for part in parts for d in part.diagnostics)
    assert rendered(merged(parts)) == rendered(whole(kind))
    assert "unhealthy" in rendered(merged(parts))


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("kind", KINDS)
def test_a_shard_without_any_domain_is_one_as_well(kind: Kind) -> None:
    parts = shards(kind, 7)
    assert min(len(part.domains) for part in parts) == 0
    assert sum(len(part.domains) for part in parts) == len(whole(kind).domains)
    assert merged(parts) == whole(kind)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("kind", KINDS)
def test_merging_again_in_another_order_or_what_was_given_twice_changes_nothing(kind: Kind) -> None:
    parts = shards(kind, 3)
    found = merged(parts)
    assert merged([found]) == merged([found, found]) == found
    assert merged([*reversed(parts), *parts]) == found


@pytest.mark.usefixtures("run")
def test_chosen_organizations_are_looked_at_in_shards_as_well() -> None:
    chosen = ("acme", "org1")
    parts = shards("plan", 2, organizations=chosen)
    assert merged(parts) == whole("plan", Selection(organizations=chosen))
    assert _codes(parts[0], shard("plan", 2, 2)) == ["merge-differs"]


@pytest.mark.usefixtures("run")
def test_shards_that_began_at_other_seconds_are_as_old_as_the_first() -> None:
    later = NOW + timedelta(minutes=2)
    for first, second in ((NOW, later), (later, NOW)):
        one, two = (read(scan(order("plan", Shard(n, 2), moment))) for n, moment in ((1, first), (2, second)))
        found = merged([one, two])
        assert found.created_at == NOW
        assert isinstance(found, PlanDocument)
        assert found.expires_at == whole("plan").expires_at  # type: ignore[union-attr]
    as_late_as_may_be = read(scan(order("plan", Shard(2, 2), NOW + MOST_APART)))
    assert merged([shard("plan", 1, 2), as_late_as_may_be]).created_at == NOW
    much_later = read(scan(order("plan", Shard(2, 2), NOW + MOST_APART + timedelta(seconds=1))))
    assert _codes(shard("plan", 1, 2), much_later) == ["merge-apart"]


@pytest.mark.usefixtures("run")
def test_missing_shards_are_named() -> None:
    with pytest.raises(MergeError) as caught:
        merged([shard("plan", 2, 4)])
    assert [d.summary for d in caught.value.diagnostics] == ["of 4 shards 3 are missing: 1/4, 3/4, 4/4"]


@pytest.mark.usefixtures("run")
def test_every_way_in_which_shards_differ_is_told_at_once() -> None:
    one, two = shards("plan", 2)
    assert (
        _codes(one, _with(two, commit="0" * 40, manifests_digest="x", catalog_digest="y", settings_digest="z"))
        == ["merge-differs"] * 4
    )
    assert one.shard is not None
    stops = one.shard.stops.model_copy(update={"switches_per_run": 3})
    other = _with_shard(two, journal="other:3", stops=stops, chosen="sha256:other", count=3)
    assert _codes(one, other) == ["merge-differs"] * 4


@pytest.mark.usefixtures("run")
def test_what_is_no_shard_of_the_same_kind_is_refused() -> None:
    one, two = shards("plan", 2)
    assert _codes(one, shard("drift", 2, 2)) == ["merge-kinds"]
    assert _codes(one, two, whole("plan")) == ["merge-whole"]


@pytest.mark.usefixtures("run")
def test_a_shard_that_was_made_twice_and_differently_is_refused() -> None:
    one, two = shards("plan", 2)
    Path("zones/acme.example.zone").write_text(f"{HEAD}{GATEWAY}")
    again = shards("plan", 2)
    assert set(_codes(one, two, *again)) == {"merge-twice"}


@pytest.mark.usefixtures("run")
def test_parts_that_are_not_all_of_it_each_once_are_refused() -> None:
    one, two = shards("plan", 2)
    assert one.shard is not None
    assert two.shard is not None
    assert _codes(one, _with_shard(two, domains=[at + 1 for at in two.shard.domains])) == ["merge-parts"]
    assert _codes(one, _with_shard(two, domains=[*two.shard.domains, len(whole("plan").domains)])) == ["merge-parts"]
    assert _codes(one, _with_shard(two, services=[*two.shard.services, 0])) == ["merge-parts"]
    assert _codes(one, _with_shard(two, unhealthy=[99])) == ["merge-parts"]
    fewer = _with(two, shard=two.shard.model_copy(update={"domains": two.shard.domains[:-1]}), dropped=1)
    assert _codes(one, fewer) == ["merge-parts"]


@pytest.mark.usefixtures("run")
def test_an_altered_drift_is_refused() -> None:
    one, two = shards("drift", 2)
    assert isinstance(one, DriftDocument)
    assert isinstance(one.shard, DriftShardDocument)
    shard_block: ShardDocument = one.shard.model_copy(update={"unhealthy": [0], "unhealthy_names": ["x"]})
    assert _codes(one.model_copy(update={"shard": shard_block}), two) == ["merge-altered"]


@pytest.mark.usefixtures("run")
def test_shards_of_drift_on_both_sides_of_the_end_of_a_freeze_are_refused() -> None:
    end = NOW + timedelta(minutes=1)
    begin = (NOW - timedelta(days=1)).isoformat()
    _settings(f"freeze: [{{from: '{begin}', until: '{end.isoformat()}', reason: feast}}]\n")
    parts = [shard("drift", 1, 2), read(scan(order("drift", Shard(2, 2), end + timedelta(minutes=1))))]
    assert _codes(*parts) == ["merge-freeze"]


def test_a_shards_plan_is_not_applied_and_a_merged_one_is(run: Command) -> None:
    for index in (1, 2):
        assert run("plan", "--shard", f"{index}/2", "--json-into", f"{index}.json").code in {0, 3}
    refused = run("apply", "1.json")
    assert (refused.code, refused.out) == (1, "")
    assert "shard 1/2" in refused.err
    assert "reconciler merge FILE..." in refused.err
    assert run("merge", "2.json", "1.json", "--out", "plan.json").code == 3
    assert Path("plan.json").read_text() == rendered(whole("plan"))
    assert run("apply", "plan.json").code == 3
    assert "token-of-acme.example" in run.zone.read_text()


def test_the_merged_text_is_that_of_the_verb_itself(run: Command) -> None:
    for kind in KINDS:
        for index in (1, 2):
            run(kind, "--shard", f"{index}/2", "--json-into", f"{index}.json")
        for form in ("text", "json", "markdown", "html"):
            alone = run(kind, "--detailed-exitcode", "--format", form)
            assert run("merge", "1.json", "2.json", "--detailed-exitcode", "--format", form) == alone


def test_options_of_the_other_kind_are_usage_errors(run: Command) -> None:
    Path("plan.json").write_text(rendered(whole("plan")))
    Path("drift.json").write_text(rendered(whole("drift")))
    for given in (["plan.json", "--record"], ["plan.json", "--format", "sarif"], ["drift.json", "--out", "x"]):
        assert run("merge", *given).code == 64
    assert run("plan", "--shard", "3/2").code == 64
    assert run("drift", "--shard", "1/2", "--record").code == 64
    missing = run("merge", "nowhere.json")
    assert (missing.code, missing.out) == (1, "")


def test_a_look_in_shards_is_recorded_as_one_of_a_whole(run: Command, tmp_path: Path) -> None:
    """The journal after the merge says the same as after one process; orphans are told once, with their file."""
    drift(opened(NOW - timedelta(hours=1)), Selection(), is_recorded=True)
    Path("manifests/org2.yaml").write_text(
        Path("manifests/org1.yaml").read_text().replace("org1", "org2").replace("d1", "d9")
    )
    Path("zones/d9.example.zone").write_text(f"{HEAD}{OLD}")
    assert rendered(merged(shards("drift", 3))) == rendered(whole("drift"))
    for index in (1, 2, 3):
        run("drift", "--shard", f"{index}/3", "--json-into", f"{index}.json")
    files = ["1.json", "2.json", "3.json"]
    journal = tmp_path / ".reconciler"
    before = {p.name: p.read_bytes() for p in journal.iterdir() if p.is_file()}
    assert run("merge", *files, "--record").code == 3
    merged_memory = _memory()
    for name, octets in before.items():
        (journal / name).write_bytes(octets)
    assert run("drift", "--record").code == 3
    assert _memory() == merged_memory
    again = run("merge", *files, "--record")
    assert again.code == 1
    assert "the journal is not as the shards read it" in again.err


def test_counts_of_a_part_are_not_recorded_and_a_whole_has_nothing_to_record(run: Command) -> None:
    for index in (1, 2):
        run("drift", "--organization", "org2", "--shard", f"{index}/2", "--json-into", f"{index}.json")
    assert run("merge", "1.json", "2.json", "--record", "--json-into", "merged.json").code == 0
    with open_memory(opened().settings) as memory:
        assert memory.drift_counts() == ()
        assert set(memory.known_domains()) == {"d2.example."}
    refused = run("merge", "merged.json", "--record")
    assert refused.code == 1
    assert "there is nothing to record" in refused.err


@pytest.mark.usefixtures("run")
def test_shards_of_a_plan_that_asks_nobody() -> None:
    orders = [replace(order("plan", Shard(index, 2)), is_offline=True) for index in (1, 2)]
    assert merged(read(scan(each)) for each in orders) == plan(opened().offline(), Selection())


def _memory() -> tuple[object, ...]:
    with open_memory(opened().settings) as memory:
        known = memory.known_domains()
        return known, memory.histories(known), memory.timelines(known), memory.drift_counts()


@pytest.mark.usefixtures("run")
def test_a_worker_without_the_journal_is_noticed() -> None:
    one = shard("drift", 1, 2)
    drift(opened(NOW - timedelta(hours=1)), Selection(), is_recorded=True)
    assert _codes(one, shard("drift", 2, 2)) == ["merge-differs"]


@pytest.mark.usefixtures("run")
def test_a_document_of_a_shard_says_so_and_one_of_a_whole_does_not() -> None:
    assert json.loads(rendered(shard("plan", 1, 2)))["shard"]["index"] == 1
    assert "shard" not in json.loads(rendered(merged(shards("plan", 2))))
    assert "shard" not in json.loads(rendered(merged(shards("drift", 2))))
