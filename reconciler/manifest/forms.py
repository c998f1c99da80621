"""The form of single values in a manifest: what is asked of each, whoever reads it. Pure.

The models turn what fails into an error with advice (`models.py`, `origin_models.py`); `plain.py` asks the same.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from reconciler.names import InvalidNameError, canonical_name

MIN_TTL, MAX_TTL = 60, 604800  # seconds; a week is what RFC 1912 section 2.2 calls long
MAX_TEXT = 500
MAX_LOCAL_PART = 64  # octets, RFC 5321 section 4.5.3.1.1
MAX_OBJECT_NAME = 64  # what the strictest target takes (Exchange)

IDENTIFIER_PATTERN = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
TOKEN_PATTERN = r"[!#-&(-\[\]-~]{1,255}"  # noqa: S105 - a pattern; printable ASCII without space, quotes and backslash
_IDENTIFIER = re.compile(IDENTIFIER_PATTERN, re.ASCII)
_TOKEN = re.compile(TOKEN_PATTERN, re.ASCII)
_LOCAL_PART = r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*"  # RFC 5321 section 4.1.2
_OBJECT_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9 ._:/@()+-]{0,62}[A-Za-z0-9)])?"
_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]*"

Attested: TypeAlias = Literal[
    "console",
    "verified",
    "multi-region",
    "tls-check-off",
    "next-hop-tls",
    "allowlist",
    "restricted",
    "restricted-hard",
    "origin-open",
    "mail-rule",
]
Kind: TypeAlias = Literal[
    "exchange",
    "exchange-online",
    "cpanel",
    "zoho",
    "postfix",
    "exim",
    "other",
    "microsoft-365",
    "google-workspace",
]
Connection: TypeAlias = Literal["mx", "api", "journaling"]
LifecycleWord: TypeAlias = Literal["active", "offboarded"]
ListIntent: TypeAlias = Literal["allow", "restrict"]


def is_identifier(value: str) -> bool:
    """Whether it can name an organization, a service or a provider."""
    return _IDENTIFIER.fullmatch(value) is not None


@lru_cache(maxsize=4096)  # who vouches and why is written for domain after domain: looked at once, and kept once
def line_of_text(value: str) -> str | None:
    """The text, one object for all that are equal; None where it is blank, too long or has control characters."""
    return value if value.strip() and value.isprintable() and len(value) <= MAX_TEXT else None


def is_token(value: str) -> bool:
    """Whether it can be a verification value."""
    return _TOKEN.fullmatch(value) is not None


def is_address(value: str) -> bool:
    """Whether it is an e-mail address at a host name of two labels or more."""
    local, _, domain = value.rpartition("@")
    try:
        labels = canonical_name(domain).count(".")
    except InvalidNameError:
        return False
    is_local_part = len(local) <= MAX_LOCAL_PART and re.fullmatch(_LOCAL_PART, local, re.ASCII) is not None
    return is_local_part and labels > 1


def is_object_name(value: str) -> bool:
    """Whether every target can hold it as the name of one of its objects."""
    return re.fullmatch(_OBJECT_NAME, value, re.ASCII) is not None


def is_word(value: str) -> bool:
    """Whether it can be an option's value."""
    return re.fullmatch(_WORD, value, re.ASCII) is not None


def is_export_path(value: str) -> bool:
    """Whether it is a relative path that stays inside its folder."""
    path = PurePosixPath(value)
    is_inside = not path.is_absolute() and ".." not in path.parts and path.name != ""
    return value.isprintable() and "\\" not in value and is_inside
