"""Kubernetes Events for changes of the status: choosing them is pure; posting them never holds up a pass."""

from __future__ import annotations

import datetime
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from whisper_operator.api import conditions as c
from whisper_operator.api.status import Condition, Status
from whisper_operator.api.v1alpha1 import API_VERSION, KIND, Manifest, Metadata
from whisper_operator.build import front
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT, Kind
from whisper_operator.objects.manifest import images_of
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.image import foreign_images
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.status.refused import ABOUT
from whisper_operator.telemetry import metrics

EVENT: Final = Kind("events.k8s.io/v1", "Event", "events")
NOTE_LIMIT: Final = 1000
"""The API server takes 1,024 bytes."""
FAILURES: Final = frozenset({c.APPLY_FAILED, c.BEING_DELETED, c.INTERNAL_ERROR, c.LOOKUP_FAILED, c.PASS_TIMED_OUT})
"""Reasons of Reconciling that are worth a Warning."""
OF_CHILDREN: Final = frozenset({c.APPLY_FAILED, c.BEING_DELETED, c.NOT_OWNED, c.REJECTED})
"""Reasons of a condition by which one child is not as the spec wants it."""
SERIES_SECONDS: Final = 600.0
REMEMBERED: Final = 1024
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Transition:
    type: Literal["Normal", "Warning"]
    reason: str
    action: str
    text: str


def transitions(before: Status, after: Status) -> Iterator[Transition]:
    """The Events that the step from one status to the next is worth: transitions, never a state."""
    was, now = _conditions(before), _conditions(after)
    ready, was_ready = now.get(c.READY), was.get(c.READY)
    if ready and ready.status == "True" and (was_ready is None or was_ready.status != "True"):
        yield Transition("Normal", c.READY, "Reconcile", ready.message or "the service is as its spec asks for")
    stalled, was_stalled = now.get(c.STALLED), was.get(c.STALLED)
    failing, was_failing = _failing(now), was.get(c.RECONCILING)
    if stalled and (was_stalled is None or was_stalled.reason != stalled.reason):
        yield Transition("Warning", stalled.reason, "Reconcile", stalled.message)
    elif ready and ready.status != "True" and was_ready and was_ready.status == "True" and not (stalled or failing):
        yield Transition("Normal", ready.reason, "Reconcile", ready.message)
    if failing and failing.reason != (was_failing.reason if was_failing else None):
        yield Transition("Warning", failing.reason, "Reconcile", failing.message)
    foremost = stalled or failing
    if foremost and foremost.reason in {one.reason for one in (was_stalled, was_failing) if one}:
        yield from _more_children(was, now)
    yield from _troubles(was, now)
    edited, was_edited = now.get(c.PODS_EDITED), was.get(c.PODS_EDITED)
    if edited and (was_edited is None or was_edited.message != edited.message):
        yield Transition("Warning", edited.reason, "Reconcile", edited.message)
    mutated, was_mutated = now.get(c.CHILDREN_MUTATED), was.get(c.CHILDREN_MUTATED)
    is_unseen = mutated and mutated.reason == c.LABEL_TAKEN_AWAY
    if mutated and is_unseen and (was_mutated is None or was_mutated.message != mutated.message):
        yield Transition("Warning", mutated.reason, "Reconcile", mutated.message)
    proof, was_proof = now.get(c.VERIFIED), was.get(c.VERIFIED)
    if proof and proof.status == "True" and (was_proof is None or was_proof.status != "True"):
        yield Transition("Normal", c.VERIFIED, "Verify", proof.message)
    yield from _of_pods(before, after, was.get(c.AWAKE), now.get(c.AWAKE))


def _of_pods(before: Status, after: Status, was: Condition | None, now: Condition | None) -> Iterator[Transition]:
    """Notes on which pods there are; `was`, `now`: whether the service is awake, where it may sleep."""
    if was and now and was.status != now.status:
        yield Transition("Normal", now.reason, "Scale", now.message)
    if after.model and before.model and before.model.name and after.model.digest != before.model.digest:
        text = f"the pods change from {before.model.name} to {after.model.name}"
        yield Transition("Normal", "ModelChanged", "Rollout", text)
    if after.rollout and before.rollout and after.rollout != before.rollout:
        text = f"{after.rollout.strategy}: {after.rollout.reason}"
        yield Transition("Normal", "RolloutDecided", "Rollout", text)


def _failing(now: dict[str, Condition]) -> Condition | None:
    """The condition that says what the pass could not do; None where it could do everything."""
    found = now.get(c.RECONCILING)
    return found if found and found.reason in FAILURES else None


