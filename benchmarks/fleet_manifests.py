"""The manifests that everything is measured with: 600 octets a domain, as a provider's have, and twenty to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DOMAINS_IN_A_FILE = 20
_ORGANIZATION = """\
organization: {organization}
region: eu
multi_region: false
escalation_contacts: [noc@{organization}.example]
attestations: [{{what: allowlist, by: noc@{organization}.example, on: "2026-01-01"}}]
services:
  - name: hq
    kind: postfix
    connection: mx
{origin}    domains:
"""
ALLOWLISTS = "    allowlists: [{target: postfix-access}]\n"
"""What a service has whose origin lets the gateway's addresses alone in."""
_DOMAIN = """\
      - name: {name}
        next_hops:
          - mail1.{organization}.example
          - mail2.{organization}.example
        verification:
          primary: {token}
          secondary: {secondary}
        attestations:
          - what: console
            by: operations@{organization}.example
            on: 2026-01-02
          - what: verified
            by: operations@{organization}.example
            on: 2026-01-03
        waivers:
          - gate: mta-sts
            owner: security@{organization}.example
            reason: The policy of this domain is replaced by the end of the quarter
            expires: 2037-06-30
"""


def domain_of(number: int) -> str:
    """The mail domain, and the zone, of a number; without the last dot."""
    return f"d{number}.bench.example"


def token_of(number: int) -> str:
    """Its verification value, of the vendor's length."""
    return f"{number:043d}="


def write_manifests(directory: Path, count: int, origin: str = "") -> None:
    """As many domains, each file an organization; `origin` is more of its service, as `ALLOWLISTS`."""
    directory.mkdir(parents=True)
    for first in range(0, count, DOMAINS_IN_A_FILE):
        organization = f"org{first:05}"
        text = _ORGANIZATION.format(organization=organization, origin=origin)
        for number in range(first, min(first + DOMAINS_IN_A_FILE, count)):
            token = token_of(number)
            secondary = f"s{token[1:]}"
            text += _DOMAIN.format(name=domain_of(number), organization=organization, token=token, secondary=secondary)
        (directory / f"{organization}.yaml").write_text(text, encoding="utf-8")
