"""The conditions of a WhisperService: their types and reasons, and the time at which one last changed.

A new condition type or reason is one entry here; `make gen` writes docs/reference/conditions.md from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from whisper_operator.api.registry import ConditionReason, ConditionType, declare_reason, declare_type
from whisper_operator.api.status import LONGEST_MESSAGE, Condition, ConditionStatus, is_reason

CONDITION_TYPES: Final[dict[str, ConditionType]] = {}
REASONS: Final[dict[str, ConditionReason]] = {}
"""The operator's own reasons, by name; external_reasons.py adds those of other programs."""
_type = partial(declare_type, CONDITION_TYPES)
_reason = partial(declare_reason, REASONS)

READY: Final = _type("Ready", "The pods that the spec promises accept requests, with a model that is proven.")
RECONCILING: Final = _type(
    "Reconciling",
    "The operator or Kubernetes is working towards the spec, or will be once a pause ends; present only while True.",
)
STALLED: Final = _type(
    "Stalled", "The service cannot follow its spec until a user changes something; present only while True."
)
PREFLIGHT_PASSED: Final = _type("PreflightPassed", "No check of what pods need found a problem.")
MODEL_CACHED: Final = _type("ModelCached", "The wanted model's checkpoint is where the pods read it.")
AVAILABLE: Final = _type(
    "Available", "As many pods as the spec promises accept requests, with a model that is proven.", blocks_ready=True
)
ROLLED_OUT: Final = _type("RolledOut", "Every pod that is wanted is available and up to date.")
VERIFIED: Final = _type(
    "Verified",
    "Real requests verified the rollout; present only with `spec.verification`. It blocks Ready until the first proof.",
    blocks_ready=True,
)
FRONT_READY: Final = _type(
    "FrontReady", "Every pod of the front is available and up to date; present only where there is a front."
)
EXPOSED: Final = _type(
    "Exposed",
    "The Ingress, HTTPRoute or load balancer works; present only if the spec asks for one.",
)
MONITORED: Final = _type(
    "Monitored", "The objects of `spec.monitoring` are applied; present only if the spec asks for one."
)
AWAKE: Final = _type(
    "Awake",
    "Pods that serve are wanted; present only where the operator itself scales to zero. It changes when the last ones "
    "end and when the first is started.",
)
AUTOSCALING_ACTIVE: Final = _type("AutoscalingActive", "The autoscaler works; present only with `spec.autoscaling`.")
PROTECTED: Final = _type(
    "Protected",
    "The PodDisruptionBudget and the NetworkPolicy are applied; present only if one of them is wanted.",
)
ACCELERATOR_IN_USE: Final = _type(
    "AcceleratorInUse", "Every ready pod runs its model on its GPU; present only with `spec.gpu`."
)
COMPUTE_TYPE_FAST: Final = _type(
    "ComputeTypeFast",
    "The pods' processors are faster in `spec.computeType` than in float32; present only with bfloat16 on a CPU.",
)
CACHE_AS_SPECIFIED: Final = _type(
    "CacheAsSpecified",
    "Never True: the condition is present only while the claim differs from `spec.cache` and cannot be changed to it.",
)
JOB_STORAGE_AS_SPECIFIED: Final = _type(
    "JobStorageAsSpecified",
    "Never True: the condition is present only while the claim of jobs differs from `spec.jobs.storage` and cannot be "
    "changed to it, or gets no volume.",
)
JOBS_VOLATILE: Final = _type(
    "JobsVolatile", "Jobs that were accepted are lost with their pod; present only while True."
)
STORE_USABLE: Final = _type(
    "StoreUsable",
    "Every pod counts in the Valkey or Redis that the pods share; present only with `spec.redis`.",
)
REPLICAS_CONTESTED: Final = _type(
    "ReplicasContested",
    "Another autoscaler writes the number of pods that `spec.replicas` sets; present only while True.",
)
CHILDREN_MUTATED: Final = _type(
    "ChildrenMutated",
    "Admission policies or other controllers keep children from being as the operator applies them; present only while "
    "True.",
)
PODS_EDITED: Final = _type(
    "PodsEdited", "Somebody has changed the image of a pod itself, beside the Deployment; present only while True."
)
PAUSED: Final = _type("Paused", "The operator changes no object, as `spec.paused` says; present only while True.")
CLIENTS_TOLD_APART: Final = _type(
    "ClientsToldApart",
    "Never True: the condition is present only while `spec.rateLimit` counts all clients behind a proxy as one.",
)
RUNTIME_UPDATE_AVAILABLE: Final = _type(
    "RuntimeUpdateAvailable", "The operator's default image is newer than the pods'; present only while True."
)

# Ready, Reconciling and Stalled

