"""Who runs: a CI run by its name, or a person by user, host and process. For the journal, where others read it."""

from __future__ import annotations

import getpass
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_CI_RUNS = (("GITHUB_REPOSITORY", "GITHUB_RUN_ID"), ("CI_PROJECT_PATH", "CI_JOB_ID"))


def name_of_this_run(environment: Mapping[str, str]) -> str:
    """As `acme/mail run 4711`, or `alice@host, process 4711`."""
    for project, number in _CI_RUNS:
        if environment.get(project) and environment.get(number):
            return f"{environment[project]} run {environment[number]}"
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}, process {os.getpid()}"
