"""Every child of a WhisperService: one file for each kind, and the tuple that lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build import (
    autoscaler,
    claim,
    client_service,
    deployment,
    disruption_budget,
    front,
    http_route,
    ingress,
    metrics_service,
    network_policy,
    prefetch,
    prometheus_rule,
    scaled_object,
    servers_service,
    service_account,
    service_monitor,
    verification,
)
from whisper_operator.resolve.resolved import Resolved

Builder = Callable[[Resolved], Manifest | None]

BUILDERS: Final[tuple[Builder, ...]] = (
    service_account.build,
    service_account.former,
    network_policy.build,
    network_policy.of_front,
    claim.of_models,
    claim.of_jobs,
    prefetch.build,
    client_service.build,
    metrics_service.build,
    metrics_service.of_front,
    servers_service.build,
    front.build,
    deployment.build,
    verification.build,
    autoscaler.build,
    scaled_object.build,
    disruption_budget.build,
    disruption_budget.of_front,
    ingress.build,
    http_route.build,
    service_monitor.build,
    prometheus_rule.build,
)
"""In the order in which children are applied: first what pods wait for or are guarded by."""


def desired(resolved: Resolved) -> list[Manifest]:
    """Every child that is wanted now, in the order in which to apply them.

    The Deployment is among them once `resolved` has a rollout.
    """
    return [manifest for build in BUILDERS if (manifest := build(resolved)) is not None]
