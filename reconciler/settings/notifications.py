"""Who is told what by notifications, as people write it. The URL of an endpoint stands in the environment alone."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from reconciler.settings.fields import check_text
from reconciler.settings.values import EVENT_WORDS, EndpointSettings, NotificationSettings
from reconciler.wording import choice_detail, shown
from reconciler.yaml_models import Listed, YamlModel, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

# as in `reconciler.drift`, which stands above the settings
SeverityWord = Literal["critical", "high", "medium", "low", "info"]

_VARIABLE_PATTERN = r"env/([A-Za-z_][A-Za-z0-9_]*)"
_VARIABLE = re.compile(_VARIABLE_PATTERN, re.ASCII)
_YEAR_HOURS = 8760


def _check_url(value: object) -> str:
    """Where an endpoint's URL is: `env/NAME`. No message repeats what is written instead."""
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        detail = (
            "Put the Apprise URL into an environment variable, as a secret of the CI, and write env/ and its name, as "
            "in: env/TEAMS_URL. A URL that stood here was readable for everybody: make a new one at its service."
        )
        raise refusal("notification-url", "the endpoint's url is not the name of an environment variable", detail)
    return value


def _check_list(value: object) -> object:
    if isinstance(value, str):
        detail = "Write a list: [{url: env/TEAMS_URL, on: [drift-opened]}]."
        raise refusal("wrong-type", "`endpoints` must be a list, and is a single value", detail)
    return value


def _check_event(value: str) -> str:
    if value not in EVENT_WORDS:
        raise refusal("wrong-value", f"`on` cannot have {shown(value)}", choice_detail(value, EVENT_WORDS))
    return value


def _check_events(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        detail = f"Write one or more of: {', '.join(EVENT_WORDS)}; or remove the endpoint."
        raise refusal("wrong-value", "`on` is empty: nothing would be told", detail)
    return value


_Event = Annotated[str, AfterValidator(_check_event), WithJsonSchema({"type": "string", "enum": list(EVENT_WORDS)})]


class EndpointModel(YamlModel):
    """One endpoint."""

    model_config = ConfigDict(title="endpoint")
    url: Annotated[
        str, BeforeValidator(_check_url), WithJsonSchema({"type": "string", "pattern": f"^{_VARIABLE_PATTERN}$"})
    ] = Field(title="URL", description="env/NAME: the environment variable that holds the Apprise URL.")
    on: Annotated[Listed[_Event], AfterValidator(_check_events)] = Field(
        title="On", description="What is told.", json_schema_extra={"minItems": 1}
    )
    severity: SeverityWord = Field(
        title="Severity", description="Drift of this severity or a worse one is told.", default="high"
    )
    organizations: Listed[Annotated[str, AfterValidator(check_text)]] = Field(
        title="Organizations", description="Of these organizations alone; left out, of all.", default=()
    )


class NotificationsModel(YamlModel):
    """Notifications to people."""

    model_config = ConfigDict(title="notifications")
    hold_hours: float = Field(
        title="Hold", description="A step that is held for longer is told; hours.", default=24, ge=0, le=_YEAR_HOURS
    )
    per_run: int = Field(
        title="Per run",
        description="Messages that one run sends to one endpoint; the last one counts the rest.",
        default=20,
        ge=1,
        le=1000,
    )
    endpoints: Annotated[Listed[EndpointModel], BeforeValidator(_check_list)] = Field(
        title="Endpoints", description="Who is told what.", default=()
    )


def closed_without_opened(model: NotificationsModel) -> Iterator[int]:
    """The endpoints, by their place, that shall be told that drift closed and never that it opened."""
    opened = {e.url for e in model.endpoints if "drift-opened" in e.on}
    yield from (i for i, e in enumerate(model.endpoints) if "drift-closed" in e.on and e.url not in opened)


def build_notifications(model: NotificationsModel) -> NotificationSettings:
    """As the program reads it."""
    return NotificationSettings(
        endpoints=tuple(
            EndpointSettings(e.url.removeprefix("env/"), frozenset(e.on), e.severity, frozenset(e.organizations))
            for e in model.endpoints
        ),
        hold=timedelta(hours=model.hold_hours),
        per_run=model.per_run,
    )
