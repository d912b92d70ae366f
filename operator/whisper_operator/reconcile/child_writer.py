"""Writes one child: creates it only where nothing has its name, changes it only where it is the one that was observed.

docs/adr/0002-server-side-apply.md explains the requests that this takes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from typing import Any, Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.handover import as_created, before_handover, handover, handover_replicas
from whisper_operator.build.meta import unsealed_annotations
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects import field_owners, names
from whisper_operator.objects.diff import Deviation, changes, obsolete
from whisper_operator.objects.kinds import DEPLOYMENT, JOB, Kind, by_name
from whisper_operator.objects.manifest import annotations_of, identity, labels_of, with_metadata
from whisper_operator.objects.restore import keeping, restored
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.observe.records import Key
from whisper_operator.reconcile.answers import Answers
from whisper_operator.reconcile.own_edits import as_applied
from whisper_operator.reconcile.plan import applied_hash, is_edit_of_job, is_of_another_apply, runs_something_else

NEW: Final = {"resourceVersion": "1"}
"""A version that no object has: an apply with it creates an object, or is refused with 409 where one exists."""
log = logging.getLogger(__name__)


class ChildWriter:
    def __init__(self, cluster: Cluster, cache: ObjectCache, service: WhisperService, answers: Answers) -> None:
        self._cluster = cluster
        self._cache = cache
        self._service = service
        self._answers = answers
        self._key = (service.metadata.namespace, service.metadata.name)

    async def write(self, kind: Kind, manifest: Manifest, live: Manifest | None) -> None:
        """Makes `live` (None: nothing is known) what `manifest` says; raises ApiError, 409 where it was another."""
        service = self._service
        if live is not None and await is_earlier_answer(self._cluster, self._answers, self._key, manifest, live):
            return
        drift = self._answers.drift(self._key, manifest, live) if live is not None else []
        if kind == JOB and live is not None and is_same_job(manifest, drift):
            await self._take_back_edits(kind, manifest, is_edit_of_job)
            return
        is_scaled = kind == DEPLOYMENT and manifest["metadata"]["name"] == service.metadata.name
        count = handover_replicas(service, live) if is_scaled and live is not None else None
        first = as_created(service, manifest) if is_scaled and live is None else manifest
        if any(one.is_added for one in drift):
            await self._take_back_edits(kind, manifest, what_an_apply_leaves)
        version = NEW if live is None else {"uid": live["metadata"]["uid"]}
        exact = with_metadata(first if count is None else before_handover(manifest, count), version)
        try:
            answer = await self._cluster.apply(kind, exact)
        except ApiError as error:
            # Of two ways to fill a field (a value and its source), or two items of one name, one is the editor's.
            if error.status != 422 or live is None or not await self._take_back_edits(kind, manifest, any_edit):
                raise
            answer = await self._cluster.apply(kind, exact)
        self._see(answer)
        if count is not None:
            # In this order: a policy judges the whole object at each write, and only our own makes it as it is to be.
            self._see(await self._cluster.apply(kind, handover(service, count), manager=names.HANDOVER_MANAGER))
            answer = await self._cluster.apply(kind, with_metadata(manifest, version))
            self._see(answer)
        self._answers.keep(self._key, manifest, answer)

    async def _take_back_edits(self, kind: Kind, manifest: Manifest, counts: Callable[[Deviation], bool]) -> bool:
        """Puts back the lists that somebody has edited, where an edit `counts`; returns whether one does.

        An apply would add our item beside the edited one, which stays its editor's. What a policy added, or somebody
        who states by an apply that he manages it, stays.
        """
        metadata = manifest["metadata"]
        found = await self._cluster.get(kind, metadata["namespace"], metadata["name"])
        edits = self._answers.edits(manifest, found, time.monotonic()) if found else []
        if found is None or not any(map(counts, edits)):
            return False
        if kind == JOB and any(map(runs_something_else, edits)):
            # Its template is fixed. The deletion is an event, and that event a pass, which makes ours.
            await self._cluster.delete(JOB, found)
            return True
        ended = obsolete(manifest, found, field_owners.ours(found))
        paths = {one.path for one in (*edits, *ended)}
        wanted = {name: manifest[name] for name in manifest if name in found}
        patch: Any = job_restored(wanted, paths) if kind == JOB else restored(wanted, found, paths)
        if field_owners.ours(found) is not None:
            # Else nobody knows which of two ways to fill a field was the editor's: the wanted one is all that stays.
            patch = keeping(found, patch)
        merged = await self._cluster.merge(kind, {**patch, **with_metadata(identity(found), own_metadata(manifest))})
        self._answers.taken_back(manifest, merged, edits, time.monotonic())
        # Else the fields were our edit's, too, and no later apply could remove them.
        await as_applied(self._cluster, kind, merged, field_owners.without_our_edits)
        return True

    def _see(self, body: Manifest) -> None:
        if self._cluster.is_dry:
            live = self._cache.newest(body) or {}
            log.info("would apply %s: %s", label(body), "; ".join(changes(live, body)) or "nothing changes")
        else:
            self._cache.observe_answer(self._key, body)


async def is_earlier_answer(cluster: Cluster, answers: Answers, key: Key, manifest: Manifest, live: Manifest) -> bool:
    """Whether `live` is what a policy made of this very manifest before this process began: nobody edited it.

    Then its deviations are kept. `key`: the service's. Raises ApiError.
    """
    if answers.are_complete(key) or applied_hash(live) != applied_hash(manifest):
        return False
    metadata = manifest["metadata"]
    found = await cluster.get(by_name(manifest["kind"]), metadata["namespace"], metadata["name"])
    return found is not None and answers.accept(key, manifest, found)


def is_same_job(manifest: Manifest, drift: Collection[Deviation]) -> bool:
    """Whether the Job is to stay: then its template is what it was made with, and no later apply may have another."""
    has_report = names.ANNOTATION_REPORT in annotations_of(manifest)
    return not has_report and not is_of_another_apply(drift)


def job_restored(wanted: Manifest, edits: Collection[str]) -> Manifest:
    """A JSON merge patch that takes back the edits of a Job, but for its template, which nobody may patch."""
    fields = {path.split(".")[1] for path in edits if path.startswith("spec.") and not path.startswith("spec.template")}
    return {"spec": {name: wanted["spec"].get(name) for name in sorted(fields)}}


def what_an_apply_leaves(edit: Deviation) -> bool:
    return edit.is_added


def any_edit(edit: Deviation) -> bool:
    return True


def label(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def own_metadata(manifest: Manifest) -> dict[str, Any]:
    """The labels and annotations that a policy may ask for at any write of the child; not the hash, which says that all
    of it was applied."""
    annotations = unsealed_annotations(manifest)
    return {"labels": labels_of(manifest), **({"annotations": annotations} if annotations else {})}
