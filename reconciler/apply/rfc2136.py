"""Dynamic updates (RFC 2136): all the changes of one domain in one UPDATE, which the server takes whole or not at all.

Compare and swap: a prerequisite for each rrset states its values exactly (RFC 2136 section 2.4.2), or that there is
none (2.4.3), whatever a wildcard answers there; values are deleted and added one by one (2.5.4, 2.5.1), and
an MX rrset that is ours alone is replaced (2.5.2). Foreign values stand in prerequisites alone. A prerequisite knows no
TTL, so the TTL is compared by a read just before; between the two a change of TTL alone goes unseen, and the check
afterwards shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.tsig
import dns.update

from reconciler.apply import ApplyError, ProviderConfigError, StaleError
from reconciler.apply.comparison import described, is_wanted, require_expected, require_wanted, unseen_text
from reconciler.apply.primary import Primary, UnansweredError
from reconciler.names import is_under
from reconciler.state import parsed_rdata

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from octodns_bind import Rfc2136Provider

    from reconciler.diff import Change
    from reconciler.names import Name
    from reconciler.state import Key, Rdata

_PREREQUISITE_FAILED = {dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN}


class Rfc2136Writer:
    """Writes through one primary server; host, port, timeout and TSIG key are the octoDNS provider's."""

    def __init__(self, provider: Rfc2136Provider, *, provider_id: str) -> None:
        """Take the connection's parameters from the provider.

        Raises:
            ProviderConfigError: the TSIG parameters are unusable.

        """
        parameters = _tsig_parameters(provider, provider_id)
        named = {"algorithm": parameters["keyalgorithm"]} if "keyalgorithm" in parameters else {}
        keyring = parameters.get("keyring", {})
        self._primary = Primary(provider_id, provider.host, provider.port, provider.timeout, keyring, **named)
        self._provider_id = provider_id

    def write(self, zone: Name, changes: Sequence[Change]) -> None:
        """Write the changes of one mail domain in one UPDATE; see the contract of `reconciler.apply`."""
        with self._primary:
            self._write(zone, changes)

    def _write(self, zone: Name, changes: Sequence[Change]) -> None:
        self._primary.require_zone(zone)
        for change in changes:
            self._require_writable(change, zone)
        for change in changes:
            # where nothing is expected, an answer may be a wildcard's; the prerequisite looks at the zone itself
            if change.expected:
                require_expected(change, *self._primary.read(change.key), self._provider_id)
        if all(change.is_noop for change in changes):
            return
        try:
            response = self._primary.send(build_update(zone, changes))
        except UnansweredError as exc:
            self._settle(changes, str(exc))
        else:
            self._require_accepted(response.rcode(), zone, changes)
        for change in changes:
            require_wanted(change, *self._primary.read(change.key), self._provider_id)

    def _require_writable(self, change: Change, zone: Name) -> None:
        if not is_under(change.key.name, zone):
            message = f"{change.key.name} is not in zone {zone}; correct the zone in the manifest"
            raise ApplyError(message)
        self._primary.require_writable(change.key, zone)

    def _require_accepted(self, rcode: dns.rcode.Rcode, zone: Name, changes: Sequence[Change]) -> None:
        if rcode == dns.rcode.NOERROR:
            return
        said = dns.rcode.to_text(rcode)
        if rcode in _PREREQUISITE_FAILED:
            raise StaleError(self._stale_text(said, changes))
        advice = {
            dns.rcode.REFUSED: f"its ACL or update policy must allow it; {self._primary.key_advice}",
            dns.rcode.NOTAUTH: f"name the primary server as host; {self._primary.key_advice}",
            dns.rcode.NOTZONE: "name the right zone in the manifest",
            dns.rcode.NOTIMP: "it takes no dynamic updates; switch them on, or use another provider",
        }.get(rcode, "see that server's log, then plan again")
        message = f"{self._primary.place} refuses the update of {zone} ({said}), nothing was written: {advice}"
        raise ApplyError(message)

    def _stale_text(self, said: str, changes: Sequence[Change]) -> str:
        now = [(change, *self._primary.read(change.key)) for change in changes]
        unseen = [c for c, rdatas, ttl in now if not c.is_noop and is_wanted(c, rdatas, ttl)]
        if unseen:
            return unseen_text(unseen[0], self._provider_id)
        changed = [
            f"{c.key.name} {c.key.type} is now {described(rdatas, ttl)}"
            for c, rdatas, ttl in now
            if rdatas != c.expected
        ]
        detail = "; ".join(changed) or "they read as before: changed and changed back, or made from a wildcard"
        text = f"{self._primary.place} found other values than the plan did ({said}), nothing was written: {detail}"
        return f"{text}; plan again"

    def _settle(self, changes: Sequence[Change], reason: str) -> None:
        """No answer came: find out what the update did, and return when it was written."""
        try:
            now = [(change, *self._primary.read(change.key)) for change in changes]
        except ApplyError as exc:
            message = f"{self._primary.place}: it is unknown whether the update was written ({reason}); plan again"
            raise ApplyError(message) from exc
        if all(is_wanted(*read) for read in now):
            return
        is_untouched = all(rdatas == change.expected for change, rdatas, _ in now)
        found = "nothing is written so far" if is_untouched else "the values are neither the old nor the new ones"
        message = f"{self._primary.place} gave no usable answer to the update ({reason}): {found}; plan again"
        raise ApplyError(message)


