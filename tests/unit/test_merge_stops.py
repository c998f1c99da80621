"""What stops a run as a whole, in a fleet whose order is not that of its shards: merged, it is what one run makes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW
from command import GATEWAY, HEAD, OLD, Command, manifest
from shard_lab import KINDS, Kind, merged, rendered, shards, whole

from reconciler.document import LeftOutDocument, PlanDocument, PlanHead, assemble_document

COUNT = 3
# two that are not observed are unhealthy; one is in sync, the others are ready to be switched
ZONES = (None, None, OLD, OLD, GATEWAY, OLD)
LIMITS = "limits: {{switches_per_run: {}, switches_per_organization: {}, unhealthy_share: {}{}}}\n"
BEGIN, END = ((NOW + timedelta(days=days)).isoformat() for days in (-1, 1))
FREE = LIMITS.format(9, 9, 1, "")
STOPS = {
    "switches_per_run": (LIMITS.format(2, 9, 1, ""), "limit"),
    "switches_per_organization": (LIMITS.format(9, 1, 1, ""), "limit"),
    "unhealthy_share": (LIMITS.format(9, 9, 0.2, ""), "unhealthy"),
    "unhealthy_domains": (LIMITS.format(9, 9, 1, ", unhealthy_domains: 1"), "unhealthy"),
    "kill_switch": (f"{FREE}kill_switch: somebody pulled it\n", "kill-switch"),
    "freeze": (f"{FREE}freeze: [{{from: '{BEGIN}', until: '{END}', reason: feast}}]\n", "freeze"),
    # two of nine: among fewer it would be too many
    "nothing": (LIMITS.format(9, 9, 0.25, ""), ""),
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Six more organizations, of two mail domains the fifth."""
    command = Command(tmp_path, monkeypatch, capsys)
    for n, zone in enumerate(ZONES):
        name = f"d{n}.example"
        names = [name, "second.example"] if n == len(ZONES) - 1 else [name]
        Path(f"manifests/org{n}.yaml").write_text(
            manifest(*names).replace("organization: acme", f"organization: org{n}")
        )
        if zone is not None:
            Path(f"zones/{name}.zone").write_text(f'{HEAD}{zone}_amazonses TXT "token-of-{name}"\n')
    Path("zones/second.example.zone").write_text(f'{HEAD}{OLD}_amazonses TXT "token-of-second.example"\n')
    return command


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("settings", "gate"), STOPS.values(), ids=STOPS)
def test_what_stops_a_run_is_decided_of_all_in_their_order(kind: Kind, settings: str, gate: str) -> None:
    with Path("reconciler.yaml").open("a") as file:
        file.write(settings)
    parts = shards(kind, COUNT)
    for positions in ([p.shard.domains for p in parts if p.shard], [p.shard.unhealthy for p in parts if p.shard]):
        found = [at for each in positions for at in each]
        assert found != sorted(found), "the order of the shards is another one"
    alone = rendered(whole(kind))
    assert rendered(merged(parts)) == alone
    held = {g for g in ("limit", "unhealthy", "kill-switch", "freeze") if f'"{g}"' in alone}
    assert held == ({gate} if gate else set())


@pytest.mark.usefixtures("run")
def test_what_git_left_out_is_told_of_the_whole_as_of_each_shard() -> None:
    left_out = LeftOutDocument(since="0" * 40, domains=7, reason="7 mail domains are not touched")
    parts = []
    for part in shards("plan", COUNT):
        assert isinstance(part, PlanDocument)
        head = PlanHead.model_validate(part.model_dump(include=set(PlanHead.model_fields)) | {"left_out": left_out})
        parts.append(assemble_document(head, part.domains, part.services, part.diagnostics_as_data()))
    found = merged(parts)
    assert isinstance(found, PlanDocument)
    assert found.left_out == left_out


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_told_of_several_shards_is_in_one_order(kind: Kind) -> None:
    """Errors before warnings and by place, not shard by shard."""
    for n in (0, 2, 5):
        path = Path(f"manifests/org{n}.yaml")
        path.write_text(path.read_text().replace("region: eu", "region: au"))
    told = json.loads(rendered(merged(shards(kind, COUNT))))["diagnostics"]
    assert [d["code"] for d in told].count("au-mx-host") == 3
    assert told == json.loads(rendered(whole(kind)))["diagnostics"]
