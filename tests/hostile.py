"""One set of hostile texts for every place that shows one, and what must hold of each place afterwards."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from builders import EU, MX_KEY, TXT_KEY, attestation, document, domain, facts, present, waiver
from markdown_it import MarkdownIt

from reconciler.state import Cause, Unknown

if TYPE_CHECKING:
    from reconciler.document import PlanDocument

# what a terminal obeys, and what hides or reorders text
CONTROLS = (
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07a link\x1b]8;;\x07",
    "\x9b2J cleared",
    "over\rwritten",
    "rubbed\b\b\bout",
    "a second\n::error::line",
    "nul\x00and\x7fdelete",
    "evil\u202egnp.exe",
    "\u2066isolated\u2069",
    "zero\u200bwidth\u200djoined\u00adsoft",
    "\ufeffmark",
    "a\u2028line\u2029end",
    "private\ue000use",
    "half\ud800surrogate",
)
# what is markup, a command, a mention or a link somewhere
MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</code></li></style><b>bold</b>",
    '" onmouseover="alert(1)',
    "<!-- hidden",
    "<https://evil.example>",
    "&lt;b&gt; &#64;octocat",
    "`code` and ``more`` and ```fence",
    "`",
    "a | b || c",
    "back\\slash \\| and \\` and \\@octocat",
    "[text](https://evil.example) ![image](https://evil.example/x.png) [ref]: x",
    "https://evil.example/x http://evil.example www.evil.example mailto:a@evil.example",
    "@octocat @octo-org/team",
    "#1 octo/repo#2 GH-3",
    "**bold** __bold__ *em* _em_ ~~gone~~ $x^2$",
    "# heading",
    "- item",
    "1. item",
    "+ item",
    "> quote",
    "---",
    "===",
    "::error file=a,line=1::forged",
    "  ::set-output name=a::b",
    "##[add-mask]everything ##[error]forged",
    "  padded  ",
)
HOSTILE = (*CONTROLS, *MARKUP)

# without what UTF-8, and so a document, cannot carry
IN_DOCUMENTS = tuple(text for text in HOSTILE if "\ud800" not in text)

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_COMMAND = re.compile(r"^\s*::|##\[", re.MULTILINE)
_REFERENCE = re.compile(r"(?<!\w)@\w|#\d|GH-\d|://|www\.\w", re.IGNORECASE)
_MARKDOWN_TOKENS = {
    "paragraph_open", "paragraph_close", "heading_open", "heading_close", "inline", "fence",
    "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "hr",
    "table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close",
    "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close",
}  # fmt: skip
_INLINE_TOKENS = {"text", "text_special", "code_inline", "strong_open", "strong_close", "softbreak"}
_TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "article", "footer",
    "h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "table", "caption", "thead", "tbody", "tr", "th", "td",
    "code", "pre", "em", "strong", "small", "span", "div", "br",
}  # fmt: skip
_ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "scope", "id", "aria-labelledby"}


def assert_no_controls(text: str) -> None:
    """No character but the line end that a terminal obeys, or that hides or reorders text."""
    assert sorted({c for c in text if c != "\n" and unicodedata.category(c) in _UNSEEN}) == []


def assert_log_is_safe(text: str) -> None:
    """Nothing that a terminal or a build's runner obeys."""
    assert_no_controls(text)
    assert _COMMAND.findall(text) == []


def parsed_markdown(text: str) -> list[tuple[str, str]]:
    """Every token's type and content, block and inline, from a CommonMark parser with tables."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    flat = [child for token in tokens for child in (token, *(token.children or ()))]
    return [(token.type, token.content) for token in flat]


def assert_markdown_is_safe(text: str) -> None:
    """No HTML, link, image, mention or reference comes out, and nothing beyond the structure that we write."""
    assert_no_controls(text)
    tokens = parsed_markdown(text)
    assert {kind for kind, _ in tokens} <= _MARKDOWN_TOKENS | _INLINE_TOKENS
    assert [c for kind, c in tokens if kind in {"text", "text_special"} and _REFERENCE.search(c)] == []


def code_spans(text: str) -> list[str]:
    """What a reader copies from each code span."""
    return [content for kind, content in parsed_markdown(text) if kind == "code_inline"]


class Page(HTMLParser):
    """A page as a browser sees it."""

    def __init__(self, text: str) -> None:
        """Parse it."""
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[tuple[str, str]] = []
        self.comments: list[str] = []
        self._tag = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self._tag = tag
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """What follows belongs to no element in particular."""
        del tag
        self._tag = ""

    def handle_data(self, data: str) -> None:
        """Keep it, under the tag that was opened just before."""
        self.texts.append((self._tag, data))

    def handle_comment(self, data: str) -> None:
        """Keep it."""
        self.comments.append(data)

    @property
    def text(self) -> str:
        """All that a reader sees, in its order."""
        return "".join(text for tag, text in self.texts if tag != "style")

    @property
    def style(self) -> str:
        """The text of the style element."""
        return "".join(text for tag, text in self.texts if tag == "style")


def assert_html_is_safe(text: str) -> None:
    """Our own elements alone, no script, no handler, no address, and a policy for exactly the one style."""
    assert_no_controls(text)
    page = Page(text)
    assert set(page.tags) <= _TAGS
    assert {name for name, _ in page.attributes} <= _ATTRIBUTES
    assert page.comments == []
    assert page.tags.count("style") == 1
    digest = b64encode(sha256(page.style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert page.attributes.count(("content", policy)) == 1
    assert [v for _, v in page.attributes if v and "//" in v] == []


def hostile_document(text: str) -> PlanDocument:
    """A plan with the text in every place that DNS, a server or a manifest can fill, and in some that they cannot."""
    declared = domain(
        written=text,
        organization=text,
        attestations=(attestation(by=text, region="us"),),
        waivers=(waiver("token-visible", owner=text, reason=text),),
    )
    seen = facts(declared, txt=present(TXT_KEY, text, f"{text}2"), mx=present(MX_KEY, f"10 {text}"))
    alias = facts(declared, txt=Unknown(Cause.CNAME, text), mx=present(MX_KEY, EU, f"20 {text}"))
    return document(seen, alias, facts(declared, mx=Unknown(Cause.SERVFAIL, text)), commit=text)
