"""People: they edit zones and lists by the newest plan, fill in the vendor's console, and vouch for what they saw.

They never vouch for what is not so, and no longer for what they know to have changed; but they are late, do things in
any order, or leave them undone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.plan import Status, Step
from simulator.authority import Records
from simulator.clock import wall_clock
from simulator.declared import Vouched
from simulator.looking import ENFORCEMENTS
from simulator.origin import Refusal
from simulator.program import wanted_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.service_plan import ServiceStep
    from simulator.declared import Manifest
    from simulator.origin import OriginList
    from simulator.program import Planned, Program
    from simulator.world import World

    Task = tuple[str, Callable[[], None]]

_REFUSALS = {enforcement: refusal for refusal, enforcement in ENFORCEMENTS.items()}
_OPPOSITES = {
    "restricted": ("origin-open",),
    "restricted-hard": ("origin-open",),
    "origin-open": ("restricted", "restricted-hard"),
}


@dataclass
class People:
    """Everybody who works for the organization. `are_forgetful`: they leave attestations that became wrong."""

    world: World
    manifest: Manifest
    program: Program
    are_forgetful: bool = False
    _plan: Planned | None = None
    _done: set[str] = field(default_factory=set)

    def tasks(self) -> list[Task]:
        """What there is to do now: once each, by the newest plan."""
        if self.program.last is not self._plan:
            self._plan, self._done = self.program.last, set()
        return [t for t in (*self._manual_steps(), *self._console(), *self._vouching()) if t[0] not in self._done]

    def do(self, task: Task) -> None:
        """Do one."""
        name, act = task
        self._done.add(name)
        act()
        self.world.clock.watch()

    def _manual_steps(self) -> Iterator[Task]:
        for step in self._plan.steps if self._plan is not None else ():
            if step.status is Status.MANUAL:
                yield step.id, lambda s=step: self._do_step(s)  # type: ignore[misc]

    def _do_step(self, step: Step | ServiceStep) -> None:
        if isinstance(step, Step):
            if step.change is not None:
                there = self.world.zone.shown(0, step.change.key)
                wanted = wanted_records(step.change)
                rdatas = (there.rdatas - set(step.change.removed)) | set(step.change.added)
                if Records(rdatas, wanted.ttl) != there:
                    self.world.zone.write(step.change.key, None, Records(rdatas, wanted.ttl), "people")
            return
        each = self._list_of(step.id)
        if step.enforcement is not None:
            each.refusal = _REFUSALS[step.enforcement[1]]
            each.edits += 1
            return
        before, after = set(step.before), set(step.after)
        each.edit(add=[e for e in step.after if e not in before], remove=before - after)
        if not each.is_exported and not after:
            self._withdraw("allowlist")

    def _list_of(self, step_id: str) -> OriginList:
        return next(each for each in self.world.origin.lists if each.name in step_id.split("/"))

    def _console(self) -> Iterator[Task]:
        declared, gateway = self.manifest.declared, self.world.gateway
        for domain in self.world.domains:
            if self.manifest.is_leaving(domain):
                continue
            entry = gateway.entries.get((domain, declared.region))
            if entry is None or entry.next_hops != declared.next_hops:
                yield f"add {domain} to {declared.region}", lambda d=domain: self._add(d)  # type: ignore[misc]
        if declared.multi_region and declared.region not in gateway.multi_region:
            yield "turn multi-region on", lambda: gateway.multi_region.add(declared.region)

    def _add(self, domain: str) -> None:
        declared = self.manifest.declared
        tokens = tuple(self.world.token(domain, declared.region, rank) for rank in ("primary", "secondary"))
        self.world.gateway.add_domain(domain, declared.region, declared.next_hops, (tokens[0], tokens[1]))

    def _vouching(self) -> Iterator[Task]:
        asked = {g.id for s in self._plan.steps for g in s.gates if g.verdict != "pass"} if self._plan else set()
        today = wall_clock(self.world.clock.now).date()
        for vouched in self._truths():
            on = self.manifest.vouched.get(vouched)
            # who is asked again for what was attested looks again, and writes the new day
            if on is None or (on < today and vouched.what in asked):
                yield f"attest {vouched}", lambda v=vouched: self._vouch(v)  # type: ignore[misc]

    def _vouch(self, vouched: Vouched) -> None:
        for opposite in _OPPOSITES.get(vouched.what, ()):
            if not self.are_forgetful:
                self._withdraw(opposite)
        self.manifest.vouched[vouched] = wall_clock(self.world.clock.now).date()

    def _withdraw(self, what: str) -> None:
        self.manifest.vouched = {v: on for v, on in self.manifest.vouched.items() if v.what != what}

    def _truths(self) -> Iterator[Vouched]:
        """What may be vouched for now."""
        declared, gateway = self.manifest.declared, self.world.gateway
        region, flag = declared.region, declared.multi_region
        entries = {d: gateway.entries.get((d, region)) for d in self.world.domains}
        for domain, entry in entries.items():
            if entry is not None and entry.next_hops == declared.next_hops:
                yield Vouched("console", domain, region, next_hops=entry.next_hops)
            if gateway.is_verified(domain, region, multi_region=flag):
                yield Vouched("verified", domain, region, multi_region=flag)
        if flag and region in gateway.multi_region:
            yield Vouched("multi-region", "", region)
        unreadable = [each for each in self.world.origin.lists if not each.is_exported]
        addresses = self.world.catalog.addresses(region, multi_region=flag)
        is_read = bool(self.world.origin.lists) and not unreadable
        if not is_read and self.manifest.is_anybody_staying and all(e.has(a) for e in unreadable for a in addresses):
            yield Vouched("allowlist", "", region, multi_region=flag)
        unseen = [e for e in self.world.origin.lists if e.restricts and not (e.is_exported and e.shows_refusal)]
        if unseen:
            is_open = all(each.refusal is Refusal.NONE for each in unseen)
            yield Vouched("origin-open" if is_open else "restricted", "")
            if all(each.refusal is Refusal.HARD for each in unseen):
                yield Vouched("restricted-hard", "")

    def tidy_up(self) -> None:
        """Whoever changes what is declared looks again at what was attested, and takes back what is no longer so."""
        if self.are_forgetful:
            return
        gateway = self.world.gateway
        self.manifest.vouched = {
            v: on
            for v, on in self.manifest.vouched.items()
            if v.what != "verified" or gateway.is_verified(v.subject, v.region or "", multi_region=bool(v.multi_region))
        }
