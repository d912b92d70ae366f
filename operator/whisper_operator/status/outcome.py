"""Ready, and beside it what is not yet as the spec wants it: Stalled where a user has to help, else Reconciling. Pure.

Ready tells whether the service serves; Reconciling and Stalled tell whether its spec is carried out. kstatus (Flux,
`helm --wait`) and Argo CD's health script read the latter two first. docs/reference/readiness.md has every situation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.api.external_reasons import STALLING
from whisper_operator.objects.kinds import SERVICE
from whisper_operator.observe.pod_status import Cause
from whisper_operator.resolve.preflight.finding import Finding
from whisper_operator.resolve.promise import fewest_pods
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.status.refused import Refusal, told

Conditions = Mapping[str, ConditionUpdate]
"""The other conditions, by their type."""

MODEL_DOES_NOT_FIT: Final = frozenset(
    {
        c.CACHE_TOO_SMALL,
        c.FETCH_BLOCKED,
        c.GPU_MEMORY_TOO_SMALL,
        c.INSUFFICIENT_CPU,
        c.INSUFFICIENT_GPU,
        c.INSUFFICIENT_MEMORY,
        c.SOURCE_CA_INVALID,
        c.SOURCE_CLAIM_NOT_FOUND,
        c.SOURCE_SECRET_INVALID,
    }
)
"""Reasons of preflight that concern the wanted model alone: the model that serves goes on."""
KEPT_BY_READY: Final = frozenset({c.MODEL_CHANGING, c.MODEL_CHANGE_FAILED, c.VERIFYING})
"""Reasons of Reconciling and Stalled that Ready has, too, while it is True."""


def outcome(resolved: Resolved, found: Conditions, refused: Sequence[Refusal]) -> list[ConditionUpdate]:
    """Ready; and Stalled or Reconciling, never both, where something of the spec is not done."""
    undone = list(_undone(resolved, found, refused))
    foremost = next((one for one in undone if one.type == c.STALLED), next(iter(undone), None))
    ready = _ready(resolved, found, refused, foremost)
    return [ready, foremost] if foremost else [ready]


def _ready(
    resolved: Resolved, found: Conditions, refused: Sequence[Refusal], foremost: ConditionUpdate | None
) -> ConditionUpdate:
    if resolved.service.spec.suspend and not resolved.keeps_suspended_pods:
        return _suspended(resolved.replicas.existing)
    if foremost is None:
        return _as_specified(resolved, found)
    serves = found[c.AVAILABLE].status == "True" and not _lacks_service(resolved, refused)
    if not serves or not _is_proven(resolved, found):
        return ConditionUpdate(c.READY, "False", foremost.reason, foremost.message)
    if foremost.reason in KEPT_BY_READY:
        return ConditionUpdate(c.READY, "True", foremost.reason, foremost.message)
    return ConditionUpdate(c.READY, "True", c.SERVING, f"{foremost.reason}: {foremost.message}")


def _as_specified(resolved: Resolved, found: Conditions) -> ConditionUpdate:
    """Ready of a service of whose spec nothing is to be done."""
    counts, has_front = resolved.replicas, resolved.front is not None and resolved.front.is_wanted
    if has_front and counts.wanted == 0:
        message = "no pod runs; the front takes requests, and holds them until one does"
        return ConditionUpdate(c.READY, "True", c.SCALED_TO_ZERO, message)
    if has_front and counts.available == 0:
        message = "the first pod is being started; the front holds requests until it is ready"
        return ConditionUpdate(c.READY, "True", c.WAKING, message)
    return ConditionUpdate(c.READY, "True", c.AS_SPECIFIED, found[c.AVAILABLE].message)


def _suspended(replicas: int) -> ConditionUpdate:
    if replicas:
        return ConditionUpdate(c.READY, "False", c.SUSPENDING, f"{replicas} pods still exist")
    return ConditionUpdate(c.READY, "True", c.SUSPENDED, "spec.suspend is true: no pod runs, everything else stays")


def _lacks_service(resolved: Resolved, refused: Sequence[Refusal]) -> bool:
    """Whether the Service for clients could not be made: then no request reaches the pods."""
    name = resolved.service.metadata.name
    return resolved.live(SERVICE) is None and any((one.kind, one.name) == (SERVICE, name) for one in refused)


def _is_proven(resolved: Resolved, found: Conditions) -> bool:
    """Whether real requests have verified the service as often as Ready demands: once, before it is Ready first."""
    verified, status = found.get(c.VERIFIED), resolved.service.status
    if verified is None or verified.status == "True":
        return True
    was_verified = status.verification is not None and status.verification.was_passed
    return was_verified or any(one.type == c.READY and one.status == "True" for one in status.conditions)


def _undone(resolved: Resolved, found: Conditions, refused: Sequence[Refusal]) -> Iterator[ConditionUpdate]:
    """Yields the parts of the spec that are not done, the cause before its effects."""
    yield from told(refused)
    if resolved.waiting:
        yield _one(c.CHANGES_WAIT, found[c.PAUSED].message)
    if resolved.service.spec.suspend:
        if resolved.replicas.existing:
            yield _one(c.SUSPENDING, f"{resolved.replicas.existing} pods still exist")
    else:
        exposed = found.get(c.EXPOSED)
        if exposed and exposed.reason == c.HOST_TAKEN:
            yield _one(exposed.reason, exposed.message)
        yield from _of_preflight(resolved, found)
        yield from _of_model(resolved, found)
        yield from _of_pods(resolved, found)
        yield from _of_front(resolved, found)
        yield from _of_verification(resolved, found)


def _one(reason: str, message: str, *, is_stuck: bool = False) -> ConditionUpdate:
    return ConditionUpdate(c.STALLED if is_stuck or reason in STALLING else c.RECONCILING, "True", reason, message)


def _of_preflight(resolved: Resolved, found: Conditions) -> Iterator[ConditionUpdate]:
    for finding in resolved.preflight.findings:
        if _keeps_from_spec(resolved, found, finding):
            does_not_fit = resolved.serves_during_change and finding.reason in MODEL_DOES_NOT_FIT
            yield _change_failed(resolved, finding) if does_not_fit else _one(finding.reason, finding.message)


def _keeps_from_spec(resolved: Resolved, found: Conditions, finding: Finding) -> bool:
    """Whether the finding is why something is not done: not where all was done before it arose.

    A Secret that is created anew, a LimitRange that comes later: pods that serve go on, and the condition informs.
    """
    if finding.reason == c.HOST_TAKEN:
        return False
    if found[c.AVAILABLE].status != "True":
        return finding.reason != c.TLS_SECRET_INVALID
    if resolved.promise.was_carried_out:
        return False
    return finding.holds or finding.reason == c.TLS_SECRET_INVALID or _lacks_pods(resolved, found)


def _of_model(resolved: Resolved, found: Conditions) -> Iterator[ConditionUpdate]:
    change, cached = resolved.model.change, found[c.MODEL_CACHED]
    if change is not None and resolved.serves_during_change:
        if change.failure:
            yield _change_failed(resolved, change.failure)
        else:
            waits = cached.message if cached.status != "True" else "pods are being replaced"
            yield _one(c.MODEL_CHANGING, f"{_step(resolved)}: {waits}")
    elif cached.status != "True":
        yield _one(cached.reason, cached.message, is_stuck=resolved.model.stuck is not None)


def _change_failed(resolved: Resolved, cause: Cause | Finding) -> ConditionUpdate:
    message = f"{_step(resolved)}: {cause.reason}: {cause.message}"
    return ConditionUpdate(c.STALLED, "True", c.MODEL_CHANGE_FAILED, message)


def _step(resolved: Resolved) -> str:
    change = resolved.model.change
    return f"{change.served.title} serves, {change.wanted.title} is wanted" if change else ""


def _of_pods(resolved: Resolved, found: Conditions) -> Iterator[ConditionUpdate]:
    is_stuck = resolved.model.stuck is not None
    if (available := found[c.AVAILABLE]).status != "True":
        yield _one(available.reason, available.message, is_stuck=is_stuck)
    elif _lacks_pods(resolved, found):
        lacking = found[c.ROLLED_OUT]
        yield _one(lacking.reason, lacking.message, is_stuck=is_stuck)


def _lacks_pods(resolved: Resolved, found: Conditions) -> bool:
    """Whether pods that this generation of the spec asks for are still to come.

    Once they have come, only pods of an older template are: an autoscaler, a drain or a crash are no change of the
    spec. Nor is an annotation on the Deployment, which makes its counts look like those of an older generation.
    """
    counts, spec = resolved.replicas, resolved.service.spec
    if found[c.ROLLED_OUT].status == "True":
        return False
    if resolved.promise.was_carried_out:
        return counts.is_current and not counts.is_of_one_template
    if spec.autoscaling is None:
        return True
    return not (counts.is_current and counts.is_of_one_template and counts.available >= fewest_pods(spec))


def _of_front(resolved: Resolved, found: Conditions) -> Iterator[ConditionUpdate]:
    """A pod of the front that is lost later is no change of the spec."""
    front = found.get(c.FRONT_READY)
    if front and front.status != "True" and not resolved.promise.was_carried_out:
        yield _one(front.reason, front.message)


def _of_verification(resolved: Resolved, found: Conditions) -> Iterator[ConditionUpdate]:
    """A proof that fails after the spec was carried out informs; the Job is repeated."""
    verified = found.get(c.VERIFIED)
    if verified is None or verified.status == "True":
        return
    if verified.status == "Unknown" or not (resolved.promise.was_carried_out and _is_proven(resolved, found)):
        yield _one(verified.reason, verified.message)
