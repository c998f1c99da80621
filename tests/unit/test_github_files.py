"""What is read and written as files: the environment, the summary, artifacts."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from github_builders import HEAD, PLACE, drift_of, many, plan_of

from reconciler.github.artifact import ArtifactError, only_member
from reconciler.github.environment import read_environment
from reconciler.github.errors import GithubError
from reconciler.github.plan_page import plan_page
from reconciler.github.summary import MAX_OCTETS, append_drift, append_page, append_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _environment(tmp_path: Path, event: object, **changes: str) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event), encoding="utf-8")
    return {
        "GITHUB_TOKEN": "secret",
        "GITHUB_REPOSITORY": "acme/mail",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_RUN_ID": "4711",
        "GITHUB_SHA": "f" * 40,
    } | changes


def pull(head: object = "acme/mail", number: object = 7) -> dict[str, Any]:
    repository = {"full_name": head} if isinstance(head, str) else head
    return {"pull_request": {"number": number, "head": {"sha": HEAD, "repo": repository}}}


def test_the_environment_has_defaults_for_where_github_is(tmp_path: Path) -> None:
    read = read_environment(_environment(tmp_path, {}))
    assert (read.api_url, read.graphql_url) == ("https://api.github.com", "https://api.github.com/graphql")
    assert read.run_url == "https://github.example/acme/mail/actions/runs/4711"
    assert read.pull is None
    assert "secret" not in repr(read)
    enterprise = read_environment(_environment(tmp_path, {}, GITHUB_API_URL="https://ghe.example/api/v3"))
    assert enterprise.graphql_url == "https://ghe.example/api/graphql"


def test_everything_that_is_missing_or_malformed_is_told_at_once(tmp_path: Path) -> None:
    given = _environment(tmp_path, {}, GITHUB_RUN_ID="x", GITHUB_API_URL="http://api.example", GITHUB_SHA="")
    del given["GITHUB_TOKEN"]
    with pytest.raises(GithubError) as caught:
        read_environment(given)
    [told] = caught.value.diagnostics
    assert told.summary.startswith("in the environment: GITHUB_SHA and GITHUB_TOKEN not set; ")
    assert "GITHUB_RUN_ID (it must be a number)" in told.summary
    assert "GITHUB_API_URL" in told.summary
    read_environment(_environment(tmp_path, {}, GITHUB_TOKEN=""), needs_token=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "https://api.example/x", "http://localhost:1"])
def test_a_token_goes_to_tls_or_stays_on_this_machine(tmp_path: Path, url: str) -> None:
    assert read_environment(_environment(tmp_path, {}, GITHUB_API_URL=url)).api_url == url


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1.evil.example", "https://a@b", "https://a/?q", "ftp://a", "http://localhost.evil.example"]
)
def test_other_addresses_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(GithubError, match="GITHUB_API_URL"):
        read_environment(_environment(tmp_path, {}, GITHUB_API_URL=url))


@pytest.mark.parametrize(
    ("head", "is_fork"), [("acme/mail", False), ("Acme/Mail", False), ("mallory/mail", True), (None, True), ("", True)]
)
def test_a_pull_request_from_elsewhere_is_a_fork(tmp_path: Path, head: str | None, *, is_fork: bool) -> None:
    read = read_environment(_environment(tmp_path, pull(head)))
    assert read.pull is not None
    assert (read.pull.number, read.pull.head_sha, read.pull.is_fork) == (7, HEAD, is_fork)


@pytest.mark.parametrize("event", [[], pull(number="7"), {"pull_request": {"number": 1, "head": {"sha": "; rm"}}}])
def test_an_event_that_is_none_is_refused(tmp_path: Path, event: object) -> None:
    with pytest.raises(GithubError):
        read_environment(_environment(tmp_path, event))


def test_a_missing_event_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GithubError, match="the event cannot be read"):
        read_environment(_environment(tmp_path, {}, GITHUB_EVENT_PATH=str(tmp_path / "none")))


def test_the_summary_stays_below_what_the_runner_takes(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    page = plan_page(plan_of(*[100] * 100), PLACE, HEAD)
    append_page(file, page, PLACE)
    text = file.read_text(encoding="utf-8")
    assert 900_000 < file.stat().st_size <= MAX_OCTETS
    assert "left out here**: GitHub takes no more. The whole document is in [the run's artifacts]" in text
    append_page(file, page, PLACE)
    append_drift(file, drift_of(*many(10)), PLACE)
    append_text(file, "x" * MAX_OCTETS)
    assert file.read_text(encoding="utf-8") == text


def test_the_summary_of_drift_is_cut_too(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("before\n\n", encoding="utf-8")
    append_drift(file, drift_of(*many(10_000)), PLACE)
    text = file.read_text(encoding="utf-8")
    assert text.startswith("before\n\n### Mail gateway drift\n")
    assert 500_000 < len(text.encode()) <= MAX_OCTETS
    assert "more are left out here" in text


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as opened:
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, octets in members:
            opened.writestr(name, octets)
    return file.getvalue()


def _broken(made: bytes) -> bytes:
    begin = made.index(b"plan.json") + len("plan.json")
    return made[:begin] + b"\xff" * 12 + made[begin + 12 :]


def test_the_one_file_of_an_artifact_is_read() -> None:
    made = archive(("plan.json", b"{}"))
    assert only_member(made, "plan.json", f"sha256:{sha256(made).hexdigest()}") == b"{}"
    assert only_member(made, "plan.json") == b"{}"


@pytest.mark.parametrize(
    "made",
    [
        archive,
        lambda: archive(("other.json", b"{}")),
        lambda: archive(("plan.json", b"{}"), ("x", b"")),
        lambda: archive(("plan.json", b"{}"), ("plan.json", b"[]")),
        lambda: archive(("../plan.json", b"{}")),
        lambda: archive(("plan.json/", b"")),
        lambda: archive(("plan.json", b"x" * 5000)),
        lambda: b"no zip",
        lambda: _broken(archive(("plan.json", b"{}" * 90), method=zipfile.ZIP_LZMA)),
        lambda: archive(("pl\xe4n.json", b"{}")).replace("\xe4".encode(), b"\xff\xff"),
        lambda: archive(("plan.json", b"{}" * 90))[:-30],
        lambda: archive(("plan.json", b"abc" * 90)).replace(b"\x4b\x4c", b"\x00\x00", 1),
    ],
)
def test_an_archive_of_anything_else_is_refused(made: Callable[[], bytes]) -> None:
    with pytest.raises(ArtifactError):
        only_member(made(), "plan.json", limit=1000)


def test_an_archive_that_is_not_the_announced_one_is_refused() -> None:
    with pytest.raises(ArtifactError, match="digest"):
        only_member(archive(("plan.json", b"{}")), "plan.json", f"sha256:{'0' * 64}")
