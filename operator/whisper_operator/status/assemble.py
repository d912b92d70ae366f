"""Assembles the status to write from the resolved value: pure; the clock is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate, conditions
from whisper_operator.api.status import DiarizationStatus, ModelProgress, ModelStatus, RolloutStatus, Status
from whisper_operator.objects import names
from whisper_operator.observe.pod_reports import fetch_report
from whisper_operator.resolve.promise import is_carried_out
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.status.blocking import SERVING
from whisper_operator.status.informational import INFORMING
from whisper_operator.status.jobs import jobs_status
from whisper_operator.status.outcome import outcome
from whisper_operator.status.refused import Refusal, told, with_refusals
from whisper_operator.status.url import url
from whisper_operator.status.verification import performance_status, verification_status
from whisper_operator.status.zero import zero_status
from whisper_runtime.contract.reports import FetchProgress


def observed_status(resolved: Resolved, refused: Sequence[Refusal], now: str) -> Status:
    """The whole status; `refused`: what the pass could not apply or read; `now`: in RFC 3339."""
    service, counts, decision = resolved.service, resolved.replicas, resolved.live_decision
    generation = service.metadata.generation
    status = Status(
        observed_generation=generation,
        conditions=conditions(_updates(resolved, refused), service.status.conditions, generation, now),
        replicas=counts.existing,
        desired_replicas=counts.wanted,
        ready_replicas=counts.ready,
        available_replicas=counts.available,
        required_replicas=resolved.promise.required,
        selector=selector(service.metadata.name),
        url=url(resolved),
        model=model_status(resolved),
        diarization=diarization_status(resolved),
        image=resolved.image.to_run if resolved.deployment else service.status.image,
        preflight=tuple(check for check in resolved.preflight.checks if not check.passed),
        performance=performance_status(resolved),
        verification=verification_status(resolved),
        jobs=jobs_status(resolved),
        scale_to_zero=zero_status(resolved),
        rollout=RolloutStatus(strategy=decision.strategy, reason=decision.reason) if decision else None,
    )
    return _with_the_promise(status, resolved)


def _with_the_promise(status: Status, resolved: Resolved) -> Status:
    """A change that this status says is carried out promises its pods from now on: no later pass may come to say it."""
    promised = resolved.promise.once_carried_out
    if resolved.replicas.available >= promised and is_carried_out(status, resolved.service.metadata.generation):
        return status.model_copy(update={"required_replicas": promised})
    return status


def _updates(resolved: Resolved, refused: Sequence[Refusal]) -> list[ConditionUpdate]:
    """Every condition, Ready first."""
    found = with_refusals([update for rule in (*SERVING, *INFORMING) if (update := rule(resolved))], refused)
    return [*outcome(resolved, {update.type: update for update in found}, refused), *found]


def stalled_status(judged: Status, previous: Status, generation: int, reason: str, message: str, now: str) -> Status:
    """`judged` with the reason why the spec of `generation` is not followed.

    `judged`: by the last accepted spec, whose generation its conditions keep; `previous` itself, where none is known.
    """
    kept = [one for one in judged.conditions if one.type not in (c.READY, c.STALLED, c.RECONCILING)]
    updates = [
        _ready_beside(judged, reason, message),
        ConditionUpdate(c.STALLED, "True", reason, message),
    ]
    found = conditions(updates, previous.conditions, generation, now)
    return judged.model_copy(update={"observed_generation": generation, "conditions": (*found, *kept)})


def _ready_beside(judged: Status, reason: str, message: str) -> ConditionUpdate:
    """Ready beside a spec that is not followed: pods that served by the one of before go on."""
    if any(one.type == c.READY and one.status == "True" for one in judged.conditions):
        return ConditionUpdate(c.READY, "True", c.SERVING, f"{reason}: {message}")
    return ConditionUpdate(c.READY, "False", reason, message)


def kept_status(previous: Status, generation: int, refused: Sequence[Refusal], now: str) -> Status:
    """`previous`, with what the pass could not do: nothing was judged, so nothing else may change.

    `generation`: the spec's, for a service without a status.
    """
    kept = [
        ConditionUpdate(one.type, one.status, one.reason, one.message)
        for one in previous.conditions
        if one.type not in (c.STALLED, c.RECONCILING)
    ]
    undone = told(refused)
    if not kept:
        kept = [ConditionUpdate(c.READY, "Unknown", one.reason, one.message) for one in undone]
    judged = generation if previous.observed_generation is None else previous.observed_generation
    return previous.model_copy(
        update={"conditions": conditions([*kept, *undone], previous.conditions, judged, now)},
    )


def as_json(status: Status) -> dict[str, Any]:
    return status.model_dump(by_alias=True, exclude_none=True, mode="json")


def selector(service: str) -> str:
    """The pods' selector in the form that /scale demands."""
    return ",".join(f"{name}={value}" for name, value in names.selector(service).items())


def diarization_status(resolved: Resolved) -> DiarizationStatus | None:
    """None where speakers are told apart neither now nor by the spec."""
    served, wanted = resolved.model.last_good or resolved.model.live, resolved.model.wanted.encoder
    encoder = served.encoder if served else None
    if not (encoder or wanted):
        return None
    ahead = wanted if wanted != encoder else None
    return DiarizationStatus(
        name=encoder.name if encoder else None,
        digest=encoder.digest if encoder else None,
        wanted=ahead.name if ahead else None,
        wanted_digest=ahead.digest if ahead else None,
    )


def model_status(resolved: Resolved) -> ModelStatus:
    served, wanted = resolved.model.last_good or resolved.model.live, resolved.model.wanted
    ahead = wanted if served is None or not wanted.is_same_checkpoint(served) else None
    progress = resolved.observed.facts.progress
    return ModelStatus(
        name=served.name if served else None,
        digest=served.digest if served else None,
        bytes=_bytes(resolved, served.digest) if served else None,
        wanted=ahead.name if ahead else None,
        wanted_digest=ahead.digest if ahead else None,
        progress=_progress_of(progress) if progress and progress.model == wanted.name else None,
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
