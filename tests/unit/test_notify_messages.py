"""From records to few messages and their texts: nothing is left out, and nothing hostile does anything."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import NOW
from hostile import HOSTILE, assert_log_is_safe, assert_markdown_is_safe, assert_no_controls

from reconciler.errors import EmitError
from reconciler.notify.digest import build_messages
from reconciler.notify.record import Event, Matter, Record, Standing, Subject
from reconciler.notify.rendering import RenderedMessage, render_message
from reconciler.templating import Templates, shipped_templates

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = Templates(None)
KINDS = [
    (Subject.DRIFT, Standing.WAITING),
    (Subject.DRIFT, Standing.ENDING),
    (Subject.HOLD, Standing.WAITING),
    (Subject.SWITCH, Standing.WAITING),
]


def record(number: int = 0, subject: Subject = Subject.DRIFT, standing: Standing = Standing.WAITING) -> Record:
    name = f"d{number}.example"
    matter = Matter(
        subject=subject,
        identity=str(number),
        organization="acme",
        domain=name,
        about=f"MX {name}",
        summary=f"mail to {name} no longer goes through the gateway",
        severity="" if subject is Subject.SWITCH else "high",
        advice="Apply again.",
        age_hours=30,
        held_by=("ttl", "allowlist"),
        before=("10 mail.acme.example.",),
        after=("0 eu.mx-pp.com.",),
    )
    return Record("e", matter, standing, NOW, NOW)


def of(item: Record, **changes: object) -> Record:
    return replace(item, matter=replace(item.matter, **changes))  # type: ignore[arg-type]


def rendered(*records: Record, per_run: int = 20) -> RenderedMessage:
    (message,) = build_messages(records, per_run)
    return render_message(message, SHIPPED)


def test_ten_thousand_changes_of_an_organization_are_one_message() -> None:
    (message,) = build_messages([record(n) for n in range(10_000)], 20)
    assert len(message.records) == 10_000
    sent = render_message(message, SHIPPED)
    assert sent.title == "acme: 10000 new drift findings, high"
    assert sent.text.endswith("\n- and 9990 more")
    assert len(sent.text) < 2000


def test_events_and_organizations_have_messages_of_their_own_the_worst_first() -> None:
    worst = of(record(1), severity="critical", organization="zeta")
    records = [record(2, *KINDS[1]), record(3, *KINDS[3]), record(4, *KINDS[2]), record(5), worst]
    messages = build_messages(records, 20)
    assert [(m.groups[0].event, m.groups[0].organization) for m in messages] == [
        (Event.DRIFT_OPENED, "zeta"),
        (Event.DRIFT_OPENED, "acme"),
        (Event.HOLD_TOO_LONG, "acme"),
        (Event.SWITCH_DONE, "acme"),
        (Event.DRIFT_CLOSED, "acme"),
    ]


@pytest.mark.parametrize("per_run", [1, 2, 20, 39, 40, 41])
def test_a_run_has_so_many_messages_and_the_last_one_counts_the_rest(per_run: int) -> None:
    records = [of(record(n), organization=f"org{n:02}") for n in range(40)]
    messages = build_messages(records, per_run)
    assert len(messages) == min(per_run, 40)
    assert sorted(r.matter.identity for m in messages for r in m.records) == sorted(str(n) for n in range(40))
    if per_run < 40:
        last = render_message(messages[-1], SHIPPED)
        left = 40 - per_run + 1
        assert last.title == f"Mail gateway: {left} further events"
        assert last.text.startswith(f"- org{per_run - 1:02}: drift-opened: 1\n")
        assert (f"- and {left - 10} more lines as these" in last.text) is (left > 10)


def test_what_has_nothing_to_tell_has_no_message() -> None:
    silent = [replace(record(n), standing=s) for n, s in enumerate((Standing.TOLD, Standing.ENDED, Standing.GIVEN_UP))]
    assert build_messages(silent, 20) == []


@pytest.mark.parametrize(
    ("kind", "title", "tone"),
    [
        (KINDS[0], "acme: 1 new drift finding, high", "failure"),
        (KINDS[1], "acme: 1 drift finding closed", "success"),
        (KINDS[2], "acme: 1 step held for too long", "warning"),
        (KINDS[3], "acme: MX of 1 domain moved", "success"),
    ],
)
def test_each_event_has_its_words(kind: tuple[Subject, Standing], title: str, tone: str) -> None:
    sent = rendered(record(1, *kind))
    assert (sent.title, sent.tone) == (title, tone)
    assert "d1.example" in sent.text
    assert "`" in sent.markdown
    assert_markdown_is_safe(sent.markdown)


def test_texts() -> None:
    assert rendered(record()).text == (
        "- high d0.example: mail to d0.example no longer goes through the gateway\n  To do: Apply again."
    )
    assert rendered(record(0, *KINDS[2])).text == (
        "- d0.example: mail to d0.example no longer goes through the gateway; held for 30 hours by ttl, allowlist"
    )
    assert rendered(record(0, *KINDS[3])).markdown == (
        "- `MX d0.example`: now `0 eu.mx-pp.com.`; was `10 mail.acme.example.`"
    )
    gone = of(record(0, *KINDS[3]), after=())
    assert rendered(gone).text == "- MX d0.example: now none; was 10 mail.acme.example."
    assert rendered(of(record(), severity="medium")).tone == "warning"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_texts_are_inert_in_every_event(kind: tuple[Subject, Standing], text: str) -> None:
    hostile = of(
        record(1, *kind),
        organization=text,
        domain=text,
        about=text,
        summary=text,
        advice=text,
        held_by=(text,),
        before=(text,),
        after=(text,),
    )
    assert_inert(rendered(hostile))
    rest = [of(hostile, organization=f"{text}{n}") for n in range(2)]
    assert_inert(rendered(*rest, per_run=1))


def assert_inert(sent: RenderedMessage) -> None:
    assert_no_controls(sent.title)
    assert re.fullmatch(r"[\w .,:?-]+", sent.title, re.ASCII), sent.title
    assert_log_is_safe(sent.text.replace("::", "").replace("##[", ""))
    assert_markdown_is_safe(sent.markdown)
    for body in (sent.text, sent.markdown):
        # what Apprise and services take for a mention, a tag or a link, wherever it stands
        assert not set("@<>[]") & set(body)


def test_a_user_may_have_other_words(tmp_path: Path) -> None:
    folder = tmp_path / "notifications"
    folder.mkdir()
    (folder / "title.text.j2").write_text("{{ message.severity }}!")
    (folder / "drift-opened.text.j2").write_text("{% for line in message.lines %}{{ line.domain }}{% endfor %}\n")
    (message,) = build_messages([of(record(), domain="a\x1b@b")], 20)
    sent = render_message(message, Templates(tmp_path))
    assert (sent.title, sent.text) == ("high!", "a\\u{1b}\\u{40}b")
    assert "**high**" in sent.markdown


def test_a_template_that_cannot_be_used_has_a_place(tmp_path: Path) -> None:
    folder = tmp_path / "notifications"
    folder.mkdir()
    (folder / "drift-opened.md.j2").write_text("\n{{ message.nothing }}")
    (message,) = build_messages([record()], 20)
    with pytest.raises(EmitError) as caught:
        render_message(message, Templates(tmp_path))
    assert caught.value.diagnostics[0].line == 2


def test_each_event_has_both_templates() -> None:
    names = {path.name for path in (shipped_templates() / "notifications").iterdir()}
    words = [*(event.value for event in Event), "rest"]
    assert names == {"title.text.j2", *(f"{w}.{kind}.j2" for w in words for kind in ("text", "md"))}


def test_templates_of_text_print_each_value_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.text.j2").write_text("{{ value }}\n{{ 7 }}\n")
    rendered_text = Templates(tmp_path).render("x.text.j2", {"value": "a\n<b>\x1b\u202e"})
    assert rendered_text == "a\\u{a}<b>\\u{1b}\\u{202e}\n7\n"
