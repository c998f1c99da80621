"""Comparing what a backend holds with what a change expects and wants: the same words for every writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.apply import ApplyError, StaleError, VerifyError
from reconciler.names import Name, is_under

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.diff import Change
    from reconciler.state import Key, Rdata

_SHOWN = 300


class CnameConflictError(ApplyError):
    """A CNAME stands at the owner name, and nothing may stand beside it (RFC 1034 section 3.6.2)."""

    code = "cname"


class DelegatedError(ApplyError):
    """The owner name lies below a zone cut: a record there would never be answered (RFC 1034 section 4.2.1)."""

    code = "delegated"


def printable(text: str) -> str:
    """Text from outside in printable ASCII and at most 300 characters, for a message."""
    escaped = text.encode("unicode_escape").decode("ascii")
    return escaped if len(escaped) <= _SHOWN else f"{escaped[:_SHOWN]}..."


def described(rdatas: Collection[Rdata], ttl: int | None) -> str:
    """An rrset in a few words; `ttl` in seconds, None where there is no rrset."""
    if not rdatas:
        return "no rrset"
    return f"{printable(', '.join(sorted(rdatas)))} (TTL {ttl})"


def require_expected(change: Change, rdatas: frozenset[Rdata], ttl: int | None, provider_id: str) -> None:
    """Compare the rrset at the backend with what the plan saw; `ttl` in seconds, None where there is no rrset.

    Raises:
        StaleError: the values or the TTL differ.

    """
    if rdatas == change.expected and (not rdatas or ttl == change.ttl_before):
        return
    if is_wanted(change, rdatas, ttl):
        raise StaleError(unseen_text(change, provider_id))
    message = (
        f"{change.key.name} {change.key.type} at provider {provider_id} is no longer what the plan saw: "
        f"now {described(rdatas, ttl)}, planned on {described(change.expected, change.ttl_before)}; "
        "nothing was written for this domain; plan again"
    )
    raise StaleError(message)


def unseen_text(change: Change, provider_id: str) -> str:
    """What to say when the provider has what the plan wants, and the servers that were observed do not show it."""
    return (
        f"{change.key.name} {change.key.type} at provider {provider_id} is as wanted already, and was not observed so; "
        "nothing was written for this domain; wait until the authoritative servers have it and plan again; if they "
        "never do, the world asks other servers than this provider's: correct the provider in the manifest"
    )


def require_wanted(change: Change, rdatas: frozenset[Rdata], ttl: int | None, provider_id: str) -> None:
    """Compare the rrset read back after a write with what was to be written; `ttl` as for `require_expected`.

    Raises:
        VerifyError: the values or the TTL differ.

    """
    if is_wanted(change, rdatas, ttl):
        return
    message = (
        f"{change.key.name} {change.key.type} at provider {provider_id} reads back as {described(rdatas, ttl)} after "
        f"the write of {described(change.wanted, change.ttl)}; see who else writes to this zone, and plan again"
    )
    raise VerifyError(message)


def is_wanted(change: Change, rdatas: frozenset[Rdata], ttl: int | None) -> bool:
    """Whether an rrset is what the change was to leave behind."""
    return rdatas == change.wanted and (not rdatas or ttl == change.ttl)


def ancestors_in_zone(name: Name, zone: Name) -> Iterator[Name]:
    """Each name strictly between the owner name and the apex, the nearest first."""
    parent = name.partition(".")[2]
    while parent and parent != zone and is_under(Name(parent), zone):
        yield Name(parent)
        parent = parent.partition(".")[2]


def cname_conflict(key: Key, provider_id: str) -> CnameConflictError:
    """The error for a CNAME at the owner name."""
    return CnameConflictError(
        f"{key.name} is a CNAME at provider {provider_id}, and a name with a CNAME can hold no {key.type} rrset; "
        "nothing was written; remove the CNAME, or have the records added where it points"
    )


def delegation_conflict(key: Key, cut: Name, provider_id: str) -> DelegatedError:
    """The error for an owner name at or below `cut`, where an NS or a DNAME rrset stands."""
    return DelegatedError(
        f"{key.name} lies at or below {cut}, which the zone at provider {provider_id} delegates or redirects to "
        "elsewhere; nothing was written; name the zone and the provider that hold it in the manifest"
    )
