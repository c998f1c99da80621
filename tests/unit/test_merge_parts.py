"""Shards of one run that nevertheless are not all of it, each part once: refused, however well the rest fits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import HEAD, OLD, Command, manifest
from shard_lab import merged, shards

from reconciler.document import PlanDocument, PlanHead, assemble_document
from reconciler.drift import DriftDocument, assemble_drift_document
from reconciler.merge import MergeError

if TYPE_CHECKING:
    from reconciler.document import DomainDocument

COUNT = 2


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Four organizations with a service in which a spam rule is missing, and a mail domain or two that may switch."""
    command = Command(tmp_path, monkeypatch, capsys)
    for n in range(3):
        text = manifest(f"d{n}.example").replace("organization: acme", f"organization: org{n}")
        Path(f"manifests/org{n}.yaml").write_text(text)
        Path(f"zones/d{n}.example.zone").write_text(f'{HEAD}{OLD}_amazonses TXT "token-of-d{n}.example"\n')
    for path in Path("manifests").iterdir():
        path.write_text(path.read_text().replace("kind: exchange\n", "kind: exchange\n    spam_rule: true\n"))
    return command


def _plans() -> list[PlanDocument]:
    """Two shards, each with mail domains and services."""
    found = [part for part in shards("plan", COUNT) if isinstance(part, PlanDocument)]
    assert all(part.domains and part.services for part in found)
    return found


def _drifts() -> list[DriftDocument]:
    """Two shards, each with steps that are open."""
    found = [part for part in shards("drift", COUNT) if isinstance(part, DriftDocument)]
    assert all(part.shard is not None and part.shard.open_domains and part.shard.open_services for part in found)
    return found


def _plan_with(part: PlanDocument, kept: list[DomainDocument] | None = None, **changes: object) -> PlanDocument:
    """The same shard with another place in the whole, sealed as if it had been made so."""
    assert part.shard is not None
    shard = part.shard.model_copy(update=changes)
    head = PlanHead.model_validate(part.model_dump(include=set(PlanHead.model_fields)) | {"shard": shard})
    domains = part.domains if kept is None else kept
    return assemble_document(head, domains, part.services, part.diagnostics_as_data())


def _drift_with(part: DriftDocument, **changes: object) -> DriftDocument:
    assert part.shard is not None
    shard = part.shard.model_copy(update=changes)
    return assemble_drift_document(part, part.domains, part.findings, part.diagnostics, shard)


def _refused(*parts: PlanDocument | DriftDocument) -> list[str]:
    with pytest.raises(MergeError) as caught:
        merged(parts)
    return [d.code for d in caught.value.diagnostics]


def test_the_last_mail_domain_of_all_is_missed_as_any_other() -> None:
    """The positions of the others are all there are, without a gap."""
    one, other = sorted(_plans(), key=lambda part: part.shard.domains[-1] if part.shard else 0)
    assert other.shard is not None
    less = _plan_with(other, other.domains[:-1], domains=other.shard.domains[:-1])
    assert _refused(one, less) == ["merge-parts"]


def test_a_service_in_two_shards_is_refused() -> None:
    one, other = _plans()
    assert one.shard is not None
    assert other.shard is not None
    taken = [one.shard.services[0], *other.shard.services[1:]]
    assert _refused(one, _plan_with(other, services=taken)) == ["merge-parts"]


def test_every_service_of_a_shard_has_its_position() -> None:
    one, other = _plans()
    assert other.shard is not None
    assert _refused(one, _plan_with(other, services=other.shard.services[:-1])) == ["merge-parts"]


def test_what_is_unhealthy_is_one_of_the_shards_own() -> None:
    one, other = _plans()
    assert one.shard is not None
    assert _refused(one, _plan_with(other, unhealthy=[one.shard.domains[0]])) == ["merge-parts"]


def test_unhealthy_mail_domains_have_a_name_each() -> None:
    one, other = _drifts()
    assert other.shard is not None
    assert _refused(one, _drift_with(other, unhealthy=other.shard.domains[:1], unhealthy_names=[])) == ["merge-parts"]


@pytest.mark.parametrize("field", ["open_domains", "open_services"])
def test_open_parts_are_the_shards_own(field: str) -> None:
    one, other = _drifts()
    assert one.shard is not None
    assert _refused(one, _drift_with(other, **{field: getattr(one.shard, field)})) == ["merge-parts"]


@pytest.mark.parametrize("field", ["open_domains", "open_services"])
@pytest.mark.parametrize("place", [-1, "count"])
def test_an_open_step_is_one_of_the_shards_findings(field: str, place: int | str) -> None:
    one, other = _drifts()
    first, *rest = getattr(other.shard, field)
    finding = len(other.findings) if place == "count" else -1
    step = first.steps[0].model_copy(update={"finding": finding})
    altered = [first.model_copy(update={"steps": [step, *first.steps[1:]]}), *rest]
    assert _refused(one, _drift_with(other, **{field: altered})) == ["merge-parts"]


def test_these_shards_are_merged_where_nothing_was_altered() -> None:
    for parts in (_plans(), _drifts()):
        assert merged(parts).shard is None
    assert _plan_with(_plans()[0]) == _plans()[0]
    assert _drift_with(_drifts()[0]) == _drifts()[0]
