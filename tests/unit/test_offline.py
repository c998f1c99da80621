"""`--offline`: nobody is asked, what is declared is shown, and no database is reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import EU, MX_KEY, NOW, TXT_KEY, document, domain, facts
from command import write_folder

from reconciler.document import render_document
from reconciler.invocation import Invocation, open_invocation
from reconciler.memory import open_memory
from reconciler.names import Name
from reconciler.observe import Question
from reconciler.observe.build import build_observer
from reconciler.observe.surroundings import SurroundingsWanted, observe_surroundings
from reconciler.plan import plan_domain
from reconciler.settings import DnsSettings, JournalSettings, OfflineSettings, ProbeSettings
from reconciler.state import Cause, Unknown
from reconciler.surroundings import NOT_PROBED

if TYPE_CHECKING:
    from pathlib import Path

WHY = "not asked: --offline"
ACME = Name("acme.example.")


@pytest.fixture
def invocation(tmp_path: Path) -> Invocation:
    """A run with master files."""
    write_folder(tmp_path)
    return open_invocation(
        manifests=tmp_path / "manifests",
        settings_file=tmp_path / "reconciler.yaml",
        is_settings_required=True,
        now=NOW,
        commit=None,
        progress=None,  # type: ignore[arg-type] # nothing long is done here
    )


def test_every_question_is_answered_by_why() -> None:
    done: list[int] = []
    observer = build_observer(OfflineSettings(WHY), done.append)
    found = list(observer.observe([Question(TXT_KEY, ACME), Question(MX_KEY, ACME), Question(MX_KEY, ACME)]))
    assert [o.key for o in found] == [TXT_KEY, MX_KEY, MX_KEY]
    assert {o.observed for o in found} == {Unknown(Cause.NOT_PROBED, WHY)}
    assert done == [1, 2, 3]
    assert [o.key for o in build_observer(OfflineSettings(WHY)).observe([Question(TXT_KEY, ACME)])] == [TXT_KEY]


def test_nothing_around_a_domain_is_looked_at() -> None:
    wanted = SurroundingsWanted(ACME, None, (ACME,), (), ())
    assert observe_surroundings([wanted], OfflineSettings(WHY), ProbeSettings()) == {ACME: NOT_PROBED}


def test_master_files_are_read_as_ever_and_live_dns_is_not_asked(invocation: Invocation) -> None:
    files = invocation.offline()
    assert (files.settings.observe, files.is_offline, files.diagnostics) == (invocation.settings.observe, True, ())
    live = replace(invocation, settings=invocation.settings._replace(observe=DnsSettings())).offline()
    assert live.settings.observe == OfflineSettings(WHY)
    assert [d.code for d in live.diagnostics] == ["offline"]
    assert live.later().is_offline


def test_a_database_that_is_elsewhere_is_not_asked(invocation: Invocation) -> None:
    journal = JournalSettings("postgresql://user@192.0.2.1/journal", "env/NOWHERE")
    with open_memory(invocation.settings._replace(journal=journal), is_offline=True) as memory:
        assert [d.code for d in memory.diagnostics] == ["journal-not-asked"]
        assert memory.known_domains() == {}
    with open_memory(invocation.settings, is_offline=True) as memory:
        assert memory.diagnostics == ()


def test_a_step_of_which_nothing_is_known_says_what_is_declared() -> None:
    unknown = Unknown(Cause.NOT_PROBED, WHY)
    plan = plan_domain(facts(domain(), txt=unknown, mx=unknown), provider="bind", new_ttl=3600)
    assert [s.wanted for s in plan.steps] == [('"primary-token"',), (EU,)]
    known = plan_domain(facts(domain()), provider="bind", new_ttl=3600)
    assert [s.wanted for s in known.steps] == [(), ()]


def test_what_is_declared_is_no_part_of_the_digest() -> None:
    """It is in the manifests' own; and nothing of it is in the document where nothing is unknown."""
    made = document(facts(txt=Unknown(Cause.TIMEOUT, "silence")))
    assert made.domains[0].steps[0].wanted == ['"primary-token"']
    assert '"wanted"' not in render_document(document())
