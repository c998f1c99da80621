"""The command line, from its own parser: every verb with its arguments, in the order that `--help` has."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reconciler.cli.verbs import VerbParser, build_parser
from reference.table import code_of, table_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# argparse has no public way to ask a parser for its arguments


def command_parser() -> argparse.ArgumentParser:
    """The program's parser, with every verb."""
    parser = build_parser()
    for verb, _ in verbs_of(parser).values():
        if isinstance(verb, VerbParser):
            verb.complete()
    return parser


def arguments_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The options and what stands without one, but for verbs and `--help`."""
    for action in parser._actions:  # noqa: SLF001
        if not isinstance(action, argparse._SubParsersAction | argparse._HelpAction):  # noqa: SLF001
            yield action


def verbs_of(parser: argparse.ArgumentParser) -> Mapping[str, tuple[argparse.ArgumentParser, str]]:
    """The verbs below a parser, each with what its line in `--help` says."""
    for action in parser._actions:  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
            return {name: (verb, helps.get(name, "")) for name, verb in action.choices.items()}
    return {}


def render_command_line() -> str:
    """A section for each verb, the options before the verb first."""
    parser = command_parser()
    head = ["## Before the verb", _arguments(parser)]
    return "\n\n".join([*head, *(part for name in verbs_of(parser) for part in _verb(parser, (name,)))])


def _verb(parser: argparse.ArgumentParser, path: tuple[str, ...]) -> Iterator[str]:
    verb, says = verbs_of(parser)[path[-1]]
    inner = verbs_of(verb)
    yield f"{'#' * (len(path) + 1)} {' '.join(path)}"
    about = says or verb.description or ""
    yield text_of(f"{about[:1].upper()}{about[1:]}".rstrip(".") + ".")
    if not inner:
        yield f"```text\n{_usage(verb, path)}\n```"
    if list(arguments_of(verb)):
        yield _arguments(verb)
    for name in inner:
        yield from _verb(verb, (*path, name))


def _usage(verb: argparse.ArgumentParser, path: tuple[str, ...]) -> str:
    arguments = list(arguments_of(verb))
    needed = [f"{a.option_strings[-1]} {_value(a)}".rstrip() for a in arguments if a.option_strings and a.required]
    options = ["[OPTION...]"] if any(a.option_strings and not a.required for a in arguments) else []
    places = [_place(a) for a in arguments if not a.option_strings]
    return " ".join(["reconciler", *path, *options, *needed, *places])


def _place(action: argparse.Action) -> str:
    shown = _value(action)
    return {"*": f"[{shown}...]", "+": f"{shown}...", "?": f"[{shown}]"}.get(str(action.nargs), shown)


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        return "|".join(map(str, action.choices))
    return action.metavar if isinstance(action.metavar, str) else action.dest.upper()


def _arguments(parser: argparse.ArgumentParser) -> str:
    rows = [(code_of(_written(a)), _means(a)) for a in arguments_of(parser)]
    return table_of(("argument", ""), rows)


def _written(action: argparse.Action) -> str:
    value = _value(action)
    if not action.option_strings:
        return value
    return ", ".join(f"{option} {value}".rstrip() for option in action.option_strings)


def _means(action: argparse.Action) -> str:
    says = text_of((action.help or "").replace("%%", "%"))
    is_told = action.nargs == 0 or action.default in (None, [], "", argparse.SUPPRESS) or "default" in says
    default = "" if is_told else f"default: {code_of(str(action.default))}"
    return "; ".join(part for part in (says, default, "required" if _is_needed(action) else "") if part)


def _is_needed(action: argparse.Action) -> bool:
    return bool(action.option_strings) and action.required
