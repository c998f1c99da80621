"""The token for the remote: from the environment into git's environment, for that remote's URL alone.

It is in no argument (which every user of the machine can see), in no file, and in no message.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from reconciler.errors import JournalError, error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.journal_branch.git import Configuration

ANY_REMOTE = "RECONCILER_GIT_TOKEN"
"""The token for whatever the remote is; it goes before those of the forges."""

_PORTS = {"http": 80, "https": 443}
# the token that a forge gives to its jobs is for that forge alone; GitLab's has a user name of its own
_OF_FORGES = (
    ("GITHUB_TOKEN", "GITHUB_SERVER_URL", "x-access-token"),
    ("CI_JOB_TOKEN", "CI_SERVER_URL", "gitlab-ci-token"),
)


def without_credentials(url: str) -> str:
    """A URL as it may be shown: without user name and password."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def is_http(url: str) -> bool:
    """Whether git speaks HTTP with it."""
    return url.lower().startswith(("http://", "https://"))


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None


def find_token(url: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """User name and token for a remote, or None where there is none, or none that is meant for it.

    Raises:
        JournalError: it has characters that no token has.

    """
    if not is_http(url):
        return None
    found = [(ANY_REMOTE, "x-access-token")] if environment.get(ANY_REMOTE) else []
    for variable, server, user in _OF_FORGES:
        origin = _origin(environment.get(server, ""))
        if environment.get(variable) and origin is not None and origin[1] and origin == _origin(url):
            found.append((variable, user))
    if not found:
        return None
    variable, user = found[0]
    token = environment[variable]
    if not token.isascii() or not token.isprintable() or " " in token:
        detail = f"Set {variable} to the token alone, without spaces and line ends."
        raise JournalError([error("journal-branch-token", f"what is in {variable} is no token", detail)])
    return user, token


def header_configuration(url: str, user: str, token: str) -> Configuration:
    """Configuration by which git sends the token to this URL, and to no other, and asks nobody for another.

    Another `extraheader` for it (actions/checkout leaves one) is taken back first: two are refused by the server. A
    redirect would carry the token elsewhere, and is not followed.
    """
    credentials = b64encode(f"{user}:{token}".encode()).decode()
    section = f"http.{url}"
    return (
        (f"{section}.extraheader", ""),
        (f"{section}.extraheader", f"Authorization: Basic {credentials}"),
        (f"{section}.followredirects", "false"),
        ("credential.helper", ""),
    )
