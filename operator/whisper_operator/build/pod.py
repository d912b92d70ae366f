"""The pods' templates: f(spec, admitted model, image), and of nothing that changes by itself."""

from __future__ import annotations

from typing import Any, Final

from whisper_operator.api.units import duration_seconds, size_bytes
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.build import golden_clip, source
from whisper_operator.build.claim import size
from whisper_operator.build.strategic_merge import overlaid
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.observe.installation import Env
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.model import ServedModel, claim_name, live_claim, ties_to_one_node
from whisper_operator.resolve.sizing import resources
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.files import (
    API_KEYS_DIR,
    DEFAULT_MODEL_DIR,
    SCRATCH_DIR,
    SOURCE_CA_FILE,
    SOURCE_CREDENTIALS_DIR,
)
from whisper_runtime.contract.network import (
    HEALTH_PATH,
    HTTP_PORT,
    METRICS_PATH,
    METRICS_PORT,
    READY_FAILURES,
    READY_PATH,
    READY_PERIOD_SECONDS,
    STARTUP_PATH,
)

Part = dict[str, Any]

GRACE_BEYOND_DRAIN_SECONDS: Final = 30
STARTUP_SECONDS: Final = 1800
"""For loading the largest model from the slowest volume; then the kubelet starts the container again."""
STARTUP_PERIOD: Final = 2
HARDENED: Final[Part] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
SCRAPED: Final = {
    "prometheus.io/scrape": "true",
    "prometheus.io/port": str(METRICS_PORT),
    "prometheus.io/path": METRICS_PATH,
}
FETCH_RESOURCES: Final[Part] = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
"""Measured with large-v3's 2,944 MiB: 448 MiB of its own; the file's pages, read only, the kernel takes back."""
SCRATCH_LIMIT: Final = "8Gi"
"""Uploads on their way to the decoder; a pod that exceeds it is evicted, not the node."""


def server_template(service: WhisperService, model: ServedModel, observed: Observed, env: Env) -> Part:
    """The template of the pods that serve `model`, with the user's own `podTemplate` merged over it."""
    template = _server_template(service, model, observed, env)
    over = service.spec.pod_template
    return overlaid(template, over) if over else template


def _server_template(service: WhisperService, model: ServedModel, observed: Observed, env: Env) -> Part:
    spec, name = service.spec, service.metadata.name
    spread = spec.scheduling.topology_spread_constraints
    init = [fetcher(service, observed, env)] if spec.cache.type == "EmptyDir" else []
    return {
        "metadata": {
            "labels": names.labels(name, names.SERVER),
            "annotations": SCRAPED | golden_clip.pod_annotations(service),
        },
        "spec": {
            **common(service, env),
            **_runtime_class(service),
            **_together(service, observed),
            **({"topologySpreadConstraints": list(spread)} if spread else {}),
            "terminationGracePeriodSeconds": duration_seconds(spec.rollout.drain_timeout) + GRACE_BEYOND_DRAIN_SECONDS,
            **({"initContainers": init} if init else {}),
            "containers": [_server(service, model, observed, env)],
            "volumes": [
                scratch(),
                *models_volume(service),
                *_keys_volume(service),
                *(volume for _, volume in golden_clip.parts(service)),
                *(source.volumes(service) if init else []),
            ],
        },
    }


def image(service: WhisperService, observed: Observed, env: Env) -> str:
    """The image that spec names; what it leaves open is as it is live, so that an upgraded operator restarts no pod."""
    newest, live = newest_image(service, env), observed.get(DEPLOYMENT, service.metadata.name)
    if live is None or service.spec.image.tag or service.spec.image.digest:
        return newest
    running = live["spec"]["template"]["spec"]["containers"][0]["image"]
    wanted = service.spec.image.repository
    return running if wanted is None or running.startswith(f"{wanted}:") else newest


def newest_image(service: WhisperService, env: Env) -> str:
    """The image that spec names, with the operator's own defaults for what it leaves open."""
    wanted = service.spec.image
    if wanted.repository is None and wanted.tag is None and wanted.digest is None:
        return env.runtime_image
    default_repository, _, default_tag = env.runtime_image.partition("@")[0].rpartition(":")
    repository = wanted.repository or default_repository
    return f"{repository}@{wanted.digest}" if wanted.digest else f"{repository}:{wanted.tag or default_tag}"


def server_config(service: WhisperService, model: ServedModel) -> RuntimeConfig:
    """The configuration of a serving pod."""
    spec = service.spec
    return RuntimeConfig(
        model=model.name,
        model_sha256=model.sha256,
        base_path=spec.ingress.path.rstrip("/") if spec.ingress else "",
        probes_on_http=False,
        device=("cuda" if spec.gpu else "cpu") if spec.device == "auto" else spec.device,
        compute_type=spec.compute_type,
        language=spec.language,
        max_upload_bytes=size_bytes(spec.server.max_upload_size),
        max_audio_seconds=duration_seconds(spec.server.max_audio_duration),
        request_timeout_seconds=duration_seconds(spec.server.request_timeout),
        max_queued_audio_seconds=duration_seconds(spec.server.max_queued_audio),
        max_batch_size=None if spec.server.max_batch_size == "auto" else spec.server.max_batch_size,
        condition_on_previous_text=spec.server.condition_on_previous_text,
        cors_allow_origins=spec.server.cors.allow_origins,
        api_keys_dir=API_KEYS_DIR if spec.auth else None,
        golden_dir=golden_clip.directory(service),
        golden_max_word_error_rate=golden_clip.max_word_error_rate(service),
        drain_seconds=duration_seconds(spec.rollout.drain_timeout),
        log_level=spec.logging.level,
        log_format=spec.logging.format,
        requests_per_minute=spec.rate_limit.requests_per_minute if spec.rate_limit else None,
        audio_minutes_per_hour=spec.rate_limit.audio_minutes_per_hour if spec.rate_limit else None,
    )


