"""One record's values changed in somebody's zone file, and not one other character of it.

The places of the YAML nodes say which lines to replace; `octodns_proof` then loads the old and the new text as octoDNS
does, and an edit that changed anything but the record meant is refused, as is every style that cannot be edited with
certainty. An edit that changes nothing returns the text as it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from natsort import natsort_keygen

from reconciler.emit.octodns_nodes import (
    TextEdit,
    ZoneText,
    apply_edits,
    is_flow,
    is_mapping,
    is_plain_key,
    is_sequence,
)
from reconciler.emit.octodns_proof import RecordEdit, ValueChange, load_records, prove, value_change
from reconciler.emit.octodns_values import (
    RefusedError,
    flow_text,
    item_lines,
    quoted,
    record_lines,
    yaml_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.emit.octodns_nodes import Node
    from reconciler.emit.octodns_proof import YamlOptions
    from reconciler.emit.octodns_values import YamlValue
    from reconciler.state import Rdata


def splice_records(text: str, edits: Iterable[RecordEdit], options: YamlOptions, path: str) -> str:
    """The text with all edits made, each proven.

    Args:
        text: the file's text with its own line ends.
        edits: at most one for each name and type.
        options: how the YamlProvider that reads the file is configured.
        path: the file, for !include and for messages.

    Raises:
        RefusedError: some edit cannot be made safely; the reason names the line.

    """
    new = text
    for edit in edits:
        try:
            new = _spliced(new, edit, options, path)
        except RefusedError:
            # once more on the text as it came, where the same refusal names the line that people see
            _spliced(text, edit, options, path)
            raise
    return new


def _spliced(text: str, edit: RecordEdit, options: YamlOptions, path: str) -> str:
    records = load_records(text, options, path)
    change = value_change(edit, records, options, path)
    if change.is_noop:
        return text
    new = apply_edits(text, _Splice(ZoneText(text, path), edit, change, options).edits())
    prove(text, new, edit, change, options, path)
    return new


class _Splice:
    """The text edits for one record."""

    def __init__(self, zone: ZoneText, edit: RecordEdit, change: ValueChange, options: YamlOptions) -> None:
        self.zone = zone
        self.edit = edit
        self.change = change
        self.options = options
        self.added: list[YamlValue] = [self.value(rdata) for rdata in change.add]

    def value(self, rdata: Rdata) -> YamlValue:
        return yaml_value(self.edit.type, rdata, escaped_semicolons=self.options.escaped_semicolons)

    def edits(self) -> list[TextEdit]:
        entry = self.zone.entry(self.edit.name)
        if entry is None:
            return [self.new_name()]
        key, node = entry
        self.zone.check_unshared(node)
        if not self.zone.is_first_on_line(key.start_mark.index):
            raise self.zone.refusal("the name does not begin its line", key)
        record, index = self.record_in(node)
        if record is None:
            return self.new_type(key, node)
        if self.change.is_delete:
            return [self.without_record(key, node, index)]
        return self.changed_values(record)

    def record_in(self, node: Node) -> tuple[Node | None, int]:
        """The record of our type at a name, and its place in the list there."""
        records = node.value if is_sequence(node) else [node]
        for index, record in enumerate(records):
            if not is_mapping(record):
                raise self.zone.refusal("what stands at the name is no record", record)
            if any(k.value == "type" and v.value == self.edit.type for k, v in record.value):
                return record, index
        return None, len(records)

    # a record that is not there yet

    def lines(self) -> list[str]:
        ttl = None if self.edit.ttl == self.options.default_ttl else self.edit.ttl
        return record_lines(self.edit.type, self.added, ttl)

    def new_name(self) -> TextEdit:
        name = self.edit.name
        key = name if is_plain_key(name) else quoted(name)
        column = self.zone.entries[0][0].start_mark.column if self.zone.entries else 0
        nested = (
            v.value[0][0].start_mark.column - column for _, v in self.zone.entries if is_mapping(v) and not is_flow(v)
        )
        indent = " " * next((width for width in nested if width > 0), 2)
        lines = [f"{key}:", *(indent + line for line in self.lines())]
        return self.zone.inserted(self.place_of_new_name(), lines, column)

    def place_of_new_name(self) -> int:
        zone, entries = self.zone, self.zone.entries
        if not entries:
            return len(zone.text)
        order: Callable[[str], Any] = natsort_keygen() if self.options.order_mode == "natural" else str
        behind = (i for i, (k, _) in enumerate(entries) if order(self.edit.name) < order(k.value))
        index = next(behind, len(entries))
        if index:
            key, previous = entries[index - 1]
            return max(zone.after_block(key, key.start_mark.column), zone.after_block(previous, key.start_mark.column))
        return self.before_first_name()

    def before_first_name(self) -> int:
        """Above the comments that belong to the first name; comments that open the file stay above."""
        text = self.zone.text
        first = position = self.zone.line_start(self.zone.entries[0][0].start_mark.index)
        while position:
            above = self.zone.line_start(position - 1)
            if not text[above:position].startswith("#"):
                return position
            position = above
        return first

    def new_type(self, key: Node, node: Node) -> list[TextEdit]:
        """Add a record beside those of other types at the name; a single mapping becomes a list."""
        zone = self.zone
        if is_flow(node):
            raise zone.refusal("the records at this name are in flow style", node)
        if is_sequence(node):
            last = node.value[-1]
            dash = zone.text.rfind("-", 0, last.start_mark.index)
            first, *rest = self.lines()
            lines = [f"- {first}", *(f"  {line}" for line in rest)]
            return [zone.inserted(zone.after_block(node, zone.column(dash)), lines, zone.column(dash))]
        start = node.value[0][0].start_mark.index
        column = zone.column(start) - 2
        if column < key.start_mark.column or zone.text[start - 2 : start] != "  ":
            raise zone.refusal("the record is indented by less than two spaces", node)
        first, *rest = self.lines()
        lines = [f"- {first}", *(f"  {line}" for line in rest)]
        added = zone.inserted(zone.after_block(node, key.start_mark.column), lines, column)
        return [TextEdit(start - 2, start, "- "), added]

    def without_record(self, key: Node, node: Node, index: int) -> TextEdit:
        zone = self.zone
        if not is_sequence(node) or len(node.value) == 1:
            column = key.start_mark.column
            return TextEdit(zone.line_start(key.start_mark.index), zone.after_block(node, column), "")
        if is_flow(node):
            raise zone.refusal("the records at this name are in flow style", node)
        return self.without_item(node, index)

    def without_item(self, sequence: Node, index: int) -> TextEdit:
        zone, item = self.zone, sequence.value[index]
        dash = zone.text.rfind("-", 0, item.start_mark.index)
        if not zone.is_first_on_line(dash):
            raise zone.refusal("an item of the list does not begin its line", item)
        return TextEdit(zone.line_start(dash), zone.after_line(zone.end(item)), "")

    # the values of a record that is there

    def changed_values(self, record: Node) -> list[TextEdit]:
        fields = [(k, v) for k, v in record.value if k.value in {"value", "values"}]
        if len(fields) != 1:
            raise self.zone.refusal("the record has not exactly one of `value` and `values`", record)
        key, node = fields[0]
        if is_sequence(node):
            return self.flow_list(node) if is_flow(node) else self.block_list(node)
        if not self.change.remove:
            return self.list_of_single(key, node, in_flow=is_flow(record))
        if len(self.added) == 1:
            return self.replaced_single(node)
        start = key.start_mark.index
        if is_flow(record):
            texts = ", ".join(flow_text(value) for value in self.added)
            return [TextEdit(start, self.zone.end(node), f"values: [{texts}]")]
        return [TextEdit(start, self.zone.end(node), self.block_values(self.added, self.zone.column(start)))]

    def block_values(self, values: Iterable[YamlValue], column: int) -> str:
        lines = ["values:", *(line for value in values for line in item_lines(value))]
        return f"{self.zone.newline}{' ' * column}".join(lines)

    def block_list(self, node: Node) -> list[TextEdit]:
        zone = self.zone
        edits = [self.without_item(node, index) for index in sorted(self.change.remove)]
        if self.added:
            last = node.value[-1]
            dash = zone.text.rfind("-", 0, last.start_mark.index)
            lines = [line for value in self.added for line in item_lines(value)]
            edits.append(zone.inserted(zone.after_line(zone.end(last)), lines, zone.column(dash)))
        return edits

    def flow_list(self, node: Node) -> list[TextEdit]:
        zone = self.zone
        start, end = node.value[0].start_mark.index, zone.end(node.value[-1])
        kept = [item for i, item in enumerate(node.value) if i not in self.change.remove]
        if not self.change.remove:
            return [TextEdit(end, end, "".join(f", {flow_text(value)}" for value in self.added))]
        if "\n" in zone.text[start:end]:
            raise zone.refusal("the list is in flow style over several lines", node)
        texts = [zone.text[item.start_mark.index : zone.end(item)] for item in kept]
        return [TextEdit(start, end, ", ".join([*texts, *(flow_text(value) for value in self.added)]))]

    def list_of_single(self, key: Node, node: Node, *, in_flow: bool) -> list[TextEdit]:
        """`value: one` becomes `values: [one, ...]`, the one value's own text kept."""
        zone = self.zone
        start, end = key.start_mark.index, zone.end(node)
        old = zone.text[node.start_mark.index : end]
        if in_flow or is_flow(node) or "\n" in zone.text[start:end]:
            if "\n" in zone.text[start:end] and (in_flow or not is_mapping(node)):
                raise zone.refusal("the value takes several lines", node)
            return self.list_around(key, node, in_flow=in_flow)
        column = zone.column(start)
        first = TextEdit(start, end, f"values:{zone.newline}{' ' * column}- {old}")
        lines = [line for value in self.added for line in item_lines(value)]
        return [first, zone.inserted(zone.after_line(end), lines, column)]

    def list_around(self, key: Node, node: Node, *, in_flow: bool) -> list[TextEdit]:
        zone = self.zone
        start, end = key.start_mark.index, zone.end(node)
        old = zone.text[node.start_mark.index : end]
        if in_flow or is_flow(node):
            texts = [old, *(flow_text(value) for value in self.added)]
            return [TextEdit(start, end, f"values: [{', '.join(texts)}]")]
        kept = [self.value(rdata) for rdata in self.change.keep if rdata is not None]
        return [TextEdit(start, end, self.block_values([*kept, *self.added], zone.column(start)))]

    def replaced_single(self, node: Node) -> list[TextEdit]:
        zone, value = self.zone, self.added[0]
        if isinstance(value, str):
            return [TextEdit(node.start_mark.index, zone.end(node), quoted(value))]
        if not is_mapping(node):
            raise zone.refusal("the value is no mapping", node)
        edits = []
        for key, part in node.value:
            is_exchange = key.value in {"exchange", "value"}
            text = quoted(str(value["exchange"])) if is_exchange else str(value["preference"])
            edits.append(TextEdit(part.start_mark.index, zone.end(part), text))
        return edits
