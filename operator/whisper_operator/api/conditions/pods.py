"""Reasons of Available, RolledOut, AcceleratorInUse and ComputeTypeFast: the pods, and what they run on."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.conditions import types
from whisper_operator.api.registry import declare_reason

WAITING_FOR_PREFLIGHT: Final = declare_reason(
    "WaitingForPreflight",
    types.AVAILABLE,
    meaning="No pod is started while a check of PreflightPassed holds it back.",
    remedy="Remedy the reason of PreflightPassed.",
)
WAITING_FOR_MODEL: Final = declare_reason(
    "WaitingForModel", types.AVAILABLE, meaning="Pods are started once ModelCached is True."
)
ROLLING_OUT: Final = declare_reason(
    "RollingOut", types.AVAILABLE, types.ROLLED_OUT, types.FRONT_READY, meaning="Pods are being started or replaced."
)
NO_WAY_IN: Final = declare_reason(
    "NoWayIn",
    types.AVAILABLE,
    meaning="No pod serves, and no pod of the front is ready to take requests.",
    remedy="If it lasts: remedy the reason of FrontReady.",
)
CREATE_FAILED: Final = declare_reason(
    "CreateFailed",
    types.AVAILABLE,
    types.MODEL_CACHED,
    meaning="Kubernetes may not create a pod: by a quota, an admission policy, or a class that does not exist.",
    remedy="Remedy what the message names.",
)
UNSCHEDULABLE: Final = declare_reason(
    "Unschedulable",
    types.AVAILABLE,
    types.MODEL_CACHED,
    meaning="No node fits a pod at this moment; the message has the scheduler's count of nodes.",
    remedy="Free or add nodes, or lower what a pod requests or `spec.scheduling` demands.",
)
IMAGE_PULL_BACK_OFF: Final = declare_reason(
    "ImagePullBackOff",
    types.AVAILABLE,
    types.MODEL_CACHED,
    meaning="The kubelet cannot pull the image.",
    remedy="Correct `spec.image`, or the Secrets of `spec.image.pullSecrets`.",
)
CRASHED: Final = declare_reason(
    "Crashed",
    types.AVAILABLE,
    types.MODEL_CACHED,
    meaning="A container ended with an error for the first time; the message has its last line.",
    remedy="If it happens again: see CrashLoopBackOff.",
)
CRASH_LOOP_BACK_OFF: Final = declare_reason(
    "CrashLoopBackOff",
    types.AVAILABLE,
    types.MODEL_CACHED,
    meaning="A container ends with an error again and again; the message has its last line.",
    remedy="See `kubectl logs --previous`; then correct what the last line names.",
)
OOM_KILLED: Final = declare_reason(
    "OOMKilled",
    types.AVAILABLE,
    types.MODEL_CACHED,
    meaning="A container exceeded its memory limit.",
    remedy="Raise `spec.resources.limits.memory`.",
)
PODS_ON_GPU: Final = declare_reason(
    "PodsOnGpu", types.ACCELERATOR_IN_USE, meaning="Every ready pod runs its model on CUDA."
)
NO_PODS: Final = declare_reason("NoPods", types.ACCELERATOR_IN_USE, meaning="No pod is ready.")
DEVICE_IS_CPU: Final = declare_reason(
    "DeviceIsCpu",
    types.ACCELERATOR_IN_USE,
    meaning="`spec.device` is cpu, so the GPU of `spec.gpu` is reserved and unused.",
    remedy="Remove `spec.gpu`, or set `spec.device` to cuda.",
)
FASTER_THAN_FLOAT32: Final = declare_reason(
    "FasterThanFloat32", types.COMPUTE_TYPE_FAST, meaning="The processor that was measured is faster in bfloat16."
)
SLOWER_THAN_FLOAT32: Final = declare_reason(
    "SlowerThanFloat32",
    types.COMPUTE_TYPE_FAST,
    meaning="The processor that was measured is slower in bfloat16 than in float32.",
    remedy="Set `spec.computeType` to auto, or `spec.scheduling.nodeSelector` to nodes whose processors have AMX.",
)
NOT_MEASURED: Final = declare_reason(
    "NotMeasured",
    types.COMPUTE_TYPE_FAST,
    meaning="No verification of this service has measured its processors in bfloat16 yet.",
    remedy="If it lasts: see that `spec.verification` is present.",
)
