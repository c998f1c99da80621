"""Documents to show on GitHub, and what must hold of every Markdown that goes there."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from builders import MX_KEY, NOW, OLD_MX, document, facts, present
from hostile import assert_no_controls, parsed_markdown
from markdown_it import MarkdownIt

from reconciler.document import DiagnosticDocument, DocumentHead, PlanHead, ResourceDocument, assemble_document
from reconciler.document.applied import ApplyDocument, DomainResultDocument, UndoDocument, WrittenStepDocument
from reconciler.drift import DriftClass, DriftDomainDocument, DriftSeverity, Finding, build_drift_document
from reconciler.drift.finding import certain
from reconciler.errors import ExitCode, Severity
from reconciler.github.page import Place
from reconciler.manifest.fleet import Source
from reconciler.plan import Phase, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.document import PlanDocument
    from reconciler.drift import DriftDocument

HEAD, NEXT_HEAD, MERGE = "a" * 40, "b" * 40, "c" * 40
PLAN_ID = "sha256:" + "1" * 64
REPOSITORY = "https://github.example/acme/mail"
PLACE = Place(REPOSITORY, f"{REPOSITORY}/actions/runs/4711")
FINDING = Finding(
    code="token-removed",
    cause=certain(DriftClass.OUT_OF_BAND, "somebody removed it"),
    severity=DriftSeverity.CRITICAL,
    organization="acme",
    domain="acme.example",
    resource=None,
    expected=('"token"',),
    observed=(),
    first_seen=NOW - timedelta(hours=30),
    summary="the token is gone",
    repair="`reconciler apply` puts it right.",
    source=Source("manifests/acme.yaml", 7),
)
OTHER = replace(FINDING, code="bypass-mx", severity=DriftSeverity.HIGH, domain="other.example")
PENDING = replace(FINDING, code="mx-not-switched", cause=certain(DriftClass.PENDING), severity=DriftSeverity.INFO)
UNREAD = replace(FINDING, code="not-observed", cause=certain(DriftClass.UNKNOWN), severity=DriftSeverity.MEDIUM)


def plan_of(*sizes: int, **changes: Any) -> PlanDocument:  # noqa: ANN401
    """A plan in which so many domains of each organization change."""
    one = document(facts(mx=present(MX_KEY, OLD_MX)), **changes)
    [made] = one.domains
    head = PlanHead.model_validate(one.model_dump(include=set(PlanHead.model_fields)))
    domains = [
        made.model_copy(update={"organization": f"org-{i}", "domain": name, "written": name})
        for i, size in enumerate(sizes)
        for name in (f"d{i}-{j}.example" for j in range(size))
    ]
    return assemble_document(head, domains, [], one.diagnostics_as_data())


def quiet_plan(**changes: Any) -> PlanDocument:  # noqa: ANN401
    """A plan in which nothing changes, and of which nothing is said."""
    made = document(**changes)
    head = PlanHead.model_validate(made.model_dump(include=set(PlanHead.model_fields)))
    return assemble_document(head, [], [], [])


def drift_of(*findings: Finding, errors: Sequence[str] = ()) -> DriftDocument:
    """What a look found."""
    head = DocumentHead(commit="0" * 40, manifests_digest="sha256:m", catalog_digest="sha256:c", created_at=NOW)
    domains = [DriftDomainDocument(organization="acme", domain="acme.example", stage=Stage.PROTECTED)]
    told = [DiagnosticDocument(severity=Severity.ERROR, code="x", summary=e, detail="Mend it.") for e in errors]
    return build_drift_document(head, domains, findings, told, {})


def many(number: int) -> list[Finding]:
    """As many findings, each of its own domain."""
    return [replace(FINDING, domain=f"d{i}.example") for i in range(number)]


def result(became: Any, code: str = "", message: str = "", **changes: Any) -> DomainResultDocument:  # noqa: ANN401
    """What became of one domain."""
    resource = ResourceDocument(kind="rrset", name="acme.example.", type="MX", zone="acme.example.")
    step = WrittenStepDocument(
        id="acme.example/mx", phase=Phase.SWITCH, resource=resource, before=[OLD_MX], after=["0 in.example."]
    )
    steps = [step] if became in {"applied", "failed"} else []
    given = {"organization": "acme", "domain": "acme.example", "steps": steps, "is_seen": True}
    return DomainResultDocument(**{**given, "became": became, "code": code, "message": message, **changes})


def applied(*results: DomainResultDocument, **changes: Any) -> ApplyDocument:  # noqa: ANN401
    """What an apply did."""
    given: dict[str, Any] = {
        "format_version": "1.0", "kind": "apply", "plan_id": PLAN_ID, "commit": "0" * 40, "run": "GitHub run 4711",
        "created_at": NOW, "exit_code": ExitCode.DONE, "results": list(results), "waiting": 0,
        "undo": [UndoDocument(file="reviewed/1.undo.json", safe_until=NOW + timedelta(hours=1))] if results else [],
        "diagnostics": [],
    }  # fmt: skip
    return ApplyDocument(**{**given, **changes})


def refused(code: str, summary: str = "it is not to be applied") -> ApplyDocument:
    """An apply that refused its plan as a whole."""
    why = DiagnosticDocument(severity=Severity.ERROR, code=code, summary=summary, detail="Plan again.")
    return applied(exit_code=ExitCode.STALE, diagnostics=[why])


def hostile_apply(text: str) -> ApplyDocument:
    """The text in every place of an apply document."""
    resource = ResourceDocument(kind="rrset", name=text, type=text, zone=text)
    step = WrittenStepDocument(id=text, phase=Phase.EXPAND, resource=resource, before=[text], after=[f"{text}2"])
    told = DiagnosticDocument(severity=Severity.WARNING, code="x", summary=text, detail=text, file=text, line=1)
    given = {"organization": text, "domain": text, "steps": [step]}
    results = [result(b, text, text, **given) for b in ("applied", "stale", "failed", "already done")]
    undo = [UndoDocument(file=text, safe_until=None)]
    return applied(*results, plan_id=text, commit=text, run=text, undo=undo, diagnostics=[told], waiting=2)


_HTML = re.compile(
    r"<details(?: open)?><summary>(?:<b><code>[^<>]*</code></b>|<b>[a-z ]+</b>)[^<>]*</summary>\n?|</details>\n?"
    r"|<!-- reconciler:[a-z]+ -->(?:<!-- part \d{1,2} -->)?"
    r"(?:<!-- (?:wrote|tried|nothing)?(?:, )?(?:refused sha256:[0-9a-f]{64})? -->)?\n?"
    r"|<!-- again -->\n?"
    r"|<!-- findings \d+ [0-9a-f]{64}(?: [0-9a-f]{12})* -->\n?"
)
_KINDS = {
    "paragraph_open", "paragraph_close", "heading_open", "heading_close", "inline", "html_block",
    "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "blockquote_open",
    "blockquote_close", "table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close",
    "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close",
    "text", "text_special", "code_inline", "strong_open", "strong_close", "em_open", "em_close", "softbreak",
    "link_open", "link_close",
}  # fmt: skip
_REFERENCE = re.compile(r"(?<!\w)@\w|#\d|GH-\d|://|www\.\w", re.IGNORECASE)


def assert_github_markdown_is_safe(text: str) -> None:
    """No HTML but our folds and markers, no mention, no reference, and no link but to our own repository."""
    assert_no_controls(text)
    tokens = parsed_markdown(text)
    assert {kind for kind, _ in tokens} <= _KINDS
    for kind, content in tokens:
        if kind == "html_block":
            assert _HTML.sub("", content) == "", content
        if kind in {"text", "text_special"}:
            assert not _REFERENCE.search(content), content
    assert_folds_are_whole(text)
    children = [c for token in MarkdownIt("commonmark").parse(text) for c in token.children or ()]
    targets = [str(c.attrs["href"]) for c in children if c.type == "link_open"]
    assert [t for t in targets if not t.startswith(f"{REPOSITORY}/")] == []


def assert_folds_are_whole(text: str) -> None:
    """Each fold is closed before the next is opened; no code is left open at the end."""
    depth = 0
    for line in text.splitlines():
        depth += line.startswith("<details")
        depth -= line.startswith("</details>")
        assert depth in {0, 1}
    assert depth == 0
    assert [kind for kind, _ in parsed_markdown(text) if kind in {"fence", "code_block"}] == []
