"""The overlay on stock octoDNS providers: PowerDNS and RFC 2136 against real servers, and YAML files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest
from apply_builders import FOREIGN, OLD, OURS, TOKEN_KEY, ZONE, Rows, build_change, rows
from octodns.provider.yaml import YamlProvider
from octodns_bind import Rfc2136Provider
from octodns_powerdns import PowerDnsProvider
from servers.bind import run_bind
from servers.powerdns import run_powerdns
from servers.processes import NameServer, TsigKey, free_port

from reconciler.apply import ApplyError, CannotCarryError, NoSuchZoneError, StaleError
from reconciler.apply.comparison import CnameConflictError, DelegatedError
from reconciler.apply.overlay import OverlayWriter
from reconciler.names import canonical_name
from reconciler.state import Key, Rdata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from octodns.provider.base import BaseProvider

    from reconciler.diff import Change

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:octodns_powerdns"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:octodns_bind"),
]

MX_KEY = Key(ZONE, "MX")
LONG = Rdata(f'"{"k" * 255}" "{"k" * 45}"')
SEMICOLONS = Rdata('"v=DMARC1; p=none; rua=mailto:x@example.net"')


def zone_text(apex: str, *tokens: str) -> str:
    lines = [
        f"$ORIGIN {apex}",
        "$TTL 300",
        "@ IN SOA ns hostmaster 2026010101 3600 600 86400 300",
        "@ IN NS ns",
        "ns IN A 127.0.0.1",
        "@ 600 IN MX 10 mail",
        "mail IN A 192.0.2.25",
        r'other IN TXT "trailing backslash\\" "second"',
        r'other IN TXT "a\"b"',
        "alias IN CNAME mail",
        "sub IN NS ns.elsewhere.example.",
        'hinfo IN HINFO "a" "b"',
        *(f"_amazonses IN TXT {token}" for token in tokens),
    ]
    return "\n".join(lines) + "\n"


# a zone for each test that writes, so that none depends on another
ZONES = {
    f"{name}.example.": zone_text(f"{name}.example.", *tokens)
    for name, tokens in {
        "acme": (),
        "life": (),
        "mixed": (OLD, FOREIGN, LONG, SEMICOLONS),
        "nasty": (OLD, r'"back\\slash"'),
        "split": (OLD, '"two" "strings"'),
        "raced": (OLD, FOREIGN),
    }.items()
}


@dataclass(frozen=True)
class Target:
    """A server, and how a stock provider reaches it."""

    server: NameServer
    make: Callable[[], BaseProvider]
    make_unreachable: Callable[[], BaseProvider]

    def write(self, zone: str, *changes: Change) -> None:
        """Write through the overlay."""
        OverlayWriter(self.make, provider_id="stock").write(canonical_name(zone), changes)

    def rows(self, zone: str) -> Rows:
        """The zone as a transfer shows it."""
        return rows(self.server.axfr(canonical_name(zone)))


@pytest.fixture(scope="module", params=["powerdns", "bind"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    kind: Literal["powerdns", "bind"] = request.param
    directory = tmp_path_factory.mktemp(kind)
    if kind == "powerdns":
        with run_powerdns(ZONES, directory=directory) as powerdns:
            block = {"host": powerdns.address, "api_key": powerdns.api_key}
            yield Target(
                powerdns,
                lambda: PowerDnsProvider("stock", port=powerdns.api_port, **block),
                lambda: PowerDnsProvider("stock", port=free_port(powerdns.address), **block),
            )
        return
    key = TsigKey()
    with run_bind(ZONES, directory=directory, key=key) as bind:
        tsig = {"key_name": key.name, "key_secret": key.secret, "key_algorithm": key.algorithm, "timeout": 5}
        yield Target(
            bind,
            lambda: Rfc2136Provider("stock", bind.address, port=bind.port, **tsig),
            lambda: Rfc2136Provider("stock", bind.address, port=free_port(bind.address), **tsig),
        )


def change_in(zone: str, **values: tuple[str, ...] | int) -> Change:
    apex = canonical_name(zone)
    key = Key(canonical_name(f"_amazonses.{zone}"), "TXT")
    return build_change(key=key, zone=apex, **values)  # type: ignore[arg-type]


def test_creates_updates_retimes_and_deletes(target: Target) -> None:
    zone = "life.example"
    key = Key(canonical_name(f"_amazonses.{zone}"), "TXT")
    before = target.rows(zone)
    target.write(zone, change_in(zone, after=(OLD,)))
    target.write(zone, change_in(zone, before=(OLD,), after=(OURS,)))
    assert target.rows(zone) == {**before, key: (300, frozenset({OURS}))}
    target.write(zone, change_in(zone, before=(OURS,), after=(OURS,), ttl_before=300, ttl=60))
    assert target.rows(zone)[key] == (60, frozenset({OURS}))
    target.write(zone, change_in(zone, before=(OURS,), after=(OURS,), ttl=60))
    target.write(zone, change_in(zone, before=(OURS,), ttl=60))
    assert target.rows(zone) == before


def test_carried_foreign_values_and_everything_else_stay_byte_for_byte(target: Target) -> None:
    zone = "mixed.example"
    before = target.rows(zone)
    key = Key(canonical_name(f"_amazonses.{zone}"), "TXT")
    foreign = (FOREIGN, LONG, SEMICOLONS)
    mx_key = Key(canonical_name(zone), "MX")
    mx = build_change(key=mx_key, before=(f"10 mail.{zone}.",), after=("0 eu.mx-pp.com.",), ttl=600)
    target.write(zone, change_in(zone, before=(OLD,), after=(OURS,), foreign=foreign), mx)
    wanted: Rows = {key: (300, frozenset({OURS, *foreign})), mx_key: (600, frozenset({Rdata("0 eu.mx-pp.com.")}))}
    assert target.rows(zone) == before | wanted


@pytest.mark.parametrize(
    ("zone", "foreign"), [("nasty.example", r'"back\\slash"'), ("split.example", '"two" "strings"')]
)
def test_values_that_octodns_would_alter_are_refused_and_stay(target: Target, zone: str, foreign: str) -> None:
    before = target.rows(zone)
    with pytest.raises(CannotCarryError, match="may alter"):
        target.write(zone, change_in(zone, before=(OLD,), after=(OURS,), foreign=(foreign,)))
    assert target.rows(zone) == before


def test_a_value_that_came_after_the_plan_is_kept_and_the_change_is_stale(target: Target) -> None:
    zone = "raced.example"
    before = target.rows(zone)
    for change in (change_in(zone, before=(OLD,), after=(OURS,)), change_in(zone, before=(OLD,))):
        with pytest.raises(StaleError, match="somebody else"):
            target.write(zone, change)
    assert target.rows(zone) == before


def test_an_unknown_zone_is_never_created(target: Target) -> None:
    """Over RFC 2136 octoDNS cannot tell an unknown zone from another failed transfer."""
    with pytest.raises(ApplyError):
        target.write("unknown.example", change_in("unknown.example", after=(OURS,)))
    assert not target.server.query("unknown.example.", "SOA").answer


@pytest.mark.parametrize(
    ("name", "error"), [("alias.acme.example", CnameConflictError), ("x.sub.acme.example", DelegatedError)]
)
def test_names_that_cannot_answer_are_refused(target: Target, name: str, error: type[ApplyError]) -> None:
    before = target.rows("acme.example")
    with pytest.raises(error):
        target.write("acme.example", build_change(key=Key(canonical_name(name), "TXT"), after=(OURS,)))
    assert target.rows("acme.example") == before


def test_a_server_that_is_down_is_said(target: Target) -> None:
    writer = OverlayWriter(target.make_unreachable, provider_id="stock")
    with pytest.raises(ApplyError, match=r"provider stock cannot read acme\.example\., so nothing was written"):
        writer.write(ZONE, [build_change(after=(OURS,))])


YAML = """\
---
? ''
: ttl: 600
  type: MX
  value: {exchange: mail.acme.example., preference: 10}
