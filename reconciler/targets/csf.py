"""ConfigServer Firewall: lines of csf.allow, `tcp|in|d=25|s=192.0.2.1` (readme.txt, "Advanced Allow/Deny Filters").

A line that is an address alone opens every port to it. `Include` takes further files in; the export script has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.targets.base import (
    Advice,
    AllowlistContent,
    DeclaredAllowlist,
    Enforcement,
    Entry,
    Intent,
    Output,
    UnreadableExportError,
    presumed_refusal,
)
from reconciler.targets.export_text import ExportText, read_export_text, shown
from reconciler.targets.networks import read_networks
from reconciler.targets.words import has_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SMTP = 25
_MAIN = "/etc/csf/csf.allow"
_OPENED = ("TCP_IN", "TCP6_IN")  # the ports that are open to everybody


@dataclass(frozen=True, slots=True)
class Csf:
    """Who may connect to port 25."""

    id: str = "csf"
    title: str = "ConfigServer Firewall"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset()
    is_readable: bool = True
    outputs: tuple[Output, ...] = (
        Output("csf.allow", "allowlists/csf.conf.j2"),
        Output("apply.sh", "allowlists/csf_apply.sh.j2"),
    )
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/csf_export.sh.j2"),)

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The lines that let an address in on port 25; those for other ports, or for the way out, do not count."""
        export = read_export_text(text, target=self.id, raw_section=_MAIN)
        entries: list[Entry] = []
        bare: list[str] = []
        for written, is_bare in _sources(_all_lines(export)):
            entries += read_networks([written])
            bare += [written] if is_bare else []
        advice = (*_bare_advice(bare), *_settings_advice(export, declared.intent))
        refusal = _refusal(export, declared, tuple(entries))
        return AllowlistContent(tuple(entries), export.made_at, advice=advice, refusal=refusal)


def _all_lines(export: ExportText) -> Iterator[str]:
    """The lines of csf.allow and of every file that it includes; each file once."""
    pending = [_MAIN]
    seen = set()
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        lines = export.lines(path)
        if lines is None and path != _MAIN:
            summary = f"csf.allow includes {shown(path)}, which the export does not have: use export.sh"
            raise UnreadableExportError(summary)
        for line in lines or ():
            words = line.split("#", 1)[0].split()
            if words and words[0] == "Include":
                pending.append(" ".join(words[1:]))
            elif words:
                yield words[0]


def _sources(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    for line in lines:
        if "|" not in line:
            yield line, True
            continue
        parts = line.split("|")
        fields = dict(part.split("=", 1) for part in parts if "=" in part)
        flags = {part for part in parts if "=" not in part}
        if not flags <= {"tcp", "udp", "icmp", "in", "out"} or not fields.keys() <= {"s", "d", "u"} or len(fields) > 2:  # noqa: PLR2004
            summary = f"the line {shown(line)} is no filter of csf.allow"
            raise UnreadableExportError(summary)
        if flags & {"udp", "icmp", "out"} or "u" in fields:
            continue
        if "s" in fields and has_port(fields.get("d", ""), _SMTP, "_"):
            yield fields["s"], False


def _bare_advice(bare: list[str]) -> Iterator[Advice]:
    if bare:
        listed = ", ".join(bare[:5]) + (", ..." if bare[5:] else "")
        summary = f"lines that are addresses alone open every port, not port {_SMTP} alone: {listed}"
        detail = f"For a mail gateway tcp|in|d={_SMTP}|s=ADDRESS is enough: add that line, then take the bare one out."
        yield Advice("wider-than-needed", summary, detail)


def _refusal(export: ExportText, declared: DeclaredAllowlist, entries: tuple[Entry, ...]) -> Enforcement:
    """What TCP_IN or TCP6_IN does not have is dropped; a raw csf.allow tells of neither."""
    settings = dict(_setting(line) for line in export.lines("csf.conf") or ())
    opened = [settings[name] for name in _OPENED if name in settings]
    if not opened:
        return presumed_refusal(declared, entries, Enforcement.SOFT)
    return Enforcement.NONE if all(has_port(ports, _SMTP, ":") for ports in opened) else Enforcement.SOFT


def _setting(line: str) -> tuple[str, str]:
    name, _, value = (part.strip().strip('"') for part in line.partition("="))
    return name, value


def _settings_advice(export: ExportText, intent: Intent) -> Iterator[Advice]:
    for line in export.lines("csf.conf") or ():
        name, value = _setting(line)
        if name in _OPENED and intent is Intent.RESTRICT and has_port(value, _SMTP, ":"):
            summary = f"{name} has port {_SMTP}: anyone may connect, and csf.allow keeps nobody out"
            yield Advice(
                "restricts-nothing", summary, f"Take {_SMTP} out of {name} when the plan says that it may go; csf -r."
            )
        limits = value.replace(";", " ").replace(",", " ").split()
        if name in {"CONNLIMIT", "PORTFLOOD"} and str(_SMTP) in limits:
            summary = f"{name} limits the connections of each client to port {_SMTP}, and all mail comes from a few"
            yield Advice("client-limit", summary, f"Take port {_SMTP} out of {name}, or raise the limit; csf -r.")
