"""What `check` found, as text for people: one block for each mail domain, what would hold its switch first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.escape import terminal_text
from reconciler.gates import Verdict
from reconciler.report.terminal import Style, counted, render_diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Protocol

    from reconciler.errors import Diagnostic
    from reconciler.gates import GateResult
    from reconciler.manifest.fleet import Domain

    class Unread(Protocol):
        """Why the MX could not be read, what to do, and the gates that nobody can judge without it."""

        @property
        def evidence(self) -> str:
            """The cause, with the server."""
            ...

        @property
        def advice(self) -> str:
            """What to do."""
            ...

        @property
        def gates(self) -> Sequence[str]:
            """Their ids."""
            ...

    class Checked(Protocol):
        """One mail domain: what the gates of its switch say now, and its hazards."""

        @property
        def domain(self) -> Domain:
            """The mail domain."""
            ...

        @property
        def gates(self) -> Sequence[GateResult]:
            """What each gate says."""
            ...

        @property
        def unread(self) -> Unread | None:
            """Why the MX could not be read; None where it was."""
            ...

        @property
        def hazards(self) -> Sequence[Diagnostic]:
            """What is worth telling beside them."""
            ...


_STYLES = {Verdict.PASS: "green", Verdict.HOLD: "yellow", Verdict.UNKNOWN: "magenta"}
_ORDER = [Verdict.HOLD, Verdict.UNKNOWN, Verdict.PASS]


def render_checked(checked: Sequence[Checked], *, color: bool) -> str:
    """Every domain; the last line has the counts."""
    style = Style(color=color)
    lines = [line for one in checked for line in _domain_lines(one, style, color=color)]
    lines += [
        "Not looked at: verification values, console and allowlists; `reconciler plan` does that for what is declared."
    ]
    held = sum(any(g.verdict is not Verdict.PASS for g in one.gates) for one in checked)
    unread = sum(one.unread is not None for one in checked)
    also = f", {unread} that could not be looked at" if unread else ""
    count = counted(len(checked), "domain")
    lines.append(f"{style('Check:', 'bold')} {count}, {held} with something to mend first{also}.")
    return "\n".join(lines) + "\n"


def _domain_lines(checked: Checked, style: Style, *, color: bool) -> Iterator[str]:
    domain = checked.domain
    multi_region = " with multi-region" if domain.multi_region else ""
    yield f"{style(terminal_text(domain.written), 'bold')}  as for the region {domain.region}{multi_region}"
    if (unread := checked.unread) is not None:
        yield f"  {style('unknown', _STYLES[Verdict.UNKNOWN])} MX: {terminal_text(unread.evidence)}"
        yield f"          {style('->', 'dim')} {terminal_text(unread.advice)}"
        yield f"          not judged without it: {', '.join(unread.gates)}"
    for gate in sorted(checked.gates, key=lambda g: _ORDER.index(g.verdict)):
        yield f"  {style(f'{gate.verdict.value:<7}', _STYLES[gate.verdict])} {gate.id}: {terminal_text(gate.evidence)}"
        if gate.advice:
            yield f"          {style('->', 'dim')} {terminal_text(gate.advice)}"
    yield from (f"  {line}" for line in render_diagnostics(checked.hazards, color=color))
    yield ""
