"""Hosted consoles without an export: a person follows a numbered checklist, and attests it in the manifest."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.targets.base import AllowlistContent, DeclaredAllowlist, Intent, Output, UnreadableExportError


@dataclass(frozen=True, slots=True)
class Checklist:
    """A console that only people can read and write."""

    id: str
    title: str
    intents: frozenset[Intent]
    outputs: tuple[Output, ...]
    options: frozenset[str] = frozenset()
    is_readable: bool = False
    export_outputs: tuple[Output, ...] = ()

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """There is nothing to read: always raises."""
        del text, declared
        message = f"{self.title} has no export; attest the allowlist in the manifest"
        raise UnreadableExportError(message)


ZOHO = Checklist(
    "zoho", "Zoho Mail", frozenset({Intent.ALLOW}), (Output("checklist.md", "allowlists/checklist_zoho.md.j2"),)
)
GOOGLE_WORKSPACE = Checklist(
    "google-workspace",
    "Google Workspace",
    frozenset(Intent),
    (Output("checklist.md", "allowlists/checklist_google_workspace.md.j2"),),
)
