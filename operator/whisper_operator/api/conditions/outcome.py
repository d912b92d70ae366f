"""Reasons of Ready, Reconciling and Stalled: what a service comes to, and what keeps a pass or a child back."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.conditions import types
from whisper_operator.api.registry import declare_reason

AS_SPECIFIED: Final = declare_reason(
    "AsSpecified",
    types.READY,
    types.AVAILABLE,
    types.ROLLED_OUT,
    types.FRONT_READY,
    meaning="The spec is carried out, and its pods accept requests.",
)
SERVING: Final = declare_reason(
    "Serving",
    types.READY,
    meaning="The promised pods accept requests, and something of the spec is not done: see Reconciling or Stalled.",
    remedy="Remedy the reason that the message names.",
)
SUSPENDED: Final = declare_reason(
    "Suspended",
    types.READY,
    meaning="`spec.suspend` is true and no pod runs.",
    remedy="Set `spec.suspend` to false to serve.",
)
SUSPENDING: Final = declare_reason(
    "Suspending", types.READY, meaning="`spec.suspend` is true and pods are terminating."
)
MODEL_CHANGING: Final = declare_reason(
    "ModelChanging", types.READY, meaning="The previous model serves while the wanted one is fetched or rolled out."
)
MODEL_CHANGE_FAILED: Final = declare_reason(
    "ModelChangeFailed",
    types.READY,
    meaning="The wanted model could not be fetched, or pods did not become ready with it; the previous one serves. "
    "The message has the reason of the failure.",
    remedy="Remedy that reason, or set `spec.model` back. Any change of the pods' fields tries again.",
)
NOT_READY_IN_TIME: Final = declare_reason(
    "NotReadyInTime",
    types.READY,
    meaning="Pods with the wanted model made no progress in time; stands in the message of ModelChangeFailed.",
    remedy="See the pods' logs and events; then change the spec, or set `spec.model` back.",
)
INVALID_SPEC: Final = declare_reason(
    "InvalidSpec",
    types.READY,
    meaning="The spec violates a rule of this version, which may be newer than the object.",
    remedy="Correct the fields that the message names.",
    stalls=True,
)
NOT_IMPLEMENTED: Final = declare_reason(
    "NotImplemented",
    types.READY,
    meaning="The spec sets a field that this version does not implement.",
    remedy="Remove the fields that the message names.",
    stalls=True,
)
POLICY_VIOLATED: Final = declare_reason(
    "PolicyViolated",
    types.READY,
    types.PREFLIGHT_PASSED,
    meaning="The spec asks for what the policy of the operator's installation does not allow (its chart's `policy`).",
    remedy="Change the fields that the message names, or ask the operator's administrators for the setting.",
    stalls=True,
)
NOT_OWNED: Final = declare_reason(
    "NotOwned",
    types.STALLED,
    types.CACHE_AS_SPECIFIED,
    types.JOB_STORAGE_AS_SPECIFIED,
    types.ROLLED_OUT,
    types.EXPOSED,
    types.MONITORED,
    types.AUTOSCALING_ACTIVE,
    types.PROTECTED,
    meaning="An object with the name of a child exists and belongs to something else.",
    remedy="Delete or rename that object, or give the WhisperService another name.",
    stalls=True,
)
REJECTED: Final = declare_reason(
    "Rejected",
    types.STALLED,
    types.ROLLED_OUT,
    types.EXPOSED,
    types.MONITORED,
    types.AUTOSCALING_ACTIVE,
    types.PROTECTED,
    types.CACHE_AS_SPECIFIED,
    types.JOB_STORAGE_AS_SPECIFIED,
    meaning="The API server refuses a child, as invalid or by an admission policy.",
    remedy="Correct the field that the message names, often in `spec.podTemplate`, or change the policy.",
    stalls=True,
)
APPLY_FAILED: Final = declare_reason(
    "ApplyFailed",
    types.RECONCILING,
    types.READY,
    types.ROLLED_OUT,
    types.EXPOSED,
    types.MONITORED,
    types.AUTOSCALING_ACTIVE,
    types.PROTECTED,
    types.CACHE_AS_SPECIFIED,
    types.JOB_STORAGE_AS_SPECIFIED,
    meaning="The API server could not take a child: its admission webhook is down, it is overloaded, or for about a "
    "minute somebody else has written the child whenever the operator did. The other "
    "children go on; the message names the child and the cause. Ready is False only where the service cannot serve "
    "without the child.",
    remedy="Mend what the message names. The operator tries again within two minutes.",
)
BEING_DELETED: Final = declare_reason(
    "BeingDeleted",
    types.RECONCILING,
    types.ROLLED_OUT,
    types.EXPOSED,
    types.MONITORED,
    types.AUTOSCALING_ACTIVE,
    types.PROTECTED,
    types.CACHE_AS_SPECIFIED,
    types.JOB_STORAGE_AS_SPECIFIED,
    meaning="A finalizer keeps a child that is being deleted. If somebody has deleted one that the spec wants, it can "
    "neither be changed nor made again until it is gone; one that the spec does not want any more is told after 30 s, "
    "and has effect until it is gone: an Ingress keeps its host. So is one of a deleted service of the same name, "
    "before whose end the spec's own cannot be made.",
    remedy="See to what the finalizers that the message names wait for.",
)
LOOKUP_FAILED: Final = declare_reason(
    "LookupFailed",
    types.RECONCILING,
    types.READY,
    meaning="An object that the spec names could not be read, so its check is left out; everything that does not "
    "depend on it goes on.",
    remedy="Let the operator `get` what the message names. It tries again within two minutes.",
)
INTERNAL_ERROR: Final = declare_reason(
    "InternalError",
    types.RECONCILING,
    types.READY,
    meaning="The operator failed by a bug of its own while it looked at the service: nothing was judged, and all other "
    "conditions are those of before.",
    remedy="See the operator's log for the error, and report it. The operator tries again within two minutes.",
)
PASS_TIMED_OUT: Final = declare_reason(
    "PassTimedOut",
    types.RECONCILING,
    types.READY,
    meaning="The operator ended a look at the service after a minute: nothing was judged, and all other conditions are "
    "those of before. Most often the API server, or an admission webhook, answers slowly.",
    remedy="See how long the API server takes. The operator tries again within two minutes.",
)
UNSPECIFIED: Final = declare_reason(
    "Unspecified",
    types.MODEL_CACHED,
    types.AVAILABLE,
    types.EXPOSED,
    types.AUTOSCALING_ACTIVE,
    meaning="Another program gave a reason that is no single word; the message has what it said.",
    remedy="Read the message.",
)
