"""Builders for the tests of octoDNS emission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emit.octodns import DomainRRsets, EmitReport
from reconciler.names import Name, canonical_name
from reconciler.state import Key, Rdata, build_rrset, mx_rdata, txt_rdata

if TYPE_CHECKING:
    from pathlib import Path

OURS, OLD, FOREIGN = txt_rdata("new-token=="), txt_rdata("old-token=="), txt_rdata("other-vendor==")
MX = mx_rdata(0, Name("eu.mx-pp.com."))


def domain(name: str, *, zone: str | None = None, foreign: tuple[Rdata, ...] = (FOREIGN,)) -> DomainRRsets:
    """A domain with its MX and its token beside foreign values."""
    absolute = canonical_name(name)
    mx, txt = Key(absolute, "MX"), Key(Name(f"_amazonses.{absolute}"), "TXT")
    rrsets = (build_rrset(mx, 300, (MX,)), build_rrset(txt, 3600, (OURS, *foreign)))
    owned = {mx: frozenset({MX}), txt: frozenset({OURS, OLD})}
    return DomainRRsets(absolute, canonical_name(zone or name), rrsets, owned)


def leaving(name: str) -> DomainRRsets:
    """A domain that shall have nothing of ours."""
    absolute = canonical_name(name)
    return DomainRRsets(absolute, absolute, (), {Key(Name(f"_amazonses.{absolute}"), "TXT"): frozenset({OURS})})


def repository(root: Path, files: dict[str, str]) -> Path:
    """A folder with files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return root


def config(zones: str = "  acme.example.: {sources: [config], targets: []}\n", **options: object) -> str:
    extra = "".join(f"    {key}: {value}\n" for key, value in options.items())
    block = "    class: octodns.provider.yaml.YamlProvider\n    directory: ./zones\n"
    return f"providers:\n  config:\n{block}{extra}zones:\n{zones}"


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def refusal(report: EmitReport) -> str:
    assert report.written + report.changed == ()
    return report.refused[0].summary


ACME = "---\nwww:\n  type: A\n  value: 192.0.2.1\n"
