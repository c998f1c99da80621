"""Reading the catalog's data file: the shipped one, or another of the same shape."""

import hashlib
import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from reconciler.catalog.model import Advisory, Catalog, Region, SpamRule
from reconciler.errors import Diagnostic, SettingsError, Severity, error
from reconciler.names import InvalidNameError, canonical_name
from reconciler.strict_yaml import MAX_OCTETS, Document, Loc, load_yaml
from reconciler.yaml_models import (
    IsoDate,
    Listed,
    Optional,
    YamlModel,
    choice_detail,
    read_settings_model,
    refusal,
    shown,
)

SUPPORTED_MAJOR = "1"
_SHIPPED = Path(__file__).with_name("catalog.yaml")
_TLS_VERSION = re.compile(r"[0-9]\.[0-9]", re.ASCII)


def _host(value: str) -> str:
    try:
        return canonical_name(value)
    except InvalidNameError as exc:
        raise refusal("name", f"{shown(value)} is no valid name: {exc}", "Correct the name.") from exc


def _address(value: str) -> str:
    try:
        text = str(ipaddress.ip_address(value))
    except ValueError as exc:
        raise refusal("address", f"{shown(value)} is no IPv4 or IPv6 address", "Correct the address.") from exc
    if text != value:
        raise refusal("address", f"{shown(value)} is not how this address is written", f"Write {text}.")
    return value


def _version(value: str) -> str:
    if value.partition(".")[0] != SUPPORTED_MAJOR:
        detail = f"This program reads catalogs of version {SUPPORTED_MAJOR}. Take one of that version."
        raise refusal("format-version", f"the catalog's version is {shown(value)}", detail)
    return value


def _tls_version(value: str) -> str:
    if not _TLS_VERSION.fullmatch(value):
        raise refusal("tls-version", f"{shown(value)} is no version of TLS", 'Write it as in "1.2".')
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


def load_catalog(path: Path | None = None) -> Catalog:
    """The catalog in a file, or the shipped one.

    Raises:
        SettingsError: it cannot be read, or is no catalog; every error, with its place.

    """
    octets, file = _read(path)
    model = read_settings_model(_CatalogFile, load_yaml(octets, file), _dangling)
    return _build(model, f"sha256:{hashlib.sha256(octets).hexdigest()}")


def _read(path: Path | None) -> tuple[bytes, str]:
    if path is None:
        return _SHIPPED.read_bytes(), _SHIPPED.name
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_OCTETS + 1), str(path)
    except OSError as exc:
        summary = f"the catalog cannot be read: {exc.strerror}"
        detail = "Correct the path in the settings (catalog), or remove it to use the shipped catalog."
        raise SettingsError([error("catalog-unreadable", summary, detail, file=str(path))]) from exc


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


def _build(model: _CatalogFile, digest: str) -> Catalog:
    rule, multi = model.spam_rule, model.multi_region
    return Catalog(
        gateway=model.gateway,
        support=model.support,
        mx_preference=model.mx.preference,
        gateway_domains=tuple(canonical_name(d) for d in model.mx.gateway_domains),
        verification_label=model.verification.label,
        propagation_hours=model.verification.propagation_hours,
        tls_minimum_version=model.tls.minimum_version,
        spam_rule=SpamRule(rule.name, rule.header, rule.pattern, rule.confidence_level),
        regions={
            key: Region(key, r.addresses, canonical_name(r.mx_host), canonical_name(r.mx_host_multi_region))
            for key, r in model.regions.items()
        },
        multi_region_addresses=multi.addresses,
        residency_conflict=multi.residency_conflict,
        excluded_connections=multi.excluded_connections,
        advisories=tuple(
            Advisory(a.code, a.region, a.multi_region, a.summary, " ".join(a.detail.split())) for a in model.advisories
        ),
        digest=digest,
    )
