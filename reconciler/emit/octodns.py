"""octoDNS configuration for our records: a repository of its own, or a careful edit of somebody's.

Into an empty folder goes a whole repository that cannot delete what is not ours (`octodns_new`). In an existing one
each zone's file is found (`octodns_locate`) and only our values are changed in it (`octodns_edit`, `octodns_splice`);
a zone where that is not certain is refused alone. Nothing is written when nothing changes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from octodns.yaml import safe_load

from reconciler.emit import octodns_new as new
from reconciler.emit.octodns_edit import ZoneEdit
from reconciler.emit.octodns_files import checked_path, read_text, write_text
from reconciler.emit.octodns_locate import (
    YAML_CLASS,
    load_configs,
    locate_zone,
    single_place,
    zone_files_without_config,
)
from reconciler.emit.octodns_values import RefusedError, check_carried
from reconciler.errors import Diagnostic, EmitError, Severity, error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.emit.octodns_locate import Config, ZoneFiles
    from reconciler.names import Name
    from reconciler.state import Key, Rdata, RRset


@dataclass(frozen=True, slots=True)
class DomainRRsets:
    """What the zone shall have at one mail domain's keys.

    `rrsets` are whole: the foreign values of shared ones included, as observed. `owned` are, for each key of ours,
    the values in our ownership, wanted or not: an owned value that is not in the key's rrset goes, and a key without
    an rrset keeps nothing of ours.
    """

    domain: Name
    zone: Name
    rrsets: tuple[RRset, ...]
    owned: Mapping[Key, frozenset[Rdata]]


@dataclass(frozen=True, slots=True)
class EmitReport:
    """What was done: paths relative to the folder, sorted; for each refused domain an error, and what else to know."""

    written: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    refused: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]


def emit_octodns(
    domains: Sequence[DomainRRsets], out: Path, *, provider: tuple[str, Mapping[str, Any]] | None = None
) -> EmitReport:
    """Write the domains' records for octoDNS into a folder.

    Args:
        domains: what to write; nothing of other domains is touched.
        out: an empty or new folder, a folder written before, or an octoDNS repository of somebody's.
        provider: the id and the octoDNS block of the provider that holds the zones, for a new repository; None writes
            a placeholder. References such as `env/NAME` stay as they are, literal secrets are never written.

    Raises:
        EmitError: the folder is neither, or cannot be written.

    """
    emission = _Emission(out, provider)
    zones: dict[Name, list[DomainRRsets]] = {}
    for domain in domains:
        zones.setdefault(domain.zone, []).append(domain)
    for zone in sorted(zones):
        emission.add_zone(zone, zones[zone])
    return emission.write()


@dataclass
class _Emission:
    out: Path
    provider: tuple[str, Mapping[str, Any]] | None
    configs: list[Config] = field(default_factory=list)
    texts: dict[Path, str] = field(default_factory=dict)
    added: list[Name] = field(default_factory=list)
    refused: list[Diagnostic] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)
    loose: Mapping[str, list[ZoneFiles]] = field(default_factory=dict)
    is_new: bool = False

    def __post_init__(self) -> None:
        if self.out.exists() and not self.out.is_dir():
            raise EmitError([error("emit-folder", f"{self.out} is no folder", "Name a folder.", file=str(self.out))])
        self.configs = load_configs(self.out) if self.out.exists() else []
        strangers = [] if self.configs or not self.out.exists() else list(_strangers(self.out))
        if strangers and not any(name.endswith((".yaml", "./")) for name in strangers):
            detail = "Name an empty folder, or an octoDNS repository: it has a configuration or zone files."
            summary = f"{self.out} is not empty and no octoDNS repository: {strangers[0]}"
            raise EmitError([error("emit-folder", summary, detail, file=str(self.out))])
        self.is_new = not self.configs and not strangers
        self.loose = zone_files_without_config(self.out) if strangers else {}

    @property
    def own_config(self) -> Config | None:
        """The configuration that was emitted here before."""
        return next((c for c in self.configs if c.path == self.out / new.CONFIG_NAME and _is_marked(c.path)), None)

    def add_zone(self, zone: Name, domains: Sequence[DomainRRsets]) -> None:
        """Plan one zone, or refuse it with a diagnostic for each of its domains."""
        try:
            records = _records(domains)
            located = self.located(zone)
            if located is not None:
                edit = ZoneEdit(self.out, zone, located)
                for key, (rrset, owned) in records.items():
                    edit.edit(key, rrset, owned)
                self.texts |= {checked_path(self.out, path): text for path, text in edit.texts.items()}
                self.warn_of_missing(domains, edit.missing)
            elif self.is_new or self.own_config:
                self.add_new_zone(zone, [rrset for rrset, _ in records.values() if rrset])
            else:
                raise _unknown_zone(zone, self.configs)
        except RefusedError as exc:
            for domain in domains:
                summary = f"{domain.domain} cannot be emitted: {exc.reason}"
                refusal = error("emit-refused", summary, exc.advice, file=exc.file, line=exc.line, domain=domain.domain)
                self.refused.append(refusal)
            return
        if self.is_new or self.own_config:
            self.warn_of_removals(domains)

    def located(self, zone: Name) -> ZoneFiles | None:
        """Where the zone's YAML lives; None where this repository does not know the zone."""
        if self.configs:
            return locate_zone(self.out, self.configs, zone)
        return single_place(zone, self.loose[zone]) if zone in self.loose else None

    def add_new_zone(self, zone: Name, rrsets: Sequence[RRset]) -> None:
        for rrset in rrsets:
            check_carried(rrset, zone)
        if rrsets:
            path = checked_path(self.out, self.out / "zones" / f"{zone}yaml")
            self.texts[path] = new.render_zone(zone, rrsets)
            self.added.append(zone)

    def warn_of_missing(self, domains: Sequence[DomainRRsets], missing: Sequence[tuple[Key, Rdata]]) -> None:
        for key, rdata in missing:
            domain = next(d.domain for d in domains if key in {r.key for r in d.rrsets})
            summary = f"{key.name} {key.type} has the value {rdata} in DNS, and the zone file has not"
            detail = "octodns-sync removes it, as it would have before this edit. Add it to the file if it shall stay."
            self.warnings.append(Diagnostic(Severity.WARNING, "emit-not-in-file", summary, detail, domain=domain))

    def warn_of_removals(self, domains: Sequence[DomainRRsets]) -> None:
        for domain in domains:
            there = {rrset.key for rrset in domain.rrsets}
            for key in sorted(k for k, owned in domain.owned.items() if owned and k not in there):
                summary = f"{key.name} {key.type} shall go, which this repository cannot say"
                detail = "What is not in its files stays as it is in DNS. Remove it with `reconciler apply`."
                diagnostic = Diagnostic(Severity.WARNING, "emit-no-removal", summary, detail, domain=domain.domain)
                self.warnings.append(diagnostic)

    def write(self) -> EmitReport:
        """Write what differs; the configuration last, so that it never names a file that is not there."""
        if self.added:
            self.add_config()
        done: dict[str, list[str]] = {"written": [], "changed": [], "unchanged": []}
        root = self.out.resolve()
        for path, text in self.texts.items():
            exists = path.exists()
            state = "written" if not exists else "changed"
            if exists and path.read_bytes() == text.encode("utf-8"):
                state = "unchanged"
            else:
                write_text(path, text)
            done[state].append(str(path.relative_to(root)))
        lists = {state: tuple(sorted(paths)) for state, paths in done.items()}
        return EmitReport(**lists, refused=tuple(self.refused), warnings=tuple(self.warnings))

    def add_config(self) -> None:
        path = checked_path(self.out, self.out / new.CONFIG_NAME)
        if self.own_config:
            self.texts[path] = _with_zones(read_text(self.out, path), self.own_config, self.added)
            return
        self.texts[checked_path(self.out, self.out / "README.md")] = new.README
        self.texts[checked_path(self.out, self.out / "requirements.txt")] = new.render_requirements(self.provider)
        self.texts[path], removed = new.render_config(self.added, self.provider)
        for option in removed:
            summary = f"the secret {option} was not written into the configuration"
            detail = "It reads an environment variable now; name another source there if you have one."
            self.warnings.append(Diagnostic(Severity.WARNING, "emit-secret", summary, detail, file=str(path)))


