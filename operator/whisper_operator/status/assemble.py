"""The status to write, from what was observed: pure; the clock is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import Judgement, conditions
from whisper_operator.api.status import ModelProgress, ModelStatus, PreflightCheck, RolloutStatus, Status
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT, HTTP_ROUTE, INGRESS, SERVICE
from whisper_operator.observe import pod_status
from whisper_operator.observe.installation import Env
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.model import last_good, live_model, wanted_model
from whisper_operator.resolve.model_change import gave_up, in_progress
from whisper_operator.resolve.preflight import checklist
from whisper_operator.resolve.rollout import live_decision
from whisper_operator.resolve.verification import performance_status, verification_status
from whisper_operator.status.blocking import BLOCKING, MODEL_DOES_NOT_FIT, WAITS_FOR_THE_USER, is_changing_in_service
from whisper_operator.status.informational import INFORMING
from whisper_runtime.contract.reports import FetchProgress


def observed_status(
    service: WhisperService, observed: Observed, env: Env, troubles: Sequence[Judgement], now: str
) -> Status:
    """The whole status; `troubles` are what the pass itself ran into, as judgements of `Stalled`."""
    generation = service.metadata.generation
    blocking = [judged for judge in BLOCKING if (judged := judge(service, observed, env))]
    informing = [judged for judge in INFORMING if (judged := judge(service, observed, env))]
    ready = _ready(service, observed, [*troubles, *blocking])
    deployment = observed.get(DEPLOYMENT, service.metadata.name) or {}
    judgements = [
        ready,
        *_progress(ready, bool(troubles) or gave_up(deployment, observed) is not None),
        *blocking,
        *informing,
    ]
    decision = live_decision(service, observed)
    live = deployment.get("status", {})
    return Status(
        observed_generation=generation,
        conditions=conditions(judgements, service.status.conditions, generation, now),
        replicas=live.get("replicas", 0),
        ready_replicas=live.get("readyReplicas", 0),
        selector=selector(service.metadata.name),
        url=url(service, observed),
        model=model_status(service, observed),
        preflight=tuple(
            PreflightCheck(name=row.name, passed=row.passed, message=row.message)
            for row in checklist.rows(service, observed)
        ),
        performance=performance_status(service, observed),
        verification=verification_status(service, observed),
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


def url(service: WhisperService, observed: Observed) -> str:
    """Where clients reach the service: by its Ingress, route or load balancer, else by its name within the cluster."""
    name, ingress, gateway = service.metadata.name, service.spec.ingress, service.spec.gateway
    if ingress and _is_one(ingress.host) and observed.get(INGRESS, name):
        return f"{'https' if ingress.tls else 'http'}://{ingress.host}{ingress.path.rstrip('/')}"
    if gateway and observed.get(HTTP_ROUTE, name) and (host := next(filter(_is_one, gateway.hostnames), None)):
        return f"https://{host}"
    host = _load_balancer(observed.get(SERVICE, name)) or f"{name}.{service.metadata.namespace}.svc"
    port = service.spec.service.port
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"


def _is_one(host: str | None) -> bool:
    """Whether that is a host, and not a pattern for many."""
    return bool(host) and "*" not in (host or "")


def _load_balancer(live: Manifest | None) -> str | None:
    found: list[dict[str, str]] = (live or {}).get("status", {}).get("loadBalancer", {}).get("ingress") or []
    address = found[0].get("hostname") or found[0].get("ip") if found else None
    return f"[{address}]" if address and ":" in address else address


def model_status(service: WhisperService, observed: Observed) -> ModelStatus:
    wanted = wanted_model(service, observed)
    served = last_good(service, observed) or live_model(service, observed)
    ahead = wanted if wanted != served else None
    told = observed.facts.progress
    return ModelStatus(
        name=served.name if served else None,
        digest=served.digest if served else None,
        bytes=_bytes(service, observed, served.digest) if served else None,
        wanted=ahead.name if ahead else None,
        wanted_digest=ahead.digest if ahead else None,
        progress=_progress_of(told) if told else None,
    )


def _progress_of(told: FetchProgress) -> ModelProgress:
    return ModelProgress(
        bytes=told.bytes,
        total=told.total,
        bytes_per_second=told.bytes_per_second,
        seconds_left=told.seconds_left,
    )


def _bytes(service: WhisperService, observed: Observed, digest: str | None) -> int | None:
    """The checkpoint's size, from the pod that fetched it, or as it was seen before that pod went."""
    for pod in pod_status.of(observed, names.PREFETCH) + pod_status.of(observed, names.SERVER):
        report = pod_status.fetch_report(pod)
        if report and report.digest and digest and digest.endswith(report.digest):
            return report.bytes
    before = service.status.model
    return before.bytes if before and before.digest == digest else None


