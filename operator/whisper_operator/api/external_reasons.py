"""Reasons that conditions take over unchanged: from the runtime's fetch, the kubelet, gateways and autoscalers.

Other controllers may give more reasons than these; the condition's message then is that controller's own.
"""

from __future__ import annotations

from typing import Final

from whisper_operator.api.conditions import AUTOSCALING_ACTIVE, AVAILABLE, EXPOSED, MODEL_CACHED, REASONS
from whisper_operator.api.registry import ConditionReason
from whisper_runtime.contract import reports

EXTERNAL_REASONS: Final = (
    # Reports of `fetch`, which the prefetch Job runs, or each pod
    ConditionReason(
        reports.DOWNLOAD_FAILED,
        (MODEL_CACHED, AVAILABLE),
        meaning="The source cannot be reached, or refuses the download; the fetch tries again.",
        remedy="Correct `spec.model.source`, or `spec.diarization.model.source`, its Secret or certificate authority, "
        "or the network's way to it.",
    ),
    ConditionReason(
        reports.CHECKSUM_MISMATCH,
        (MODEL_CACHED, AVAILABLE),
        meaning="The file has another digest than the `sha256` of its source in the spec.",
        remedy="Correct the digest, or put the right file at the source.",
        stalls=True,
    ),
    ConditionReason(
        reports.NOT_A_CHECKPOINT,
        (MODEL_CACHED, AVAILABLE),
        meaning="The file is not a checkpoint in openai-whisper's format, or is no speaker encoder.",
        remedy="Convert the file, or correct `spec.model.source.url`, or `spec.diarization.model.source.url`.",
        stalls=True,
    ),
    ConditionReason(
        reports.UNKNOWN_MODEL,
        (MODEL_CACHED, AVAILABLE),
        meaning="The model is not one that the runtime's image can download, and its source or digest is missing.",
        remedy="Set `spec.model.source` with its sha256, or `spec.image.tag` to an image that knows the model.",
        stalls=True,
    ),
    ConditionReason(
        reports.NO_SPACE,
        (MODEL_CACHED, AVAILABLE),
        meaning="The volume has no room for the checkpoint; the message lists files that the service does not need.",
        remedy="Raise `spec.cache.size`, or delete those files: `kubectl whisper prune`.",
        stalls=True,
    ),
    ConditionReason(
        reports.CACHE_NOT_WRITABLE,
        (MODEL_CACHED, AVAILABLE),
        meaning="The fetch may not write to the volume.",
        remedy="Set `spec.podTemplate.spec.securityContext` (fsGroup, runAsGroup or runAsUser) to a group or "
        "user that may write to it, or use another volume; see the chart's value fsGroup for all services.",
        stalls=True,
    ),
    # The kubelet's reasons for a container that waits
    ConditionReason(
        "CreateContainerConfigError",
        (AVAILABLE, MODEL_CACHED),
        meaning="A Secret, ConfigMap or key that a container needs does not exist.",
        remedy="Create what the message names, or correct `spec.server.env` or `spec.podTemplate`.",
    ),
    ConditionReason(
        "CreateContainerError",
        (AVAILABLE, MODEL_CACHED),
        meaning="The container runtime cannot create a container.",
        remedy="Correct what the message names, often in `spec.podTemplate`; else see the node's container runtime.",
    ),
    ConditionReason(
        "RunContainerError",
        (AVAILABLE, MODEL_CACHED),
        meaning="The container runtime cannot start a container.",
        remedy="Correct what the message names; with a GPU, see `spec.gpu.runtimeClassName` and the node's driver.",
    ),
    ConditionReason(
        "InvalidImageName",
        (AVAILABLE, MODEL_CACHED),
        meaning="The image's name is malformed.",
        remedy="Correct `spec.image`.",
    ),
    ConditionReason(
        "ErrImageNeverPull",
        (AVAILABLE, MODEL_CACHED),
        meaning="`spec.image.pullPolicy` is Never, and the node does not have the image.",
        remedy="Load the image onto the node, or set another pull policy.",
    ),
    # The kubelet's warnings about a pod
    ConditionReason(
        "FailedMount",
        (AVAILABLE, MODEL_CACHED),
        meaning="A volume cannot be mounted.",
        remedy="Create the Secret, ConfigMap or claim that the message names; else see the volume's driver.",
    ),
    ConditionReason(
        "FailedAttachVolume",
        (AVAILABLE, MODEL_CACHED),
        meaning="A volume cannot be attached to the node, often because another node has it still.",
        remedy="If it lasts: end the pod on the other node, or use a ReadWriteMany claim.",
    ),
    ConditionReason(
        "FailedMapVolume",
        (AVAILABLE, MODEL_CACHED),
        meaning="A block volume cannot be mapped into a pod.",
        remedy="See the volume's driver on the node.",
    ),
    ConditionReason(
        "FailedPrepareDynamicResources",
        (AVAILABLE,),
        meaning="The node cannot hand a pod the device that it has claimed: its driver does not run there, or fails.",
        remedy="See the pods of the GPU's driver of dynamic resource allocation on that node.",
    ),
    ConditionReason(
        "FailedResourceClaimCreation",
        (AVAILABLE,),
        meaning="The ResourceClaim of a pod is refused, often by a quota on a DeviceClass.",
        remedy="Raise the quota that the message names, or lower `spec.replicas`.",
    ),
    ConditionReason(
        "FailedCreatePodSandBox",
        (AVAILABLE, MODEL_CACHED),
        meaning="The node cannot set up the pod's network or sandbox.",
        remedy="See the network plugin on the node, and `spec.gpu.runtimeClassName`.",
    ),
    ConditionReason(
        "Evicted",
        (AVAILABLE, MODEL_CACHED),
        meaning="The kubelet ended a pod because the node, or the pod's own limit, ran out of disk or memory.",
        remedy="Raise what the message names: requests in `spec.resources`, or the node's disk.",
    ),
    ConditionReason(
        "Unhealthy",
        (AVAILABLE,),
        meaning="A probe of a running pod fails.",
        remedy="See the pod's log.",
    ),
    # HTTPRoute: the Gateway API's reasons
    ConditionReason(
        "NotAllowedByListeners",
        (EXPOSED,),
        meaning="No listener of the gateway allows routes from this namespace.",
        remedy="Change the listener's allowedRoutes, or `spec.gateway.parentRefs`.",
    ),
    ConditionReason(
        "NoMatchingListenerHostname",
        (EXPOSED,),
        meaning="No listener of the gateway has a host name of `spec.gateway.hostnames`.",
        remedy="Change the listener, or `spec.gateway.hostnames`.",
    ),
    ConditionReason(
        "NoMatchingParent",
        (EXPOSED,),
        meaning="The gateway has no listener of the section or port in `spec.gateway.parentRefs`.",
        remedy="Correct `spec.gateway.parentRefs`.",
    ),
    ConditionReason(
        "UnsupportedValue",
        (EXPOSED,),
        meaning="The gateway's controller does not support a field of the route, such as its time-outs.",
        remedy="Use another controller, or `spec.ingress`.",
    ),
    ConditionReason("Pending", (EXPOSED,), meaning="The gateway's controller has not processed the route yet."),
    ConditionReason(
        "BackendNotFound",
        (EXPOSED,),
        meaning="The gateway's controller does not see the Service.",
        remedy="If it lasts: see the controller's log.",
    ),
    ConditionReason(
        "RefNotPermitted",
        (EXPOSED,),
        meaning="The gateway's controller may not use the Service.",
        remedy="If it lasts: see the controller's log.",
    ),
    ConditionReason(
        "InvalidKind",
        (EXPOSED,),
        meaning="The gateway's controller does not support a Service as the backend.",
        remedy="Use another controller, or `spec.ingress`.",
    ),
    # HorizontalPodAutoscaler, and KEDA's ScaledObject
    ConditionReason("ValidMetricFound", (AUTOSCALING_ACTIVE,), meaning="The autoscaler reads its metrics."),
    ConditionReason(
        "ScalingDisabled",
        (AUTOSCALING_ACTIVE,),
        meaning="The Deployment has 0 replicas, so the autoscaler does nothing.",
        remedy="Scale up by `kubectl scale`.",
    ),
    ConditionReason(
        "FailedGetResourceMetric",
        (AUTOSCALING_ACTIVE,),
        meaning="The autoscaler cannot read CPU or memory of the pods.",
        remedy="See whether metrics-server runs; just after a start, wait.",
    ),
    ConditionReason(
        "FailedGetContainerResourceMetric",
        (AUTOSCALING_ACTIVE,),
        meaning="The autoscaler cannot read CPU or memory of the pods' server container.",
        remedy="See whether metrics-server runs; just after a start, wait.",
    ),
    ConditionReason(
        "FailedGetPodsMetric",
        (AUTOSCALING_ACTIVE,),
        meaning="The autoscaler cannot read a metric of the type QueuedAudio or Pods of `spec.autoscaling.metrics`.",
        remedy="Install a custom metrics API that has the metric, or use `spec.autoscaling.keda`.",
    ),
    ConditionReason(
        "FailedGetObjectMetric",
        (AUTOSCALING_ACTIVE,),
        meaning="The autoscaler cannot read a metric of the type Object of `spec.autoscaling.metrics`.",
        remedy="Install a custom metrics API that has the metric, or correct the metric.",
    ),
    ConditionReason(
        "FailedGetExternalMetric",
        (AUTOSCALING_ACTIVE,),
        meaning="The autoscaler cannot read a metric of the type External of `spec.autoscaling.metrics`; with "
        "`spec.autoscaling.keda`: a trigger, which KEDA's metrics server reads for it.",
        remedy="Install an external metrics API that has the metric, or correct the metric. With KEDA: see that its "
        "metrics server runs, and correct `spec.autoscaling.keda.prometheusAddress` or the trigger.",
    ),
    ConditionReason(
        "InvalidSelector",
        (AUTOSCALING_ACTIVE,),
        meaning="The Deployment reports no valid selector of its pods.",
        remedy="If it lasts: report it, with the status of the Deployment.",
    ),
    ConditionReason(
        "AmbiguousSelector",
        (AUTOSCALING_ACTIVE,),
        meaning="Another HorizontalPodAutoscaler selects the same pods.",
        remedy="Delete the other HorizontalPodAutoscaler.",
    ),
    ConditionReason("ScaledObjectReady", (AUTOSCALING_ACTIVE,), meaning="KEDA scales the pods."),
    ConditionReason(
        "ScaledObjectCheckFailed",
        (AUTOSCALING_ACTIVE,),
        meaning="KEDA refuses the ScaledObject or cannot reach its triggers.",
        remedy="Correct what the message names, often `spec.autoscaling.keda.prometheusAddress` or `triggers`.",
    ),
    ConditionReason(
        "TriggerError",
        (AUTOSCALING_ACTIVE,),
        meaning="KEDA cannot read a trigger, and none of the others asks for pods: the number of pods stays.",
        remedy="Correct what the message names, often `spec.autoscaling.keda.prometheusAddress` or `triggers`. With "
        "`onDemand`: see FrontReady, and with `spec.networkPolicy` add KEDA's namespace to `metricsFrom`; where "
        "pods have IPv6 addresses alone, KEDA 2.21 cannot ask them: write `prometheusAddress`, or leave `keda` out.",
    ),
    ConditionReason(
        "PartialTriggerError",
        (AUTOSCALING_ACTIVE,),
        meaning="KEDA cannot read a trigger, and scales by the others.",
        remedy="As for TriggerError.",
    ),
    ConditionReason(
        "ErrorScalingTarget",
        (AUTOSCALING_ACTIVE,),
        meaning="KEDA may not or cannot write the Deployment's number of pods.",
        remedy="Give KEDA's ServiceAccount the rights of its own installation back.",
    ),
)

ALL_REASONS: Final = REASONS | {one.name: one for one in EXTERNAL_REASONS}
"""Every reason that a condition can have, by its name: the operator's own, and those that it takes over."""

STALLING: Final = frozenset(name for name, one in ALL_REASONS.items() if one.stalls)
"""Reasons that no retry mends: only a user can help."""
