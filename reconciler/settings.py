"""The settings file: how to observe, which providers write, where things lie. Read once; secrets stay unresolved."""

import hashlib
import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from reconciler.errors import Diagnostic, SettingsError, Severity, error
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.names import InvalidNameError, canonical_name
from reconciler.strict_yaml import MAX_OCTETS, Document, Loc, load_yaml
from reconciler.yaml_models import (
    EditorSchema,
    Listed,
    Optional,
    YamlModel,
    choice_detail,
    read_settings_model,
    refusal,
    shown,
)

DNS_PORT = 53
MAX_PORT = 65535

Server = tuple[str, int]


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """Observing live DNS.

    Servers are (host, port). No `servers`: each zone's own authoritative servers; no `resolvers`: the system's.
    `timeout` is in seconds, for one attempt.
    """

    servers: tuple[Server, ...] = ()
    resolvers: tuple[Server, ...] = ()
    timeout: float = 2.0
    attempts: int = 3
    in_flight: int = 200


@dataclass(frozen=True, slots=True)
class ZonefileSettings:
    """Observing master files: a zone's file is `directory / f"{zone}{extension}"`."""

    directory: Path
    extension: str = ".zone"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, defaults filled in, paths relative to the settings file's folder made so.

    `directory` is the settings file's folder. `providers` and `secret_handlers` are octoDNS's own blocks, word for
    word, by name. `digest` is `sha256:` over the file's octets; over nothing where there is no file.
    """

    observe: DnsSettings | ZonefileSettings
    default_provider: str
    providers: Mapping[str, Mapping[str, object]] = field(repr=False)
    secret_handlers: Mapping[str, Mapping[str, object]] = field(repr=False)
    catalog: Path | None
    templates: Path | None
    plan_expires_hours: int
    new_rrset_ttl: int
    state_directory: Path
    export_max_age_hours: int
    directory: Path
    digest: str


def _server(value: str) -> Server:
    """`host`, `host:port`, `address` or `[IPv6 address]:port`."""
    try:
        return str(ipaddress.ip_address(value)), DNS_PORT
    except ValueError:
        host, colon, port = value.rpartition(":") if not value.endswith("]") else (value, "", "")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= len(str(MAX_PORT)) else 0
    host, number = (host, number) if colon else (value, DNS_PORT)
    return _server_host(host, value), _require_port(number, value)


def _server_host(host: str, written: str) -> str:
    detail = 'Write a host or address, with a port or without: "127.0.0.1:5300", "[::1]:53".'
    try:
        if host.startswith("[") and host.endswith("]"):
            return str(ipaddress.IPv6Address(host[1:-1]))
        if host.replace(".", "").isdigit():
            return str(ipaddress.IPv4Address(host))
        canonical_name(host)
    except (InvalidNameError, ipaddress.AddressValueError) as exc:
        raise refusal("server", f"{shown(written)} is no server: {exc}", detail) from exc
    return host


def _require_port(number: int, written: str) -> int:
    if not 1 <= number <= MAX_PORT:
        raise refusal("server", f"{shown(written)} has no port", f"Write a port from 1 to {MAX_PORT}.")
    return number


def _extension(value: str) -> str:
    if not value.isprintable() or "/" in value or value in {".", ".."}:
        raise refusal("extension", f"{shown(value)} is no file name extension", "Write it as in: .zone.")
    return value


def _path(value: str) -> str:
    if not value or not value.isprintable():
        raise refusal("path", "the path is empty or has control characters", "Write a path.")
    return value


def _directory_alone(value: object) -> object:
    return {"directory": value} if isinstance(value, str) else value


_ServerText = Annotated[str, AfterValidator(_server)]
_PathText = Annotated[str, AfterValidator(_path)]


class _Dns(YamlModel):
    """Live DNS."""

    model_config = ConfigDict(title="dns")
    servers: Listed[_ServerText] = Field(
        title="Servers",
        description="Servers to ask for every zone (a lab, a hidden primary, split horizon), as host, host:port or "
        "[IPv6 address]:port; left out, each zone's own authoritative servers.",
        default=(),
    )
    resolvers: Listed[_ServerText] = Field(
        title="Resolvers", description="Resolvers that find the zones; left out, the system's.", default=()
    )
    timeout: float = Field(title="Timeout", description="Seconds for one attempt.", default=2.0, ge=0.05, le=60)
    attempts: int = Field(title="Attempts", description="Attempts at one server.", default=3, ge=1, le=10)
    in_flight: int = Field(title="In flight", description="Questions asked at once.", default=200, ge=1, le=10000)


class _Zonefiles(YamlModel):
    """Master files."""

    model_config = ConfigDict(title="zonefiles")
    directory: _PathText = Field(title="Directory", description="The directory of the master files.")
    extension: Annotated[str, AfterValidator(_extension)] = Field(
        title="Extension", description="What follows the zone's name in a file's name.", default=".zone"
    )


class _Observe(YamlModel):
    """Where DNS is observed: one of the two."""

    model_config = ConfigDict(title="observe")
    dns: Optional[_Dns] = Field(title="DNS", description="Live DNS (the default).", default=None)
    zonefiles: Annotated[Optional[_Zonefiles], BeforeValidator(_directory_alone)] = Field(
        title="Zone files", description="Master files: their directory, or directory and extension.", default=None
    )


class _SettingsFile(YamlModel):
    """What belongs to a repository of manifests beside the manifests."""

    model_config = ConfigDict(title="settings")
    observe: Optional[_Observe] = Field(title="Observe", description="Where DNS is observed.", default=None)
    default_provider: str = Field(
        title="Default provider",
        description=f"The provider of domains that name none: one of `providers`, or `{MANUAL_PROVIDER}`.",
        default=MANUAL_PROVIDER,
    )
    providers: dict[str, dict[str, Any]] = Field(
        title="Providers",
        description="octoDNS provider blocks by name, word for word as in an octoDNS configuration.",
        default={},
    )
    secret_handlers: dict[str, dict[str, Any]] = Field(
        title="Secret handlers", description="octoDNS secret handler blocks by name.", default={}
    )
    catalog: Optional[_PathText] = Field(
        title="Catalog", description="Another catalog of the gateway's facts than the shipped one.", default=None
    )
    templates: Optional[_PathText] = Field(
        title="Templates", description="A directory whose templates replace the shipped ones by name.", default=None
    )
    plan_expires_hours: int = Field(
        title="Plan expires", description="Hours for which a saved plan may be applied.", default=24, ge=1, le=8760
    )
    new_rrset_ttl: int = Field(
        title="New rrset TTL", description="Seconds, for rrsets that are created.", default=3600, ge=60, le=604800
    )
    state_directory: _PathText = Field(
        title="State directory", description="Where the program keeps what it must remember.", default=".reconciler"
    )
    export_max_age_hours: int = Field(
        title="Export age", description="Hours after which an origin's export is unknown.", default=168, ge=1, le=8760
    )


def load_settings(path: Path, *, required: bool) -> Settings:
    """The settings in a file; the defaults when there is none and it is not `required`.

    Raises:
        SettingsError: it is missing, cannot be read, or has errors; every error, with its place.

    """
    try:
        with path.open("rb") as stream:
            octets = stream.read(MAX_OCTETS + 1)
    except FileNotFoundError as exc:
        if required:
            detail = "Create it, or name another with --settings."
            raise SettingsError([error("settings-missing", "there is no such file", detail, file=str(path))]) from exc
        return _build(_SettingsFile(), path.parent, b"")
    except OSError as exc:
        summary = f"the settings cannot be read: {exc.strerror}"
        detail = "Make it readable, or name another with --settings."
        raise SettingsError([error("settings-unreadable", summary, detail, file=str(path))]) from exc
    model = read_settings_model(_SettingsFile, load_yaml(octets, str(path)), _contradictions)
    if (model.providers or model.secret_handlers) and (found := list(_ambiguous(model, octets, str(path)))):
        raise SettingsError(found)
    return _build(model, path.parent, octets)


def settings_schema() -> dict[str, Any]:
    """The JSON Schema of the settings file, for editors."""
    schema = _SettingsFile.model_json_schema(schema_generator=EditorSchema)
    short = {"type": "string", "description": "The directory of the master files."}
    zonefiles = schema["$defs"]["_Observe"]["properties"]["zonefiles"]
    zonefiles["anyOf"] = [short, {"$ref": zonefiles.pop("$ref")}]
    return {"$schema": EditorSchema.schema_dialect, **schema}


def _contradictions(model: _SettingsFile, document: Document) -> list[Diagnostic]:
    found = []

    def refuse(code: str, summary: str, detail: str, loc: Loc) -> None:
        place = document.position(loc, at_key=True)
        found.append(Diagnostic(Severity.ERROR, code, summary, detail, document.file, *place))

    if model.observe is not None and model.observe.dns is not None and model.observe.zonefiles is not None:
        refuse("observe", "dns and zonefiles stand side by side", "Keep one of the two.", ("observe", "zonefiles"))
    if MANUAL_PROVIDER in model.providers:
        detail = "Rename it: this name stands for zones that a person edits by instructions."
        refuse("provider-name", f"no provider can be named {MANUAL_PROVIDER}", detail, ("providers", MANUAL_PROVIDER))
    for kind in ("providers", "secret_handlers"):
        for name, block in getattr(model, kind).items():
            if not isinstance(block.get("class"), str):
                detail = "Add class with the octoDNS class's whole name, as in octodns_bind.Rfc2136Provider."
                refuse("provider-class", f"the block {shown(name)} names no class", detail, (kind, name))
    known = (MANUAL_PROVIDER, *model.providers)
    if model.default_provider not in known:
        summary = f"there is no provider {shown(model.default_provider)}"
        refuse("default-provider", summary, choice_detail(model.default_provider, known), ("default_provider",))
    return found


def _ambiguous(model: _SettingsFile, octets: bytes, file: str) -> Iterator[Diagnostic]:
    from reconciler.yaml_dialects import find_ambiguous  # noqa: PLC0415 - 20 ms that settings without blocks save

    blocks = {"providers": model.providers, "secret_handlers": model.secret_handlers}
    for path, line, column in find_ambiguous(octets, blocks, tuple(blocks)):
        what = f"`{path[-1]}` of {shown(path[1])} is one thing" if path else "this is nothing that can be read"
        summary = f"{what} to octoDNS, which reads YAML 1.1, and another in 1.2"  # the value may be a secret
        detail = "Write true or false for yes, no, on, off; a plain decimal number; a text in quotes; spaces, no tabs."
        yield Diagnostic(Severity.ERROR, "yaml-dialect", summary, detail, file, line, column)


def _build(model: _SettingsFile, folder: Path, octets: bytes) -> Settings:
    return Settings(
        observe=_observe(model.observe, folder),
        default_provider=model.default_provider,
        providers=model.providers,
        secret_handlers=model.secret_handlers,
        catalog=None if model.catalog is None else folder / model.catalog,
        templates=None if model.templates is None else folder / model.templates,
        plan_expires_hours=model.plan_expires_hours,
        new_rrset_ttl=model.new_rrset_ttl,
        state_directory=folder / model.state_directory,
        export_max_age_hours=model.export_max_age_hours,
        directory=folder,
        digest=f"sha256:{hashlib.sha256(octets).hexdigest()}",
    )


def _observe(model: _Observe | None, folder: Path) -> DnsSettings | ZonefileSettings:
    if model is not None and model.zonefiles is not None:
        return ZonefileSettings(folder / model.zonefiles.directory, model.zonefiles.extension)
    return DnsSettings() if model is None or model.dns is None else DnsSettings(**dict(model.dns))