AS_SPECIFIED: Final = _reason(
    "AsSpecified",
    READY,
    AVAILABLE,
    ROLLED_OUT,
    FRONT_READY,
    meaning="The spec is carried out, and its pods accept requests.",
)
SERVING: Final = _reason(
    "Serving",
    READY,
    meaning="The promised pods accept requests, and something of the spec is not done: see Reconciling or Stalled.",
    remedy="Remedy the reason that the message names.",
)
SUSPENDED: Final = _reason(
    "Suspended",
    READY,
    meaning="`spec.suspend` is true and no pod runs.",
    remedy="Set `spec.suspend` to false to serve.",
)
SUSPENDING: Final = _reason("Suspending", READY, meaning="`spec.suspend` is true and pods are terminating.")
MODEL_CHANGING: Final = _reason(
    "ModelChanging", READY, meaning="The previous model serves while the wanted one is fetched or rolled out."
)
MODEL_CHANGE_FAILED: Final = _reason(
    "ModelChangeFailed",
    READY,
    meaning="The wanted model could not be fetched, or pods did not become ready with it; the previous one serves. "
    "The message has the reason of the failure.",
    remedy="Remedy that reason, or set `spec.model` back. Any change of the pods' fields tries again.",
)
NOT_READY_IN_TIME: Final = _reason(
    "NotReadyInTime",
    READY,
    meaning="Pods with the wanted model made no progress in time; stands in the message of ModelChangeFailed.",
    remedy="See the pods' logs and events; then change the spec, or set `spec.model` back.",
)
INVALID_SPEC: Final = _reason(
    "InvalidSpec",
    READY,
    meaning="The spec violates a rule of this version, which may be newer than the object.",
    remedy="Correct the fields that the message names.",
    stalls=True,
)
NOT_IMPLEMENTED: Final = _reason(
    "NotImplemented",
    READY,
    meaning="The spec sets a field that this version does not implement.",
    remedy="Remove the fields that the message names.",
    stalls=True,
)
POLICY_VIOLATED: Final = _reason(
    "PolicyViolated",
    READY,
    PREFLIGHT_PASSED,
    meaning="The spec asks for what the policy of the operator's installation does not allow (its chart's `policy`).",
    remedy="Change the fields that the message names, or ask the operator's administrators for the setting.",
    stalls=True,
)
NOT_OWNED: Final = _reason(
    "NotOwned",
    STALLED,
    CACHE_AS_SPECIFIED,
    JOB_STORAGE_AS_SPECIFIED,
    ROLLED_OUT,
    EXPOSED,
    MONITORED,
    AUTOSCALING_ACTIVE,
    PROTECTED,
    meaning="An object with the name of a child exists and belongs to something else.",
    remedy="Delete or rename that object, or give the WhisperService another name.",
    stalls=True,
)
REJECTED: Final = _reason(
    "Rejected",
    STALLED,
    ROLLED_OUT,
    EXPOSED,
    MONITORED,
    AUTOSCALING_ACTIVE,
    PROTECTED,
    CACHE_AS_SPECIFIED,
    JOB_STORAGE_AS_SPECIFIED,
    meaning="The API server refuses a child, as invalid or by an admission policy.",
    remedy="Correct the field that the message names, often in `spec.podTemplate`, or change the policy.",
    stalls=True,
)

APPLY_FAILED: Final = _reason(
    "ApplyFailed",
    RECONCILING,
    READY,
    ROLLED_OUT,
    EXPOSED,
    MONITORED,
    AUTOSCALING_ACTIVE,
    PROTECTED,
    CACHE_AS_SPECIFIED,
    JOB_STORAGE_AS_SPECIFIED,
    meaning="The API server could not take a child: its admission webhook is down, or it is overloaded. The other "
    "children go on; the message names the child and the cause. Ready is False only where the service cannot serve "
    "without the child.",
    remedy="Mend what the message names. The operator tries again within two minutes.",
)
BEING_DELETED: Final = _reason(
    "BeingDeleted",
    RECONCILING,
    ROLLED_OUT,
    EXPOSED,
    MONITORED,
    AUTOSCALING_ACTIVE,
    PROTECTED,
    CACHE_AS_SPECIFIED,
    JOB_STORAGE_AS_SPECIFIED,
    meaning="A finalizer keeps a child that is being deleted. If somebody has deleted one that the spec wants, it can "
    "neither be changed nor made again until it is gone; one that the spec does not want any more is told after 30 s, "
    "and has effect until it is gone: an Ingress keeps its host.",
    remedy="See to what the finalizers that the message names wait for.",
)
LOOKUP_FAILED: Final = _reason(
    "LookupFailed",
    RECONCILING,
    READY,
    meaning="An object that the spec names could not be read, so its check is left out; everything that does not "
    "depend on it goes on.",
    remedy="Let the operator `get` what the message names. It tries again within two minutes.",
)

