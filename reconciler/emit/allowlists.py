"""What brings an origin in line, as files: for each list and each spam rule a folder of its own.

    <out>/<organization>/<service>/<target>[-<name>]/...     scripts and tables, and the script that makes the export

Everything is rendered and every path is checked before the first file is written; each file is replaced whole, and only
when its content changes. Files of lists that are declared no longer stay.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.addresses import parse_address_set
from reconciler.allowlist_diff import compare, missing_addresses
from reconciler.errors import EmitError, error
from reconciler.files import contained_path, safe_file_name, write_atomically
from reconciler.targets.base import AllowlistEmission, Intent
from reconciler.targets.enforcement import loosening_outputs
from reconciler.targets.exchange_limits import find_allowlist_excess, find_mail_rule_excess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reconciler.addresses import AddressSet
    from reconciler.errors import Diagnostic
    from reconciler.manifest.fleet import Source
    from reconciler.targets.base import AllowlistContent, AllowlistTarget, DeclaredAllowlist
    from reconciler.targets.mail_rule import MailRuleEmission, MailRuleTarget
    from reconciler.templating import Templates

_SCRIPT_MODE = 0o755
_FILE_MODE = 0o644


@dataclass(frozen=True, slots=True)
class EmittedAllowlist:
    """One list to write files for, and where it is declared.

    `is_export_only` where what the server has is unknown: what would change it is not written then, because unknown is
    never taken for empty; what makes the export is. `is_lockdown_held` where what is written lets the gateway in and
    keeps nobody out yet, although the manifest asks for it.
    """

    target: AllowlistTarget
    emission: AllowlistEmission
    source: Source
    is_export_only: bool = False
    is_lockdown_held: bool = False


@dataclass(frozen=True, slots=True)
class EmittedMailRule:
    """One spam rule to write files for, and where it is declared."""

    target: MailRuleTarget
    emission: MailRuleEmission
    source: Source


@dataclass(frozen=True, slots=True)
class AllowlistsReport:
    """The files that were written, and those that were as they should be; each sorted."""

    written: tuple[Path, ...]
    unchanged: tuple[Path, ...]


def build_emission(
    service: tuple[str, str],
    declared: DeclaredAllowlist,
    gateway: tuple[str, ...],
    content: AllowlistContent | None,
    known: AddressSet,
    *,
    may_remove: bool,
    is_loosening: bool = False,
) -> AllowlistEmission:
    """What is to be emitted for one list of a service, given as its organization and its name.

    `gateway` are the addresses of the target state, one by one; `known` all that the catalog has. `content` is None
    where no export was read. Unless `may_remove`, entries that only an old state needed are kept for now. With
    `is_loosening` a list that keeps others out is emitted as one of the intent `allow`, with what takes that away.
    """
    organization, name = service
    unseen = AllowlistEmission(
        organization=organization,
        service=name,
        declared=replace(declared, intent=Intent.ALLOW) if is_loosening else declared,
        gateway=gateway,
        add=gateway,
        remove=(),
        keep=(),
        result=gateway,
        revision="",
        is_observed=False,
        is_loosening=is_loosening,
    )
    return unseen if content is None else _compared(unseen, content, known, may_remove=may_remove)


def _compared(
    unseen: AllowlistEmission, content: AllowlistContent, known: AddressSet, *, may_remove: bool
) -> AllowlistEmission:
    """The same for a list of which an export was read: what is there already, what goes and what stays."""
    gateway, exclusive = unseen.gateway, unseen.declared.exclusive
    found = compare(parse_address_set(gateway), content, known)
    kept = found.kept(exclusive=exclusive) if may_remove else (*found.wider, *found.stale, *found.foreign)
    staying = set(kept)
    keep = tuple(entry for entry in content.entries if entry in staying)
    going = found.removable(exclusive=exclusive) if may_remove else ()
    return replace(
        unseen,
        add=missing_addresses(gateway, content),
        remove=tuple(dict.fromkeys(entry.written for entry in going)),
        keep=tuple(dict.fromkeys(entry.written for entry in keep)),
        result=tuple(dict.fromkeys((*gateway, *(str(entry.interval) for entry in keep)))),
        revision=content.revision,
        is_observed=True,
    )


def render_target(
    target: AllowlistTarget,
    emission: AllowlistEmission,
    templates: Templates,
    source: Source | None = None,
    *,
    is_export_only: bool = False,
) -> dict[str, str]:
    """The files of a list by their names: what brings it in line, what loosens it, and what makes its export.

    Raises:
        EmitError: a template cannot be used, or a value cannot be written into it; named with `source` where given.

    """
    _refuse(find_allowlist_excess(emission), source)
    loosening = loosening_outputs(target.id) if emission.is_loosening else ()
    outputs = (*loosening, *target.export_outputs)
    if not is_export_only:
        outputs = (*target.outputs, *outputs)
    context = {"list": emission, "version": __version__}
    return {o.file_name: templates.render(o.template, context, source=source) for o in outputs}


def render_mail_rule(
    target: MailRuleTarget, emission: MailRuleEmission, templates: Templates, source: Source | None = None
) -> dict[str, str]:
    """The files of a spam rule by their names, as in `render_target`."""
    _refuse(find_mail_rule_excess(emission), source)
    outputs = (*target.outputs, *target.export_outputs)
    context = {"mail_rule": emission, "version": __version__}
    return {o.file_name: templates.render(o.template, context, source=source) for o in outputs}


def _refuse(excesses: tuple[str, ...], source: Source | None) -> None:
    """What the server would refuse is said before anything is written."""
    file, line = (source.file, source.line) if source is not None else ("", 0)
    detail = "Declare less for this target, or shorten the name; nothing was written."
    if excesses:
        raise EmitError([error("emit-limit", excess, detail, file=file, line=line) for excess in excesses])


def emit_allowlists(
    lists: Iterable[EmittedAllowlist], rules: Iterable[EmittedMailRule], *, out: Path, templates: Templates
) -> AllowlistsReport:
    """Write the files below a folder, which is made when it is not there.

    Raises:
        EmitError: a template cannot be used, a value cannot be written into it, a path leads out of the folder, or two
            lists would be one folder; all such errors at once, and nothing was written.
        OSError: a file cannot be written; those before it are whole.

    """
    if out.exists() and not out.is_dir():
        raise EmitError([error("emit-folder", f"{out} is no folder", "Name a folder with --out.", file=str(out))])
    texts = _collected(_rendered(tuple(lists), tuple(rules), templates), out)
    changed = {path: text for path, text in texts.items() if not _is_there(path, text)}
    for path, text in sorted(changed.items()):
        write_atomically(path, text.encode(), mode=_SCRIPT_MODE if path.suffix == ".sh" else _FILE_MODE)
    return AllowlistsReport(tuple(sorted(changed)), tuple(sorted(texts.keys() - changed.keys())))


@dataclass(frozen=True, slots=True)
class _Folder:
    parts: tuple[str, str, str]
    texts: Mapping[str, str]
    source: Source


def _rendered(
    lists: tuple[EmittedAllowlist, ...], rules: tuple[EmittedMailRule, ...], templates: Templates
) -> tuple[_Folder, ...]:
    """Every folder with its texts; the errors of all of them are raised together."""
    names = Counter(_folder_parts(each.emission) for each in lists)
    folders: list[_Folder] = []
    problems: list[Diagnostic] = []
    for each in lists:
        parts = _folder_parts(each.emission)
        if names[parts] > 1:  # two sets of one name, in two tables
            words = (value for _, value in each.emission.declared.options)
            parts = (parts[0], parts[1], "-".join((parts[2], *words)))
        try:
            texts = render_target(
                each.target, each.emission, templates, each.source, is_export_only=each.is_export_only
            )
            folders.append(_Folder(parts, texts, each.source))
        except EmitError as exc:
            problems += exc.diagnostics
    for rule in rules:
        parts = (rule.emission.organization, rule.emission.service, rule.target.id)
        try:
            texts = render_mail_rule(rule.target, rule.emission, templates, rule.source)
            folders.append(_Folder(parts, texts, rule.source))
        except EmitError as exc:
            problems += exc.diagnostics
    if problems:
        raise EmitError(problems)
    return tuple(folders)


def _folder_parts(emission: AllowlistEmission) -> tuple[str, str, str]:
    declared = emission.declared
    return (emission.organization, emission.service, "-".join(filter(None, (declared.target, declared.name))))


def _collected(folders: tuple[_Folder, ...], out: Path) -> dict[Path, str]:
    texts: dict[Path, str] = {}
    names: set[str] = set()
    for folder in folders:
        for path, text in _paths(folder, out):
            # file systems that know no case would make one file of two
            if str(path).casefold() in names:
                detail = (
                    "Declare one of them under another name, so that they differ in more than upper and lower case."
                )
                source = folder.source
                problem = error(
                    "emit-collision", f"two lists would be {path}", detail, file=source.file, line=source.line
                )
                raise EmitError([problem])
            names.add(str(path).casefold())
            texts[path] = text
    return texts


def _paths(folder: _Folder, out: Path) -> Iterator[tuple[Path, str]]:
    parts = [safe_file_name(part) for part in folder.parts]
    for name, text in folder.texts.items():
        try:
            yield contained_path(out, *parts, name), text
        except ValueError as exc:
            detail = "Remove the symlink, or name another folder with --out. Nothing was written."
            raise EmitError([error("emit-outside", str(exc), detail, file=str(out))]) from exc


def _is_there(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()
