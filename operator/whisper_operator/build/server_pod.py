"""The template of the pods that serve: f(spec, admitted model, image), and of nothing that changes by itself."""

from __future__ import annotations

from typing import Any, Final

from whisper_operator.api.units import duration_seconds
from whisper_operator.api.v1alpha1 import Manifest, Spec, WhisperService
from whisper_operator.build import (
    door,
    fetch_container,
    golden_clip,
    job_store,
    known_results,
    pod,
    shared_store,
    source,
    webhooks,
)
from whisper_operator.objects import names
from whisper_operator.objects.diff import deviations
from whisper_operator.objects.manifest import annotations_of
from whisper_operator.objects.strategic_merge import overlaid
from whisper_operator.resolve.model import ModelRef
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.sizing import resources
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.files import DEFAULT_MODEL_DIR, SCRATCH_DIR
from whisper_runtime.contract.network import (
    HEALTH_PATH,
    HTTP_PORT,
    METRICS_PORT,
    READY_FAILURES,
    READY_PATH,
    READY_PERIOD_SECONDS,
    STARTUP_PATH,
)

GRACE_BEYOND_DRAIN_SECONDS: Final = 30
STARTUP_SECONDS: Final = 1800
"""For loading the largest model from the slowest volume; then the kubelet starts the container again."""
STARTUP_PERIOD: Final = 2
SAFE_TO_EVICT: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
"""Without it, a pod with an emptyDir on disk keeps its node from being removed.

Source: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
"""


def wanted_template(resolved: Resolved) -> Manifest | None:
    """The template of the pods that serve, the user's own `podTemplate` merged over it.

    None while there may be no pods: no model is available yet, or preflight holds.
    """
    model, spec = resolved.model.admitted, resolved.service.spec
    if model is None or (resolved.preflight.holds and not spec.suspend):
        return None
    template = _template(resolved, model)
    if resolved.is_of_first_release and _runs(resolved.deployment, as_before := _overlaid(template, spec)):
        # The annotation comes with the next change of the pods: an upgrade restarts none.
        return as_before
    return _overlaid(_evictable(template), spec)


def _overlaid(template: Manifest, spec: Spec) -> Manifest:
    return overlaid(template, spec.pod_template) if spec.pod_template else template


def _runs(deployment: Manifest | None, template: Manifest) -> bool:
    """Whether the live pods are those of `template`, which says nothing of SAFE_TO_EVICT, but for what others added."""
    if deployment is None:
        return False
    live: Manifest = deployment["spec"]["template"]
    return SAFE_TO_EVICT not in annotations_of(live) and all(one.is_added for one in deviations(template, live))


def _evictable(template: Manifest) -> Manifest:
    """`template`, whose own volumes on the node's disk, but for jobs, hold nothing that a node is to be kept for."""
    metadata, volumes = template["metadata"], template["spec"]["volumes"]
    local = ",".join(
        volume["name"] for volume in volumes if "emptyDir" in volume and volume["name"] != job_store.VOLUME
    )
    return {**template, "metadata": {**metadata, "annotations": {SAFE_TO_EVICT: local, **metadata["annotations"]}}}


def _template(resolved: Resolved, model: ModelRef) -> Manifest:
    service, spec = resolved.service, resolved.service.spec
    spread = spec.scheduling.topology_spread_constraints
    init = fetch_container.containers(resolved) if spec.cache.type == "EmptyDir" else []
    return {
        "metadata": pod.metadata(service, names.SERVER, pod.SCRAPED | golden_clip.pod_annotations(service)),
        "spec": {
            **pod.common(service, resolved.installation),
            **_runtime_class(service),
            **({"resourceClaims": [claim]} if (claim := _gpu_claim(service)) else {}),
            **_together(resolved),
            **({"topologySpreadConstraints": list(spread)} if spread else {}),
            "terminationGracePeriodSeconds": duration_seconds(spec.rollout.drain_timeout) + GRACE_BEYOND_DRAIN_SECONDS,
            **({"initContainers": init} if init else {}),
            "containers": [_server(resolved, model)],
            "volumes": [
                pod.scratch(),
                *pod.models_volume(service),
                *(volume for _, volume in door.keys(service)),
                *(volume for _, volume in _optional(service)),
                *(source.volumes(service) if init else []),
            ],
        },
    }


