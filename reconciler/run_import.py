"""The shell of `import`: observe, draft, write. One manifest for each organization, never over a file that is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, EmitError, ExitCode, Severity, error, sorted_diagnostics
from reconciler.escape import terminal_text
from reconciler.files import contained_path, safe_file_name, write_atomically
from reconciler.importer.draft import DomainFacts
from reconciler.importer.render import World, render_manifest
from reconciler.importer.request import MAX_OCTETS, ImportListError, parse_requests
from reconciler.importer.suggest import load_operators
from reconciler.names import InvalidNameError, Name, canonical_name, display_name
from reconciler.observe import Question
from reconciler.observe.build import build_observer
from reconciler.state import Key, Present, Unknown, mx_exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.importer.request import Request
    from reconciler.invocation import Invocation
    from reconciler.state import Observation

_UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """`text` for stdout: the drafts, or what was written; what could not be observed; the exit codes."""

    text: str
    diagnostics: tuple[Diagnostic, ...]
    exit_codes: tuple[ExitCode, ...]


def import_domains(
    invocation: Invocation, domains: Sequence[str], source_file: Path | None, organization: str, out: Path | None
) -> ImportResult:
    """Draft a manifest for each organization; `organization` is for domains that name none.

    Raises:
        ImportListError: the list has errors: all of them; nothing was observed.
        EmitError: a manifest that would be written is there already; nothing was written.

    """
    requests = parse_requests(
        domains, _read(source_file), file=str(source_file) if source_file else "", organization=organization
    )
    by_organization: dict[str, list[Request]] = {}
    for request in requests:
        by_organization.setdefault(request.organization, []).append(request)
    paths = {} if out is None else {name: _path(out, name) for name in by_organization}
    _refuse_existing(paths.values())
    facts = _observe(invocation, requests)
    world = World(
        invocation.catalog,
        load_operators(),
        invocation.settings.providers,
        invocation.now.isoformat(timespec="seconds"),
    )
    drafts = {
        name: render_manifest(name, [facts[r.domain] for r in members], world)
        for name, members in by_organization.items()
    }
    for name, path in paths.items():
        write_atomically(path, drafts[name].encode())
    unknown = [d for r in requests for d in _unknowns(facts[r.domain])]
    text = _written_text(paths, len(requests)) if out is not None else _documents(drafts)
    return ImportResult(text, tuple(unknown), (ExitCode.INCOMPLETE,) if unknown else (ExitCode.DONE,))


def _read(source_file: Path | None) -> bytes | None:
    if source_file is None:
        return None
    try:
        with source_file.open("rb") as stream:
            return stream.read(MAX_OCTETS + 1)
    except OSError as exc:
        summary = f"the list cannot be read: {exc.strerror}"
        detail = "Give the path of a list of domains, or of CSV, with --from."
        raise ImportListError([error("import-file", summary, detail, file=str(source_file))]) from exc


def _path(out: Path, organization: str) -> Path:
    try:
        return contained_path(out, f"{safe_file_name(organization or _UNNAMED)}.yaml")
    except ValueError as exc:
        detail = "Remove the symlink, or name another folder with --out. Nothing was written."
        raise EmitError([error("import-outside", str(exc), detail, file=str(out))]) from exc


def _refuse_existing(paths: Iterable[Path]) -> None:
    there = [path for path in paths if path.exists()]
    if there:
        detail = "Nothing was written. Move it away, or name another folder with --out, and merge by hand."
        raise EmitError([error("import-exists", f"{p} is there already", detail, file=str(p)) for p in there])


def _observe(invocation: Invocation, requests: Sequence[Request]) -> dict[Name, DomainFacts]:
    """Everything in two rounds: the domains, then what their answers name."""
    verification = _verification_keys(requests, invocation)
    with invocation.progress("observing", 2 * len(requests)) as advance:
        observer = build_observer(invocation.settings.observe, advance)
        questions = [Question(key, r.domain) for r in requests for key in (_mx(r), verification[r.domain])]
        first = {o.key: o for o in observer.observe(questions)}
    apexes = sorted({o.zone.apex for o in first.values() if o.zone is not None})
    hosts = sorted({host for o in first.values() for host in _mx_hosts(o, invocation)})
    second_round = [
        *(Question(Key(apex, "NS"), apex, apex) for apex in apexes),
        *(Question(Key(host, "A"), host) for host in hosts),
    ]
    with invocation.progress("looking at name servers and MX hosts", len(second_round)) as advance:
        observer = build_observer(invocation.settings.observe, advance)
        second = {o.key: o for o in observer.observe(second_round)}
    return {
        r.domain: DomainFacts(
            request=r,
            mx=first[_mx(r)],
            txt=first[verification[r.domain]],
            name_servers=_name_servers(first[_mx(r)], second),
            hosts={key.name: o.observed for key, o in second.items() if key.type == "A"},
        )
        for r in requests
    }


def _mx(request: Request) -> Key:
    return Key(request.domain, "MX")


def _verification_keys(requests: Sequence[Request], invocation: Invocation) -> dict[Name, Key]:
    keys: dict[Name, Key] = {}
    found: list[Diagnostic] = []
    for request in requests:
        try:
            keys[request.domain] = Key(invocation.catalog.verification_name(request.domain), "TXT")
        except InvalidNameError as exc:
            name = display_name(request.domain)
            detail = "The gateway cannot verify this domain. Remove it from the list."
            found.append(
                error("import-name", f"the verification name of {name} is too long: {exc}", detail, domain=name)
            )
    if found:
        raise ImportListError(sorted_diagnostics(found))
    return keys


def _mx_hosts(observation: Observation, invocation: Invocation) -> Iterator[Name]:
    """The hosts of an MX rrset that may become next hops."""
    if observation.key.type != "MX" or not isinstance(observation.observed, Present):
        return
    for rdata in observation.observed.rrset.rdatas:
        try:
            host = canonical_name(mx_exchange(rdata))
        except InvalidNameError:
            continue  # `draft.py` says so in the manifest
        if not invocation.catalog.is_gateway_host(host):
            yield host


def _name_servers(mx: Observation, second: Mapping[Key, Observation]) -> tuple[str, ...]:
    """Every name server that any authoritative server of the zone names, sorted."""
    observation = None if mx.zone is None else second[Key(mx.zone.apex, "NS")]
    answers = () if observation is None else observation.answers
    return tuple(sorted({str(r) for a in answers if isinstance(a.observed, Present) for r in a.observed.rrset.rdatas}))


def _unknowns(facts: DomainFacts) -> Iterator[Diagnostic]:
    name = display_name(facts.request.domain)
    for observation in (facts.mx, facts.txt):
        observed = observation.observed
        if isinstance(observed, Unknown):
            what = f"{observation.key.type} of {display_name(observation.key.name)}"
            summary = f"{what} could not be observed ({observed.cause}): {observed.detail}"
            detail = "It is left to be filled in. Import the domain again when its DNS answers."
            yield Diagnostic(Severity.WARNING, "import-unknown", summary, detail, domain=name)


def _documents(drafts: Mapping[str, str]) -> str:
    if len(drafts) == 1:
        return next(iter(drafts.values()))
    return "".join(f"---\n# {safe_file_name(name or _UNNAMED)}.yaml\n{text}" for name, text in drafts.items())


def _written_text(paths: Mapping[str, Path], count: int) -> str:
    lines = [f"written    {terminal_text(str(path))}" for path in paths.values()]
    next_step = "Fill in what is marked FILL IN, then run `reconciler validate`."
    manifests = "1 manifest" if len(paths) == 1 else f"{len(paths)} manifests"
    return "\n".join([*lines, f"{manifests}, {count} {'domain' if count == 1 else 'domains'}. {next_step}", ""])
