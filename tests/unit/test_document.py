"""The plan document: a digest over meaning, an id over the moment, and nothing altered is ever applied."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from builders import EU, MX_KEY, NOW, OLD_MX, PRIMARY, TXT_KEY, document, domain, facts, present, waiver

from reconciler.document import load_document, plan_schema, render_document
from reconciler.errors import Diagnostic, PlanFileError, Severity
from reconciler.plan import plan_domain
from reconciler.state import Cause, Unknown

if TYPE_CHECKING:
    from pathlib import Path


def test_it_counts_what_is_ready_and_what_waits() -> None:
    made = document(
        facts(mx=present(MX_KEY, OLD_MX)),
        facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, OLD_MX)),
        facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU)),
        facts(txt=Unknown(Cause.TIMEOUT, "silence"), mx=present(MX_KEY, EU)),
    )
    counts = made.summary.model_dump()
    assert counts == {"create": 1, "update": 1, "delete": 0, "held": 1, "manual": 0, "unknown": 1, "done": 4}
    assert made.has_changes
    assert [part.organization for part in made.unfinished] == ["acme"] * 2


def test_in_sync_has_no_changes() -> None:
    assert not document(facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU))).has_changes


def test_the_digest_is_over_meaning_alone() -> None:
    """Another moment or another wording of evidence is the same plan; another observed value is another."""
    one = document()
    later = document(created_at=NOW + timedelta(hours=1), expires_at=NOW + timedelta(hours=25))
    assert later.digest == one.digest
    assert later.id != one.id
    assert document(facts(mx=present(MX_KEY, "20 mail.acme.example."))).digest != one.digest
    assert document(facts(mx=present(MX_KEY, OLD_MX, ttl=60))).digest != one.digest
    assert document(commit=None).digest != one.digest
    assert document(manifests_digest="sha256:n").digest != one.digest


def test_it_survives_json_and_gives_the_same_changes(tmp_path: Path) -> None:
    given = facts(
        domain(attestations=(), waivers=(waiver("allowlist"),)),
        txt=present(TXT_KEY, PRIMARY, '"a\\\\\\"b" "" "\\255"'),
        mx=present(MX_KEY, OLD_MX),
    )
    made = document(given)
    path = tmp_path / "plan.json"
    path.write_text(render_document(made))
    back = load_document(path)
    assert back == made
    steps = plan_domain(given, provider="bind", new_ttl=3600).steps
    assert [s.change() for d in back.domains for s in d.steps] == [s.change for s in steps]


def test_an_unknown_step_has_no_change() -> None:
    made = document(facts(txt=Unknown(Cause.TIMEOUT, "silence")))
    assert made.domains[0].steps[0].change() is None


def test_it_is_valid_against_its_schema() -> None:
    jsonschema.validate(json.loads(render_document(document())), plan_schema())


def test_diagnostics_come_back_as_data() -> None:
    made = document(facts(mx=present(MX_KEY, EU)))
    assert made.diagnostics_as_data()[0] == Diagnostic(
        Severity.WARNING,
        "token-removed",
        made.diagnostics[0].summary,
        made.diagnostics[0].detail,
        "manifests/acme.yaml",
        7,
        domain="acme.example",
    )


def altered(path: Path, change: dict[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format_version": "2.0"}, "format_version is '2.0'"),
        ({"format_version": None}, "format_version is None"),
        ({"kind": "drift"}, "kind"),
        ({"commit": "1" * 40}, "altered"),
        ({"expires_at": "2036-11-21T12:00:00Z"}, "altered"),
        ({"digest": "sha256:0"}, "altered"),
        ({"domains": []}, "altered"),
        ({"domains": [{}]}, "domains.0.organization"),
    ],
)
def test_what_is_not_as_it_was_written_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(render_document(document()))
    altered(path, change)
    with pytest.raises(PlanFileError) as caught:
        load_document(path)
    assert said in caught.value.diagnostics[0].summary
    assert "reconciler plan --out FILE" in caught.value.diagnostics[0].detail


def test_unknown_fields_and_newer_minor_versions_are_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(render_document(document()))
    altered(path, {"format_version": "1.9", "mood": "good"})
    assert load_document(path).digest == document().digest


@pytest.mark.parametrize("octets", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[]", b"null"])
def test_rubbish_is_refused(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(octets)
    with pytest.raises(PlanFileError):
        load_document(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanFileError, match="No such file"):
        load_document(tmp_path / "none.json")


def test_a_truncated_plan_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    text = render_document(document())
    path = tmp_path / "plan.json"
    for end in range(0, len(text) - 2, 97):
        path.write_text(text[:end])
        with pytest.raises(PlanFileError):
            load_document(path)