def _ready(service: WhisperService, observed: Observed, reasons: Sequence[Judgement]) -> Judgement:
    if service.spec.suspend and not any(judged.type == c.STALLED for judged in reasons):
        return _suspended(observed.get(DEPLOYMENT, service.metadata.name))
    blocker = next((judged for judged in reasons if judged.type == c.STALLED or judged.status != "True"), None)
    before = service.status.verification
    if blocker and blocker.reason == c.VERIFYING and before and before.passed:
        return Judgement(c.READY, "True", c.VERIFYING, blocker.message)
    changing = _model_change(service, observed, reasons)
    if changing:
        return changing
    if blocker:
        return Judgement(c.READY, "False", blocker.reason, blocker.message)
    return Judgement(c.READY, "True", c.AS_SPECIFIED, reasons[-1].message)


def _model_change(service: WhisperService, observed: Observed, reasons: Sequence[Judgement]) -> Judgement | None:
    """Ready, for the model of before serves; None where nothing changes, it does not, or something else is wrong."""
    change = in_progress(service, observed)
    if change is None or not is_changing_in_service(service, observed):
        return None
    unfit: Judgement | None = None
    for judged in reasons:
        if judged.type == c.STALLED or (judged.status != "True" and judged.type == c.PREFLIGHT_PASSED):
            if judged.reason not in MODEL_DOES_NOT_FIT:
                return None
            unfit = judged
    step = f"{change.served.name} serves, {change.wanted.name} is wanted"
    failure = change.failure or ((unfit.reason, unfit.message) if unfit else None)
    if failure:
        return Judgement(c.READY, "True", c.MODEL_CHANGE_FAILED, f"{step}: {failure[0]}: {failure[1]}")
    waits = (judged.message for judged in reasons if judged.type == c.MODEL_CACHED and judged.status != "True")
    return Judgement(c.READY, "True", c.MODEL_CHANGING, f"{step}: {next(waits, 'pods are being replaced')}")


def _suspended(deployment: Manifest | None) -> Judgement:
    left = (deployment or {}).get("status", {}).get("replicas", 0)
    if left:
        return Judgement(c.READY, "False", c.SUSPENDING, f"{left} pods are still there")
    return Judgement(c.READY, "True", c.SUSPENDED, "spec.suspend is true: no pod runs, everything else stays")


def _progress(ready: Judgement, is_stuck: bool) -> list[Judgement]:
    """Stalled where only the user can help, Reconciling where it is going on; never both (kstatus).

    A change of the model, and the proof of a later rollout, show here alone: the service is Ready all along.
    """
    if ready.reason in (c.MODEL_CHANGING, c.VERIFYING):
        return [Judgement(c.RECONCILING, "True", ready.reason, ready.message)]
    if ready.reason == c.MODEL_CHANGE_FAILED:
        return [Judgement(c.STALLED, "True", ready.reason, ready.message)]
    if ready.status == "True":
        return []
    if is_stuck or ready.reason in WAITS_FOR_THE_USER:
        return [Judgement(c.STALLED, "True", ready.reason, ready.message)]
    return [Judgement(c.RECONCILING, "True", ready.reason, ready.message)]
