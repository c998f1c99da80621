"""Any octets as an export give a result or unknown, for every target; a part of an export is never taken for all."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from exports_lab import ALLOWLIST_EXPORTS, MADE_AT, MAIL_RULE_EXPORTS, declared_for
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.observe.exports import read_allowlist_export, read_mail_rule_export
from reconciler.state import Unknown
from reconciler.targets.base import AllowlistContent, UnreadableExportError
from reconciler.targets.mail_rule import MailRuleContent
from reconciler.targets.registry import ALLOWLIST_TARGETS, MAIL_RULE_TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

Content = AllowlistContent | MailRuleContent

NOW = datetime.fromisoformat(MADE_AT) + timedelta(minutes=1)
READABLE = sorted(t.id for t in ALLOWLIST_TARGETS.values() if t.is_readable)
EXPORTS = ALLOWLIST_EXPORTS | MAIL_RULE_EXPORTS
TARGETS = [*READABLE, *sorted(MAIL_RULE_TARGETS)]
# texts that some part of some reader treats in its own way
DICTIONARY = [
    "\n", "\r\n", " ", "\t", '"', "'", "|", "| ", "[", "]", "{", "}", "<", ">", "#", "!", ":", ",", ";", "\\", "/", "-",
    "=", "%", "\0", "\ufeff", "\u2028", "\ud7ff", "\u0661", "end\n", "[table]\n", "reconciler-export 1 ", "NextToken",
    "192.0.2.7", "0.0.0.0/0", "::/0", "10.0.0.0/-1", "1.2.3.4-", "2001:db8::1", "::ffff:1.2.3.4", "fe80::1%x",
    "1e999", "-1", "9" * 5000, "null", "true", "NaN", "[]", "{}", "[" * 3000, '{"a":' * 3000, "<a>" * 3000, "(" * 3000,
    "<!DOCTYPE a [<!ENTITY b 'c'>]>", "&b;", "&#0;", "if", "endif", "Include /etc/csf/csf.allow\n", "add gateway ",
    "timeout 1", "-A gateway ", "COMMIT\n", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "text:\n.\n", "/*",
]  # fmt: skip
WEIRD: list[object] = [
    None,
    True,
    -1,
    1 << 70,
    1e999,
    "",
    "\0",
    "x" * 300,
    [],
    {},
    [[[]]],
    {"value": [], "Count": 0},
    {"": None},
]


def _reader(target: str) -> Callable[[str], Content]:
    if target in MAIL_RULE_TARGETS:
        return MAIL_RULE_TARGETS[target].read
    declared = declared_for(target)
    return lambda text: ALLOWLIST_TARGETS[target].read(text, declared)


def _assert_read_or_unreadable(target: str, text: str) -> None:
    """The reader's own promise, without the net below it."""
    try:
        content = _reader(target)(text)
    except UnreadableExportError:
        return
    assert isinstance(content, AllowlistContent | MailRuleContent)
    if isinstance(content, AllowlistContent):
        assert all(entry.written == str(entry.written) and entry.interval.size > 0 for entry in content.entries)


def _read_file(target: str, octets: bytes) -> Content | Unknown:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        path.write_bytes(octets)
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
        if target in MAIL_RULE_TARGETS:
            return read_mail_rule_export(path, MAIL_RULE_TARGETS[target], NOW, 24)
        return read_allowlist_export(path, ALLOWLIST_TARGETS[target], declared_for(target), NOW, 24)


@st.composite
def mutated(draw: st.DrawFn, texts: tuple[str, ...]) -> str:
    """A real export that was cut, or had something put in or repeated, a few times."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 4))):
        start, stop = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        stop = min(stop, start + draw(st.sampled_from([0, 1, 3, 12, len(text)])))
        piece = draw(st.sampled_from(["", text[start:stop] * 2, *DICTIONARY]) | st.text(max_size=5))
        text = text[:start] + piece + text[stop:]
    return text


@st.composite
def mutated_json(draw: st.DrawFn, texts: tuple[str, ...]) -> str:
    """A real export in JSON, some of whose values became others."""
    document = json.loads(draw(st.sampled_from(texts)))
    for _ in range(draw(st.integers(1, 3))):
        document = draw(_replaced(document))
    return json.dumps(document) + "\n"


@st.composite
def _replaced(draw: st.DrawFn, value: object) -> object:
    """The value with one part of it, or all of it, replaced."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: draw(_replaced(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], draw(_replaced(value[index])), *value[index + 1 :]]
    return draw(st.sampled_from(WEIRD))


