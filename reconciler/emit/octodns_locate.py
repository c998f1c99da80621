"""Where a zone's YAML lives in an octoDNS repository: its configurations, their YamlProviders, plain and split files.

Directories are looked for from the repository's root, where octoDNS is run, and from the configuration's own folder.
What is ambiguous is refused, never guessed.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from octodns.idna import idna_decode
from octodns.yaml import safe_load
from yaml import YAMLError

from reconciler.emit.octodns_proof import YamlOptions
from reconciler.emit.octodns_values import RefusedError, encoded_name
from reconciler.errors import EmitError, error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reconciler.names import Name

YAML_CLASS = "octodns.provider.yaml.YamlProvider"
_SPLIT_CLASS = "octodns.provider.yaml.SplitYamlProvider"
_LOOKS_LIKE_CONFIG = (re.compile(r"^providers\s*:", re.MULTILINE), re.compile(r"^zones\s*:", re.MULTILINE))
_NAME_IT = "Put the zone's records into one place, or edit this zone by hand."


@dataclass(frozen=True, slots=True)
class Config:
    """One octoDNS configuration: its file, its text as loaded by octoDNS."""

    path: Path
    providers: Mapping[str, Any]
    zones: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ZoneFiles:
    """The YAML of one zone at one YamlProvider.

    `plain` is `<zone>.yaml`, `split` the zone's own directory; each None where it is not there. `shared` is a file
    whose records go into every zone of the provider.
    """

    options: YamlOptions
    plain: Path | None
    split: Path | None
    shared: Path | None
    split_catchall: bool

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that holds records of this zone alone."""
        plain = (self.plain,) if self.plain else ()
        return plain + (tuple(sorted(self.split.glob("*.yaml"))) if self.split else ())


def load_configs(root: Path) -> list[Config]:
    """Every octoDNS configuration in a repository's root or one folder below it.

    Raises:
        EmitError: a file that looks like one cannot be loaded.

    """
    candidates = sorted(
        {p for pattern in ("*.yaml", "*.yml", "[!.]*/*.yaml", "[!.]*/*.yml") for p in root.glob(pattern)}
    )
    return [config for path in candidates if path.is_file() and (config := _config(path))]


def _config(path: Path) -> Config | None:
    try:
        # a zone file may hold anything: it is refused alone, later
        text = path.read_bytes().decode("utf-8", errors="replace")
        if not all(pattern.search(text) for pattern in _LOOKS_LIKE_CONFIG):
            return None
        with path.open(encoding="utf-8") as stream:
            data = safe_load(stream, enforce_order=False)
    except (OSError, UnicodeDecodeError, YAMLError) as exc:
        raise _config_error(path, " ".join(str(exc).split())) from exc
    providers, zones = data.get("providers"), data.get("zones")
    if not isinstance(providers, dict) or not isinstance(zones, dict | None):
        raise _config_error(path, "its `providers` and `zones` are not mappings")
    return Config(path, providers, zones or {})


def _config_error(path: Path, reason: str) -> EmitError:
    detail = "Correct the file, or emit into an empty folder."
    return EmitError(
        [error("octodns-config", f"the octoDNS configuration cannot be used: {reason}", detail, file=str(path))]
    )


def locate_zone(root: Path, configs: list[Config], zone: Name) -> ZoneFiles | None:
    """Where the zone's YAML lives; None where no configuration knows the zone.

    Raises:
        RefusedError: there are several places, or none, or it cannot be told.

    """
    found: dict[tuple[Path | None, Path | None], ZoneFiles] = {}
    is_known = False
    for config in configs:
        block = _zone_block(config, zone)
        if block is None:
            continue
        is_known = True
        for files in _files_of_block(root, config, block, zone):
            found[files.plain, files.split] = files
    if not configs:
        found = {(f.plain, f.split): f for f in _files_without_config(root, zone)}
        is_known = bool(found)
    if not is_known:
        return None
    if len(found) > 1:
        places = ", ".join(sorted(str(p) for pair in found for p in pair if p))
        raise RefusedError(f"the records of {zone} are in several places: {places}", _NAME_IT)  # noqa: EM102
    if not found:
        reason = f"there is no YAML file for {zone} in the directories of its YamlProviders"
        raise RefusedError(reason, "Create it, for example with octodns-dump, and run again.")
    return next(iter(found.values()))