def _more_children(was: dict[str, Condition], now: dict[str, Condition]) -> Iterator[Transition]:
    """Warnings about children that have come to be refused while another one was: Stalled names them all, and had
    its reason, and so its Event, before."""
    for kind in sorted(set(ABOUT.values())):
        found, before = now.get(kind), was.get(kind)
        if found and found.reason in OF_CHILDREN and (before is None or before.reason != found.reason):
            yield Transition("Warning", found.reason, "Reconcile", found.message)


def _troubles(was: dict[str, Condition], now: dict[str, Condition]) -> Iterator[Transition]:
    """Warnings about blocking conditions that are False for a new cause, where a pod or its model shows the cause."""
    waiting = {c.ROLLING_OUT, c.FETCHING, c.WAITING_FOR_MODEL, c.WAITING_FOR_VOLUME, c.WAITING_FOR_PREFLIGHT}
    for kind in (c.PREFLIGHT_PASSED, c.MODEL_CACHED, c.AVAILABLE, c.VERIFIED):
        found, before = now.get(kind), was.get(kind)
        is_new = found and found.status == "False" and (before is None or before.reason != found.reason)
        if found and is_new and found.reason not in waiting and c.STALLED not in now:
            yield Transition("Warning", found.reason, "Reconcile", found.message)


def images_put_back(before: Observed, resolved: Resolved) -> Iterator[Transition]:
    """A warning for each image of a Deployment that somebody else had chosen, and that this pass put back.

    `before`: what was live when the pass began; `resolved`: the value when it has applied everything.
    """
    if resolved.observed is before:  # nothing was applied: nothing need be built to know it
        return
    for name, wanted in _templates(resolved):
        live = resolved.observed.get(DEPLOYMENT, name)
        now = images_of(live["spec"]["template"]) if live else {}
        for container, image in foreign_images(before.get(DEPLOYMENT, name), wanted, resolved.service).items():
            if now and now.get(container) != image:
                text = (
                    f"Deployment {name} had image {image} in container {container}, which its spec does not name: it "
                    f"is put back to {now.get(container)}; to use another image, set spec.image"
                )
                yield Transition("Warning", "ImagePutBack", "Reconcile", text)


def _templates(resolved: Resolved) -> Iterator[tuple[str, Manifest]]:
    """Name and wanted template of each Deployment: of the pods that serve, and of the front."""
    if resolved.rollout is not None:
        yield resolved.service.metadata.name, resolved.rollout.template
    if (wanted := front.build(resolved)) is not None:
        yield wanted["metadata"]["name"], wanted["spec"]["template"]


class Recorder:
    """Posts transitions; the same one within ten minutes counts up its first Event."""

    def __init__(self, cluster: Cluster, instance: str) -> None:
        self._cluster = cluster
        self._instance = instance
        self._posted: OrderedDict[tuple[str, Transition], tuple[str, int, float]] = OrderedDict()
        """Name, count and time of the last Event of each note."""

    async def record(self, about: Metadata, note: Transition, now: float) -> None:
        """Posts `note` about a WhisperService; an Event that cannot be posted is counted and dropped."""
        key = (about.uid, note)
        name, count, last = self._posted.pop(key, ("", 0, 0.0))
        if not count or now - last > SERIES_SECONDS:
            digest = hashlib.sha256(f"{key}{now}".encode()).hexdigest()[:16]
            name, count = f"{about.name}.{digest}", 0
        try:
            if count:
                series = {"count": count + 1, "lastObservedTime": _micro(now)}
                metadata = {"name": name, "namespace": about.namespace}
                await self._cluster.merge(EVENT, {"metadata": metadata, "series": series})
            else:
                await self._cluster.create(EVENT, event(about, note, name, self._instance, now))
        except ApiError as error:
            metrics.EVENTS_DROPPED.inc()
            log.info("an Event was not posted: %s", error)
            return
        self._posted[key] = (name, count + 1, now)
        if len(self._posted) > REMEMBERED:
            self._posted.popitem(last=False)


def event(about: Metadata, note: Transition, name: str, instance: str, now: float) -> Manifest:
    """Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/"""
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"name": name, "namespace": about.namespace},
        "eventTime": _micro(now),
        "reportingController": f"{API_VERSION.partition('/')[0]}/{names.FIELD_MANAGER}",
        "reportingInstance": instance,
        "type": note.type,
        "reason": note.reason,
        "action": note.action,
        "note": _short(note.text),
        "regarding": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": about.name,
            "namespace": about.namespace,
            "uid": about.uid,
        },
    }


def _short(text: str) -> str:
    """At most NOTE_LIMIT bytes and an ellipsis."""
    kept = text.encode()[:NOTE_LIMIT].decode(errors="ignore")
    return text if kept == text else f"{kept}…"


def _conditions(status: Status) -> dict[str, Condition]:
    return {condition.type: condition for condition in status.conditions}


def _micro(now: float) -> str:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