INTERNAL_ERROR: Final = _reason(
    "InternalError",
    RECONCILING,
    READY,
    meaning="The operator failed by a bug of its own while it looked at the service: nothing was judged, and all other "
    "conditions are those of before.",
    remedy="See the operator's log for the error, and report it. The operator tries again within two minutes.",
)
PASS_TIMED_OUT: Final = _reason(
    "PassTimedOut",
    RECONCILING,
    READY,
    meaning="The operator ended a look at the service after a minute: nothing was judged, and all other conditions are "
    "those of before. Most often the API server, or an admission webhook, answers slowly.",
    remedy="See how long the API server takes. The operator tries again within two minutes.",
)

# PreflightPassed

CHECKS_PASSED: Final = _reason("ChecksPassed", PREFLIGHT_PASSED, VERIFIED, meaning="Every check passed.")
SECRET_NOT_FOUND: Final = _reason(
    "SecretNotFound",
    PREFLIGHT_PASSED,
    meaning="The Secret that `spec.auth.secretRef` or `spec.jobs.webhooks.secretRef` names does not exist.",
    remedy="Create it: with a client's name as each key and that client's API key as its value; for webhooks, with a "
    "value such as `echo whsec_$(openssl rand -base64 32)` prints.",
    stalls=True,
)
SERVICE_ACCOUNT_NOT_FOUND: Final = _reason(
    "ServiceAccountNotFound",
    PREFLIGHT_PASSED,
    meaning="The ServiceAccount that `spec.serviceAccount.name` names does not exist.",
    remedy="Create it, or remove `spec.serviceAccount.create` for the operator to create it.",
    stalls=True,
)
SECRET_EMPTY: Final = _reason(
    "SecretEmpty",
    PREFLIGHT_PASSED,
    meaning="The Secret that `spec.auth.secretRef` or `spec.jobs.webhooks.secretRef` names has no keys.",
    remedy="Add a client's name as a key and that client's API key as its value; for webhooks, a value such as "
    "`echo whsec_$(openssl rand -base64 32)` prints.",
    stalls=True,
)
SOURCE_SECRET_INVALID: Final = _reason(
    "SourceSecretInvalid",
    PREFLIGHT_PASSED,
    meaning="The Secret that `spec.model.source.secretRef` or `urlSecretKeyRef` names does not exist, or lacks keys.",
    remedy="Create it with the keys that the message names.",
    stalls=True,
)
SOURCE_CA_INVALID: Final = _reason(
    "SourceCaInvalid",
    PREFLIGHT_PASSED,
    meaning="The ConfigMap of certificate authorities that the spec names does not exist, or lacks the key.",
    remedy="Create it with the certificate authority in PEM under that key, or correct the field.",
    stalls=True,
)
STORE_SECRET_INVALID: Final = _reason(
    "StoreSecretInvalid",
    PREFLIGHT_PASSED,
    meaning="The Secret or ConfigMap that `spec.redis` names does not exist, or lacks the key; pods run without it.",
    remedy="Create it with the key that the message names.",
)
VERIFICATION_AUDIO_INVALID: Final = _reason(
    "VerificationAudioInvalid",
    PREFLIGHT_PASSED,
    meaning="The ConfigMap that `spec.verification.audio` names does not exist, or lacks the key.",
    remedy="Create it with the recording under that key, or correct the field.",
    stalls=True,
)
SOURCE_CLAIM_NOT_FOUND: Final = _reason(
    "SourceClaimNotFound",
    PREFLIGHT_PASSED,
    meaning="The claim that the pvc:// URL of `spec.model.source` names does not exist.",
    remedy="Create the claim, or correct the URL.",
    stalls=True,
)
CLAIM_NOT_FOUND: Final = _reason(
    "ClaimNotFound",
    PREFLIGHT_PASSED,
    meaning="The claim that `spec.cache.existingClaim` or `spec.jobs.storage.existingClaim` names does not exist.",
    remedy="Create the claim, or remove the field.",
    stalls=True,
)
STORAGE_CLASS_NOT_FOUND: Final = _reason(
    "StorageClassNotFound",
    PREFLIGHT_PASSED,
    meaning="`storageClassName` of `spec.cache` or `spec.jobs.storage` names no StorageClass of the cluster, or is "
    "absent and there is no default.",
    remedy="Name one of the classes that the message lists.",
    stalls=True,
)
JOB_STORAGE_UNSAFE: Final = _reason(
    "JobStorageUnsafe",
    PREFLIGHT_PASSED,
    meaning="The claim of jobs can be mounted on many nodes, or its StorageClass makes network file systems. The jobs' "
    "SQLite database is not safe there.",
    remedy="Name a class of disks in `spec.jobs.storage.storageClassName`, or a ReadWriteOnce claim in "
    "`spec.jobs.storage.existingClaim`.",
    stalls=True,
)
CACHE_TOO_SMALL: Final = _reason(
    "CacheTooSmall",
    PREFLIGHT_PASSED,
    meaning="`spec.cache.size` is smaller than the model's checkpoint.",
    remedy="Raise it to twice the checkpoint's size, so that a change of the model needs no gap.",
    stalls=True,
)
FETCH_BLOCKED: Final = _reason(
    "FetchBlocked",
    PREFLIGHT_PASSED,
    meaning="Each pod fetches the model (`spec.cache.type: EmptyDir`), and `spec.networkPolicy` allows it only DNS.",
    remedy="Add the model's source to `spec.networkPolicy.allowTo`, or use PersistentVolumeClaim.",
    stalls=True,
)
PULL_SECRET_INVALID: Final = _reason(
    "PullSecretInvalid",
    PREFLIGHT_PASSED,
    meaning="A Secret that `spec.image.pullSecrets` names does not exist, or has no registry credentials.",
    remedy="Create it by `kubectl create secret docker-registry`.",
    stalls=True,
)
TLS_SECRET_INVALID: Final = _reason(
    "TlsSecretInvalid",
    PREFLIGHT_PASSED,
    meaning="The Secret that `spec.ingress.tls.secretName` names does not exist, or lacks tls.crt or tls.key.",
    remedy="Create it by `kubectl create secret tls`, or name an issuer in `spec.ingress.tls.clusterIssuer` or "
    "`issuerRef`.",
)
HOST_TAKEN: Final = _reason(
    "HostTaken",
    PREFLIGHT_PASSED,
    EXPOSED,
    meaning="Another Ingress of the same class has a host and path of `spec.ingress`.",
    remedy="Choose another host or path, or remove that Ingress.",
    stalls=True,
)
ONE_ADDRESS_FOR_ALL: Final = _reason(
    "OneAddressForAll",
    CLIENTS_TOLD_APART,
    meaning="Clients without API keys are told apart by their addresses, and what they come through hides those.",
    remedy="Name the proxies' networks in `spec.server.trustedProxies`, give clients API keys by `spec.auth`, or let "
    "a load balancer keep the addresses by `spec.service.externalTrafficPolicy: Local`.",
)
ACCESS_MODE_TOO_NARROW: Final = _reason(
    "AccessModeTooNarrow",
    PREFLIGHT_PASSED,
    CACHE_AS_SPECIFIED,
    JOB_STORAGE_AS_SPECIFIED,
    meaning="The claim's access mode does not let all pods mount it where they have to run, or differs from "
    "`spec.cache.accessMode`; it is fixed once the claim has a volume.",
    remedy="Run one replica; set `spec.cache.accessMode` to ReadWriteMany before the claim has a volume; or name such "
    "a claim in `spec.cache.existingClaim`.",
    stalls=True,
)
GPU_NOT_FOUND: Final = _reason(
    "GpuNotFound",
    PREFLIGHT_PASSED,
    meaning="No node that the pods may run on offers the resource of `spec.gpu.resourceName`, or a device for "
    "`spec.gpu.claim`.",
    remedy="Install the device plugin or driver, add such a node, correct `spec.scheduling`, or remove `spec.gpu`.",
)
GPU_CLAIM_INVALID: Final = _reason(
    "GpuClaimInvalid",
    PREFLIGHT_PASSED,
    meaning="The ResourceClaimTemplate that `spec.gpu.claim` names, or the DeviceClass that it names, does not exist.",
    remedy="Create the template, install the GPU's driver, or ask by `spec.gpu.resourceName`.",
    stalls=True,
)
INSUFFICIENT_GPU: Final = _reason(
    "InsufficientGpu",
    PREFLIGHT_PASSED,
    meaning="The nodes that the pods may run on have fewer GPUs in all than the replicas need.",
    remedy="Add nodes, or lower `spec.replicas` or `spec.autoscaling.minReplicas`.",
)
GPU_MEMORY_TOO_SMALL: Final = _reason(
    "GpuMemoryTooSmall",
    PREFLIGHT_PASSED,
    meaning="The model does not fit into the memory of any GPU that the pods may run on.",
    remedy="Choose a smaller model, float16, or nodes with larger GPUs.",
    stalls=True,
)
INSUFFICIENT_MEMORY: Final = _reason(
    "InsufficientMemory",
    PREFLIGHT_PASSED,
    meaning="A pod requests more memory than the largest node that it may run on has.",
    remedy="Choose a smaller model or larger nodes, or set `spec.resources.requests.memory`.",
)
INSUFFICIENT_CPU: Final = _reason(
    "InsufficientCpu",
    PREFLIGHT_PASSED,
    meaning="A pod requests more CPU than the largest node that it may run on has.",
    remedy="Choose larger nodes, or set `spec.resources.requests.cpu`.",
)
QUOTA_EXCEEDED: Final = _reason(
    "QuotaExceeded",
    PREFLIGHT_PASSED,
    meaning="A ResourceQuota of the namespace leaves no room for the missing pods.",
    remedy="Raise the quota, or lower `spec.replicas` or `spec.resources`.",
)
QUOTA_NEEDS_RESOURCES: Final = _reason(
    "QuotaNeedsResources",
    PREFLIGHT_PASSED,
    meaning="A ResourceQuota of the namespace wants a request or limit of every container, and one of ours has none.",
    remedy="Set the field that the message names, or let a LimitRange give a default.",
    stalls=True,
)
LIMIT_RANGE_VIOLATED: Final = _reason(
    "LimitRangeViolated",
    PREFLIGHT_PASSED,
    meaning="A container's or pod's requests or limits are outside a LimitRange of the namespace.",
    remedy="Set the field that the message names within it.",
    stalls=True,
)

