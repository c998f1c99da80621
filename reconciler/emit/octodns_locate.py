"""Where a zone's YAML lives in an octoDNS repository: its configurations, their YamlProviders, plain and split files.

Directories are looked for from the repository's root, where octoDNS is run, and from the configuration's own folder.
What is ambiguous is refused, never guessed.
"""

from __future__ import annotations

import contextlib
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
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.names import Name

YAML_CLASS = "octodns.provider.yaml.YamlProvider"
_SPLIT_CLASS = "octodns.provider.yaml.SplitYamlProvider"
_LOOKS_LIKE_CONFIG = (re.compile(r"^providers\s*:", re.MULTILINE), re.compile(r"^zones\s*:", re.MULTILINE))
_NAME_IT = "Put the zone's records into one place, or edit this zone by hand."


@dataclass(frozen=True, slots=True)
class Config:
    """One octoDNS configuration as octoDNS loads it; `zones` by their encoded names, `dynamic` those with a `*`."""

    path: Path
    providers: Mapping[str, Any]
    zones: Mapping[str, Any]
    dynamic: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ZoneFiles:
    """The YAML of one zone at one YamlProvider.

    `plain` is `<zone>.yaml`, `split` the zone's own directory; each None where it is not there. `shared` is a file
    whose records go into every zone of the provider.
    """

    options: YamlOptions
    plain: Path | None = None
    split: Path | None = None
    shared: Path | None = None
    split_catchall: bool = True

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
    if not isinstance(data, dict):
        return None
    providers, zones = data.get("providers"), data.get("zones") or {}
    if not isinstance(providers, dict) or not isinstance(zones, dict):
        raise _config_error(path, "its `providers` and `zones` are not mappings")
    named = {name: block for name, block in zones.items() if not str(name).startswith("*")}
    try:
        encoded = {encoded_name(name): block for name, block in named.items()}
    except RefusedError as exc:
        raise _config_error(path, exc.reason) from exc
    return Config(path, providers, encoded, tuple(block for name, block in zones.items() if name not in named))


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
    blocks = [(config, block) for config in configs if (block := _zone_block(config, zone)) is not None]
    if not blocks:
        return None
    found = [files for config, block in blocks for files in _files_of_block(root, config, block, zone)]
    if not found:
        reason = f"there is no YAML file for {zone} in the directories of its YamlProviders"
        raise RefusedError(reason, "Create it, for example with octodns-dump, and run again.")
    return single_place(zone, found)


def single_place(zone: Name, found: Sequence[ZoneFiles]) -> ZoneFiles:
    """The one place of a zone's records.

    Raises:
        RefusedError: there are several, or one that is read in several ways.

    """
    different = dict.fromkeys(found)
    if len(different) > 1:
        places = ", ".join(sorted({str(path) for files in different for path in (files.plain, files.split) if path}))
        reason = f"the records of {zone} are in several places, or read in several ways: {places}"
        raise RefusedError(reason, _NAME_IT)
    return found[0]


def _zone_block(config: Config, zone: Name) -> Mapping[str, Any] | None:
    if zone in config.zones:
        return _checked_block(config, zone, config.zones[zone])
    for block in config.dynamic:
        # octoDNS takes every zone that a source lists and that no other entry names
        if isinstance(block, dict) and _is_match(config, block, zone):
            return _checked_block(config, zone, block)
    return None


def _is_match(config: Config, block: Mapping[str, Any], zone: Name) -> bool:
    if "glob" in block:
        return fnmatch(zone, str(block["glob"]))
    try:
        return bool(re.search(str(block.get("regex", "")), zone))
    except re.error as exc:
        reason = f"a regex in the configuration is none: {exc}"
        raise RefusedError(reason, "Correct it.", file=str(config.path)) from exc


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
                options=_options(config, provider),
                plain=plain,
                split=split,
                shared=folder / shared if shared else None,
                split_catchall=bool(provider.get("split_catchall", True)),
            )


def _options(config: Config, provider: Mapping[str, Any]) -> YamlOptions:
    escaped = provider.get("escaped_semicolons")
    default_ttl, order_mode = provider.get("default_ttl", 3600), provider.get("order_mode", "natural")
    if not isinstance(default_ttl, int) or order_mode not in {"natural", "simple"}:
        reason = "a YamlProvider's default_ttl or order_mode is none that octoDNS takes, or not written out"
        raise RefusedError(reason, "Write the value itself.", file=str(config.path))
    return YamlOptions(
        default_ttl=default_ttl,
        enforce_order=bool(provider.get("enforce_order", True)),
        order_mode=order_mode,
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


def zone_files_without_config(root: Path) -> dict[str, list[ZoneFiles]]:
    """Files and folders named as octoDNS names a zone's, anywhere below the root, by that zone's encoded name.

    Without a configuration all that is known of how they are read is octoDNS's defaults.
    """
    found: dict[str, list[ZoneFiles]] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        plain = [(f[: -len("yaml")], ZoneFiles(YamlOptions(), root / folder / f)) for f in files if f.endswith(".yaml")]
        split = [(f, ZoneFiles(YamlOptions(), None, root / folder / f)) for f in folders if f.endswith(".")]
        for name, zone_files in plain + split:
            with contextlib.suppress(RefusedError):  # a name that octoDNS cannot encode is no zone's
                found.setdefault(encoded_name(name), []).append(zone_files)
    return found
