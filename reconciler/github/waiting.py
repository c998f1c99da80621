"""How long is waited for GitHub before a request is sent again.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_PAUSES = (1.0, 2.0, 4.0, 8.0)
_LONGEST_PAUSE = 60.0  # of those that GitHub asks for
_BUDGET = 240.0  # of one run, however many requests it sends


def is_rate_limit(response: httpx.Response, said: str) -> bool:
    """Whether a request was refused for its rate alone: nothing was done."""
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    limited = "retry-after" in response.headers or response.headers.get("x-ratelimit-remaining") == "0"
    return response.status_code == HTTPStatus.FORBIDDEN and (limited or "rate limit" in said)


class Patience:
    """The pauses of one run."""

    def __init__(self) -> None:
        """All of it is left."""
        self._left = _BUDGET
        self._tries = 0

    def begin(self) -> None:
        """Another request."""
        self._tries = 0

    def has_waited_for(self, response: httpx.Response) -> bool:
        """Wait for as long as GitHub asks; False, at once, where that is longer than there is patience."""
        asked = response.headers.get("retry-after", "")
        reset = response.headers.get("x-ratelimit-reset", "")
        if asked.isdecimal():
            return self.has_waited(float(asked))
        if response.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
            return self.has_waited(max(0.0, float(reset) - time.time()) + 1)
        return self.has_waited()

    def has_waited(self, seconds: float | None = None) -> bool:
        """Wait before another try; False, at once, when there were enough."""
        if self._tries >= len(_PAUSES):
            return False
        pause = _PAUSES[self._tries] if seconds is None else seconds
        self._tries += 1
        if pause > min(_LONGEST_PAUSE, self._left):
            return False
        self._left -= pause
        time.sleep(pause)
        return True
