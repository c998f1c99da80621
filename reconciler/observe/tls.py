"""TLS as probes use it: contexts with the roots to trust, and the names in a certificate nobody has verified."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import SettingsError, error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SEQUENCE, _SET, _OID, _OCTETS = 0x30, 0x31, 0x06, 0x04
_EXTENSIONS = 0xA3  # [3] of TBSCertificate (RFC 5280 section 4.1)
_DNS_NAME = 0x82  # [2] of GeneralName (RFC 5280 section 4.2.1.6)
_TEXTS = (0x0C, 0x13, 0x16)  # UTF8String, PrintableString, IA5String
_SUBJECT_ALT_NAME = b"\x55\x1d\x11"  # 2.5.29.17
_COMMON_NAME = b"\x55\x04\x03"  # 2.5.4.3
_SUBJECT = 4  # which SEQUENCE of TBSCertificate, after signature, issuer, validity
_LONG_FORM = 0x80
_MAX_LENGTH_OCTETS = 3
_MAX_NAMES = 1000


@dataclass(frozen=True, slots=True)
class TlsContexts:
    """The ways in which a mail server's TLS is tried.

    `good` verifies chain and dates, with what OpenSSL allows by default. `wide` verifies too, and takes whatever
    OpenSSL still knows, so that an old server is seen as "TLSv1.1" rather than as nothing: TLS 1.0 and 1.1 sign with
    SHA-1, which the default security level forbids, so the level is 0 here, and nothing is sent that matters.
    `unverified` takes any certificate, to look at it. None compares names: that is left to whoever judges. `web` is
    for HTTPS, and compares them (RFC 8461 section 3.3): DNS names in the certificate alone.
    """

    good: ssl.SSLContext
    wide: ssl.SSLContext
    unverified: ssl.SSLContext
    web: ssl.SSLContext


def build_contexts(ca_file: Path | None) -> TlsContexts:
    """The contexts, which trust the system's roots and those in `ca_file` (PEM).

    Raises:
        SettingsError: the file cannot be read, or has no certificate.

    """
    good, wide, web = (_verifying(ca_file) for _ in range(3))
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    web.hostname_checks_common_name = False
    for context in (good, wide, unverified):
        context.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    for context in (wide, unverified):
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")
    return TlsContexts(good, wide, unverified, web)


def _verifying(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is None:
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError as exc:  # ssl.SSLError is one
        summary = f"the trust roots in {ca_file} cannot be used: {exc.strerror or exc}"
        raise SettingsError(
            [error("ca-file", summary, "Name a file of certificates in PEM.", file=str(ca_file))]
        ) from exc
    return context


def tls_problem(exc: ssl.SSLError) -> str:
    """What OpenSSL has against a session, in words."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return exc.verify_message
    reason = exc.reason or exc.strerror or "no session"
    return reason.replace("_", " ").lower() if reason.isupper() or "_" in reason else reason


def certificate_names(der: bytes) -> tuple[str, ...]:
    """The DNS names of a certificate (DER), lower case, in their order; the common name only where there is none.

    RFC 6125 section 6.4.4. Python's `getpeercert` tells them of verified certificates alone, and those of the others
    are wanted as well. Names that are not ASCII, or have characters that cannot be shown, are left out; what is no
    certificate has no names.
    """
    try:
        certificate = _one(der, _SEQUENCE)
        parts = list(_elements(_one(certificate, _SEQUENCE)))
        names = list(_alternative_names(parts))
        if not names:
            sequences = [content for tag, content in parts if tag == _SEQUENCE]
            names = list(_common_names(sequences[_SUBJECT - 1]))
    except (ValueError, IndexError):
        return ()
    texts = (name.decode("ascii", "replace").lower() for name in names[:_MAX_NAMES])
    return tuple(dict.fromkeys(text for text in texts if text and text.isascii() and text.isprintable()))


def _alternative_names(parts: list[tuple[int, bytes]]) -> Iterator[bytes]:
    for tag, content in parts:
        if tag != _EXTENSIONS:
            continue
        for _, extension in _elements(_one(content, _SEQUENCE)):
            fields = list(_elements(extension))
            if fields and fields[0] == (_OID, _SUBJECT_ALT_NAME):
                general_names = _one(_last(fields, _OCTETS), _SEQUENCE)
                yield from (name for kind, name in _elements(general_names) if kind == _DNS_NAME)


def _common_names(subject: bytes) -> Iterator[bytes]:
    for tag, relative in _elements(subject):
        if tag != _SET:
            continue
        for _, attribute in _elements(relative):
            fields = list(_elements(attribute))
            if len(fields) > 1 and fields[0] == (_OID, _COMMON_NAME) and fields[1][0] in _TEXTS:
                yield fields[1][1]


def _last(fields: list[tuple[int, bytes]], wanted: int) -> bytes:
    tag, content = fields[-1]
    if tag != wanted:
        raise ValueError("another element was expected")
    return content


def _one(octets: bytes, wanted: int) -> bytes:
    """The content of the first element, which must have the tag."""
    tag, content = next(_elements(octets), (0, b""))
    if tag != wanted:
        raise ValueError("another element was expected")
    return content


def _elements(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each DER element in a row (X.690 section 8.1); tags are of one octet in certificates."""
    place = 0
    while place < len(octets):
        tag, length = octets[place], octets[place + 1]
        place += 2
        if length & _LONG_FORM:
            count = length & ~_LONG_FORM
            if not 1 <= count <= _MAX_LENGTH_OCTETS:
                raise ValueError("the length is indefinite or too long")
            length = int.from_bytes(octets[place : place + count], "big")
            place += count
        if place + length > len(octets):
            raise ValueError("the element is cut short")
        yield tag, octets[place : place + length]
        place += length
