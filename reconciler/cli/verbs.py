"""The verbs, in the order of `--help`, each with the module that has its arguments and what it runs.

A module is imported when its verb is asked for: a run needs one, and `--help` none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.cli.parser import Parser, new_parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


class Verb(NamedTuple):
    """Its name, its module in this package, and its line in `--help`."""

    name: str
    module: str
    help: str


_VERBS = (
    Verb("validate", "validate", "check manifests, offline"),
    Verb("plan", "plan", "show what differs and what would be done; writes nothing"),
    Verb("apply", "apply", "write what is ready: a saved plan, what was held of it, or all"),
    Verb("drift", "drift", "show what is not as declared or not as it was applied; never writes DNS"),
    Verb("merge", "merge", "put the JSON documents of all shards of a plan, or of a drift, together"),
    Verb("github", "github", "show plans, applies and drift on GitHub; find plans reviewed there"),
    Verb("notify", "notify", "tell people, by the endpoints in the settings, what is new in documents"),
    Verb("report", "report", "write a static site of the fleet; reads alone, and records nothing"),
    Verb("emit", "emit", "write configuration or instructions for somebody else to carry out"),
    Verb("import", "draft", "draft manifests from live DNS"),
    Verb("check", "check", "look for what would lose mail if a domain's MX moved to the gateway now"),
    Verb("journal", "journal", "keep the journal on a branch of its own between runs of CI"),
    Verb("schema", "schema", "print a JSON Schema"),
)


class VerbParser(Parser):
    """A verb's parser, which is made when it is needed: there are many verbs, and a run has one."""

    def __init__(self, *, module: str, **given: Any) -> None:  # noqa: ANN401 - as argparse's
        """The module has `add_arguments(parser)`; the rest is argparse's, which gets it in `complete`."""
        self._module, self._given = module, given

    def complete(self) -> None:
        """Make it, with the verb's arguments, if it is not made yet."""
        if self._module:
            module, self._module = self._module, ""
            super().__init__(**self._given)
            import_module(module).add_arguments(self)

    def parse_known_args(  # type: ignore[override]  # argparse's overloads say no more
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse's, which calls it for the verb that it found."""
        self.complete()
        return super().parse_known_args(args, namespace)


def build_parser() -> Parser:
    """The parser of the whole command line; the verbs' own arguments are added when they are needed."""
    parser = new_parser()
    # the program's name is given, or argparse would format a usage to take it from
    verbs = parser.add_subparsers(
        title="verbs", prog=parser.prog, required=True, metavar="VERB", parser_class=VerbParser
    )
    for verb in _VERBS:
        verbs.add_parser(verb.name, help=verb.help, module=f"{__package__}.{verb.module}")
    return parser
