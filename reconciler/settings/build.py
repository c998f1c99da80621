"""From the octets of a settings file to the settings, with every error at its place."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reconciler.errors import Diagnostic, SettingsError, Severity
from reconciler.history import Waits
from reconciler.limits import FreezeWindow, Limits
from reconciler.names import canonical_name
from reconciler.settings import plain
from reconciler.settings.contradictions import contradictions
from reconciler.settings.values import (
    DnsSettings,
    EndpointSettings,
    JournalSettings,
    LockSettings,
    NotificationSettings,
    ProbeSettings,
    Settings,
    ZonefileSettings,
)
from reconciler.strict_yaml import load_yaml
from reconciler.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.settings.file import LockModel, SettingsModel, WaitsModel
    from reconciler.settings.looking import ObserveModel, ProbesModel
    from reconciler.settings.notifications import NotificationsModel
    from reconciler.strict_yaml import Document
    from reconciler.tables import Table


def read_settings(octets: bytes, path: Path) -> Settings:
    """The settings in a file's octets.

    Raises:
        SettingsError: they have errors; every error, with its place.

    """
    model = _model_of(load_yaml(octets, str(path)))
    if model.providers or model.secret_handlers:
        _require_alike(model, octets, str(path))
    return _build(model, path.parent, octets)


def _model_of(document: Document) -> SettingsModel:
    """The model of the settings, or what stands in for it where nothing is wrong with them."""
    model = None if document.diagnostics else plain.read_plain_settings(document.data)
    if model is None or any(contradictions(model)):
        from reconciler.settings.modelled import read_modelled  # noqa: PLC0415 - the models, which few settings need

        return read_modelled(document)
    return model


def _require_alike(model: SettingsModel, octets: bytes, file: str) -> None:
    """Raise SettingsError when octoDNS reads the blocks otherwise than they are read here."""
    from reconciler.settings.dialects import are_surely_alike  # noqa: PLC0415 - patterns that take time to compile

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
    # of a section that is not there, the table has the defaults
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
        journal=JournalSettings(**_given(model.journal, plain.JOURNAL)),
        lock=_lock(model.lock or plain.LOCK({})),
        waits=_waits(model.waits or plain.WAITS_TABLE({})),
        probes=_probes(model.probes, folder),
        limits=Limits(**_given(model.limits, plain.LIMITS_TABLE)),
        freeze=tuple(FreezeWindow(w.from_, w.until, w.reason) for w in model.freeze),
        kill_switch=model.kill_switch,
        notifications=_notifications(model.notifications or plain.NOTIFICATIONS({})),
    )


def _observe(model: ObserveModel | None, folder: Path) -> DnsSettings | ZonefileSettings:
    if model is not None and model.zonefiles is not None:
        return ZonefileSettings(folder / model.zonefiles.directory, model.zonefiles.extension)
    return DnsSettings() if model is None or model.dns is None else DnsSettings(**_given(model.dns, plain.DNS))


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


def _probes(model: ProbesModel | None, folder: Path) -> ProbeSettings:
    given = {key: value for key, value in _given(model, plain.PROBES).items() if value is not None}
    given["cache_age"] = timedelta(minutes=given.pop("cache_minutes"))
    for key in ("ca_file", "cache"):
        if key in given:
            given[key] = folder / given[key]
    if "reference_host" in given:
        given["reference_host"] = canonical_name(given["reference_host"])
    return ProbeSettings(**given)


def _notifications(model: NotificationsModel) -> NotificationSettings:
    return NotificationSettings(
        endpoints=tuple(
            EndpointSettings(e.url.removeprefix("env/"), frozenset(e.on), e.severity, frozenset(e.organizations))
            for e in model.endpoints
        ),
        hold=timedelta(hours=model.hold_hours),
        per_run=model.per_run,
    )


def _given(model: object | None, table: Table) -> dict[str, Any]:
    """The value of each key of a section, or the default."""
    section = table({}) if model is None else model
    return {key: getattr(section, key) for key in table.takes}
