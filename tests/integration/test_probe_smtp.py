"""One address of a mail server, against servers that are good, old, broken and hostile."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from servers.mail_peers import (
    GREETING,
    answering,
    ehlo_reply,
    expired_certificate,
    hear,
    run_peer,
    say,
    secure,
    self_signed,
    server_context,
    serving,
    steps,
    wait,
)
from servers.probing import PATIENCE, probe, probed
from servers.processes import free_port

from reconciler.observe.smtp import Outcome, Reach
from reconciler.observe.tls import build_contexts
from reconciler.state import Cause, Unknown
from reconciler.surroundings import SmtpSight, TlsSight

if TYPE_CHECKING:
    from pathlib import Path

    from servers.mail_peers import Conversation, Script

    from reconciler.observe.tls import TlsContexts

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def contexts(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> TlsContexts:
    file = tmp_path_factory.mktemp("roots") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return build_contexts(file)


def sight(script: Script, contexts: TlsContexts) -> SmtpSight:
    outcome = probed(script, contexts, seconds=10)
    assert isinstance(outcome.smtp, SmtpSight), outcome
    assert outcome.reach is Reach.CONNECTED
    return outcome.smtp


def unknown(script: Script, contexts: TlsContexts, cause: Cause) -> str:
    outcome = probed(script, contexts)
    assert isinstance(outcome.smtp, Unknown), outcome
    assert outcome.smtp.cause is cause, outcome
    assert outcome.reach is Reach.CONNECTED
    return outcome.smtp.detail


def test_good_server_sees_one_connection_and_no_mail(authority: trustme.CA, contexts: TlsContexts) -> None:
    tls = server_context(authority.issue_cert("mail.acme.example", "*.Acme.example"))
    with run_peer(serving("SIZE 10", tls=tls, tls_keywords=["PIPELINING", "SIZE 52428800"])) as peer:
        outcome = probe(peer.endpoint, contexts)
    assert outcome == Outcome(
        SmtpSight(52428800, TlsSight("TLSv1.3", ("mail.acme.example", "*.acme.example"))), Reach.CONNECTED
    )
    assert peer.heard == [["EHLO probe.example", "STARTTLS", "EHLO probe.example", "QUIT"]]


@pytest.mark.parametrize(
    ("newest", "version"),
    [(ssl.TLSVersion.TLSv1, "TLSv1"), (ssl.TLSVersion.TLSv1_1, "TLSv1.1"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")],
)
def test_version_is_seen_however_old(
    authority: trustme.CA, contexts: TlsContexts, newest: ssl.TLSVersion, version: str
) -> None:
    tls = server_context(authority.issue_cert("mail.acme.example"), newest=newest)
    seen = sight(serving("SIZE 0", tls=tls), contexts)
    assert seen == SmtpSight(0, TlsSight(version, ("mail.acme.example",)))


def test_wrong_name_is_no_problem_of_chain_and_dates(authority: trustme.CA, contexts: TlsContexts) -> None:
    seen = sight(serving(tls=server_context(authority.issue_cert("other.example"))), contexts)
    assert seen.tls == TlsSight("TLSv1.3", ("other.example",))


def test_expired_certificate(authority: trustme.CA, contexts: TlsContexts) -> None:
    seen = sight(serving("SIZE", tls=server_context(expired_certificate(authority, "mail.acme.example"))), contexts)
    assert seen == SmtpSight(None, TlsSight("TLSv1.3", ("mail.acme.example",), "certificate has expired"))


@pytest.mark.parametrize(
    ("names", "shown"),
    [((), ("appliance.local",)), (("mail.acme.example",), ("mail.acme.example",))],
    ids=["common name alone", "alternative name"],
)
def test_self_signed_certificate(
    tmp_path: Path, contexts: TlsContexts, names: tuple[str, ...], shown: tuple[str, ...]
) -> None:
    tls = server_context(self_signed(tmp_path / "own.pem", "appliance.local", names=names))
    seen = sight(serving(tls=tls), contexts)
    assert seen.tls == TlsSight("TLSv1.3", shown, "self-signed certificate")


def test_unknown_authority_and_old_version_at_once(contexts: TlsContexts) -> None:
    tls = server_context(trustme.CA().issue_cert("mail.acme.example"), newest=ssl.TLSVersion.TLSv1_1)
    with run_peer(serving(tls=tls)) as peer:
        outcome = probe(peer.endpoint, contexts)
    assert isinstance(outcome.smtp, SmtpSight)
    problem = "unable to get local issuer certificate"
    assert outcome.smtp.tls == TlsSight("TLSv1.1", ("mail.acme.example",), problem)
    assert len(peer.conversations) == 3


@pytest.mark.parametrize(
    ("announced", "size"),
    [([], None), (["SIZE"], None), (["SIZE 0"], 0), (["SIZE 10240000"], 10240000), (["size 52428800"], 52428800)]
    + [([f"SIZE {wrong}"], None) for wrong in ("-1", "many", "9" * 400)],
)
def test_size(contexts: TlsContexts, announced: list[str], size: int | None) -> None:
    assert sight(serving(*announced), contexts) == SmtpSight(size, None, "STARTTLS is not offered")


def test_real_server_without_starttls(contexts: TlsContexts) -> None:
    controller = Controller(Sink(), hostname="127.0.0.1", port=free_port("127.0.0.1"), data_size_limit=33554432)
    controller.start()
    try:
        outcome = probe((controller.hostname, controller.port), contexts)
    finally:
        controller.stop()
    assert outcome.smtp == SmtpSight(33554432, None, "STARTTLS is not offered")


def test_real_server_with_starttls(authority: trustme.CA, contexts: TlsContexts) -> None:
    tls = server_context(authority.issue_cert("mail.acme.example"))
    controller = Controller(Sink(), hostname="127.0.0.1", port=free_port("127.0.0.1"), tls_context=tls)
    controller.start()
    try:
        outcome = probe((controller.hostname, controller.port), contexts)
    finally:
        controller.stop()
    assert outcome.smtp == SmtpSight(33554432, TlsSight("TLSv1.3", ("mail.acme.example",)))


def test_server_from_before_ehlo(contexts: TlsContexts) -> None:
    seen = sight(answering(GREETING, b"502 5.5.2 what?\r\n", b"221 bye\r\n"), contexts)
    assert seen == SmtpSight(None, None, "the server does not know EHLO: 502 5.5.2 what?")


def starttls_then(act: Script) -> Script:
    return steps(say(GREETING), hear, say(ehlo_reply("STARTTLS", "SIZE 7")), hear, act)


NO_TLS = {
    "refused": (say(b"454 4.7.0 TLS not available\r\n"), "STARTTLS is offered and refused: 454 4.7.0"),
    "plaintext": (steps(say(b"220 go\r\n"), wait(0.2), say(b"250 still here\r\n")), "wrong version number"),
    "plaintext at once": (say(b"220 go\r\n250 injected\r\n"), "more than its reply to STARTTLS"),
    "closed": (say(b"220 go\r\n"), "the connection is closed: no TLS session"),
    "reset": (lambda c: c.reset(), "the connection is closed: no answer to STARTTLS"),
    "garbage": (say(b"tls? here you are\r\n"), "which is no SMTP reply"),
}


@pytest.mark.parametrize("name", NO_TLS)
def test_starttls_that_leads_to_no_session(name: str, contexts: TlsContexts) -> None:
    act, problem = NO_TLS[name]
    seen = sight(starttls_then(act), contexts)
    assert (seen.size, seen.tls) == (7, None)
    assert problem in seen.tls_problem


def test_handshake_that_never_ends_is_unknown(contexts: TlsContexts) -> None:
    script = starttls_then(steps(say(b"220 go\r\n"), wait(PATIENCE + 1)))
    assert "no TLS session within" in unknown(script, contexts, Cause.TIMEOUT)


def test_what_was_seen_outlives_a_server_that_hangs_after_it(authority: trustme.CA, contexts: TlsContexts) -> None:
    tls = server_context(authority.issue_cert("mail.acme.example"))
    script = starttls_then(steps(say(b"220 go\r\n"), secure(tls), hear, wait(PATIENCE + 1)))
    outcome = probed(script, contexts)
    assert outcome.smtp == SmtpSight(7, TlsSight("TLSv1.3", ("mail.acme.example",)))


def test_refused_when_connected_to_again(tmp_path: Path, contexts: TlsContexts) -> None:
    honest = serving("SIZE 7", tls=server_context(self_signed(tmp_path / "own.pem", "mail.acme.example")))
    visits = []

    def script(conversation: Conversation) -> None:
        visits.append(conversation)
        (honest if len(visits) == 1 else answering(b"421 too many connections\r\n"))(conversation)

    seen = sight(script, contexts)
    assert (seen.size, seen.tls) == (7, None)
    assert seen.tls_problem.startswith("self-signed certificate; it was connected to again")
    assert "421 too many connections" in seen.tls_problem
