"""The shell: what is selected, which commit the manifests are at, and what a saved plan may still do."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import NOW
from command import HEAD, manifest, write_folder

from reconciler import run
from reconciler.apply.result import Became
from reconciler.commit import commit_of
from reconciler.document import load_document, render_document
from reconciler.errors import ManifestError, StalePlanError
from reconciler.invocation import Invocation, Progress, open_invocation
from reconciler.memory import NoMemory
from reconciler.plan import Status
from reconciler.run_apply import apply_now, apply_saved
from reconciler.run_validate import validate
from reconciler.selection import Selection, select_domains

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from reconciler.document import PlanDocument


class Seen:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.steps: list[tuple[str, int, int]] = []

    @contextmanager
    def __call__(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """As `Progress`."""
        yield lambda done: self.steps.append((what, total, done))


def _open(folder: Path, *, now: datetime = NOW, progress: Progress | None = None) -> Invocation:
    return open_invocation(
        manifests=folder / "manifests",
        settings_file=folder / "reconciler.yaml",
        is_settings_required=True,
        now=now,
        commit=None,
        progress=progress or Seen(),
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """acme.example with nothing done, done.example in sync."""
    write_folder(tmp_path)
    monkeypatch.chdir(tmp_path)  # folders in provider blocks are octoDNS's, relative to where it runs
    return tmp_path


def _plan(folder: Path, *domains: str) -> PlanDocument:
    return run.plan(_open(folder), Selection(domains=domains))


def _save(folder: Path) -> Path:
    path = folder / "plan.json"
    path.write_text(render_document(_plan(folder)))
    return path


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def test_the_commit_is_that_of_the_manifests(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None without a repository, while they differ from it, and where there are none."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    manifests = folder / "manifests"
    assert commit_of(manifests) is None
    _git(folder, "init", "--quiet")
    assert commit_of(manifests) is None
    _git(folder, "add", "manifests")
    _git(folder, "commit", "--quiet", "-m", "manifests")
    head = _git(folder, "rev-parse", "HEAD")
    assert commit_of(manifests) == head
    (folder / "elsewhere").write_text("not a manifest")
    assert commit_of(manifests) == head
    _git(folder, "config", "status.showUntrackedFiles", "no")
    (manifests / "new.yaml").write_text("")
    assert commit_of(manifests) is None, "whatever is shown to people"
    assert commit_of(folder / "none") is None


def test_before_the_first_commit_there_is_none_though_nothing_differs(folder: Path) -> None:
    _git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text("*\n")
    assert commit_of(folder / "manifests") is None


def test_the_commit_is_known_on_no_branch_and_on_one_that_follows_another(folder: Path, tmp_path: Path) -> None:
    """As in CI, and as on somebody's own machine, where git could count what was not pushed."""
    _git(folder, "init", "--quiet")
    _git(folder, "add", "manifests")
    _git(folder, "commit", "--quiet", "-m", "manifests")
    clone = tmp_path / "clone"
    _git(folder, "clone", "--quiet", str(folder), str(clone))
    _git(clone, "commit", "--quiet", "--allow-empty", "-m", "mine")
    head = _git(clone, "rev-parse", "HEAD")
    assert commit_of(clone / "manifests") == head
    _git(clone, "checkout", "--quiet", "--detach")
    assert commit_of(clone / "manifests") == head
    next((clone / "manifests").iterdir()).write_text("")
    assert commit_of(clone / "manifests") is None


def test_a_machine_without_git_knows_no_commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert commit_of(folder / "manifests") is None


def test_a_selection_is_what_was_named_by_domain_or_by_organization(folder: Path) -> None:
    fleet, _ = validate(_open(folder), ())

    def select(*domains: str, organizations: tuple[str, ...] = ()) -> list[str]:
        return [d.written for d in select_domains(fleet, Selection(domains, organizations))]

    assert select() == select(organizations=("acme",)) == ["acme.example", "done.example"]
    assert select("DONE.example.") == ["done.example"]
    assert select("done.example", organizations=("acme",)) == ["acme.example", "done.example"]