def _tsig_parameters(provider: Rfc2136Provider, provider_id: str) -> dict[str, Any]:
    """What octodns-bind makes of the key: `keyring` and `keyalgorithm`, each only where there is one."""
    try:
        parameters: dict[str, Any] = provider._auth_params()  # noqa: SLF001 - where octodns-bind makes the keyring
        reason = "" if all(parameters.get("keyring", {}).values()) else "the secret is empty"
        if parameters.get("keyring"):
            _sign_on_trial(parameters)
    except (ValueError, TypeError, AttributeError, KeyError, NotImplementedError, dns.exception.DNSException) as exc:
        reason = type(exc).__name__
    if not reason:
        return parameters
    message = (
        f"provider {provider_id!r}: the TSIG key cannot be used ({reason}); key_name is a domain name, key_secret "
        f"base64 text, both quoted in YAML, and key_algorithm one like hmac-sha256"
    )
    # outside of the except clause, because the cause may quote the secret
    raise ProviderConfigError(message)


def _sign_on_trial(parameters: Mapping[str, Any]) -> None:
    """Sign a message that is never sent: names, secrets and algorithms fail here and not in the middle of a run."""
    message = dns.message.make_query(".", "SOA")
    message.use_tsig(parameters["keyring"], algorithm=parameters.get("keyalgorithm", dns.tsig.default_algorithm))
    message.to_wire()


def build_update(zone: Name, changes: Sequence[Change]) -> dns.update.UpdateMessage:
    """One UPDATE message with its prerequisites, unsigned."""
    update = dns.update.UpdateMessage(dns.name.from_text(zone))
    for change in changes:
        _add_change(update, change)
    return update


def _add_change(update: dns.update.UpdateMessage, change: Change) -> None:
    owner = dns.name.from_text(change.key.name)
    if change.expected:
        update.present(owner, *_parsed(change.key, sorted(change.expected)))
    else:
        update.absent(owner, change.key.type)
    removed, added = change.removed, change.added
    if change.wanted and change.ttl_before is not None and change.ttl != change.ttl_before:
        if change.foreign:
            message = (
                f"{change.key.name} {change.key.type}: the TTL of an rrset with foreign values stays as it is, and the "
                f"plan changes it; this is a mistake of the plan, please report it"
            )
            raise ApplyError(message)
        # servers differ in what an added rdata does to the TTL of its rrset, unless the rrset is new
        removed, added = change.before, change.after
    if removed and change.key.type == "MX" and not change.foreign:
        # PowerDNS removes a name only as it is spelt there, and no answer tells that for sure (RFC 4343 section 3)
        update.delete(owner, change.key.type)
        added = change.after
    elif removed:
        update.delete(owner, *_parsed(change.key, removed))
    if added:
        update.add(owner, change.ttl, *_parsed(change.key, added))


def _parsed(key: Key, rdatas: Sequence[Rdata]) -> list[dns.rdata.Rdata]:
    return [parsed_rdata(key, rdata) for rdata in rdatas]
