"""The number of pods in the hands of an autoscaler: handed over without a moment of the default, 1.

A field that an apply drops falls back to its default, so `replicas` would be 1 for a moment when autoscaling is
switched on: where our own apply holds it, it goes on doing so until a second field manager has taken the number over.
"""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.meta import unsealed_annotations
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT


def as_created(service: WhisperService, manifest: Manifest) -> Manifest:
    """The Deployment `manifest` as it is created: an autoscaler starts from its smallest number where that is not 1.

    Where it is, the field stays nobody's, and the first change needs no hand-over, which is a write of its own.
    """
    scaling = service.spec.autoscaling
    if scaling is None or service.spec.suspend or scaling.min_replicas <= 1:
        return manifest
    return _with_replicas(manifest, scaling.min_replicas)


def before_handover(manifest: Manifest, count: int) -> Manifest:
    """The Deployment `manifest` with that number of pods, and without the hash that says that all of it was applied.

    Whatever ends the hand-over before its last write, the hash is missing then, and the next pass begins with it anew.
    """
    metadata = {**manifest["metadata"], "annotations": unsealed_annotations(manifest)}
    return _with_replicas({**manifest, "metadata": metadata}, count)


def _with_replicas(manifest: Manifest, count: int) -> Manifest:
    return {**manifest, "spec": {**manifest["spec"], "replicas": count}}


def handover_replicas(service: WhisperService, live: Manifest) -> int | None:
    """The number to write beside the autoscaler's; None where it has the number already.

    Our own apply holds the number where it did not autoscale, and since creation where it began with more than one.
    At unsuspend it is the smallest one, because an autoscaler leaves a Deployment of no replicas alone.
    """
    scaling = service.spec.autoscaling
    if scaling is None or service.spec.suspend or not _holds_replicas(live):
        return None
    return live["spec"].get("replicas", 1) or max(1, scaling.min_replicas)


def handover(service: WhisperService, count: int) -> Manifest:
    """The Deployment as the second field manager applies it."""
    return {
        "apiVersion": DEPLOYMENT.api_version,
        "kind": DEPLOYMENT.kind,
        "metadata": {"name": service.metadata.name, "namespace": service.metadata.namespace},
        "spec": {"replicas": count},
    }


def _holds_replicas(live: Manifest) -> bool:
    """Whether the operator's own apply holds the number."""
    return any(
        "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        for entry in live["metadata"].get("managedFields", ())
        if entry["manager"] == names.FIELD_MANAGER and not entry.get("subresource")
    )