def fetch_config(service: WhisperService) -> RuntimeConfig:
    """The configuration of a fetching pod."""
    spec, given = service.spec, service.spec.model.source
    return RuntimeConfig(
        model=spec.model.name,
        model_sha256=given.sha256 if given else None,
        model_url=given.url if given else None,
        model_credentials_dir=SOURCE_CREDENTIALS_DIR if given and given.secret_ref else None,
        model_ca_file=SOURCE_CA_FILE if given and given.ca_ref else None,
        log_level=spec.logging.level,
        log_format=spec.logging.format,
    )


def common(service: WhisperService, env: Env) -> Part:
    """What all pods of a service have."""
    spec = service.spec
    group = {} if env.fs_group is None else {"fsGroup": env.fs_group, "fsGroupChangePolicy": "OnRootMismatch"}
    wanted = spec.scheduling
    return {
        "serviceAccountName": service.metadata.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, **group},
        **(
            {"imagePullSecrets": [{"name": ref.name} for ref in secrets]}
            if (secrets := spec.image.pull_secrets)
            else {}
        ),
        **({"nodeSelector": wanted.node_selector} if wanted.node_selector else {}),
        **({"tolerations": list(wanted.tolerations)} if wanted.tolerations else {}),
        **({"affinity": wanted.affinity} if wanted.affinity else {}),
        **({"priorityClassName": wanted.priority_class_name} if wanted.priority_class_name else {}),
    }


def _server(service: WhisperService, model: ServedModel, observed: Observed, env: Env) -> Part:
    spec = service.spec
    keys = [{"name": "api-keys", "mountPath": API_KEYS_DIR, "readOnly": True}] if spec.auth else []
    own_golden = [mount for mount, _ in golden_clip.parts(service)]
    models = (
        [] if spec.cache.type == "Image" else [{"name": "models", "mountPath": DEFAULT_MODEL_DIR, "readOnly": True}]
    )
    extra = [variable.model_dump(by_alias=True, exclude_none=True) for variable in spec.server.env]
    return {
        "name": "server",
        "image": image(service, observed, env),
        "imagePullPolicy": spec.image.pull_policy,
        "args": ["serve"],
        "env": variables(server_config(service, model)) + extra,
        "ports": [
            {"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        "startupProbe": _probe(STARTUP_PATH, period=STARTUP_PERIOD, failures=STARTUP_SECONDS // STARTUP_PERIOD),
        "readinessProbe": _probe(READY_PATH, period=READY_PERIOD_SECONDS, failures=READY_FAILURES),
        "livenessProbe": _probe(HEALTH_PATH, period=10, failures=6),
        "resources": resources(spec, model.name),
        "securityContext": HARDENED,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": "scratch", "mountPath": SCRATCH_DIR}, *models, *keys, *own_golden],
    }


def fetcher(service: WhisperService, observed: Observed, env: Env) -> Part:
    return {
        "name": "fetch",
        "image": image(service, observed, env),
        "imagePullPolicy": service.spec.image.pull_policy,
        "args": ["fetch"],
        "env": variables(fetch_config(service)) + source.proxies(service),
        "resources": FETCH_RESOURCES,
        "securityContext": HARDENED,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "scratch", "mountPath": SCRATCH_DIR},
            {"name": "models", "mountPath": DEFAULT_MODEL_DIR},
            *source.mounts(service),
        ],
    }


def variables(config: RuntimeConfig) -> list[Part]:
    return [{"name": name, "value": value} for name, value in sorted(config.to_env().items())]


def _probe(path: str, *, period: int, failures: int) -> Part:
    return {
        "httpGet": {"path": path, "port": "metrics", "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def scratch() -> Part:
    return {"name": "scratch", "emptyDir": {"sizeLimit": SCRATCH_LIMIT}}


def models_volume(service: WhisperService) -> list[Part]:
    match service.spec.cache.type:
        case "PersistentVolumeClaim":
            return [{"name": "models", "persistentVolumeClaim": {"claimName": claim_name(service)}}]
        case "EmptyDir":
            return [{"name": "models", "emptyDir": {"sizeLimit": size(service.spec)}}]
        case "Image":
            return []


def _keys_volume(service: WhisperService) -> list[Part]:
    auth = service.spec.auth
    return [{"name": "api-keys", "secret": {"secretName": auth.secret_ref.name, "defaultMode": 0o440}}] if auth else []


def _runtime_class(service: WhisperService) -> Part:
    """Of the pods that have a GPU alone: a node without one knows no such class, and the other pods may run there."""
    gpu = service.spec.gpu
    return {"runtimeClassName": gpu.runtime_class_name} if gpu and gpu.runtime_class_name else {}


def shares_one_node(service: WhisperService, observed: Observed) -> bool:
    """Whether the claim can be mounted on one node only."""
    claim = live_claim(service, observed) if service.spec.cache.type == "PersistentVolumeClaim" else None
    return claim is not None and ties_to_one_node(claim["spec"]["accessModes"])


def _together(service: WhisperService, observed: Observed) -> Part:
    """Server pods attract each other to the one node that has the volume, unless the spec says where they go."""
    if service.spec.scheduling.affinity or not shares_one_node(service, observed):
        return {}
    return {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [same_node(service)]}}}


def same_node(service: WhisperService) -> Part:
    return {
        "labelSelector": {"matchLabels": names.selector(service.metadata.name)},
        "topologyKey": "kubernetes.io/hostname",
    }
