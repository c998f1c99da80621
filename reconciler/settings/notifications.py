"""Who is told what by notifications, as people write it. The URL of an endpoint stands in the environment alone."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from reconciler.settings.fields import YEAR_HOURS, check_text
from reconciler.settings.notification_fields import (
    VARIABLE_PATTERN,
    check_endpoints,
    check_event,
    check_events,
    check_url,
)
from reconciler.settings.values import EVENT_WORDS, SeverityWord
from reconciler.yaml_models import Listed, YamlModel

_Event = Annotated[str, AfterValidator(check_event), WithJsonSchema({"type": "string", "enum": list(EVENT_WORDS)})]


class EndpointModel(YamlModel):
    """One endpoint."""

    model_config = ConfigDict(title="endpoint")
    url: Annotated[
        str, BeforeValidator(check_url), WithJsonSchema({"type": "string", "pattern": f"^{VARIABLE_PATTERN}$"})
    ] = Field(title="URL", description="env/NAME: the environment variable that holds the Apprise URL.")
    on: Annotated[Listed[_Event], AfterValidator(check_events)] = Field(
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
        title="Hold", description="A step that is held for longer is told; hours.", default=24, ge=0, le=YEAR_HOURS
    )
    per_run: int = Field(
        title="Per run",
        description="Messages that one run sends to one endpoint; the last one counts the rest.",
        default=20,
        ge=1,
        le=1000,
    )
    endpoints: Annotated[Listed[EndpointModel], BeforeValidator(check_endpoints)] = Field(
        title="Endpoints", description="Who is told what.", default=()
    )
