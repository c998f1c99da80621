"""A whole life, stage by stage, each as a person declares it and each looked at in the world when it is in sync."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mail_lab.gateway import SECONDARY
from mail_lab.laboratory import DOMAINS, NEXT_HOP
from mail_lab.postmaster import Declared, Postmaster, value_of

if TYPE_CHECKING:
    from mail_lab.laboratory import Laboratory
    from mail_lab.tally import Tally

FOREIGN = '"somebody-elses-value"'


@dataclass(frozen=True)
class Stage:
    """One target state: `roles` of the values that stay in DNS, `mx` of the end, `leaves` the console afterwards."""

    name: str
    declared: Declared
    roles: tuple[str, ...]
    leaves: tuple[str, ...] = ()


STAGES = (
    Stage("onboard", Declared(), ("eu",)),
    Stage("multi-region on", Declared(multi_region=True, secondary=SECONDARY), ("eu", SECONDARY)),
    Stage("multi-region off", Declared(secondary=SECONDARY), ("eu",), (SECONDARY,)),
    Stage("move to us", Declared(region="us", primary="us", secondary="eu"), ("us",), ("eu",)),
    Stage("off-board", Declared(region="us", primary="us", is_leaving=True), (), ("us",)),
)


def live_a_whole_life(lab: Laboratory, messages: int) -> Tally:
    """Every stage while mail is sent, at least so many messages in all; count."""
    postmaster = Postmaster(lab)
    postmaster.set_up()
    for number, stage in enumerate(STAGES, start=1):
        postmaster.declare(stage.declared)
        postmaster.until_in_sync()
        look_at_the_world(lab, stage)
        for region in stage.leaves:
            for domain in DOMAINS:
                lab.gateway.forget(domain, region)
        lab.send_more(max(20, messages * number // len(STAGES) - lab.senders.sent()))
    return lab.finish()


def look_at_the_world(lab: Laboratory, stage: Stage) -> None:
    """In sync is what the world says too: MX, verification values, and what the origin's table does."""
    declared = stage.declared
    host = lab.catalog.mx_host(declared.region, multi_region=declared.multi_region)
    for domain in DOMAINS:
        values = sorted([FOREIGN, *(f'"{value_of(domain, role)}"' for role in stage.roles)])
        assert lab.dns.values(f"_amazonses.{domain}.", "TXT") == values, stage.name
        mx = lab.dns.values(domain, "MX")
        if declared.is_leaving:
            assert [value.split()[1] for value in mx] == [f"{NEXT_HOP}."], stage.name
        else:
            assert mx == [f"0 {host}"], stage.name
    allowed = {line.split()[0] for line in _lines(lab) if line.endswith(" OK")}
    wanted = () if declared.is_leaving else lab.catalog.addresses(declared.region, multi_region=declared.multi_region)
    assert allowed == set(wanted), stage.name
    refusals = [line for line in _lines(lab) if " REJECT" in line]
    assert bool(refusals) is not declared.is_leaving, stage.name
    assert lab.restriction.is_on is not declared.is_leaving, stage.name


def _lines(lab: Laboratory) -> list[str]:
    return [line for line in lab.origin.table.read_text().splitlines() if not line.startswith("#")]
