"""Rules for names in manifests: mail domains, zones, next hops. Each gives a universal form, or None and a finding."""

from __future__ import annotations

import ipaddress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from publicsuffixlist import PSLFILE, PublicSuffixList

from reconciler.names import InvalidNameError, Name, canonical_name, display_name, is_under
from reconciler.wording import shown

if TYPE_CHECKING:
    from reconciler.catalog import Catalog
    from reconciler.manifest.findings import Context, Findings
    from reconciler.strict_yaml import Loc

_FIRST_OF_ADDRESS = ("[", *"0123456789 ")


def build_name(code: str, written: str, loc: Loc, findings: Findings) -> Name | None:
    """Any host or domain name; `code` is the finding's when it is none."""
    try:
        return canonical_name(written)
    except InvalidNameError as exc:
        findings.error(code, f"{shown(written)} is no valid name: {exc}", "Correct the name.", loc)
        return None


def build_mail_domain(written: str, loc: Loc, context: Context, findings: Findings) -> Name | None:
    """A mail domain that can stand behind the gateway."""
    name = build_name("domain-name", written, loc, findings)
    if name is None:
        return None
    if is_numeric(name):
        detail = "Name the mail domain, as in acme.example."
        findings.error("domain-name", f"{shown(written)} is an address, not a mail domain", detail, loc)
    elif name.count(".") == 1:
        detail = "Write the whole name, with all its labels, as in acme.example."
        findings.error("single-label", f"{shown(written)} is a single label", detail, loc)
    elif context.catalog.is_gateway_host(name):
        detail = "Remove it: only domains whose mail the gateway shall filter belong here."
        findings.error("gateway-domain", f"{shown(written)} is one of the gateway's own names", detail, loc)
    elif section := public_suffix_section(name):
        detail = "Mail domains of others lie below it. Name the one domain that is meant."
        summary = f"{shown(written)} is a public suffix (the Public Suffix List, section {section})"
        findings.error("public-suffix", summary, detail, loc)
    else:
        _require_verification_name(name, written, loc, context.catalog, findings)
        return name
    return None


def _require_verification_name(name: Name, written: str, loc: Loc, catalog: Catalog, findings: Findings) -> None:
    try:
        catalog.verification_name(name)
    except InvalidNameError as exc:
        summary = f"{shown(written)} is too long for a verification record at {catalog.verification_label} below it"
        findings.error("verification-name", summary, f"It cannot be put behind the gateway: {exc}. Remove it.", loc)


def build_zone(written: str, domain: Name, loc: Loc, findings: Findings) -> Name | None:
    """The zone that holds `domain`: the domain itself or an ancestor of it."""
    zone = build_name("zone-name", written, loc, findings)
    if zone is not None and not is_under(domain, zone):
        summary = f"the zone {shown(written)} does not hold {display_name(domain)}"
        findings.error("zone", summary, "Name the domain itself or a domain above it, or remove the key.", loc)
        return None
    return zone


def build_next_hop(written: str, loc: Loc, catalog: Catalog, override: Name | None, findings: Findings) -> Name | None:
    """A host that clean mail can be delivered to; `override` is the organization's own MX host at the gateway."""
    if is_address(written):
        detail = "Write the host's name, which the certificate of its TLS carries too."
        findings.error("next-hop-address", f"the next hop {shown(written)} is an IP address", detail, loc)
        return None
    host = build_name("next-hop-name", written, loc, findings)
    if host is None:
        return None
    if is_numeric(host):
        detail = "Write the host's name, which the certificate of its TLS carries too."
        findings.error("next-hop-address", f"the next hop {shown(written)} is an IP address", detail, loc)
    elif host == override or catalog.is_gateway_host(host):
        detail = (
            "Mail would run in a loop (RFC 5321 section 6.3). Name the domain's own mail server: what its MX pointed "
            "to before the gateway's."
        )
        findings.error("next-hop-gateway", f"the next hop {shown(written)} is the gateway itself", detail, loc)
    elif host.count(".") == 1:
        detail = "Write the whole name, as in mail.acme.example: the gateway knows no local names."
        findings.error("next-hop-unqualified", f"the next hop {shown(written)} is a single label", detail, loc)
    else:
        return host
    return None


def is_address(written: str) -> bool:
    """Whether it is an IPv4 or IPv6 address, bare or as the address literal of RFC 5321 section 4.1.3."""
    if not written.startswith(_FIRST_OF_ADDRESS) and ":" not in written:
        return False  # nearly all of them, and parsing is slow
    if written.startswith("["):
        return True
    try:
        ipaddress.ip_address(written.strip().rstrip("."))
    except ValueError:
        return False
    return True


def is_numeric(name: Name) -> bool:
    """Whether the last label is a number, which no top-level domain is (RFC 3696 section 2): a kind of address."""
    last = name[:-1].rpartition(".")[2]
    return last.isdigit() or last.startswith("0x")


@cache
def _suffixes(*, only_icann: bool = False) -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=only_icann)


@cache
def _listed_words() -> frozenset[str]:
    return frozenset(Path(PSLFILE).read_text(encoding="utf-8").lower().split())


def _may_be_suffix(text: str) -> bool:
    """Whether a rule could name it: a look into the list's text, which takes a tenth of the time of reading its rules.

    Rules with other scripts than Latin stand there as U-labels.
    """
    if "xn--" in text:
        return True
    words, above = _listed_words(), text.partition(".")[2]
    return text in words or f"*.{text}" in words or f"*.{above}" in words


def public_suffix_section(name: Name) -> str | None:
    """The section of the Public Suffix List (https://publicsuffix.org) that has this very name as a suffix, or None."""
    text = display_name(name)
    if not _may_be_suffix(text) or _suffixes().publicsuffix(text) != text:
        return None
    return "ICANN" if _suffixes(only_icann=True).publicsuffix(text) == text else "PRIVATE"
