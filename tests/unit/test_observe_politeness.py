"""Politeness: whom to ask how fast, that no second sees more than is documented, and what is told beforehand."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.names import Name, canonical_name
from reconciler.observe import Question
from reconciler.observe.estimate import WORTH_TELLING, duration, estimate_observing, estimate_probing, has_estimate
from reconciler.observe.peer import Peer
from reconciler.observe.politeness import DOCUMENTED, POLITE, POLITE_WINDOW, allowance_of, rate_of, window_of
from reconciler.observe.surroundings import SurroundingsWanted
from reconciler.settings import DnsSettings, OfflineSettings, ProbeSettings, ZonefileSettings
from reconciler.state import Key

OWN = ("192.0.2.53", 53)
OTHER = ("198.51.100.53", 53)
AWS = ("169.254.169.253", 53)
MINE = DnsSettings(servers=(OWN,))


def questions(domains: int, *, each: int = 2, zone: str = "") -> list[Question]:
    """The MX of each mail domain, and values below it."""
    declared = canonical_name(zone) if zone else None
    return [
        Question(key, Name(f"d{d}.example."), declared)
        for d in range(domains)
        for key in [
            Key(Name(f"d{d}.example."), "MX"),
            *(Key(Name(f"t{n}.d{d}.example."), "TXT") for n in range(1, each)),
        ]
    ]


def wanted(count: int, *, hosts: int) -> list[SurroundingsWanted]:
    return [
        SurroundingsWanted(Name(f"d{n}.example."), None, (Name(f"mail{n % hosts}.example."),), (), ())
        for n in range(count)
    ]


def test_servers_of_ones_own_have_no_rate_unless_the_settings_say_one() -> None:
    assert rate_of(OWN, MINE) == 0.0
    assert rate_of(OWN, MINE._replace(rate=400.0)) == 400.0
    assert rate_of(AWS, MINE._replace(servers=(AWS,))) == 0.0


def test_the_settings_rate_is_for_everybody() -> None:
    settings = DnsSettings(rate=12.5)
    assert {rate_of(address, settings) for address in (OWN, OTHER, AWS)} == {12.5}


def test_others_are_asked_politely_and_known_resolvers_as_they_document() -> None:
    settings = DnsSettings()
    assert rate_of(OTHER, settings) < POLITE
    assert rate_of(OTHER, settings) < rate_of(AWS, settings) < 1024
    assert rate_of(("fd00:ec2::253", 53), settings) == rate_of(AWS, settings)
    assert rate_of(("8.8.8.8", 53), settings) > POLITE


@pytest.mark.parametrize("settings", [DnsSettings(), DnsSettings(rate=300.0, per_server=21), MINE._replace(rate=70.0)])
@pytest.mark.parametrize("address", [OTHER, AWS, OWN])
def test_runs_at_the_same_time_share_what_one_may_ask(settings: DnsSettings, address: tuple[str, int]) -> None:
    each = settings._replace(share=7)
    assert rate_of(address, each) * 7 == pytest.approx(rate_of(address, settings))
    if address not in settings.servers:
        assert window_of(address, each) == window_of(address, settings) // 7
    assert window_of(address, settings._replace(share=10_000)) >= 1


def test_addresses_with_a_documented_limit_are_written_as_settings_and_answers_write_them() -> None:
    assert [str(ipaddress.ip_address(address)) for address in DOCUMENTED] == list(DOCUMENTED)


@pytest.mark.parametrize("limit", [*dict.fromkeys(DOCUMENTED.values()), POLITE])
def test_no_second_sees_more_queries_than_the_limit(limit: float) -> None:
    """Not even the one after a pause, which saves up tokens."""
    address = next((a for a, documented in DOCUMENTED.items() if documented == limit), OTHER[0])
    allowance = allowance_of((address, 53), DnsSettings())
    peer = Peer((address, 53), allowance.window, allowance.rate, 2.0, 6.0)
    times = [now for step in range(4000) for now in [5.0 + step / 1000] * peer.take_tokens(3, 5.0 + step / 1000)]
    busiest = max(sum(1 for t in times if start <= t < start + 1) for start in {times[0], *times[::50]})
    assert limit * 0.95 < busiest <= limit


def test_the_window_at_others_is_bounded_however_many_are_in_flight() -> None:
    settings = MINE._replace(in_flight=5000)
    assert window_of(OWN, settings) == 5000
    assert window_of(OTHER, settings) == POLITE_WINDOW
    assert window_of(OTHER, settings._replace(in_flight=50)) == 50
    assert {window_of(a, settings._replace(per_server=7)) for a in (OWN, OTHER)} == {7}
    assert window_of(OTHER, settings._replace(in_flight=5, per_server=7)) == 5


def test_ones_own_servers_are_asked_for_each_mx_which_shows_the_zone_the_values_and_what_confirms_them() -> None:
    settings = MINE._replace(rate=400.0)
    told = estimate_observing(questions(10_000), settings)
    assert told is not None
    assert told.startswith(
        "observing takes 75 s or more: 192.0.2.53:53 is asked 30,000 times, at most 400 times a second"
    )
    two = estimate_observing(questions(10_000), settings._replace(servers=(OWN, OTHER)))
    assert two is not None
    assert "each of 2 servers is asked 30,000 times" in two


def test_zones_that_no_mx_shows_are_asked_for() -> None:
    """Of domains that share one, and where the MX is not asked."""
    settings = MINE._replace(rate=100.0)
    shared = estimate_observing(questions(1_000, zone="shared.example"), settings)
    values = [q for q in questions(1_000) if q.key.type == "TXT"]
    assert shared is not None
    assert "is asked 4,001 times" in shared
    assert "is asked 3,000 times" in (estimate_observing(values, settings) or "")
    assert "is asked 3,000 times" in (estimate_observing(reversed(questions(1_000)), settings) or "")


def test_servers_without_a_rate_give_no_estimate() -> None:
    assert estimate_observing(questions(10_000), MINE) is None


def test_a_server_that_is_named_by_its_host_is_asked_politely() -> None:
    settings = MINE._replace(servers=(("ns1.acme.example", 53), OWN))
    told = estimate_observing(questions(10_000), settings)
    assert told is not None
    assert "each of 2 servers is asked 30,000 times, at most 909.1 times a second" in told


def test_zones_that_are_looked_for_load_the_resolver_and_their_servers_are_not_known() -> None:
    told = estimate_observing(questions(20_000), DnsSettings(resolvers=(AWS, OTHER)))
    assert told is not None
    assert "takes 43 s or more: 169.254.169.253:53 is asked 40,000 times to find the zones, at most 930.9 times" in told
    assert "where all zones have the same name servers it takes 66 s or more: each is asked 60,000 times" in told
    assert "the system's resolver is asked" in (estimate_observing(questions(20_000), DnsSettings()) or "")
    assert "takes 1 s or more" in (estimate_observing(questions(20_000, zone="shared.example"), DnsSettings()) or "")


@pytest.mark.parametrize("settings", [DnsSettings(), DnsSettings(servers=(OWN,), rate=100.0)])
def test_a_short_look_is_not_announced(settings: DnsSettings) -> None:
    assert estimate_observing(questions(100), settings) is None
    assert estimate_observing([], settings) is None


@pytest.mark.parametrize(
    ("settings", "has"),
    [
        (DnsSettings(), True),
        (DnsSettings(rate=0.5), True),
        (MINE, False),
        (MINE._replace(rate=70.0), True),
        (MINE._replace(servers=(OWN, ("ns1.acme.example", 53))), True),
        (OfflineSettings("not asked"), False),
        (ZonefileSettings(Path("zones")), False),
    ],
)
def test_there_is_an_estimate_where_somebody_is_asked_at_a_rate(
    settings: DnsSettings | OfflineSettings | ZonefileSettings, *, has: bool
) -> None:
    """So that nothing need be read for one that would be none."""
    assert has_estimate(settings) is has
    assert has or estimate_observing(questions(50_000), settings) is None


@pytest.mark.parametrize("settings", [OfflineSettings("not asked"), ZonefileSettings(Path("zones"))])
def test_files_are_not_waited_for(settings: OfflineSettings | ZonefileSettings) -> None:
    assert estimate_observing(questions(50_000), settings) is None
    assert estimate_probing(wanted(500, hosts=500), settings, ProbeSettings()) is None


def test_probes_are_bounded_by_hosts_and_not_by_domains() -> None:
    few = estimate_probing(wanted(1000, hosts=1), DnsSettings(), ProbeSettings())
    many = estimate_probing(wanted(1000, hosts=1000), DnsSettings(), ProbeSettings())
    assert few is not None
    assert "up to 4 min where nobody answers (50 at once, 10 s each)" in few
    assert few.endswith(": 1,001 hosts at most")
    assert many is not None
    assert many.endswith(": 2,000 hosts at most")
    assert estimate_probing(wanted(20, hosts=20), DnsSettings(), ProbeSettings()) is None
    assert estimate_probing(wanted(200, hosts=2), DnsSettings(), ProbeSettings(timeout=0.5, spacing=0)) is None


def test_hosts_that_share_an_address_take_turns() -> None:
    told = estimate_probing(wanted(300, hosts=300), DnsSettings(), ProbeSettings(at_once=1000))
    assert told == "probing takes 15 s or more where all share an address (begun 0.05 s apart): 600 hosts at most"


@pytest.mark.parametrize(
    ("seconds", "said"), [(10.1, "11 s"), (119, "119 s"), (121, "3 min"), (7199, "120 min"), (7200, "2.0 h")]
)
def test_times_are_as_exact_as_an_estimate(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@given(st.integers(1, 60), st.floats(0.1, 100.0), st.integers(1, 3))
def test_what_is_told_is_never_less_than_worth_telling(domains: int, rate: float, each: int) -> None:
    """And a higher rate never takes longer."""
    settings = MINE._replace(rate=rate)
    asked = questions(domains, each=each)
    told = estimate_observing(asked, settings)
    assert (told is not None) == ((2 * each - 1) * domains / rate > WORTH_TELLING)
    if told is None:
        assert estimate_observing(asked, settings._replace(rate=2 * rate)) is None
