"""Web servers on loopback that serve an MTA-STS policy as a script says."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from servers.mail_peers import run_peer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from servers.mail_peers import Conversation, Peer, Script

POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mail.acme.example\r\nmx: *.acme.example\r\nmax_age: 86400\r\n"
PLAIN = "text/plain; charset=utf-8"


def answer(body: str, *, status: str = "200 OK", content_type: str = PLAIN, more: str = "") -> bytes:
    """A whole HTTP answer; `more` are header lines."""
    octets = body.encode("utf-8")
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(octets)}\r\n{more}\r\n"
    return head.encode("ascii") + octets


def web_script(context: ssl.SSLContext, act: Script) -> Script:
    """Waits for TLS and for a request's head, and then acts."""

    def script(conversation: Conversation) -> None:
        try:
            conversation.begin_tls(context)
        except ssl.SSLError:
            return  # a client that refuses the certificate
        while conversation.hear():
            pass
        act(conversation)

    return script


def serving_policy(
    context: ssl.SSLContext, octets: bytes, *, address: str = "127.0.0.1", port: int = 0
) -> AbstractContextManager[Peer]:
    """A web server that gives the same answer to every request."""
    return run_peer(web_script(context, lambda conversation: conversation.say(octets)), address=address, port=port)
