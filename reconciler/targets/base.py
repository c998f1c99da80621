"""What a target is: a pure reader of the server's own export, and the names of the templates that write.

Reading never raises anything but `UnreadableExportError`, whatever the octets are; what raises it becomes unknown, and
unknown is never taken for absent. An export that is whole and does not hold the object asked for is an empty list.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from reconciler.addresses import AddressSet, InvalidAddressError, address_set, parse_interval

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.addresses import Interval

_IPV4 = 4


class Intent(StrEnum):
    """What a list is for: to let the gateway in, or to keep everybody else out."""

    ALLOW = "allow"
    RESTRICT = "restrict"


class Enforcement(StrEnum):
    """What becomes of a client that is not the gateway at a list of the intent `restrict`.

    `SOFT`: it is turned away for now (a 4xx reply, a dropped connection), so that senders try again for days;
    `HARD`: its mail is refused for good (5xx) and bounces at once.
    """

    NONE = "none"
    SOFT = "soft"
    HARD = "hard"


def harder(one: Enforcement, other: Enforcement) -> Enforcement:
    """The harder of two."""
    return max(one, other, key=tuple(Enforcement).index)


# What readers advise where a list that is to keep others out keeps nobody out yet.
_OPEN_ADVICE = frozenset({"restricts-nothing", "exchange-connector-open"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list: as it was written there, and the addresses that it stands for."""

    written: str
    interval: Interval


@dataclass(frozen=True, slots=True)
class Advice:
    """Something in an export that will hurt mail from the gateway; `detail` says what to do."""

    code: str
    summary: str
    detail: str


@dataclass(frozen=True, slots=True)
class AllowlistContent:
    """What a server allows: every entry in its order; `made_at` where the export itself says when it was made.

    `revision` is what a compare-and-swap write must name, as the version of an AWS prefix list; empty elsewhere.
    `refused` are addresses that the entries hold and that the server turns away all the same. `refusal` is the hardest
    answer that whoever is in no entry gets, also where it is not for everybody, as over IPv4 alone: while it is not
    NONE, an MX that moves away from the gateway loses mail or delays it.
    """

    entries: tuple[Entry, ...]
    made_at: datetime | None = None
    revision: str = ""
    advice: tuple[Advice, ...] = ()
    refused: AddressSet = AddressSet()  # noqa: RUF009 - frozen, and so shared by nobody to harm
    refusal: Enforcement = Enforcement.NONE

    @property
    def addresses(self) -> AddressSet:
        """All addresses that are allowed."""
        return address_set(entry.interval for entry in self.entries) - self.refused

    @property
    def enforcement(self) -> Enforcement:
        """What becomes of everybody else; NONE where not everybody is kept out, or nobody is let in yet."""
        is_lacking = not self.entries or any(a.code in _OPEN_ADVICE for a in self.advice)
        return Enforcement.NONE if is_lacking else self.refusal

    @property
    def is_open(self) -> bool:
        """Whether a list of the intent `restrict` keeps nobody out yet; one that is not there does so too."""
        return self.enforcement is Enforcement.NONE


class UnreadableExportError(ValueError):
    """The export tells nothing: truncated, of another target, or not understood; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class DeclaredAllowlist:
    """What a manifest says of one allowlist.

    `name` is the object's name at the server (connector, set, alias, prefix list id), empty where there is only one.
    `options` are further words that the target documents, as the table of an nftables set.
    """

    target: str
    name: str
    intent: Intent
    exclusive: bool
    options: tuple[tuple[str, str], ...] = ()

    def option(self, key: str, default: str = "") -> str:
        """One further word."""
        return dict(self.options).get(key, default)


def is_exchange_target(target: str) -> bool:
    """Whether a target's id is one of Exchange's or Exchange Online's: `emit exchange` writes for these."""
    return target.startswith("exchange-")


@dataclass(frozen=True, slots=True)
class Output:
    """One file to emit: its name, and the template that it is made from (below templates/)."""

    file_name: str
    template: str


class AllowlistTarget(Protocol):
    """A kind of server with an allowlist."""

    @property
    def id(self) -> str:
        """As manifests name it, as `postfix-access`."""
        ...

    @property
    def title(self) -> str:
        """As people name it."""
        ...

    @property
    def intents(self) -> frozenset[Intent]:
        """What its lists can be for."""
        ...

    @property
    def options(self) -> frozenset[str]:
        """The further words that a manifest may give; `name` is among them where a name is needed."""
        ...

    @property
    def is_readable(self) -> bool:
        """Whether it has an export; else a person attests."""
        ...

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The files that bring the list in line."""
        ...

    @property
    def export_outputs(self) -> tuple[Output, ...]:
        """The command or script that makes the export; empty where there is none."""
        ...

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """What an export says. Raises UnreadableExportError."""
        ...


@dataclass(frozen=True, slots=True)
class AllowlistEmission:
    """What the templates of a target get, as `list`: addresses as text, entries as they were written.

    `gateway` are the gateway's addresses of the target state, one by one; `add` those that are missing; `remove` the
    written entries that only an old state needed and that may go now; `keep` the written foreign entries that stay;
    `result` the addresses of the whole list afterwards (gateway and keep), for targets that are replaced whole.
    `is_observed` is False where no export was read: then everything is added and nothing removed, and what replaces a
    list whole must say that foreign entries are not in it. `is_loosening` where what kept others out is to be taken
    away: then the intent is `allow`, and where the list's own file cannot do it, its scripts say what to remove.
    """

    organization: str
    service: str
    declared: DeclaredAllowlist
    gateway: tuple[str, ...]
    add: tuple[str, ...]
    remove: tuple[str, ...]
    keep: tuple[str, ...]
    result: tuple[str, ...]
    revision: str
    is_observed: bool
    is_loosening: bool = False

    @property
    def merged(self) -> tuple[str, ...]:
        """The addresses of `result` without overlaps, for what refuses them, as a set of nft intervals."""
        return address_set(parse_interval(text) for text in self.result).texts


def presumed_refusal(declared: DeclaredAllowlist, entries: tuple[Entry, ...], usual: Enforcement) -> Enforcement:
    """The refusal of a list whose rule stands where its export does not reach: one that is meant to be there is there.

    `usual` is what such a rule does. A list without entries is not in use yet.
    """
    return usual if declared.intent is Intent.RESTRICT and entries else Enforcement.NONE


def read_entries(texts: Iterable[str]) -> tuple[Entry, ...]:
    """Entries of plain addresses, blocks and ranges.

    Raises:
        UnreadableExportError: one of them is something else; a list that is half understood is not understood.

    """
    entries = []
    for text in texts:
        try:
            entries.append(Entry(text, parse_server_interval(text)))
        except InvalidAddressError as exc:
            raise UnreadableExportError(str(exc)) from exc
    return tuple(entries)


def parse_server_interval(text: str) -> Interval:
    """As `parse_interval`, for what a server reads: `::ffff:192.0.2.1` matches no client over IPv4 there.

    Raises:
        InvalidAddressError: also for IPv4 that is mapped into IPv6 (RFC 4291 section 2.5.5.2).

    """
    interval = parse_interval(text)
    if interval.version == _IPV4 and ":" in text:
        message = f"{text!r} is IPv4 mapped into IPv6, which lets no IPv4 client in: write it as {interval}"
        raise InvalidAddressError(message)
    return interval
