"""Whether port 25 is open here at all: silence and refusals in the light of a host that surely listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from servers.bind import run_bind
from servers.mail_peers import run_peer, serving, silent_port
from servers.probing import Probing, look_around, wanted
from servers.processes import free_port

from reconciler.names import Name
from reconciler.state import Cause, Unknown
from reconciler.surroundings import SmtpRefusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.processes import NameServer

pytestmark = pytest.mark.integration

HEAD = "$TTL 300\n@ IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n"
HOSTS = "mail IN A 127.0.0.2\nmail IN AAAA ::1\ntwo IN A 127.0.0.3\ntwo IN A 127.0.0.2\nthree IN A 127.0.0.4\n"
ZONES = {"acme.example.": HEAD + HOSTS, "gateway.example.": f"{HEAD}reference IN A 127.0.0.5\n"}
MAIL, REFERENCE = Name("mail.acme.example."), Name("reference.gateway.example.")
DOMAIN = Name("acme.example.")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with run_bind(ZONES, directory=tmp_path_factory.mktemp("bind")) as server:
        yield server


def cause(value: object) -> Cause:
    assert isinstance(value, Unknown), value
    return value.cause


def smtp_of_mail(names: NameServer, port: int, reference: Name | None) -> object:
    settings = Probing(smtp_port=port, timeout=1, reference_host=reference)
    one = wanted("acme.example", next_hops="mail.acme.example")
    return look_around(names, settings, one)[DOMAIN].smtp[MAIL]


def test_silence_where_the_reference_answers_is_the_hosts_own(names: NameServer) -> None:
    with (
        silent_port("127.0.0.2") as (_, port),
        run_peer(serving(), address="127.0.0.5", port=port) as reference,
    ):
        assert cause(smtp_of_mail(names, port, REFERENCE)) is Cause.TIMEOUT
        assert reference.visits(1) == 1


def test_silence_everywhere_is_a_closed_port_here(names: NameServer) -> None:
    with silent_port("127.0.0.2") as (_, port), silent_port("127.0.0.5", port):
        found = smtp_of_mail(names, port, REFERENCE)
    assert isinstance(found, Unknown)
    assert found.cause is Cause.NOT_PROBED
    assert found.detail.startswith(f"not probed: port {port} is closed here")


def test_silence_without_a_reference_that_can_be_asked(names: NameServer) -> None:
    with silent_port("127.0.0.2") as (_, port):
        assert cause(smtp_of_mail(names, port, None)) is Cause.TIMEOUT
        assert cause(smtp_of_mail(names, port, Name("nothing.gateway.example."))) is Cause.TIMEOUT


def test_refusal_is_the_hosts_own_unless_the_reference_is_refused_too(names: NameServer) -> None:
    port = free_port("127.0.0.2")
    with run_peer(serving(), address="127.0.0.5", port=port):
        assert isinstance(smtp_of_mail(names, port, REFERENCE), SmtpRefusal)
    with silent_port("127.0.0.5", port):
        assert isinstance(smtp_of_mail(names, port, REFERENCE), SmtpRefusal)
    assert cause(smtp_of_mail(names, port, REFERENCE)) is Cause.NOT_PROBED


def test_reference_is_not_asked_without_need_and_then_once(names: NameServer) -> None:
    with run_peer(serving(), address="127.0.0.5") as reference:
        settings = Probing(smtp_port=reference.port, reference_host=REFERENCE)
        with run_peer(serving(), address="127.0.0.2", port=reference.port):
            look_around(names, settings, wanted("acme.example", next_hops="mail.acme.example"))
        assert not reference.conversations
        hops = "mail.acme.example two.acme.example three.acme.example"
        look_around(names, settings, wanted("acme.example", next_hops=hops))
        assert reference.visits(1) == 1