def _server(resolved: Resolved, model: ModelRef) -> Manifest:
    service, spec = resolved.service, resolved.service.spec
    keys, optional = ([mount for mount, _ in parts(service)] for parts in (door.keys, _optional))
    models = (
        [] if spec.cache.type == "Image" else [{"name": "models", "mountPath": DEFAULT_MODEL_DIR, "readOnly": True}]
    )
    extra = [variable.model_dump(by_alias=True, exclude_none=True) for variable in spec.server.env]
    return {
        "name": "server",
        "image": resolved.image.to_run,
        "imagePullPolicy": spec.image.pull_policy,
        "args": ["serve"],
        "env": pod.variables(_config(resolved, model)) + extra,
        "ports": [
            {"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        "startupProbe": pod.probe(STARTUP_PATH, period=STARTUP_PERIOD, failures=STARTUP_SECONDS // STARTUP_PERIOD),
        "readinessProbe": pod.probe(READY_PATH, period=READY_PERIOD_SECONDS, failures=READY_FAILURES),
        "livenessProbe": pod.probe(HEALTH_PATH, period=10, failures=6),
        "resources": {
            **resources(spec, model),
            **({"claims": [{"name": claim["name"]}]} if (claim := _gpu_claim(service)) else {}),
        },
        "securityContext": pod.HARDENED,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": "scratch", "mountPath": SCRATCH_DIR}, *models, *keys, *optional],
    }


def _optional(service: WhisperService) -> tuple[tuple[Manifest, Manifest], ...]:
    """Mounts and volumes of what a spec may have or not."""
    return (
        *golden_clip.parts(service),
        *job_store.parts(service),
        *webhooks.parts(service),
        *shared_store.parts(service),
    )


def _config(resolved: Resolved, model: ModelRef) -> RuntimeConfig:
    service, spec = resolved.service, resolved.service.spec
    return RuntimeConfig(
        model_image_dir=DEFAULT_MODEL_DIR if spec.cache.type == "ImageVolume" else None,
        max_audio_seconds=duration_seconds(spec.server.max_audio_duration),
        max_queued_audio_seconds=duration_seconds(spec.server.max_queued_audio),
        max_batch_size=None if spec.server.max_batch_size == "auto" else spec.server.max_batch_size,
        audio_url_allowed_hosts=spec.server.audio_urls.allowed_hosts if spec.server.audio_urls else (),
        audio_url_private_networks=spec.server.audio_urls.private_networks if spec.server.audio_urls else (),
        golden_dir=golden_clip.directory(service),
        golden_max_word_error_rate=golden_clip.max_word_error_rate(service),
        golden_language=golden_clip.language(service),
        **job_store.settings(service, resolved.jobs_claim),
        **door.settings(service),
        front_token=door.front_token(service) if resolved.front and resolved.front.has_clients else None,
        **webhooks.settings(service),
        **_cluster_networks(resolved),
        **known_results.text_settings(spec, model),
        **known_results.cache_settings(spec),
    )


def _cluster_networks(resolved: Resolved) -> dict[str, Any]:
    """None where the pods connect to no server that a client names, which then need not start anew for them."""
    spec = resolved.service.spec
    is_named = spec.server.audio_urls or (spec.jobs and spec.jobs.webhooks)
    return {"cluster_networks": resolved.installation.cluster_networks} if is_named else {}


def _gpu_claim(service: WhisperService) -> Manifest | None:
    """The pod's claim of its GPU; None where it asks by an extended resource, or for none."""
    template = service.spec.gpu.claim_template if service.spec.gpu else None
    return {"name": "gpu", "resourceClaimTemplateName": template} if template else None


def _runtime_class(service: WhisperService) -> Manifest:
    """The class for pods with a GPU alone: a node without one may lack it, and the other pods may run there."""
    gpu = service.spec.gpu
    return {"runtimeClassName": gpu.runtime_class_name} if gpu and gpu.runtime_class_name else {}


def _together(resolved: Resolved) -> Manifest:
    """Server pods attract each other to the one node that has a volume, beside what the spec says of their nodes."""
    if not any(claim.is_on_one_node for claim in resolved.claims):
        return {}
    given, term = resolved.service.spec.scheduling.affinity, pod.same_node(resolved.pod_selector)
    return {"affinity": pod.beside(given, "requiredDuringSchedulingIgnoredDuringExecution", term)}
