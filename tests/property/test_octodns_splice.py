"""Laws of the splice: whatever the zone file looks like, only our records change in it, or it is refused."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from natsort import natsorted
from octodns.yaml import safe_load

from reconciler.emit.octodns_proof import RecordEdit, YamlOptions
from reconciler.emit.octodns_splice import splice_records
from reconciler.emit.octodns_values import RefusedError
from reconciler.names import Name
from reconciler.state import mx_rdata, txt_rdata

NEW, OLD, FOREIGN = txt_rdata("new-token=="), txt_rdata("old-token=="), txt_rdata("other-vendor==")
GATEWAY = mx_rdata(0, Name("eu.mx-pp.com."))
TOKEN = RecordEdit("_amazonses", "TXT", 3600, (NEW, FOREIGN), frozenset({NEW, OLD}), is_whole=False)
MAIL = RecordEdit("", "MX", 300, (GATEWAY,), frozenset({GATEWAY}), is_whole=True)
OURS = {("_amazonses", "TXT"), ("", "MX")}

texts = st.sampled_from(
    ["old-token==", "new-token==", "other-vendor==", "v=x\\; y", "it's", "a # b", "on", "", "ü", "a: b"]
)
exchanges = st.sampled_from(["a.", "eu.mx-pp.com.", "mail.acme.example."])
comments = st.sampled_from(["", "", "   # why", " # [x]", "  #"])
between = st.sampled_from(["", "", "\n", "# about the next\n", "\n# a group\n\n", "  # indented\n"])


@st.composite
def scalars(draw: st.DrawFn, text: str) -> str:
    """A text in one of YAML's styles on one line."""
    styles = [f"'{text.replace(chr(39), chr(39) * 2)}'", '"' + text.replace("\\", "\\\\") + '"']
    if text not in {"on", "", "a: b", "a # b"}:
        styles.append(text)
    return draw(st.sampled_from(styles))


@st.composite
def value_fields(draw: st.DrawFn, values: list[str]) -> list[str]:
    """`value` or `values` of a record, as lines."""
    if len(values) == 1 and draw(st.booleans()):
        return [f"value: {values[0]}{draw(comments)}"]
    if draw(st.booleans()):
        tail = draw(st.sampled_from(["", ","]))
        inner = draw(st.sampled_from([", ", ",\n      "])).join(values)
        return [f"values: [{inner}{tail}]{draw(comments)}"]
    pad = draw(st.sampled_from(["", "  "]))
    return [f"values:{draw(comments)}", *(f"{pad}- {value}{draw(comments)}" for value in values)]


@st.composite
def records(draw: st.DrawFn, record_type: str) -> list[str]:
    """The lines of one record, its keys in order."""
    if record_type == "TXT":
        values = [draw(scalars(t)) for t in draw(st.lists(texts, min_size=1, max_size=4))]
    elif record_type == "MX":
        drawn = draw(st.lists(exchanges, min_size=1, max_size=3))
        values = [f"{{exchange: {e}, preference: {draw(st.sampled_from([0, 10]))}}}" for e in drawn]
    else:
        values = draw(st.lists(st.sampled_from(["192.0.2.1", "'192.0.2.2'"]), min_size=1, max_size=2))
    lines = ["ttl: 60"] if draw(st.booleans()) else []
    return [*lines, f"type: {record_type}{draw(comments)}", *draw(value_fields(values))]


@st.composite
def zone_files(draw: st.DrawFn) -> str:
    """A zone file in the styles that people write."""
    names = natsorted(draw(st.sets(st.sampled_from(["", "_amazonses", "_dmarc", "www", "a10", "a2", "*"]), max_size=5)))
    out = draw(st.sampled_from(["", "---\n", "# head\n---\n"]))
    anchors = draw(st.integers(0, 9)) == 0
    for position, name in enumerate(names):
        key = f"'{name}'" if name in {"", "*"} else draw(scalars(name))
        step = draw(st.sampled_from(["  ", "    ", " "]))
        types = draw(st.lists(st.sampled_from(["A", "MX", "TXT"]), min_size=1, max_size=3, unique=True))
        out += draw(between) + f"{key}:{' &x' if anchors and position == 0 else ''}{draw(comments)}\n"
        if len(types) == 1 and draw(st.booleans()):
            out += "".join(f"{step}{line}\n" for line in draw(records(types[0])))
            continue
        pad = draw(st.sampled_from(["", step]))
        for record_type in types:
            first, *rest = draw(records(record_type))
            out += f"{pad}- {first}\n" + "".join(f"{pad}  {line}\n" for line in rest)
    if anchors and names:
        out += "zz: *x\n"
    if draw(st.booleans()):
        out = out.replace("\n", "\r\n")
    return out.rstrip("\r\n") if draw(st.booleans()) else out


def foreign(text: str) -> tuple[dict[tuple[str, str], Any], list[str]]:
    """Every record that is not ours, and the lines of comments."""
    found = {}
    for name, at_name in (safe_load(text.replace("\r\n", "\n")) or {}).items():
        for record in at_name if isinstance(at_name, list) else [at_name]:
            if (name, record["type"]) not in OURS:
                found[name, record["type"]] = repr(record)
    return found, sorted(line.strip() for line in text.splitlines() if line.startswith("#"))


@settings(max_examples=80, deadline=None)
@given(zone_files())
def test_only_our_records_change_or_the_file_is_refused(before: str) -> None:
    """Foreign records load as before, foreign values of ours stay, line ends and comments stay, and twice is once."""
    try:
        after = splice_records(before, [MAIL, TOKEN], YamlOptions(), "zone.yaml")
    except RefusedError as exc:
        event(f"refused: {exc.reason[:40]}")
        return
    event("unchanged" if after == before else "changed")
    assert foreign(after) == foreign(before)
    assert splice_records(after, [MAIL, TOKEN], YamlOptions(), "zone.yaml") == after
    lines = after.splitlines(keepends=True)
    if "\r\n" in before:
        assert all(line.endswith("\r\n") for line in lines[:-1])
    untouched = {line for line in before.splitlines() if "dmarc" in line or "192.0.2" in line}
    after_lines = after.splitlines()
    # the one change to a foreign line: the dash of a record that became an item of a list
    assert untouched <= {*after_lines, *(line.replace("- ", "  ", 1) for line in after_lines)}
    values = _values(after)
    assert "new-token==" in values
    assert "old-token==" not in values
    assert {v for v in _values(before) if v != "old-token=="} <= set(values)


def _values(text: str) -> list[str]:
    at_name = (safe_load(text.replace("\r\n", "\n")) or {}).get("_amazonses", [])
    for record in at_name if isinstance(at_name, list) else [at_name]:
        if record["type"] == "TXT":
            values = record.get("values", record.get("value"))
            return list(values) if isinstance(values, list) else [values]
    return []
