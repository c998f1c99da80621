"""The catalog's data file as models: what is checked of a file that the settings name, and by the tests of ours."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from reconciler.errors import Diagnostic, RefusedValueError, Severity
from reconciler.names import InvalidNameError, canonical_name
from reconciler.strict_yaml import Document, Loc
from reconciler.wording import choice_detail, shown
from reconciler.yaml_models import IsoDate, Listed, Optional, YamlModel, read_settings_model

SUPPORTED_MAJOR = "1"
_TLS_VERSION = re.compile(r"[0-9]\.[0-9]", re.ASCII)


def _host(value: str) -> str:
    try:
        return canonical_name(value)
    except InvalidNameError as exc:
        raise RefusedValueError("name", f"{shown(value)} is no valid name: {exc}", "Correct the name.") from exc


def _address(value: str) -> str:
    try:
        text = str(ipaddress.ip_address(value))
    except ValueError as exc:
        raise RefusedValueError(
            "address", f"{shown(value)} is no IPv4 or IPv6 address", "Correct the address."
        ) from exc
    if text != value:
        raise RefusedValueError("address", f"{shown(value)} is not how this address is written", f"Write {text}.")
    return value


def _version(value: str) -> str:
    if value.partition(".")[0] != SUPPORTED_MAJOR:
        detail = f"This program reads catalogs of version {SUPPORTED_MAJOR}. Take one of that version."
        raise RefusedValueError("format-version", f"the catalog's version is {shown(value)}", detail)
    return value


def _tls_version(value: str) -> str:
    if not _TLS_VERSION.fullmatch(value):
        raise RefusedValueError("tls-version", f"{shown(value)} is no version of TLS", 'Write it as in "1.2".')
    return value


_Host = Annotated[str, AfterValidator(_host)]
_Address = Annotated[str, AfterValidator(_address)]
_Positive = Annotated[int, Field(ge=1)]


class _Source(YamlModel):
    model_config = ConfigDict(title="source")
    title: str = Field(description="The page's title.")
    url: Optional[str] = None
    read: IsoDate = Field(description="The day on which the page was read.")


class _Sourced(YamlModel):
    source: str = Field(description="The id of the source.")


class _Mx(_Sourced):
    model_config = ConfigDict(title="mx")
    preference: int = Field(description="The preference of the gateway's MX.", ge=0, le=65535)
    gateway_domains: Listed[_Host] = Field(description="The names below which the gateway's own hosts live.")


class _Verification(_Sourced):
    model_config = ConfigDict(title="verification")
    label: str = Field(description="The label below a domain that holds the verification TXT rrset.")
    propagation_hours: _Positive = Field(description="Hours that the verification may take.")


class _Tls(_Sourced):
    model_config = ConfigDict(title="tls")
    minimum_version: Annotated[str, AfterValidator(_tls_version)] = Field(
        description="The lowest TLS version that the origin must offer, as in 1.2."
    )


class _SpamRule(_Sourced):
    model_config = ConfigDict(title="spam_rule")
    name: str = Field(description="The rule's name.")
    header: str = Field(description="The header that the gateway adds.")
    pattern: str = Field(description="What the header matches.")
    confidence_level: int = Field(description="The spam confidence level to set.", ge=-1, le=9)


class _MultiRegion(_Sourced):
    model_config = ConfigDict(title="multi_region")
    addresses: Listed[_Address] = Field(description="The gateway's further addresses with multi-region.")
    secondary_region: str = Field(description="The secondary region.")
    residency_conflict: Listed[str] = Field(description="Regions whose data must not go to the secondary one.")
    excluded_connections: Listed[str] = Field(description="Connections without multi-region.")


class _Region(_Sourced):
    model_config = ConfigDict(title="region")
    addresses: Listed[_Address] = Field(description="The gateway's addresses.", min_length=1)
    mx_host: _Host = Field(description="The MX host without multi-region.")
    mx_host_multi_region: _Host = Field(description="The MX host with multi-region.")


class _Advisory(_Sourced):
    model_config = ConfigDict(title="advisory")
    code: str = Field(description="The advisory's id.")
    region: str = Field(description="The region that it concerns.")
    multi_region: bool = Field(description="The multi-region flag that it concerns.")
    summary: str = Field(description="What is odd, in one sentence.")
    detail: str = Field(description="What to think of it, and what to do.")


class _CatalogFile(YamlModel):
    model_config = ConfigDict(title="catalog")
    format_version: Annotated[str, AfterValidator(_version)] = Field(description="The version of this shape.")
    gateway: str = Field(description="The gateway's name.")
    sources: dict[str, _Source] = Field(description="The pages that the facts were read from.")
    mx: _Mx = Field(description="The gateway's MX.")
    verification: _Verification = Field(description="The verification TXT rrset.")
    tls: _Tls = Field(description="What the origin must offer.")
    spam_rule: _SpamRule = Field(description="The optional rule at the origin.")
    support: str = Field(description="How the vendor's support is reached.")
    multi_region: _MultiRegion = Field(description="What multi-region means.")
    regions: dict[str, _Region] = Field(description="The gateway's regions.", min_length=1)
    advisories: Listed[_Advisory] = ()


def checked(document: Document) -> dict[str, Any]:
    """The data of a catalog's file.

    Raises:
        SettingsError: it is no catalog; every error, with its place.

    """
    return read_settings_model(_CatalogFile, document, _dangling).model_dump()


def _dangling(model: _CatalogFile, document: Document) -> Iterator[Diagnostic]:
    """References to sources and regions that the file does not have, and a label that is none."""
    blocks: dict[Loc, _Sourced] = {
        (key,): getattr(model, key) for key in ("mx", "verification", "tls", "spam_rule", "multi_region")
    }
    blocks |= {("regions", key): region for key, region in model.regions.items()}
    blocks |= {("advisories", i): advisory for i, advisory in enumerate(model.advisories)}
    references: list[tuple[Loc, str, str]] = [((*loc, "source"), "source", each.source) for loc, each in blocks.items()]
    references.append((("multi_region", "secondary_region"), "region", model.multi_region.secondary_region))
    conflicts = enumerate(model.multi_region.residency_conflict)
    references += [(("multi_region", "residency_conflict", i), "region", each) for i, each in conflicts]
    references += [(("advisories", i, "region"), "region", each.region) for i, each in enumerate(model.advisories)]
    for loc, kind, name in references:
        known = model.sources if kind == "source" else model.regions
        if name not in known:
            yield _refused(document, loc, f"there is no {kind} {shown(name)}", choice_detail(name, known))
    label = model.verification.label
    try:
        is_label = canonical_name(label).count(".") == 1
    except InvalidNameError:
        is_label = False
    if not is_label:
        loc = ("verification", "label")
        yield _refused(document, loc, f"{shown(label)} is no single label", "Write one label, as in _amazonses.")


def _refused(document: Document, loc: Loc, summary: str, detail: str) -> Diagnostic:
    return Diagnostic(Severity.ERROR, "catalog", summary, detail, document.file, *document.position(loc))
