"""The Deployment of the pods that serve."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.resolve.model_state import ModelState
from whisper_operator.resolve.resolved import Resolved

ENDPOINT_LAG_SECONDS: Final = 3
"""A pod counts as available once every node's proxy knows it: else Ready would come before the first answer can.

The runtime waits longer for the same lag when a pod leaves (servers.py): there an error loses requests, here it delays.
"""


def build(resolved: Resolved) -> Manifest | None:
    """None while there may be no pods: a live one stays as it is."""
    service, rollout = resolved.service, resolved.rollout
    if rollout is None:
        return None
    return child(
        service,
        DEPLOYMENT,
        service.metadata.name,
        annotations={**rollout.decision.annotations, **_models(resolved.model)},
        spec={
            **_replicas(service),
            "minReadySeconds": ENDPOINT_LAG_SECONDS,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": dict(resolved.pod_selector)},
            "strategy": rollout.decision.as_strategy,
            "template": rollout.template,
        },
    )


def _models(model: ModelState) -> dict[str, str]:
    """The annotations that keep which model was good, and which one failed."""
    good = {names.ANNOTATION_LAST_GOOD_MODEL: str(model.last_good)} if model.last_good else {}
    failed = {names.ANNOTATION_FAILED_MODEL: model.failed.annotation} if model.failed else {}
    return good | failed


def _replicas(service: WhisperService) -> dict[str, int]:
    """`replicas`, unless an autoscaler owns the number."""
    if service.spec.suspend:
        return {"replicas": 0}
    return {} if service.spec.autoscaling else {"replicas": service.spec.replicas}
