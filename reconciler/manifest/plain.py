"""What nearly every manifest holds, taken without the models: importing and building them takes longer than a run does.

A table says for each mapping which keys it may have, and what takes each value; the forms of values are those that the
models ask for (`forms.py`). What is made has the models' attributes, defaults included, and is read as if it were one.
So this refuses nothing, and never takes anything differently: whatever else a manifest holds, an error above all, makes
it one for the models. `tests/property/test_manifest_plain_laws.py` holds both beside each other, and the tables against
the models' fields: a field that is not in its table fails there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reconciler.manifest import forms
from reconciler.moments import parse_day
from reconciler.tables import NotPlainError, Table, flag, list_of, of_form, one_of, text, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.manifest.models import OrganizationManifest
    from reconciler.tables import Take

_MAX_KNOWN = 4096
_TEXT_ALONE = frozenset({str})


def read_plain_manifest(data: object) -> OrganizationManifest | None:
    """What stands in for the model of this plain data, or None where the models have to look.

    It has their attributes and none of their methods; what is left out is an attribute of its class.
    """
    try:
        return cast("OrganizationManifest", ORGANIZATION(data))
    except NotPlainError:
        return None


def _line(value: object) -> str:
    if type(value) is str and (line := forms.line_of_text(value)) is not None:
        return line
    raise NotPlainError


def _day(value: object) -> object:
    try:
        return parse_day(text(value))
    except ValueError:
        raise NotPlainError from None


def _texts(value: object) -> tuple[object, ...]:
    if type(value) is list and _TEXT_ALONE.issuperset(map(type, value)):
        return tuple(value)
    raise NotPlainError


def _rule(value: object) -> object:
    return SPAM_RULE({} if value is True else value)


def _options(value: object) -> dict[str, object]:
    if type(value) is dict:
        return {text(key): _word(word) for key, word in value.items()}
    raise NotPlainError


class Repeated(Table):
    """A mapping that is written alike for domain after domain: looked at once, where all its values are texts."""

    def __init__(self, required: Mapping[str, Take], optional: Mapping[str, Take], **defaults: object) -> None:
        """As its base."""
        super().__init__(required, optional, **defaults)
        self._known: dict[tuple[object, ...], object] = {}

    def __call__(self, node: object) -> object:
        """As its base; what is made is never changed."""
        if type(node) is not dict:
            raise NotPlainError
        written = (*node, *node.values())
        try:
            known = self._known.get(written)
        except TypeError:
            return super().__call__(node)  # it holds a list
        if known is None:
            known = super().__call__(node)
            # of texts alone: a number may equal a flag, and is none
            if all(type(value) is str for value in node.values()):
                if len(self._known) >= _MAX_KNOWN:
                    self._known.clear()
                self._known[written] = known
        return known


_identifier, _word = of_form(forms.is_identifier), of_form(forms.is_word)
_token, _export = of_form(forms.is_token), of_form(forms.is_export_path)

ATTESTATION = Repeated(
    {"what": one_of(forms.Attested), "by": _line, "on": _day},
    {"expires": _day, "region": text, "multi_region": flag, "next_hops": _texts},
    next_hops=(),
)
WAIVER = Repeated({"gate": text, "owner": _line, "reason": _line, "expires": _day}, {})
DRIFT_IGNORE = Repeated({"finding": text, "owner": _line, "reason": _line, "expires": _day}, {"resource": _line})
VERIFICATION = Table({}, {"primary": _token, "secondary": _token})
MX = Table({"exclusive": flag}, {})
MX_HOST = Table({"value": text, "reason": _line}, {})
_INHERITED: dict[str, Take] = {
    "provider": _identifier,
    "ttl": whole(forms.MIN_TTL, forms.MAX_TTL),
    "switch_ttl": whole(1, forms.MAX_TTL),
    "lifecycle": one_of(forms.LifecycleWord),
    "mx": MX,
    "attestations": list_of(ATTESTATION),
    "waivers": list_of(WAIVER),
    "ignore_drift": list_of(DRIFT_IGNORE),
}
_LISTS: dict[str, tuple[object, ...]] = {"attestations": (), "waivers": (), "ignore_drift": ()}
DOMAIN = Table(
    {"name": text},
    {**_INHERITED, "next_hops": _texts, "verification": VERIFICATION, "zone": text},
    **_LISTS,
    next_hops=(),
)
ALLOWLIST = Table(
    {"target": text},
    {
        "name": of_form(forms.is_object_name),
        "intent": one_of(forms.ListIntent),
        "exclusive": flag,
        "export": _export,
        "options": _options,
    },
    intent="allow",
    exclusive=False,
    options={},
)
SPAM_RULE = Table({}, {"target": text, "export": _export})
CAPABILITIES = Table({"third_party_mx": flag, "allowlist": flag}, {"header_rules": flag}, header_rules=False)
SERVICE = Table(
    {"name": _identifier, "kind": one_of(forms.Kind), "domains": list_of(DOMAIN)},
    {
        **_INHERITED,
        "connection": one_of(forms.Connection),
        "capabilities": CAPABILITIES,
        "allowlists": list_of(ALLOWLIST),
        "spam_rule": _rule,
    },
    **_LISTS,
    connection="mx",
    allowlists=(),
)
ORGANIZATION = Table(
    {
        "organization": _identifier,
        "region": text,
        "escalation_contacts": list_of(of_form(forms.is_address)),
        "services": list_of(SERVICE),
    },
    {**_INHERITED, "multi_region": flag, "mx_host": MX_HOST},
    **_LISTS,
    multi_region=False,
)
