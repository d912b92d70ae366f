"""The kubelet's part where no node runs pods: tests write what it would write of them."""

from __future__ import annotations

import datetime
from typing import Any

from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

SERVER = "app.kubernetes.io/component=server"
NOW = "2026-01-01T00:00:00Z"
RUNNING = {"phase": "Running", "podIP": "192.0.2.1", "podIPs": [{"ip": "192.0.2.1"}]}


def start_pods(namespace: Kubectl, count: int | None = None) -> None:
    """That many more pods of the Deployment (None: all) run, and are ready."""
    pods = [pod for pod in namespace.list("pods", SERVER) if pod["status"].get("phase") != "Running"]
    for pod in pods[:count]:
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": NOW}
            for kind in ("Initialized", "ContainersReady", "Ready", "PodScheduled")
        ]
        write_status(namespace, "pod", pod["metadata"]["name"], {**RUNNING, "conditions": conditions})


def create_pod(namespace: Kubectl, name: str, labels: dict[str, str]) -> None:
    """A pod that no controller asks for; waits until pods can be made in the namespace."""
    eventually("pods can be made there", lambda: namespace.get("serviceaccount", "default"))
    spec = {"containers": [{"name": "main", "image": "example.com/main"}]}
    namespace.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec})


def place(namespace: Kubectl, pod: str, address: str, node_address: str) -> None:
    """The pod runs, with that address, on the node that has the other one."""
    addresses = {"podIP": address, "podIPs": [{"ip": address}]}
    hosts = {"hostIP": node_address, "hostIPs": [{"ip": node_address}]}
    write_status(namespace, "pod", pod, {"phase": "Running", **addresses, **hosts})


def pod_of(job: Manifest, *injected: Manifest) -> Manifest:
    """The pod that the Job controller creates, with containers that a mesh puts before its own."""
    template, name = job["spec"]["template"], job["metadata"]["name"]
    metadata = {**template["metadata"], "name": f"{name}-0"}
    metadata["labels"] = {**metadata["labels"], "batch.kubernetes.io/job-name": name}
    spec = {**template["spec"], "containers": [*injected, *template["spec"]["containers"]]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def end_container(namespace: Kubectl, pod: str, container: str, message: str, *, beside: str | None = None) -> None:
    """The container has ended with a termination message, and with it the pod; not where one runs `beside` it."""
    ended = {"exitCode": 0, "reason": "Completed", "message": message, "startedAt": NOW, "finishedAt": NOW}
    common = {"image": "a", "imageID": "a", "restartCount": 0}
    statuses = [{**common, "name": container, "ready": False, "state": {"terminated": ended}}]
    if beside:
        statuses.append({**common, "name": beside, "ready": True, "state": {"running": {"startedAt": NOW}}})
    phase = "Running" if beside else "Succeeded"
    write_status(namespace, "pod", pod, {**RUNNING, "phase": phase, "containerStatuses": statuses})


def fail_init_container(namespace: Kubectl, pod: str, container: str, message: str) -> None:
    """The pod's first container has failed with a termination message, and waits to be started again."""
    failed = {"exitCode": 1, "reason": "Error", "message": message, "startedAt": NOW, "finishedAt": NOW}
    status = {
        "image": "a",
        "imageID": "a",
        "name": container,
        "ready": False,
        "restartCount": 1,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": failed},
    }
    write_status(namespace, "pod", pod, {**RUNNING, "phase": "Pending", "initContainerStatuses": [status]})


def end_job(namespace: Kubectl, name: str, outcome: str, *, seconds_ago: float = 0) -> None:
    """The Job controller has seen the Job end as `Complete` or `Failed`."""
    at = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    before = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}[outcome]
    status: dict[str, Any] = {
        "startTime": at,
        "uncountedTerminatedPods": {},
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": at} for kind in (before, outcome)],
        **({"completionTime": at, "succeeded": 1} if outcome == "Complete" else {"failed": 1}),
    }
    write_status(namespace, "job", name, status)


def report_node(namespace: Kubectl, name: str, **resources: str) -> None:
    """The node is ready and offers those resources beside the usual ones, as its device plugin reports."""
    amounts = {"cpu": "16", "memory": "64Gi", "pods": "110", **resources}
    times = dict.fromkeys(("lastHeartbeatTime", "lastTransitionTime"), NOW)
    condition = {"type": "Ready", "status": "True", "reason": "KubeletReady", **times}
    write_status(namespace, "node", name, {"capacity": amounts, "allocatable": amounts, "conditions": [condition]})
    namespace.patch("node", name, {"spec": {"taints": None}})


def write_status(namespace: Kubectl, kind: str, name: str, status: Manifest) -> None:
    namespace.patch(kind, name, {"status": status}, "status")
