"""The organizations' pages: every domain with its plan, findings and timeline, and what is no domain's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import EU, MX_KEY, NOW, OLD_MX, PRIMARY, TXT_KEY, domain, facts, present, waiver
from drift_builders import ACME, SWITCHED, diagnostic
from hostile import Page
from site_builders import BROKEN, DECLARED, DONE, drift_of, fleet, seen

from reconciler.drift import DriftClass, DriftSeverity
from reconciler.drift.finding import Finding, certain
from reconciler.journal.entries import Event, EventKind
from reconciler.plan import Stage
from reconciler.site import Seen, build_site
from reconciler.site.cards import FindingCard, StepCard, code, prose
from reconciler.site.organizations import DomainCard, Organizations
from reconciler.site.standing import build_standings
from reconciler.site.timeline import SHOWN_EVENTS, build_timeline

ORPHAN = Finding(
    code="orphaned",
    cause=certain(DriftClass.ORPHANED),
    severity=DriftSeverity.MEDIUM,
    organization="left",
    domain="left.example",
    resource=None,
    expected=(),
    observed=(),
    first_seen=NOW - timedelta(days=4),
    summary="no manifest declares left.example",
    repair="declare it, or off-board it",
    source=None,
)


def organizations(given: Seen) -> Organizations:
    return Organizations(given, build_standings(given))


def card(given: Seen) -> DomainCard:
    return organizations(given).page("acme", 1).domains[0]


def lines(found: FindingCard) -> dict[str, str]:
    return {label: "".join(part for _, part in text) for label, text in found.lines}


def step(given: Seen, number: int) -> StepCard:
    return card(given).steps[number]


def test_a_held_step_tells_what_holds_it_and_folds_what_passes() -> None:
    held = step(seen(DECLARED), 1)
    assert (held.status, held.what, held.name) == ("held", "switch: update MX", "acme.example.")
    assert [(v.style, v.value) for v in held.values] == [("remove", OLD_MX), ("add", EU)]
    assert [(g.id, g.verdict) for g in held.telling] == [("token-visible", "hold")]
    assert {g.verdict for g in held.passing} == {"pass"}
    assert all(g.evidence for g in (*held.telling, *held.passing))


def test_a_waived_gate_is_told_by_who_waived_it() -> None:
    given = facts(domain(waivers=(waiver("token-visible"),)), mx=present(MX_KEY, OLD_MX))
    (waived,) = [g for g in step(seen(given), 1).telling if g.verdict == "waived"]
    assert "boss@acme.example" in "".join(part for _, part in waived.evidence)


def test_values_are_told_by_what_becomes_of_them() -> None:
    given = facts(domain(multi_region=True), txt=present(TXT_KEY, PRIMARY, '"foreign"'), mx=present(MX_KEY, EU))
    assert {(v.word, v.value) for v in step(seen(given), 0).values} == {
        ("keep", '"primary-token"'),
        ("add", '"secondary-token"'),
        ("not ours, stays", '"foreign"'),
    }


def test_a_finding_is_told_line_by_line_and_leaves_out_what_is_not_known() -> None:
    (found,) = [f for f in card(seen(BROKEN)).findings if f.code == "token-removed"]
    said = lines(found)
    assert found.severity == "critical"
    assert said["What"] == "TXT _amazonses.acme.example"
    assert (said["Expected"], said["Observed"]) == ('"primary-token"', "nothing")
    assert said["Declared"] == "manifests/acme.yaml:7"
    assert not {"Ignored", "Waits for"} & set(said)


def test_a_domain_that_is_done_has_no_finding() -> None:
    done = card(seen(DONE))
    assert (done.standing.stage, done.findings, done.standing.trouble.findings) == (Stage.PROTECTED, (), 0)


def test_what_is_told_of_a_domain_stands_with_it_and_the_rest_on_the_first_page() -> None:
    base = seen(DONE)
    told = [diagnostic("limits", "acme.example", "of one"), diagnostic("catalog", "", "of all")]
    given = replace(base, drift=base.drift.model_copy(update={"diagnostics": told}))
    assert [t.summary for t in card(given).told] == [((False, "of one"),)]
    files = {name: Page(build().decode()).text for name, build in build_site(given, None).items() if ".html" in name}
    assert "of all" in files["index.html"]
    assert "of all" not in files["organizations/acme.html"]


def test_an_orphan_has_a_page_though_no_manifest_names_its_organization() -> None:
    base = seen(DONE)
    given = replace(base, drift=drift_of(base.plan, [ORPHAN]))
    found = organizations(given)
    assert [file for file, _, _ in found.files()] == ["acme.html", "left.html"]
    assert [f.code for f in found.page("left", 1).findings] == ["orphaned"]
    assert [(line.name, line.domains, line.trouble.findings) for line in found.lines()] == [
        ("left", 0, 1),
        ("acme", 1, 0),
    ]
    index = build_site(given, None)["index.html"]().decode()
    assert 'href="organizations/left.html"' in index


def test_a_large_organization_has_several_pages_and_its_origin_on_the_first() -> None:
    base = fleet(401, 1)
    given = replace(base, drift=drift_of(base.plan, [replace(ORPHAN, organization="org-0000", domain="")]))
    found = organizations(given)
    pages = [found.page(name, number) for _, name, number in found.files()]
    assert [p.file for p in pages] == ["org-0000.html", "org-0000~2.html", "org-0000~3.html"]
    assert [len(p.domains) for p in pages] == [200, 200, 1]
    assert [len(p.findings) for p in pages] == [1, 0, 0]


def test_the_timeline_is_the_newest_first_in_words() -> None:
    events = [
        SWITCHED,
        Event(NOW, EventKind.MX_SEEN, values=("0 mx.example.",), ttl=300),
        Event(NOW, EventKind.MX_SEEN),
        Event(NOW, EventKind.MX_GONE),
        Event(NOW, EventKind.DIFFERENCE_CLOSED, "acme.example/mx"),
    ]
    told, earlier = build_timeline(events)
    assert earlier == 0
    assert [(line.what, line.about) for line in told] == [
        ("difference closed", ("acme.example/mx",)),
        ("there is an MX again", ()),
        ("no MX seen", ()),
        ("MX seen", ("0 mx.example", "TTL 300")),
        ("written by bind", ("MX acme.example", f"+ {EU}", f"- {OLD_MX}")),
    ]
    assert told[-1].at == "2026-11-17 08:00"


def test_of_a_long_timeline_the_newest_are_shown_and_the_others_counted() -> None:
    events = [Event(NOW + timedelta(hours=n), EventKind.DIFFERENCE_SEEN, str(n)) for n in range(SHOWN_EVENTS + 7)]
    shown, earlier = build_timeline(events)
    assert (len(shown), earlier, shown[0].about) == (SHOWN_EVENTS, 7, (str(SHOWN_EVENTS + 6),))
    page = build_site(seen(timelines={ACME: events}), None)["organizations/acme.html"]().decode()
    assert "The journal has 7 earlier events." in page


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("run `a b` now", ((False, "run "), (True, "a b"), (False, " now"))),
        ("`a`", ((True, "a"),)),
        ("one ` alone", ((False, "one ` alone"),)),
        ("", ()),
    ],
)
def test_what_stands_between_backticks_is_code(text: str, parts: tuple[tuple[bool, str], ...]) -> None:
    assert prose(text) == parts


def test_values_stand_side_by_side_or_are_nothing() -> None:
    assert code(["a", "b"]) == ((True, "a"), (False, " "), (True, "b"))
    assert code([]) == ((False, "nothing"),)
