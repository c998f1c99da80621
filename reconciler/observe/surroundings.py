"""Looks at everything around mail domains whose MX is to move: hosts, mail servers, MTA-STS, TLSA, DNSSEC.

What is in the domains' own zones is asked from the authoritative servers (or read from master files) in one batch;
everything else as a sender would see it, through the resolver. Each host is resolved once and probed once, however
many domains share it. With master files no network is used at all, and what needs one is not probed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import dns.exception
import dns.name

from reconciler.names import ROOT, Name
from reconciler.observe import Question
from reconciler.observe.build import OfflineSettings, ZonefileSettings, build_observer
from reconciler.state import Absent, Cause, Key, Unknown
from reconciler.surroundings import NOT_PROBED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta
    from pathlib import Path

    from reconciler.observe.build import ObserveSettings
    from reconciler.observe.exchange import DnsSettings
    from reconciler.state import Observation, Observed
    from reconciler.surroundings import Surroundings

SHOWN_LABELS = ("mail", "smtp", "mx", "autodiscover", "owa", "exchange", "webmail")
"""Names below a mail domain that give away where its origin is."""


class ProbeSettings(Protocol):
    """What the settings say about probing.

    `timeout` is in seconds, for one SMTP or HTTPS probe as a whole; `at_once` is how many hosts are probed at the same
    time, `per_address` how many of them at one address, begun `spacing` seconds apart; `ca_file` has trust roots in PEM
    beside the system's; `helo` is the name given in EHLO; `reference_host` is a mail server that surely listens, None
    where there is none; `cache` is the file that keeps good results for `cache_age`, None where every look is fresh.
    """

    @property
    def smtp_port(self) -> int:
        """Where mail servers listen."""
        ...

    @property
    def https_port(self) -> int:
        """Where policies are fetched."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds for one probe."""
        ...

    @property
    def at_once(self) -> int:
        """How many hosts are probed at the same time."""
        ...

    @property
    def per_address(self) -> int:
        """How many of them at one address."""
        ...

    @property
    def spacing(self) -> float:
        """Seconds between two beginnings at one address."""
        ...

    @property
    def ca_file(self) -> Path | None:
        """More trust roots."""
        ...

    @property
    def helo(self) -> str:
        """The name in EHLO."""
        ...

    @property
    def reference_host(self) -> Name | None:
        """A mail server that surely listens."""
        ...

    @property
    def cache(self) -> Path | None:
        """Where good results are kept."""
        ...

    @property
    def cache_age(self) -> timedelta:
        """How long they count."""
        ...


@dataclass(frozen=True, slots=True)
class SurroundingsWanted:
    """A mail domain to look around; `zone` is its zone's apex, None where it is to be found.

    `observed_hosts` are the hosts of the observed MX, `wanted_hosts` those of the MX that the domain is to have. Only
    where `is_origin_sought` are the names asked for that usually give an origin away: they are many.
    """

    domain: Name
    zone: Name | None
    next_hops: tuple[Name, ...]
    observed_hosts: tuple[Name, ...]
    wanted_hosts: tuple[Name, ...]
    is_origin_sought: bool = True

    @property
    def hosts(self) -> tuple[Name, ...]:
        """Every host that is to be resolved, each once."""
        return tuple(dict.fromkeys((*self.next_hops, *self.observed_hosts, *self.wanted_hosts)))

    @property
    def mx_hosts(self) -> tuple[Name, ...]:
        """The hosts of the observed MX and of the wanted one, each once."""
        return tuple(dict.fromkeys((*self.observed_hosts, *self.wanted_hosts)))

    @property
    def shown_hosts(self) -> tuple[Name, ...]:
        """The names below the domain that give its origin away."""
        labels = SHOWN_LABELS if self.is_origin_sought else ()
        return tuple(name for label in labels if (name := name_below(label, self.domain)) is not None)


@dataclass(frozen=True, slots=True)
class ZoneContent:
    """What a domain's own zone holds; `zone` is its apex, None where it was not found."""

    zone: Name | None
    apex_txt: Observed
    mta_sts_txt: Observed
    wildcard_mx: Observed


def observe_surroundings(
    wanted: Sequence[SurroundingsWanted],
    observe_settings: ObserveSettings,
    probe_settings: ProbeSettings,
    progress: Callable[[int], None] | None = None,
) -> dict[Name, Surroundings]:
    """Look around every domain; `progress` is called with the number of domains done so far.

    Nothing that the network or a file does raises. Where nobody is to be asked, nothing is looked at.

    Raises:
        SettingsError: the `ca_file` cannot be used.

    """
    if isinstance(observe_settings, OfflineSettings):
        return {one.domain: NOT_PROBED for one in wanted}
    if isinstance(observe_settings, ZonefileSettings):
        from reconciler.observe.zonefile_surroundings import look_into_files  # noqa: PLC0415 - lazy: one is needed

        return look_into_files(wanted, _zone_contents(wanted, observe_settings), observe_settings, progress)
    from reconciler.observe.live_surroundings import LiveProbes  # noqa: PLC0415 - lazy: master files need no network

    # first, so that settings that cannot be used are told before anything is asked
    probes = LiveProbes(observe_settings, probe_settings)
    return probes.look_around(wanted, _zone_contents(wanted, observe_settings), progress)


def name_below(label: str, name: Name) -> Name | None:
    """The name one or more labels below another; None where it would be too long to exist (RFC 1035 section 2.3.4)."""
    below = f"{label}." if name == ROOT else f"{label}.{name}"
    try:
        dns.name.from_text(below)
    except dns.name.NameTooLong:
        return None
    return Name(below)


def _zone_contents(
    wanted: Sequence[SurroundingsWanted], settings: DnsSettings | ZonefileSettings
) -> dict[Name, ZoneContent]:
    questions = [question for one in wanted for question in _questions(one)]
    found = {observation.key: observation for observation in build_observer(settings).observe(questions)}
    return {one.domain: _content(one, found) for one in wanted}


def _keys(domain: Name) -> tuple[Key, Key | None, Key | None]:
    policy, wildcard = name_below("_mta-sts", domain), name_below("*", domain)
    return (
        Key(domain, "TXT"),
        None if policy is None else Key(policy, "TXT"),
        None if wildcard is None else Key(wildcard, "MX"),
    )


def _questions(one: SurroundingsWanted) -> Iterator[Question]:
    for key in _keys(one.domain):
        if key is not None:
            yield Question(key, one.domain, one.zone)


def _content(one: SurroundingsWanted, found: dict[Key, Observation]) -> ZoneContent:
    apex_txt, policy, wildcard = _keys(one.domain)
    zone = found[apex_txt].zone
    return ZoneContent(
        None if zone is None else zone.apex,
        found[apex_txt].observed,
        Absent() if policy is None else found[policy].observed,
        Absent() if wildcard is None else found[wildcard].observed,
    )


def not_probed(why: str) -> Unknown:
    """The value of what nobody looked at, and why."""
    return Unknown(Cause.NOT_PROBED, f"not probed: {why}")
