"""The cluster in which the autoscalers are real: an API server, its controllers, and our operator."""

from __future__ import annotations

import datetime
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.scaling.metrics_apis import PlayedFrontRequest, PublishedMetrics, serving, timestamp
from testbed import aggregated_api, operator_plane
from testbed.cluster import controlplane, crds
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.fakes.web_server import answering
from tests.support import keda, optional_apis
from tests.support.kubectl import Kubectl, kubectl_on
from tests.support.kubelet import write_status
from tests.support.neighbour_plane import behind, own_address
from tests.support.services import EMPTY_DIR, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.names import front_metrics
from whisper_runtime.contract.network import METRICS_PORT

NAME: Final = "speech"
START_SECONDS: Final = 20
"""From a pod's creation until it is ready: of a played one."""
REQUESTED: Final = 2
"""Processors that a pod asks for, and uses while it works."""
CPU: Final = {"type": "CPU"}
QUEUED_AUDIO: Final = {"type": "QueuedAudio"}
KUBERNETES_PACE: Final = {"scaleDown": {"stabilizationWindowSeconds": 300}}
"""Its own default, in the place of ours."""
FEWEST, MOST = 1, 10


def _scaled(**autoscaling: Any) -> dict[str, Any]:
    return {"autoscaling": {"minReplicas": FEWEST, "maxReplicas": MOST, **autoscaling}}


SCALED: Final[dict[str, dict[str, Any]]] = {
    "HPA on audio": _scaled(metrics=[QUEUED_AUDIO]),
    "HPA on audio at Kubernetes' pace": _scaled(metrics=[QUEUED_AUDIO], behavior=KUBERNETES_PACE),
    "HPA on audio at a front": {**_scaled(metrics=[QUEUED_AUDIO]), "front": {}},
    "HPA on CPU": _scaled(metrics=[CPU]),
    "HPA on both": _scaled(metrics=[CPU, QUEUED_AUDIO]),
    "KEDA at a front": {**_scaled(metrics=[QUEUED_AUDIO], keda={"onDemand": True}), "front": {"replicas": 1}},
}
"""The spec of each variant, as docs/how-to/autoscaling.md has it."""


def namespace_of(variant: str) -> str:
    return variant.lower().replace(" ", "-").replace("'", "")


@contextmanager
def running(directory: Path, published: PublishedMetrics, variants: Sequence[str]) -> Generator[ControlPlane]:
    """The cluster, with the services of those variants, each of which has a ready pod."""
    plane_of = controlplane.running(directory, controllers="*,-job-controller", address=own_address())
    with plane_of as plane, serving(plane, published) as port, ExitStack() as stack:
        operator_plane.serve_our_api(plane)
        for api in ("v1beta1.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io"):
            aggregated_api.register(plane, api, port)
        if any(has_keda(variant) for variant in variants):
            _keda(stack, plane, published)
        operator = OperatorProcess(plane, settings={"POLICY": '{"exemptNamespaces": ["*"]}'})
        operator.start()
        try:
            for variant in variants:
                _begin(kubectl_on(plane), variant)
            yield plane
        finally:
            operator.stop()


def has_front(variant: str) -> bool:
    return "front" in SCALED[variant]


def has_keda(variant: str) -> bool:
    return "keda" in SCALED[variant]["autoscaling"]


def _keda(stack: ExitStack, plane: ControlPlane, published: PublishedMetrics) -> None:
    """KEDA as it is installed, and the front that it asks."""
    kubectl = kubectl_on(plane)
    optional_apis.install(kubectl, crds.ensure(crds.WHOLE_KEDA))
    kubectl("create", "namespace", keda.NAMESPACE)
    stack.enter_context(answering(PlayedFrontRequest, own_address(), METRICS_PORT, published=published))
    stack.enter_context(keda.running(plane, plane.directory / "keda"))


def _begin(kubectl: Kubectl, variant: str) -> None:
    kubectl("create", "namespace", namespace_of(variant))
    within = kubectl.within(namespace_of(variant))
    resources = {"requests": {"cpu": str(REQUESTED), "memory": "4Gi"}}
    within.apply(service(NAME, **EMPTY_DIR, resources=resources, **SCALED[variant]))
    autoscaler = f"keda-hpa-{NAME}" if has_keda(variant) else NAME
    eventually(f"{variant}: there is the autoscaler", lambda: within.get("hpa", autoscaler), 120)
    if has_keda(variant):
        # The controller leaves pods out that are on no node.
        within.apply(behind(front_metrics(NAME), "metrics", METRICS_PORT))
    eventually(f"{variant}: a pod starts", lambda: ready_pods(within), 120)


def ready_pods(within: Kubectl) -> set[str]:
    """Names of the pods that serve; those that have existed for START_SECONDS are ready from now on, fronts at once."""
    found, now = set[str](), time.time()
    for pod in within.list("pods"):
        name, labels = pod["metadata"]["name"], pod["metadata"]["labels"]
        is_front = labels["app.kubernetes.io/component"] == "front"
        is_ready = pod["status"].get("phase") == "Running"
        if not is_ready and (is_front or now - _created(pod) >= START_SECONDS):
            write_status(within, "pod", name, _ready_at(own_address() if is_front else "192.0.2.1"))
            is_ready = True
        if is_ready and not is_front:
            found.add(name)
    return found


def wanted_pods(within: Kubectl) -> int:
    return (within.get("deployment", NAME) or {})["spec"]["replicas"]


def _created(pod: Manifest) -> float:
    return datetime.datetime.fromisoformat(pod["metadata"]["creationTimestamp"]).timestamp()


def _ready_at(address: str) -> dict[str, Any]:
    """The status of a pod that is ready since now."""
    kinds = ("Initialized", "ContainersReady", "Ready", "PodScheduled")
    conditions = [{"type": kind, "status": "True", "lastTransitionTime": timestamp()} for kind in kinds]
    addresses = {"podIP": address, "podIPs": [{"ip": address}]}
    return {"phase": "Running", "startTime": timestamp(), **addresses, "conditions": conditions}
