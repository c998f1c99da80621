"""Mail servers on loopback that behave as a script says, and certificates for them."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import struct
import threading
import time
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Script = Callable[["Conversation"], None]

PEER_SECONDS = 30.0
GREETING = b"220 mail.acme.example ESMTP\r\n"


@dataclass
class Conversation:
    """One connection of a peer: `heard` are the lines that the client has sent."""

    sock: socket.socket
    heard: list[str] = field(default_factory=list)
    _buffer: bytes = b""

    def say(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.sock.sendall(octets)

    def hear(self) -> str:
        """The next line of the client; empty when it is gone."""
        while b"\n" not in self._buffer:
            octets = self.sock.recv(4096)
            if not octets:
                return ""
            self._buffer += octets
        line, _, self._buffer = self._buffer.partition(b"\n")
        self.heard.append(line.decode("latin-1").rstrip("\r"))
        return self.heard[-1]

    def begin_tls(self, context: ssl.SSLContext) -> None:
        """Wait for the client's handshake."""
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def reset(self) -> None:
        """End the connection with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@dataclass
class Peer:
    """A running peer and the conversations that it has had."""

    address: str
    port: int
    conversations: list[Conversation] = field(default_factory=list)

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where it listens."""
        return self.address, self.port

    def visits(self, expected: int) -> int:
        """How many connections it has had, waited for a little until they are as many as expected."""
        deadline = time.monotonic() + PEER_SECONDS / 10
        while len(self.conversations) < expected and time.monotonic() < deadline:
            time.sleep(0.01)
        return len(self.conversations)

    @property
    def heard(self) -> list[list[str]]:
        """The client's lines in each conversation."""
        return [conversation.heard for conversation in self.conversations]


@contextmanager
def run_peer(script: Script, *, address: str = "127.0.0.1", port: int = 0) -> Iterator[Peer]:
    """A peer that runs `script` in a thread for each connection, until the end of the block."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family, backlog=256) as listener:
        peer = Peer(address, int(listener.getsockname()[1]))

        def converse(conversation: Conversation) -> None:
            # a client that goes away in the middle, as some tests make it, ends the conversation
            with suppress(OSError), conversation.sock:
                script(conversation)
            with suppress(OSError):
                conversation.sock.close()

        def accept() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                sock.settimeout(PEER_SECONDS)
                peer.conversations.append(Conversation(sock))
                threading.Thread(target=converse, args=(peer.conversations[-1],), daemon=True).start()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield peer
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(PEER_SECONDS)
            for conversation in peer.conversations:
                with suppress(OSError):
                    conversation.sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def silent_port(address: str = "127.0.0.1", port: int = 0) -> Iterator[tuple[str, int]]:
    """A port whose queue of connections is full: the kernel drops every SYN, as a filter does."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(0)
        endpoint = listener.getsockname()
        fillers = []
        try:
            for _ in range(4):
                filler = socket.socket()
                filler.settimeout(0)
                filler.connect_ex(endpoint)
                fillers.append(filler)
            time.sleep(0.1)
            yield str(endpoint[0]), int(endpoint[1])
        finally:
            for filler in fillers:
                filler.close()


def serving(*keywords: str, tls: ssl.SSLContext | None = None, tls_keywords: Sequence[str] | None = None) -> Script:
    """An honest server that announces `keywords`, with STARTTLS where there is a context."""

    def script(conversation: Conversation) -> None:
        conversation.say(GREETING)
        announced = [*keywords, *(["STARTTLS"] if tls else [])]
        while command := conversation.hear():
            verb = command.split(" ")[0].upper()
            if verb == "EHLO":
                conversation.say(ehlo_reply(*announced))
            elif verb == "STARTTLS" and tls is not None:
                conversation.say(b"220 go ahead\r\n")
                conversation.begin_tls(tls)
                announced = list(keywords if tls_keywords is None else tls_keywords)
            elif verb == "QUIT":
                conversation.say(b"221 bye\r\n")
                return
            else:
                conversation.say(b"502 no\r\n")

    return script


def say(octets: bytes) -> Script:
    """A step: send octets."""
    return lambda conversation: conversation.say(octets)


def hear(conversation: Conversation) -> None:
    """A step: wait for a line."""
    conversation.hear()


def wait(seconds: float) -> Script:
    """A step: do nothing."""
    return lambda _: time.sleep(seconds)


def secure(context: ssl.SSLContext) -> Script:
    """A step: wait for the client's handshake."""
    return lambda conversation: conversation.begin_tls(context)


def steps(*acts: Script) -> Script:
    """One step after the other, and then the end of the connection."""

    def script(conversation: Conversation) -> None:
        for act in acts:
            act(conversation)

    return script


def ehlo_reply(*keywords: str) -> bytes:
    """A reply to EHLO."""
    lines = ["mail.acme.example", *keywords]
    marks = ["-"] * (len(lines) - 1) + [" "]
    return "".join(f"250{mark}{line}\r\n" for mark, line in zip(marks, lines, strict=True)).encode("ascii")


def answering(*turns: bytes) -> Script:
    """Says the first turn, and each other one after a line of the client; then waits until the client is gone."""

    def script(conversation: Conversation) -> None:
        for number, turn in enumerate(turns):
            if number and not conversation.hear():
                return
            conversation.say(turn)
        while conversation.hear():
            pass

    return script


def server_context(certificate: trustme.LeafCert | Path, *, newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """TLS with a certificate of trustme's, or a PEM file with key and certificate; up to a version, old ciphers too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if isinstance(certificate, trustme.LeafCert):
        certificate.configure_cert(context)
    else:
        context.load_cert_chain(certificate)
    if newest is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of old versions, which are the point here
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = newest
    return context


def expired_certificate(authority: trustme.CA, *names: str) -> trustme.LeafCert:
    """A certificate that was good until yesterday."""
    now = dt.datetime.now(tz=dt.UTC)
    return authority.issue_cert(*names, not_before=now - dt.timedelta(days=9), not_after=now - dt.timedelta(days=1))


def self_signed(file: Path, common_name: str, *, names: Sequence[str] = ()) -> Path:
    """A PEM file with the key and the certificate that it has signed for itself, as appliances make them."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = dt.datetime.now(tz=dt.UTC)
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + builder.sign(key, hashes.SHA256()).public_bytes(encoding))
    return file
