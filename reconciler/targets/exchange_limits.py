"""What Exchange and Exchange Online take, checked before a script is emitted. Pure.

Sources: the cmdlet reference of New-TransportRule, New-ReceiveConnector, New-InboundConnector and
Set-HostedConnectionFilterPolicy, and the journal, transport and inbox rule limits of Exchange Online.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.addresses import parse_interval
from reconciler.targets.base import is_exchange_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.targets.base import AllowlistEmission
    from reconciler.targets.mail_rule import MailRuleEmission

MAX_NAME = 64  # characters, of a rule or a connector
MAX_COMMENT = 1024  # characters, of a rule
MAX_RULE = 8192  # characters, of a rule with all its parts
MAX_CONNECTION_FILTER = 1273  # entries
_MAX_ONLINE_RANGE = 256  # addresses, as in a /24
_COMMENT = 80  # characters of the template's own words in a rule's comment
_SCL_RANGE = range(-1, 10)

_IPV4_ALONE = frozenset({"exchange-online-connection-filter", "exchange-online-inbound-connector"})
_NO_RANGES = frozenset({"exchange-online-inbound-connector"})


def find_allowlist_excess(emission: AllowlistEmission) -> tuple[str, ...]:
    """Why Exchange would refuse what is to be added; empty where it would not, and for every other target."""
    return tuple(_allowlist_excess(emission))


def find_mail_rule_excess(emission: MailRuleEmission) -> tuple[str, ...]:
    """Why Exchange would refuse the rule, or take one that is for all mail; empty where neither."""
    return tuple(_mail_rule_excess(emission))


def _allowlist_excess(emission: AllowlistEmission) -> Iterator[str]:
    declared = emission.declared
    if is_exchange_target(declared.target) and len(declared.name) > MAX_NAME:
        yield f"the name {declared.name!r} is longer than {MAX_NAME} characters"
    if declared.target == "exchange-online-connection-filter":
        count = len(emission.keep) + len(emission.gateway)
        if count > MAX_CONNECTION_FILTER:
            yield f"the list would have {count} entries, and {MAX_CONNECTION_FILTER} is the most that it takes"
    if declared.target not in _IPV4_ALONE:
        return
    for text in emission.gateway:
        interval = parse_interval(text)
        if interval.version != 4:  # noqa: PLR2004 - the version of IP
            yield f"{text} is no IPv4 address, and the list takes no other"
        elif interval.size > _MAX_ONLINE_RANGE:
            yield f"{text} has more than {_MAX_ONLINE_RANGE} addresses, the most that an entry takes"
        elif declared.target in _NO_RANGES and "-" in str(interval):
            yield f"{text} is a range, and the list takes single addresses and blocks alone"


def _mail_rule_excess(emission: MailRuleEmission) -> Iterator[str]:
    rule = emission.rule
    if not rule.header.strip() or not rule.pattern.strip():
        yield "the rule has no condition, and would be for all mail"
    if len(rule.name) > MAX_NAME:
        yield f"the name {rule.name!r} is longer than {MAX_NAME} characters"
    if rule.confidence_level not in _SCL_RANGE:
        yield f"the spam confidence level {rule.confidence_level} is none of -1 to 9"
    comment = _COMMENT + len(emission.service) + len(emission.organization)
    if comment > MAX_COMMENT:
        yield f"the comment would have {comment} characters, and {MAX_COMMENT} is the most"
    size = len(rule.name) + len(rule.header) + len(rule.pattern) + comment
    if size > MAX_RULE:
        yield f"the rule would have {size} characters, and {MAX_RULE} is the most"
