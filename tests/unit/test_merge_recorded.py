"""What `merge --record` remembers of mail domains that are gone or could not be observed: what one run does."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import NOW
from command import HEAD, OLD, Command, manifest
from shard_lab import opened

from reconciler.memory import open_memory

COUNT = 3
STATES = ("gone", "unknown", "waiting")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """An organization for each state, beside the two mail domains of the folder."""
    command = Command(tmp_path, monkeypatch, capsys)
    for state in STATES:
        text = manifest(f"{state}.example").replace("organization: acme", f"organization: {state}")
        if state == "gone":
            text = text.replace(
                "      - name: gone.example\n", "      - name: gone.example\n        lifecycle: offboarded\n"
            )
        Path(f"manifests/{state}.yaml").write_text(text)
        mx = "@ MX 10 mail.acme.example.\n" if state == "gone" else OLD
        Path(f"zones/{state}.example.zone").write_text(f"{HEAD}{mx}")
    return command


def _remembered() -> tuple[object, ...]:
    with open_memory(opened().settings) as memory:
        known = memory.known_domains()
        return known, memory.histories(known), memory.timelines(known)


def test_a_look_in_shards_is_remembered_as_one_of_a_whole(run: Command, tmp_path: Path) -> None:
    run("drift", "--record", now="2026-11-20T12:00:00+00:00")
    run("drift", "--record", now="2026-11-21T11:00:00+00:00")
    Path("zones/unknown.example.zone").unlink()
    before = {p: p.read_bytes() for p in (tmp_path / ".reconciler").iterdir() if p.is_file()}
    assert run("drift", "--record").code in {0, 3}
    alone = _remembered()
    for path, octets in before.items():
        path.write_bytes(octets)
    for index in range(1, COUNT + 1):
        run("drift", "--shard", f"{index}/{COUNT}", "--json-into", f"{index}.json")
    assert run("merge", *(f"{index}.json" for index in range(1, COUNT + 1)), "--record").code in {0, 3}
    assert _remembered() == alone
    known = alone[0]
    assert isinstance(known, dict)
    assert {name for name, entry in known.items() if entry.is_gone} == {"gone.example."}
    assert known["gone.example."].last_seen == NOW
