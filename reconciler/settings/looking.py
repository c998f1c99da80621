"""How the settings file says to look: at DNS, and at mail servers and MTA-STS policies."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from reconciler.settings.fields import MAX_PORT, check_extension, check_helo, check_host, check_path, read_server
from reconciler.yaml_models import Listed, Optional, YamlModel


def alone(key: str) -> BeforeValidator:
    """A text where a mapping may stand is the value of its one key."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


ServerText = Annotated[str, AfterValidator(read_server)]
PathText = Annotated[str, AfterValidator(check_path)]
Port = Annotated[int, Field(ge=1, le=MAX_PORT)]


class DnsModel(YamlModel):
    """Live DNS."""

    model_config = ConfigDict(title="dns")
    servers: Listed[ServerText] = Field(
        title="Servers",
        description="Servers to ask for every zone (a lab, a hidden primary, split horizon), as host, host:port or "
        "[IPv6 address]:port; left out, each zone's own authoritative servers.",
        default=(),
    )
    resolvers: Listed[ServerText] = Field(
        title="Resolvers", description="Resolvers that find the zones; left out, the system's.", default=()
    )
    timeout: float = Field(title="Timeout", description="Seconds for one attempt.", default=2.0, ge=0.05, le=60)
    attempts: int = Field(title="Attempts", description="Attempts at one server.", default=3, ge=1, le=10)
    in_flight: int = Field(title="In flight", description="Questions asked at once.", default=200, ge=1, le=10000)
    per_server: Optional[int] = Field(
        title="Per server",
        description="Questions asked at once at one address; left out, as many as in flight at `servers` that are "
        "addresses, and at most 200 at others.",
        default=None,
        ge=1,
        le=10000,
    )
    rate: Optional[float] = Field(
        title="Rate",
        description="Queries a second at one address; left out, any number at `servers` that are addresses, and at "
        "most 1,000 at others, or what they are known to allow.",
        default=None,
        ge=0.1,
        le=1000000,
    )


class ZonefilesModel(YamlModel):
    """Master files."""

    model_config = ConfigDict(title="zonefiles")
    directory: PathText = Field(title="Directory", description="The directory of the master files.")
    extension: Annotated[str, AfterValidator(check_extension)] = Field(
        title="Extension", description="What follows the zone's name in a file's name.", default=".zone"
    )


class ObserveModel(YamlModel):
    """Where DNS is observed: one of the two."""

    model_config = ConfigDict(title="observe")
    dns: Optional[DnsModel] = Field(title="DNS", description="Live DNS (the default).", default=None)
    zonefiles: Annotated[Optional[ZonefilesModel], alone("directory")] = Field(
        title="Zone files", description="Master files: their directory, or directory and extension.", default=None
    )


class ProbesModel(YamlModel):
    """Looking at mail servers and MTA-STS policies."""

    model_config = ConfigDict(title="probes")
    smtp_port: Port = Field(title="SMTP port", description="The port of mail servers.", default=25)
    https_port: Port = Field(title="HTTPS port", description="The port of MTA-STS policies.", default=443)
    timeout: float = Field(title="Timeout", description="Seconds for one whole probe.", default=10.0, ge=0.05, le=600)
    at_once: int = Field(title="At once", description="Hosts probed at once.", default=50, ge=1, le=1000)
    per_address: int = Field(
        title="Per address",
        description="Hosts probed at once at one address, however many share it.",
        default=2,
        ge=1,
        le=1000,
    )
    spacing: float = Field(
        title="Spacing",
        description="Seconds between the beginnings of two probes at one address.",
        default=0.05,
        ge=0,
        le=60,
    )
    ca_file: Optional[PathText] = Field(
        title="CA file", description="Further trusted root certificates (PEM).", default=None
    )
    helo: Optional[Annotated[str, AfterValidator(check_helo)]] = Field(
        title="HELO",
        description="What EHLO says: a host name or an address literal; left out, this host's name.",
        default=None,
    )
    reference_host: Optional[Annotated[str, AfterValidator(check_host)]] = Field(
        title="Reference host",
        description="A mail server that surely listens: where not even it answers, nothing was probed. Left out, the "
        "gateway's own.",
        default=None,
    )
    cache: Optional[PathText] = Field(
        title="Cache",
        description="A file that keeps good results for the next plan or drift (apply always looks afresh); left out, "
        "nothing is kept.",
        default=None,
    )
    cache_minutes: float = Field(
        title="Cache age", description="Minutes for which a kept result counts.", default=15.0, gt=0, le=1440
    )
