"""What holds for every target, and builders of what it is tested with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.addresses import parse_address_set
from reconciler.emit.allowlists import render_target
from reconciler.targets.base import AllowlistEmission, DeclaredAllowlist, Intent
from reconciler.templating import Templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from reconciler.targets.base import AllowlistContent, AllowlistTarget

# documentation addresses (RFC 5737, RFC 3849) in the place of the catalog's
GATEWAY = ("192.0.2.7", "192.0.2.8")
OUTSIDER = "203.0.113.9"


def declared_list(target: str, name: str = "", *, exclusive: bool = False, **options: str) -> DeclaredAllowlist:
    """A list as a manifest declares it; `intent` among the options is its intent."""
    intent = Intent(options.pop("intent", "allow"))
    return DeclaredAllowlist(target, name, intent, exclusive, tuple(sorted(options.items())))


def emission_of(
    declared: DeclaredAllowlist,
    gateway: Iterable[str] = GATEWAY,
    *,
    keep: Iterable[str] = (),
    remove: Iterable[str] = (),
    revision: str = "",
    is_observed: bool = True,
) -> AllowlistEmission:
    """What the templates get when all gateway addresses are missing and the `keep` are foreign addresses."""
    wanted, staying = tuple(gateway), tuple(keep)
    return AllowlistEmission(
        organization="acme",
        service="hq",
        declared=declared,
        gateway=wanted,
        add=wanted,
        remove=tuple(remove),
        keep=staying,
        result=(*wanted, *staying),
        revision=revision,
        is_observed=is_observed,
    )


def assert_identity(
    target: AllowlistTarget,
    declared: DeclaredAllowlist,
    emission: AllowlistEmission,
    *,
    export: Callable[[Mapping[str, str]], str] | None = None,
    user_templates: Path | None = None,
) -> AllowlistContent:
    """Emitting the result and reading it back gives the same addresses.

    `export` makes the text of an export of all emitted files by their names; left out, the first output is one, as it
    is with lists that are plain files at the server.
    """
    files = render_target(target, emission, Templates(user_templates))
    assert set(files) == {o.file_name for o in (*target.outputs, *target.export_outputs)}
    content = target.read(export(files) if export is not None else files[target.outputs[0].file_name], declared)
    assert content.addresses == parse_address_set(emission.result)
    return content
