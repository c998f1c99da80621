"""The words that a manifest gives a target: whether the target can use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re

    from reconciler.targets.base import DeclaredAllowlist


def choice_problems(declared: DeclaredAllowlist, key: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    """The problem of an option that must be one of a few words; the first is what stands for none."""
    value = declared.option(key, choices[0])
    return () if value in choices else (f"{key} is {value!r}; write one of {', '.join(choices)}",)


def name_problems(pattern: re.Pattern[str], shape: str, *names: str) -> tuple[str, ...]:
    """The problems of names that must have a shape, said in words as in `1 to 31 letters`."""
    return tuple(
        f"the name {name!r} cannot be used: it must be {shape}" for name in names if not pattern.fullmatch(name)
    )


def has_port(ports: str, port: int, dash: str) -> bool:
    """Whether `25`, `25,465` or a range such as `20:30`, written with its `dash`, has a port."""
    for part in ports.split(","):
        first, _, last = part.partition(dash)
        if _is_number(first) and _is_number(last or first) and int(first) <= port <= int(last or first):
            return True
    return False


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len("65535")
