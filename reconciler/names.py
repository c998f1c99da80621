"""The universal form of names: lowercase, absolute, A-labels. A `Name` was made here, or it is not a `Name`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Container

Name = NewType("Name", str)

ROOT = Name(".")
MAX_NAME_OCTETS = 255  # RFC 1035 section 2.3.4, the length octets and the root's zero included
MAX_LABEL_OCTETS = 63
MAX_WRITTEN = 4 * MAX_NAME_OCTETS  # characters; mapping shortens no honest name to a quarter

_PLAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+", re.ASCII)


class InvalidNameError(ValueError):
    """Not a host or domain name; the text says why."""


def canonical_name(text: str) -> Name:
    """The universal form of a host or domain name, given with or without the last dot, in U-labels or A-labels.

    Underscores are allowed (RFC 8552). U-labels are mapped as UTS 46 says and encoded as in RFC 5891.

    Raises:
        InvalidNameError: empty, too long (RFC 1035 section 2.3.4), or not made of letters, digits and hyphens.

    """
    if len(text) > MAX_WRITTEN:
        message = f"the name is {len(text)} characters long; at most {MAX_NAME_OCTETS} octets are allowed"
        raise InvalidNameError(message)
    absolute = text if text.endswith(".") else f"{text}."
    lowered = absolute.lower() if absolute.isascii() else absolute
    if not _PLAIN.fullmatch(lowered) or "xn--" in lowered:
        lowered = _encoded(absolute)
    if len(lowered) + 1 > MAX_NAME_OCTETS:
        message = f"the name is {len(lowered) + 1} octets long; at most {MAX_NAME_OCTETS} are allowed"
        raise InvalidNameError(message)
    return Name(lowered)


def _encoded(absolute: str) -> str:
    labels = absolute[:-1].split(".")
    if not all(labels):
        raise InvalidNameError("the name is empty, or has an empty label (two dots in a row, or one in front)")
    encoded = ".".join(_encoded_label(label) for label in labels) + "."
    if not _PLAIN.fullmatch(encoded):
        # UTS 46 maps the dots of other scripts to dots: "a\u3002" is one label here, and two there
        raise InvalidNameError("the name has an empty label, or one with a character that a name cannot have")
    return encoded


def _encoded_label(label: str) -> str:
    if label.isascii() and len(label) > MAX_LABEL_OCTETS:
        message = f"the label {label[:20]!r}... is longer than {MAX_LABEL_OCTETS} octets"
        raise InvalidNameError(message)
    if label.isascii() and not label.lower().startswith("xn--"):
        if not _PLAIN.fullmatch(f"{label.lower()}."):
            message = f"the label {label!r} has a character, or a place for it, that a name cannot have"
            raise InvalidNameError(message)
        return label.lower()
    import idna  # noqa: PLC0415 - 10 ms that plain ASCII names, nearly all of them, do not need

    try:
        return idna.encode(label, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as exc:
        message = f"the label {label!r} is no valid internationalised label: {exc}"
        raise InvalidNameError(message) from exc


def is_under(name: Name, ancestor: Name) -> bool:
    """Whether `name` is `ancestor` or lies below it."""
    return name == ancestor or name.endswith("." + ancestor) or ancestor == ROOT


def deepest_apex(name: Name, apexes: Container[Name]) -> Name | None:
    """The apex of a name's zone: of the `apexes` that the name is, or lies below, the longest; never the root."""
    current = name
    while current != ROOT:
        if current in apexes:
            return current
        current = Name(current.partition(".")[2] or ROOT)
    return None


def display_name(name: Name) -> str:
    """The name as people write it: without the last dot. The root stays a dot."""
    return name if name == ROOT else name[:-1]
