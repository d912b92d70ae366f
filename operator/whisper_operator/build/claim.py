"""The claim that caches models: it outlives pods and Jobs, and is shared by all of them."""

from __future__ import annotations

from typing import Any, Final

from whisper_operator.api.units import any_quantity, canonical_quantity
from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CLAIM
from whisper_operator.observe.installation import Env
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.preflight import checklist

AUTO_SIZE: Final = "10Gi"
"""Room for two of the largest checkpoints, so that a change of model never has to delete the old one first."""


def build(service: WhisperService, observed: Observed, env: Env) -> Manifest | None:
    spec, name = service.spec, names.models_claim(service.metadata.name)
    if spec.cache.type != "PersistentVolumeClaim" or spec.cache.existing_claim:
        return None
    live = observed.get(CLAIM, name)
    if live is None and checklist.holds(service, observed):
        return None
    return child(
        service,
        CLAIM,
        name,
        owned=spec.cache.retention == "Delete",
        spec=_grown(live["spec"], size(spec), is_bound(live) and can_grow(live, observed)) if live else _new(spec),
    )


def size(spec: Spec) -> str:
    return AUTO_SIZE if spec.cache.size == "auto" else canonical_quantity(spec.cache.size)


def can_run_many(spec: Spec) -> bool:
    """Whether more than one replica can run."""
    return (spec.autoscaling.max_replicas if spec.autoscaling else spec.replicas) > 1


def _new(spec: Spec) -> dict[str, Any]:
    mode = spec.cache.access_mode or ("ReadWriteMany" if can_run_many(spec) else "ReadWriteOnce")
    storage_class = spec.cache.storage_class_name
    return {
        "accessModes": [mode],
        "resources": {"requests": {"storage": size(spec)}},
        **({"storageClassName": storage_class} if storage_class is not None else {}),
    }


def is_bound(live: Manifest) -> bool:
    """Whether the claim has its volume; before, the API server refuses another size."""
    return live.get("status", {}).get("phase") == "Bound"


def can_grow(live: Manifest, observed: Observed) -> bool:
    """Whether the claim's class lets it grow; where classes may not be read, the API server says."""
    classes = observed.facts.storage_classes
    if classes is None:
        return True
    return bool(classes.get(live["spec"].get("storageClassName", ""), {}).get("allowVolumeExpansion"))


def _grown(live: dict[str, Any], wanted: str, can_grow: bool) -> dict[str, Any]:
    """What the live claim is, for modes and class are fixed once it exists; its size grows where it can."""
    there = live["resources"]["requests"]["storage"]
    return {
        "accessModes": live["accessModes"],
        "resources": {"requests": {"storage": max(there, wanted, key=any_quantity) if can_grow else there}},
        **({"storageClassName": live["storageClassName"]} if "storageClassName" in live else {}),
    }
