"""Surroundings from master files: as far as the files go, and without any network, which unit tests do not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from servers.probing import Probing, wanted

from reconciler.names import ROOT, Name
from reconciler.observe.surroundings import name_below, observe_surroundings
from reconciler.state import Absent, Cause, Present, Unknown
from reconciler.surroundings import HostSight

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.observe.surroundings import SurroundingsWanted
    from reconciler.surroundings import Surroundings

HEAD = "$TTL 300\n@ IN SOA ns hostmaster 1 2 3 4 5\n@ IN NS ns\n"
ACME = f"""{HEAD}
@ IN TXT "v=spf1 mx -all"
@ IN MX 10 mail
mail IN A 192.0.2.1
mail IN A 192.0.2.2
mail IN AAAA 2001:db8::1
smtp IN CNAME Mail
webmail IN CNAME smtp
owa IN CNAME mail.elsewhere.example.
exchange IN CNAME loop
loop IN CNAME exchange
mx IN TXT "no address"
cross IN CNAME mail.other.example.
*.apps IN A 192.0.2.7
"""
OTHER = f'{HEAD}_mta-sts IN TXT "v=STSv1; id=1"\nmail IN A 192.0.2.9\n* IN MX 10 mail\n'
DOMAIN = Name("acme.example.")


@dataclass(frozen=True)
class Files:
    """`ZonefileSettings`."""

    directory: Path
    extension: str = ".zone"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "acme.example.zone").write_text(ACME)
    (tmp_path / "other.example.zone").write_text(OTHER)
    return Files(tmp_path)


def around(files: Files, *domains: SurroundingsWanted) -> dict[Name, Surroundings]:
    return observe_surroundings(domains, files, Probing())


def cause(value: object) -> Cause:
    assert isinstance(value, Unknown), value
    return value.cause


def test_hosts_as_far_as_the_files_go(files: Files) -> None:
    one = wanted("acme.example", next_hops="mail.elsewhere.example x.apps.acme.example cross.acme.example")
    found = around(files, one)[DOMAIN]
    mail = ("192.0.2.1", "192.0.2.2", "2001:db8::1")
    shown = {name.removesuffix(".acme.example."): host for name, host in found.shown_hosts.items()}
    assert shown["mail"] == HostSight(mail)
    assert shown["smtp"] == HostSight(mail, Name("mail.acme.example."))
    assert shown["webmail"] == HostSight(mail, Name("smtp.acme.example."))
    assert shown["mx"] == shown["autodiscover"] == Absent()
    assert cause(shown["owa"]) is Cause.NO_SUCH_ZONE
    assert cause(shown["exchange"]) is Cause.CNAME
    assert cause(found.hosts[Name("mail.elsewhere.example.")]) is Cause.NO_SUCH_ZONE
    assert cause(found.hosts[Name("x.apps.acme.example.")]) is Cause.NOT_PROBED
    assert found.hosts[Name("cross.acme.example.")] == HostSight(("192.0.2.9",), Name("mail.other.example."))


def test_what_needs_a_network_is_not_probed(files: Files) -> None:
    one = wanted("other.example", next_hops="mail.acme.example", observed="mail.acme.example", desired="eu.mx-pp.com")
    found = around(files, one)[Name("other.example.")]
    unprobed = [found.mta_sts, found.dnssec, *found.smtp.values(), *found.tlsa.values()]
    assert len(unprobed) == 6
    for value in unprobed:
        assert cause(value) is Cause.NOT_PROBED
        assert "master files" in str(value)
        assert "no network" in str(value)


def test_what_the_zone_itself_holds(files: Files) -> None:
    found = around(files, wanted("acme.example"), wanted("other.example"), wanted("elsewhere.example"))
    acme, other, elsewhere = found.values()
    assert isinstance(acme.apex_txt, Present)
    assert acme.wildcard_mx == Absent()
    assert acme.mta_sts == Absent()
    assert isinstance(other.wildcard_mx, Present)
    assert cause(elsewhere.mta_sts) is cause(elsewhere.apex_txt) is Cause.NO_SUCH_ZONE


def test_null_mx_is_no_host(files: Files) -> None:
    one = wanted("acme.example")
    one = type(one)(one.domain, one.zone, (), (ROOT,), ())
    assert around(files, one)[DOMAIN].hosts == {ROOT: Absent()}


def test_progress_counts_domains(files: Files) -> None:
    done: list[int] = []
    observe_surroundings([wanted("acme.example"), wanted("other.example")], files, Probing(), done.append)
    assert done == [1, 2]


def test_name_below() -> None:
    assert name_below("mail", DOMAIN) == "mail.acme.example."
    assert name_below("mail", ROOT) == "mail."
    assert name_below("mail", Name("x" * 60 + "." + "y" * 60 + "." + "z" * 60 + "." + "w" * 60 + ".example.")) is None
