"""The spec's parts about how pods are replaced and drained."""

from __future__ import annotations

from typing import ClassVar, Literal

from whisper_operator.api.base import ApiModel, Rule
from whisper_operator.api.scalars import CountOrPercent, Duration


class RolloutSpec(ApiModel):
    strategy: Literal["Auto", "Surge", "Replace"] = "Auto"
    """Surge starts the new pod first; Replace stops the old one first, for nodes without a free GPU; Auto chooses."""
    drain_timeout: Duration = "10m"
    """Time that a terminating pod may take to finish its requests."""


class DisruptionSpec(ApiModel):
    enabled: bool = True
    """Whether there is a PodDisruptionBudget."""
    min_available: CountOrPercent | None = None
    """Pods that a drain must leave available: a number or a percentage."""
    max_unavailable: CountOrPercent | None = None
    """Pods that a drain may make unavailable: a number or a percentage. Without either, 1."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.minAvailable) && has(self.maxUnavailable))",
            "spec.disruption has both minAvailable and maxUnavailable: remove one of them",
            lambda self: self.min_available is None or self.max_unavailable is None,
        ),
    )
