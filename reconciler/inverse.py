"""The plan that undoes an applied one, and what of it may be written when somebody wants that. Pure.

Every applied step is turned round: what it left is what must still be there, what it found is what comes back, with
the TTL of then. The order is turned round too, and so an undone contract is an expand, and an undone expand a contract:
an inverse plan is a plan like every other one, and the inverse of an inverse is the first plan again.

Nothing of it is compared with the manifests, which still declare the opposite. Instead, per mail domain:

* every rrset that is written must be, value by value and with its TTL, what the apply left, or what the inverse wants;
* every other rrset of the mail domain's plan must hold the values that it held then: what was applied is undone only
  while nothing was built on it (verification values are not taken from under an MX that has moved since, and an MX
  does not go back where the values of the old state are gone);
* after `safe_until` nothing is written: what cannot be seen in DNS, as addresses at the origin, may be gone by then.

The next plan will want to do again what was undone, until the commit that declared it is reverted too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.document import DomainDocument, PlanHead, StepDocument, assemble_document
from reconciler.document.models import GateDocument
from reconciler.errors import Diagnostic, Severity
from reconciler.gates import Verdict
from reconciler.names import Name
from reconciler.plan import Action, Phase, Stage, Status
from reconciler.review import Reviewed, StaleCode
from reconciler.state import Key, Present, Unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from reconciler.diff import Change
    from reconciler.document import PlanDocument
    from reconciler.history import Waits
    from reconciler.state import Observation

UNDO = "/undo"
UNCHANGED = "/unchanged"

_TURNED = {Phase.EXPAND: Phase.CONTRACT, Phase.SWITCH: Phase.SWITCH, Phase.CONTRACT: Phase.EXPAND}
_KEPT = timedelta(days=365)
"""For how long an inverse plan that is safe at any time can be read."""

_NOT_YET = (
    "the verification values are needed as long as a sender may hold an MX of the gateway",
    "nothing to do here: declare the mail domain `lifecycle: offboarded`, which removes them when it is time",
)


def build_inverse(
    plan: PlanDocument, applied: Mapping[str, Sequence[StepDocument]], waits: Waits, now: datetime
) -> PlanDocument:
    """The plan that undoes what was applied of a plan at `now`.

    `applied` are the steps that were written, by mail domain as in `DomainDocument.domain`, each as it was written:
    for a saved plan these are the steps of the fresh one, and `plan` is that one.
    """
    domains = [_undone(domain, applied[domain.domain]) for domain in plan.domains if applied.get(domain.domain)]
    moving = [d for d in plan.domains if any(map(_moves_mail, applied.get(d.domain, ())))]
    times = [_safe_until(plan, domain, applied[domain.domain], now + waits.settle) for domain in moving]
    safe_until = min(times, default=None)
    head = PlanHead(
        commit=plan.commit,
        manifests_digest=plan.manifests_digest,
        catalog_digest=plan.catalog_digest,
        settings_digest=plan.settings_digest,
        created_at=now,
        expires_at=safe_until or now + _KEPT,
        inverse_of=plan.id,
        safe_until=safe_until,
        safe_note=_safe_note([s for d in domains for s in d.steps], safe_until),
    )
    return assemble_document(head, domains, [], [_advice()])


def match_inverse(
    inverse: PlanDocument,
    observed: Mapping[Key, Observation],
    now: datetime,
    recorded: Collection[Change] | None = None,
) -> list[Reviewed]:
    """Every mail domain of an inverse plan that has something ready, with what may be written of it now.

    `observed` are the rrsets of all steps, `Resource.name` and `Resource.type` of each. `recorded` are the changes
    that the journal says were applied under `inverse.inverse_of`: where they are given, nothing else is undone,
    because a file's digest says that it is whole, and not who made it.
    """
    ready = [d for d in inverse.domains if any(s.status is Status.READY for s in d.steps)]
    if inverse.safe_until is not None and now > inverse.safe_until:
        since = inverse.safe_until.isoformat(timespec="minutes")
        late = f"it was safe until {since}: {inverse.safe_note} Revert the commit instead, and plan again"
        return [Reviewed(domain, (), late, StaleCode.UNDO) for domain in ready]
    known = None if recorded is None else {_identity(change) for change in recorded}
    return [_matched(domain, observed, known) for domain in ready]


def _undone(domain: DomainDocument, applied: Sequence[StepDocument]) -> DomainDocument:
    written = {step.resource for step in applied}
    guards = {step.resource: step for step in domain.steps if step.resource not in written and _is_known(step)}
    is_before_switch = _is_before_switch(domain, applied)
    steps = [
        _undo(step, is_safe=not _takes_values(step) or (is_before_switch and not _is_repair(domain, step)))
        for step in reversed(applied)
    ]
    return domain.model_copy(update={"steps": [*map(_guard, guards.values()), *steps], "flow": []})


def _is_before_switch(domain: DomainDocument, applied: Sequence[StepDocument]) -> bool:
    """Whether the MX, for which the verification values are, is still to move."""
    if any(map(_moves_mail, applied)):
        return False
    return any(step.resource.type == "MX" and _added(step) for step in domain.steps)


def _is_repair(domain: DomainDocument, step: StepDocument) -> bool:
    """Whether a mail domain behind the gateway had no verification value at all."""
    return domain.stage is Stage.SWITCHED and not step.before and not step.untouched


def _undo(step: StepDocument, *, is_safe: bool) -> StepDocument:
    is_gone = not step.after and not step.untouched
    is_new = not step.before and not step.untouched
    action = Action.CREATE if is_gone else Action.DELETE if is_new else Action.UPDATE
    evidence, advice = _NOT_YET
    gates = [] if is_safe else [GateDocument(id="undo", verdict=Verdict.HOLD, evidence=evidence, advice=advice)]
    return step.model_copy(
        update={
            "id": step.id.removesuffix(UNDO) if step.id.endswith(UNDO) else step.id + UNDO,
            "phase": _TURNED[step.phase],
            "action": action,
            "status": Status.READY if is_safe else Status.HELD,
            "before": step.after,
            "after": step.before,
            "ttl_before": None if is_gone else step.ttl,
            # of an rrset that goes, the TTL with which it went
            "ttl": step.ttl if step.ttl_before is None else step.ttl_before,
            "gates": gates,
            "not_before": None,
            "reason": "",
        }
    )


def _guard(step: StepDocument) -> StepDocument:
    """An rrset that was not written, as it was seen: it must still be so, and nothing is done to it."""
    return step.model_copy(
        update={
            "id": step.id.removesuffix(UNCHANGED) + UNCHANGED,
            "action": Action.NO_OP,
            "status": Status.DONE,
            "after": step.before,
            "ttl": step.ttl if step.ttl_before is None else step.ttl_before,
            "gates": [],
            "not_before": None,
            "reason": "",
        }
    )


def _is_known(step: StepDocument) -> bool:
    return step.resource.zone is not None and step.status is not Status.UNKNOWN


def _added(step: StepDocument) -> bool:
    return not set(step.after) <= set(step.before)


def _moves_mail(step: StepDocument) -> bool:
    return step.resource.type == "MX" and set(step.after) != set(step.before)


def _takes_values(step: StepDocument) -> bool:
    """Whether undoing the step removes values that the gateway looks for."""
    return step.resource.type != "MX" and _added(step)


def _safe_until(
    plan: PlanDocument, domain: DomainDocument, applied: Sequence[StepDocument], settled: datetime
) -> datetime:
    """When the first thing that only the old state needed may go: at `settled` where nobody knows, and never before.

    A service's document does not name its mail domains, so the whole organization's services count.
    """
    written = {step.id for step in applied}
    services = [s for s in plan.services if s.organization == domain.organization]
    contracts = [
        step
        for step in (*domain.steps, *(step for service in services for step in service.steps))
        if step.phase is Phase.CONTRACT and set(step.before) != set(step.after) and step.id not in written
    ]
    return min((max(step.not_before or settled, settled) for step in contracts), default=settled)


def _safe_note(steps: Sequence[StepDocument], safe_until: datetime | None) -> str:
    written = [s for s in steps if s.status is not Status.DONE]
    notes = []
    if safe_until is not None:
        notes.append(
            "The MX may go back as long as the old way still works: after that time, what only the old state needed "
            "may be gone at the origin, as addresses, or everybody else may be refused there."
        )
    if any(s.resource.type != "MX" and not set(s.before) <= set(s.after) for s in written):
        notes.append("Verification values may go as long as the MX has not moved, which is looked at first.")
    if not notes:
        notes.append("It may be applied at any time: as far as DNS is concerned it only adds.")
    return " ".join(notes)


def _advice() -> Diagnostic:
    summary = "the manifests still declare what this plan undoes"
    detail = (
        "The next plan will want to do it again. Revert the commit that declared it too; what people changed at "
        "origins and in consoles is theirs to undo."
    )
    return Diagnostic(Severity.ADVISORY, "revert-the-commit", summary, detail)


_Identity = tuple[Key, str, frozenset[str], frozenset[str], frozenset[str]]


def _identity(change: Change) -> _Identity:
    return change.key, change.zone, frozenset(change.before), frozenset(change.after), frozenset(change.foreign)


def _matched(
    domain: DomainDocument, observed: Mapping[Key, Observation], known: Collection[_Identity] | None
) -> Reviewed:
    ready = []
    for step in domain.steps:
        if step.status not in {Status.READY, Status.DONE}:
            continue
        now = _observed(step, observed)
        reason = now if isinstance(now, str) else _why_stale(step, now, known)
        if reason:
            return Reviewed(domain, (), f"{step.id}: {reason}", StaleCode.UNDO)
        if step.status is Status.READY and now != _wanted(step):
            ready.append(step)
    return Reviewed(domain, tuple(ready))


_Content = tuple[frozenset[str], int | None]
"""The values of an rrset and its TTL; no values and no TTL where there is none."""


def _expected(step: StepDocument) -> _Content:
    return frozenset((*step.before, *step.untouched)), step.ttl_before


def _wanted(step: StepDocument) -> _Content:
    values = frozenset((*step.after, *step.untouched))
    return values, step.ttl if values else None


def _observed(step: StepDocument, observed: Mapping[Key, Observation]) -> _Content | str:
    """What is at the step's rrset now, or why that is not known."""
    observation = observed.get(Key(Name(step.resource.name), step.resource.type))
    if observation is None:
        return "nobody looked at what is there now"
    seen = observation.observed
    if isinstance(seen, Unknown):
        return f"what is there is not known now: {seen.detail}"
    if observation.zone is None or observation.zone.apex != step.resource.zone:
        return "it is in another zone now"
    return (frozenset(seen.rrset.rdatas), seen.rrset.ttl) if isinstance(seen, Present) else (frozenset(), None)


def _why_stale(step: StepDocument, now: _Content, known: Collection[_Identity] | None) -> str:
    if step.status is Status.DONE:
        # who builds on what was done moves values; a TTL is no matter
        return "" if now[0] == _expected(step)[0] else _said(step, now)
    change = step.change()
    if change is None:
        return "it is no change that could be written"
    key, zone, before, after, foreign = _identity(change)
    if known is not None and (key, zone, after, before, foreign) not in known:
        return "the journal does not know that this was applied"
    return "" if now in {_expected(step), _wanted(step)} else _said(step, now)


def _said(step: StepDocument, now: _Content) -> str:
    return f"the apply left {_listed(_expected(step))}, and now there is {_listed(now)}"


def _listed(content: _Content) -> str:
    values, ttl = content
    return f"{', '.join(sorted(values))} (TTL {ttl})" if values else "nothing"
