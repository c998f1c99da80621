"""What nearly every manifest holds, taken without the models: importing and building them takes longer than a run does.

A table says for each mapping which keys it may have, and what takes each value; the forms of values are those that the
models ask for (`forms.py`). What is made has the models' attributes, defaults included, and is read as if it were one.
So this refuses nothing, and never takes anything differently: whatever else a manifest holds, an error above all, makes
it one for the models. `tests/property/test_manifest_plain_laws.py` holds both beside each other, and the tables against
the models' fields: a field that is not in its table fails there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast, get_args

from reconciler.manifest import forms
from reconciler.moments import parse_day

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.manifest.models import OrganizationManifest

    Take: TypeAlias = "Callable[[Any], Any]"

_MAX_KNOWN = 4096


class _NotPlainError(Exception):
    """The manifest is one for the models."""


def read_plain_manifest(data: object) -> OrganizationManifest | None:
    """What stands in for the model of this plain data, or None where the models have to look.

    It has their attributes and none of their methods; what is left out is an attribute of its class.
    """
    try:
        return cast("OrganizationManifest", ORGANIZATION(data))
    except _NotPlainError:
        return None


def _string(value: object) -> str:
    if type(value) is str:
        return value
    raise _NotPlainError


def _line(value: object) -> str:
    if type(value) is str and (text := forms.line_of_text(value)) is not None:
        return text
    raise _NotPlainError


def _day(value: object) -> object:
    try:
        return parse_day(_string(value))
    except ValueError:
        raise _NotPlainError from None


def _flag(value: object) -> bool:
    if type(value) is bool:
        return value
    raise _NotPlainError


def _of_form(is_good: Callable[[str], bool]) -> Take:
    def take(value: object) -> object:
        if type(value) is str and is_good(value):
            return value
        raise _NotPlainError

    return take


def _one_of(words: object) -> Take:
    return _of_form(frozenset(get_args(words)).__contains__)


def _number(least: int, most: int) -> Take:
    def take(value: object) -> object:
        if type(value) is int and least <= value <= most:
            return value
        raise _NotPlainError

    return take


def _list_of(take: Take) -> Take:
    def take_all(value: object) -> tuple[object, ...]:
        if type(value) is list:
            return tuple([take(item) for item in value])
        raise _NotPlainError

    return take_all


def _rule(value: object) -> object:
    return SPAM_RULE({} if value is True else value)


def _options(value: object) -> dict[str, object]:
    if type(value) is dict:
        return {_string(key): _word(word) for key, word in value.items()}
    raise _NotPlainError


class Table:
    """A mapping: what takes the value of each key, and what is there without it (None, unless it is given here)."""

    def __init__(self, required: Mapping[str, Take], optional: Mapping[str, Take], **defaults: object) -> None:
        """Of keys that there must be, and of keys that there may be."""
        self.required = required.keys()
        self.defaults = {**dict.fromkeys(optional), **defaults}
        self.takes = {**required, **optional}
        self._kind = type("Plain", (), self.defaults)

    def __call__(self, node: object) -> object:
        """Raises `_NotPlainError` for what is not surely good."""
        if type(node) is not dict or not node.keys() >= self.required:
            raise _NotPlainError
        made: object = self._kind()
        values, takes = made.__dict__, self.takes
        for key, value in node.items():
            take = takes.get(key)
            if take is None:
                raise _NotPlainError
            values[key] = take(value)
        return made


class Repeated(Table):
    """A mapping that is written alike for domain after domain: looked at once, where all its values are texts."""

    def __init__(self, required: Mapping[str, Take], optional: Mapping[str, Take], **defaults: object) -> None:
        """As its base."""
        super().__init__(required, optional, **defaults)
        self._known: dict[tuple[tuple[str, object], ...], object] = {}

    def __call__(self, node: object) -> object:
        """As its base; what is made is never changed."""
        if type(node) is not dict:
            raise _NotPlainError
        written = tuple(node.items())
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


_identifier, _word = _of_form(forms.is_identifier), _of_form(forms.is_word)
_token, _export = _of_form(forms.is_token), _of_form(forms.is_export_path)

ATTESTATION = Repeated(
    {"what": _one_of(forms.Attested), "by": _line, "on": _day},
    {"expires": _day, "region": _string, "multi_region": _flag, "next_hops": _list_of(_string)},
    next_hops=(),
)
WAIVER = Repeated({"gate": _string, "owner": _line, "reason": _line, "expires": _day}, {})
DRIFT_IGNORE = Repeated({"finding": _string, "owner": _line, "reason": _line, "expires": _day}, {"resource": _line})
VERIFICATION = Table({}, {"primary": _token, "secondary": _token})
MX = Table({"exclusive": _flag}, {})
MX_HOST = Table({"value": _string, "reason": _line}, {})
_INHERITED: dict[str, Take] = {
    "provider": _identifier,
    "ttl": _number(forms.MIN_TTL, forms.MAX_TTL),
    "switch_ttl": _number(1, forms.MAX_TTL),
    "lifecycle": _one_of(forms.LifecycleWord),
    "mx": MX,
    "attestations": _list_of(ATTESTATION),
    "waivers": _list_of(WAIVER),
    "ignore_drift": _list_of(DRIFT_IGNORE),
}
_LISTS: dict[str, tuple[object, ...]] = {"attestations": (), "waivers": (), "ignore_drift": ()}
DOMAIN = Table(
    {"name": _string},
    {**_INHERITED, "next_hops": _list_of(_string), "verification": VERIFICATION, "zone": _string},
    **_LISTS,
    next_hops=(),
)
ALLOWLIST = Table(
    {"target": _string},
    {
        "name": _of_form(forms.is_object_name),
        "intent": _one_of(forms.ListIntent),
        "exclusive": _flag,
        "export": _export,
        "options": _options,
    },
    intent="allow",
    exclusive=False,
    options={},
)
SPAM_RULE = Table({}, {"target": _string, "export": _export})
CAPABILITIES = Table({"third_party_mx": _flag, "allowlist": _flag}, {"header_rules": _flag}, header_rules=False)
SERVICE = Table(
    {"name": _identifier, "kind": _one_of(forms.Kind), "domains": _list_of(DOMAIN)},
    {
        **_INHERITED,
        "connection": _one_of(forms.Connection),
        "capabilities": CAPABILITIES,
        "allowlists": _list_of(ALLOWLIST),
        "spam_rule": _rule,
    },
    **_LISTS,
    connection="mx",
    allowlists=(),
)
ORGANIZATION = Table(
    {
        "organization": _identifier,
        "region": _string,
        "escalation_contacts": _list_of(_of_form(forms.is_address)),
        "services": _list_of(SERVICE),
    },
    {**_INHERITED, "multi_region": _flag, "mx_host": MX_HOST},
    **_LISTS,
    multi_region=False,
)
