"""One level-triggered pass over one WhisperService: desired, apply, prune, status."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Final

from pydantic import ValidationError

from whisper_operator import names
from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import Judgement
from whisper_operator.api.explain import explain
from whisper_operator.api.report import Status
from whisper_operator.api.v1alpha1 import API_VERSION, KIND, Manifest, WhisperService
from whisper_operator.build import desired
from whisper_operator.build.deployment import handover, handover_replicas
from whisper_operator.cluster import Cluster
from whisper_operator.env import Env
from whisper_operator.errors import ApiError
from whisper_operator.kinds import DEPLOYMENT, WHISPER_SERVICE, Kind, by_name
from whisper_operator.plan import is_ours, plan
from whisper_operator.status import as_json, observed_status, stalled_status
from whisper_operator.store import DELETED, Key, Store
from whisper_operator.support import unsupported

MAX_ROUNDS: Final = 8
"""A pass goes on while what it applied makes more wanted (a claim, then the Job that fills it); no chain is longer."""
SECRET_LOOK_SECONDS: Final = (5.0, 60.0)
"""A missing Secret is looked for again after as long as it has been missing, within these bounds."""


REFUSED_LOOK_SECONDS: Final = 60.0


class Reconciler:
    """The pass with what it works on; it is called for one service at a time, never twice for the same one at once."""

    def __init__(self, cluster: Cluster, store: Store, env: Callable[[], Env]) -> None:
        self._cluster = cluster
        self._store = store
        self._env = env

    async def reconcile(self, key: Key) -> float | None:
        """Seconds after which to look again, None: when something changes. Raises ApiError: try again later."""
        body = self._store.service(key)
        if body is None or "deletionTimestamp" in body["metadata"]:
            return None
        try:
            service = WhisperService.parse(body)
        except ValidationError as error:
            return await self._stall(body, c.INVALID_SPEC, explain(error))
        if paths := unsupported(service.spec):
            verb = "is" if len(paths) == 1 else "are"
            message = f"{', '.join(paths)} {verb} not implemented in this version: remove it to go on"
            return await self._stall(body, c.NOT_IMPLEMENTED, message)
        missing = await self._missing_secrets(service)
        troubles = await self._converge(key, service, missing)
        await self._report(key, service, missing, troubles)
        return self._look_again(service, missing, troubles)

    async def _missing_secrets(self, service: WhisperService) -> frozenset[str]:
        wanted = [service.spec.auth.secret_ref.name] if service.spec.auth else []
        namespace = service.metadata.namespace
        return frozenset([name for name in wanted if not await self._cluster.secret_exists(namespace, name)])

    async def _converge(self, key: Key, service: WhisperService, missing: frozenset[str]) -> list[Judgement]:
        """Applies and prunes until nothing is left to do; what the API server refuses, as judgements."""
        refused: dict[str, Judgement] = {}
        for _ in range(MAX_ROUNDS):
            observed = self._store.observed(key, missing)
            todo = plan(service, desired(service, observed, self._env()), observed)
            todo_now = [manifest for manifest in todo.apply if _label(manifest) not in refused]
            for name in todo.not_owned:
                refused[name] = _not_owned(name)
            if not todo_now and not todo.delete:
                break
            for manifest in todo_now:
                if judged := await self._apply(key, service, manifest):
                    refused[_label(manifest)] = judged
            for live in todo.delete:
                await self._cluster.delete(by_name(live["kind"]), live)
                self._store.see(live, DELETED)
        return list(refused.values())

    async def _apply(self, key: Key, service: WhisperService, manifest: Manifest) -> Judgement | None:
        """Applies one child; the judgement where it may not be touched, or the API server refuses it for good."""
        kind, metadata = by_name(manifest["kind"]), manifest["metadata"]
        if self._store.observed(key).get(kind, metadata["name"]) is None:
            # Not among what carries our labels: somebody else's object of that name must not be taken over.
            found = await self._cluster.get(kind, metadata["namespace"], metadata["name"])
            if found is not None and not is_ours(service, found):
                return _not_owned(_label(manifest))
        try:
            await self._apply_with_handover(key, service, kind, manifest)
        except ApiError as error:
            if error.is_rejection:
                return Judgement(c.STALLED, "True", c.REJECTED, f"{_label(manifest)}: {error.message}")
            raise
        return None

    async def _apply_with_handover(self, key: Key, service: WhisperService, kind: Kind, manifest: Manifest) -> None:
        count = handover_replicas(service, self._store.observed(key)) if kind == DEPLOYMENT else None
        exists = self._store.observed(key).get(kind, manifest["metadata"]["name"]) is not None
        if count is not None and exists:
            await self._hand_over(service, count)
        await self._apply_over_drift(kind, manifest, exists)
        if count is not None and not exists:
            await self._hand_over(service, count)

    async def _apply_over_drift(self, kind: Kind, manifest: Manifest, exists: bool) -> None:
        """Applies; where somebody has edited the key of a list's item (a Service's port), puts the lists back first.

        An apply would add our item beside the edited one, which stays its editor's, and the API server refuses two
        items of one name.
        """
        try:
            self._store.see(await self._cluster.apply(kind, manifest))
        except ApiError as error:
            if error.status != 422 or not exists:
                raise
            await self._cluster.merge(kind, manifest)
            self._store.see(await self._cluster.apply(kind, manifest))

    async def _hand_over(self, service: WhisperService, count: int) -> None:
        manifest = handover(service, count)
        self._store.see(await self._cluster.apply(DEPLOYMENT, manifest, manager=names.HANDOVER_MANAGER))

    async def _report(
        self, key: Key, service: WhisperService, missing: frozenset[str], troubles: list[Judgement]
    ) -> None:
        observed = self._store.observed(key, missing)
        await self._write(
            service.metadata.namespace,
            service.metadata.name,
            service.status,
            observed_status(service, observed, self._env(), troubles, _now()),
        )

    async def _stall(self, body: Manifest, reason: str, message: str) -> None:
        metadata = body["metadata"]
        previous = Status.model_validate(body.get("status", {}))
        status = stalled_status(previous, metadata["generation"], reason, message, _now())
        await self._write(metadata["namespace"], metadata["name"], previous, status)

    async def _write(self, namespace: str, name: str, previous: Status, status: Status) -> None:
        if as_json(status) == as_json(previous):
            return
        manifest = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": name, "namespace": namespace},
            "status": as_json(status),
        }
        try:
            self._store.see(await self._cluster.apply(WHISPER_SERVICE, manifest, subresource="status"))
        except ApiError as error:
            if error.status != 404:
                raise

    def _look_again(self, service: WhisperService, missing: frozenset[str], troubles: list[Judgement]) -> float | None:
        """Seconds until the next look at what no watch shows: Secrets, others' objects, quotas."""
        if missing:
            return min(max(_missing_for(service), SECRET_LOOK_SECONDS[0]), SECRET_LOOK_SECONDS[1])
        return REFUSED_LOOK_SECONDS if troubles else None


def _missing_for(service: WhisperService) -> float:
    failed = (one for one in service.status.conditions if one.type == c.PREFLIGHT_PASSED and one.status == "False")
    since = next((one.last_transition_time for one in failed), None)
    return (_parse(_now()) - _parse(since)).total_seconds() if since else 0.0


def _label(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def _not_owned(name: str) -> Judgement:
    message = (
        f"{name} is there and is not this WhisperService's: delete or rename it, or name the WhisperService otherwise"
    )
    return Judgement(c.STALLED, "True", c.NOT_OWNED, message)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse(timestamp: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(timestamp)
