"""`reconciler notify` with the real Apprise and real servers: what is told, how often, and in what form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MailHandler
from command import NOW, SETTINGS, Command
from hostile import IN_DOCUMENTS, assert_markdown_is_safe
from notify_builders import applied_json, drift_json, finding, held, result
from notify_lab import ALL, JOURNAL, LATER, MUCH_LATER, declare, say
from servers.endpoints import run_web
from servers.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message as Mail

    from servers.endpoints import Web

pytestmark = pytest.mark.integration

HOLDS = [("acme", "acme.example"), ("acme", "b.example")]
MATTERMOST = "abcdefghijklmnopqrstuvwxyz?format=markdown"


@pytest.fixture
def web() -> Iterator[Web]:
    with run_web() as server:
        yield server


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, with an endpoint whose URL is in CHAT."""
    command = Command(tmp_path, monkeypatch, capsys)
    declare(f"- {{url: env/CHAT, on: {ALL}}}")
    return command


def test_drift_is_told_once_when_it_opens_and_once_when_it_closes(
    run: Command, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", web.url())
    opened = say(drift_json(finding()))
    first = run("notify", opened)
    assert (first.code, first.out, first.err) == (0, "CHAT took 1 of 1 messages, with 1 events.\n", "")
    assert run("notify", opened).out == "Nothing to tell.\n"
    closed = say(drift_json(at=LATER), "later.json")
    assert run("notify", closed, now=LATER.isoformat()).code == 0
    assert run("notify", closed, opened, now=LATER.isoformat()).out == "Nothing to tell.\n"
    assert web.titles() == ["acme: 1 new drift finding, critical", "acme: 1 drift finding closed"]
    (_, body), _ = web.bodies
    assert body["type"] == "failure"
    assert body["message"] == (
        "- critical acme.example: mail to acme.example no longer goes through the gateway\n  To do: Apply again."
    )


def test_switches_and_holds_are_told_in_a_message_each(run: Command, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", web.url())
    switched = say(applied_json(result(), result("b.example")), "apply.json")
    waiting = say(drift_json(held(), held("b.example"), domains=HOLDS), "drift.json")
    assert run("notify", switched, waiting).out == "CHAT took 2 of 2 messages, with 4 events.\n"
    assert run("notify", switched, waiting).out == "Nothing to tell.\n"
    assert web.titles() == ["acme: 2 steps held for too long", "acme: MX of 2 domains moved"]


def test_what_drift_itself_writes_is_told(run: Command, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documents of the program, and not those of the tests' builders."""
    monkeypatch.setenv("CHAT", web.url())
    declare(f"- {{url: env/CHAT, on: {ALL}, severity: info}}")
    assert run("drift", "--record", "--json-into", "one.json").code == 3
    assert run("notify", "one.json").code == 0
    assert "new drift finding" in web.titles()[0]
    run.zone.write_text("no zone at all")
    assert run("drift", "--record", "--json-into", "two.json", now=LATER.isoformat()).code == 3
    run("notify", "two.json", now=LATER.isoformat())
    assert not [title for title in web.titles() if "closed" in title], "unknown closes nothing"


def test_what_apply_itself_writes_is_told(run: Command, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", web.url())
    for name, now in (("expand.json", NOW), ("switch.json", LATER.isoformat())):
        assert run("apply", "--auto-approve", "--json-into", name, now=now).code in {0, 3}
        assert run("notify", name, now=now).code == 0
    ((_, body),) = web.bodies
    assert body["title"] == "acme: MX of 1 domain moved"
    assert body["message"] == (
        "- MX acme.example: now 0 inbound-smtp.eu-west-1.amazonaws.com.; was 10 mail.acme.example."
    )


def test_a_service_of_markdown_gets_markdown(run: Command, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mattermost's webhooks are Slack's."""
    monkeypatch.setenv("CHAT", web.url(MATTERMOST, "mmost"))
    assert run("notify", say(drift_json(finding()))).code == 0
    ((path, body),) = web.bodies
    assert path.startswith("/hooks/")
    assert "**critical** `acme.example`" in body["text"]


def test_hostile_values_do_nothing_in_markdown(run: Command, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", web.url(MATTERMOST, "mmost"))
    texts = [*IN_DOCUMENTS, "<!channel> <@U1> <at>all</at> @everyone @all"]
    findings = [finding(text, summary=text, repair=text, severity="high") for text in texts]
    for start in range(0, len(findings), 10):
        part = findings[start : start + 10]
        run("notify", say(drift_json(*part)))
    assert len(web.bodies) == -(-len(findings) // 10)
    for _, body in web.bodies:
        text = body["text"].partition("\n")[2]
        assert not set("@<>") & set(text)
        assert "](" not in text
        assert_markdown_is_safe(text)


class _Mailbox(MailHandler):
    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Mail] = []

    def handle_message(self, message: Mail) -> None:
        """Keep it."""
        self.mails.append(message)


@pytest.mark.parametrize("form", ["", "&format=html"])
def test_mail_is_sent_as_text_and_what_is_hostile_is_escaped_in_html(
    run: Command, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    mailbox = _Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port("127.0.0.1"))
    controller.start()
    try:
        address = f"127.0.0.1:{controller.port}"
        monkeypatch.setenv(
            "CHAT", f"mailto://{address}/?from=gateway@acme.example&to=ops@acme.example&mode=insecure{form}"
        )
        hostile = "<script>alert(1)</script> &lt;b&gt; \x1b[31m"
        ran = run("notify", say(drift_json(finding(summary=hostile))))
    finally:
        controller.stop()
    assert (ran.code, ran.err) == (0, "")
    (mail,) = mailbox.mails
    assert mail["Subject"] == "acme: 1 new drift finding, critical"
    parts = {part.get_content_type(): _text(part) for part in mail.walk() if not part.is_multipart()}
    assert set(parts) == ({"text/plain"} if not form else {"text/plain", "text/html"})
    for text in parts.values():
        assert "alert(1)" in text
        assert "<script" not in text
        assert "\x1b" not in text


def _text(part: Mail) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def test_ten_thousand_findings_of_many_organizations_are_as_many_messages_as_the_settings_say(
    run: Command, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", web.url())
    declare(f"- {{url: env/CHAT, on: {ALL}}}", per_run=3)
    places = [(f"org{n % 50:02}", f"d{n}.example") for n in range(10_000)]
    text = drift_json(*(finding(d, organization=o) for o, d in places), domains=places)
    ran = run("notify", say(text))
    assert ran.out == "CHAT took 3 of 3 messages, with 10000 events.\n"
    assert [body["title"] for _, body in web.bodies] == [
        "org00: 200 new drift findings, critical",
        "org01: 200 new drift findings, critical",
        "Mail gateway: 9600 further events",
    ]
    assert run("notify", "news.json").out == "Nothing to tell.\n"


def test_without_endpoints_nothing_is_done(run: Command) -> None:
    Path("reconciler.yaml").write_text(SETTINGS)
    ran = run("notify", say(drift_json(finding())))
    assert (ran.code, ran.out, ran.err) == (0, "The settings name no endpoint: nobody is told anything.\n", "")
    assert not JOURNAL.exists()


def test_a_document_that_cannot_be_read_tells_nothing(run: Command, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", web.url())
    ran = run("notify", say(drift_json(finding())), say("{", "broken.json"), "missing.json")
    assert ran.code == 1
    assert ran.err.count("error[document-file]") == 2
    assert web.bodies == []


def test_an_old_document_is_no_news(run: Command, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", web.url())
    ran = run("notify", say(drift_json(finding())), now=MUCH_LATER.isoformat())
    assert (ran.code, ran.out) == (0, "Nothing to tell.\n")
    assert "warning[notification-old]" in ran.err


def test_after_a_lost_journal_everything_that_lasts_is_told_once_more(
    run: Command, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", web.url())
    run("notify", say(drift_json(finding())))
    JOURNAL.unlink()
    run("notify", "news.json")
    run("notify", "news.json")
    assert len(web.bodies) == 2
