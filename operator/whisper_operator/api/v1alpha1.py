"""WhisperService v1alpha1: the spec that users write and the status that the operator writes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from whisper_operator.api.access import (
    Auth,
    Gateway,
    Ingress,
    Jobs,
    NetworkPolicy,
    RateLimit,
    Redis,
    ResultCache,
    Service,
)
from whisper_operator.api.base import Opaque, Part, Rule, text
from whisper_operator.api.operations import Autoscaling, Logging, Monitoring, Verification
from whisper_operator.api.status import Status
from whisper_operator.api.workload import (
    Cache,
    Disruption,
    Gpu,
    Image,
    Model,
    Resources,
    Rollout,
    Scheduling,
    Server,
)

GROUP: Final = "whisper-operator.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "WhisperService"
PLURAL: Final = "whisperservices"
NAME_PATTERN: Final = "^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$"
"""The names of its children must stay within the 63 characters of a DNS label."""

Manifest = dict[str, Any]
"""A Kubernetes object as JSON."""


def _one_at_most(spec: Spec) -> bool:
    return (spec.autoscaling.max_replicas if spec.autoscaling else spec.replicas) <= 1


def _hosts_differ(spec: Spec) -> bool:
    return not (spec.ingress and spec.gateway and spec.ingress.host in spec.gateway.hostnames)


class Spec(Part):
    """What the service should be: all is optional but `model.name`; an object that is present switches its part on."""

    model: Model
    """The model to serve."""
    device: Literal["auto", "cuda", "cpu"] = "auto"
    """Where the model runs; auto is cuda when `gpu` is present, else cpu."""
    compute_type: Literal["auto", "float16", "bfloat16", "float32"] = "auto"
    """Precision of the model; auto is float16 on a GPU and float32 on a CPU, which has bfloat16, not float16."""
    language: Annotated[
        str,
        *text("^(auto|[a-z]{2,3})$", "is no language: write its ISO 639-1 code, such as en, or auto", longest=64),
    ] = "auto"
    """Language of requests that name none, as ISO 639-1; auto detects it."""
    replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """Pods; ignored while `autoscaling` is on. `kubectl scale` writes here."""
    suspend: bool = False
    """Take all pods away and keep everything else."""
    image: Image = Image()
    """Image of the runtime."""
    gpu: Gpu | None = None
    """A GPU for each pod. Absent: CPU."""
    resources: Resources | None = None
    """Resources of the server's container. Absent: from the table by model and device."""
    server: Server = Server()
    """Limits and behaviour of the server."""
    auth: Auth | None = None
    """API keys. Absent: everyone may call the service."""
    rate_limit: RateLimit | None = None
    """Limits for each client. Absent: none."""
    jobs: Jobs | None = None
    """Asynchronous transcription: 202, then poll or be called back."""
    result_cache: ResultCache | None = None
    """Answer the same audio with the same options from a cache."""
    redis: Redis | None = None
    """A Valkey or Redis that the replicas share."""
    cache: Cache = Cache()
    """Where checkpoints are kept."""
    service: Service = Service()
    """The Service for clients."""
    ingress: Ingress | None = None
    """An Ingress. Absent: none."""
    gateway: Gateway | None = None
    """An HTTPRoute of the Gateway API. Absent: none."""
    autoscaling: Autoscaling | None = None
    """A HorizontalPodAutoscaler. Absent: `replicas` pods."""
    rollout: Rollout = Rollout()
    """How pods are replaced when the spec changes."""
    disruption: Disruption | None = None
    """A PodDisruptionBudget. Absent: none."""
    monitoring: Monitoring = Monitoring()
    """What a Prometheus operator is told."""
    network_policy: NetworkPolicy | None = None
    """A NetworkPolicy. Absent: none."""
    verification: Verification | None = None
    """Real requests that prove a rollout."""
    logging: Logging = Logging()
    """What the pods log."""
    scheduling: Scheduling = Scheduling()
    """Where the pods may run."""
    pod_template: Opaque | None = None
    """Merged over the pod template that the operator builds; the last word is yours, selector labels excepted."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.jobs) || has(self.resultCache)) || has(self.redis)"
            " || (has(self.autoscaling) ? self.autoscaling.maxReplicas : self.replicas) <= 1",
            "spec.jobs and spec.resultCache need spec.redis when more than one replica can run: "
            "add spec.redis, or allow one replica only",
            lambda self: not (self.jobs or self.result_cache) or bool(self.redis) or _one_at_most(self),
        ),
        Rule(
            "!(has(self.ingress) && has(self.ingress.host) && has(self.gateway) && has(self.gateway.hostnames))"
            " || !(self.ingress.host in self.gateway.hostnames)",
            "spec.ingress.host is also in spec.gateway.hostnames: remove it from one of the two",
            _hosts_differ,
        ),
        Rule(
            "!(has(self.redis) && has(self.networkPolicy)) || "
            "(has(self.networkPolicy.allowTo) && size(self.networkPolicy.allowTo) > 0)",
            "spec.networkPolicy.allowTo is empty, so the pods cannot reach spec.redis: add its peer and port",
            lambda self: not (self.redis and self.network_policy) or bool(self.network_policy.allow_to),
        ),
        Rule(
            "!self.model.name.endsWith('.en') || self.language in ['auto', 'en']",
            "spec.language is not en, and a model whose name ends in .en knows English alone: "
            "remove spec.language, or take the model without .en",
            lambda self: not self.model.name.endswith(".en") or self.language in ("auto", "en"),
        ),
    )


class Metadata(BaseModel):
    """The parts of a WhisperService's metadata that decisions rest on."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    namespace: str = "default"
    uid: str = ""
    generation: int = 1
    resource_version: str = ""
    deletion_timestamp: str | None = None


class WhisperService(Part):
    """A speech-to-text service: which model, how many replicas, on what, reachable how."""

    api_version: str = API_VERSION
    kind: str = KIND
    metadata: Metadata
    spec: Spec
    """What the service should be."""
    status: Status = Status()
    """What the operator observed."""

    @classmethod
    def parse(cls, body: Manifest) -> Self:
        """The service in `body`; raises pydantic.ValidationError, whose locations are the manifest's paths."""
        return cls.model_validate(body)
