"""WhisperService v1alpha1: the spec that users write and the status that the operator writes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from whisper_operator.api.base import ApiModel, Rule
from whisper_operator.api.languages import LanguageOrAuto
from whisper_operator.api.scalars import Opaque
from whisper_operator.api.spec.autoscaling import AutoscalingSpec
from whisper_operator.api.spec.diarization import DiarizationSpec, EncoderSourceSpec
from whisper_operator.api.spec.exposure import GatewaySpec, NetworkPolicySpec, ServiceSpec
from whisper_operator.api.spec.front import FrontSpec
from whisper_operator.api.spec.ingress import IngressSpec
from whisper_operator.api.spec.job_store import JobsSpec
from whisper_operator.api.spec.jobs import PrefetchSpec
from whisper_operator.api.spec.model import CacheSpec, ModelSpec
from whisper_operator.api.spec.observability import LoggingSpec, MonitoringSpec, VerificationSpec
from whisper_operator.api.spec.pods import (
    GpuSpec,
    ImageSpec,
    ObjectMetadataSpec,
    PodMetadataSpec,
    ResourcesSpec,
    SchedulingSpec,
    ServiceAccountSpec,
)
from whisper_operator.api.spec.replicas import DisruptionSpec, RolloutSpec
from whisper_operator.api.spec.server import AuthSpec, RateLimitSpec, RedisSpec, ResultCacheSpec, ServerSpec
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1_rules import SPEC_RULES
from whisper_runtime.contract.languages import code_of

GROUP: Final = "whisper-operator.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "WhisperService"
PLURAL: Final = "whisperservices"
NAME_PATTERN: Final = "^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$"
"""Leaves room for the suffixes of child objects, whose names are DNS labels of at most 63 characters."""

Manifest = dict[str, Any]
"""A Kubernetes object as JSON."""


class Spec(ApiModel):
    """Desired state: only `model.name` is required; an optional object that is present enables its feature."""

    model: ModelSpec
    """The model to serve."""
    device: Literal["auto", "cuda", "cpu"] = "auto"
    """Device that the model runs on; auto is cuda if `gpu` is present, else cpu."""
    compute_type: Literal["auto", "float16", "bfloat16", "float32"] = "auto"
    """Precision of the model; auto is float16 on a GPU and float32 on a CPU. A CPU supports bfloat16, not float16;
    whether that is faster depends on the processor, and the condition ComputeTypeFast says it."""
    diarization: DiarizationSpec | None = None
    """Speakers are told apart where a request asks whose words they are, as by `response_format=diarized_json`. Absent:
    such requests get 400."""
    language: LanguageOrAuto = "auto"
    """Default language of requests, one of Whisper's: an ISO 639 code, a tag such as pt-BR, or a name in English or in
    the language itself; auto detects it."""
    replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """Number of pods; ignored if `autoscaling` is present. `kubectl scale` writes this field."""
    suspend: bool = False
    """Remove all pods and keep everything else."""
    paused: bool = False
    """Leave every object as it is, pods included: the operator writes and deletes nothing but this status."""
    image: ImageSpec = ImageSpec()
    """Image of the runtime."""
    gpu: GpuSpec | None = None
    """A GPU for each pod. Absent: the pods run on CPUs."""
    resources: ResourcesSpec | None = None
    """Resources of the server's container. Absent: values from the table by model and device."""
    server: ServerSpec = ServerSpec()
    """Limits and behaviour of the server."""
    auth: AuthSpec | None = None
    """API keys of clients. Absent: the service does not authenticate clients."""
    rate_limit: RateLimitSpec | None = None
    """Limits for each client. Absent: none."""
    jobs: JobsSpec | None = None
    """Transcription in the background: the response is 202, and the client asks for the result. Absent: none."""
    result_cache: ResultCacheSpec | None = None
    """Cache of the results of the same audio with the same options, in each pod. Absent: none."""
    redis: RedisSpec | None = None
    """Valkey or Redis that the replicas share: rateLimit then counts once for all of them. While it is away, each
    counts for itself."""
    cache: CacheSpec = CacheSpec()
    """Storage of the checkpoints."""
    prefetch: PrefetchSpec = PrefetchSpec()
    """The fetch of the model, before it is served."""
    service: ServiceSpec = ServiceSpec()
    """The Service for clients."""
    ingress: IngressSpec | None = None
    """Ingress for clients. Absent: none."""
    gateway: GatewaySpec | None = None
    """HTTPRoute of the Gateway API for clients. Absent: none."""
    autoscaling: AutoscalingSpec | None = None
    """HorizontalPodAutoscaler for the pods. Absent: `replicas` pods."""
    front: FrontSpec | None = None
    """Pods that take requests in the place of those that serve, hold them until one is ready, and send them to another
    when one is lost. Absent: none, unless `autoscaling.minReplicas` is 0 and the operator is to start the first pod."""
    rollout: RolloutSpec = RolloutSpec()
    """Replacement of pods when the spec changes."""
    disruption: DisruptionSpec | None = None
    """PodDisruptionBudget for the pods. Absent: where more than one can run, a drain takes one at a time."""
    monitoring: MonitoringSpec = MonitoringSpec()
    """Objects for the Prometheus operator."""
    network_policy: NetworkPolicySpec | None = None
    """NetworkPolicy for the pods. Absent: none."""
    verification: VerificationSpec | None = None
    """Verification of each rollout by real requests. Absent: none."""
    logging: LoggingSpec = LoggingSpec()
    """Logs of the pods."""
    scheduling: SchedulingSpec = SchedulingSpec()
    """Nodes that the pods may run on."""
    service_account: ServiceAccountSpec = ServiceAccountSpec()
    """ServiceAccount of all pods, those of Jobs included; no token of it is mounted."""
    pod_metadata: PodMetadataSpec = PodMetadataSpec()
    """Labels and annotations of all pods, those of Jobs included."""
    object_metadata: ObjectMetadataSpec = ObjectMetadataSpec()
    """Labels and annotations of every object that the operator makes for the service, such as its Deployment, Services,
    Jobs and claims; those of pods are `podMetadata`. A change restarts no pod."""
    pod_template: Opaque | None = None
    """Strategic merge patch for the template of the pods that serve; it takes precedence, except for the selector's
    labels. Its metadata, and what is no matter of containers, shape the pods of Jobs too; {$patch: delete} in the
    place of a value removes the operator's."""

    rules: ClassVar[tuple[Rule, ...]] = SPEC_RULES

    @property
    def base_path(self) -> str:
        """The prefix below which the pods answer, as they do without it; empty where there is none."""
        return next((part.prefix for part in (self.ingress, self.gateway) if part and part.prefix), "")

    @property
    def encoder_source(self) -> EncoderSourceSpec | None:
        """Where the speaker encoder is fetched from; None: there is none, or it comes with the runtime."""
        return self.diarization.model.source if self.diarization else None

    @property
    def runs_on_gpu(self) -> bool:
        return self.device == "cuda" or (self.device == "auto" and self.gpu is not None)

    @property
    def language_code(self) -> str | None:
        """Whisper's code of the language; None: it is detected."""
        return code_of(self.language)

    @property
    def wanted_front(self) -> FrontSpec | None:
        """The front that the service is to have; None: none."""
        if self.front is None and self.autoscaling and self.autoscaling.needs_front:
            return FrontSpec()
        return self.front

    @property
    def most_replicas(self) -> int:
        """The most pods that can run."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas


class Metadata(BaseModel):
    """The fields of a WhisperService's metadata that the operator reads."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    namespace: str = "default"
    uid: str = ""
    generation: int = 1
    resource_version: str = ""
    deletion_timestamp: str | None = None


class WhisperService(ApiModel):
    """A speech-to-text service: its model, replicas, hardware and network exposure."""

    api_version: str = API_VERSION
    kind: str = KIND
    metadata: Metadata
    spec: Spec
    """Desired state of the service."""
    status: Status = Status()
    """State that the operator observed."""

    @classmethod
    def parse(cls, body: Manifest) -> Self:
        """Validate a manifest; raises pydantic.ValidationError, whose locations are the manifest's paths."""
        return cls.model_validate(body)
