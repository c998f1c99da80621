"""Limits of an origin that hurt mail from a gateway, said the same way for every kind of server."""

from __future__ import annotations

from reconciler.targets.base import Advice

GATEWAY_MESSAGE_OCTETS = 40 * 1024 * 1024
"""The largest message that the gateway takes and hands on (the vendor's page on connecting e-mail services)."""

_KIB = 1024


def message_size_advice(setting: str, octets: int) -> tuple[Advice, ...]:
    """Advice where a server takes less than the gateway hands on; 0 is no limit, as in Postfix and Exim."""
    if octets == 0 or octets >= GATEWAY_MESSAGE_OCTETS:
        return ()
    summary = f"{setting} is {octets:,} octets, less than the {GATEWAY_MESSAGE_OCTETS:,} that the gateway hands on"
    detail = f"Larger messages bounce after the gateway took them. Set {setting} to {GATEWAY_MESSAGE_OCTETS} or more."
    return (Advice("message-size", summary, detail),)


def rate_limit_advice(setting: str, value: str, exempt: str) -> Advice:
    """Advice on a limit for each client: behind a gateway a handful of addresses send all the mail."""
    summary = f"{setting} is {value}: a limit for each client, and all mail comes from the gateway's few addresses"
    return Advice("client-limit", summary, f"Mail is deferred and arrives late. {exempt}")


def octets(text: str) -> int | None:
    """The number of octets that `10240000`, `50M` or `1G` stands for, in units of 1024; None where it is none."""
    units = {"K": _KIB, "M": _KIB**2, "G": _KIB**3}
    stripped = text.strip().upper()
    digits, unit = (stripped[:-1], stripped[-1]) if stripped[-1:] in units else (stripped, "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(1 << 64)):
        return None
    return int(digits) * units.get(unit, 1)
