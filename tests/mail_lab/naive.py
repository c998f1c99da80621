"""The control run: the same move in the order that comes to mind first. It loses mail, so the laboratory can fail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mail_lab.gateway import SECONDARY
from mail_lab.laboratory import DOMAINS, TTL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mail_lab.laboratory import Laboratory
    from mail_lab.tally import Tally

REGION = "eu"


def move_in_naive_order(lab: Laboratory, messages: int) -> Tally:
    """Onboard, turn multi-region off and tidy up, each step at once after the one before; count.

    The MX moves while senders' caches have the old one and the origin refuses them at once; the address that
    multi-region adds goes while mail still comes from it; a verification value goes while the gateway is used.
    """
    for domain in DOMAINS:
        for region in (REGION, SECONDARY):
            lab.gateway.declare(domain, region, f"{region}-value")
            write_value(lab, domain, f"{region}-value")
    lab.send_more(messages)
    # together, the table first: on a busy machine it might else come when the caches have run out by themselves
    restrict(lab, lab.catalog.addresses(REGION, multi_region=True))
    switch(lab, lab.catalog.mx_host(REGION, multi_region=True))
    lab.send_more(messages)
    # every sender comes through the gateway by now, which takes turns with its addresses: the one that goes comes up
    time.sleep(TTL + 2)
    restrict(lab, lab.catalog.addresses(REGION, multi_region=False))
    lab.send_more(3 * messages)
    switch(lab, lab.catalog.mx_host(REGION, multi_region=False))
    time.sleep(TTL + 2)
    remove_values(lab)
    lab.send_more(messages)
    return lab.finish()


def write_value(lab: Laboratory, domain: str, value: str) -> None:
    """A verification value, at once."""
    lab.dns.update(f"zone {domain}.", f"update add _amazonses.{domain}. 60 TXT {value}")


def switch(lab: Laboratory, host: str) -> None:
    """The MX of every domain, at once."""
    for domain in DOMAINS:
        lab.dns.update(f"zone {domain}.", f"update delete {domain}. MX", f"update add {domain}. {TTL} MX 0 {host}")


def restrict(lab: Laboratory, addresses: Iterable[str]) -> None:
    """The table, at once, and everybody else refused for good."""
    lines = [f"{address} OK\n" for address in addresses]
    lab.origin.install_text("".join((*lines, "0.0.0.0/0 REJECT not through the gateway\n")))
    lab.restriction.begin(time.time())


def remove_values(lab: Laboratory) -> None:
    """Every verification value, tidied up."""
    for domain in DOMAINS:
        lab.dns.update(f"zone {domain}.", f"update delete _amazonses.{domain}. TXT")
