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
    return child(
        service,
        DISRUPTION_BUDGET,
        service.metadata.name,
        spec={
            **limit,
            "selector": {"matchLabels": names.selector(service.metadata.name)},
            # A pod that is not ready serves nobody, and must not keep a node from being drained. A busy one is ready:
            # the runtime's readiness does not follow its load (service/probes.py there).
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    )
