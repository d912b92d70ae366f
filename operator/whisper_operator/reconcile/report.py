"""Writes the status of a service where it has changed, and posts the Events that the change is worth."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final

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

ASKED_IN: Final = ("generation", "labels", "annotations", "deletionTimestamp")
"""The fields of a service's metadata that differ where anything but its status does."""
TELLING_SECONDS: Final = 10.0
"""For the status and the Event that tell of a pass that has failed."""


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

    async def report_failed_pass(self, body: Manifest, error: Exception, now: str) -> None:
        """Says of the service in `body` that the operator itself failed, or found no time; `now`: in RFC 3339.

        The operator's log and metrics are not where the users of a service look. Where that cannot be told either, the
        failure is what counts.
        """
        before, metadata = Status.model_validate(body.get("status", {})), body["metadata"]
        after = kept_status(before, metadata["generation"], [_failed_pass(error)], now)
        with suppress(ApiError, TimeoutError):
            async with asyncio.timeout(TELLING_SECONDS):
                await self.report(metadata, before, after)

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
            if not self._cluster.is_dry and _is_as_it_was(written["metadata"], metadata):
                self._cache.observe_answer((namespace, name), written)


def _is_as_it_was(written: Manifest, seen: Manifest) -> bool:
    """Whether nobody has changed the service since the pass took it up; the metadata of both.

    A change that the answer was the first to show would not be new when its watch event comes, and no pass would follow
    it. It is left to that event.
    """
    return all(written.get(name) == seen.get(name) for name in ASKED_IN)


def _failed_pass(error: Exception) -> Refusal:
    if isinstance(error, TimeoutError):
        message = (
            "a look at the service took too long and was ended, as where the API server answers slowly; it is repeated"
        )
        return Refusal(None, "", c.PASS_TIMED_OUT, message)
    message = f"the operator failed by a bug of its own, and tries again: its log has the {type(error).__name__}"
    return Refusal(None, "", c.INTERNAL_ERROR, message)
