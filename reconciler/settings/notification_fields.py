"""Who is told what, as it may stand in the settings: the URL of an endpoint stands in the environment alone."""

from __future__ import annotations

import re

from reconciler.errors import RefusedValueError
from reconciler.settings.values import EVENT_WORDS
from reconciler.wording import choice_detail, shown

VARIABLE_PATTERN = r"env/([A-Za-z_][A-Za-z0-9_]*)"
_VARIABLE = re.compile(VARIABLE_PATTERN, re.ASCII)


def check_url(value: object) -> str:
    """Where an endpoint's URL is: `env/NAME`. No message repeats what is written instead."""
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        detail = (
            "Put the Apprise URL into an environment variable, as a secret of the CI, and write env/ and its name, as "
            "in: env/TEAMS_URL. A URL that stood here was readable for everybody: make a new one at its service."
        )
        raise RefusedValueError(
            "notification-url", "the endpoint's url is not the name of an environment variable", detail
        )
    return value


def check_endpoints(value: object) -> object:
    """A list, and no single value."""
    if isinstance(value, str):
        detail = "Write a list: [{url: env/TEAMS_URL, on: [drift-opened]}]."
        raise RefusedValueError("wrong-type", "`endpoints` must be a list, and is a single value", detail)
    return value


def check_event(value: str) -> str:
    """A word of `EVENT_WORDS`."""
    if value not in EVENT_WORDS:
        raise RefusedValueError("wrong-value", f"`on` cannot have {shown(value)}", choice_detail(value, EVENT_WORDS))
    return value


def check_events(value: tuple[str, ...]) -> tuple[str, ...]:
    """At least one."""
    if not value:
        detail = f"Write one or more of: {', '.join(EVENT_WORDS)}; or remove the endpoint."
        raise RefusedValueError("wrong-value", "`on` is empty: nothing would be told", detail)
    return value