# ModelCached

CACHED: Final = _reason("Cached", MODEL_CACHED, meaning="The claim has the checkpoint, and its digest was checked.")
IN_IMAGE: Final = _reason(
    "InImage", MODEL_CACHED, meaning="The pods' image contains the checkpoint, or one that they mount."
)
FETCHED_BY_EACH_POD: Final = _reason(
    "FetchedByEachPod", MODEL_CACHED, meaning="Each pod fetches the checkpoint when it starts."
)
FETCHING: Final = _reason("Fetching", MODEL_CACHED, meaning="The prefetch Job downloads or checks the checkpoint.")
WAITING_FOR_VOLUME: Final = _reason(
    "WaitingForVolume",
    MODEL_CACHED,
    JOB_STORAGE_AS_SPECIFIED,
    meaning="The claim does not exist yet, or has no volume yet.",
    remedy="If it lasts: see the claim's events, and the provisioner of its StorageClass. Class, access mode and size "
    "may be corrected in the spec: the claim is made anew while it has no volume.",
)

# Available

WAITING_FOR_PREFLIGHT: Final = _reason(
    "WaitingForPreflight",
    AVAILABLE,
    meaning="No pod is started while a check of PreflightPassed holds it back.",
    remedy="Remedy the reason of PreflightPassed.",
)
WAITING_FOR_MODEL: Final = _reason("WaitingForModel", AVAILABLE, meaning="Pods are started once ModelCached is True.")
ROLLING_OUT: Final = _reason(
    "RollingOut", AVAILABLE, ROLLED_OUT, FRONT_READY, meaning="Pods are being started or replaced."
)
SCALED_TO_ZERO: Final = _reason(
    "ScaledToZero",
    READY,
    AVAILABLE,
    ROLLED_OUT,
    AUTOSCALING_ACTIVE,
    meaning="No pod is wanted. Under Ready: the front takes requests, and the next one starts a pod.",
    remedy="To serve without a front: scale up by `kubectl scale`.",
)
WAKING: Final = _reason(
    "Waking",
    READY,
    meaning="The first pod is being started; the front holds requests until it is ready.",
    remedy="If it lasts: see Available, and the pod.",
)
NO_WAY_IN: Final = _reason(
    "NoWayIn",
    AVAILABLE,
    meaning="No pod serves, and no pod of the front is ready to take requests.",
    remedy="If it lasts: remedy the reason of FrontReady.",
)
CREATE_FAILED: Final = _reason(
    "CreateFailed",
    AVAILABLE,
    MODEL_CACHED,
    meaning="Kubernetes may not create a pod: by a quota, an admission policy, or a class that does not exist.",
    remedy="Remedy what the message names.",
)
UNSCHEDULABLE: Final = _reason(
    "Unschedulable",
    AVAILABLE,
    MODEL_CACHED,
    meaning="No node fits a pod at this moment; the message has the scheduler's count of nodes.",
    remedy="Free or add nodes, or lower what a pod requests or `spec.scheduling` demands.",
)
IMAGE_PULL_BACK_OFF: Final = _reason(
    "ImagePullBackOff",
    AVAILABLE,
    MODEL_CACHED,
    meaning="The kubelet cannot pull the image.",
    remedy="Correct `spec.image`, or the Secrets of `spec.image.pullSecrets`.",
)
CRASHED: Final = _reason(
    "Crashed",
    AVAILABLE,
    MODEL_CACHED,
    meaning="A container ended with an error for the first time; the message has its last line.",
    remedy="If it happens again: see CrashLoopBackOff.",
)
CRASH_LOOP_BACK_OFF: Final = _reason(
    "CrashLoopBackOff",
    AVAILABLE,
    MODEL_CACHED,
    meaning="A container ends with an error again and again; the message has its last line.",
    remedy="See `kubectl logs --previous`; then correct what the last line names.",
)
OOM_KILLED: Final = _reason(
    "OOMKilled",
    AVAILABLE,
    MODEL_CACHED,
    meaning="A container exceeded its memory limit.",
    remedy="Raise `spec.resources.limits.memory`.",
)

