"""Stands in for the controllers that this control plane lacks: binds claims, completes Jobs, makes pods available."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import CLAIM, DEPLOYMENT, JOB, Kind

POLL_SECONDS: Final = 0.1
COMPLETED_AT: Final = "2026-01-01T00:00:00Z"
COMPLETE: Final[Manifest] = {
    "startTime": COMPLETED_AT,
    "completionTime": COMPLETED_AT,
    "succeeded": 1,
    "uncountedTerminatedPods": {},
    "conditions": [
        {"type": kind, "status": "True", "lastTransitionTime": COMPLETED_AT}
        for kind in ("SuccessCriteriaMet", "Complete")
    ],
}


async def run(cluster: Cluster, namespace: str) -> None:
    """Binds every claim, completes every Job and reports every Deployment available, until it is cancelled."""
    while True:
        await asyncio.sleep(POLL_SECONDS)
        try:
            for claim in await cluster.list(CLAIM, namespace):
                if claim.get("status", {}).get("phase") != "Bound":
                    await _apply_status(cluster, CLAIM, claim, {"phase": "Bound"})
            for job in await cluster.list(JOB, namespace):
                if "completionTime" not in job.get("status", {}):
                    await _apply_status(cluster, JOB, job, COMPLETE)
            for deployment in await cluster.list(DEPLOYMENT, namespace):
                if deployment.get("status", {}).get("observedGeneration") != deployment["metadata"]["generation"]:
                    await _apply_status(cluster, DEPLOYMENT, deployment, available_status(deployment))
        except (ApiError, TimeoutError):
            # The object is gone, or the API server is down: the next poll shows which.
            continue


def available_status(deployment: Manifest) -> dict[str, Any]:
    """The status of a Deployment whose pods are all available."""
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        **dict.fromkeys(counts, deployment["spec"]["replicas"]),
    }


async def _apply_status(cluster: Cluster, kind: Kind, live: Manifest, status: Manifest) -> None:
    metadata = {"name": live["metadata"]["name"], "namespace": live["metadata"]["namespace"]}
    manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "status": status}
    await cluster.apply(kind, manifest, manager="fake-controllers", subresource="status")