def test_everything_that_is_not_declared_is_said_at_once(folder: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        run.plan(_open(folder), Selection(("acne.example", "x" * 70), ("acne",)))
    assert [d.code for d in caught.value.diagnostics] == ["no-such-domain", "no-such-domain", "no-such-organization"]


def test_a_provider_that_the_settings_do_not_have_is_said_where_it_is_named(folder: Path) -> None:
    text = manifest("acme.example", "done.example").replace("kind: exchange", "kind: exchange\n    provider: bnid")
    (folder / "manifests" / "acme.yaml").write_text(text)
    with pytest.raises(ManifestError) as caught:
        _plan(folder, "done.example")
    assert [(d.code, d.line, d.column) for d in caught.value.diagnostics] == [("unknown-provider", 12, 15)]
    assert "files, manual" in caught.value.diagnostics[0].detail


def test_progress_ends_at_the_total(folder: Path) -> None:
    seen = Seen()
    apply_now(_open(folder, progress=seen), Selection())
    last = {what: (total, done) for what, total, done in seen.steps}
    assert last == {"observing": (4, 4), "probing": (1, 1), "applying": (1, 1), "looking": (1, 1)}


def test_what_was_written_was_looked_at(folder: Path) -> None:
    (result,) = apply_now(_open(folder), Selection()).results
    assert result.became is Became.APPLIED
    assert [(s.key.type, s.shown_by, s.asked) for s in result.sights] == [("TXT", 1, 1)]


def test_a_saved_plan_is_good_until_its_last_moment(folder: Path) -> None:
    path = _save(folder)
    end = NOW + timedelta(hours=24)
    saved = load_document(path)
    with pytest.raises(StalePlanError, match="expired"):
        run.refuse_outdated(_open(folder, now=end + timedelta(microseconds=1)), saved, path)
    run.refuse_outdated(_open(folder, now=end), saved, path)
    _, reviewed = run.review(_open(folder, now=end), saved, NoMemory())
    assert [(r.domain.domain, r.stale) for r in reviewed] == [("acme.example", "")]


def test_a_domain_that_left_the_manifests_is_stale_and_the_others_go_on(folder: Path) -> None:
    (folder / "zones" / "new.example.zone").write_text(f"{HEAD}@ MX 10 mail\n")
    (folder / "manifests" / "acme.yaml").write_text(manifest("acme.example", "new.example"))
    path = _save(folder)
    (folder / "manifests" / "acme.yaml").write_text(manifest("new.example"))
    became = {r.domain: r.became for r in apply_saved(_open(folder), load_document(path), path).results}
    assert became == {"acme.example": Became.STALE, "new.example": Became.APPLIED}
    assert "_amazonses" not in (folder / "zones" / "acme.example.zone").read_text()


def test_a_plan_of_which_nothing_is_declared_any_more_is_stale(folder: Path) -> None:
    path = _save(folder)
    (folder / "manifests" / "acme.yaml").write_text(manifest("new.example"))
    report = apply_saved(_open(folder), load_document(path), path)
    assert [r.became for r in report.results] == [Became.STALE]
    assert report.plan.domains == []


def test_what_somebody_did_meanwhile_is_done_already(folder: Path) -> None:
    path = _save(folder)
    (folder / "zones" / "acme.example.zone").write_text(f'{HEAD}@ MX 10 mail\n_amazonses TXT "token-of-acme.example"\n')
    assert [r.became for r in apply_saved(_open(folder), load_document(path), path).results] == [Became.ALREADY_DONE]


def test_what_cannot_be_written_fails_alone_and_is_said(folder: Path) -> None:
    """The manifests name a provider whose files lie elsewhere than those that are observed."""
    settings = (folder / "reconciler.yaml").read_text()
    (folder / "reconciler.yaml").write_text(settings.replace("directory: zones", f"directory: {folder / 'none'}"))
    seen = Seen()
    (result,) = apply_now(_open(folder, progress=seen), Selection()).results
    assert result.became is Became.FAILED
    assert result.code
    assert "none" in result.message
    assert "looking" not in {what for what, _, _ in seen.steps}


def test_an_interrupt_while_applying_leaves_a_saved_plan_open(folder: Path) -> None:
    path = _save(folder)

    class Impatient(Seen):
        @contextmanager
        def __call__(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
            def advance(done: int) -> None:
                super_advance(done)
                if what == "applying":
                    raise KeyboardInterrupt

            with super().__call__(what, total) as super_advance:
                yield advance

    threads = threading.active_count()
    report = apply_saved(_open(folder, progress=Impatient()), load_document(path), path)
    assert isinstance(report.interrupted, KeyboardInterrupt)
    assert [(r.became, r.sights) for r in report.results] == [(Became.APPLIED, ())], "what was written is told"
    assert threading.active_count() == threads, "something goes on writing"
    assert [r.became for r in apply_saved(_open(folder), load_document(path), path).results] == [Became.ALREADY_DONE]
    with pytest.raises(StalePlanError, match="applied before"):
        apply_saved(_open(folder), load_document(path), path)


def test_an_equal_plan_of_another_moment_is_another_plan(folder: Path) -> None:
    """What was undone meanwhile can be planned and applied again."""
    before = (folder / "zones" / "acme.example.zone").read_text()
    for day in range(2):
        now = NOW + timedelta(days=day)
        path = folder / f"plan{day}.json"
        path.write_text(render_document(run.plan(_open(folder, now=now), Selection())))
        assert [r.became for r in apply_saved(_open(folder, now=now), load_document(path), path).results] == [
            Became.APPLIED
        ]
        (folder / "zones" / "acme.example.zone").write_text(before)


def test_a_plan_of_which_something_failed_may_be_applied_again(folder: Path) -> None:
    path = _save(folder)
    settings = (folder / "reconciler.yaml").read_text()
    (folder / "zones").rename(folder / "away")
    (folder / "zones").mkdir()
    (folder / "reconciler.yaml").write_text(settings.replace("zonefiles: zones", "zonefiles: away"))
    assert [r.became for r in apply_saved(_open(folder), load_document(path), path).results] == [Became.FAILED]
    (folder / "zones").rmdir()
    (folder / "away").rename(folder / "zones")
    (folder / "reconciler.yaml").write_text(settings)
    assert [r.became for r in apply_saved(_open(folder), load_document(path), path).results] == [Became.APPLIED]


def test_only_what_is_ready_is_written_without_a_review(folder: Path) -> None:
    (ready,) = run.ready_domains(_plan(folder))
    assert [(s.id, s.status) for s in ready.steps] == [("acme.example/verification", Status.READY)]


def test_two_domains_of_one_zone_are_written_one_after_the_other(folder: Path) -> None:
    """Through two provider blocks for one folder, which is one server."""
    text = manifest("acme.example", "sub.acme.example").replace(
        "      - name: sub", "      - provider: other\n        name: sub"
    )
    (folder / "manifests" / "acme.yaml").write_text(text)
    settings = (folder / "reconciler.yaml").read_text()
    block = "{class: octodns_bind.ZoneFileProvider, directory: zones, file_extension: .zone}"
    (folder / "reconciler.yaml").write_text(settings.replace(block + "}", f"{block}, other: {block}}}"))
    invocation = _open(folder)
    became = [r.became for r in apply_now(invocation, Selection()).results]
    assert became == [Became.APPLIED] * 2
    zone = (folder / "zones" / "acme.example.zone").read_text()
    assert zone.count("token-of-") == 2


def test_a_plan_that_nobody_reviews_says_the_same_and_has_no_digests(folder: Path) -> None:
    """A drift is told from it: whatever it looks at there is what a plan shows."""
    reviewable = run.plan_with_origins(_open(folder), Selection()).document
    looked = run.plan_with_origins(_open(folder), Selection(), is_reviewable=False).document
    assert reviewable.digest
    assert all(d.declared for d in reviewable.domains)
    domains = [d.model_copy(update={"declared": ""}) for d in reviewable.domains]
    services = [s.model_copy(update={"declared": ""}) for s in reviewable.services]
    changes = {"digest": "", "id": "", "domains": domains, "services": services}
    assert looked == reviewable.model_copy(update=changes)
