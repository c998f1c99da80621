"""Mail servers that do not talk, talk something else, or never stop: each is told apart, in time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from servers.mail_peers import GREETING, answering, hear, say, silent_port, steps
from servers.probing import probe, probed
from servers.processes import free_port

from reconciler.observe.smtp import Outcome, Reach
from reconciler.observe.tls import build_contexts
from reconciler.state import Cause, Unknown
from reconciler.surroundings import SmtpRefusal

if TYPE_CHECKING:
    from servers.mail_peers import Conversation, Script

    from reconciler.observe.tls import TlsContexts

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def contexts() -> TlsContexts:
    return build_contexts(None)


def unknown(script: Script, contexts: TlsContexts, cause: Cause) -> str:
    outcome = probed(script, contexts)
    assert isinstance(outcome.smtp, Unknown), outcome
    assert outcome.smtp.cause is cause, outcome
    assert outcome.reach is Reach.CONNECTED
    return outcome.smtp.detail


def refusal(script: Script, contexts: TlsContexts) -> str:
    outcome = probed(script, contexts)
    assert isinstance(outcome.smtp, SmtpRefusal), outcome
    assert outcome.reach is Reach.CONNECTED
    return outcome.smtp.detail


def endless(chunk: bytes, *, octets: int = 100 * 1024 * 1024) -> Script:
    def script(conversation: Conversation) -> None:
        for _ in range(octets // len(chunk)):
            conversation.say(chunk)

    return script


MALFORMED = {
    "100 MB of banner in one line": (endless(b"220-" + b"x" * 65532), "a line is longer"),
    "100 MB of banner in lines": (endless(b"220-more\r\n" * 5000), "more than 128 lines"),
    "100 MB of long lines": (endless(b"220-" + b"x" * 2000 + b"\r\n"), "more than 65536 octets"),
    "endless EHLO lines": (
        steps(say(GREETING), hear, endless(b"250-AGAIN\r\n" * 5000)),
        "more than 128 lines",
    ),
    "garbage": (answering(b"\x00\xff\x1b[31mSSH-2.0-OpenSSH\r\n"), r"\x00\xff\x1b[31mSSH-2.0-OpenSSH"),
    "another protocol": (answering(b"+OK POP3 ready\r\n"), "no SMTP reply"),
    "codes that differ": (answering(b"220-one\r\n250 two\r\n"), "no SMTP reply"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_smtp_is_unknown(name: str, contexts: TlsContexts) -> None:
    script, detail = MALFORMED[name]
    assert detail in unknown(script, contexts, Cause.MALFORMED)


def drip(conversation: Conversation) -> None:
    for octet in b"220-mail.acme.example says hello very slowly\r\n" * 9:
        conversation.say(bytes([octet]))
        time.sleep(0.2)


TIMEOUTS = {
    "tarpit": (drip, "greeting"),
    "silence": (hear, "greeting"),
    "silence after EHLO": (steps(say(GREETING), hear, hear), "answer to EHLO"),
}


@pytest.mark.parametrize("name", TIMEOUTS)
def test_tarpits_end_in_time(name: str, contexts: TlsContexts) -> None:
    script, stage = TIMEOUTS[name]
    assert f"no {stage} within 1 s" in unknown(script, contexts, Cause.TIMEOUT)


REFUSALS = {
    "554": (answering(b"554-go\r\n554 away\x1b[0m\r\n"), r"answers: 554 go away\x1b[0m"),
    "421": (answering(b"421 4.3.2 busy\r\n"), "answers: 421 4.3.2 busy"),
    "550 to EHLO": (answering(GREETING, b"550 5.7.1 no\r\n"), "answers: 550 5.7.1 no"),
    "closed at once": (lambda c: c.sock.close(), "closes the connection: no greeting"),
    "reset at once": (lambda c: c.reset(), "closes the connection: no greeting"),
    "closed after the greeting": (say(GREETING), "closes the connection: no answer to EHLO"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_reached_and_does_not_talk(name: str, contexts: TlsContexts) -> None:
    script, detail = REFUSALS[name]
    assert detail in refusal(script, contexts)


def test_nobody_listens(contexts: TlsContexts) -> None:
    port = free_port("127.0.0.1")
    expected = SmtpRefusal(f"127.0.0.1:{port} refuses the connection")
    assert probe(("127.0.0.1", port), contexts) == Outcome(expected, Reach.REFUSED)


def test_dropped_packets(contexts: TlsContexts) -> None:
    with silent_port() as endpoint:
        outcome = probe(endpoint, contexts)
    assert outcome.reach is Reach.SILENT
    assert isinstance(outcome.smtp, Unknown)
    assert outcome.smtp.cause is Cause.TIMEOUT
    assert "no connection within 1 s" in outcome.smtp.detail
