"""Which settings decide what is planned: a plan that was made by others is not the one that was reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.document import digest_of

if TYPE_CHECKING:
    from reconciler.settings.values import Settings


def planning_digest(settings: Settings) -> str:
    """The digest of the settings that decide what is planned, as `sha256:`.

    The providers' names, how long is waited, and the TTL of new rrsets. What only holds steps (limits, a freeze), or
    says how to look, is not among them: a reviewed step that is held goes on later.
    """
    return digest_of(
        {
            "default_provider": settings.default_provider,
            "providers": sorted(settings.providers),
            "waits": {name: wait.total_seconds() for name, wait in settings.waits._asdict().items()},
            "new_rrset_ttl": settings.new_rrset_ttl,
        }
    )