# Verified

VERIFYING: Final = _reason("Verifying", VERIFIED, meaning="Real requests are being sent, or wait for available pods.")
VERIFICATION_FAILED: Final = _reason(
    "VerificationFailed",
    VERIFIED,
    meaning="Real requests failed, or came back with too many wrong words; `status.verification` has each check.",
    remedy="Correct what the checks name, or delete the Job that the message names to verify again.",
    stalls=True,
)
VERIFICATION_BUSY: Final = _reason(
    "VerificationBusy",
    VERIFIED,
    meaning="For ten minutes the pods' load, or `spec.rateLimit`, left no room for the verification's requests; it is "
    "repeated by itself.",
    remedy="None is needed where load or limits allow it later; else add pods, or raise the limits.",
)

# Conditions that never block Ready

API_MISSING: Final = _reason(
    "ApiMissing",
    EXPOSED,
    MONITORED,
    AUTOSCALING_ACTIVE,
    meaning="The cluster does not serve the API of an object that the spec asks for.",
    remedy="Install what the message names, or remove the field.",
)
ADDRESS_ASSIGNED: Final = _reason("AddressAssigned", EXPOSED, meaning="The Ingress or load balancer has an address.")
ADDRESS_PENDING: Final = _reason(
    "AddressPending",
    EXPOSED,
    meaning="The Ingress or load balancer has no address yet.",
    remedy="If it lasts: see whether a controller for the Ingress class or load balancers runs.",
)
ROUTE_ACCEPTED: Final = _reason("RouteAccepted", EXPOSED, meaning="Every gateway accepted the HTTPRoute.")
ROUTE_PENDING: Final = _reason(
    "RoutePending",
    EXPOSED,
    meaning="No gateway has accepted or refused the HTTPRoute yet.",
    remedy="If it lasts: correct `spec.gateway.parentRefs`.",
)
APPLIED: Final = _reason(
    "Applied",
    MONITORED,
    AUTOSCALING_ACTIVE,
    PROTECTED,
    meaning="The objects are applied; the controller that reads them gives no reason.",
)
METRICS_PENDING: Final = _reason(
    "MetricsPending",
    AUTOSCALING_ACTIVE,
    meaning="The autoscaler has not read its metrics yet.",
    remedy="If it lasts: see whether metrics-server, or KEDA, runs.",
)
NOTHING_WAKES: Final = _reason(
    "NothingWakes",
    AUTOSCALING_ACTIVE,
    meaning="`spec.autoscaling.minReplicas` is 0, and without a pod no metric scales the service up again.",
    remedy="Set it to 1 or more, add a trigger to `spec.autoscaling.keda.triggers`, or scale up yourself by `kubectl "
    "scale`.",
)
IDLE: Final = _reason(
    "Idle", AWAKE, meaning="There was no request for `spec.autoscaling.scaleToZeroAfter`: the last pods have ended."
)
DEMANDED: Final = _reason("Demanded", AWAKE, meaning="The front held requests, so the operator started the first pod.")
MODEL_TO_PROVE: Final = _reason(
    "ModelToProve",
    AWAKE,
    meaning="The spec was given another model while no pod ran: one was started to prove it before a request needs it.",
)
FRONT_SILENT: Final = _reason(
    "FrontSilent",
    AWAKE,
    meaning="No pod of the front has answered the operator on port 9000 for a minute. Requests may be held there, so "
    "pods run.",
    remedy="See that the front's pods run. With `spec.networkPolicy`: add the operator's namespace to `metricsFrom`.",
)
SPEC_CHANGED: Final = _reason(
    "SpecChanged",
    AWAKE,
    meaning="The spec no longer lets the operator scale to zero, so it started the first pod.",
)
STARTED: Final = _reason(
    "Started", AWAKE, meaning="Pods run that the operator has not woken: since the first start, or by `kubectl scale`."
)
PODS_ON_GPU: Final = _reason("PodsOnGpu", ACCELERATOR_IN_USE, meaning="Every ready pod runs its model on CUDA.")
NO_PODS: Final = _reason("NoPods", ACCELERATOR_IN_USE, meaning="No pod is ready.")
DEVICE_IS_CPU: Final = _reason(
    "DeviceIsCpu",
    ACCELERATOR_IN_USE,
    meaning="`spec.device` is cpu, so the GPU of `spec.gpu` is reserved and unused.",
    remedy="Remove `spec.gpu`, or set `spec.device` to cuda.",
)
FASTER_THAN_FLOAT32: Final = _reason(
    "FasterThanFloat32", COMPUTE_TYPE_FAST, meaning="The processor that was measured is faster in bfloat16."
)
SLOWER_THAN_FLOAT32: Final = _reason(
    "SlowerThanFloat32",
    COMPUTE_TYPE_FAST,
    meaning="The processor that was measured is slower in bfloat16 than in float32.",
    remedy="Set `spec.computeType` to auto, or `spec.scheduling.nodeSelector` to nodes whose processors have AMX.",
)
NOT_MEASURED: Final = _reason(
    "NotMeasured",
    COMPUTE_TYPE_FAST,
    meaning="No verification of this service has measured its processors in bfloat16 yet.",
    remedy="If it lasts: see that `spec.verification` is present.",
)
STORAGE_CLASS_IMMUTABLE: Final = _reason(
    "StorageClassImmutable",
    CACHE_AS_SPECIFIED,
    JOB_STORAGE_AS_SPECIFIED,
    meaning="The claim has another class than the spec's `storageClassName`; it is fixed once the claim has a volume.",
    remedy="Name a claim of your own in `existingClaim`, or set the field back.",
)
CANNOT_GROW: Final = _reason(
    "CannotGrow",
    CACHE_AS_SPECIFIED,
    JOB_STORAGE_AS_SPECIFIED,
    meaning="The spec's `size` was raised, and the claim's StorageClass does not allow claims to grow.",
    remedy="Name a claim of your own in `existingClaim`, or set the field back.",
)
STORE_IN_USE: Final = _reason(
    "StoreInUse", STORE_USABLE, meaning="The pods that were asked count in the store, and nothing is wrong with it."
)
STORE_EVICTS: Final = _reason(
    "StoreEvicts",
    STORE_USABLE,
    meaning="The store is used, and forgets counts when its memory is full, by its `maxmemory-policy`.",
    remedy="Set `maxmemory-policy noeviction`, or give it a store of its own.",
)
STORE_FULL: Final = _reason(
    "StoreFull",
    STORE_USABLE,
    meaning="The store has no memory left; each pod counts for itself.",
    remedy="Raise its `maxmemory`, or use another one.",
)
STORE_LOGIN_FAILED: Final = _reason(
    "StoreLoginFailed",
    STORE_USABLE,
    meaning="The store does not take the user and password of the URL; each pod counts for itself.",
    remedy="Correct them in the Secret that `spec.redis.secretKeyRef` names; no pod restarts.",
)
STORE_NOT_DURABLE: Final = _reason(
    "StoreNotDurable",
    STORE_USABLE,
    meaning="The store is used, and has jobs that it loses when it is restarted: it has no append-only file.",
    remedy="Set `appendonly yes`.",
)
STORE_NOT_REPORTED: Final = _reason(
    "StoreNotReported",
    STORE_USABLE,
    meaning="No pod is ready, or none answers the operator on port 9000.",
    remedy="With `spec.networkPolicy`: add the operator's namespace to `metricsFrom`.",
)
STORE_READ_ONLY: Final = _reason(
    "StoreReadOnly",
    STORE_USABLE,
    meaning="The URL leads to a replica, as after a failover; each pod counts for itself.",
    remedy="Let it name the primary, by the Service that follows it.",
)
STORE_REFUSED: Final = _reason(
    "StoreRefused",
    STORE_USABLE,
    meaning="The store refuses what pods ask of it, or is none; each pod counts for itself.",
    remedy="Read the message, which has its answer.",
)
STORE_RIGHTS_MISSING: Final = _reason(
    "StoreRightsMissing",
    STORE_USABLE,
    meaning="The user of the URL may not do all that is needed; each pod counts for itself.",
    remedy="Give it the rights that the message names.",
)
STORE_TLS_FAILED: Final = _reason(
    "StoreTlsFailed",
    STORE_USABLE,
    meaning="No TLS came about with the store, or its certificate is not trusted; each pod counts for itself.",
    remedy="Name its authority in `spec.redis.caConfigMapKeyRef`, and in the URL the host that it is for.",
)
STORE_TOO_OLD: Final = _reason(
    "StoreTooOld",
    STORE_USABLE,
    meaning="The store is older than Valkey 8 or Redis 7; each pod counts for itself.",
    remedy="Use a later version.",
)
STORE_UNREACHABLE: Final = _reason(
    "StoreUnreachable",
    STORE_USABLE,
    meaning="The store cannot be reached, or does not answer in time; each pod counts for itself until it does.",
    remedy="See that it runs, and that `spec.networkPolicy.allowTo` lets pods reach it.",
)
STORE_URL_INVALID: Final = _reason(
    "StoreUrlInvalid",
    STORE_USABLE,
    meaning="The Secret's key does not hold the URL of a store; each pod counts for itself.",
    remedy="Write `rediss://user:password@host:6379/0`; no pod restarts.",
)
OTHER_AUTOSCALER: Final = _reason(
    "OtherAutoscaler",
    REPLICAS_CONTESTED,
    meaning="An autoscaler that somebody else has made scales the Deployment, and the operator puts the number back.",
    remedy="Let its `scaleTargetRef` name the WhisperService, which can be scaled, too, or use `spec.autoscaling`.",
)
JOBS_IN_POD: Final = _reason(
    "JobsInPod",
    JOBS_VOLATILE,
    meaning="`spec.jobs.storage.type` is EmptyDir: recordings that wait and results that were not fetched are in a "
    "directory of the pod, and are lost with it, as at each change of its template, each drain and each eviction.",
    remedy="Write PersistentVolumeClaim to keep them.",
)
LET_BE: Final = _reason(
    "LetBe",
    CHILDREN_MUTATED,
    meaning="A policy changes what the operator applies of the children that the message names, somebody applies "
    "fields of his own there, or a controller has repeated an edit that was taken back three times within a minute. "
    "The operator lets it be: nobody gains by a fight in which pods restart.",
    remedy="None where it is meant to be; else change the policy, or stop the controller.",
)
IMAGE_EDITED: Final = _reason(
    "ImageEdited",
    PODS_EDITED,
    meaning="The pods that the message names run an image that neither the spec nor a policy chose: somebody changed "
    "it in the pod itself, where the Deployment's controller does not look. The operator may not write pods.",
    remedy="Delete the pods, whose successors run the service's image, and ask whoever the message names.",
)
NOTHING_WAITS: Final = _reason(
    "NothingWaits",
    PAUSED,
    meaning="`spec.paused` is true, and every object is as the spec asks for.",
    remedy="Set `spec.paused` to false for the operator to follow the spec again.",
)
CHANGES_WAIT: Final = _reason(
    "ChangesWait",
    PAUSED,
    RECONCILING,
    meaning="`spec.paused` is true; the message names the objects that the operator would write or delete.",
    remedy="Set `spec.paused` to false for the operator to do so.",
)
NEWER_DEFAULT_IMAGE: Final = _reason(
    "NewerDefaultImage",
    RUNTIME_UPDATE_AVAILABLE,
    meaning="The operator's default image changed; pods keep theirs, because upgrading the operator restarts no pod.",
    remedy="Set `spec.image.tag`, or `spec.image.repository` where the tag is set, to what the message names.",
)
UNSPECIFIED: Final = _reason(
    "Unspecified",
    MODEL_CACHED,
    AVAILABLE,
    EXPOSED,
    AUTOSCALING_ACTIVE,
    meaning="Another program gave a reason that is no single word; the message has what it said.",
    remedy="Read the message.",
)


