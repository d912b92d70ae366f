"""The PodDisruptionBudget: how many pods a drain must leave."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DISRUPTION_BUDGET
from whisper_operator.resolve.resolved import Resolved


def build(resolved: Resolved) -> Manifest | None:
    service, wanted = resolved.service, resolved.budget
    if wanted is None:
        return None
    limit = (
        {"minAvailable": wanted.min_available}
        if wanted.min_available is not None
        else {"maxUnavailable": 1 if wanted.max_unavailable is None else wanted.max_unavailable}
    )
    return child(service, DISRUPTION_BUDGET, service.metadata.name, spec=_spec(resolved, names.SERVER, limit))


def of_front(resolved: Resolved) -> Manifest | None:
    """A drain takes one pod of the front at a time; None where there is none, or a single one could not be drained."""
    service, front = resolved.service, resolved.front
    if front is None or front.replicas < 2:
        return None
    name = names.front(service.metadata.name)
    spec = _spec(resolved, names.FRONT, {"maxUnavailable": 1})
    return child(service, DISRUPTION_BUDGET, name, component=names.FRONT, spec=spec)


def _spec(resolved: Resolved, component: str, limit: Manifest) -> Manifest:
    return {
        **limit,
        "selector": {"matchLabels": names.selector(resolved.service.metadata.name, component)},
        # A pod that is not ready serves nobody, and must not keep a node from being drained. A busy one is ready:
        # the runtime's readiness does not follow its load (service/probes.py there).
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