_amazonses:
  ttl: 300
  type: TXT
  values: [our-old-token, somebody else]
www:
  type: A
  value: 192.0.2.1
"""


def test_yaml_files_are_a_target_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "acme.example.yaml").write_text(YAML)

    def make() -> YamlProvider:
        return YamlProvider("files", str(tmp_path))

    writer = OverlayWriter(make, provider_id="files")
    mx = build_change(key=MX_KEY, before=("10 mail.acme.example.",), after=("0 eu.mx-pp.com.",), ttl=600)
    writer.write(ZONE, [build_change(before=(OLD,), after=(OURS,), foreign=(FOREIGN,)), mx])
    text = (tmp_path / "acme.example.yaml").read_text()
    assert "192.0.2.1" in text
    assert "somebody else" in text
    assert "our-old-token" not in text
    with pytest.raises(StaleError):
        writer.write(ZONE, [build_change(key=TOKEN_KEY, before=(OLD,), after=(OURS,), foreign=(FOREIGN,))])
    assert (tmp_path / "acme.example.yaml").read_text() == text


def test_a_yaml_zone_that_is_not_there_is_never_created(tmp_path: Path) -> None:
    writer = OverlayWriter(lambda: YamlProvider("files", str(tmp_path)), provider_id="files")
    with pytest.raises(NoSuchZoneError):
        writer.write(ZONE, [build_change(after=(OURS,))])
    assert list(tmp_path.iterdir()) == []
