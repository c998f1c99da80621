"""From the octets of a settings file to the settings, with every error at its place."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reconciler.errors import Diagnostic, SettingsError, Severity
from reconciler.history import Waits
from reconciler.limits import FreezeWindow, Limits
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.names import canonical_name
from reconciler.settings.dialects import are_surely_alike
from reconciler.settings.file import (
    JournalModel,
    LimitsModel,
    LockModel,
    SettingsModel,
    WaitsModel,
)
from reconciler.settings.looking import ObserveModel, ProbesModel
from reconciler.settings.notifications import NotificationsModel, build_notifications, closed_without_opened
from reconciler.settings.values import (
    DnsSettings,
    JournalSettings,
    LockSettings,
    ProbeSettings,
    Settings,
    ZonefileSettings,
)
from reconciler.strict_yaml import Document, Loc, load_yaml
from reconciler.wording import choice_detail, shown
from reconciler.yaml_models import EditorSchema, read_settings_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_Problem = tuple[str, str, str, Loc]
"""Code, summary, detail, and the place."""


def read_settings(octets: bytes, path: Path) -> Settings:
    """The settings in a file's octets.

    Raises:
        SettingsError: they have errors; every error, with its place.

    """
    model = read_settings_model(SettingsModel, load_yaml(octets, str(path)), _contradictions)
    if model.providers or model.secret_handlers:
        _require_alike(model, octets, str(path))
    return _build(model, path.parent, octets)


def build_schema() -> dict[str, Any]:
    """The JSON Schema of the settings file, for editors."""
    schema = SettingsModel.model_json_schema(schema_generator=EditorSchema)
    places = (
        (schema["$defs"]["ObserveModel"]["properties"]["zonefiles"], "The directory of the master files."),
        (schema["properties"]["journal"], "An SQLAlchemy URL."),
    )
    for place, description in places:
        place["anyOf"] = [{"type": "string", "description": description}, {"$ref": place.pop("$ref")}]
    return {"$schema": EditorSchema.schema_dialect, **schema}


def _contradictions(model: SettingsModel, document: Document) -> list[Diagnostic]:
    found = []
    for code, summary, detail, loc in (*_observe_problems(model), *_provider_problems(model), *_other_problems(model)):
        place = document.position(loc, at_key=True)
        found.append(Diagnostic(Severity.ERROR, code, summary, detail, document.file, *place))
    return found


def _observe_problems(model: SettingsModel) -> Iterator[_Problem]:
    if model.observe is not None and model.observe.dns is not None and model.observe.zonefiles is not None:
        yield "observe", "dns and zonefiles stand side by side", "Keep one of the two.", ("observe", "zonefiles")


def _provider_problems(model: SettingsModel) -> Iterator[_Problem]:
    if MANUAL_PROVIDER in model.providers:
        detail = "Rename it: this name stands for zones that a person edits by instructions."
        yield "provider-name", f"no provider can be named {MANUAL_PROVIDER}", detail, ("providers", MANUAL_PROVIDER)
    for kind in ("providers", "secret_handlers"):
        for name, block in getattr(model, kind).items():
            if not isinstance(block.get("class"), str):
                detail = "Add class with the octoDNS class's whole name, as in octodns_bind.Rfc2136Provider."
                yield "provider-class", f"the block {shown(name)} names no class", detail, (kind, name)
    known = (MANUAL_PROVIDER, *model.providers)
    if model.default_provider not in known:
        summary = f"there is no provider {shown(model.default_provider)}"
        yield "default-provider", summary, choice_detail(model.default_provider, known), ("default_provider",)


def _other_problems(model: SettingsModel) -> Iterator[_Problem]:
    for index, window in enumerate(model.freeze):
        if window.from_ >= window.until:
            detail = "Write the earlier of the two at `from`."
            yield "freeze", "the freeze ends before it begins", detail, ("freeze", index, "until")
    if model.waits is not None and model.waits.restrict_hours > model.waits.restrict_hard_hours:
        summary = "others would be refused (5xx) before they are deferred (4xx)"
        yield "waits", summary, "Write no less at `restrict_hard_hours` than at `restrict_hours`.", ("waits",)
    if model.journal is not None and model.journal.password is not None and model.journal.url.startswith("sqlite:"):
        detail = "Remove `password`, or name a PostgreSQL database."
        yield "journal-password", "an SQLite file has no password", detail, ("journal", "password")
    for index in closed_without_opened(model.notifications or NotificationsModel.model_construct()):
        detail = "Add drift-opened to `on`, or remove drift-closed: only who was told of a finding is told of its end."
        summary = "drift-closed is told to nobody whom nothing tells of drift-opened"
        yield "notification-events", summary, detail, ("notifications", "endpoints", index, "on")


def _require_alike(model: SettingsModel, octets: bytes, file: str) -> None:
    """Raise SettingsError when octoDNS reads the blocks otherwise than they are read here."""
    if not are_surely_alike(octets) and (found := list(_ambiguous(model, octets, file))):
        raise SettingsError(found)


def _ambiguous(model: SettingsModel, octets: bytes, file: str) -> Iterator[Diagnostic]:
    from reconciler.yaml_dialects import find_ambiguous  # noqa: PLC0415 - see `dialects.py`: few settings need it

    blocks = {"providers": model.providers, "secret_handlers": model.secret_handlers}
    for path, line, column in find_ambiguous(octets, blocks, tuple(blocks)):
        what = f"`{path[-1]}` of {shown(path[1])} is one thing" if path else "this is nothing that can be read"
        summary = f"{what} to octoDNS, which reads YAML 1.1, and another in 1.2"  # the value may be a secret
        detail = "Write true or false for yes, no, on, off; a plain decimal number; a text in quotes; spaces, no tabs."
        yield Diagnostic(Severity.ERROR, "yaml-dialect", summary, detail, file, line, column)


def _build(model: SettingsModel, folder: Path, octets: bytes) -> Settings:
    # a section that is not there is constructed and not validated: that would build its validator first
    return Settings(
        observe=_observe(model.observe, folder),
        default_provider=model.default_provider,
        providers=model.providers,
        secret_handlers=model.secret_handlers,
        catalog=None if model.catalog is None else folder / model.catalog,
        templates=None if model.templates is None else folder / model.templates,
        plan_expires_hours=model.plan_expires_hours,
        reviewed_days=model.reviewed_days,
        new_rrset_ttl=model.new_rrset_ttl,
        state_directory=folder / model.state_directory,
        export_max_age_hours=model.export_max_age_hours,
        directory=folder,
        digest=f"sha256:{hashlib.sha256(octets).hexdigest()}",
        journal=JournalSettings(**dict(model.journal or JournalModel.model_construct())),
        lock=_lock(model.lock or LockModel.model_construct()),
        waits=_waits(model.waits or WaitsModel.model_construct()),
        probes=_probes(model.probes or ProbesModel.model_construct(), folder),
        limits=Limits(**dict(model.limits or LimitsModel.model_construct())),
        freeze=tuple(FreezeWindow(w.from_, w.until, w.reason) for w in model.freeze),
        kill_switch=model.kill_switch,
        notifications=build_notifications(model.notifications or NotificationsModel.model_construct()),
    )


def _observe(model: ObserveModel | None, folder: Path) -> DnsSettings | ZonefileSettings:
    if model is not None and model.zonefiles is not None:
        return ZonefileSettings(folder / model.zonefiles.directory, model.zonefiles.extension)
    return DnsSettings() if model is None or model.dns is None else DnsSettings(**dict(model.dns))


def _lock(model: LockModel) -> LockSettings:
    return LockSettings(timedelta(seconds=model.lease_seconds), timedelta(seconds=model.wait_seconds))


def _waits(model: WaitsModel) -> Waits:
    return Waits(
        settle=timedelta(minutes=model.settle_minutes),
        assumed_ttl=timedelta(hours=model.assumed_ttl_hours),
        absent_ttl=timedelta(hours=model.absent_ttl_hours),
        restrict=timedelta(hours=model.restrict_hours),
        restrict_hard=timedelta(hours=model.restrict_hard_hours),
        gap=timedelta(hours=model.gap_hours),
        support=timedelta(hours=model.support_hours),
    )


def _probes(model: ProbesModel, folder: Path) -> ProbeSettings:
    written = {key: value for key, value in dict(model).items() if value is not None}
    written["cache_age"] = timedelta(minutes=written.pop("cache_minutes"))
    for key in ("ca_file", "cache"):
        if key in written:
            written[key] = folder / written[key]
    if model.reference_host is not None:
        written["reference_host"] = canonical_name(model.reference_host)
    return ProbeSettings(**written)
