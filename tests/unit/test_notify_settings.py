"""The settings of notifications: what is told to whom, and no secret in the file or in an error."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from reconciler.errors import SettingsError
from reconciler.settings import EndpointSettings, NotificationSettings, endpoint_url, load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.errors import Diagnostic

URL = "slack://T1/B2/s3cr3t-token"


def load(folder: Path, text: str) -> NotificationSettings:
    path = folder / "reconciler.yaml"
    path.write_text(f"notifications:\n{text}")
    return load_settings(path, required=True).notifications


def refused(folder: Path, text: str) -> Diagnostic:
    with pytest.raises(SettingsError) as caught:
        load(folder, text)
    (found,) = caught.value.diagnostics
    assert found.detail
    return found


def test_nobody_is_told_anything_by_default(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.yaml", required=False).notifications == NotificationSettings()


def test_endpoints_are_read(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        "  hold_hours: 1.5\n  per_run: 3\n  endpoints:\n"
        "    - {url: env/TEAMS_URL, on: [drift-opened, drift-closed], severity: low, organizations: [acme]}\n"
        "    - {url: env/PAGER, on: [switch-done, hold-too-long]}\n",
    )
    assert (found.hold, found.per_run) == (timedelta(hours=1.5), 3)
    assert found.endpoints == (
        EndpointSettings("TEAMS_URL", frozenset({"drift-opened", "drift-closed"}), "low", frozenset({"acme"})),
        EndpointSettings("PAGER", frozenset({"switch-done", "hold-too-long"}), "high"),
    )


@pytest.mark.parametrize("url", [f'"{URL}"', "env/", "env/A-B", "env/A/B", "[s3cr3t]", "{s3cr3t: x}", "s3cr3t", "null"])
def test_what_is_no_variable_is_refused_and_never_repeated(tmp_path: Path, url: str) -> None:
    found = refused(tmp_path, f"  endpoints: [{{url: {url}, on: [switch-done]}}]\n")
    assert found.code == "notification-url"
    assert found.line == 2
    assert "env/TEAMS_URL" in found.detail
    assert "s3cr3t" not in f"{found.summary}{found.detail}"


@pytest.mark.parametrize("text", [f"  endpoints:\n  - {URL}\n", f"  {URL}\n", f"  endpoints: {URL}\n"])
def test_a_secret_in_another_place_is_not_repeated_either(tmp_path: Path, text: str) -> None:
    found = refused(tmp_path, text)
    assert "a single value" in found.summary
    assert "s3cr3t" not in f"{found.summary}{found.detail}"


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("endpoints: [{url: env/A, on: [drift-open]}]", "wrong-value", "Did you mean `drift-opened`"),
        ("endpoints: [{url: env/A, on: []}]", "wrong-value", "remove the endpoint"),
        ("endpoints: [{url: env/A}]", "missing-key", "Add the key `on`"),
        ("endpoints: [{url: env/A, on: [switch-done], severity: bad}]", "wrong-value", "Write one of: critical"),
        ("endpoints: [{url: env/A, on: [drift-closed]}]", "notification-events", "Add drift-opened"),
        ("per_run: 0", "wrong-value", "at least 1"),
        ("hold_hours: -1", "wrong-value", "at least 0"),
        ("webhook: env/A", "unknown-key", "endpoints"),
    ],
)
def test_mistakes_say_what_to_do(tmp_path: Path, text: str, code: str, word: str) -> None:
    found = refused(tmp_path, f"  {text}\n")
    assert found.code == code
    assert word in found.detail


def test_who_is_told_that_drift_opened_by_one_entry_may_be_told_that_it_closed_by_another(tmp_path: Path) -> None:
    text = "  endpoints: [{url: env/A, on: [drift-opened]}, {url: env/A, on: [drift-closed]}]\n"
    assert len(load(tmp_path, text).endpoints) == 2


@pytest.mark.parametrize(
    ("environment", "url"), [({"A": " json://x "}, "json://x"), ({"A": " "}, None), ({"B": "json://x"}, None)]
)
def test_the_url_is_in_the_environment(environment: dict[str, str], url: str | None) -> None:
    assert endpoint_url("A", environment) == url
