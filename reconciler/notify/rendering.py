"""From a message to its texts, by templates: a title, the text, and the same as Markdown.

The endpoint's service chooses between the two bodies. Templates are in `notifications/`; a folder of the user's may
hold others. What they are given is inert already: services, and Apprise on the way to them, look for mentions by `@`,
`<` and `>`, or their entities, wherever they stand, in code spans too; and some show Markdown's links in plain text. So
these, `&` and brackets become their code points before a template can print them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.escape import terminal_text
from reconciler.notify.record import Event

if TYPE_CHECKING:
    from reconciler.notify.digest import Group, Message
    from reconciler.notify.record import Record
    from reconciler.templating import Templates

_FOLDER = "notifications"
_REST = "rest"
_MOST_LINES = 10
_LONGEST_TITLE = 150
_MENTIONS = str.maketrans({c: f"\\u{{{ord(c):x}}}" for c in "@<>&[]"})
_BEYOND_IDENTIFIER = re.compile(r"[^A-Za-z0-9._-]")
_ALARMING = frozenset({"critical", "high"})


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """What is sent. `tone` is a notification type of Apprise: failure, warning, info or success."""

    title: str
    text: str
    markdown: str
    tone: str


def render_message(message: Message, templates: Templates) -> RenderedMessage:
    """The texts of a message.

    Raises:
        EmitError: a template of the user's cannot be used.

    """
    is_rest = len(message.groups) > 1
    name = _REST if is_rest else message.groups[0].event.value
    context = {"message": _rest(message) if is_rest else _context(message.groups[0], message.severity)}
    title, text, markdown = (
        templates.render(f"{_FOLDER}/{file}", context) for file in ("title.text.j2", f"{name}.text.j2", f"{name}.md.j2")
    )
    return RenderedMessage(" ".join(title.split())[:_LONGEST_TITLE], text.strip(), markdown.strip(), _tone(message))


def _context(group: Group, severity: str) -> dict[str, Any]:
    shown = group.records[:_MOST_LINES]
    return {
        "event": group.event.value,
        "organization": _identifier(group.organization),
        "severity": severity,
        "count": len(group.records),
        "domains": len({r.matter.domain for r in group.records}),
        "lines": [_item(record) for record in shown],
        "more": len(group.records) - len(shown),
    }


def _rest(message: Message) -> dict[str, Any]:
    shown = message.groups[:_MOST_LINES]
    return {
        "event": _REST,
        "severity": message.severity,
        "count": len(message.records),
        "groups": [
            {"event": g.event.value, "organization": _identifier(g.organization), "count": len(g.records)}
            for g in shown
        ],
        "more": len(message.groups) - len(shown),
    }


def _item(record: Record) -> dict[str, Any]:
    matter = record.matter
    return {
        "domain": _inert(matter.domain or matter.about),
        "about": _inert(matter.about),
        "severity": _identifier(matter.severity),
        "summary": _inert(matter.summary),
        "advice": _inert(matter.advice),
        "age_hours": matter.age_hours,
        "held_by": [_inert(gate) for gate in matter.held_by],
        "before": [_inert(value) for value in matter.before],
        "after": [_inert(value) for value in matter.after],
    }


def _inert(text: str) -> str:
    return " ".join(terminal_text(text).translate(_MENTIONS).split())


def _identifier(text: str) -> str:
    """An organization's name, or another word that has to be one: no text of a title can be more than that."""
    return _BEYOND_IDENTIFIER.sub("?", text)


def _tone(message: Message) -> str:
    events = {group.event for group in message.groups}
    if events <= {Event.SWITCH_DONE, Event.DRIFT_CLOSED}:
        return "success"
    if Event.DRIFT_OPENED in events and message.severity in _ALARMING:
        return "failure"
    return "warning"
