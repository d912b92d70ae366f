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
from whisper_operator.reconcile.events import Recorder, Transition, transitions
from whisper_operator.status.assemble import as_json, kept_status
from whisper_operator.status.refused import Refusal

ASKED_IN: Final = ("labels", "annotations", "deletionTimestamp")
"""The fields of a service's metadata by which something is asked of us, as it is by the spec."""
TELLING_SECONDS: Final = 10.0
"""For the status and the Event that tell of a pass that has failed."""


class Reporter:
    def __init__(self, cluster: Cluster, cache: ObjectCache, recorder: Recorder) -> None:
        self._cluster = cluster
        self._cache = cache
        self._recorder = recorder

    async def report(self, body: Manifest, before: Status, after: Status) -> bool:
        """Whether `after` differs from `before`, and so was written; raises ApiError.

        `body`: the service as the pass took it up.
        """
        if after == before:
            return False
        about = Metadata.model_validate(body["metadata"])
        try:
            await self._write(body, after)
        except ApiError as error:
            # Where nothing else can tell it. A server that is overloaded is spared.
            if error.is_rejection or error.is_webhooks:
                await self._recorder.record(about, _not_written(error), time.time())
            raise
        for note in transitions(before, after):
            await self._recorder.record(about, note, time.time())
        return True

    async def report_failed_pass(self, body: Manifest, error: Exception, now: str) -> None:
        """Says of the service in `body` that the operator itself failed, or found no time; `now`: in RFC 3339.

        The operator's log and metrics are not where the users of a service look. Where that cannot be told either, the
        failure is what counts.
        """
        before = Status.model_validate(body.get("status", {}))
        after = kept_status(before, body["metadata"]["generation"], [_failed_pass(error)], now)
        with suppress(ApiError, TimeoutError):
            async with asyncio.timeout(TELLING_SECONDS):
                await self.report(body, before, after)

    async def _write(self, body: Manifest, status: Status) -> None:
        """Writes the status; a service that does not exist is deleted from the cache.

        Neither our list nor kopf's shows a deletion between the two: the children would be created again and again.
        """
        name, namespace, uid = (body["metadata"][field] for field in ("name", "namespace", "uid"))
        manifest = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": name, "namespace": namespace, "uid": uid},
            "status": as_json(status),
        }
        try:
            written = await self._cluster.apply(WHISPER_SERVICE, manifest, subresource="status")
        except ApiError as error:
            if error.status != 404 or error.is_denied:
                raise
            if error.is_not_found:
                self._cache.delete_service((namespace, name), uid)
        else:
            if not self._cluster.is_dry:
                self._take_in(written, body)

    def _take_in(self, written: Manifest, seen: Manifest) -> None:
        """Takes in what the API server made of the status; one more pass where more than that has changed.

        The watch event of a version that is known already wakes nobody. Nor does each event tell: a watch that was open
        before the CustomResourceDefinition got a field leaves it out (kube-apiserver 1.37.2,
        findings/kube-apiserver-watch-keeps-old-schema.sh).
        """
        if _asks_the_same(written, seen):
            self._cache.observe_answer((seen["metadata"]["namespace"], seen["metadata"]["name"]), written)
        else:
            self._cache.observe_change(written)


def _asks_the_same(written: Manifest, seen: Manifest) -> bool:
    """Whether nobody has changed the service since the pass took it up."""
    return written["spec"] == seen["spec"] and all(
        written["metadata"].get(name) == seen["metadata"].get(name) for name in ASKED_IN
    )


def _not_written(error: ApiError) -> Transition:
    return Transition("Warning", "StatusNotWritten", "Reconcile", f"the status could not be written: {error.message}")


def _failed_pass(error: Exception) -> Refusal:
    if isinstance(error, TimeoutError):
        message = (
            "a look at the service took too long and was ended, as where the API server answers slowly; it is repeated"
        )
        return Refusal(None, "", c.PASS_TIMED_OUT, message)
    message = f"the operator failed by a bug of its own, and tries again: its log has the {type(error).__name__}"
    return Refusal(None, "", c.INTERNAL_ERROR, message)