@dataclass(frozen=True)
class ConditionUpdate:
    """A condition without its history."""

    type: str
    status: ConditionStatus
    reason: str
    message: str = ""


def conditions(
    updates: Iterable[ConditionUpdate], previous: Iterable[Condition], generation: int, now: str
) -> tuple[Condition, ...]:
    """The conditions to write for `generation`: `lastTransitionTime` is `now` only where the status changed.

    `now` is a time in RFC 3339.
    """
    before = {condition.type: condition for condition in previous}
    return tuple(_condition(_as_taken(update), before.get(update.type), generation, now) for update in updates)


def _as_taken(update: ConditionUpdate) -> ConditionUpdate:
    """`update` as the API server takes it: kubelets, gateways and autoscalers give reasons of any form."""
    if is_reason(update.reason):
        is_short = len(update.message) <= LONGEST_MESSAGE
        return update if is_short else replace(update, message=update.message[:LONGEST_MESSAGE])
    word = re.match("[A-Za-z][A-Za-z0-9]*", update.reason)
    reason = word[0] if word and is_reason(word[0]) else UNSPECIFIED
    return replace(update, reason=reason, message=f"{update.reason}: {update.message}"[:LONGEST_MESSAGE])


def _condition(update: ConditionUpdate, before: Condition | None, generation: int, now: str) -> Condition:
    since = before.last_transition_time if before and before.status == update.status else None
    if before and since and _is_same(update, before, generation):
        return before
    return Condition(
        type=update.type,
        status=update.status,
        reason=update.reason,
        message=update.message,
        observed_generation=generation,
        last_transition_time=since or now,
    )


def _is_same(update: ConditionUpdate, before: Condition, generation: int) -> bool:
    """Whether nothing of a condition has changed whose status has not."""
    return (update.reason, update.message, generation) == (before.reason, before.message, before.observed_generation)
