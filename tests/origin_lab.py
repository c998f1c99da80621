"""An origin's life with a list: emitted, loaded with the server's own tool, exported with the emitted script, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.addresses import parse_address_set
from reconciler.allowlist_diff import compare
from reconciler.catalog.load import load_catalog
from reconciler.emit.allowlists import build_emission, render_target
from reconciler.targets.registry import ALLOWLIST_TARGETS
from reconciler.templating import Templates

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.targets.base import AllowlistContent, DeclaredAllowlist

CATALOG = load_catalog()
EU = CATALOG.addresses("eu", multi_region=True)
US = CATALOG.addresses("us", multi_region=False)
KNOWN = parse_address_set(
    [*(a for r in CATALOG.regions.values() for a in r.addresses), *CATALOG.multi_region_addresses]
)
OUTSIDER = "203.0.113.9"
FOREIGN = ("198.51.100.0/24", "203.0.113.77")


@dataclass(frozen=True)
class Origin:
    """One declared list, and the folder that its files are emitted into."""

    declared: DeclaredAllowlist
    folder: Path

    def emit(self, gateway: tuple[str, ...], content: AllowlistContent | None = None) -> dict[str, Path]:
        """The emitted files for a target state, as paths; what an old state needed may go."""
        emission = build_emission(("acme", "hq"), self.declared, gateway, content, KNOWN, may_remove=True)
        files = {}
        for name, text in render_target(ALLOWLIST_TARGETS[self.declared.target], emission, Templates(None)).items():
            files[name] = self.folder / name
            files[name].write_text(text)
            files[name].chmod(0o755 if name.endswith(".sh") else 0o644)
        return files

    def read(self, export: str) -> AllowlistContent:
        """What an export says."""
        return ALLOWLIST_TARGETS[self.declared.target].read(export, self.declared)

    def is_in_sync(self, gateway: tuple[str, ...], content: AllowlistContent) -> bool:
        """Whether nothing is missing and nothing is stale."""
        return compare(parse_address_set(gateway), content, KNOWN).is_in_sync(exclusive=self.declared.exclusive)
