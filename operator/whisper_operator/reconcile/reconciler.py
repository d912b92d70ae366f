"""One level-triggered pass over one WhisperService.

Its steps, in the order of a reader of stackable's zookeeper-operator:

1. dereference: read what no watch shows (I/O);
2. resolve: decide every fact once, into one frozen value (resolve/resolved.py has the order);
3. build: every child that is wanted;
4. plan: the difference from the live children;
5. apply: make the difference (I/O); steps 2 to 5 again while that makes more wanted;
6. report: the status (I/O).
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import desired
from whisper_operator.build.claim import given_up
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError, LeaseLost
from whisper_operator.objects import names
from whisper_operator.objects.kinds import JOB
from whisper_operator.objects.manifest import is_being_deleted
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.records import Key
from whisper_operator.reconcile.answers import Answers
from whisper_operator.reconcile.apply import Applier, ServiceIsGone
from whisper_operator.reconcile.decisions import Decisions
from whisper_operator.reconcile.demand import DemandReader, WaitingFront
from whisper_operator.reconcile.dereference import (
    kinds_held_back,
    with_awaited_nodes,
    with_other_budgets,
    with_references,
    with_rivals,
)
from whisper_operator.reconcile.events import Recorder, images_put_back
from whisper_operator.reconcile.out_of_sight import look_at_unseen
from whisper_operator.reconcile.parse import Parsed, Parser, RefusedSpec
from whisper_operator.reconcile.pause import changes_held_back
from whisper_operator.reconcile.plan import ApplyPlan, ours, plan, without
from whisper_operator.reconcile.pod_reports import ready_pods
from whisper_operator.reconcile.pods_reader import PodsReader
from whisper_operator.reconcile.ready_timer import ReadyTimer
from whisper_operator.reconcile.report import Reporter
from whisper_operator.reconcile.requeue import seconds_until_next_look
from whisper_operator.reconcile.revisits import Revisits
from whisper_operator.reconcile.scale import carry_out, observe_wake
from whisper_operator.reconcile.settled import SettledPasses, depends_on_time, plan_inputs
from whisper_operator.reconcile.troubles import Troubles
from whisper_operator.resolve import wake, zero
from whisper_operator.resolve.resolved import Resolved, resolve
from whisper_operator.status.assemble import kept_status, observed_status, stalled_status
from whisper_operator.status.refused import Refusal
from whisper_operator.telemetry import metrics
from whisper_operator.telemetry.tracing import SPANS

PASS_SECONDS: Final = 60.0
MAX_ROUNDS: Final = 8
"""A pass goes on while what it applied makes more wanted (a claim, then the Job that fills it); no chain is longer."""


class Reconciler:
    """The pass with what it works on; it is called for one service at a time, never twice for the same one at once."""

    def __init__(
        self, cluster: Cluster, cache: ObjectCache, recorder: Recorder, installation: Callable[[], Installation]
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._installation = installation
        self._recorder = recorder
        self._reporter = Reporter(cluster, cache, recorder)
        self.demand = DemandReader()
        self._pods = PodsReader(self.demand)
        self._parser = Parser(installation().policy, installation().defaults)
        self._timer = ReadyTimer()
        self._answers = Answers()
        self._decisions = Decisions(cluster, self._answers, installation)
        self._settled = SettledPasses()
        self._revisits = Revisits()
        self._too_late: dict[Key, tuple[set[str], set[str]]] = {}
        """Children of each service that its last pass had no time for, and those for which its time was too short."""

    async def reconcile(self, key: Key) -> float | None:
        """Seconds after which to look again, None: when something changes.

        Raises ApiError, and TimeoutError where the pass took longer than PASS_SECONDS: try again later.
        """
        body = self._cache.service(key)
        if body is None or is_being_deleted(body):
            self._timer.forget(key)
            self._cache.forget_lost(key, self._cache.lost(key))
            self._answers.forget(key)
            self._settled.forget(key)
            self._revisits.take_in(key, is_settled=True)
            self.demand.forget(key)
            self._too_late.pop(key, None)
            return None
        SPANS.describe({"whisper.generation": body["metadata"]["generation"]})
        try:
            async with asyncio.timeout(PASS_SECONDS):
                return await self._pass_over(key, body)
        except (ApiError, LeaseLost):
            raise
        except Exception as error:
            await self._reporter.report_failed_pass(self._cache.service(key) or body, error, _now())
            raise

    async def _pass_over(self, key: Key, body: Manifest) -> float | None:
        try:
            parsed = self._parser.parse(body)
        except RefusedSpec as refusal:
            return await self._stall(body, refusal)
        service = parsed.service
        self._timer.start(key, service.metadata.generation, service.status)
        troubles = Troubles()
        with SPANS.span("dereference"):
            observed = await self._dereference(key, service, troubles)
        if service.spec.paused:
            self.demand.leave(key)
            self._revisits.take_in(key, is_settled=True)
        go_on = self._look if service.spec.paused else self._converge
        resolved = await go_on(key, service, observed, troubles)
        if resolved is None:
            return None
        if not service.spec.paused:
            resolved = await self._scale(key, resolved, troubles)
            for note in images_put_back(observed, resolved):
                await self._recorder.record(service.metadata, note, time.time())
        with SPANS.span("status"):
            status = _status(parsed, resolved, troubles.refused, body["metadata"]["generation"])
            if await self._reporter.report(body, service.status, status):
                self._timer.stop(key, status)
                observe_wake(service.status, status)
        if troubles.error:
            raise troubles.error
        waits = (seconds_until_next_look(resolved, troubles.refused), self._revisits.seconds(key))
        return min((wait for wait in waits if wait is not None), default=None)

    async def _dereference(self, key: Key, service: WhisperService, troubles: Troubles) -> Observed:
        """The live objects and facts: from watches, from lookups, and from pods that fetch, serve or keep jobs."""
        await look_at_unseen(self._cluster, self._cache, service, troubles)
        facts = await with_references(self._cache.facts(service, time.time()), service, self._cluster, troubles)
        observed = self._observe(key, service, facts)
        facts = await with_rivals(facts, service, observed, self._cluster, troubles)
        facts = await with_other_budgets(facts, service, observed, self._cluster, troubles)
        facts = await with_awaited_nodes(facts, service, observed, self._cluster)
        observed = replace(observed, facts=facts)
        return replace(observed, facts=await self._pods.with_reports(key, service, observed))

    async def _converge(
        self, key: Key, service: WhisperService, observed: Observed, troubles: Troubles
    ) -> Resolved | None:
        """Applies and prunes until nothing is left to do; returns the last resolved value.

        None where the service itself is gone. `troubles`: takes what goes wrong.
        """
        if settled := self._as_it_was(key, service, observed):
            return settled
        first, slow = self._too_late.pop(key, (set[str](), set[str]()))
        applier = Applier(self._cluster, self._cache, service, self._answers, troubles, first, slow)
        resolved = await self._decisions.decide(service, observed, troubles)
        for _ in range(MAX_ROUNDS):
            todo = _todo(resolved)
            try:
                with SPANS.span("apply", {"whisper.applies": len(todo.apply), "whisper.deletions": len(todo.delete)}):
                    has_changed = await applier.carry_out(todo)
                    if not has_changed:
                        await applier.prune_lost(todo.wanted)
            except ServiceIsGone:
                return None
            if not has_changed:
                troubles.await_end(todo.ending, todo.overdue)
                is_settled = todo.is_empty or troubles.has_any
                self._revisits.take_in(key, is_settled=is_settled, is_conflict=troubles.has_conflict)
                resolved = replace(resolved, mutated=todo.mutated)
                if todo.is_empty and not troubles.has_any and not depends_on_time(resolved):
                    inputs = plan_inputs(service, resolved.observed, resolved.installation)
                    self._settled.keep(key, inputs, todo.mutated)
                break
            observed = self._observe(key, service, observed.facts, observed)
            resolved = await self._decisions.decide(service, observed, troubles)
        if self._revisits.is_conflict_to_tell(key):
            troubles.tell_conflicts()
        if applier.not_tried or applier.timed_out:
            self._too_late[key] = applier.not_tried, applier.timed_out
        if troubles.error is None:
            self._answers.complete(key)
        return resolved

    def _as_it_was(self, key: Key, service: WhisperService, observed: Observed) -> Resolved | None:
        """The resolved value, where its plan is known to be empty: all is as the last pass left it; else None."""
        if key not in self._settled or self._cache.lost(key):
            return None
        inputs = plan_inputs(service, observed, self._installation())
        mutated = self._settled.find(key, inputs)
        if mutated is None:
            return None
        with SPANS.span("resolve"):
            return replace(resolve(service, observed, inputs.installation), mutated=mutated)

    async def _scale(self, key: Key, resolved: Resolved, troubles: Troubles) -> Resolved:
        """`resolved` with the step between no pod and one that has been carried out, if one was due.

        While no pod serves, the front is asked each second from now on.
        """
        step = zero.scale_step(resolved)
        if step and resolved.deployment and await carry_out(step, resolved.deployment, self._cluster, troubles):
            resolved = replace(resolved, scaled=step)
        if wake.is_awaited(resolved):
            asleep = resolved.wanted_pods == 0 and zero.scales_to_zero(resolved.service.spec)
            outlook, fronts = wake.resolve_outlook(resolved), ready_pods(resolved.observed, names.FRONT)
            self.demand.watch(key, WaitingFront(fronts, outlook, asleep))
        else:
            self.demand.leave(key)
        return resolved

    async def _look(self, key: Key, service: WhisperService, observed: Observed, troubles: Troubles) -> Resolved:
        """The resolved value of a paused service, with what it would have done; writes nothing."""
        resolved = await self._decisions.decide(service, observed, troubles)
        todo = _todo(resolved)
        resolved = replace(resolved, mutated=todo.mutated)
        try:
            waiting = await changes_held_back(self._cluster, self._answers, key, todo, resolved.observed)
        except ApiError as error:
            troubles.miss("a child that differs from the spec", error)
            return resolved
        return replace(resolved, waiting=waiting)

    def _observe(self, key: Key, service: WhisperService, facts: Facts, before: Observed | None = None) -> Observed:
        observed = ours(service, self._cache.observed(key, facts, before))
        accepted, lost = self._answers.of(key, observed), self._cache.lost(key)
        # What a resync has found without its label is applied again, as a Job never is: the policy may have gone.
        again = {(child.kind, child.name) for child in lost if child.kind != JOB.kind}
        kept = {at: found for at, found in accepted.items() if at not in again}
        return replace(observed, accepted=kept)

    async def _stall(self, body: Manifest, refusal: RefusedSpec) -> None:
        """Reports a spec that is not followed, where no earlier one is known that could be."""
        metrics.TERMINAL_ERRORS.inc()
        before = Status.model_validate(body.get("status", {}))
        generation = body["metadata"]["generation"]
        after = stalled_status(before, before, generation, refusal.reason, refusal.message, _now())
        with SPANS.span("status"):
            await self._reporter.report(body, before, after)


def _todo(resolved: Resolved) -> ApplyPlan:
    """The difference between what is wanted and what is there, less what depends on something that is not known."""
    with SPANS.span("build"):
        held = kinds_held_back(resolved.observed.facts)
        todo = plan(desired(resolved), resolved.observed, resolved.installation.kinds, given_up(resolved))
        return without(todo, held)


def _status(parsed: Parsed, resolved: Resolved, refused: Sequence[Refusal], generation: int) -> Status:
    """The status to write; `refused`: children of what is followed; `generation`: of the spec of today."""
    now, refusal, before = _now(), parsed.refusal, parsed.service.status
    if resolved.observed.facts.lacks_claims:
        judged = kept_status(before, parsed.service.metadata.generation, refused, now)
    else:
        judged = observed_status(resolved, refused, now)
    judged = judged.model_copy(update={"accepted": parsed.accepted})
    if refusal is None:
        return judged
    metrics.TERMINAL_ERRORS.inc()
    return stalled_status(judged, before, generation, refusal.reason, refusal.message, now)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
