"""The same with the command: limits of a run that waits, undo files, emitted lists, orphans."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import HEAD, OLD, SETTINGS, Command, manifest

from reconciler.cli import main
from reconciler.journal.store import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.journal import Claim

BOTH = ("acme.example", "done.example")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
GATEWAY = "inbound-smtp.eu-west-1.amazonaws.com."
FREEZE = 'freeze: [{from: "2026-11-21T00:00:00Z", until: "2026-11-22T00:00:00Z", reason: a fair}]\n'
US_ZONE = """$TTL 3600
@ SOA ns1.dns.example. hostmaster.dns.example. 1 3600 600 86400 300
@ NS ns1.dns.example.
_amazonses TXT "token"
@ MX 0 inbound-smtp.us-east-1.amazonaws.com.
"""
ORIGIN = """organization: acme
region: us
escalation_contacts: [secops@acme.example]
services:
  - name: hq
    kind: postfix
    allowlists: [{{target: postfix-access, intent: restrict, export: exports/list}}{more}]
    domains:
      - {{name: acme.example, next_hops: [mail.acme.example], verification: {{primary: token}}}}
"""
TABLE = "reconciler-export 1 postfix-access {at:%Y-%m-%dT%H:00:00Z}\n[table]\n| 192.0.2.9 OK\nend\n"
RESTRICTED = "    attestations: [{what: restricted-hard, by: me@acme.example, on: 2026-11-20}]\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in its folder."""
    return Command(tmp_path, monkeypatch, capsys)


def _zone(name: str) -> Path:
    return Path(f"zones/{name}.zone")


def _ready_to_switch() -> None:
    for name in BOTH:
        _zone(name).write_text(f'{HEAD}{OLD}_amazonses TXT "token-of-{name}"\n')


def _switched() -> list[str]:
    return [name for name in BOTH if GATEWAY in _zone(name).read_text()]


@pytest.mark.parametrize("is_saved", [True, False])
def test_a_run_that_waits_switches_no_more_than_one_run_may(run: Command, *, is_saved: bool) -> None:
    _ready_to_switch()
    Path("reconciler.yaml").write_text(f"{SETTINGS}limits: {{switches_per_run: 1}}\n")
    run("plan", "--out", "plan.json")
    run("apply", "plan.json" if is_saved else "--auto-approve", "--wait", "3")
    assert len(_switched()) == 1
    run("apply", "--auto-approve")
    assert len(_switched()) == 2


def test_a_plan_that_goes_on_after_a_kill_keeps_the_undo_of_what_was_done(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ready_to_switch()
    run("plan", "--out", "plan.json")
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "claim_plan", _unfinished(Journal.claim_plan))
        run("apply", "plan.json")
    before = Path("plan.undo.json").read_text()
    assert len(json.loads(before)["domains"]) == 2
    assert "2 already done" in run("apply", "plan.json").out
    assert Path("plan.undo.json").read_text() == before
    assert [p.name for p in Path().glob("*.undo.json")] == ["plan.undo.json"]


def test_a_plan_that_goes_on_after_a_failure_has_an_undo_for_each_part(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ready_to_switch()
    run("plan", "--out", "plan.json")
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "claim_plan", _unfinished(Journal.claim_plan))
        run("apply", "plan.json")
    first = Path("plan.undo.json").read_text()
    old = _zone("done.example").read_text().replace(GATEWAY, "mail.done.example.")
    _zone("done.example").write_text(old.replace("MX 0", "MX 10"))
    run("apply", "plan.json")
    assert Path("plan.undo.json").read_text() == first
    assert [d["domain"] for d in json.loads(Path("plan.2.undo.json").read_text())["domains"]] == ["done.example"]


def _unfinished(claim_plan: object) -> object:
    """As when the process dies after its writes, before it says that the plan is used up."""

    @contextmanager
    def claimed(self: Journal, *arguments: object) -> Iterator[Claim]:
        with claim_plan(self, *arguments) as claim:  # type: ignore[operator]
            yield claim
            claim.is_kept_open = True

    return claimed


@pytest.mark.parametrize(
    ("settings", "code"),
    [(SETTINGS + FREEZE, "freeze"), (SETTINGS.replace("{files:", "{bind:").replace(": files", ": bind"), "unknown-")],
)
def test_nothing_is_undone_in_a_freeze_or_by_a_provider_that_is_not_there(
    run: Command, settings: str, code: str
) -> None:
    _ready_to_switch()
    run("plan", "--out", "plan.json")
    run("apply", "plan.json")
    Path("reconciler.yaml").write_text(settings)
    refused = run("apply", "plan.undo.json")
    assert (refused.code, refused.out) == (4, "")
    assert f"error[{code}" in refused.err
    assert _switched() == list(BOTH)
    Path("reconciler.yaml").write_text(SETTINGS)
    assert run("apply", "plan.undo.json").code == 0
    assert _switched() == []


def _emitted(folder: Path, more: str = "", settings: str = "", attestations: str = "") -> str:
    """The list as it is emitted for a domain that was seen behind the gateway for six days, and its list open."""
    (folder / "exports").mkdir()
    _zone("acme.example").write_text(US_ZONE)
    Path("manifests/acme.yaml").write_text(ORIGIN.format(more=more))
    usual = "observe: {zonefiles: zones/}\nwaits: {assumed_ttl_hours: 48}\n"
    Path("reconciler.yaml").write_text(usual)
    then = NOW - timedelta(days=6 if not attestations else 0)
    Path("exports/list").write_text(TABLE.format(at=then))
    main(["--now", then.isoformat(), "apply", "--auto-approve"])
    Path("exports/list").write_text(TABLE.format(at=NOW))
    Path("reconciler.yaml").write_text(f"{usual}{settings}")
    Path("manifests/acme.yaml").write_text(ORIGIN.format(more=more) + attestations)
    main(["--now", NOW.isoformat(), "emit", "allowlists", "--out", "out"])
    return Path("out/acme/hq/postfix-access/gateway_access.cidr").read_text()


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("settings", "is_restricting"), [("", True), ("kill_switch: a fire\n", False), (FREEZE, False)]
)
def test_what_a_stop_holds_is_not_emitted(tmp_path: Path, settings: str, *, is_restricting: bool) -> None:
    assert ("0.0.0.0/0 450" in _emitted(tmp_path, settings=settings)) is is_restricting


@pytest.mark.usefixtures("run")
def test_two_lists_that_are_declared_in_one_line_are_two_lists(tmp_path: Path) -> None:
    """The other one is attested to refuse; that says nothing of this one, which must keep nobody out yet."""
    assert "0.0.0.0/0" not in _emitted(tmp_path, ", {target: plain, intent: restrict}", attestations=RESTRICTED)


@pytest.mark.parametrize("last", ["        lifecycle: offboarded\n", "unreadable"])
def test_a_domain_that_was_last_seen_leaving_or_not_at_all_is_an_orphan_too(run: Command, last: str) -> None:
    zone = f'{HEAD}@ MX 0 {GATEWAY}\n_amazonses TXT "token-of-acme.example"\n'
    _zone("acme.example").write_text(zone)
    run("apply", "--auto-approve")
    if last == "unreadable":
        _zone("acme.example").write_text("broken (\n")
    else:
        both, first = Path("manifests/acme.yaml").read_text(), "      - name: acme.example\n"
        Path("manifests/acme.yaml").write_text(both.replace(first, first + last))
    run("apply", "--auto-approve")
    Path("manifests/acme.yaml").write_text(manifest("done.example"))
    assert "warning[orphaned]" in run("plan").out
