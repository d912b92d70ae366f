"""The Job that deletes files from a claim: pods that serve mount it read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from kubectl_whisper.kube_api import COMPONENT_LABEL, Failure, KubeApi, path_of
from kubectl_whisper.upkeep.models import VOLUME
from kubectl_whisper.upkeep.verify import WaitClock
from whisper_runtime.contract.files import DEFAULT_MODEL_DIR

JOBS: Final = ("batch/v1", "jobs")
SECONDS: Final = 120
"""Until the pod has to be done; the API server's own clock ends it."""
LOOK_SECONDS: Final = 1.0
KEPT_SECONDS: Final = 300
"""Of a Job that nobody deletes, as after Ctrl-C."""
LABELS: Final = {"app.kubernetes.io/managed-by": "kubectl-whisper", COMPONENT_LABEL: "prune"}
"""No service's: neither its Service nor the operator takes the pod for its own."""
LIKE_THE_POD: Final = (
    "dnsPolicy",
    "imagePullSecrets",
    "priorityClassName",
    "schedulerName",
    "securityContext",
    "serviceAccountName",
    "tolerations",
)
"""What the namespace and the volume ask of a pod, the live one has."""


def delete_files(
    api: KubeApi, pod: Mapping[str, Any], claim: str, files: Sequence[str], clock: WaitClock | None = None
) -> None:
    """Deletes them, beside the `pod` that serves from the claim; raises Failure where it cannot be done."""
    job = api.create(path_of(*JOBS, api.namespace), manifest(pod, claim, files))
    metadata = job["metadata"]
    try:
        if said := _end_of(api, metadata["name"], clock or WaitClock()):
            raise Failure(said)
    finally:
        api.delete(f"{path_of(*JOBS, api.namespace)}/{quote(metadata['name'], safe='')}", metadata["uid"])


def manifest(pod: Mapping[str, Any], claim: str, files: Sequence[str]) -> dict[str, Any]:
    """Runs `rm`, as any release's image has it, with the rights and on the node of the pod that serves."""
    server = next(one for one in pod["spec"]["containers"] if one["name"] == "server")
    paths = [f"{DEFAULT_MODEL_DIR}/{file}" for file in files]
    container = {
        "name": "prune",
        "command": ["rm", "-f", "--", *paths],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "64Mi"}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": VOLUME, "mountPath": DEFAULT_MODEL_DIR}],
        **{key: server[key] for key in ("image", "imagePullPolicy", "securityContext") if key in server},
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _node(pod["spec"]["nodeName"])}
        },
        "containers": [container],
        "volumes": [{"name": VOLUME, "persistentVolumeClaim": {"claimName": claim}}],
        **{key: pod["spec"][key] for key in LIKE_THE_POD if key in pod["spec"]},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": "whisper-prune-", "labels": LABELS},
        "spec": {
            "activeDeadlineSeconds": SECONDS,
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {"metadata": {"labels": LABELS}, "spec": spec},
        },
    }


def _node(name: str) -> dict[str, Any]:
    """A volume that one node may mount at a time is there already."""
    by_name = {"key": "metadata.name", "operator": "In", "values": [name]}
    return {"nodeSelectorTerms": [{"matchFields": [by_name]}]}


def _end_of(api: KubeApi, name: str, clock: WaitClock) -> str:
    """Waits; returns why the Job has failed, empty where it has not."""
    deadline = clock.now() + 2 * SECONDS
    while clock.now() < deadline:
        found = next(api.listed(path_of(*JOBS, api.namespace), {"fieldSelector": f"metadata.name={name}"}), None)
        if found is None:
            return f"Job {name} was deleted by somebody else"
        for one in found.get("status", {}).get("conditions", ()):
            if one["status"] == "True" and one["type"] in ("Complete", "Failed"):
                return "" if one["type"] == "Complete" else _why(api, name) or one.get("message", "it failed")
        clock.sleep(LOOK_SECONDS)
    return f"Job {name} has not ended in {2 * SECONDS} s: see its pod's events"


def _why(api: KubeApi, job: str) -> str:
    """What its pod said last."""
    pods = api.listed(path_of("v1", "pods", api.namespace), {"labelSelector": f"batch.kubernetes.io/job-name={job}"})
    for pod in pods:
        for one in pod.get("status", {}).get("containerStatuses", ()):
            if message := one.get("state", {}).get("terminated", {}).get("message"):
                return message.strip()
    return ""
