"""Carries out a plan, child by child: what goes wrong with one costs that one alone, and is told."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Set
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.v1alpha1 import KIND, Manifest, WhisperService
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects import field_owners, names
from whisper_operator.objects.kinds import (
    AUTOSCALER,
    CLAIM,
    DEPLOYMENT,
    JOB,
    SCALED_OBJECT,
    SERVICE_ACCOUNT,
    WHISPER_SERVICE,
    Kind,
    by_name,
)
from whisper_operator.objects.manifest import controller_of, identity, is_being_deleted, labels_of, with_metadata
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.observe.records import ObjectId
from whisper_operator.reconcile.answers import Answers
from whisper_operator.reconcile.child_writer import ChildWriter, label, own_metadata
from whisper_operator.reconcile.own_edits import as_applied
from whisper_operator.reconcile.plan import NEVER_PRUNED, ApplyPlan, is_ours, is_overdue, is_predecessors
from whisper_operator.reconcile.rejections import told_rejection
from whisper_operator.reconcile.troubles import Troubles

AUTOSCALERS: Final = (AUTOSCALER, SCALED_OBJECT)
POD_MAKERS: Final = (DEPLOYMENT, JOB)
CHILD_SECONDS: Final = 12.0
"""For all requests about one child: a webhook has 10 s by default, after which the API server answers in its place. A
child for which that was too short has, last in the next pass, all the time that is left: a webhook may have 30 s."""
APPLYING_SECONDS: Final = 36.0
"""For all children of a pass, so that its status is written within the time that a pass may take."""

log = logging.getLogger(__name__)


class ServiceIsGone(Exception):
    """The API server no longer has the service, though no watch has shown it."""


class Applier:
    """Carries out the plans of one pass over one service; what goes wrong with one child costs that child alone.

    No child is applied twice in one pass: a second apply would not bring about what the first did not.
    """

    def __init__(
        self,
        cluster: Cluster,
        cache: ObjectCache,
        service: WhisperService,
        answers: Answers,
        troubles: Troubles,
        first: Collection[str] = (),
        slow: Collection[str] = (),
    ) -> None:
        """`answers` takes what the API server makes of each apply, `troubles` what goes wrong.

        `first`: labels of the children that the pass before had no time for, so that now they have their turn; `slow`:
        of those for which CHILD_SECONDS were too short.
        """
        self._cluster = cluster
        self._cache = cache
        self._service = service
        self._key = (service.metadata.namespace, service.metadata.name)
        self.troubles = troubles
        self._writer = ChildWriter(cluster, cache, service, answers)
        self._ends = time.monotonic() + APPLYING_SECONDS
        self._first = first
        self._slow = slow
        self.timed_out: set[str] = set()
        """Labels of the children for which this pass's time was too short."""
        self.not_tried: set[str] = set()
        """Labels of the children that this pass had no time for."""
        self._pruned: set[ObjectId] = set()
        """Lost children whose deletion this pass has tried."""
        self._done: set[str] = set()
        """Labels of what was applied, and uids of what was deleted."""
        self._lacks_what_pods_name = False
        """Whether the ServiceAccount or a claim of the service is another's: no pod of ours may run under it, or write
        to it."""

    async def carry_out(self, todo: ApplyPlan) -> bool:
        """Applies and deletes what this pass has not yet; returns whether there was anything. Raises ServiceIsGone."""
        applies = [manifest for manifest in todo.apply if label(manifest) not in self._done]
        deletions = [live for live in todo.delete if live["metadata"]["uid"] not in self._done]
        waiting = {child for child in self._cache.lost(self._key) if f"{child.kind}/{child.name}" in self._first}
        await self._prune_all({child for child in waiting if _is_unwanted(child, todo.wanted)}, todo.wanted)
        await self._delete_all([live for live in deletions if self._goes_early(live)])
        for manifest in sorted(applies, key=lambda one: (not self._comes_early(one), label(one) in self._slow)):
            self._done.add(label(manifest))
            if not (self._lacks_what_pods_name and by_name(manifest["kind"]) in POD_MAKERS):
                await self._attempt(manifest, label(manifest), self._apply)
        await self._delete_all([live for live in deletions if not self._goes_early(live)])
        return bool(applies or deletions)

    def _goes_early(self, live: Manifest) -> bool:
        """Two autoscalers of one Deployment fight, and KEDA's admission refuses the second: the old one goes first."""
        return by_name(live["kind"]) in AUTOSCALERS or label(live) in self._first

    def _comes_early(self, manifest: Manifest) -> bool:
        """The account always does: no pod may run under it where it is another's."""
        return by_name(manifest["kind"]) == SERVICE_ACCOUNT or label(manifest) in self._first

    async def prune_lost(self, wanted: Collection[tuple[str, str]]) -> None:
        """Deletes children that lost the label by which they are watched, and are no longer wanted.

        `wanted`: kind and name of those that are; an apply has found them already.
        """
        await self._prune_all(self._cache.lost(self._key), wanted)

    async def _prune_all(self, lost: Set[ObjectId], wanted: Collection[tuple[str, str]]) -> None:
        for child in sorted(lost - self._pruned):
            self._pruned.add(child)
            body = {"kind": child.kind, "metadata": {"name": child.name, "namespace": child.namespace}}
            what = f"deletion of {label(body)}"
            if not _is_unwanted(child, wanted) or await self._attempt(body, what, self._prune):
                self._cache.forget_lost(self._key, {child})

    async def _attempt(self, body: Manifest, what: str, act: Callable[[Manifest], Awaitable[None]]) -> bool:
        """Does something to one child, and returns whether it went well.

        Takes in what goes wrong, but for ServiceIsGone and LeaseLost, which it raises.
        """
        limit = APPLYING_SECONDS if label(body) in self._slow else CHILD_SECONDS
        seconds = min(limit, self._ends - time.monotonic())
        child = by_name(body["kind"]), body["metadata"]["name"]
        if seconds <= 0:
            self.not_tried.add(label(body))
            message = f"not tried, for other children took {APPLYING_SECONDS:.0f} s"
            self.troubles.fail(*child, what, ApiError(what, 0, "Timeout", message))
            return False
        try:
            async with asyncio.timeout(seconds):
                await act(body)
                return True
        except TimeoutError:
            self.timed_out.add(label(body))
            self.troubles.fail(*child, what, ApiError(what, 0, "Timeout", f"no answer within {seconds:.0f} s"))
        except ApiError as error:
            if error.is_rejection:
                message = told_rejection(child[0], what, error, self._service.spec)
                self.troubles.refuse(*child, c.REJECTED, message)
            else:
                self.troubles.fail(*child, what, error)
        return False

    async def _delete_all(self, unwanted: list[Manifest]) -> None:
        for live in unwanted:
            self._done.add(live["metadata"]["uid"])
            await self._attempt(live, f"deletion of {label(live)}", self._delete)

    async def _delete(self, live: Manifest) -> None:
        await self._cluster.delete(by_name(live["kind"]), live)
        if self._cluster.is_dry:
            log.info("would delete %s", label(live))
        else:
            self._cache.delete(self._key, live)

    async def _prune(self, lost: Manifest) -> None:
        kind, metadata = by_name(lost["kind"]), lost["metadata"]
        found = await self._cluster.get(kind, metadata["namespace"], metadata["name"])
        if found and not is_being_deleted(found) and is_ours(self._service, found):
            await self._delete(found)

    async def _apply(self, manifest: Manifest) -> None:
        kind, seen = by_name(manifest["kind"]), self._cache.newest(manifest)
        live = seen if seen and is_ours(self._service, seen) else None
        if live is None and await self._service_is_gone(manifest):
            self._cache.delete_service(self._key, self._service.metadata.uid)
            raise ServiceIsGone
        try:
            await self._writer.write(kind, manifest, live)
            if live is not None:
                metadata = manifest["metadata"]
                self._cache.forget_lost(self._key, {ObjectId(kind.kind, metadata["namespace"], metadata["name"])})
        except ApiError as error:
            if not error.is_conflict or live is not None:
                raise
            await self._taken(kind, manifest)

    async def _service_is_gone(self, manifest: Manifest) -> bool:
        """Whether the service no longer exists, asked before a child is created again that would outlive it.

        Where the watch of services is behind that of claims, a claim's deletion shows before its service's.
        """
        metadata = self._service.metadata
        outlives = "ownerReferences" not in manifest["metadata"]
        if not outlives or self._service.status.observed_generation is None:
            return False
        live = await self._cluster.get(WHISPER_SERVICE, metadata.namespace, metadata.name)
        return live is None or live["metadata"]["uid"] != metadata.uid

    async def _taken(self, kind: Kind, manifest: Manifest) -> None:
        """Handles a name that is taken: by a child out of sight, by a predecessor's, or by another's object."""
        what = label(manifest)
        found = await self._cluster.get(kind, manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        if found is None:
            raise ApiError(f"apply {what}", 409, "Conflict", "it existed and is gone again")
        if is_ours(self._service, found):
            await self._bring_into_sight(kind, manifest, found)
            return
        is_foreign = not is_predecessors(self._service, found)
        # A predecessor's claim goes once its pods have gone: one of ours would keep it from going.
        is_named_by_pods = kind == CLAIM or (kind == SERVICE_ACCOUNT and is_foreign)
        self._lacks_what_pods_name = self._lacks_what_pods_name or is_named_by_pods
        if is_foreign:
            message = f"{what} {_whose(found)}"
            self.troubles.refuse(kind, manifest["metadata"]["name"], c.NOT_OWNED, message)
            return
        if kind != CLAIM:  # of which its own condition tells: pods may use it for long
            self._tell_if_overdue(found)
        if names.LABEL_SERVICE not in labels_of(found):
            raise ApiError(f"apply {what}", 409, "Conflict", "a deleted WhisperService owns it still")
        # Else its deletion is an event, and that event a pass.

    def _tell_if_overdue(self, found: Manifest) -> None:
        """Where something keeps an object for long that is being deleted, and of whose name one is wanted."""
        if is_being_deleted(found) and is_overdue(found, time.time()):
            self.troubles.await_end([found])

    async def _bring_into_sight(self, kind: Kind, manifest: Manifest, found: Manifest) -> None:
        """Gives a child of ours the labels back by which it is watched; the next round compares the rest of it."""
        if kind == CLAIM and is_being_deleted(found) and names.LABEL_SERVICE in labels_of(found):
            # Pods hold it for as long as they use it; its end is an event, and that event a pass.
            self._cache.observe_answer(self._key, found)
            return
        if is_being_deleted(found):
            self._tell_if_overdue(found)
            raise ApiError(f"apply {label(manifest)}", 409, "Conflict", "it is being deleted")
        lost = labels_of(manifest).items() - labels_of(found).items()
        if any(name in names.OF_EVERY_CHILD for name, _ in lost):
            found = await self._cluster.merge(kind, with_metadata(identity(found), own_metadata(manifest)))
            found = await as_applied(self._cluster, kind, found, field_owners.with_edited_labels_applied)
        self._cache.observe_answer(self._key, found)
        if self._cache.newest(manifest) is None:
            raise ApiError(f"apply {label(manifest)}", 409, "Conflict", "it has been deleted since")
        self._done.discard(label(manifest))


def _is_unwanted(child: ObjectId, wanted: Collection[tuple[str, str]]) -> bool:
    return (child.kind, child.name) not in wanted and by_name(child.kind) not in NEVER_PRUNED


def _whose(found: Manifest) -> str:
    """The end of the sentence on a child's name that another object has, with its remedy."""
    controller = controller_of(found)
    if controller is not None and controller["kind"] == KIND:
        return f"belongs to WhisperService {controller['name']}: give one of the two WhisperServices another name"
    return (
        "exists and does not belong to this WhisperService: "
        "delete or rename it, or give the WhisperService another name"
    )
