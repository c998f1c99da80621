"""Sends the messages of one run to one endpoint, in a process of its own that can be ended at any moment.

It is run as a file, not as a module: nothing but Apprise and the standard library is imported. On stdin is one JSON
object, `{"url": ..., "messages": [{"title", "text", "markdown", "tone"}]}`; on stdout a JSON object a line, one for
each message that was tried, `{"outcome": ..., "answer": ...}`. The URL is a secret: nothing that Apprise logs or raises
leaves this process but the three digits of an HTTP status.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apprise import NotifyBase

TAKEN, REFUSED, SLOW, UNUSABLE = "taken", "refused", "slow", "unusable"

_MOST_OCTETS = 1 << 29
"""Of address space: an answer without end ends this process, not the machine."""
_MESSAGE_SECONDS = 15
_MOST_FAILURES = 3
"""After so many in a row the endpoint is left in peace until the next run."""
_STATUS = re.compile(r"\berror=(\d{3})\b", re.ASCII)
_SETTINGS = {
    "app_id": "mail-gateway-reconciler",
    "app_desc": "mail-gateway-reconciler",
    "app_url": "",
    "async_mode": False,
    # a message goes to its endpoint and no further, unless the URL says ?redirect=yes
    "http_redirects": False,
    # nothing is kept on disk, and no keys are made
    "storage_mode": "memory",
    "pgp_autogen": False,
    "pem_autogen": False,
    "service_timeout": _MESSAGE_SECONDS,
}


class _LastStatus(logging.Handler):
    """Keeps the HTTP status that was logged last, and nothing else of what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.digits = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        found = _STATUS.search(record.getMessage())
        self.digits = found[1] if found else self.digits


def main() -> None:
    """Send what stdin says."""
    _limit_memory()
    errand = json.load(sys.stdin)
    statuses = _LastStatus()
    logging.getLogger("apprise").addHandler(statuses)
    service = _service(errand["url"])
    if service is None:
        _say(UNUSABLE)
        return
    failures = 0
    for message in errand["messages"]:
        statuses.digits = ""
        outcome = _send(service, message)
        _say(outcome, statuses.digits)
        failures = 0 if outcome == TAKEN else failures + 1
        if outcome == SLOW or failures == _MOST_FAILURES:
            return


def _limit_memory() -> None:
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - POSIX alone has it, and Linux alone keeps to it

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_OCTETS, _MOST_OCTETS))


def _service(url: str) -> NotifyBase | None:
    from apprise import Apprise, AppriseAsset, OverflowMode  # noqa: PLC0415 - after the limit

    service = Apprise.instantiate(url, asset=AppriseAsset(**_SETTINGS))  # type: ignore[arg-type]
    if service is not None and "overflow_mode" not in vars(service):
        # too long a message is shortened, unless the URL says what is to be done
        service.overflow_mode = OverflowMode.TRUNCATE
    return service


def _send(service: NotifyBase, message: dict[str, Any]) -> str:
    from apprise import Apprise, AppriseResultStatus, NotifyFormat  # noqa: PLC0415 - as above

    # what takes HTML too is mail, or a webhook that shows nothing by itself; `?format=` in the URL has its way
    takes_html = service.resolve_format(NotifyFormat.HTML) is NotifyFormat.HTML
    is_markdown = service.resolve_format(NotifyFormat.MARKDOWN) is NotifyFormat.MARKDOWN and not takes_html
    courier = Apprise(asset=service.asset)
    courier.add(service)
    result = courier.notify(
        title=message["title"],
        body=message["markdown" if is_markdown else "text"],
        body_format=NotifyFormat.MARKDOWN if is_markdown else NotifyFormat.TEXT,
        notify_type=message["tone"],
    )
    if result:
        return TAKEN
    return SLOW if result.status is AppriseResultStatus.TIMEOUT else REFUSED


def _say(outcome: str, answer: str = "") -> None:
    print(json.dumps({"outcome": outcome, "answer": answer}), flush=True)  # noqa: T201 - how it reports


if __name__ == "__main__":
    try:
        main()
    finally:
        # a thread that still waits for an answer would keep the interpreter from ending
        os._exit(0)
