"""Carries out a step between no pod and one, and counts it."""

from __future__ import annotations

from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.reconcile.troubles import Troubles
from whisper_operator.resolve.scaling import ScaleStep
from whisper_operator.telemetry import metrics


async def carry_out(step: ScaleStep, deployment: Manifest, cluster: Cluster, troubles: Troubles) -> bool:
    """Whether exactly that version of the `deployment` has been scaled; what kept it from that is told to `troubles`.

    By another version somebody else may have scaled it meanwhile: the next pass decides anew.
    """
    name = deployment["metadata"]["name"]
    try:
        await cluster.scale(DEPLOYMENT, deployment, step.replicas)
    except ApiError as error:
        troubles.fail(DEPLOYMENT, name, f"scale of Deployment/{name} to {step.replicas}", error)
        return False
    counted = metrics.WAKES.labels(step.reason) if step.replicas else metrics.SLEEPS
    counted.inc()
    return True


def observe_wake(before: Status, after: Status) -> None:
    """Observes how long the last wake took, where `after`, which has been written, is the first to say it."""
    known, found = before.scale_to_zero, after.scale_to_zero
    if found and found.seconds is not None and (known is None or known.seconds is None):
        metrics.WAKE_SECONDS.observe(found.seconds)
