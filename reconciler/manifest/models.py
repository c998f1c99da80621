"""What people write in a manifest: one organization a file, with its services and their mail domains.

These models know types, keys and the form of single values. What depends on the catalog, the day or another file is in
`rules.py` and `hosts.py`. Titles and descriptions are what editors show and what error messages quote.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from reconciler.errors import RefusedValueError
from reconciler.manifest.forms import (
    IDENTIFIER_PATTERN,
    MAX_TEXT,
    MAX_TTL,
    MIN_TTL,
    TOKEN_PATTERN,
    Attested,
    Connection,
    Kind,
    LifecycleWord,
    is_address,
    is_identifier,
    is_token,
    line_of_text,
)
from reconciler.manifest.origin_models import AllowlistManifest, CapabilitiesManifest, SpamRule
from reconciler.wording import shown
from reconciler.yaml_models import IsoDate, Listed, Optional, YamlModel


def _identifier(value: str) -> str:
    if not is_identifier(value):
        detail = "Write 1 to 63 letters, digits, dots, hyphens or underscores, with a letter or digit at both ends."
        raise RefusedValueError("identifier", f"{shown(value)} is not usable as a name", detail)
    return value


def _text(value: str) -> str:
    text = line_of_text(value)
    if text is None:
        detail = f"Write one line of 1 to {MAX_TEXT} characters."
        raise RefusedValueError("text", "the text is blank, too long or has control characters", detail)
    return text


def _token(value: str) -> str:
    if not is_token(value):
        summary = f"{shown(value)} is no verification value"
        detail = (
            "A value is 1 to 255 printable ASCII characters without spaces, quotation marks and backslashes. Copy it "
            "from the vendor's console once more."
        )
        raise RefusedValueError("token", summary, detail)
    return value


def _address(value: str) -> str:
    if not is_address(value):
        raise RefusedValueError(
            "address", f"{shown(value)} is no e-mail address", "Write it as in: secops@acme.example."
        )
    return value


Identifier = Annotated[
    str, AfterValidator(_identifier), Field(json_schema_extra={"pattern": f"^{IDENTIFIER_PATTERN}$"})
]
Text = Annotated[str, AfterValidator(_text), Field(json_schema_extra={"minLength": 1, "maxLength": MAX_TEXT})]
Token = Annotated[str, AfterValidator(_token), Field(json_schema_extra={"pattern": f"^{TOKEN_PATTERN}$"})]
Address = Annotated[str, AfterValidator(_address), Field(json_schema_extra={"format": "idn-email"})]
Ttl = Annotated[int, Field(ge=MIN_TTL, le=MAX_TTL)]
SwitchTtl = Annotated[int, Field(ge=1, le=MAX_TTL)]


def _field(title: str, description: str, **more: Any) -> Any:  # noqa: ANN401 - as pydantic's Field
    return Field(title=title, description=description, **more)


class AttestationManifest(YamlModel):
    """A person vouches for what the program cannot see."""

    model_config = ConfigDict(title="attestation")
    what: Attested = _field(
        "What",
        "What is vouched for: the domain was added in the vendor's console with its next hops (console), the console "
        "shows it as Verified (verified), the multi-region flag is set there (multi-region), the vendor's support "
        "switched the TLS check off (tls-check-off), somebody saw the next hops answer with STARTTLS where the program "
        "cannot reach port 25 (next-hop-tls), the origin allows the gateway's addresses (allowlist), turns everybody "
        "else away (restricted), refuses them for good (restricted-hard), or takes mail from everybody again "
        "(origin-open), the spam rule is in place (mail-rule).",
    )
    by: Text = _field("By", "Who vouches: a person, best by e-mail address.")
    on: IsoDate = _field("On", "The day on which it was seen, as in 2026-11-01.")
    expires: Optional[IsoDate] = _field("Expires", "The last day on which it counts.", default=None)
    region: Optional[str] = _field(
        "Region",
        "For console, verified, multi-region and allowlist: the region that it was seen for; needed while a domain "
        "moves from another region.",
        default=None,
    )
    multi_region: Optional[bool] = _field(
        "Multi-region",
        "For an allowlist: true when the address that multi-region adds is allowed too. For verified: true when both "
        "regions are.",
        default=None,
    )
    next_hops: Listed[str] = _field(
        "Next hops",
        "For console: the next hops that it shows; left out, those that the manifest declared on that day.",
        default=(),
    )


class WaiverManifest(YamlModel):
    """A person excuses one gate or policy, with a reason and an end."""

    model_config = ConfigDict(title="waiver")
    gate: str = _field("Gate", "The id of the gate or policy that is waived.")
    owner: Text = _field("Owner", "Who answers for it: a person, best by e-mail address.")
    reason: Text = _field("Reason", "Why it is waived.")
    expires: IsoDate = _field("Expires", "The last day on which it counts, as in 2027-06-30.")


class DriftIgnoreManifest(YamlModel):
    """A person lets a drift finding be, with a reason and an end."""

    model_config = ConfigDict(title="ignore rule")
    finding: str = _field("Finding", "The code or the class of the findings that are let be.")
    resource: Optional[Text] = _field(
        "Resource",
        "Only what is about it: a name, a type, or both, as in `MX acme.example`; left out, whatever it is about.",
        default=None,
    )
    owner: Text = _field("Owner", "Who answers for it: a person, best by e-mail address.")
    reason: Text = _field("Reason", "Why it is let be.")
    expires: IsoDate = _field("Expires", "The last day on which it counts, as in 2027-06-30.")


class VerificationManifest(YamlModel):
    """The values of the verification TXT rrset, copied from the vendor's console."""

    model_config = ConfigDict(title="verification")
    primary: Optional[Token] = _field(
        "Primary",
        "The value for the organization's own region, from the vendor's console; needed with `connection: mx`.",
        default=None,
    )
    secondary: Optional[Token] = _field(
        "Secondary", "The value for the secondary region; needed when multi-region is on.", default=None
    )


