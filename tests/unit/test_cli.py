"""The command in process: arguments, exit codes, and which stream gets what."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from command import HEAD, OLD, Command, manifest
from hostile import IN_DOCUMENTS, assert_log_is_safe

from reconciler import __version__
from reconciler.errors import ExitCode

VERBS = ["validate", "plan", "apply", "drift", "emit", "import", "schema"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in its folder."""
    return Command(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("verb", [None, *VERBS])
def test_help_goes_to_stdout(run: Command, verb: str | None) -> None:
    ran = run(*([verb] if verb else []), "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("usage: reconciler")
    assert all(v in ran.out for v in VERBS) == (verb is None)


def test_the_version_goes_to_stdout(run: Command) -> None:
    ran = run("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"reconciler {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "VERB"),
        (("paln",), "paln"),
        (("plan", "--format", "xml"), "xml"),
        (("plan", "--no-such"), "arguments: --no-such"),
        (("plan", "--settings", "x.yaml"), "--settings x.yaml; put --settings before the verb"),
        (("plan", "--manifests=x", "-v", "--no-such"), "--no-such; put --manifests=x -v before the verb"),
        (("plan", "--detailed"), "--detailed"),
        (("plan", "--shard", "1/2", "--out", "x.json"), "a shard's plan is not to be applied"),
        (("apply",), "--auto-approve"),
        (("apply", "--auto"), "--auto"),
        (("apply", "plan.json", "--auto-approve"), "not allowed with"),
        (("apply", "plan.json", "--domain", "acme.example"), "go with --auto-approve"),
        (("apply", "plan.json", "--organization", "acme"), "go with --auto-approve"),
        (("emit", "octodns"), "--out"),
        (("emit", "--out", "x", "poetry"), "poetry"),
        (("import",), "name domains"),
        (("schema", "catalog"), "catalog"),
        (("--now", "tomorrow", "plan"), "'tomorrow' is no ISO 8601 time"),
        (("--now", "9999-12-31T23:59:59-14:00", "plan"), "ISO 8601"),
        (("--now", "9998-01-01", "plan"), "not between"),
        (("--now", "1066-10-14", "plan"), "not between"),
        (("plan", "--no-\x1b[31msuch"), "\\u{1b}[31msuch"),
    ],
)
def test_a_usage_error_is_64_and_says_so_on_stderr_alone(run: Command, arguments: tuple[str, ...], said: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (64, "")
    assert ran.err.startswith("usage: reconciler")
    assert said in ran.err.splitlines()[-1]


def test_validate_says_what_was_valid(run: Command) -> None:
    ran = run("validate")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Valid: 1 organization")
    assert "2 domains" in ran.out


def test_validate_says_every_error_on_stderr_and_nothing_on_stdout(run: Command) -> None:
    Path("manifests/bad.yaml").write_text("organization: bad\nregoin: eu\n")
    ran = run("validate", "manifests/bad.yaml", "manifests/none.yaml")
    assert (ran.code, ran.out) == (1, "")
    assert "manifests/bad.yaml:2:1: error[" in ran.err
    assert "manifests/none.yaml: error[manifest-missing]" in ran.err


@pytest.mark.parametrize("text", [t for t in IN_DOCUMENTS if t.isprintable() and "'" not in t])
def test_nothing_in_a_manifest_is_obeyed(run: Command, text: str) -> None:
    Path("manifests/evil.yaml").write_text(f"organization: '{text}'\nregion: '{text}'\n'{text}': 1\n", encoding="utf-8")
    ran = run("validate")
    assert (ran.code, ran.out) == (1, "")
    assert_log_is_safe(ran.err)


def test_a_plan_is_text_on_stdout_and_writes_nothing(run: Command) -> None:
    ran = run("plan")
    assert (ran.code, ran.err) == (3, "")
    assert ran.out.splitlines()[-1].startswith("Plan: 1 to create")
    assert sorted(p.name for p in Path().iterdir()) == ["manifests", "reconciler.yaml", "zones"]


@pytest.mark.parametrize("kind", ["json", "markdown", "html"])
def test_the_other_forms_of_a_plan(run: Command, kind: str) -> None:
    ran = run("plan", "--format", kind)
    assert (ran.code, ran.err) == (3, "")
    first = {"json": "{", "markdown": "### Mail gateway plan", "html": "<!doctype html>"}
    assert ran.out.splitlines()[0] == first[kind]


def test_a_saved_plan_is_the_document_that_was_shown_and_is_read_by_its_owner_alone(run: Command) -> None:
    ran = run("plan", "--out", "saved/plan.json", "--json-into", "beside.json", "--format", "json")
    saved = Path("saved/plan.json")
    assert saved.read_text() == Path("beside.json").read_text() == ran.out
    assert {p.stat().st_mode & 0o777 for p in (saved, Path("beside.json"))} == {0o600}
    assert json.loads(ran.out)["commit"] is None


def test_the_document_comes_beside_the_text(run: Command) -> None:
    ran = run("plan", "--json-into", "plan.json")
    assert ran.out == run("plan").out
    assert json.loads(Path("plan.json").read_text())["kind"] == "plan"


@pytest.mark.parametrize(
    ("domains", "options", "code"),
    [
        (("done.example",), ("--detailed-exitcode",), ExitCode.DONE),
        (("acme.example",), ("--detailed-exitcode",), ExitCode.CHANGES),
        (("acme.example",), (), ExitCode.INCOMPLETE),
        (("lost.example",), ("--detailed-exitcode",), ExitCode.ERROR),
        (("acme.example", "lost.example"), ("--detailed-exitcode",), ExitCode.ERROR),
        (("broken.example",), ("--detailed-exitcode",), ExitCode.INCOMPLETE),
        (("broken.example", "acme.example"), ("--detailed-exitcode",), ExitCode.CHANGES),
    ],
)
def test_the_exit_code_of_a_plan(run: Command, domains: tuple[str, ...], options: tuple[str, ...], code: int) -> None:
    """1 before 2 before 3 before 0."""
    Path("manifests/acme.yaml").write_text(manifest("acme.example", "done.example", "lost.example", "broken.example"))
    Path("zones/broken.example.zone").write_text("@ MX ten mail\n")
    selection = [part for d in domains for part in ("--domain", d)]
    assert run("plan", *options, *selection).code == code


def test_a_selection_takes_the_name_as_people_write_it(run: Command) -> None:
    for name in ("DONE.example", "done.example."):
        assert run("plan", "--domain", name).out.splitlines()[-1] == "In sync. 1 domain, 1 in sync."
    assert "2 domains" in run("plan", "--organization", "acme").out


@pytest.mark.parametrize(
    ("option", "name", "hint"),
    [
        ("--domain", "amce.example", "Did you mean acme.example?"),
        ("--domain", "unlike", "Look at the manifests"),
        ("--domain", "not a name..", "Look at the manifests"),
        ("--organization", "acne", "Did you mean acme?"),
    ],
)
@pytest.mark.parametrize("verb", [("plan",), ("apply", "--auto-approve"), ("emit", "instructions", "--out", "out")])
def test_what_is_not_declared_is_an_error_with_the_nearest_name(
    run: Command, verb: tuple[str, ...], option: str, name: str, hint: str
) -> None:
    ran = run(*verb, option, name, "--domain", "done.example")
    assert (ran.code, ran.out) == (1, "")
    assert f"error[no-such-{option[2:]}]" in ran.err
    assert hint in ran.err


def test_a_time_without_a_zone_is_utc_and_one_with_a_zone_is_converted(run: Command) -> None:
    made = [
        json.loads(run("plan", "--format", "json", now=now).out)["created_at"]
        for now in ("2026-11-21T12:00:00", "2026-11-21T07:00:00-05:00", "2026-11-21T12:00:00Z")
    ]
    assert made == ["2026-11-21T12:00:00Z"] * 3


def test_the_day_is_that_of_utc(run: Command) -> None:
    """An attestation of the 21st counts in the evening of the 20th in New York."""
    text = manifest("acme.example").replace("2026-01-01", "2026-11-21")
    Path("manifests/acme.yaml").write_text(text)
    run.zone.write_text(f'{HEAD}{OLD}_amazonses TXT "token-of-acme.example"\n')
    assert "ready by files" in run("plan", now="2026-11-20T20:00:00-05:00").out


def test_what_the_system_refuses_is_an_error_with_its_place(run: Command) -> None:
    Path("taken").write_text("")
    ran = run("plan", "--out", "taken/plan.json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error[system]: taken/plan.json: ")


def test_settings_that_were_named_must_be_there(run: Command) -> None:
    ran = run("--settings", "none.yaml", "plan")
    assert (ran.code, ran.out) == (1, "")
    assert "none.yaml: error[settings-missing]" in ran.err


def test_emit_says_what_it_wrote(run: Command) -> None:
    ran = run("emit", "instructions", "--out", "sheets", "--domain", "done.example")
    assert ran.err == ""
    assert "sheets/acme/console.md" in ran.out
    assert Path("sheets/acme/console.md").is_file()


def test_an_import_that_finds_nothing_says_so_on_stderr(run: Command) -> None:
    ran = run("import", "unknown.example", "--organization", "acme")
    assert ran.code != 0
    assert "unknown.example" in ran.err + ran.out


@pytest.mark.parametrize("what", ["manifest", "settings", "plan", "drift"])
def test_a_schema_is_the_published_one(run: Command, what: str) -> None:
    ran = run("schema", what)
    assert (ran.code, ran.err) == (0, "")
    published = Path(__file__).parents[2] / "docs" / "schemas" / f"{what}.schema.json"
    assert ran.out == published.read_text(encoding="utf-8")
    jsonschema.Draft202012Validator.check_schema(json.loads(ran.out))
