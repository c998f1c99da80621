"""What a manifest must not ask of a target: lists that would open a relay, and words that the target cannot use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from reconciler.targets.registry import ALLOWLIST_TARGETS

if TYPE_CHECKING:
    from reconciler.targets.base import DeclaredAllowlist

REFUSED_LISTS: dict[str, str] = {
    "mynetworks": "whoever stands in Postfix's mynetworks may send through the server to anyone: it would be an open "
    "relay for whatever passes the gateway. Use the target postfix-access or postfix-postscreen",
    "skipsmtpcheckhosts": "whoever stands in cPanel's /etc/skipsmtpcheckhosts passes every check, the one against "
    "relaying included. Use the target cpanel-trustedmailhosts",
}


@runtime_checkable
class WordsChecked(Protocol):
    """A target that has a say in the words that a manifest gives it."""

    def problems(self, declared: DeclaredAllowlist) -> tuple[str, ...]:
        """What is wrong with them, one sentence each, the fix included; empty where nothing is."""
        ...


def declaration_problems(declared: DeclaredAllowlist) -> tuple[str, ...]:
    """Why this list cannot be declared so, one sentence each; empty where it can. The target may not exist."""
    words = (declared.target, declared.name, *(value for _, value in declared.options))
    parts = {part for word in words for part in re.split(r"[^a-z0-9_]+", word.casefold())}
    refused = tuple(reason for name, reason in REFUSED_LISTS.items() if name in parts)
    target: object = ALLOWLIST_TARGETS.get(declared.target)
    return refused + (target.problems(declared) if isinstance(target, WordsChecked) else ())
