"""Which declared domains a verb is about. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.errors import Diagnostic, ManifestError, Severity, sorted_diagnostics
from reconciler.names import InvalidNameError, canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reconciler.manifest.fleet import Domain, Fleet
    from reconciler.names import Name


class ChangedSince(NamedTuple):
    """A git revision, and the settings file that is compared beside the manifests, whether it is there or not."""

    revision: str
    settings_file: Path


MOST_SHARDS: Final = 10_000
"""Far more than any scheduler runs, and few enough to be listed where some are missing."""
_WRITTEN_SHARD = re.compile(r"([1-9][0-9]{0,9})/([1-9][0-9]{0,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts of a fleet; `index` counts from 1."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that `2/7` is.

        Raises:
            ValueError: the text is no shard; the message says why, and what one looks like.

        """
        found = _WRITTEN_SHARD.fullmatch(text)
        if found is None:
            message = f"{text!r} is no shard: write INDEX/COUNT, as 2/7 for the second of seven"
            raise ValueError(message)
        index, count = (int(digits) for digits in found.groups())
        if count > MOST_SHARDS:
            message = f"{text!r} is no shard: there are at most {MOST_SHARDS}"
            raise ValueError(message)
        if index > count:
            message = f"{text!r} is no shard: the last one of {count} is {count}/{count}"
            raise ValueError(message)
        return cls(index, count)

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.index}/{self.count}"


class Selection(NamedTuple):
    """Which declared domains a verb is about: those that are named, by domain or by organization; none named, all.

    With `changed_since`, of these the ones that are touched since, which can be none. With `shard`, of these in turn
    the ones of that shard, which can be none either.
    """

    domains: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    changed_since: ChangedSince | None = None
    shard: Shard | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether domains or organizations are named."""
        return bool(self.domains or self.organizations)

    @property
    def is_everything(self) -> bool:
        """Whether nothing was chosen, and so everything is meant."""
        return not self.is_narrow and self.changed_since is None and self.shard is None

    @property
    def whole(self) -> Selection:
        """What all shards together are about."""
        return self._replace(shard=None)

    def is_about(self, domain: Name, organization: str) -> bool:
        """Whether a domain is named by itself or by its organization, or nothing is."""
        return (
            not self.is_narrow or organization in self.organizations or domain in map(_canonical_or_same, self.domains)
        )


def select_domains(fleet: Fleet, selection: Selection) -> tuple[Domain, ...]:
    """The declared domains that are named; what is touched among them is for `reconciler.changed` to say.

    Raises:
        ManifestError: something that is selected is not declared.

    """
    if not selection.is_narrow:
        return fleet.domains
    names = {_canonical_or_same(n) for n in selection.domains}
    organizations = set(selection.organizations)
    missing = [
        *_not_declared("domain", names, {d.name for d in fleet.domains}),
        *_not_declared("organization", organizations, {o.name for o in fleet.organizations}),
    ]
    if missing:
        raise ManifestError(sorted_diagnostics(missing))
    return tuple(d for d in fleet.domains if d.name in names or d.organization in organizations)


def _canonical_or_same(text: str) -> str:
    try:
        return canonical_name(text)
    except InvalidNameError:
        return text


def _not_declared(what: str, wanted: Iterable[str], declared: Iterable[str]) -> list[Diagnostic]:
    declared = set(declared)
    found = []
    for name in sorted(set(wanted) - declared):
        import difflib  # noqa: PLC0415 - for names that are misspelt

        near = difflib.get_close_matches(name, declared, n=1)
        hint = (
            f"Did you mean {near[0].removesuffix('.')}?" if near else "Look at the manifests, or leave the option out."
        )
        found.append(
            Diagnostic(
                Severity.ERROR, f"no-such-{what}", f"no manifest declares {what} {name.removesuffix('.')!r}", hint
            )
        )
    return found
