"""What single fields of the settings cannot say: values of several that do not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.wording import choice_detail, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.settings.file import SettingsModel
    from reconciler.settings.notifications import NotificationsModel
    from reconciler.strict_yaml import Loc

    _Problem: TypeAlias = tuple[str, str, str, Loc]
    """Code, summary, detail, and the place."""


def contradictions(model: SettingsModel) -> Iterator[_Problem]:
    """Everything that contradicts itself, in the model or in what stands in for it."""
    yield from _observe_problems(model)
    yield from _provider_problems(model)
    yield from _other_problems(model)


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
    for index in _closed_without_opened(model.notifications):
        detail = "Add drift-opened to `on`, or remove drift-closed: only who was told of a finding is told of its end."
        summary = "drift-closed is told to nobody whom nothing tells of drift-opened"
        yield "notification-events", summary, detail, ("notifications", "endpoints", index, "on")


def _closed_without_opened(model: NotificationsModel | None) -> Iterator[int]:
    """The endpoints, by their place, that shall be told that drift closed and never that it opened."""
    endpoints = () if model is None else model.endpoints
    opened = {e.url for e in endpoints if "drift-opened" in e.on}
    yield from (i for i, e in enumerate(endpoints) if "drift-closed" in e.on and e.url not in opened)
