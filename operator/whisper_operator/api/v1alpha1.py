"""WhisperService v1alpha1: the spec that users write and the status that the operator writes."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

GROUP = "whisper-operator.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "WhisperService"
PLURAL = "whisperservices"

Manifest = dict[str, Any]
"""A Kubernetes object as JSON."""


class Part(BaseModel):
    """A part of the API: camelCase outside, snake_case inside, immutable, and closed to unknown fields."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid",
                              protected_namespaces=())


class LocalRef(Part):
    name: str


class KeyRef(Part):
    name: str
    key: str


class ModelSource(Part):
    url: str
    sha256: str | None = None
    secret_ref: LocalRef | None = None
    ca_ref: KeyRef | None = None


class Model(Part):
    name: str
    source: ModelSource | None = None


class Image(Part):
    repository: str | None = None
    tag: str | None = None
    digest: str | None = None
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    pull_secrets: tuple[LocalRef, ...] = ()


class Gpu(Part):
    count: int = 1
    resource_name: str = "nvidia.com/gpu"
    runtime_class_name: str | None = None


class Resources(Part):
    requests: dict[str, str | int] = Field(default_factory=dict)
    limits: dict[str, str | int] = Field(default_factory=dict)


class Cors(Part):
    allow_origins: tuple[str, ...] = ()


class Server(Part):
    max_upload_size: str = "100Mi"
    max_audio_duration: str = "4h"
    request_timeout: str = "300s"
    max_queued_audio: str = "30m"
    max_batch_size: Literal["auto"] | int = "auto"
    condition_on_previous_text: bool = True
    cors: Cors = Cors()
    env: tuple[dict[str, Any], ...] = ()


class Auth(Part):
    secret_ref: LocalRef


class RateLimit(Part):
    requests_per_minute: int = 10
    audio_minutes_per_hour: int | None = None


class Jobs(Part):
    result_ttl: str = Field("24h", alias="resultTTL")


class ResultCache(Part):
    ttl: str = "24h"


class Redis(Part):
    secret_ref: KeyRef


class Cache(Part):
    type: Literal["PersistentVolumeClaim", "EmptyDir", "Image"] = "PersistentVolumeClaim"
    size: str = "auto"
    storage_class_name: str | None = None
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] | None = None
    existing_claim: str | None = None
    retention: Literal["Retain", "Delete"] = "Delete"


class Service(Part):
    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    port: int = 80
    annotations: dict[str, str] = Field(default_factory=dict)


class IngressTls(Part):
    secret_name: str | None = None
    cluster_issuer: str | None = None


class Ingress(Part):
    class_name: str | None = None
    host: str | None = None
    path: str = "/"
    tls: IngressTls | None = None
    annotations: dict[str, str] = Field(default_factory=dict)


class Gateway(Part):
    parent_refs: tuple[dict[str, Any], ...] = ()
    hostnames: tuple[str, ...] = ()


class Keda(Part):
    polling_interval: int | None = None
    cooldown_period: int | None = None
    prometheus_address: str | None = None


class Autoscaling(Part):
    min_replicas: int = 2
    max_replicas: int = 10
    cpu: int = 70
    memory: int = 80
    queued_audio_seconds: int | None = None
    behavior: dict[str, Any] | None = None
    keda: Keda | None = None


class Rollout(Part):
    strategy: Literal["Auto", "Surge", "Replace"] = "Auto"
    drain_timeout: str = "10m"


class Disruption(Part):
    min_available: int | str | None = None
    max_unavailable: int | str | None = None


class ServiceMonitor(Part):
    interval: str = "30s"
    labels: dict[str, str] = Field(default_factory=dict)


class Alerts(Part):
    labels: dict[str, str] = Field(default_factory=dict)


class Monitoring(Part):
    service_monitor: ServiceMonitor | None = None
    alerts: Alerts | None = None


class NetworkPolicy(Part):
    allow_from: tuple[dict[str, Any], ...] = ()
    metrics_from: tuple[dict[str, Any], ...] = ()
    allow_to: tuple[dict[str, Any], ...] = ()


class VerificationAudio(Part):
    config_map_key_ref: KeyRef


class VerificationExpect(Part):
    text: str
    max_word_error_rate: float = 0.1


class Verification(Part):
    enabled: bool = True
    audio: VerificationAudio | None = None
    expect: VerificationExpect | None = None


class Logging(Part):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "json"


class Scheduling(Part):
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: tuple[dict[str, Any], ...] = ()
    affinity: dict[str, Any] | None = None
    topology_spread_constraints: tuple[dict[str, Any], ...] = ()
    priority_class_name: str | None = None


class Spec(Part):
    model: Model
    device: Literal["auto", "cuda", "cpu"] = "auto"
    compute_type: Literal["auto", "float16", "bfloat16", "float32"] = "auto"
    language: str = "auto"
    replicas: int = 1
    suspend: bool = False
    image: Image = Image()
    gpu: Gpu | None = None
    resources: Resources | None = None
    server: Server = Server()
    auth: Auth | None = None
    rate_limit: RateLimit | None = None
    jobs: Jobs | None = None
    result_cache: ResultCache | None = None
    redis: Redis | None = None
    cache: Cache = Cache()
    service: Service = Service()
    ingress: Ingress | None = None
    gateway: Gateway | None = None
    autoscaling: Autoscaling | None = None
    rollout: Rollout = Rollout()
    disruption: Disruption | None = None
    monitoring: Monitoring = Monitoring()
    network_policy: NetworkPolicy | None = None
    verification: Verification | None = None
    logging: Logging = Logging()
    scheduling: Scheduling = Scheduling()
    pod_template: dict[str, Any] | None = None


class Condition(Part):
    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""
    observed_generation: int | None = None
    last_transition_time: str | None = None


class ModelProgress(Part):
    bytes: int
    total: int | None = None
    bytes_per_second: int | None = None


class ModelStatus(Part):
    name: str | None = None
    digest: str | None = None
    bytes: int | None = None
    wanted: str | None = None
    progress: ModelProgress | None = None


class RolloutStatus(Part):
    strategy: str | None = None
    reason: str | None = None


class PerformanceStatus(Part):
    load_seconds: float | None = None
    realtime_factor: float | None = None
    device: str | None = None
    compute_type: str | None = None


class VerificationCheck(Part):
    name: str
    passed: bool
    message: str = ""


class VerificationStatus(Part):
    generation: int | None = None
    passed: bool | None = None
    checks: tuple[VerificationCheck, ...] = ()


class Status(Part):
    """What the operator observed; tolerant when read, for a newer operator may have written it."""

    model_config = ConfigDict(**(Part.model_config | {"extra": "ignore"}))

    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()
    replicas: int | None = None
    ready_replicas: int | None = None
    selector: str | None = None
    url: str | None = None
    model: ModelStatus | None = None
    rollout: RolloutStatus | None = None
    performance: PerformanceStatus | None = None
    verification: VerificationStatus | None = None


class Metadata(BaseModel):
    """The parts of a WhisperService's metadata that decisions rest on."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 1
    resource_version: str = ""
    deletion_timestamp: str | None = None


class WhisperService(Part):
    """One WhisperService, validated."""

    api_version: str = API_VERSION
    kind: str = KIND
    metadata: Metadata
    spec: Spec
    status: Status = Status()

    @classmethod
    def parse(cls, body: Manifest) -> Self:
        """The service in `body`; raises pydantic.ValidationError, whose locations are the manifest's paths."""
        return cls.model_validate(body)
