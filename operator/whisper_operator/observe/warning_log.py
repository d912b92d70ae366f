"""The newest Warning about each object of ours, of the Events that Kubernetes writes without end.

A Warning about an object of a service is kept for as long as that object and the Event are there. One about any other
object may have come before its object: the newest few are kept for a while, of all namespaces together.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import CLAIM, JOB, POD, SCALED_OBJECT
from whisper_operator.observe import pod_status
from whisper_operator.observe.facts import KubernetesWarning
from whisper_operator.observe.records import ObjectId

OTHERS_KEPT: Final = 1000
"""Newest warnings that are kept about objects of which it is not known that a service has them."""
TRIGGER_FAILED: Final = "KEDAScalerFailed"
"""Source: pkg/eventreason/eventreason.go of kedacore/keda."""
LONGEST_MESSAGE: Final = 1024
"""Characters, as the API server limits new Events: https://kubernetes.io/docs/reference/kubernetes-api/"""


class WarningLog:
    def __init__(self) -> None:
        self._ours: defaultdict[str, dict[tuple[str, str], KubernetesWarning]] = defaultdict(dict)
        """By namespace, then by kind and name."""
        self._others: OrderedDict[ObjectId, KubernetesWarning] = OrderedDict()

    def __len__(self) -> int:
        return len(self._others) + sum(map(len, self._ours.values()))

    def add(self, event: Manifest, *, is_ours: bool) -> bool:
        """Whether the Event says something that is kept: what no object's status does, and what is not known yet.

        `is_ours`: whether a service has the object that it is about.
        """
        about = event["involvedObject"]
        if event.get("type") != "Warning" or not _is_kept(about.get("kind"), event.get("reason")):
            return False
        at, warned = object_of(event), _warning(event)
        if at.kind == POD.kind and not _says_more(warned, self._known(at)):
            return False
        self._others.pop(at, None)
        if is_ours:
            self._ours[at.namespace][at.kind, at.name] = warned
            return True
        self._others[at] = warned
        if len(self._others) > OTHERS_KEPT:
            self._others.popitem(last=False)
        return True

    def expire(self, event: Manifest) -> None:
        """Takes in that the Event is there no more."""
        known = self._known(at := object_of(event))
        if known and known.event == event["metadata"]["name"]:
            self.forget(at)

    def adopt(self, at: ObjectId) -> None:
        """Takes in that a service has that object."""
        if warned := self._others.pop(at, None):
            self._ours[at.namespace][at.kind, at.name] = warned

    def forget(self, at: ObjectId) -> None:
        """Takes in that the object is there no more, or that no service has it any more."""
        self._others.pop(at, None)
        if of_namespace := self._ours.get(at.namespace):
            of_namespace.pop((at.kind, at.name), None)
            if not of_namespace:
                del self._ours[at.namespace]

    def of(self, namespace: str, claim: str | None = None) -> Mapping[tuple[str, str], KubernetesWarning]:
        """By kind and name: those about services' objects, and about `claim`, which no service has made."""
        found, warned = self._ours.get(namespace, {}), self._others.get(ObjectId(CLAIM.kind, namespace, claim or ""))
        return {**found, (CLAIM.kind, claim or ""): warned} if warned else found

    def _known(self, at: ObjectId) -> KubernetesWarning | None:
        return self._ours.get(at.namespace, {}).get((at.kind, at.name)) or self._others.get(at)


def object_of(event: Manifest) -> ObjectId:
    """The object that the Event is about."""
    about = event["involvedObject"]
    return ObjectId(about.get("kind", ""), about.get("namespace", ""), about.get("name", ""))


def _warning(event: Manifest) -> KubernetesWarning:
    metadata, message = event["metadata"], event.get("message", "")[:LONGEST_MESSAGE]
    uid, version = event["involvedObject"].get("uid", ""), int(metadata["resourceVersion"])
    return KubernetesWarning(uid, event.get("reason", ""), message, version, metadata["name"])


def _is_kept(kind: str | None, reason: str | None) -> bool:
    """Whether a Warning may say what no object's status does.

    A Job's status says nothing of pods it may not create, and KEDA's object not which trigger fails, and why.
    """
    of_reason = {JOB.kind: pod_status.FAILED_CREATE, SCALED_OBJECT.kind: TRIGGER_FAILED}
    return kind in (POD.kind, CLAIM.kind) or (kind in of_reason and reason == of_reason[kind])


def _says_more(warned: KubernetesWarning, known: KubernetesWarning | None) -> bool:
    """Whether a Warning about a pod says what its status does not, and what is not known already."""
    if warned.reason not in pod_status.TELLING:
        return False
    if known is None or known.uid != warned.uid:
        return True
    return warned.version > known.version and not warned.message.startswith(pod_status.TIMED_OUT)
