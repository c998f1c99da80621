"""Documents as files: told apart by their kind, each reader taking those that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from github_builders import OTHER, applied, drift_of, plan_of, result

from reconciler.document import render_document
from reconciler.documents import EVERY, NEWS, DocumentFileError, load_documents
from reconciler.drift import render_drift_json

if TYPE_CHECKING:
    from pathlib import Path


def test_each_kind_is_read_in_the_order_of_the_files(tmp_path: Path) -> None:
    plan, done, drift = plan_of(2), applied(result("applied")), drift_of(OTHER)
    texts = (render_document(plan), done.model_dump_json(), render_drift_json(drift))
    paths = [tmp_path / f"{number}.json" for number in range(3)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    assert load_documents(paths, EVERY) == [plan, done, drift]
    assert load_documents([paths[2], paths[1]], NEWS) == [drift, done]


def test_unknown_fields_and_minor_versions_are_read(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(applied().model_dump_json().replace('"1.0"', '"1.7","later":{}', 1), encoding="utf-8")
    assert load_documents([file], NEWS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no complete JSON"),
        ("{", "no complete JSON"),
        ("[" * 100_000, "no complete JSON"),
        ("[1]", "it is no plan, no apply and no drift document"),
        ('{"kind": "else"}', "it is no plan, no apply and no drift document"),
        ('{"kind": ["plan"]}', "it is no plan, no apply and no drift document"),
        ('{"kind": "drift", "format_version": "2.0"}', "its format_version is '2.0'; this program reads 1.x"),
        ('{"kind": "drift", "format_version": 1.0}', "its format_version is 1.0; this program reads 1.x"),
        ('{"kind": "apply"}', "its format_version is None; this program reads 1.x"),
        ('{"kind": "apply", "format_version": "1.9"}', "not as it was written"),
    ],
)
def test_what_is_no_document_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentFileError) as caught:
        load_documents([file], EVERY)
    [told] = caught.value.diagnostics
    assert (told.code, told.file) == ("document-file", str(file))
    assert said in told.summary


def test_of_all_files_it_is_told_at_once_what_is_wrong_and_what_writes_the_right_ones(tmp_path: Path) -> None:
    plan, missing = tmp_path / "plan.json", tmp_path / "none.json"
    plan.write_text(render_document(plan_of(1)), encoding="utf-8")
    with pytest.raises(DocumentFileError) as caught:
        load_documents([plan, missing], NEWS)
    first, second = caught.value.diagnostics
    assert (first.summary, second.file) == ("it is no apply and no drift document", str(missing))
    assert first.detail == "Give a file that `apply ... --json-into FILE` or `drift --json-into FILE` wrote."
    assert "No such file" in second.summary


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x.json"
    file.write_text("{}", encoding="utf-8")
    monkeypatch.setattr("reconciler.documents._MAX_OCTETS", 1)
    with pytest.raises(DocumentFileError, match="too large"):
        load_documents([file], NEWS)


def test_an_altered_plan_is_refused_beside_what_else_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(render_document(plan_of(1)).replace('"10 mail.acme.example."', '"10 x."'), encoding="utf-8")
    with pytest.raises(DocumentFileError) as caught:
        load_documents([file, tmp_path / "none.json"], EVERY)
    assert [d.code for d in caught.value.diagnostics] == ["plan-file", "document-file"]
    assert "altered" in caught.value.diagnostics[0].summary
