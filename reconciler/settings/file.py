"""The settings file as people write it. Titles and descriptions are what editors show."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from reconciler.history import DEFAULT_WAITS as WAITS
from reconciler.limits import DEFAULT_LIMITS as LIMITS
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.settings.fields import (
    HOUR,
    MINUTE,
    YEAR_HOURS,
    check_text,
    read_kill_switch,
    window_end,
    window_start,
)
from reconciler.settings.journal_fields import check_journal_url, check_password
from reconciler.settings.looking import ObserveModel, PathText, ProbesModel, alone
from reconciler.settings.notifications import NotificationsModel
from reconciler.settings.values import (
    EXPORT_MAX_AGE_HOURS,
    JOURNAL_URL,
    NEW_RRSET_TTL,
    PLAN_EXPIRES_HOURS,
    STATE_DIRECTORY,
)
from reconciler.yaml_models import Listed, Optional, YamlModel

_Hours = Annotated[float, Field(ge=0, le=YEAR_HOURS)]
_Minutes = Annotated[float, Field(ge=0, le=YEAR_HOURS * 60)]
_MOMENT = WithJsonSchema({"type": "string"})


class JournalModel(YamlModel):
    """The journal: what was applied and seen, and when."""

    model_config = ConfigDict(title="journal")
    url: Annotated[str, AfterValidator(check_journal_url)] = Field(
        title="URL",
        description="sqlite:/// and a path, or postgresql:// (psycopg), without a password.",
        default=JOURNAL_URL,
    )
    password: Annotated[str | None, BeforeValidator(check_password)] = Field(
        title="Password", description="env/NAME: the environment variable that holds the password.", default=None
    )


class LockModel(YamlModel):
    """The journal's lock: one run writes at a time."""

    model_config = ConfigDict(title="lock")
    lease_seconds: float = Field(
        title="Lease",
        description="Seconds after which the lock of a run that died is free.",
        default=60,
        ge=1,
        le=86400,
    )
    wait_seconds: float = Field(
        title="Wait", description="Seconds to wait for another run's lock.", default=90, ge=0, le=86400
    )


def _wait(title: str, description: str, default: float) -> Any:  # noqa: ANN401 - as pydantic's Field
    return Field(title=title, description=description, default=default)


class WaitsModel(YamlModel):
    """How long is waited; fractions are allowed."""

    model_config = ConfigDict(title="waits")
    settle_minutes: _Minutes = _wait(
        "Settle",
        "Minutes after the old MX's TTL before what only the old state needed goes.",
        WAITS.settle / MINUTE,
    )
    assumed_ttl_hours: _Hours = _wait(
        "Assumed TTL", "What an MX's TTL is taken for where nobody saw it.", WAITS.assumed_ttl / HOUR
    )
    absent_ttl_hours: _Hours = _wait(
        "Absent TTL",
        "How long senders remember that there was no MX (RFC 2308 section 5).",
        WAITS.absent_ttl / HOUR,
    )
    restrict_hours: _Hours = _wait(
        "Restrict",
        "Hours after the last sender's cache has run out, before an origin defers others (4xx).",
        WAITS.restrict / HOUR,
    )
    restrict_hard_hours: _Hours = _wait(
        "Restrict hard",
        "Hours after the last sender's cache has run out, before an origin refuses others (5xx).",
        WAITS.restrict_hard / HOUR,
    )
    gap_hours: _Hours = _wait(
        "Gap",
        "Hours for which nobody may have looked at a domain, or what is remembered of it has a gap.",
        WAITS.gap / HOUR,
    )
    support_hours: _Hours = _wait(
        "Support",
        "Hours for which a value is visible and not attested as verified before the advice is to write to the vendor's "
        "support.",
        WAITS.support / HOUR,
    )


