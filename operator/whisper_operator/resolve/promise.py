"""How many pods the spec promises to have available, and whether it has been carried out: what Ready rests on. Pure.

docs/reference/readiness.md has the rule, and what it makes of each situation.
"""

from __future__ import annotations

from dataclasses import dataclass

from whisper_operator.api import conditions as c
from whisper_operator.api.scalars import CountOrPercent
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Spec, WhisperService
from whisper_operator.observe.replicas import ReplicaCounts


@dataclass(frozen=True)
class Promise:
    """The number of pods that the spec promises, and whether it is kept."""

    required: int
    """Available pods that Ready demands: until a change of the spec has been carried out, no more than before it."""
    once_carried_out: int
    """Available pods that it demands from then on."""
    is_kept: bool
    """Whether as many are available."""
    proves_model: bool
    """Whether as many, and no pod of an older template, are: then the template's model is proven."""
    was_carried_out: bool
    """Whether the spec of this generation had been carried out when the status was written last."""


def resolve_promise(service: WhisperService, counts: ReplicaCounts) -> Promise:
    promised = _promised(service.spec, counts.wanted)
    was_carried_out = is_carried_out(service.status, service.metadata.generation)
    required = promised if was_carried_out else _held_back(service.status, promised)
    at_least_one = counts.available >= max(1, required)
    return Promise(
        required=required,
        once_carried_out=promised,
        is_kept=counts.available >= required,
        proves_model=counts.is_current and counts.is_of_one_template and at_least_one,
        was_carried_out=was_carried_out,
    )


def is_carried_out(status: Status, generation: int) -> bool:
    """Whether `status` says that the spec of `generation` is Ready, and nothing goes on."""
    goes_on = any(one.type in (c.RECONCILING, c.STALLED) for one in status.conditions)
    return status.observed_generation == generation and _is_ready(status) and not goes_on


def fewest_pods(spec: Spec) -> int:
    """The smallest number of pods that the spec wants to run: none where suspended."""
    if spec.suspend:
        return 0
    return spec.autoscaling.min_replicas if spec.autoscaling else spec.replicas


def _held_back(status: Status, promised: int) -> int:
    """While a change is being carried out: no more than was promised before.

    So a service that is scaled up, and waits for a node, goes on being Ready with the pods that it had.
    """
    before = status.required_replicas
    return min(promised, before) if before and _is_ready(status) else promised


def _promised(spec: Spec, wanted: int) -> int:
    fewest = fewest_pods(spec)
    if fewest == 0 or (spec.autoscaling and wanted == 0):
        return 0
    return max(1, fewest - _may_be_missing(spec, fewest))


def _may_be_missing(spec: Spec, pods: int) -> int:
    """Pods that a drain, a crash or a replacement may take for a while: what spec.disruption allows, and at least one.

    A percentage is rounded up, as the disruption controller does: pkg/controller/disruption/disruption.go.
    """
    budget = spec.disruption
    if budget is None or not budget.enabled:
        return 1
    if budget.min_available is not None:
        return max(1, pods - _count(budget.min_available, pods))
    return max(1, _count(budget.max_unavailable or 1, pods))


def _count(amount: CountOrPercent, pods: int) -> int:
    return amount if isinstance(amount, int) else -(-pods * int(amount.rstrip("%")) // 100)


def _is_ready(status: Status) -> bool:
    return any(one.type == c.READY and one.status == "True" for one in status.conditions)
