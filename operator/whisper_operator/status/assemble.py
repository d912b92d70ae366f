"""Assembles the status to write from the resolved value: pure; the clock is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate, conditions
from whisper_operator.api.status import ModelProgress, ModelStatus, RolloutStatus, Status
from whisper_operator.objects import names
from whisper_operator.observe.pod_reports import fetch_report
from whisper_operator.observe.pod_status import Cause
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.status.blocking import BLOCKING, MODEL_DOES_NOT_FIT, WAITS_FOR_THE_USER
from whisper_operator.status.informational import INFORMING
from whisper_operator.status.url import url
from whisper_operator.status.verification import performance_status, verification_status
from whisper_runtime.contract.reports import FetchProgress


def observed_status(resolved: Resolved, troubles: Sequence[ConditionUpdate], now: str) -> Status:
    """The whole status; `troubles`: the refusals that the pass met, as updates of `Stalled`; `now`: in RFC 3339."""
    service, counts, decision = resolved.service, resolved.replicas, resolved.live_decision
    generation = service.metadata.generation
    return Status(
        observed_generation=generation,
        conditions=conditions(_updates(resolved, troubles), service.status.conditions, generation, now),
        replicas=counts.existing,
        ready_replicas=counts.ready,
        selector=selector(service.metadata.name),
        url=url(resolved),
        model=model_status(resolved),
        image=resolved.image.to_run if resolved.deployment else service.status.image,
        preflight=tuple(resolved.preflight.checks),
        performance=performance_status(resolved),
        verification=verification_status(resolved),
        rollout=RolloutStatus(strategy=decision.strategy, reason=decision.reason) if decision else None,
    )


def _updates(resolved: Resolved, troubles: Sequence[ConditionUpdate]) -> list[ConditionUpdate]:
    """Every condition, Ready first."""
    blocking = [update for rule in BLOCKING if (update := rule(resolved))]
    informing = [update for rule in INFORMING if (update := rule(resolved))]
    ready = _ready(resolved, [*troubles, *blocking])
    is_stuck = bool(troubles) or resolved.model.stuck is not None
    return [ready, *_progress(ready, is_stuck), *blocking, *informing]


def stalled_status(judged: Status, previous: Status, generation: int, reason: str, message: str, now: str) -> Status:
    """`judged` with the reason why the spec of `generation` is not followed.

    `judged`: by the last accepted spec, whose generation its conditions keep; `previous` itself, where none is known.
    """
    kept = [one for one in judged.conditions if one.type not in (c.READY, c.STALLED, c.RECONCILING)]
    updates = [
        ConditionUpdate(c.READY, "False", reason, message),
        ConditionUpdate(c.STALLED, "True", reason, message),
    ]
    found = conditions(updates, previous.conditions, generation, now)
    return judged.model_copy(update={"observed_generation": generation, "conditions": (*found, *kept)})


def as_json(status: Status) -> dict[str, Any]:
    return status.model_dump(by_alias=True, exclude_none=True, mode="json")


def selector(service: str) -> str:
    """The pods' selector in the form that /scale demands."""
    return ",".join(f"{name}={value}" for name, value in names.selector(service).items())


def model_status(resolved: Resolved) -> ModelStatus:
    served = resolved.model.last_good or resolved.model.live
    ahead = resolved.model.wanted if resolved.model.wanted != served else None
    progress = resolved.observed.facts.progress
    return ModelStatus(
        name=served.name if served else None,
        digest=served.digest if served else None,
        bytes=_bytes(resolved, served.digest) if served else None,
        wanted=ahead.name if ahead else None,
        wanted_digest=ahead.digest if ahead else None,
        progress=_progress_of(progress) if progress else None,
    )


def _progress_of(fetch: FetchProgress) -> ModelProgress:
    return ModelProgress(
        bytes=fetch.bytes,
        total=fetch.total,
        bytes_per_second=fetch.bytes_per_second,
        seconds_left=fetch.seconds_left,
    )


def _bytes(resolved: Resolved, digest: str | None) -> int | None:
    """The checkpoint's size, from the pod that fetched it, or as status had it before that pod went."""
    for pod in (*resolved.observed.pods(names.PREFETCH), *resolved.server_pods):
        report = fetch_report(pod)
        if report and report.digest and digest and digest.endswith(report.digest):
            return report.bytes
    before = resolved.service.status.model
    return before.bytes if before and before.digest == digest else None


def _ready(resolved: Resolved, reasons: Sequence[ConditionUpdate]) -> ConditionUpdate:
    if resolved.service.spec.suspend and not any(update.type == c.STALLED for update in reasons):
        return _suspended(resolved.replicas.existing)
    blocker = next((update for update in reasons if update.type == c.STALLED or update.status != "True"), None)
    before = resolved.service.status.verification
    if blocker and blocker.reason == c.VERIFYING and before and before.passed:
        return ConditionUpdate(c.READY, "True", c.VERIFYING, blocker.message)
    changing = _model_change(resolved, reasons)
    if changing:
        return changing
    if blocker:
        return ConditionUpdate(c.READY, "False", blocker.reason, blocker.message)
    return ConditionUpdate(c.READY, "True", c.AS_SPECIFIED, reasons[-1].message)


def _model_change(resolved: Resolved, reasons: Sequence[ConditionUpdate]) -> ConditionUpdate | None:
    """Ready while the model of before serves; None where no model changes, none serves, or something else is wrong."""
    change = resolved.model.change
    if change is None or not resolved.serves_during_change:
        return None
    unfit: Cause | None = None
    for update in reasons:
        if update.type == c.STALLED or (update.status != "True" and update.type == c.PREFLIGHT_PASSED):
            if update.reason not in MODEL_DOES_NOT_FIT:
                return None
            unfit = Cause(update.reason, update.message)
    step = f"{change.served.name} serves, {change.wanted.name} is wanted"
    if failure := change.failure or unfit:
        return ConditionUpdate(c.READY, "True", c.MODEL_CHANGE_FAILED, f"{step}: {failure.reason}: {failure.message}")
    waits = (update.message for update in reasons if update.type == c.MODEL_CACHED and update.status != "True")
    return ConditionUpdate(c.READY, "True", c.MODEL_CHANGING, f"{step}: {next(waits, 'pods are being replaced')}")


def _suspended(replicas: int) -> ConditionUpdate:
    if replicas:
        return ConditionUpdate(c.READY, "False", c.SUSPENDING, f"{replicas} pods still exist")
    return ConditionUpdate(c.READY, "True", c.SUSPENDED, "spec.suspend is true: no pod runs, everything else stays")


def _progress(ready: ConditionUpdate, is_stuck: bool) -> list[ConditionUpdate]:
    """Stalled where only the user can help, Reconciling where it is going on; never both (kstatus).

    A change of the model, and the proof of a later rollout, show here alone: the service is Ready all along.
    """
    if ready.reason in (c.MODEL_CHANGING, c.VERIFYING):
        return [ConditionUpdate(c.RECONCILING, "True", ready.reason, ready.message)]
    if ready.reason == c.MODEL_CHANGE_FAILED:
        return [ConditionUpdate(c.STALLED, "True", ready.reason, ready.message)]
    if ready.status == "True":
        return []
    if is_stuck or ready.reason in WAITS_FOR_THE_USER:
        return [ConditionUpdate(c.STALLED, "True", ready.reason, ready.message)]
    return [ConditionUpdate(c.RECONCILING, "True", ready.reason, ready.message)]
