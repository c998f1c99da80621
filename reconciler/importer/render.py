"""Drafts as YAML text. What must be filled in has a comment with FILL IN, and makes `validate` fail until it is.

Values come from DNS and are hostile: each is a double-quoted scalar in ASCII (YAML 1.2 section 5.7), each comment one
line without a character that could end it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.escape import terminal_text
from reconciler.importer.draft import combine_states, find_hops, find_states, find_tokens
from reconciler.importer.suggest import find_operators, find_providers
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.names import display_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.catalog import Catalog
    from reconciler.importer.draft import DomainFacts, Hops, OrganizationState, Tokens
    from reconciler.importer.suggest import Operator

_FILL_IN = "FILL IN:"


@dataclass(frozen=True, slots=True)
class World:
    """What drafts are made with beside the observations: `providers` are the settings' octoDNS blocks by id."""

    catalog: Catalog
    operators: Sequence[Operator]
    providers: Mapping[str, Mapping[str, object]]
    made_at: str


def render_manifest(organization: str, domains: Sequence[DomainFacts], world: World) -> str:
    """The draft of one organization's manifest; an empty name is one more thing to fill in."""
    hops = [find_hops(facts, world.catalog) for facts in domains]
    states = [(f.request, find_states(h, world.catalog)) for f, h in zip(domains, hops, strict=True)]
    state = combine_states(states, is_protected=any(h.gateway for h in hops))
    lines = [*_organization_lines(organization, state, world)]
    for facts, found in zip(domains, hops, strict=True):
        tokens = find_tokens(facts, is_behind_gateway=bool(found.gateway), multi_region=state.multi_region)
        lines += _domain_lines(facts, found, tokens, state, world)
    return "".join(f"{line}\n" for line in lines)


def quoted(text: str) -> str:
    """A double-quoted YAML scalar in ASCII that reads as the text."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isascii() and character.isprintable():
        return character
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - the widths of the three escapes of section 5.7
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - as above


def _comment(text: str) -> str:
    return f"# {terminal_text(text)}"


def _organization_lines(organization: str, state: OrganizationState, world: World) -> Iterator[str]:
    yield _comment(f"Drafted by `reconciler import` on {world.made_at} from what DNS showed.")
    yield _comment("Fill in what is marked FILL IN and check the rest; `reconciler validate` names what is missing.")
    if organization:
        yield f"organization: {quoted(organization)}"
    else:
        yield f"organization:  # {_FILL_IN} its name at the vendor, of letters, digits, dots, hyphens and underscores"
    yield from (_comment(note) for note in state.notes)
    regions = ", ".join(world.catalog.regions)
    yield f"region: {quoted(state.region)}" if state.region else f"region:  # {_FILL_IN} one of {regions}"
    if state.is_new:
        yield "multi_region: false  # true when the console says so (Account > Preferences)"
    elif state.multi_region is None:
        yield f"multi_region:  # {_FILL_IN} true or false, as the console says (Account > Preferences)"
    else:
        yield f"multi_region: {'true' if state.multi_region else 'false'}"
    yield f"escalation_contacts: []  # {_FILL_IN} whom the vendor writes to, as in [secops@acme.example]"
    yield "services:"
    yield "  - name: mail"
    yield "    kind: other  # or what runs behind the gateway: exchange, cpanel, zoho, postfix, exim, ..."
    yield "    # FILL IN for kind other, and remove for any other kind: what the service can do"
    yield "    capabilities:  # as {third_party_mx: true, allowlist: true, header_rules: false}"
    yield "    connection: mx"
    yield "    domains:"


def _domain_lines(
    facts: DomainFacts, hops: Hops, tokens: Tokens, state: OrganizationState, world: World
) -> Iterator[str]:
    indent = " " * 8
    yield f"      - name: {_quoted_name(facts.request.written)}"
    zone = facts.mx.zone or facts.txt.zone
    if zone is not None and zone.apex != facts.request.domain:
        yield f"{indent}zone: {quoted(display_name(zone.apex))}"
    yield from (f"{indent}{line}" for line in _provider_lines(facts, world))
    yield from (f"{indent}{_comment(note)}" for note in hops.notes)
    if hops.hosts:
        yield f"{indent}next_hops: [{', '.join(quoted(display_name(h)) for h in hops.hosts)}]"
    else:
        yield f"{indent}next_hops: []  # {_FILL_IN} the domain's own mail servers, in order of preference"
    yield f"{indent}verification:"
    where = display_name(world.catalog.verification_name(facts.request.domain))
    yield from (f"{indent}  {_comment(f'{where}: {note}')}" for note in tokens.notes)
    console = "from the console (Account > Email Domains)"
    if tokens.primary is None:
        yield f"{indent}  primary:  # {_FILL_IN} the value for the organization's region, {console}"
    else:
        yield f"{indent}  primary: {quoted(tokens.primary)}"
    if tokens.secondary is not None:
        yield f"{indent}  secondary: {quoted(tokens.secondary)}"
    elif state.multi_region:
        yield f"{indent}  secondary:  # {_FILL_IN} the value for the secondary region, {console}"


def _quoted_name(written: str) -> str:
    """Letters of every script as they are, because people read this name."""
    return '"' + "".join(c if c.isalnum() else _escaped(c) for c in written) + '"'


def _provider_lines(facts: DomainFacts, world: World) -> Iterator[str]:
    servers = ", ".join(host.removesuffix(".") for host in facts.name_servers)
    yield _comment(f"Name servers: {servers}" if servers else "Name servers: could not be observed")
    found = find_operators(facts.name_servers, world.operators)
    for operator in found:
        package = f"octoDNS package {operator.package}" if operator.package else "no octoDNS package for it is known"
        ids = find_providers(operator.package, world.providers) if operator.package else ()
        known = f"; in the settings: {', '.join(ids)}" if ids else ""
        yield _comment(f"They suggest {operator.operator}: {package}{known}.")
    yield f"provider: {MANUAL_PROVIDER}  # or the id of a provider in the settings that may write this zone"
