"""What is told of mail domains that are in sync: all that there is of most looks, without what findings need."""

from __future__ import annotations

from reconciler.report.terminal import Style

NO_DOMAIN = "No domain falls into this shard."


def in_sync_text(in_sync: int, domains: int) -> str:
    """How many of the domains are in sync, as the end of a sentence."""
    return f"{in_sync:,} of {domains:,} domains in sync"


def render_in_sync(domains: int, *, color: bool) -> str:
    """The text for a terminal where all of them are, and nothing is to be told."""
    return f"{no_drift(Style(color=color))} {in_sync_text(domains, domains)}.\n"


def no_drift(style: Style) -> str:
    """How the counts begin where nothing differs."""
    return style("No drift:", "green")
