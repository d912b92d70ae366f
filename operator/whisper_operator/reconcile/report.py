"""Writes the status of a service where it has changed, and posts the Events that the change is worth."""

from __future__ import annotations

import time

from whisper_operator.api import conditions as c
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import API_VERSION, KIND, Manifest, Metadata
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import WHISPER_SERVICE
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.reconcile.events import Recorder, transitions
from whisper_operator.status.assemble import as_json, kept_status
from whisper_operator.status.refused import Refusal


class Reporter:
    def __init__(self, cluster: Cluster, cache: ObjectCache, recorder: Recorder) -> None:
        self._cluster = cluster
        self._cache = cache
        self._recorder = recorder

    async def report(self, metadata: Manifest, before: Status, after: Status) -> bool:
        """Whether `after` differs from `before`, and so was written; raises ApiError.

        `metadata`: the service's own.
        """
        if after == before:
            return False
        await self._write(metadata, after)
        for note in transitions(before, after):
            await self._recorder.record(Metadata.model_validate(metadata), note, time.time())
        return True

    async def report_bug(self, body: Manifest, bug: Exception, now: str) -> None:
        """Says of the service in `body` that the operator itself failed; `now`: in RFC 3339. Raises ApiError.

        The operator's log and metrics are not where the users of a service look.
        """
        before, metadata = Status.model_validate(body.get("status", {})), body["metadata"]
        message = f"the operator failed by a bug of its own, and tries again: its log has the {type(bug).__name__}"
        told = [Refusal(None, "", c.INTERNAL_ERROR, message)]
        await self.report(metadata, before, kept_status(before, metadata["generation"], told, now))

    async def _write(self, metadata: Manifest, status: Status) -> None:
        """Writes the status; a service that does not exist is deleted from the cache.

        Neither our list nor kopf's shows a deletion between the two: the children would be created again and again.
        """
        name, namespace, uid = metadata["name"], metadata["namespace"], metadata["uid"]
        manifest = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": name, "namespace": namespace, "uid": uid},
            "status": as_json(status),
        }
        try:
            written = await self._cluster.apply(WHISPER_SERVICE, manifest, subresource="status")
        except ApiError as error:
            if error.status != 404:
                raise
            if error.is_not_found:
                self._cache.delete_service((namespace, name), uid)
        else:
            if not self._cluster.is_dry:
                self._cache.observe(written)
