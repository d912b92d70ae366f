"""Reasons of CacheAsSpecified, JobStorageAsSpecified and JobsVolatile: claims, and what is lost without one."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.conditions import types
from whisper_operator.api.registry import declare_reason

WAITING_FOR_VOLUME: Final = declare_reason(
    "WaitingForVolume",
    types.MODEL_CACHED,
    types.JOB_STORAGE_AS_SPECIFIED,
    meaning="The claim does not exist yet, or has no volume yet.",
    remedy="If it lasts: see the claim's events, and the provisioner of its StorageClass. Class, access mode and size "
    "may be corrected in the spec: the claim is made anew while it has no volume.",
)
VOLUME_LOST: Final = declare_reason(
    "VolumeLost",
    types.MODEL_CACHED,
    types.JOB_STORAGE_AS_SPECIFIED,
    meaning="The claim's PersistentVolume does not exist any more, and with it what was on it. Pods that run go on; no "
    "other one starts.",
    remedy="Restore the volume; or delete the claim: the operator makes another, and fetches the model again.",
    stalls=True,
)
STORAGE_CLASS_IMMUTABLE: Final = declare_reason(
    "StorageClassImmutable",
    types.CACHE_AS_SPECIFIED,
    types.JOB_STORAGE_AS_SPECIFIED,
    meaning="The claim has another class than the spec's `storageClassName`; it is fixed once the claim has a volume.",
    remedy="Name a claim of your own in `existingClaim`, or set the field back.",
)
CANNOT_GROW: Final = declare_reason(
    "CannotGrow",
    types.CACHE_AS_SPECIFIED,
    types.JOB_STORAGE_AS_SPECIFIED,
    meaning="The spec's `size` was raised, and the claim's StorageClass does not allow claims to grow.",
    remedy="Name a claim of your own in `existingClaim`, or set the field back.",
)
JOBS_IN_POD: Final = declare_reason(
    "JobsInPod",
    types.JOBS_VOLATILE,
    meaning="`spec.jobs.storage.type` is EmptyDir: recordings that wait and results that were not fetched are in a "
    "directory of the pod, and are lost with it, as at each change of its template, each drain and each eviction.",
    remedy="Write PersistentVolumeClaim to keep them.",
)