class LimitsModel(YamlModel):
    """Limits stop mistakes."""

    model_config = ConfigDict(title="limits")
    switches_per_run: int = Field(
        title="Switches per run",
        description="Mail domains whose MX one run may move.",
        default=LIMITS.switches_per_run,
        ge=0,
        le=1000000,
    )
    switches_per_organization: int = Field(
        title="Switches per organization",
        description="Mail domains of one organization whose MX one run may move.",
        default=LIMITS.switches_per_organization,
        ge=0,
        le=1000000,
    )
    unhealthy_share: float = Field(
        title="Unhealthy share",
        description="When more than this share of a plan's domains is unhealthy, no MX moves and nothing is removed.",
        default=LIMITS.unhealthy_share,
        ge=0,
        le=1,
    )
    unhealthy_domains: Optional[int] = Field(
        title="Unhealthy domains",
        description="The same for more than this number of domains; left out, the share alone counts.",
        default=None,
        ge=0,
        le=1000000,
    )


class FreezeModel(YamlModel):
    """A time in which nothing is written."""

    model_config = ConfigDict(title="freeze")
    from_: Annotated[datetime, BeforeValidator(window_start), _MOMENT] = Field(
        alias="from", title="From", description="The first day (UTC), or a time with its zone."
    )
    until: Annotated[datetime, BeforeValidator(window_end), _MOMENT] = Field(
        title="Until", description="The last day (UTC), or a time with its zone."
    )
    reason: Annotated[str, AfterValidator(check_text)] = Field(
        title="Reason", description="Why, for whoever waits for it."
    )


class SettingsModel(YamlModel):
    """What belongs to a repository of manifests beside the manifests."""

    model_config = ConfigDict(title="settings")
    observe: Optional[ObserveModel] = Field(title="Observe", description="Where DNS is observed.", default=None)
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
    catalog: Optional[PathText] = Field(
        title="Catalog", description="Another catalog of the gateway's facts than the shipped one.", default=None
    )
    templates: Optional[PathText] = Field(
        title="Templates", description="A directory whose templates replace the shipped ones by name.", default=None
    )
    plan_expires_hours: int = Field(
        title="Plan expires",
        description="Hours for which a saved plan may be applied.",
        default=PLAN_EXPIRES_HOURS,
        ge=1,
        le=YEAR_HOURS,
    )
    reviewed_days: int = Field(
        title="Reviewed",
        description="Days for which the held steps of an applied plan go on by themselves (`apply --continue`).",
        default=30,
        ge=1,
        le=365,
    )
    new_rrset_ttl: int = Field(
        title="New rrset TTL",
        description="Seconds, for rrsets that are created.",
        default=NEW_RRSET_TTL,
        ge=60,
        le=604800,
    )
    state_directory: PathText = Field(
        title="State directory", description="Where the program keeps what it must remember.", default=STATE_DIRECTORY
    )
    export_max_age_hours: int = Field(
        title="Export age",
        description="Hours after which an origin's export is unknown.",
        default=EXPORT_MAX_AGE_HOURS,
        ge=1,
        le=YEAR_HOURS,
    )
    journal: Annotated[Optional[JournalModel], alone("url")] = Field(
        title="Journal", description="Where the journal is: an SQLAlchemy URL, or url and password.", default=None
    )
    lock: Optional[LockModel] = Field(title="Lock", description="One run writes at a time.", default=None)
    waits: Optional[WaitsModel] = Field(title="Waits", description="How long is waited.", default=None)
    probes: Optional[ProbesModel] = Field(
        title="Probes", description="How mail servers and MTA-STS policies are looked at.", default=None
    )
    limits: Optional[LimitsModel] = Field(title="Limits", description="How much one run may do.", default=None)
    freeze: Listed[FreezeModel] = Field(title="Freeze", description="Times in which nothing is written.", default=())
    kill_switch: Annotated[
        str | None, BeforeValidator(read_kill_switch), WithJsonSchema({"type": ["boolean", "string"]})
    ] = Field(title="Kill switch", description="true, or a reason: nothing is written at all.", default=None)
    notifications: Optional[NotificationsModel] = Field(
        title="Notifications", description="Who is told what.", default=None
    )
