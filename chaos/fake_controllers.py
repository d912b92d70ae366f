"""Those who act in a real cluster and are not there: who binds claims, fetches models, and runs pods."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import CLAIM, DEPLOYMENT, JOB, Kind

LOOK_SECONDS: Final = 0.1
LONG_AGO: Final = "2026-01-01T00:00:00Z"
COMPLETE: Final[Manifest] = {
    "startTime": LONG_AGO,
    "completionTime": LONG_AGO,
    "succeeded": 1,
    "uncountedTerminatedPods": {},
    "conditions": [
        {"type": kind, "status": "True", "lastTransitionTime": LONG_AGO} for kind in ("SuccessCriteriaMet", "Complete")
    ],
}


async def play(cluster: Cluster, namespace: str) -> None:
    """Binds every claim, completes every Job and serves every Deployment, for ever."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            for claim in await cluster.list(CLAIM, namespace):
                if claim.get("status", {}).get("phase") != "Bound":
                    await _say(cluster, CLAIM, claim, {"phase": "Bound"})
            for job in await cluster.list(JOB, namespace):
                if "completionTime" not in job.get("status", {}):
                    await _say(cluster, JOB, job, COMPLETE)
            for deployment in await cluster.list(DEPLOYMENT, namespace):
                if deployment.get("status", {}).get("observedGeneration") != deployment["metadata"]["generation"]:
                    await _say(cluster, DEPLOYMENT, deployment, serving(deployment))
        except (ApiError, TimeoutError):
            # Gone meanwhile, or the API server is down: the next look shows.
            continue


def serving(deployment: Manifest) -> dict[str, Any]:
    """The status of a Deployment all of whose pods serve."""
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        **dict.fromkeys(counts, deployment["spec"]["replicas"]),
    }


async def _say(cluster: Cluster, kind: Kind, live: Manifest, status: Manifest) -> None:
    metadata = {"name": live["metadata"]["name"], "namespace": live["metadata"]["namespace"]}
    manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "status": status}
    await cluster.apply(kind, manifest, manager="players", subresource="status")
