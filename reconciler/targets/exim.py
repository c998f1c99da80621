"""Exim: a file of hosts for `net-iplsearch`, and cPanel's /etc/trustedmailhosts, which is such a file.

The Exim specification, section 9.3: a key ends with a colon, white space or the line; keys with colons stand in double
quotes; `#` begins a comment line; lines that begin with white space continue the data of the line before. Exim skips a
key that is no address without a word: here it makes the whole list unreadable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.targets.base import (
    Advice,
    AllowlistContent,
    DeclaredAllowlist,
    Enforcement,
    Intent,
    Output,
    UnreadableExportError,
    presumed_refusal,
)
from reconciler.targets.export_text import read_export_text, shown
from reconciler.targets.networks import read_networks
from reconciler.targets.origin_limits import message_size_advice, octets, rate_limit_advice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KEY = re.compile(r'"([^"\\\s]*)"(?=[\s:]|$)|([^\s:"]+)', re.ASCII)
_EXEMPTION = "Take the gateway's addresses out of it, in smtp_ratelimit_hosts or with a condition in the ACL."


@dataclass(frozen=True, slots=True)
class EximIplsearch:
    """A host list, `hosts = net-iplsearch;/path`, in an ACL."""

    id: str = "exim-iplsearch"
    title: str = "Exim host list"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset()
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("gateway_hosts.list", "allowlists/exim_iplsearch.list.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/exim_iplsearch_export.sh.j2"),)

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """Every key of the file, and advice from Exim's settings where the export has them."""
        export = read_export_text(text, target=self.id, raw_section="hosts")
        entries = read_networks(host_keys(export.lines("hosts") or ()))
        advice = exim_advice(export.lines("settings") or ())
        refusal = presumed_refusal(declared, entries, Enforcement.HARD)
        return AllowlistContent(entries, export.made_at, advice=tuple(advice), refusal=refusal)


def host_keys(lines: Iterable[str]) -> Iterator[str]:
    """The keys of a file for `iplsearch` and `net-iplsearch`.

    Raises:
        UnreadableExportError: a line has no key. That of an IPv6 address without quotes is what precedes its colon.

    """
    for line in lines:
        if not line.strip() or line.startswith("#") or line[0].isspace():
            continue
        found = _KEY.match(line)
        if not found:
            summary = f"the list's line {shown(line)} does not begin with a key"
            raise UnreadableExportError(summary)
        yield found[1] if found[2] is None else found[2]


def exim_advice(lines: Iterable[str]) -> Iterator[Advice]:
    """Advice from lines as `exim -bP message_size_limit smtp_ratelimit_hosts` prints them."""
    for line in lines:
        name, _, value = (part.strip() for part in line.partition("="))
        if name == "message_size_limit" and (limit := octets(value)) is not None:
            yield from message_size_advice(name, limit)
        if name in {"smtp_ratelimit_hosts", "smtp_accept_max_per_host"} and value not in {"", "0"}:
            yield rate_limit_advice(name, value, _EXEMPTION)
