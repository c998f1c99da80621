"""The overlay with octoDNS's own planning, on a provider that keeps its zone in memory."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from apply_builders import FOREIGN, OLD, OURS, TOKEN_KEY, ZONE, build_change
from octodns.provider.base import BaseProvider
from octodns.record import Create, Delete, Record
from servers.nasty import NASTY_TXT

from reconciler.apply import ApplyError, CannotCarryError, NoSuchZoneError, StaleError, VerifyError
from reconciler.apply.comparison import CnameConflictError, DelegatedError
from reconciler.apply.overlay import OverlayWriter, plain_text
from reconciler.names import canonical_name
from reconciler.state import Key, Rdata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from octodns.provider.plan import Plan
    from octodns.zone import Zone

    from reconciler.diff import Change

MX_KEY = Key(ZONE, "MX")
Data = dict[str, object]
Store = dict[tuple[str, str], Data]


class Memory(BaseProvider):  # type: ignore[misc]  # octodns publishes no types
    """A provider whose zone is a dictionary: (name below the apex, type) to octoDNS's record data."""

    SUPPORTS_GEO = False
    SUPPORTS_DYNAMIC = False
    SUPPORTS_ROOT_NS = True
    SUPPORTS = frozenset({"A", "CNAME", "DNAME", "MX", "NS", "TXT"})

    store: Store
    exists: bool | None = True
    extra: Sequence[tuple[str, str]] = ()
    meta: object = None
    least_ttl = 0
    fails = ""
    loses_foreign = False

    def __init__(self, store: Store, **options: object) -> None:
        """Serve `store`; options set what is peculiar about this provider."""
        self.log = logging.getLogger("Memory")
        super().__init__("memory", apply_disabled=bool(options.pop("apply_disabled", False)))
        self.store = store
        self.__dict__.update(options)

    def populate(self, zone: Zone, *, target: bool = False, lenient: bool = False) -> bool | None:
        """Read the dictionary."""
        assert target
        if self.fails == "populate":
            raise RuntimeError("the wire is cut")
        for (name, rdtype), data in self.store.items():
            zone.add_record(Record.new(zone, name, {"type": rdtype, **data}, lenient=lenient), lenient=lenient)
        return self.exists

    def _include_change(self, change: Create) -> bool:
        new = change.new
        return new is None or new.ttl >= self.least_ttl

    def _extra_changes(self, existing: Zone, desired: Zone, changes: list[object]) -> list[object]:
        assert changes is not None
        records = {(r.name, r._type): r for r in desired.records}  # noqa: SLF001
        assert existing is not desired
        return [Delete(records[key]) for key in self.extra]

    def _plan_meta(self, existing: Zone, desired: Zone, changes: list[object]) -> object:
        assert (existing, desired, changes) is not None
        return self.meta

    def _apply(self, plan: Plan) -> None:
        if self.fails == "before":
            raise RuntimeError("refused")
        for change in plan.changes:
            key = ((change.new or change.existing).name, (change.new or change.existing)._type)  # noqa: SLF001
            if change.new is None:
                del self.store[key]
            else:
                values = [dict(v) if isinstance(v, dict) else str(v) for v in change.new.values]
                kept = [v for v in values if v != "somebody else"] if self.loses_foreign else values
                self.store[key] = {"ttl": change.new.ttl, "values": kept}
        if self.fails == "after":
            raise RuntimeError("no answer")


def build_store(*tokens: str, ttl: int = 300) -> Store:
    store: Store = {
        ("", "NS"): {"ttl": 3600, "values": ["ns1.example.net.", "ns2.example.net."]},
        ("", "MX"): {"ttl": 600, "values": [{"preference": 10, "exchange": "mail.acme.example."}]},
        ("www", "A"): {"ttl": 60, "values": ["192.0.2.1"]},
        ("_dmarc", "TXT"): {"ttl": 60, "values": ["v=DMARC1\\; p=none", "ends in a backslash\\"]},
        ("sub", "NS"): {"ttl": 60, "values": ["ns.elsewhere.example."]},
        ("dname", "DNAME"): {"ttl": 60, "value": "elsewhere.example."},
        ("alias", "CNAME"): {"ttl": 60, "value": "www.acme.example."},
    }
    if tokens:
        store["_amazonses", "TXT"] = {"ttl": ttl, "values": list(tokens)}
    return store


def write(store: Store, *changes: Change, **options: object) -> None:
    OverlayWriter(lambda: Memory(store, **options), provider_id="memory").write(ZONE, changes)


def test_only_our_rrsets_change() -> None:
    store = build_store("somebody else", "our-old-token")
    others = {key: data for key, data in build_store().items() if key != ("", "MX")}
    mx = build_change(key=MX_KEY, before=("10 mail.acme.example.",), after=("0 eu.mx-pp.com.",), ttl=600)
    write(store, build_change(before=(OLD,), after=(OURS,), foreign=(FOREIGN,)), mx)
    assert store.pop(("_amazonses", "TXT")) == {"ttl": 300, "values": ["our-token", "somebody else"]}
    assert store.pop(("", "MX")) == {"ttl": 600, "values": [{"preference": 0, "exchange": "eu.mx-pp.com."}]}
    assert store == others


def test_create_ttl_and_delete_and_nothing_to_do() -> None:
    store = build_store()
    write(store, build_change(after=(OURS,)))
    write(store, build_change(before=(OURS,), after=(OURS,)), fails="before")
    write(store, build_change(before=(OURS,), after=(OURS,), ttl_before=300, ttl=60))
    assert store["_amazonses", "TXT"] == {"ttl": 60, "values": ["our-token"]}
    write(store, build_change(before=(OURS,), ttl=60))
    assert store == build_store()