def _is_json(text: str) -> bool:
    return text.startswith("{")


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_an_export_here_that_is_read(target: str) -> None:
    for text in EXPORTS[target]:
        content = _read_file(target, text.encode())
        assert not isinstance(content, Unknown), content
        for encoding in ("utf-8-sig", "utf-16"):
            assert _read_file(target, text.encode(encoding)) == content


def test_no_export_here_is_of_no_target() -> None:
    assert sorted(EXPORTS) == sorted(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_mutated_export_is_read_or_unreadable(target: str, data: st.DataObject) -> None:
    _assert_read_or_unreadable(target, data.draw(mutated(EXPORTS[target])))


@pytest.mark.parametrize("target", [t for t in TARGETS if any(map(_is_json, EXPORTS.get(t, ())))])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_json_with_other_values_is_read_or_unreadable(target: str, data: st.DataObject) -> None:
    _assert_read_or_unreadable(target, data.draw(mutated_json(tuple(filter(_is_json, EXPORTS[target])))))


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=200) | st.lists(st.sampled_from(DICTIONARY), max_size=12).map("".join))
def test_any_text_is_read_or_unreadable(target: str, text: str) -> None:
    _assert_read_or_unreadable(target, text)
    _assert_read_or_unreadable(target, f"{text}\n")


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_file_gives_a_result_or_unknown(target: str, data: st.DataObject) -> None:
    octets = data.draw(
        st.binary(max_size=200)
        | mutated(EXPORTS[target]).map(lambda text: text.encode(errors="surrogatepass"))
        | mutated(EXPORTS[target]).map(lambda text: text.encode("utf-16", errors="surrogatepass"))
    )
    content = _read_file(target, octets)
    if isinstance(content, Unknown):
        assert content.detail.isprintable()
        assert len(content.detail) < 400


@pytest.mark.parametrize("target", TARGETS)
def test_a_part_of_an_export_is_unknown(target: str) -> None:
    """Whatever has an end, a frame, JSON or XML, is known to be cut off wherever it is; other text within a line."""
    for text in EXPORTS[target]:
        whole = _reader(target)(text)
        has_end = text.startswith(("{", "<", "reconciler-export ", "table "))
        for size in range(len(text)):
            part = text[:size]
            if not has_end and part.endswith("\n"):
                continue
            try:
                content = _reader(target)(part)
            except UnreadableExportError:
                continue
            assert content == whole, part


@pytest.mark.parametrize("target", TARGETS)
def test_the_export_of_another_target_is_not_read(target: str) -> None:
    """What says whose it is."""
    for other, texts in EXPORTS.items():
        for text in texts:
            if other != target and text.startswith(("reconciler-export ", '{\n  "Format"')):
                with pytest.raises(UnreadableExportError):
                    _reader(target)(text)


BOMBS = {
    "deep JSON": "[" * 50_000,
    "deep objects": '{"a":' * 50_000,
    "a number of very many digits": '{"Entries": ' + "9" * 200_000 + "}\n",
    "infinity": '{"Entries": 1e999}\n',
    "deep XML": "<ipset>" * 50_000 + "\n",
    "entities": '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><ipset>&c;</ipset>\n',
    "an entity that is a file": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><ipset>&b;</ipset>\n',
    "parentheses": "(" * 50_000 + "\n",
    "blocks": "if true {" * 20_000 + "\n",
    "one long line": "x" * 200_000 + "\n",
    "spaces": " " * 200_000 + "x\n",
    "quotes": '"' * 200_001 + "\n",
    "comments": "/*" * 100_000 + "\n",
    "brackets": "[table]\n" * 20_000,
    "sections": "".join(f"[{n}]\n" for n in range(20_000)),
}


@pytest.mark.parametrize("bomb", sorted(BOMBS))
@pytest.mark.parametrize("target", TARGETS)
def test_bombs_do_no_harm(target: str, bomb: str) -> None:
    """Neither an exception, nor an entry, nor a long time."""
    started = time.monotonic()
    for text in (BOMBS[bomb], f"reconciler-export 1 {target} {MADE_AT}\n[{_section(target)}]\n| {BOMBS[bomb]}end\n"):
        content = _read_file(target, text.encode())
        assert isinstance(content, Unknown) or not _found(content)
    assert time.monotonic() - started < 10


def _found(content: Content) -> tuple[object, ...]:
    return content.rules if isinstance(content, MailRuleContent) else content.entries


def _section(target: str) -> str:
    """The section of the target's own export that holds the list or the rules."""
    framed = "".join(text for text in EXPORTS[target] if text.startswith("reconciler-export "))
    sections = framed.split("\n[")[1:]
    held = [section for section in sections if "192.0.2.7" in section] or sorted(sections, key=len)
    return held[-1].split("]", 1)[0] if held else "list"