class MxManifest(YamlModel):
    """How much of the MX rrset is owned."""

    model_config = ConfigDict(title="mx")
    exclusive: bool = _field(
        "Exclusive", "true (the default): the gateway's MX is the only one; false: other MX values stay beside it."
    )


class MxHostManifest(YamlModel):
    """Another MX host than the catalog's, when the vendor's support named one."""

    model_config = ConfigDict(title="mx_host")
    value: str = _field("Value", "The MX host to use instead of the catalog's.")
    reason: Text = _field("Reason", "Why: who at the vendor named it, and when.")


class _Inherited(YamlModel):
    """What can be said for an organization or a service, and again, closer, for one domain."""

    provider: Optional[Identifier] = _field(
        "Provider",
        "The DNS provider of the settings that writes the zone; `manual` when a person edits it by instructions.",
        default=None,
    )
    ttl: Optional[Ttl] = _field(
        "TTL", "Seconds, for rrsets that hold our values alone; left out, what is there is kept.", default=None
    )
    switch_ttl: Optional[SwitchTtl] = _field(
        "Switch TTL",
        "Seconds: the MX gets this TTL ahead of a switch, and the switch waits until the old one has passed; left out, "
        "the TTL stays as it is.",
        default=None,
    )
    lifecycle: Optional[LifecycleWord] = _field(
        "Lifecycle",
        "offboarded: the MX goes back to the next hops, then our values and addresses go; left out, active.",
        default=None,
    )
    mx: Optional[MxManifest] = _field(
        "MX", "Whether the gateway's MX is the only one (the default), or others may stay beside it.", default=None
    )
    attestations: Listed[AttestationManifest] = _field(
        "Attestations", "What people vouch for, because the program cannot see it.", default=()
    )
    waivers: Listed[WaiverManifest] = _field(
        "Waivers", "Gates and policies that people excuse, with reason and end.", default=()
    )
    ignore_drift: Listed[DriftIgnoreManifest] = _field(
        "Ignore drift", "Drift findings that people let be, with reason and end.", default=()
    )


class DomainManifest(_Inherited):
    """One mail domain."""

    model_config = ConfigDict(title="domain")
    name: str = _field("Name", "The mail domain, as in acme.example; umlauts and other scripts are welcome.")
    next_hops: Listed[str] = _field(
        "Next hops",
        "The hosts that the gateway delivers clean mail to: the domain's own servers, by name, never the gateway's.",
        default=(),
    )
    verification: Optional[VerificationManifest] = _field(
        "Verification", "The values of the verification TXT rrset, from the vendor's console.", default=None
    )
    zone: Optional[str] = _field(
        "Zone", "The DNS zone that holds the domain; left out, it is found in DNS.", default=None
    )


class ServiceManifest(_Inherited):
    """One mail service of an organization: what runs behind the gateway, and its domains."""

    model_config = ConfigDict(title="service")
    name: Identifier = _field("Name", "The service's name, once in an organization.")
    kind: Kind = _field("Kind", "What runs behind the gateway.")
    connection: Connection = _field(
        "Connection", "How the gateway gets the mail; api and journaling are for microsoft-365.", default="mx"
    )
    capabilities: Optional[CapabilitiesManifest] = _field(
        "Capabilities", "What a service of kind `other` can do.", default=None
    )
    allowlists: Listed[AllowlistManifest] = _field(
        "Allowlists", "The lists at the origin that must let the gateway in.", default=()
    )
    spam_rule: SpamRule = _field(
        "Spam rule", "Whether the origin sorts what the gateway marked as spam, and where.", default=None
    )
    domains: Listed[DomainManifest] = _field("Domains", "The service's mail domains.")


class OrganizationManifest(_Inherited):
    """One organization, as it is known to the vendor: one manifest."""

    model_config = ConfigDict(title="organization")
    organization: Identifier = _field("Organization", "The organization's name, once in all manifests.")
    region: str = _field(
        "Region",
        "The gateway's region (the vendor calls it environment), as the vendor's console shows it: us, eu or au, if "
        "the catalog has no others.",
    )
    multi_region: bool = _field("Multi-region", "Whether the secondary region is on.", default=False)
    escalation_contacts: Listed[Address] = _field(
        "Escalation contacts",
        "Whom the vendor writes to: at least one e-mail address.",
        json_schema_extra={"minItems": 1},
    )
    mx_host: Optional[MxHostManifest] = _field(
        "MX host", "Overrides the catalog's MX host, when the vendor's support named another.", default=None
    )
    services: Listed[ServiceManifest] = _field("Services", "The organization's mail services.")
