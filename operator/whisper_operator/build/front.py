"""The Deployment of the front: the same image as the pods that serve, without a model or a GPU."""

from __future__ import annotations

from typing import Any

from whisper_operator.api.units import canonical_quantity, duration_seconds, size_bytes
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build import door, front_answers, pod, shared_store
from whisper_operator.build.deployment import ENDPOINT_LAG_SECONDS
from whisper_operator.build.meta import child
from whisper_operator.build.server_pod import GRACE_BEYOND_DRAIN_SECONDS, SAFE_TO_EVICT
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.resolve.front import FrontState
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.sizing import front_resources
from whisper_runtime.contract.config import RuntimeConfig, env_name
from whisper_runtime.contract.files import SCRATCH_DIR, SPOOL_DIR
from whisper_runtime.contract.network import (
    HEALTH_PATH,
    HTTP_PORT,
    METRICS_PORT,
    READY_FAILURES,
    READY_PATH,
    READY_PERIOD_SECONDS,
)

OF_TRACING = "OTEL_"
"""How the variables begin by which spans are sent."""


def build(resolved: Resolved) -> Manifest | None:
    service, front = resolved.service, resolved.front
    if front is None:
        return None
    selector = names.selector(service.metadata.name, names.FRONT)
    return child(
        service,
        DEPLOYMENT,
        names.front(service.metadata.name),
        component=names.FRONT,
        spec={
            "replicas": front.replicas,
            "minReadySeconds": ENDPOINT_LAG_SECONDS,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": selector},
            # There is no model to load and no GPU to wait for, so that the new pod always comes first.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": _template(resolved, front, selector),
        },
    )


def _template(resolved: Resolved, front: FrontState, selector: dict[str, str]) -> Manifest:
    service = resolved.service
    parts = [*door.keys(service), *shared_store.parts(service), *front_answers.parts(resolved)]
    template = {
        "metadata": pod.metadata(service, names.FRONT, pod.SCRAPED | {SAFE_TO_EVICT: "scratch,front-spool"}),
        "spec": {
            **_among_nodes(pod.common(service, resolved.installation), front),
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": selector},
                }
            ],
            "terminationGracePeriodSeconds": duration_seconds(service.spec.rollout.drain_timeout)
            + GRACE_BEYOND_DRAIN_SECONDS,
            "containers": [_container(resolved, front, [mount for mount, _ in parts])],
            "volumes": [
                pod.scratch(),
                {"name": "front-spool", "emptyDir": {"sizeLimit": canonical_quantity(front.spec.spool)}},
                *(volume for _, volume in parts),
            ],
        },
    }
    return pod.of_job(template, service, None)


def _among_nodes(common: Manifest, front: FrontState) -> Manifest:
    """`common`, on the front's own nodes where the spec names some."""
    if front.spec.node_selector is None:
        return common
    rest = {name: value for name, value in common.items() if name not in ("nodeSelector", "affinity")}
    return rest | ({"nodeSelector": front.spec.node_selector} if front.spec.node_selector else {})


def _container(resolved: Resolved, front: FrontState, mounts: list[Manifest]) -> Manifest:
    return {
        "name": "front",
        "image": resolved.image.to_run,
        "imagePullPolicy": resolved.service.spec.image.pull_policy,
        "args": ["front"],
        "env": _environment(resolved, front),
        "ports": [
            {"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        "readinessProbe": pod.probe(READY_PATH, period=READY_PERIOD_SECONDS, failures=READY_FAILURES),
        "livenessProbe": pod.probe(HEALTH_PATH, period=10, failures=6),
        "resources": front_resources(front.spec),
        "securityContext": pod.HARDENED,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "scratch", "mountPath": SCRATCH_DIR},
            {"name": "front-spool", "mountPath": SPOOL_DIR},
            *mounts,
        ],
    }


def _environment(resolved: Resolved, front: FrontState) -> list[Manifest]:
    """The settings of the door and the front's own; of the spec's variables those by which spans are sent.

    Of the model nothing, unless the front answers by itself: each change of it would start the front anew.
    """
    service = resolved.service
    name, namespace = service.metadata.name, service.metadata.namespace
    of_answers = front_answers.settings(resolved)
    settings = RuntimeConfig(
        **of_answers,
        **door.settings(service),
        front_token=door.front_token(service),
        servers=f"{names.servers(name)}.{namespace}.svc:{HTTP_PORT}",
        spool_dir=SPOOL_DIR,
        spool_bytes=max(1, size_bytes(front.spec.spool) * 63 // 64),  # the kubelet counts whole blocks
    ).to_env()
    if not of_answers:
        del settings[env_name("model")]
    values: list[Manifest] = [{"name": key, "value": value} for key, value in sorted(settings.items())]
    given: list[dict[str, Any]] = [
        variable.model_dump(by_alias=True, exclude_none=True)
        for variable in service.spec.server.env
        if variable.name.startswith(OF_TRACING)
    ]
    return values + given
