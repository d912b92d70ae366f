"""Applies one child: creates it only where nothing has its name, changes it only where it is the one that was observed.

docs/adr/0002-server-side-apply.md explains the requests that this takes.
"""

from __future__ import annotations

import logging
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.passthrough import open_parts
from whisper_operator.api.v1alpha1 import KIND, Manifest, WhisperService
from whisper_operator.build.handover import as_created, handover, handover_replicas
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects import names
from whisper_operator.objects.diff import changes
from whisper_operator.objects.kinds import (
    AUTOSCALER,
    DEPLOYMENT,
    JOB,
    SCALED_OBJECT,
    SERVICE_ACCOUNT,
    WHISPER_SERVICE,
    Kind,
    by_name,
)
from whisper_operator.objects.manifest import is_being_deleted
from whisper_operator.observe.cache import DELETED, ObjectCache
from whisper_operator.observe.observed import Observed
from whisper_operator.reconcile.plan import ApplyPlan, is_ours
from whisper_operator.status.refused import Refusal

NEW: Final = {"resourceVersion": "1"}
"""A version that no object has: an apply with it creates an object, or is refused with 409 where one exists."""
AUTOSCALERS: Final = (AUTOSCALER, SCALED_OBJECT)
POD_MAKERS: Final = (DEPLOYMENT, JOB)

log = logging.getLogger(__name__)


class ServiceIsGone(Exception):
    """The API server no longer has the service, though no watch has shown it."""