def _zone_block(config: Config, zone: Name) -> Mapping[str, Any] | None:
    for name, block in config.zones.items():
        if not str(name).startswith("*") and encoded_name(name) == zone:
            return _checked_block(config, zone, block)
    for name, block in config.zones.items():
        # octoDNS takes every zone that a source lists and that no other entry names
        if str(name).startswith("*") and isinstance(block, dict) and _is_match(block, zone):
            return _checked_block(config, zone, block)
    return None


def _is_match(block: Mapping[str, Any], zone: Name) -> bool:
    if "glob" in block:
        return fnmatch(zone, str(block["glob"]))
    return bool(re.search(str(block.get("regex", "")), zone))


def _checked_block(config: Config, zone: Name, block: object) -> Mapping[str, Any]:
    if not isinstance(block, dict):
        raise RefusedError(f"{zone} has no settings", "Give it sources and targets.", file=str(config.path))  # noqa: EM102
    if "alias" in block:
        reason = f"{zone} is an alias of {block['alias']} and has no records of its own"
        raise RefusedError(reason, "Give it sources of its own.", file=str(config.path))
    return block


def _files_of_block(root: Path, config: Config, block: Mapping[str, Any], zone: Name) -> Iterator[ZoneFiles]:
    sources = block.get("sources")
    for source in sources if isinstance(sources, list) else []:
        provider = config.providers.get(source)
        if isinstance(provider, dict) and provider.get("class") in {YAML_CLASS, _SPLIT_CLASS}:
            yield from _files_of_provider(root, config, provider, zone)


def _files_of_provider(root: Path, config: Config, provider: Mapping[str, Any], zone: Name) -> Iterator[ZoneFiles]:
    directory = provider.get("directory")
    if not isinstance(directory, str) or directory.startswith("env/"):
        reason = "the directory of a YamlProvider is not written in the configuration"
        raise RefusedError(reason, "Write the directory itself.", file=str(config.path))
    is_split_class = provider.get("class") == _SPLIT_CLASS
    extension = provider.get("extension", ".") if is_split_class else provider.get("split_extension")
    has_plain = not (is_split_class or provider.get("disable_zonefile"))
    shared = provider.get("shared_filename")
    for folder in dict.fromkeys(((root / directory).resolve(), (config.path.parent / directory).resolve())):
        plain = _first(folder / f"{name}yaml" for name in _spellings(zone)) if has_plain else None
        split = _first(folder / f"{name[:-1]}{extension}" for name in _spellings(zone)) if extension else None
        if plain or split:
            yield ZoneFiles(
                options=_options(provider),
                plain=plain,
                split=split,
                shared=folder / shared if shared else None,
                split_catchall=bool(provider.get("split_catchall", True)),
            )


def _options(provider: Mapping[str, Any]) -> YamlOptions:
    escaped = provider.get("escaped_semicolons")
    return YamlOptions(
        default_ttl=int(provider.get("default_ttl", 3600)),
        enforce_order=bool(provider.get("enforce_order", True)),
        order_mode=str(provider.get("order_mode", "natural")),
        escaped_semicolons=True if escaped is None else bool(escaped),
    )


def _spellings(zone: Name) -> list[str]:
    return list(dict.fromkeys((str(idna_decode(zone)), str(zone))))


def _first(paths: Iterator[Path]) -> Path | None:
    there = [path for path in paths if path.exists()]
    if len(there) > 1:
        reason = f"both {there[0].name} and {there[1].name} exist"
        raise RefusedError(reason, "Keep one of them.", file=str(there[0]))
    return there[0] if there else None


def _files_without_config(root: Path, zone: Name) -> Iterator[ZoneFiles]:
    """Files named as octoDNS names them, anywhere below the root: all that is known is octoDNS's defaults."""
    plain_names = {f"{name}yaml" for name in _spellings(zone)}
    split_names = set(_spellings(zone))
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(plain_names & set(files)):
            yield ZoneFiles(YamlOptions(), root.joinpath(folder, name), None, None, split_catchall=True)
        for name in sorted(split_names & set(folders)):
            yield ZoneFiles(YamlOptions(), None, root.joinpath(folder, name), None, split_catchall=True)
