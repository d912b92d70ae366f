"""Reasons of PreflightPassed: what pods need that is missing, or not as it has to be."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.conditions import types
from whisper_operator.api.registry import declare_reason

CHECKS_PASSED: Final = declare_reason(
    "ChecksPassed", types.PREFLIGHT_PASSED, types.VERIFIED, meaning="Every check passed."
)
SECRET_NOT_FOUND: Final = declare_reason(
    "SecretNotFound",
    types.PREFLIGHT_PASSED,
    meaning="The Secret that `spec.auth.secretRef` or `spec.jobs.webhooks.secretRef` names does not exist.",
    remedy="Create it: with a client's name as each key and that client's API key as its value; for webhooks, with a "
    "value such as `echo whsec_$(openssl rand -base64 32)` prints.",
    stalls=True,
)
SERVICE_ACCOUNT_NOT_FOUND: Final = declare_reason(
    "ServiceAccountNotFound",
    types.PREFLIGHT_PASSED,
    meaning="The ServiceAccount that `spec.serviceAccount.name` names does not exist.",
    remedy="Create it, or remove `spec.serviceAccount.create` for the operator to create it.",
    stalls=True,
)
SECRET_EMPTY: Final = declare_reason(
    "SecretEmpty",
    types.PREFLIGHT_PASSED,
    meaning="The Secret that `spec.auth.secretRef` or `spec.jobs.webhooks.secretRef` names has no keys.",
    remedy="Add a client's name as a key and that client's API key as its value; for webhooks, a value such as "
    "`echo whsec_$(openssl rand -base64 32)` prints.",
    stalls=True,
)
SOURCE_SECRET_INVALID: Final = declare_reason(
    "SourceSecretInvalid",
    types.PREFLIGHT_PASSED,
    meaning="The Secret that `secretRef` or `urlSecretKeyRef` of `spec.model.source`, or of "
    "`spec.diarization.model.source`, names does not exist, or lacks keys.",
    remedy="Create it with the keys that the message names.",
    stalls=True,
)
SOURCE_CA_INVALID: Final = declare_reason(
    "SourceCaInvalid",
    types.PREFLIGHT_PASSED,
    meaning="The ConfigMap of certificate authorities that the spec names does not exist, or lacks the key.",
    remedy="Create it with the certificate authority in PEM under that key, or correct the field.",
    stalls=True,
)
STORE_SECRET_INVALID: Final = declare_reason(
    "StoreSecretInvalid",
    types.PREFLIGHT_PASSED,
    meaning="The Secret or ConfigMap that `spec.redis` or `spec.jobs.storage.s3` names does not exist, or lacks the "
    "key; pods run without it.",
    remedy="Create it with the key that the message names.",
)
VERIFICATION_AUDIO_INVALID: Final = declare_reason(
    "VerificationAudioInvalid",
    types.PREFLIGHT_PASSED,
    meaning="The ConfigMap that `spec.verification.audio` names does not exist, or lacks the key.",
    remedy="Create it with the recording under that key, or correct the field.",
    stalls=True,
)
SOURCE_CLAIM_NOT_FOUND: Final = declare_reason(
    "SourceClaimNotFound",
    types.PREFLIGHT_PASSED,
    meaning="The claim that the pvc:// URL of `spec.model.source` or `spec.diarization.model.source` names does not "
    "exist.",
    remedy="Create the claim, or correct the URL.",
    stalls=True,
)
CLAIM_NOT_FOUND: Final = declare_reason(
    "ClaimNotFound",
    types.PREFLIGHT_PASSED,
    meaning="The claim that `spec.cache.existingClaim` or `spec.jobs.storage.existingClaim` names does not exist.",
    remedy="Create the claim, or remove the field.",
    stalls=True,
)
STORAGE_CLASS_NOT_FOUND: Final = declare_reason(
    "StorageClassNotFound",
    types.PREFLIGHT_PASSED,
    meaning="`storageClassName` of `spec.cache` or `spec.jobs.storage` names no StorageClass of the cluster, or is "
    "absent and there is no default.",
    remedy="Name one of the classes that the message lists.",
    stalls=True,
)
JOB_STORAGE_UNSAFE: Final = declare_reason(
    "JobStorageUnsafe",
    types.PREFLIGHT_PASSED,
    meaning="The claim of jobs can be mounted on many nodes, or its StorageClass makes network file systems. The jobs' "
    "SQLite database is not safe there.",
    remedy="Name a class of disks in `spec.jobs.storage.storageClassName`, or a ReadWriteOnce claim in "
    "`spec.jobs.storage.existingClaim`.",
    stalls=True,
)
CACHE_TOO_SMALL: Final = declare_reason(
    "CacheTooSmall",
    types.PREFLIGHT_PASSED,
    meaning="`spec.cache.size` is smaller than the model's checkpoint.",
    remedy="Raise it to twice the checkpoint's size, so that a change of the model needs no gap.",
    stalls=True,
)
ACCESS_MODE_TOO_NARROW: Final = declare_reason(
    "AccessModeTooNarrow",
    types.PREFLIGHT_PASSED,
    types.CACHE_AS_SPECIFIED,
    types.JOB_STORAGE_AS_SPECIFIED,
    meaning="The claim's access mode does not let all pods mount it where they have to run, or differs from "
    "`spec.cache.accessMode`; it is fixed once the claim has a volume.",
    remedy="Run one replica; set `spec.cache.accessMode` to ReadWriteMany before the claim has a volume; or name such "
    "a claim in `spec.cache.existingClaim`.",
    stalls=True,
)
FETCH_BLOCKED: Final = declare_reason(
    "FetchBlocked",
    types.PREFLIGHT_PASSED,
    meaning="Each pod fetches the model (`spec.cache.type: EmptyDir`), and `spec.networkPolicy` allows it only DNS.",
    remedy="Add the model's source to `spec.networkPolicy.allowTo`, or use PersistentVolumeClaim.",
    stalls=True,
)
PULL_SECRET_INVALID: Final = declare_reason(
    "PullSecretInvalid",
    types.PREFLIGHT_PASSED,
    meaning="A Secret that `spec.image.pullSecrets` names does not exist, or has no registry credentials.",
    remedy="Create it by `kubectl create secret docker-registry`.",
    stalls=True,
)
TLS_SECRET_INVALID: Final = declare_reason(
    "TlsSecretInvalid",
    types.PREFLIGHT_PASSED,
    meaning="The Secret that `spec.ingress.tls.secretName` names does not exist, or lacks tls.crt or tls.key.",
    remedy="Create it by `kubectl create secret tls`, or name an issuer in `spec.ingress.tls.clusterIssuer` or "
    "`issuerRef`.",
)
HOST_TAKEN: Final = declare_reason(
    "HostTaken",
    types.PREFLIGHT_PASSED,
    types.EXPOSED,
    meaning="Another Ingress of the same class has a host and path of `spec.ingress`.",
    remedy="Choose another host or path, or remove that Ingress.",
    stalls=True,
)
GPU_NOT_FOUND: Final = declare_reason(
    "GpuNotFound",
    types.PREFLIGHT_PASSED,
    meaning="No node that the pods may run on offers the resource of `spec.gpu.resourceName`, or a device for "
    "`spec.gpu.claim`.",
    remedy="Install the device plugin or driver, add such a node, correct `spec.scheduling`, or remove `spec.gpu`.",
)
GPU_CLAIM_INVALID: Final = declare_reason(
    "GpuClaimInvalid",
    types.PREFLIGHT_PASSED,
    meaning="The ResourceClaimTemplate that `spec.gpu.claim` names, or the DeviceClass that it names, does not exist.",
    remedy="Create the template, install the GPU's driver, or ask by `spec.gpu.resourceName`.",
    stalls=True,
)
INSUFFICIENT_GPU: Final = declare_reason(
    "InsufficientGpu",
    types.PREFLIGHT_PASSED,
    meaning="The nodes that the pods may run on have fewer GPUs in all than the replicas need.",
    remedy="Add nodes, or lower `spec.replicas` or `spec.autoscaling.minReplicas`.",
)
GPU_MEMORY_TOO_SMALL: Final = declare_reason(
    "GpuMemoryTooSmall",
    types.PREFLIGHT_PASSED,
    meaning="The model does not fit into the memory of any GPU that the pods may run on.",
    remedy="Choose a smaller model, float16, or nodes with larger GPUs.",
    stalls=True,
)
INSUFFICIENT_MEMORY: Final = declare_reason(
    "InsufficientMemory",
    types.PREFLIGHT_PASSED,
    meaning="A pod requests more memory than the largest node that it may run on has.",
    remedy="Choose a smaller model or larger nodes, or set `spec.resources.requests.memory`.",
)
INSUFFICIENT_CPU: Final = declare_reason(
    "InsufficientCpu",
    types.PREFLIGHT_PASSED,
    meaning="A pod requests more CPU than the largest node that it may run on has.",
    remedy="Choose larger nodes, or set `spec.resources.requests.cpu`.",
)
QUOTA_EXCEEDED: Final = declare_reason(
    "QuotaExceeded",
    types.PREFLIGHT_PASSED,
    meaning="A ResourceQuota of the namespace leaves no room for the missing pods.",
    remedy="Raise the quota, or lower `spec.replicas` or `spec.resources`.",
)
QUOTA_NEEDS_RESOURCES: Final = declare_reason(
    "QuotaNeedsResources",
    types.PREFLIGHT_PASSED,
    meaning="A ResourceQuota of the namespace wants a request or limit of every container, and one of ours has none.",
    remedy="Set the field that the message names, or let a LimitRange give a default.",
    stalls=True,
)
LIMIT_RANGE_VIOLATED: Final = declare_reason(
    "LimitRangeViolated",
    types.PREFLIGHT_PASSED,
    meaning="A container's or pod's requests or limits are outside a LimitRange of the namespace.",
    remedy="Set the field that the message names within it.",
    stalls=True,
)
