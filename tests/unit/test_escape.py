"""Hostile text, made safe for each place that shows it."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hostile import (
    CONTROLS,
    HOSTILE,
    MARKUP,
    assert_log_is_safe,
    assert_markdown_is_safe,
    assert_no_controls,
    code_spans,
    parsed_markdown,
)

from reconciler.escape import (
    csv_cell,
    html_data,
    log_text,
    markdown_cell,
    markdown_code,
    markdown_fence,
    markdown_text,
    terminal_text,
    workflow_data,
    workflow_property,
)


@pytest.mark.parametrize("text", CONTROLS)
def test_a_terminal_obeys_nothing(text: str) -> None:
    shown = terminal_text(text)
    assert_no_controls(shown)
    assert "\n" not in shown
    assert "\\u{" in shown


@pytest.mark.parametrize("text", ["", "plain", "a\\b `|<", "müller", "日本語", "שלום", "e\u0301", "☃ 🎉"])
def test_what_can_be_printed_stays(text: str) -> None:
    assert terminal_text(text) == text


def test_a_code_point_is_named() -> None:
    assert terminal_text("a\x1b\u202e\U000e0001") == "a\\u{1b}\\u{202e}\\u{e0001}"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_line_of_a_log_is_a_workflow_command(text: str) -> None:
    shown = terminal_text(text)
    assert_log_is_safe(log_text(f"{shown}\n  {shown}\nat the end: {shown}\n"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", "\\u{3a}:error::x"),
        ("a\n\t ::error::x\nb", "a\n\t \\u{3a}:error::x\nb"),
        ("a ##[add-mask]b", "a \\u{23}#[add-mask]b"),
        ("###[x", "#\\u{23}#[x"),
        ("2001:db8::1 ::1 a::b # [x]", "2001:db8::1 ::1 a::b # [x]"),
        ("+ ::error::x", "+ ::error::x"),
    ],
)
def test_only_commands_change_in_a_log(text: str, shown: str) -> None:
    """A runner takes `::` for a command at the beginning of a line alone, and `##[` everywhere."""
    assert log_text(text) == shown


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "place", ["{}", "- {}", "### {}", "- **{}** x", "  - word {}: {} ({})", "| a | {} |\n|-|-|\n| {} | {} |"]
)
def test_running_text_is_never_markup(text: str, place: str) -> None:
    assert_markdown_is_safe(place.replace("{}", markdown_text(text)))


@pytest.mark.parametrize("text", MARKUP)
def test_running_text_reads_as_it_was_written(text: str) -> None:
    read = "".join(c for kind, c in parsed_markdown(f"a{markdown_text(text)}z") if kind in {"text", "text_special"})
    assert read.replace("\u200c", "") == f"a{text}z"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("place", ["{}", "- {}", "**{}** x", "  - remove {}"])
def test_a_code_span_is_copied_as_it_was_written(text: str, place: str) -> None:
    """No backslash is added, no space is lost, and no fence is broken."""
    markdown = place.replace("{}", markdown_code(text))
    assert_markdown_is_safe(markdown)
    assert code_spans(markdown) == [terminal_text(text)]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_span_in_a_table_is_copied_as_it_was_written(text: str) -> None:
    markdown = f"| a | b |\n|---|---|\n| {markdown_cell(text)} | {markdown_cell('x|y')} |\n"
    assert_markdown_is_safe(markdown)
    assert code_spans(markdown) == [terminal_text(text), "x|y"]
    assert [kind for kind, _ in parsed_markdown(markdown)].count("td_open") == 2


@pytest.mark.parametrize("text", [" a", "a ", " a ", "  ", " `a` ", "``", "`` `", "a\\", "\\|", "\\\\|", "|"])
def test_spaces_and_backticks_at_the_ends_stay(text: str) -> None:
    assert code_spans(f"x {markdown_code(text)} y") == [text]
    cells = code_spans(f"| a | b |\n|---|---|\n| x {markdown_cell(text)} y | z |\n")
    assert cells == [text]


def test_an_empty_value_is_blank() -> None:
    (content,) = code_spans(markdown_code(""))
    assert content.isspace()


@pytest.mark.parametrize("text", ["", "plain", "```", "````text", "~~~", "a\n``````\nb"])
def test_no_line_closes_its_fence(text: str) -> None:
    fence = markdown_fence(text)
    assert parsed_markdown(f"{fence}text\n{text}\n{fence}\n") == [("fence", f"{text}\n")]


@pytest.mark.parametrize("text", HOSTILE)
def test_an_annotation_is_one_command_that_says_what_was_given(text: str) -> None:
    """As the runner reads it: properties end at `,` and `::`, and `%25`, `%3A` and `%2C` are put back."""
    line = f"::error file={workflow_property(text)},line=1::{workflow_data(text)}"
    assert_no_controls(line)
    properties, _, message = line.removeprefix("::error ").partition("::")
    file, _, number = properties.partition(",")
    assert number == "line=1"
    assert _read_back(file.removeprefix("file=")) == terminal_text(text)
    assert _read_back(message) == terminal_text(text)


def _read_back(escaped: str) -> str:
    return escaped.replace("%3A", ":").replace("%2C", ",").replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


@pytest.mark.parametrize(
    "text", [*HOSTILE, "=1+1", " =1+1", '"=1+1', "'=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1"]
)
def test_a_cell_is_no_formula_and_stays_one_cell(text: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerow([csv_cell(text), "next"])
    ((cell, following),) = csv.reader(io.StringIO(written.getvalue()))
    assert following == "next"
    assert_no_controls(cell)
    assert cell.removeprefix("'") in {terminal_text(text), terminal_text(text).removeprefix("'")}
    assert cell.lstrip(' "')[:1] not in {"=", "+", "-", "@", "\uff1d"}


@pytest.mark.parametrize("text", ["plain", "a=b", "acme.example", "10 mail.acme.example."])
def test_a_cell_that_is_no_formula_stays(text: str) -> None:
    assert csv_cell(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_data_ends_no_script_element_and_reads_back(text: str) -> None:
    data = html_data({"name": [text, 1, None, True], text: ()})
    assert not set("<>&\u2028\u2029") & set(data)
    assert_no_controls(data)
    assert json.loads(data) == {"name": [terminal_text(text), 1, None, True], terminal_text(text): []}
