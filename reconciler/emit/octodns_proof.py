"""What a zone file says to octoDNS, what an edit shall change in it, and the proof that it changed nothing else."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from octodns.yaml import safe_load
from yaml import YAMLError

from reconciler.emit.octodns_nodes import yaml_refusal
from reconciler.emit.octodns_values import RefusedError, encoded_name, rdata_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.state import Rdata

Records = dict[tuple[str, str], dict[str, Any]]
"""Every record of a file by its encoded name and its type, as octoDNS loads it."""

_BY_HAND = "Edit this record by hand and run again."


@dataclass(frozen=True, slots=True)
class YamlOptions:
    """The options of a YamlProvider that say how its files are read; `default_ttl` in seconds."""

    default_ttl: int = 3600
    enforce_order: bool = True
    order_mode: str = "natural"
    escaped_semicolons: bool = True


@dataclass(frozen=True, slots=True)
class RecordEdit:
    """What one record shall hold: `name` as octoDNS keys it, in A-labels.

    `wanted` is the whole rrset; `owned` are the values that are ours, wanted or not. Where `is_whole`, the record
    becomes exactly `wanted`; else values that are not owned stay as the file has them. `ttl` (seconds) counts for a
    record that is not there yet.
    """

    name: str
    type: str
    ttl: int
    wanted: tuple[Rdata, ...]
    owned: frozenset[Rdata]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class ValueChange:
    """What happens to a record's values: places in the file's list to remove, rdata to keep and to add.

    `keep` has None for a kept value that is no rdata we could own.
    """

    is_there: bool
    remove: frozenset[int]
    keep: tuple[Rdata | None, ...]
    add: tuple[Rdata, ...]

    @property
    def is_noop(self) -> bool:
        """Whether the file says already what it shall say."""
        return not self.remove and not self.add

    @property
    def is_delete(self) -> bool:
        """Whether nothing is left of the record."""
        return self.is_there and not self.keep and not self.add


class _NamedText(io.StringIO):
    """A text with the name that octoDNS resolves `!include` against, its line ends read as a file's are."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, newline=None)
        self.name = name


def load_records(text: str, options: YamlOptions, path: str) -> Records:
    """Every record of a file.

    Raises:
        RefusedError: octoDNS does not load it, its order included where that is enforced, or a record is there twice.

    """
    # an included file may change while the text that names it does not
    load = _records.__wrapped__ if "!include" in text else _records
    return dict(load(text, options, path))


@lru_cache(maxsize=16)
def _records(text: str, options: YamlOptions, path: str) -> Records:
    """The records; the last texts are kept, because one zone's are asked for several times and YAML is slow."""
    try:
        data = safe_load(_NamedText(text, path), options.enforce_order, options.order_mode)
    except (YAMLError, OSError, TypeError, ValueError, RecursionError) as exc:
        # TypeError: names of several types that cannot be sorted; OSError: an !include that is not there
        raise yaml_refusal(exc, path) from exc
    if data is not None and not isinstance(data, dict):
        raise RefusedError("the file is no mapping of names", "Correct the file first.", file=path)
    records: Records = {}
    for name, at_name in (data or {}).items():
        for record in at_name if isinstance(at_name, list) else [at_name]:
            if not isinstance(record, dict) or not isinstance(record.get("type"), str):
                message = f"{name!r} has no record with a type"
                raise RefusedError(message, "Correct the file first.", file=path)
            key = (encoded_name(name), record["type"])
            if key in records:
                message = f"{name!r} {key[1]} is there twice"
                raise RefusedError(message, "Remove one of them.", file=path, line=_line(record))
            records[key] = record
    return records


def _line(record: object) -> int:
    """Where octoDNS has read a record; 0 where it does not say."""
    said = re.search(r", line (\d+), column \d+$", str(getattr(record, "context", "")))
    return int(said[1]) if said else 0


def values_of(record: Mapping[str, Any]) -> list[Any]:
    """A record's values as octoDNS takes them: `values` before `value`, a single one as a list of one."""
    values = record.get("values", record.get("value", []))
    return list(values) if isinstance(values, (list, tuple)) else [values]


def value_change(edit: RecordEdit, records: Records, options: YamlOptions, path: str) -> ValueChange:
    """What has to happen to the values of the edit's record.

    Raises:
        RefusedError: octoDNS would not publish the record, whatever its values.

    """
    record = records.get((edit.name, edit.type))
    if record is None:
        if edit.wanted and (edit.name, "CNAME") in records:
            message = f"there is a CNAME at {edit.name!r}"
            line = _line(records[edit.name, "CNAME"])
            raise RefusedError(message, "Remove it: it excludes every other record.", file=path, line=line)
        return ValueChange(is_there=False, remove=frozenset(), keep=(), add=edit.wanted)
    present = [rdata_of(edit.type, v, escaped_semicolons=options.escaped_semicolons) for v in values_of(record)]
    unwanted = {r for r in present if r not in edit.wanted} if edit.is_whole else edit.owned - set(edit.wanted)
    remove = frozenset(i for i, rdata in enumerate(present) if rdata in unwanted)
    keep = tuple(rdata for i, rdata in enumerate(present) if i not in remove)
    ours = [rdata for rdata in edit.wanted if edit.is_whole or rdata in edit.owned]
    change = ValueChange(is_there=True, remove=remove, keep=keep, add=tuple(r for r in ours if r not in present))
    meta = record.get("octodns")
    if (
        not change.is_noop
        and isinstance(meta, dict)
        and (meta.get("ignored") or meta.keys() & {"included", "excluded"})
    ):
        reason = f"octoDNS is told to ignore {edit.name!r} {edit.type}, or to leave it out at some targets"
        raise RefusedError(reason, _BY_HAND, file=path, line=_line(record))
    return change


def prove(old: str, new: str, edit: RecordEdit, change: ValueChange, options: YamlOptions, path: str) -> None:
    """See that the new text differs from the old in the edit's record alone, and there as wanted.

    Raises:
        RefusedError: it does not.

    """
    before, after = load_records(old, options, path), load_records(new, options, path)
    key = (edit.name, edit.type)
    old_record, new_record = before.pop(key, None), after.pop(key, None)
    problem = ""
    if repr(before) != repr(after):
        # repr tells 1 from true and one order of names from another
        problem = "other records would change"
    elif (new_record is None) != change.is_delete:
        problem = "the record would not be there, or still be there"
    elif new_record is not None:
        problem = _record_problem(old_record, new_record, edit, change, options)
    if problem:
        message = f"the edit cannot be proven: {problem}"
        raise RefusedError(message, _BY_HAND, file=path)


def _record_problem(
    old: dict[str, Any] | None, new: dict[str, Any], edit: RecordEdit, change: ValueChange, options: YamlOptions
) -> str:
    values = values_of(new)
    kept = [v for i, v in enumerate(values_of(old or {})) if i not in change.remove]
    added = [rdata_of(edit.type, v, escaped_semicolons=options.escaped_semicolons) for v in values[len(kept) :]]
    if tuple(added) != change.add:
        return "the values would not be those wanted"
    rewritten = [rdata_of(edit.type, v, escaped_semicolons=options.escaped_semicolons) for v in values[: len(kept)]]
    if values[: len(kept)] != kept and (None in rewritten or tuple(rewritten) != change.keep):
        return "other values of the record would change"
    if old is None:
        return "" if int(new.get("ttl", options.default_ttl)) == edit.ttl else "the TTL would not be the one wanted"
    fields = {"value", "values"}
    if {k: v for k, v in new.items() if k not in fields} != {k: v for k, v in old.items() if k not in fields}:
        return "the record's other fields would change"
    return ""
