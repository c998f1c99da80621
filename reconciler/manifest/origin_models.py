"""What people write about the origin's side of a service: its allowlists and its spam rule."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from reconciler.errors import RefusedValueError
from reconciler.manifest.forms import MAX_OBJECT_NAME, ListIntent, is_export_path, is_object_name, is_word
from reconciler.wording import shown
from reconciler.yaml_models import Optional, YamlModel


def _object_name(value: str) -> str:
    if not is_object_name(value):
        detail = f"Write 1 to {MAX_OBJECT_NAME} letters, digits, spaces or ._:/@()+- as the server shows it."
        raise RefusedValueError("object-name", f"{shown(value)} cannot be an object's name here", detail)
    return value


def _word(value: str) -> str:
    if not is_word(value):
        detail = "Write letters, digits, dots, hyphens and underscores."
        raise RefusedValueError("option", f"{shown(value)} cannot be an option's value", detail)
    return value


def _export_path(value: str) -> str:
    if not is_export_path(value):
        detail = "Write it relative to the settings file's folder and inside of it, as exports/acme/hq.json."
        raise RefusedValueError("export-path", f"{shown(value)} is no path inside the repository", detail)
    return value


def _true_alone(value: object) -> object:
    return {} if value is True else value


ObjectName = Annotated[str, AfterValidator(_object_name)]
OptionText = Annotated[str, AfterValidator(_word)]
ExportPath = Annotated[str, AfterValidator(_export_path)]


class AllowlistManifest(YamlModel):
    """One list of addresses at a server or firewall of the service."""

    model_config = ConfigDict(title="allowlist")
    target: str = Field(title="Target", description="What kind of server or firewall holds the list.")
    name: Optional[ObjectName] = Field(
        title="Name", description="The object's name at the server: the connector, set, alias or list.", default=None
    )
    intent: ListIntent = Field(
        title="Intent", description="allow: let the gateway in; restrict: keep everybody else out.", default="allow"
    )
    exclusive: bool = Field(
        title="Exclusive", description="true: addresses that are not the gateway's are to go.", default=False
    )
    export: Optional[ExportPath] = Field(
        title="Export",
        description="The server's own export of the list, relative to the settings file's folder; left out, a person "
        "attests what the server allows.",
        default=None,
    )
    options: dict[str, OptionText] = Field(
        title="Options", description="Further words that the target documents, as table and family.", default={}
    )


class SpamRuleManifest(YamlModel):
    """The rule that sorts what the gateway marked as spam."""

    model_config = ConfigDict(title="spam_rule")
    target: Optional[str] = Field(
        title="Target", description="What runs the rule; left out, what fits the service's kind.", default=None
    )
    export: Optional[ExportPath] = Field(
        title="Export", description="The server's own export of its rules; left out, a person attests.", default=None
    )


class CapabilitiesManifest(YamlModel):
    """What a service of kind `other` can do; of every other kind it is known."""

    model_config = ConfigDict(title="capabilities")
    third_party_mx: bool = Field(
        title="Third-party MX", description="Whether its domains' MX may name another host than its own."
    )
    allowlist: bool = Field(
        title="Allowlist", description="Whether it, or a firewall before it, can allow the gateway's addresses."
    )
    header_rules: bool = Field(
        title="Header rules", description="Whether it can act on a header of a message.", default=False
    )


SpamRule = Annotated[Optional[SpamRuleManifest], BeforeValidator(_true_alone)]
