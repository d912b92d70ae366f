"""One level-triggered pass over one WhisperService: desired, apply, prune, status."""

from __future__ import annotations

import dataclasses
import datetime
import logging
import time
from collections.abc import Callable
from typing import Final

from pydantic import ValidationError

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import Judgement
from whisper_operator.api.explain import explain
from whisper_operator.api.status import Status
from whisper_operator.api.unsupported import unsupported
from whisper_operator.api.v1alpha1 import API_VERSION, KIND, Manifest, Metadata, WhisperService
from whisper_operator.build import desired
from whisper_operator.build.deployment import wanted_template
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import AUTOSCALER, POD, SCALED_OBJECT, WHISPER_SERVICE, by_name
from whisper_operator.observe.cache import DELETED, ObjectCache
from whisper_operator.observe.facts import Facts, requested_by_node
from whisper_operator.observe.installation import Env
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.records import Key
from whisper_operator.reconcile.apply import Applier, label
from whisper_operator.reconcile.dereference import with_lookups
from whisper_operator.reconcile.events import Recorder, notes
from whisper_operator.reconcile.fetch_progress import ASK_SECONDS, ProgressReader
from whisper_operator.reconcile.plan import ours, plan
from whisper_operator.resolve import fetch, rollout
from whisper_operator.resolve.preflight import checklist
from whisper_operator.status.assemble import as_json, observed_status, stalled_status
from whisper_operator.telemetry import metrics

MAX_ROUNDS: Final = 8
"""A pass goes on while what it applied makes more wanted (a claim, then the Job that fills it); no chain is longer."""
LOOK_SECONDS: Final = (5.0, 60.0)
"""What no watch shows (a Secret) is looked for again after as long as it has been missing, within these bounds."""
REFUSED_LOOK_SECONDS: Final = 60.0
AUTOSCALERS: Final = (AUTOSCALER, SCALED_OBJECT)
log = logging.getLogger(__name__)


