"""One zone's records edited in the files of somebody's octoDNS repository, or in one that was emitted before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from octodns.idna import idna_decode

from reconciler.emit.octodns_files import read_text
from reconciler.emit.octodns_new import MARK
from reconciler.emit.octodns_proof import RecordEdit, load_records, values_of
from reconciler.emit.octodns_splice import splice_records
from reconciler.emit.octodns_values import RefusedError, check_carried, rdata_of, relative_name
from reconciler.state import RRset, build_rrset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from reconciler.emit.octodns_locate import ZoneFiles
    from reconciler.emit.octodns_proof import Records
    from reconciler.names import Name
    from reconciler.state import Key, Rdata


@dataclass
class ZoneEdit:
    """The editing of one zone: its files as they shall be, and the observed foreign values that they do not have."""

    root: Path
    zone: Name
    files: ZoneFiles
    texts: dict[Path, str] = field(default_factory=dict)
    missing: list[tuple[Key, Rdata]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read every file."""
        self.texts = {path: read_text(self.root, path) for path in self.files.files}

    def edit(self, key: Key, rrset: RRset | None, owned: frozenset[Rdata]) -> None:
        """Give one record its values; `rrset` is what the zone shall have, None for nothing.

        Raises:
            RefusedError: it cannot be done safely.

        """
        name = relative_name(key.name, self.zone)
        records = {path: self._records(path, text) for path, text in self.texts.items()}
        self._check_not_shared((name, key.type))
        holders = [path for path, there in records.items() if (name, key.type) in there]
        path = self._chosen_file(name, holders, records)
        text = self.texts.get(path, "---\n")
        is_generated = MARK in text.partition("\n")[0]
        wanted = rrset.rdatas if rrset else ()
        # an MX rrset with nothing foreign in it is ours as a whole; a TXT rrset never is, in a file of somebody else
        is_whole = is_generated or (key.type == "MX" and bool(wanted) and owned.issuperset(wanted))
        ttl = rrset.ttl if rrset else self.files.options.default_ttl
        written = wanted if is_whole or not holders else tuple(r for r in wanted if r in owned)
        if written:
            check_carried(build_rrset(key, ttl, written), self.zone)
        if holders and not is_whole:
            self._note_missing(key, records[path][name, key.type], (r for r in wanted if r not in owned))
        record_edit = RecordEdit(name, key.type, ttl, wanted, owned, is_whole)
        spliced = splice_records(text, [record_edit], self.files.options, str(path))
        if path in self.texts or spliced != text:
            self.texts[path] = spliced

    def _records(self, path: Path, text: str) -> Records:
        return load_records(text, self.files.options, str(path))

    def _check_not_shared(self, record: tuple[str, str]) -> None:
        shared = self.files.shared
        if shared is None:
            return
        if record in self._records(shared, read_text(self.root, shared)):
            reason = f"{record[0]!r} {record[1]} is in a file that goes into every zone of the provider"
            raise RefusedError(reason, "Move it into the zones that need it.", file=str(shared))

    def _chosen_file(self, name: str, holders: list[Path], records: Mapping[Path, Records]) -> Path:
        """The file that has the record, else the one that has the name, else the one that octoDNS would write."""
        at_name = holders or [path for path, there in records.items() if any(n == name for n, _ in there)]
        if len(at_name) > 1:
            places = ", ".join(str(path) for path in at_name)
            reason = f"the records at {name!r} are in several files: {places}"
            raise RefusedError(reason, "Put them into one file.", file=str(at_name[0]))
        if at_name:
            return at_name[0]
        if self.files.split is None:
            return next(iter(self.texts))
        is_catchall = self.files.split_catchall and name == ""
        stem = f"${str(idna_decode(self.zone))[:-1]}" if is_catchall else name
        return self.files.split / f"{stem}.yaml"

    def _note_missing(self, key: Key, record: Mapping[str, object], foreign: Iterable[Rdata]) -> None:
        escaped = self.files.options.escaped_semicolons
        there = {rdata_of(key.type, value, escaped_semicolons=escaped) for value in values_of(record)}
        self.missing += [(key, rdata) for rdata in foreign if rdata not in there]