@pytest.mark.parametrize(
    "change",
    [
        build_change(after=(OURS,)),
        build_change(before=(OLD,), after=(OURS,)),
        build_change(before=(OLD,)),
        build_change(before=(OLD,), after=(OLD,), ttl_before=300, ttl=60),
        build_change(before=(OLD,), after=(OURS,), foreign=(FOREIGN,), ttl_before=77, ttl=77),
    ],
    ids=["create", "update", "delete", "retime", "other-ttl"],
)
def test_what_changed_since_the_plan_is_stale(change: Change) -> None:
    store = build_store(*(v.strip('"') for v in change.before), "somebody else")
    before = dict(store)
    with pytest.raises(StaleError):
        write(store, change)
    assert store == before


@pytest.mark.parametrize("rdata", NASTY_TXT)
@pytest.mark.parametrize("role", ["foreign", "after"])
def test_nasty_values_are_carried_whole_or_refused_before_the_provider_is_asked(role: str, rdata: str) -> None:
    """A provider that fails at once is not reached by a refusal."""
    change = build_change(foreign=(rdata,), after=(OURS,)) if role == "foreign" else build_change(after=(rdata,))
    is_plain = plain_text(TOKEN_KEY, Rdata(rdata)) is not None
    with pytest.raises(ApplyError if is_plain else CannotCarryError) as caught:
        write(build_store(), change, fails="populate")
    assert isinstance(caught.value, CannotCarryError) is not is_plain


@pytest.mark.parametrize(
    ("rdata", "text"),
    [
        ('"v=spf1 -all"', "v=spf1 -all"),
        ('"v=DKIM1; p=abc"', "v=DKIM1; p=abc"),
        (f'"{"x" * 255}" "y"', "x" * 255 + "y"),
        ('"a" "b"', None),
        (f'"{"x" * 255}" ""', None),
        ('""', None),
        ('" a"', None),
        ('"a "', None),
        (r'"a\\"', None),
        (r'"\\\\"', None),
        (r'"a\"b"', None),
        (r'"\195\188"', None),
        (r'"a\009b"', None),
    ],
)
def test_only_text_with_one_way_to_write_it_is_plain(rdata: str, text: str | None) -> None:
    assert plain_text(TOKEN_KEY, Rdata(rdata)) == text


def test_semicolons_are_escaped_as_octodns_has_them() -> None:
    store = build_store("k=v\\; x=y")
    write(store, build_change(foreign=('"k=v; x=y"',), after=(OURS,)))
    assert store["_amazonses", "TXT"]["values"] == ["k=v\\; x=y", "our-token"]


def test_other_types_are_refused() -> None:
    with pytest.raises(CannotCarryError, match="A rrsets"):
        write(build_store(), build_change(key=Key(canonical_name("www.acme.example"), "A"), after=("192.0.2.9",)))


@pytest.mark.parametrize("exists", [False, None])
def test_a_zone_that_is_not_there_is_never_created(exists: object) -> None:
    store: Store = {}
    with pytest.raises(NoSuchZoneError, match="never created"):
        write(store, build_change(after=(OURS,)), exists=exists)
    assert store == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"extra": [("www", "A")]}, r"would also change www\.acme\.example\. A"),
        ({"meta": {"plan": "premium"}}, "the zone's own settings"),
        ({"least_ttl": 600}, "plans no change of _amazonses"),
        ({"apply_disabled": True}, "apply_disabled"),
        ({"fails": "populate"}, "cannot read acme.example., so nothing was written: RuntimeError: the wire is cut"),
        ({"fails": "before"}, "read back: not everything is written"),
    ],
)
def test_what_a_provider_does_besides_or_cannot_do_is_refused(options: dict[str, object], said: str) -> None:
    store = build_store()
    with pytest.raises(ApplyError, match=said):
        write(store, build_change(after=(OURS,)), **options)
    assert store == build_store()


def test_an_error_after_the_write_is_looked_up() -> None:
    store = build_store()
    write(store, build_change(after=(OURS,)), fails="after")
    assert store["_amazonses", "TXT"]["values"] == ["our-token"]


def test_a_provider_that_loses_a_foreign_value_is_found_out() -> None:
    with pytest.raises(VerifyError, match="reads back"):
        write(build_store("somebody else"), build_change(after=(OURS,), foreign=(FOREIGN,)), loses_foreign=True)


def test_a_provider_that_cannot_be_made_is_one_sentence() -> None:
    def fail() -> Memory:
        raise KeyError("region")

    with pytest.raises(ApplyError, match="cannot be set up: KeyError: 'region'"):
        OverlayWriter(fail, provider_id="memory").write(ZONE, [build_change(after=(OURS,))])


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("alias.acme.example", CnameConflictError),
        ("sub.acme.example", DelegatedError),
        ("_amazonses.deep.sub.acme.example", DelegatedError),
        ("_amazonses.dname.acme.example", DelegatedError),
    ],
)
def test_names_that_cannot_answer_are_refused(name: str, error: type[ApplyError]) -> None:
    store = build_store()
    with pytest.raises(error, match="nothing was written"):
        write(store, build_change(key=Key(canonical_name(name), "TXT"), after=(OURS,)))
    assert store == build_store()


def test_the_options_that_octodns_keeps_with_a_record_stay() -> None:
    seen: list[object] = []

    class Watching(Memory):
        def _apply(self, plan: Plan) -> None:
            seen.extend(change.new.octodns for change in plan.changes)
            super()._apply(plan)

    store = build_store("our-old-token")
    store["_amazonses", "TXT"]["octodns"] = {"memory": {"comment": "ask Jane"}}
    writer = OverlayWriter(lambda: Watching(store), provider_id="memory")
    writer.write(ZONE, [build_change(before=(OLD,), after=(OURS,))])
    assert seen == [{"memory": {"comment": "ask Jane"}}]