class Reconciler:
    """The pass with what it works on; it is called for one service at a time, never twice for the same one at once."""

    def __init__(self, cluster: Cluster, cache: ObjectCache, recorder: Recorder, env: Callable[[], Env]) -> None:
        self._cluster = cluster
        self._cache = cache
        self._recorder = recorder
        self._env = env
        self._applier = Applier(cluster, cache)
        self._progress = ProgressReader()
        self._since: dict[Key, tuple[int, float]] = {}
        """Each service's generation, and when it was first seen; 0 once it is Ready."""

    async def reconcile(self, key: Key) -> float | None:
        """Seconds after which to look again, None: when something changes. Raises ApiError: try again later."""
        body = self._cache.service(key)
        if body is None or "deletionTimestamp" in body["metadata"]:
            self._since.pop(key, None)
            return None
        try:
            service = WhisperService.parse(body)
        except ValidationError as error:
            return await self._stall(body, c.INVALID_SPEC, explain(error))
        if paths := unsupported(service.spec):
            verb = "is" if len(paths) == 1 else "are"
            message = f"{', '.join(paths)} {verb} not implemented in this version: remove it to go on"
            return await self._stall(body, c.NOT_IMPLEMENTED, message)
        generation = service.metadata.generation
        if key not in self._since or self._since[key][0] != generation:
            self._since[key] = (generation, 0.0 if _follows(service.status, generation) else time.monotonic())
        facts = await self._facts(service)
        troubles = await self._converge(key, service, facts)
        if self._cache.service(key) is None:
            return None
        observed = self._observe(key, service, facts)
        status = observed_status(service, observed, self._env(), troubles, _now())
        await self._report(key, service, status)
        return self._look_again(service, observed, troubles)

    def _observe(self, key: Key, service: WhisperService, facts: Facts) -> Observed:
        return ours(service, self._cache.observed(key, facts))

    async def _facts(self, service: WhisperService) -> Facts:
        """What watches show, and what has to be looked up for this service alone."""
        key = (service.metadata.namespace, service.metadata.name)
        facts = await with_lookups(self._cache.facts(service, time.time()), service, self._cluster)
        fetcher = fetch.running_pod(service, self._observe(key, service, facts))
        return dataclasses.replace(facts, progress=await self._progress.read(fetcher) if fetcher else None)

    async def _with_usage(self, service: WhisperService, observed: Observed) -> Observed:
        """`observed`, with what all pods ask for where a rollout has to be decided by it."""
        template = wanted_template(service, observed, self._env())
        if template is None or not rollout.needs_usage(service, observed, template):
            return observed
        facts = dataclasses.replace(observed.facts, requested=requested_by_node(await self._cluster.list(POD, None)))
        return dataclasses.replace(observed, facts=facts)

    async def _converge(self, key: Key, service: WhisperService, facts: Facts) -> list[Judgement]:
        """Applies and prunes until nothing is left to do; what the API server refuses, as judgements.

        No child is applied twice in one pass: what an apply does not bring about, a second one would not either.
        """
        refused: list[Judgement] = []
        done: set[str] = set()
        for _ in range(MAX_ROUNDS):
            observed = await self._with_usage(service, self._observe(key, service, facts))
            env = self._env()
            todo = plan(service, desired(service, observed, env), observed, env.kinds)
            left = [manifest for manifest in todo.apply if label(manifest) not in done]
            deletions = [live for live in todo.delete if live["metadata"]["uid"] not in done]
            if not left and not deletions:
                break
            # Two autoscalers of one Deployment fight, and KEDA's admission refuses the second: the old one goes first.
            await self._delete([live for live in deletions if by_name(live["kind"]) in AUTOSCALERS])
            for manifest in left:
                if await self._is_gone(service, manifest, observed):
                    self._cache.delete_service(key, service.metadata.uid)
                    return refused
                done.add(label(manifest))
                if judged := await self._applier.apply(service, manifest):
                    refused.append(judged)
            await self._delete([live for live in deletions if by_name(live["kind"]) not in AUTOSCALERS])
            done |= {live["metadata"]["uid"] for live in deletions}
        return refused

    async def _is_gone(self, service: WhisperService, manifest: Manifest, observed: Observed) -> bool:
        """Whether the service is there no more, asked before a child is made anew that would outlive it.

        Where the watch of services is behind the claims', a claim is seen to go while its service seems to be there.
        """
        kind, name = by_name(manifest["kind"]), manifest["metadata"]["name"]
        outlives = "ownerReferences" not in manifest["metadata"]
        if not outlives or observed.get(kind, name) or service.status.observed_generation is None:
            return False
        live = await self._cluster.get(WHISPER_SERVICE, service.metadata.namespace, service.metadata.name)
        return live is None or live["metadata"]["uid"] != service.metadata.uid

    async def _delete(self, unwanted: list[Manifest]) -> None:
        for live in unwanted:
            await self._cluster.delete(by_name(live["kind"]), live)
            if self._cluster.is_dry:
                log.info("would delete %s", label(live))
            else:
                self._cache.observe(live, DELETED)

    async def _report(self, key: Key, service: WhisperService, status: Status) -> None:
        if as_json(status) == as_json(service.status):
            return
        await self._write(key, service.metadata.uid, status)
        self._measure(key, service, status)
        for note in notes(service.status, status):
            await self._recorder.record(service.metadata, note, time.time())

    def _measure(self, key: Key, service: WhisperService, status: Status) -> None:
        """Seconds from the spec's change to Ready, once for each generation that this process saw come."""
        generation, since = self._since[key]
        if since > 0 and _follows(status, generation):
            metrics.READY_SECONDS.observe(time.monotonic() - since)
            self._since[key] = (generation, 0.0)

    async def _stall(self, body: Manifest, reason: str, message: str) -> None:
        metrics.TERMINAL_ERRORS.inc()
        metadata = body["metadata"]
        previous = Status.model_validate(body.get("status", {}))
        status = stalled_status(previous, metadata["generation"], reason, message, _now())
        if as_json(status) != as_json(previous):
            await self._write((metadata["namespace"], metadata["name"]), metadata["uid"], status)
            for note in notes(previous, status):
                await self._recorder.record(Metadata.model_validate(metadata), note, time.time())

    async def _write(self, key: Key, uid: str, status: Status) -> None:
        """Writes the status; a service that is not there is forgotten.

        One that is deleted between our list and kopf's is told by neither: its children would be made again and again.
        """
        manifest = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": key[1], "namespace": key[0], "uid": uid},
            "status": as_json(status),
        }
        try:
            written = await self._cluster.apply(WHISPER_SERVICE, manifest, subresource="status")
        except ApiError as error:
            if error.status != 404:
                raise
            if error.is_not_found:
                self._cache.delete_service(key, uid)
        else:
            if not self._cluster.is_dry:
                self._cache.observe(written)

    def _look_again(self, service: WhisperService, observed: Observed, troubles: list[Judgement]) -> float | None:
        """Seconds until the next look at what no watch shows: Secrets, others' objects, the passing of time."""
        waits = [REFUSED_LOOK_SECONDS] if troubles else []
        if fetch.running_pod(service, observed):
            waits.append(ASK_SECONDS)
        if checklist.lacks_lookup(service, observed):
            waits.append(min(max(_failing_for(service), LOOK_SECONDS[0]), LOOK_SECONDS[1]))
        if (searching := rollout.seconds_until_no_room(service, observed)) is not None:
            waits.append(searching)
        return min(waits, default=None)


def _follows(status: Status, generation: int) -> bool:
    """Whether the service is Ready as that generation wants it, and nothing goes on."""
    told = {one.type: one.status for one in status.conditions}
    return status.observed_generation == generation and told.get(c.READY) == "True" and c.RECONCILING not in told


def _failing_for(service: WhisperService) -> float:
    """Seconds for which preflight has not passed."""
    failed = (one for one in service.status.conditions if one.type == c.PREFLIGHT_PASSED and one.status == "False")
    since = next((one.last_transition_time for one in failed), None)
    return time.time() - datetime.datetime.fromisoformat(since).timestamp() if since else 0.0


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
