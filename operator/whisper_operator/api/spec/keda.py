"""The spec's part about KEDA, which scales by more than a HorizontalPodAutoscaler reads.

Source: https://keda.sh/docs/latest/reference/scaledobject-spec/
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field

from whisper_operator.api.base import ApiModel, Rule, at_most, text, without_nulls
from whisper_operator.api.scalars import Duration, ObjectName

OWN_TRIGGER: Final = "queuedAudio"
"""Name of the operator's trigger on waiting audio."""
DEMAND_TRIGGER: Final = "demand"
"""Name of the operator's trigger on requests that the front has."""
OF_RESOURCES: Final = ("cpu", "memory")
"""Types of triggers that say nothing while there is no pod."""
NEVER_CACHED: Final = (*OF_RESOURCES, "cron")
"""Types of triggers whose metrics KEDA does not keep.

Source: apis/keda/v1alpha1/scaletriggers_types.go of kedacore/keda."""
TriggerName = Annotated[
    str,
    *text(
        "^[a-zA-Z_][a-zA-Z0-9_]*$",
        "is not a valid name of a trigger; use letters, digits and _, as a formula does",
        longest=63,
    ),
]


class KedaAuthenticationRef(ApiModel):
    kind: Literal["TriggerAuthentication", "ClusterTriggerAuthentication"] = "TriggerAuthentication"
    """Kind of the object."""
    name: ObjectName
    """Name of the object; a TriggerAuthentication is in the service's namespace."""


class KedaTrigger(ApiModel):
    name: TriggerName
    """Name of the trigger, by which `advanced.scalingModifiers.formula` reads it."""
    type: Annotated[
        str, *text("^[a-z][-a-z0-9]*$", "is not a valid type of a trigger; for example cron or kafka", longest=63)
    ]
    """Type of the trigger, as KEDA names its scalers."""
    metadata: Annotated[
        dict[str, Annotated[str, Field(max_length=4096)]], Field(max_length=32), BeforeValidator(without_nulls)
    ]
    """Settings of the trigger, as KEDA's scaler of that type takes them."""
    metric_type: Literal["AverageValue", "Value", "Utilization"] | None = None
    """What the target is for. Absent: KEDA's default."""
    use_cached_metrics: bool = False
    """Query the metric once in each `pollingInterval`, not whenever it is asked for."""
    authentication_ref: KedaAuthenticationRef | None = None
    """Credentials of the trigger."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!(self.name in ['{OWN_TRIGGER}', '{DEMAND_TRIGGER}'])",
            f"spec.autoscaling.keda.triggers: {OWN_TRIGGER} and {DEMAND_TRIGGER} are the names of the operator's own "
            "triggers: choose another",
            lambda self: self.name not in (OWN_TRIGGER, DEMAND_TRIGGER),
        ),
        Rule(
            "!has(self.useCachedMetrics) || !self.useCachedMetrics || !(self.type in ['cpu', 'memory', 'cron'])",
            "spec.autoscaling.keda.triggers: KEDA keeps no metrics of the types cpu, memory and cron, and refuses "
            "useCachedMetrics there: remove it",
            lambda self: not self.use_cached_metrics or self.type not in NEVER_CACHED,
        ),
    )


class KedaFallback(ApiModel):
    failure_threshold: Annotated[int, Field(ge=1, le=1000)] = 3
    """Failures of a trigger in a row after which the fallback is used."""
    replicas: Annotated[int, Field(ge=0, le=1000)]
    """Number of pods while a trigger fails."""
    behavior: Literal["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"] | None = None
    """Whether `replicas` or the number of before counts. Absent: `replicas`."""


class KedaScalingModifiers(ApiModel):
    formula: Annotated[str, Field(min_length=1, max_length=4096)]
    """Formula over the triggers' names, whose result takes the place of their metrics; queuedAudio is the operator's
    own trigger."""
    target: Annotated[str, Field(min_length=1, max_length=64)]
    """Target of the formula's result."""
    activation_target: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Result from which on a service without pods is scaled up."""
    metric_type: Literal["AverageValue", "Value"] | None = None
    """What the target is for. Absent: KEDA's default."""


class KedaAdvanced(ApiModel):
    restore_to_original_replica_count: bool = False
    """Whether KEDA restores the number of pods of before when its object is deleted."""
    scaling_modifiers: KedaScalingModifiers | None = None
    """One metric in the place of all, computed from the triggers but cpu and memory."""


class KedaSpec(ApiModel):
    polling_interval: Duration | None = None
    """Time between two queries of the triggers. Absent: KEDA's default."""
    cooldown_period: Duration | None = None
    """Time without activity after which KEDA scales to zero. Absent: KEDA's default."""
    on_demand: bool = False
    """Whether KEDA asks the `front` how many requests it has, so that they start the first pod where minReplicas is 0;
    and how much audio waits there, for the metric QueuedAudio without `prometheusAddress`. With it there is a front."""
    prometheus_address: (
        Annotated[
            str,
            *text(
                "^https?://[!-~]+$", "is not a valid URL; for example http://prometheus.monitoring:9090", longest=2048
            ),
        ]
        | None
    ) = None
    """URL of the Prometheus that KEDA asks for the audio that waits."""
    authentication_ref: KedaAuthenticationRef | None = None
    """Credentials for that Prometheus."""
    auth_modes: Annotated[tuple[Literal["basic", "bearer", "custom", "tls"], ...], *at_most(4)] = ()
    """Ways in which that Prometheus takes the credentials."""
    triggers: Annotated[tuple[KedaTrigger, ...], *at_most(16, key="name")] = ()
    """Further triggers beside those of `metrics`."""
    fallback: KedaFallback | None = None
    """Number of pods while a trigger fails. Absent: the number of before."""
    advanced: KedaAdvanced | None = None
    """Further settings of the ScaledObject."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.authenticationRef) || has(self.prometheusAddress)",
            "spec.autoscaling.keda.authenticationRef is for prometheusAddress, which is absent: add it, or write the "
            "reference into the trigger that needs it",
            lambda self: self.authentication_ref is None or self.prometheus_address is not None,
        ),
        Rule(
            "!has(self.authModes) || size(self.authModes) == 0 || has(self.authenticationRef)",
            "spec.autoscaling.keda.authModes needs authenticationRef, which names the credentials: add it",
            lambda self: not self.auth_modes or self.authentication_ref is not None,
        ),
        Rule(
            "!(has(self.fallback) || (has(self.advanced) && has(self.advanced.scalingModifiers))) || "
            "has(self.prometheusAddress) || (has(self.onDemand) && self.onDemand) || "
            "(has(self.triggers) && self.triggers.exists(one, !(one.type in ['cpu', 'memory'])))",
            "spec.autoscaling.keda.fallback and advanced.scalingModifiers need a trigger other than cpu and memory: "
            "name a Prometheus in prometheusAddress, or add such a trigger to triggers",
            lambda self: not (self.fallback or (self.advanced and self.advanced.scaling_modifiers)) or self.asks_others,
        ),
    )

    @property
    def asks_others(self) -> bool:
        """Whether a trigger is there that does not measure the pods' CPU or memory."""
        return self.prometheus_address is not None or self.is_woken

    @property
    def is_woken(self) -> bool:
        """Whether a trigger of the user's own, or that on the front, can scale up a service that has no pod."""
        return self.on_demand or any(one.type not in OF_RESOURCES for one in self.triggers)
