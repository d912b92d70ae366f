"""The status to write, from what was observed: pure; the clock is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from whisper_operator import names, pods
from whisper_operator.admitted import live_model, wanted_model
from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import Judgement, conditions
from whisper_operator.api.report import ModelStatus, RolloutStatus, Status
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.env import Env
from whisper_operator.inform import INFORMING
from whisper_operator.judge import BLOCKING, WAITS_FOR_THE_USER, gave_up
from whisper_operator.kinds import DEPLOYMENT
from whisper_operator.observed import Observed
from whisper_operator.rollout import live_decision


def observed_status(
    service: WhisperService, observed: Observed, env: Env, troubles: Sequence[Judgement], now: str
) -> Status:
    """The whole status; `troubles` are what the pass itself ran into, as judgements of `Stalled`."""
    generation = service.metadata.generation
    blocking = [judged for judge in BLOCKING if (judged := judge(service, observed, env))]
    informing = [judged for judge in INFORMING if (judged := judge(service, observed, env))]
    ready = _ready(service, observed, [*troubles, *blocking])
    deployment = observed.get(DEPLOYMENT, service.metadata.name) or {}
    judgements = [ready, *_progress(ready, bool(troubles) or gave_up(deployment)), *blocking, *informing]
    decision = live_decision(service, observed)
    live = deployment.get("status", {})
    return Status(
        observed_generation=generation,
        conditions=conditions(judgements, service.status.conditions, generation, now),
        replicas=live.get("replicas", 0),
        ready_replicas=live.get("readyReplicas", 0),
        selector=selector(service.metadata.name),
        url=url(service),
        model=model_status(service, observed),
        rollout=RolloutStatus(strategy=decision.strategy, reason=decision.reason) if decision else None,
    )


def stalled_status(previous: Status, generation: int, reason: str, message: str, now: str) -> Status:
    """What was observed before, with the reason why the spec is not followed: nothing else has been touched."""
    kept = [
        Judgement(condition.type, condition.status, condition.reason, condition.message)
        for condition in previous.conditions
        if condition.type not in (c.READY, c.STALLED, c.RECONCILING)
    ]
    judgements = [Judgement(c.READY, "False", reason, message), Judgement(c.STALLED, "True", reason, message), *kept]
    return previous.model_copy(
        update={
            "observed_generation": generation,
            "conditions": conditions(judgements, previous.conditions, generation, now),
        }
    )


def as_json(status: Status) -> dict[str, Any]:
    return status.model_dump(by_alias=True, exclude_none=True, mode="json")


def selector(service: str) -> str:
    """The pods' selector in the form that /scale demands."""
    return ",".join(f"{name}={value}" for name, value in names.selector(service).items())


def url(service: WhisperService) -> str:
    """Where clients reach the service: its Ingress's host, else its name within the cluster."""
    ingress, gateway, port = service.spec.ingress, service.spec.gateway, service.spec.service.port
    if ingress and ingress.host:
        return f"{'https' if ingress.tls else 'http'}://{ingress.host}{ingress.path.rstrip('/')}"
    if gateway and gateway.hostnames:
        return f"https://{gateway.hostnames[0]}"
    host = f"http://{service.metadata.name}.{service.metadata.namespace}.svc"
    return host if port == 80 else f"{host}:{port}"


def model_status(service: WhisperService, observed: Observed) -> ModelStatus:
    served, wanted = live_model(service, observed), wanted_model(service.spec)
    if served is None:
        return ModelStatus(wanted=wanted.name)
    return ModelStatus(
        name=served.name,
        digest=served.digest,
        bytes=_bytes(service, observed, served.digest),
        wanted=wanted.name if wanted != served else None,
    )


def _bytes(service: WhisperService, observed: Observed, digest: str | None) -> int | None:
    """The checkpoint's size, from the pod that fetched it, or as it was seen before that pod went."""
    for pod in pods.of(observed, names.PREFETCH) + pods.of(observed, names.SERVER):
        report = pods.fetch_report(pod)
        if report and report.digest and digest and digest.endswith(report.digest):
            return report.bytes
    before = service.status.model
    return before.bytes if before and before.digest == digest else None


def _ready(service: WhisperService, observed: Observed, reasons: Sequence[Judgement]) -> Judgement:
    if service.spec.suspend and not any(judged.type == c.STALLED for judged in reasons):
        return _suspended(observed.get(DEPLOYMENT, service.metadata.name))
    blocker = next((judged for judged in reasons if judged.type == c.STALLED or judged.status != "True"), None)
    if blocker:
        return Judgement(c.READY, "False", blocker.reason, blocker.message)
    return Judgement(c.READY, "True", c.AS_SPECIFIED, reasons[-1].message)


def _suspended(deployment: Manifest | None) -> Judgement:
    left = (deployment or {}).get("status", {}).get("replicas", 0)
    if left:
        return Judgement(c.READY, "False", c.SUSPENDING, f"{left} pods are still there")
    return Judgement(c.READY, "True", c.SUSPENDED, "spec.suspend is true: no pod runs, everything else stays")


def _progress(ready: Judgement, is_stuck: bool) -> list[Judgement]:
    """Stalled where only the user can help, Reconciling where it is going on; never both (kstatus)."""
    if ready.status == "True":
        return []
    if is_stuck or ready.reason in WAITS_FOR_THE_USER:
        return [Judgement(c.STALLED, "True", ready.reason, ready.message)]
    return [Judgement(c.RECONCILING, "True", ready.reason, ready.message)]