class Applier:
    """Carries out the plans of one pass over one service.

    No child is applied twice in one pass: a second apply would not bring about what the first did not.
    """

    def __init__(self, cluster: Cluster, cache: ObjectCache, service: WhisperService) -> None:
        self._cluster = cluster
        self._cache = cache
        self._service = service
        self._done: set[str] = set()
        """Labels of what was applied, and uids of what was deleted."""
        self._account_is_foreign = False
        """Whether the ServiceAccount of the service's name is another's: no pod of ours may run under it."""
        self.refused: list[Refusal] = []
        """Children that may not be touched, or that the API server refuses for good."""

    async def carry_out(self, todo: ApplyPlan, observed: Observed) -> bool:
        """Applies and deletes what this pass has not yet; returns whether there was anything.

        `observed`: the objects that the plan was made from. Raises ApiError and ServiceIsGone.
        """
        applies = [manifest for manifest in todo.apply if label(manifest) not in self._done]
        deletions = [live for live in todo.delete if live["metadata"]["uid"] not in self._done]
        # Two autoscalers of one Deployment fight, and KEDA's admission refuses the second: the old one goes first.
        await self._delete([live for live in deletions if by_name(live["kind"]) in AUTOSCALERS])
        for manifest in applies:
            if await self._service_is_gone(manifest, observed):
                self._cache.delete_service(
                    (self._service.metadata.namespace, self._service.metadata.name), self._service.metadata.uid
                )
                raise ServiceIsGone
            self._done.add(label(manifest))
            if not (self._account_is_foreign and by_name(manifest["kind"]) in POD_MAKERS):
                await self._apply(manifest)
        await self._delete([live for live in deletions if by_name(live["kind"]) not in AUTOSCALERS])
        self._done |= {live["metadata"]["uid"] for live in deletions}
        return bool(applies or deletions)

    async def _service_is_gone(self, manifest: Manifest, observed: Observed) -> bool:
        """Whether the service no longer exists, asked before a child is created again that would outlive it.

        Where the watch of services is behind that of claims, a claim's deletion shows before its service's.
        """
        kind, metadata = by_name(manifest["kind"]), self._service.metadata
        outlives = "ownerReferences" not in manifest["metadata"]
        exists = observed.get(kind, manifest["metadata"]["name"]) is not None
        if not outlives or exists or self._service.status.observed_generation is None:
            return False
        live = await self._cluster.get(WHISPER_SERVICE, metadata.namespace, metadata.name)
        return live is None or live["metadata"]["uid"] != metadata.uid

    async def _delete(self, unwanted: list[Manifest]) -> None:
        for live in unwanted:
            await self._cluster.delete(by_name(live["kind"]), live)
            if self._cluster.is_dry:
                log.info("would delete %s", label(live))
            else:
                self._cache.observe(live, DELETED)

    async def _apply(self, manifest: Manifest) -> None:
        kind, seen = by_name(manifest["kind"]), self._cache.newest(manifest)
        live = seen if seen and is_ours(self._service, seen) else None
        try:
            await self._apply_with_handover(kind, manifest, live)
        except ApiError as error:
            if error.status == 409 and live is None:
                await self._taken(kind, manifest)
            elif error.is_rejection:
                parts = open_parts(self._service.spec) if error.names_no_field else []
                where = f" (in {' or '.join(parts)})" if parts else ""
                self._refuse(manifest, c.REJECTED, f"{label(manifest)}: {error.message}{where}")
            else:
                raise

    def _refuse(self, manifest: Manifest, reason: str, message: str) -> None:
        self.refused.append(Refusal(by_name(manifest["kind"]), manifest["metadata"]["name"], reason, message))

    async def _taken(self, kind: Kind, manifest: Manifest) -> None:
        """Handles a name that is taken: by a child not observed yet, by a predecessor's, or by another's."""
        found = await self._cluster.get(kind, manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        if found is None:
            raise ApiError(f"apply {label(manifest)}", 409, "Conflict", "it existed and is gone again")
        if is_ours(self._service, found):
            self._cache.observe(found)
            if is_being_deleted(found):
                # Its end is an event, and that event a pass.
                return
            raise ApiError(f"apply {label(manifest)}", 409, "Conflict", "it exists and has not been observed yet")
        if _is_predecessors(self._service, found):
            # Its deletion is an event, and that event a pass.
            return
        message = (
            f"{label(manifest)} exists and does not belong to this WhisperService: "
            "delete or rename it, or give the WhisperService another name"
        )
        self._account_is_foreign = self._account_is_foreign or kind == SERVICE_ACCOUNT
        self._refuse(manifest, c.NOT_OWNED, message)

    async def _apply_with_handover(self, kind: Kind, manifest: Manifest, live: Manifest | None) -> None:
        service = self._service
        if kind == DEPLOYMENT and live is None:
            manifest = as_created(service, manifest)
        elif kind == DEPLOYMENT and live and (count := handover_replicas(service, live)) is not None:
            self._see(await self._cluster.apply(DEPLOYMENT, handover(service, count), manager=names.HANDOVER_MANAGER))
        await self._apply_over_drift(kind, manifest, live)

    async def _apply_over_drift(self, kind: Kind, manifest: Manifest, live: Manifest | None) -> None:
        """Applies; where somebody has edited the key of a list's item (a Service's port), puts the lists back first.

        An apply would add our item beside the edited one, which stays its editor's, and the API server refuses two
        items of one name.
        """
        exact = _with_metadata(manifest, NEW if live is None else {"uid": live["metadata"]["uid"]})
        try:
            self._see(await self._cluster.apply(kind, exact))
        except ApiError as error:
            if error.status != 422 or live is None:
                raise
            await self._cluster.merge(kind, exact)
            self._see(await self._cluster.apply(kind, exact))

    def _see(self, body: Manifest) -> None:
        if self._cluster.is_dry:
            live = self._cache.newest(body) or {}
            log.info("would apply %s: %s", label(body), "; ".join(changes(live, body)) or "nothing changes")
        else:
            self._cache.observe(body)


def label(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def _with_metadata(manifest: Manifest, more: dict[str, str]) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], **more}}


def _is_predecessors(service: WhisperService, found: Manifest) -> bool:
    """Whether a deleted WhisperService of the same name owned it: the garbage collector will take it."""
    return any(
        ref.get("controller") and ref["kind"] == KIND and ref["name"] == service.metadata.name
        for ref in found["metadata"].get("ownerReferences", ())
    )
