"""What the documentation says can be done as it is said: links lead somewhere, commands and YAML are understood."""

from __future__ import annotations

import re
import shlex
from contextlib import redirect_stderr
from datetime import date
from io import StringIO
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from documentation import DOCS, ROOT, Block, blocks, is_shown, markdown_pages
from reference import fill_in
from reference.command_line import arguments_of, command_parser, verbs_of

from reconciler.catalog import load_catalog
from reconciler.errors import ExitCode
from reconciler.manifest.load import load_manifests
from reconciler.schemas import load_schema
from reconciler.settings import load_settings
from reconciler.strict_yaml import load_yaml

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

TODAY = date(2026, 11, 21)
PAGES = markdown_pages()
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
# YAML that is somebody else's: a workflow, an action, a pipeline, hooks of pre-commit
OTHERS = {
    "jobs",
    "runs",
    "on",
    "repos",
    "include",
    "stages",
    "steps",
    "image",
    "variables",
    "permissions",
    "concurrency",
}


def without_required(schema: Any) -> Any:  # noqa: ANN401 - as JSON is
    """A schema that a part of a document meets, too: keys and values are what they have to be; some are left out."""
    if isinstance(schema, dict):
        return {key: without_required(value) for key, value in schema.items() if key != "required"}
    return [without_required(value) for value in schema] if isinstance(schema, list) else schema


MANIFEST = without_required(load_schema("manifest"))
CATALOG = load_catalog()
# what a part of a manifest may be a part of
PARTS = (MANIFEST["$defs"]["DomainManifest"], MANIFEST["$defs"]["ServiceManifest"], MANIFEST)
PARSER = command_parser()


def shown(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(text: str) -> str:
    """A page without its fenced blocks and code spans."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"(?ms)^ *```.*?^ *```$", "", text))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub and the site make from a page's headings."""
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+?)\s*$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", h)).lower().replace(" ", "-") for h in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = prose(page.read_text(encoding="utf-8"))
    for link in LINK.finditer(text):
        target, _, anchor = (link[1] or link[2]).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{shown(page)}: {target}"
        if anchor:
            assert anchor in anchors(file), f"{shown(page)}: {target}#{anchor}"


def commands() -> Iterator[Any]:
    """Every call of the program in a block, and in running text every one that has options."""
    for page in PAGES:
        for block in blocks(page):
            if block.language in {"console", "bash", "sh", "shell"}:
                for line in block.text.replace("\\\n", " ").splitlines():
                    yield from (pytest.param(call, id=f"{block.page}: {call}") for call in calls(line))


def calls(line: str) -> Iterator[str]:
    """The calls of the program in a line of shell, without what is before and after them."""
    for part in re.split(r"&&|\|\|?|;|\bdo\b|\bdone\b|\$\(", line.removeprefix("$ ")):
        found = re.match(r"\s*(?:[A-Z_]+=\S*\s+)*(?:\S*/)?reconciler (.*)", part)
        if found:
            yield re.sub(r"\s+(?:2?>|#|<).*", "", found[1]).strip().removesuffix(")")


@pytest.mark.parametrize("call", list(commands()))
def test_every_command_that_is_shown_is_understood(call: str) -> None:
    words = [re.sub(r"\$\{?\w+\}?", "20", word) for word in shlex.split(call)]
    if words == ["..."]:
        return
    assert refusal_of(words) == ""


def refusal_of(words: list[str]) -> str:
    """What the program says of arguments that it does not understand."""
    said = StringIO()
    with redirect_stderr(said):
        try:
            PARSER.parse_args(words)
        except SystemExit as exc:
            return said.getvalue() if exc.code else ""  # --version and --help
    return ""


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_verb_and_option_in_running_text_is_there(page: Path) -> None:
    verbs = verbs_of(PARSER)
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"))
    for call in re.findall(r"`reconciler ([^`]+)`", text):
        words = [word for word in call.split() if re.fullmatch(r"--[a-z-]+|[a-z]+", word)]
        verb = next((word for word in words if word in verbs), "")
        assert verb or all(word.startswith("--") for word in words) or "..." in call, f"{shown(page)}: {call}"
        known = options(PARSER) | (options(verbs[verb][0]) if verb else set())
        assert {word for word in words if word.startswith("--")} <= known, f"{shown(page)}: {call}"


def options(parser: argparse.ArgumentParser) -> set[str]:
    """A parser's options, and those of the verbs below it where it is a verb itself."""
    inner = (options(verb) for verb, _ in verbs_of(parser).values()) if parser.prog != "reconciler" else ()
    return {option for action in arguments_of(parser) for option in action.option_strings}.union(*inner, {"--help"})


def yaml_blocks() -> Iterator[Any]:
    for page in PAGES:
        for block in blocks(page):
            if block.language == "yaml":
                yield pytest.param(block, id=f"{block.page}:{block.line}")


@pytest.mark.parametrize("block", list(yaml_blocks()))
def test_every_yaml_that_is_shown_is_valid(block: Block, tmp_path: Path) -> None:
    document = load_yaml(block.text.encode(), "shown.yaml")
    data = document.data
    if not isinstance(data, dict) or OTHERS & set(data):
        return
    file = tmp_path / "shown.yaml"
    part = next((part for part in PARTS if set(data) <= set(part["properties"])), None)
    if {"organization", "services"} <= set(data):
        file.write_text(block.text, encoding="utf-8")
        load_manifests(tmp_path, catalog=CATALOG, today=TODAY)
    elif part is not None:
        problems = jsonschema.Draft202012Validator({**part, "$defs": MANIFEST["$defs"]}).iter_errors(data)
        assert [problem.message for problem in problems] == []
    else:
        file.write_text(complete(data, block.text), encoding="utf-8")
        load_settings(file, required=True)


def complete(data: Any, text: str) -> str:  # noqa: ANN401 - as YAML is
    """Settings that name a provider which a page shows somewhere else."""
    named = data.get("default_provider", "manual")
    return (
        text if named in {"manual", *data.get("providers", {})} else f"{text}\nproviders: {{{named}: {{class: any}}}}\n"
    )


def test_every_exit_code_has_its_line() -> None:
    page = (DOCS / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)] == sorted(map(int, ExitCode))


@pytest.mark.parametrize(
    ("expected", "printed", "is_same"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a"], ["a", "b"], False),
        (["a ... c"], ["a 12 c"], True),
        (["a ... c"], ["a 12 d"], False),
        (["...", "c"], ["a", "b", "c"], True),
        (["a", "...", "c"], ["a", "c"], True),
        (["a", "...", "c"], ["a", "b"], False),
        (["a.b"], ["axb"], False),
        ([], ["a"], False),
        (["", "a"], ["a", ""], True),
    ],
)
def test_what_is_shown_is_what_is_printed_but_for_elisions(
    expected: list[str], printed: list[str], *, is_same: bool
) -> None:
    assert is_shown(expected, printed) is is_same


def test_a_page_names_its_parts_by_their_names() -> None:
    with pytest.raises(KeyError):
        fill_in("<!-- made from the code: nothing-of-ours -->\n<!-- /made from the code -->\n")
