"""Templates of code: scripts, tables and data that a server will carry out or load.

A template prints nothing but what a quoting filter made. What can be printed is told by the template's extension, so
that a shell's quoting cannot get into PowerShell:

* in every template: `address` (an address, block or range, written anew), `word`, `comment`, `number`;
* `sh`: `sh`; `json`: `json`; `xml`: `xml`; `nft`: `nft`; `ps1`: `ps`; `sieve`: `sieve`, in templates of that extension.

`{% filter %}`, `{% call %}` and `{% autoescape %}` print past this rule and are errors; a macro's result is text that
no filter made, so use `{% include %}`. What was rendered is printable ASCII, or an error; PowerShell gets CRLF.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from jinja2 import StrictUndefined
from jinja2.compiler import CodeGenerator
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reconciler import quoting
from reconciler.addresses import Interval, InvalidAddressError, parse_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import BaseLoader, nodes
    from jinja2.compiler import Frame

_POWERSHELL = "ps1"
_BEYOND_CODE = re.compile(r"[^\n\t -~]")
_BEYOND_POWERSHELL = re.compile(r"[^\n -~]")


class QuotedText(str):
    """Text that a quoting filter made: it is printed as it is."""

    __slots__ = ()


def code_environment(loader: BaseLoader, extension: str) -> ImmutableSandboxedEnvironment:
    """The environment of the templates whose output has this extension, given without its dot."""
    environment = _CodeEnvironment(
        loader=loader,
        finalize=_quoted_alone,
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name, quote in {**_EVERYWHERE, **_OF_EXTENSION.get(extension, {})}.items():
        environment.filters[name] = _filter(quote)
    return environment


def checked_code(text: str, extension: str) -> str:
    """What was rendered, with the line ends of its kind.

    Raises:
        RefusedValueError: a character in it is not printable ASCII.

    """
    wrong = (_BEYOND_POWERSHELL if extension == _POWERSHELL else _BEYOND_CODE).search(text)
    if wrong:
        line = text.count("\n", 0, wrong.start()) + 1
        message = f"line {line} of what it makes holds U+{ord(wrong[0]):04X}: only printable ASCII is emitted"
        raise quoting.RefusedValueError(message)
    return text.replace("\n", "\r\n") if extension == _POWERSHELL else text


class _CodeGenerator(CodeGenerator):
    """Refuses the statements that print without asking the environment's finalize hook."""

    def visit_FilterBlock(self, node: nodes.FilterBlock, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        del frame
        self._refuse("filter", node)

    def visit_CallBlock(self, node: nodes.CallBlock, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        del frame
        self._refuse("call", node)

    def visit_ScopedEvalContextModifier(  # noqa: N802 - Jinja's name
        self, node: nodes.ScopedEvalContextModifier, frame: Frame
    ) -> None:
        del frame
        self._refuse("autoescape", node)

    def _refuse(self, statement: str, node: nodes.Node) -> NoReturn:
        self.fail(f"{{% {statement} %}} has no place in a template of code", node.lineno)


class _CodeEnvironment(ImmutableSandboxedEnvironment):
    code_generator_class = _CodeGenerator


def _quoted_alone(value: object) -> str:
    if isinstance(value, QuotedText):
        return value
    text = str(value)  # an undefined value raises its own error here
    message = f"{quoting.shown_value(text)!r} passed no quoting filter, as in {{{{ value|word }}}}"
    raise quoting.RefusedValueError(message)


def _filter(quote: Callable[[object], str]) -> Callable[[object], QuotedText]:
    def quoted(value: object) -> QuotedText:
        if isinstance(value, StrictUndefined):
            str(value)  # raises its own error
        return QuotedText(quote(value))

    return quoted


def _address(value: object) -> str:
    try:
        return str(value if isinstance(value, Interval) else parse_interval(str(value)))
    except InvalidAddressError as exc:
        message = f"the value {quoting.shown_value(value)!r} is refused: it is no IP address, CIDR block or range"
        raise quoting.RefusedValueError(message) from exc


_EVERYWHERE: dict[str, Callable[[object], str]] = {
    "address": _address,
    "word": quoting.word,
    "comment": quoting.comment,
    "number": quoting.number,
}

_OF_EXTENSION: dict[str, dict[str, Callable[[object], str]]] = {
    "sh": {"sh": quoting.shell_word},
    "json": {"json": quoting.json_literal},
    "xml": {"xml": quoting.xml_text, "comment": quoting.xml_comment},
    "nft": {"nft": quoting.nft_string},
    _POWERSHELL: {"ps": quoting.powershell_literal, "comment": quoting.powershell_comment},
    "sieve": {"sieve": quoting.sieve_string},
}
