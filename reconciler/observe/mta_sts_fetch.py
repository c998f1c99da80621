"""Fetching an MTA-STS policy as senders do (RFC 8461 section 3.3): HTTPS, verified, no redirects, bounded.

The connection goes to an address that our own look-up found, while SNI, Host and the name that the certificate has to
bear stay the policy host's: what DNS is observed decides, and not whatever resolver this machine has. Proxies of the
environment are not used: they would speak with somebody else.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import httpx

from reconciler.names import Name, display_name
from reconciler.observe.exchange import shown_address
from reconciler.observe.mta_sts import PolicyError, parse_policy, policy_id
from reconciler.observe.shared import Once
from reconciler.observe.surroundings import name_below
from reconciler.state import Absent, Cause, Key, Present, Unknown

if TYPE_CHECKING:
    import ssl

    from reconciler.observe.hosts import HostLookup
    from reconciler.observe.places import Places
    from reconciler.observe.probe_cache import ProbeCache
    from reconciler.observe.surroundings import ProbeSettings
    from reconciler.state import Observed
    from reconciler.surroundings import MtaStsPolicy

MAX_OCTETS = 64 * 1024  # RFC 8461 section 3.3 suggests this limit

_PATH = "/.well-known/mta-sts.txt"
_OK = 200
# where the TXT is not the zone's own, the resolver knows it: policies are often hosted by somebody else (section 8.2)
_ELSEWHERE = (Cause.CNAME, Cause.DELEGATED)


class PolicyFetcher:
    """Finds out which policy senders see; each policy host is asked once, when there is a place for it."""

    def __init__(
        self,
        lookup: HostLookup,
        settings: ProbeSettings,
        context: ssl.SSLContext,
        places: Places,
        cache: ProbeCache | None = None,
    ) -> None:
        """Prepare; nothing is asked yet."""
        self._lookup = lookup
        self._settings = settings
        self._context = context
        self._places = places
        self._cache = cache
        self._policy: Once[_Announced, MtaStsPolicy | Unknown] = Once(self._found)

    async def policy(self, domain: Name, txt: Observed) -> MtaStsPolicy | Absent | Unknown:
        """The policy of a mail domain; `txt` is what was observed at `_mta-sts` below it."""
        name, host = name_below("_mta-sts", domain), name_below("mta-sts", domain)
        if name is None or host is None:
            return Absent()
        if isinstance(txt, Unknown) and txt.cause in _ELSEWHERE:
            txt = await self._lookup.txt(name)
        if not isinstance(txt, Present):
            return txt
        record_id = policy_id(Key(name, "TXT"), txt.rrset.rdatas)
        if record_id is None:
            return Absent()
        return await self._policy(_Announced(host, record_id))

    async def _found(self, announced: _Announced) -> MtaStsPolicy | Unknown:
        """The policy behind a TXT record: an earlier run's, or fetched."""
        host, record_id = announced
        addresses = await self._lookup.addresses(host)
        if isinstance(addresses, Unknown):
            detail = f"the policy at {_url(host)} cannot be fetched: {addresses.detail}"
            return Unknown(addresses.cause, detail)
        asked = (host, self._settings.https_port, addresses, record_id)
        if self._cache is not None and (kept := self._cache.policy(*asked)) is not None:
            return kept
        text = await self._fetched(host, addresses)
        if isinstance(text, Unknown):
            return text
        try:
            policy = parse_policy(record_id, text)
        except PolicyError as exc:
            return Unknown(Cause.MALFORMED, f"the policy at {_url(host)} cannot be used: {exc}")
        if self._cache is not None:
            self._cache.keep_policy(*asked, text)
        return policy

    async def _fetched(self, host: Name, addresses: tuple[str, ...]) -> str | Unknown:
        visitor = _HostVisitor(host, self._settings, self._context)
        found = await self._places.in_turn(addresses, self._settings.timeout, visitor)
        return next((text for text in found if isinstance(text, str)), found[0])


class _Announced(NamedTuple):
    """A policy host, and the id in the TXT record, which changes with the policy (RFC 8461 section 3.1)."""

    host: Name
    record_id: str


@dataclass(frozen=True, slots=True)
class _HostVisitor:
    """Fetches the policy of one host: its text, or why there is none."""

    host: Name
    settings: ProbeSettings
    context: ssl.SSLContext

    async def visit(self, address: str, seconds: float) -> str | Unknown:
        """What the web server at an address gives."""
        shown = self._shown(address)
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(address)
        except TimeoutError:
            return Unknown(Cause.TIMEOUT, f"{shown} did not come within {seconds:.3g} s")
        except (httpx.TransportError, OSError) as exc:
            return Unknown(Cause.NETWORK, f"{shown} cannot be fetched: {str(exc) or type(exc).__name__}")
        except PolicyError as exc:
            return Unknown(Cause.MALFORMED, f"{shown} cannot be used: {exc}")

    def skip(self, address: str) -> Unknown:
        """Nobody answered others there."""
        detail = (
            f"{self._shown(address)} was not asked for: none of the hosts that were looked at there just before came"
        )
        return Unknown(Cause.TIMEOUT, detail)

    def is_enough(self, found: str | Unknown) -> bool:
        """The first address that has it."""
        return isinstance(found, str)

    def is_silence(self, found: str | Unknown) -> bool:
        """The time ran out."""
        return isinstance(found, Unknown) and found.cause is Cause.TIMEOUT

    def _shown(self, address: str) -> str:
        return f"the policy at {_url(self.host)} ({shown_address((address, self.settings.https_port))})"

    async def _exchange(self, address: str) -> str:
        name = display_name(self.host)
        url = httpx.URL(scheme="https", host=address, port=self.settings.https_port, path=_PATH)
        client = httpx.AsyncClient(
            verify=self.context, trust_env=False, follow_redirects=False, timeout=self.settings.timeout
        )
        headers = {"Host": name, "Accept": "text/plain", "Accept-Encoding": "identity"}
        async with client, client.stream("GET", url, headers=headers, extensions={"sni_hostname": name}) as response:
            _require_policy(response)
            body = bytearray()
            async for part in response.aiter_raw():
                body += part
                if len(body) > MAX_OCTETS:
                    message = f"it is longer than {MAX_OCTETS} octets"
                    raise PolicyError(message)
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise PolicyError("it is not UTF-8") from exc


def _require_policy(response: httpx.Response) -> None:
    if response.status_code != _OK:
        what = " and redirects, which senders do not follow" if response.has_redirect_location else ""
        message = f"the server answers {response.status_code}{what}"
        raise PolicyError(message)
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "text/plain":
        message = f"its media type is {media_type[:60]!a}, and not text/plain"
        raise PolicyError(message)
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise PolicyError("it is compressed, although that was not asked for")


def _url(host: Name) -> str:
    return f"https://{display_name(host)}{_PATH}"
