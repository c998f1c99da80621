"""Who runs, as whoever waits for the lock reads it."""

from __future__ import annotations

import getpass
import os
import socket

import pytest

from reconciler.holder import name_of_this_run


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"GITHUB_REPOSITORY": "acme/mail", "GITHUB_RUN_ID": "4711"}, "acme/mail run 4711"),
        ({"CI_PROJECT_PATH": "acme/dns", "CI_JOB_ID": "12"}, "acme/dns run 12"),
    ],
)
def test_a_ci_run_has_its_name(environment: dict[str, str], name: str) -> None:
    assert name_of_this_run(environment) == name


@pytest.mark.parametrize("environment", [{}, {"GITHUB_REPOSITORY": "acme/mail", "GITHUB_RUN_ID": ""}])
def test_a_person_is_named_by_user_host_and_process(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "alice")
    assert name_of_this_run(environment) == f"alice@{socket.gethostname()}, process {os.getpid()}"


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a user id which no file names."""

    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert name_of_this_run({}).startswith(f"{os.getuid()}@")
