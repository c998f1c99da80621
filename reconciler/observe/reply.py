"""One reply, read as far as somebody needs it: by the walker where it is plain, by dnspython otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.exception
import dns.message

from reconciler.observe.asking import ExchangeError, shown_address
from reconciler.observe.compression import POINTER_TO_QUESTION
from reconciler.observe.records import SOA_NUMBERS
from reconciler.observe.walker import walk
from reconciler.observe.wire import HEADER_OCTETS, OPCODE, QR, encoded_wire, folded_case
from reconciler.state import Cause

if TYPE_CHECKING:
    from reconciler.observe.asking import Address
    from reconciler.observe.inquiry import Inquiry
    from reconciler.observe.walker import Plain

_ONE_QUESTION = b"\x00\x01"
_SOA_IN = b"\x00\x06\x00\x01"
_RECORD_OCTETS = 12  # of a record that is a pointer's two, before the rdata
_QR, _QR_OPCODE = QR >> 8, (QR | OPCODE) >> 8  # in the third octet of a header
# a server that could not read the question need not repeat it
_WITHOUT_QUESTION = frozenset({1, 2, 4, 5})  # FORMERR, SERVFAIL, NOTIMP, REFUSED


class Reply:
    """A reply that can be read: `plain` where the walker can, `message` always.

    In the message the question has the case of the query that was meant, not the one it was sent with: names that
    point to it would carry the random case into values.
    """

    __slots__ = ("_message", "_question", "_wire", "plain")

    def __init__(self, wire: bytes, question: bytes, plain: Plain | None) -> None:
        """The answer to `question` (in any case): what `is_answer_to` takes for one, and what the walker read in it.

        Raises:
            dns.exception.DNSException: the walker could not, and dnspython refuses it.

        """
        self._wire = wire
        self._question = question
        self.plain = plain
        self._message: dns.message.Message | None = None
        if plain is None:
            self._message = self._read()

    @property
    def message(self) -> dns.message.Message:
        """The whole message; read when somebody needs it."""
        if self._message is None:
            self._message = self._read()
        return self._message

    @property
    def flags(self) -> int:
        """The header's flags; ask for single ones."""
        return self.plain.flags if self.plain is not None else int(self.message.flags)

    def _read(self) -> dns.message.Message:
        wire, question = self._wire, folded_case(self._question)
        if wire[4:6] == _ONE_QUESTION:
            wire = wire[:HEADER_OCTETS] + question + wire[HEADER_OCTETS + len(question) :]
        return dns.message.from_wire(wire)

    @property
    def has_capitals(self) -> bool:
        """Whether a letter of the answer may be a capital: the walker's rdatas have none, values keep them."""
        rest = self._wire[HEADER_OCTETS + len(self._question) :]
        if self._question[-4:] == _SOA_IN and rest[:2] == POINTER_TO_QUESTION:
            # its names are in front of five numbers, and there or in the question is all that they can point to
            rest = rest[_RECORD_OCTETS : _RECORD_OCTETS + int.from_bytes(rest[10:12], "big") - SOA_NUMBERS]
        return rest != rest.lower()

    @property
    def rcode(self) -> int:
        """The rcode, with the upper bits of EDNS."""
        return self.plain.rcode if self.plain is not None else int(self.message.rcode())


def is_answer_to(wire: bytes, sent: bytes) -> bool:
    """Whether a message with the right id answers the question `sent`, which it repeats to the letter."""
    if wire[4:6] == _ONE_QUESTION and wire.startswith(sent, HEADER_OCTETS):
        return wire[2] & _QR_OPCODE == _QR
    is_complete = len(wire) >= HEADER_OCTETS and wire[4:6] == b"\x00\x00"
    return is_complete and wire[2] & _QR_OPCODE == _QR and wire[3] & 0x0F in _WITHOUT_QUESTION


def is_answer_but_for_case(wire: bytes, sent: bytes) -> bool:
    """The same whatever the case of letters: over UDP a forger's guess, or a server that folds it."""
    end = HEADER_OCTETS + len(sent)
    return is_answer_to(wire[:HEADER_OCTETS] + folded_case(wire[HEADER_OCTETS:end]), folded_case(sent))


def read_plain_reply(wire: bytes, inquiry: Inquiry) -> Reply | None:
    """A datagram with the id of an inquiry as the answer that it waits for, where it is one and is plain."""
    if not wire.startswith(inquiry.sent, HEADER_OCTETS):
        return None
    plain = walk(wire, inquiry.name, inquiry.rdtype)
    return None if plain is None else Reply(wire, inquiry.sent, plain)


def read_reply(address: Address, wire: bytes, question: bytes) -> Reply:
    """Reads an answer to `question` (in lower case), as `is_answer_to` takes it for one, that is not truncated.

    Raises:
        ExchangeError: MALFORMED, it cannot be parsed.

    """
    plain = walk(wire, encoded_wire(question[:-4]), question[-4] << 8 | question[-3])
    return read_message(address, wire, question) if plain is None else Reply(wire, question, plain)


def read_message(address: Address, wire: bytes, question: bytes) -> Reply:
    """The same for an answer that the walker has left: dnspython reads it.

    Raises:
        ExchangeError: as `read_reply`.

    """
    try:
        return Reply(wire, question, None)
    except dns.exception.DNSException as exc:
        detail = f"{shown_address(address)} sent an answer that cannot be parsed: {str(exc) or type(exc).__name__}"
        raise ExchangeError(Cause.MALFORMED, detail) from exc