def _records(domains: Sequence[DomainRRsets]) -> dict[Key, tuple[RRset | None, frozenset[Rdata]]]:
    """Each key once, sorted, with its rrset and what is ours of it."""
    rrsets: dict[Key, RRset] = {}
    owned: dict[Key, frozenset[Rdata]] = {}
    for domain in domains:
        for rrset in domain.rrsets:
            if rrsets.setdefault(rrset.key, rrset) != rrset:
                reason = f"{rrset.key.name} {rrset.key.type} is wanted in two ways by domains of this zone"
                raise RefusedError(reason, "Let one domain alone have this name.")
        for key, values in domain.owned.items():
            owned[key] = owned.get(key, frozenset()) | values
    return {key: (rrsets.get(key), owned.get(key, frozenset())) for key in sorted(rrsets.keys() | owned.keys())}


def _unknown_zone(zone: Name, configs: Sequence[Config]) -> RefusedError:
    where = ", ".join(config.path.name for config in configs)
    reason = f"no configuration ({where}) lists {zone}" if where else f"there is no zone file for {zone}"
    return RefusedError(reason, "Add the zone to the octoDNS configuration, with its zone file, and run again.")


def _strangers(out: Path) -> Iterator[str]:
    """What was not emitted here: paths relative to the folder, those of folders with a slash at the end."""
    for folder, folders, files in os.walk(out):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (f"{name}/" for name in folders if name.endswith("."))
        yield from (name for name in sorted(files) if not name.startswith(".") and not _is_marked(out / folder / name))


def _is_marked(path: Path) -> bool:
    return path.is_file() and new.MARK.encode() in path.read_bytes().partition(b"\n")[0]


def _with_zones(text: str, config: Config, zones: Sequence[Name]) -> str:
    """The emitted configuration with zones added to its end, proven by loading it again."""
    known = [block for block in config.zones.values() if isinstance(block, dict)]
    ours = next(
        (name for name, p in config.providers.items() if isinstance(p, dict) and p.get("class") == YAML_CLASS), None
    )
    live = known[-1]["targets"][0] if known and known[-1].get("targets") else None
    if ours and live:
        extended = text + "".join(new.zone_entry(zone, live, ours) for zone in zones)
        before, after = safe_load(text, enforce_order=False), safe_load(extended, enforce_order=False)
        entry = {"lenient": True, "sources": [live, ours], "targets": [live]}
        before["zones"].update(dict.fromkeys(zones, entry))
        if before == after:
            return extended
    detail = "Put `zones` at its end with one zone a block, or emit into an empty folder."
    summary = "the zones cannot be added to the configuration that was emitted here and edited since"
    raise EmitError([error("octodns-config", summary, detail, file=str(config.path))])
