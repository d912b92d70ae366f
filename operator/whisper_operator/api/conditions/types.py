"""The condition types, in the order in which users read them."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.registry import declare_type

READY: Final = declare_type("Ready", "The pods that the spec promises accept requests, with a model that is proven.")
RECONCILING: Final = declare_type(
    "Reconciling",
    "The operator or Kubernetes is working towards the spec, or will be once a pause ends; present only while True.",
)
STALLED: Final = declare_type(
    "Stalled", "The service cannot follow its spec until a user changes something; present only while True."
)
PREFLIGHT_PASSED: Final = declare_type("PreflightPassed", "No check of what pods need found a problem.")
MODEL_CACHED: Final = declare_type("ModelCached", "The wanted model's checkpoint is where the pods read it.")
AVAILABLE: Final = declare_type(
    "Available", "As many pods as the spec promises accept requests, with a model that is proven.", blocks_ready=True
)
ROLLED_OUT: Final = declare_type("RolledOut", "Every pod that is wanted is available and up to date.")
VERIFIED: Final = declare_type(
    "Verified",
    "Real requests verified the rollout; present only with `spec.verification`. It blocks Ready until the first proof.",
    blocks_ready=True,
)
FRONT_READY: Final = declare_type(
    "FrontReady", "Every pod of the front is available and up to date; present only where there is a front."
)
EXPOSED: Final = declare_type(
    "Exposed",
    "The Ingress, HTTPRoute or load balancer works; present only if the spec asks for one.",
)
MONITORED: Final = declare_type(
    "Monitored", "The objects of `spec.monitoring` are applied; present only if the spec asks for one."
)
AWAKE: Final = declare_type(
    "Awake",
    "Pods that serve are wanted; present only where the operator itself scales to zero. It changes when the last ones "
    "end and when the first is started.",
)
AUTOSCALING_ACTIVE: Final = declare_type(
    "AutoscalingActive", "The autoscaler works; present only with `spec.autoscaling`."
)
PROTECTED: Final = declare_type(
    "Protected",
    "The PodDisruptionBudget and the NetworkPolicy are applied; present only if one of them is wanted.",
)
ACCELERATOR_IN_USE: Final = declare_type(
    "AcceleratorInUse", "Every ready pod runs its model on its GPU; present only with `spec.gpu`."
)
COMPUTE_TYPE_FAST: Final = declare_type(
    "ComputeTypeFast",
    "The pods' processors are faster in `spec.computeType` than in float32; present only with bfloat16 on a CPU.",
)
CACHE_AS_SPECIFIED: Final = declare_type(
    "CacheAsSpecified",
    "Never True: the condition is present only while the claim differs from `spec.cache` and cannot be changed to it.",
)
JOB_STORAGE_AS_SPECIFIED: Final = declare_type(
    "JobStorageAsSpecified",
    "Never True: the condition is present only while the claim of jobs differs from `spec.jobs.storage` and cannot be "
    "changed to it, or gets no volume.",
)
JOBS_VOLATILE: Final = declare_type(
    "JobsVolatile", "Jobs that were accepted are lost with their pod; present only while True."
)
STORE_USABLE: Final = declare_type(
    "StoreUsable",
    "Every pod counts in the Valkey or Redis that the pods share; present only with `spec.redis`.",
)
REPLICAS_CONTESTED: Final = declare_type(
    "ReplicasContested",
    "Another autoscaler writes the number of pods that `spec.replicas` sets; present only while True.",
)
CHILDREN_MUTATED: Final = declare_type(
    "ChildrenMutated",
    "Admission policies or other controllers keep children from being as the operator applies them; present only while "
    "True.",
)
PODS_EDITED: Final = declare_type(
    "PodsEdited", "Somebody has changed the image of a pod itself, beside the Deployment; present only while True."
)
PAUSED: Final = declare_type(
    "Paused", "The operator changes no object, as `spec.paused` says; present only while True."
)
CLIENTS_TOLD_APART: Final = declare_type(
    "ClientsToldApart",
    "Never True: the condition is present only while `spec.rateLimit` counts all clients behind a proxy as one.",
)
RUNTIME_UPDATE_AVAILABLE: Final = declare_type(
    "RuntimeUpdateAvailable", "The operator's default image is newer than the pods'; present only while True."
)
