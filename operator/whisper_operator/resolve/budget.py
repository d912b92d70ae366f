"""The PodDisruptionBudget that a service has: the spec's, or a default that gives way to one of the user's own. Pure.

A pod of two budgets cannot be evicted at all: pkg/registry/core/pod/storage/eviction.go of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from whisper_operator.api.spec.replicas import DisruptionSpec
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DISRUPTION_BUDGET
from whisper_operator.objects.manifest import controller_of
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.scheduling import holds

DEFAULT: Final = DisruptionSpec(max_unavailable=1)
"""Delays a drain while a pod moves, and never forbids it."""


def resolve_budget(service: WhisperService, observed: Observed) -> DisruptionSpec | None:
    """None: none is wanted. Another one of the same pods keeps the default from being made."""
    wanted = service.spec.disruption
    if wanted is not None:
        return wanted if wanted.enabled else None
    if service.spec.most_replicas <= 1:
        return None
    return DEFAULT if observed.facts.other_budgets == () or _live(service, observed) else None


def may_have_other_budgets(service: WhisperService, observed: Observed) -> bool:
    """Whether the default budget is to be made, so that others have to be looked for before."""
    wants_default = service.spec.disruption is None and service.spec.most_replicas > 1
    return wants_default and _live(service, observed) is None


def budgets_of_pods(service: WhisperService, budgets: Iterable[Manifest]) -> tuple[str, ...]:
    """The names of those among `budgets` that are somebody else's and select the service's pods."""
    labels = names.labels(service.metadata.name, names.SERVER) | service.spec.pod_metadata.labels
    others = (one for one in budgets if (controller_of(one) or {}).get("uid") != service.metadata.uid)
    return tuple(one["metadata"]["name"] for one in others if _selects(one["spec"].get("selector"), labels))


def _live(service: WhisperService, observed: Observed) -> Manifest | None:
    return observed.get(DISRUPTION_BUDGET, service.metadata.name)


def _selects(selector: Manifest | None, labels: dict[str, str]) -> bool:
    """Whether a label selector matches; an empty one matches every pod, none (null) no pod."""
    if selector is None:
        return False
    wanted: dict[str, str] = selector.get("matchLabels") or {}
    expressions: list[Manifest] = selector.get("matchExpressions") or []
    return wanted.items() <= labels.items() and all(holds(labels.get(one["key"]), one) for one in expressions)
