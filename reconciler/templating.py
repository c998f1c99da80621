"""Templates to text: one sandboxed Jinja environment for each kind of output, told by the template's name.

Every value that a template prints is escaped for its kind, whoever wrote the template:

* `*.html.j2`: HTML, attributes included; characters that a reader cannot see become their code points.
* `*.md.j2`: Markdown. What a filter of this module made (`|code`, `|cell` for a code span in a table, `|fenced`) is
  Markdown already; nothing else is, so macros and `{% set %}` blocks are escaped once more when they are printed: use
  `{% include %}` instead.
* `*.text.j2`: text for people, each value on one line; characters that a reader cannot see become their code points.
* everything else, `*.ps1.j2`, `*.sh.j2`, `*.cidr.j2` and whatever extension there is, is code (`code_environment`).

A template is looked for in the user's folder first and then among the shipped ones, file by file.
"""

from __future__ import annotations

import traceback
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.exceptions import TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from reconciler.code_templates import checked_code, code_environment
from reconciler.errors import EmitError, error
from reconciler.escape import html_text, markdown_cell, markdown_code, markdown_fence, markdown_text, terminal_text
from reconciler.quoting import RefusedValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.manifest.fleet import Source

# what an expression in a template can raise beside Jinja's own errors
_EXPRESSION_ERRORS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, OSError)


class MarkdownMarkup(str):
    """Text that is Markdown already: it is printed as it is."""

    __slots__ = ()


class Templates:
    """The templates in force. `user_folder` may hold a file of the same name for each shipped one, or be None."""

    def __init__(self, user_folder: Path | None) -> None:
        """Find the folders.

        Raises:
            EmitError: the user's folder is not there.

        """
        if user_folder is not None and not user_folder.is_dir():
            detail = "Create the folder, or correct or remove `templates:` in the settings."
            summary = f"the folder for templates, {user_folder}, is not there"
            raise EmitError([error("template-folder", summary, detail, file=str(user_folder))])
        folders = [f for f in (user_folder, shipped_templates()) if f is not None]
        self._loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])
        self._environments = {kind: build(self._loader) for kind, build in _KINDS.items()}

    def render(self, name: str, context: Mapping[str, object], *, source: Source | None = None) -> str:
        """The text that a template makes of its context, as in `render("instructions/domain.md.j2", {"sheet": ...})`.

        `source` is where the context was declared: a value that code cannot hold is an error there.

        Raises:
            EmitError: the template is missing, is no template, or uses what is not there; with its file and line. A
                value is refused in code, or what was made is not printable ASCII.

        """
        kind = name.removesuffix(".j2").rpartition(".")[2]
        try:
            text = self._environment(kind).get_template(name).render(context)
            return text if kind in _KINDS else checked_code(text, kind)
        except RefusedValueError as exc:
            raise _refusal_error(name, exc, source) from exc
        except (TemplateError, *_EXPRESSION_ERRORS) as exc:
            raise _template_error(name, exc) from exc

    def _environment(self, kind: str) -> ImmutableSandboxedEnvironment:
        if kind not in self._environments:
            self._environments[kind] = code_environment(self._loader, kind)
        return self._environments[kind]


def shipped_templates() -> Path:
    """The folder of the templates that come with the program: inside the installed package, or in the checkout."""
    installed = Path(str(files("reconciler") / "templates"))
    return installed if installed.is_dir() else Path(__file__).resolve().parent.parent / "templates"


def _refusal_error(name: str, exc: RefusedValueError, source: Source | None) -> EmitError:
    file, line = _place(name, exc)
    summary = f"the template {name} cannot print a value: {exc}"
    detail = (
        "Declare a value that can be written in printable ASCII; where the template is your own, print every value "
        "through a filter of its kind, or remove it to bring the shipped one back. Nothing was written."
    )
    if source is not None:
        summary, file, line = f"{summary} ({file}:{line})", source.file, source.line
    return EmitError([error("template-value", summary, detail, file=file, line=line)])


def _template_error(name: str, exc: Exception) -> EmitError:
    file, line = _place(name, exc)
    if isinstance(exc, TemplateNotFound):
        summary = f"the template {exc.name} is not there"
        detail = "Restore it in the folder that `templates:` in the settings names, or reinstall the program."
    else:
        summary = f"the template cannot be used: {type(exc).__name__}: {exc}"
        detail = "Correct the template; removing it from the folder for templates brings the shipped one back."
    return EmitError([error("template", summary, detail, file=file, line=line)])


def _place(name: str, exc: Exception) -> tuple[str, int]:
    """The file and the line of the innermost template that an exception came from; line 0 where there is none."""
    if isinstance(exc, TemplateSyntaxError):
        return exc.filename or name, exc.lineno
    frames = [f for f in traceback.extract_tb(exc.__traceback__) if f.filename.endswith(".j2")]
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else (name, 0)


def _environment(
    loader: BaseLoader, finalize: Callable[[object], object], *, autoescape: bool
) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=loader,
        finalize=finalize,
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _html_environment(loader: BaseLoader) -> ImmutableSandboxedEnvironment:
    environment = _environment(loader, _html_value, autoescape=True)
    environment.filters["csp_source"] = _csp_source
    return environment


def _markdown_environment(loader: BaseLoader) -> ImmutableSandboxedEnvironment:
    environment = _environment(loader, _markdown_value, autoescape=False)
    environment.filters["code"] = lambda value: MarkdownMarkup(markdown_code(_text(value)))
    environment.filters["cell"] = lambda value: MarkdownMarkup(markdown_cell(_text(value)))
    environment.filters["fenced"] = _fenced
    return environment


def _text_environment(loader: BaseLoader) -> ImmutableSandboxedEnvironment:
    return _environment(loader, lambda value: terminal_text(_text(value)), autoescape=False)


_KINDS = {"html": _html_environment, "md": _markdown_environment, "text": _text_environment}


def _text(value: object) -> str:
    """The text of what a template prints; an undefined value raises here."""
    if value is None:
        raise ValueError("a value that is None cannot be printed; test it with {% if %}")
    return str(value)


def _html_value(value: object) -> object:
    return value if isinstance(value, Markup) else html_text(_text(value))


def _markdown_value(value: object) -> object:
    return value if isinstance(value, MarkdownMarkup) else markdown_text(_text(value))


def _fenced(lines: object) -> MarkdownMarkup:
    """A fenced code block of a list of lines, or of one line."""
    given = lines if isinstance(lines, list | tuple) else [lines]
    body = "\n".join(terminal_text(_text(line)) for line in given)
    fence = markdown_fence(body)
    return MarkdownMarkup(f"{fence}text\n{body}\n{fence}")


def _csp_source(style: object) -> str:
    """The source expression that allows exactly this inline style (Content Security Policy Level 3, section 8.4)."""
    return f"'sha256-{b64encode(sha256(str(style).encode()).digest()).decode('ascii')}'"
