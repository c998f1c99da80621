"""What in an Exchange server's settings will hurt mail that all comes from a handful of addresses. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.targets.base import Advice
from reconciler.targets.exchange_json import parse_count, parse_octets, parse_seconds
from reconciler.targets.origin_limits import GATEWAY_MESSAGE_OCTETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.targets.exchange_json import Record

_DEFAULT_PER_SOURCE = 20  # connections, of a new receive connector
_DEFAULT_PERCENTAGE = 2  # percent of all connections, of a new receive connector


def advise_receive_connector(connector: Record, settings: Record) -> Iterator[Advice]:
    """Limits of a receive connector, and of the organization, that were made for many senders."""
    name = connector.text("Name")
    for key, where, fix in (
        (connector, f"the receive connector {name}", "Set-ReceiveConnector -MaxMessageSize 40MB"),
        (settings, "the organization", "Set-TransportConfig -MaxReceiveSize 40MB"),
    ):
        field = "MaxMessageSize" if key is connector else "MaxReceiveSize"
        octets = parse_octets(key.optional_text(field))
        if octets is not None and octets < GATEWAY_MESSAGE_OCTETS:
            yield Advice(
                "exchange-message-size",
                f"{where} takes messages of {octets} octets at most, and the gateway delivers up to 40 MB",
                f"Raise it, as with: {fix}",
            )
    per_source = parse_count(connector.optional_text("MaxInboundConnectionPerSource"))
    if per_source is not None and per_source <= _DEFAULT_PER_SOURCE:
        yield _limit(name, "MaxInboundConnectionPerSource", str(per_source), "unlimited")
    percentage = parse_count(connector.optional_text("MaxInboundConnectionPercentagePerSource"))
    if percentage is not None and percentage <= _DEFAULT_PERCENTAGE:
        yield _limit(name, "MaxInboundConnectionPercentagePerSource", str(percentage), "100")
    rate = parse_count(connector.optional_text("MessageRateLimit"))
    if rate is not None:
        yield _limit(name, "MessageRateLimit", str(rate), "unlimited")
    tarpit = parse_seconds(connector.optional_text("TarpitInterval"))
    if tarpit:
        yield _limit(name, "TarpitInterval", f"{tarpit} s", "00:00:00")


def _limit(connector: str, setting: str, value: str, wanted: str) -> Advice:
    return Advice(
        "exchange-connection-limit",
        f"the receive connector {connector} has {setting} {value}, and all mail comes from a few addresses now",
        f"Let the gateway's connector take more, as with: Set-ReceiveConnector -{setting} {wanted}",
    )
