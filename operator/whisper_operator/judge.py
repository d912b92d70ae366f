"""One pure function for each condition, from what was observed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from whisper_operator import names, pods
from whisper_operator.admitted import claim_name, is_fetched, wanted_model
from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import Judgement
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.deployment import strategy_name
from whisper_operator.env import Env
from whisper_operator.kinds import AUTOSCALER, CLAIM, DEPLOYMENT, INGRESS, SERVICE, SERVICE_MONITOR
from whisper_operator.observed import Observed

Judge = Callable[[WhisperService, Observed, Env], Judgement | None]

WAITS_FOR_THE_USER: Final = frozenset({c.SECRET_NOT_FOUND, "ChecksumMismatch", "UnknownModel", "NoSpace"})
"""Reasons that no retry mends."""


def preflight(service: WhisperService, observed: Observed, env: Env) -> Judgement:
    if observed.missing_secrets:
        missing = ", ".join(sorted(observed.missing_secrets))
        return Judgement(
            c.PREFLIGHT_PASSED,
            "False",
            c.SECRET_NOT_FOUND,
            f"Secret {missing}, named in spec.auth.secretRef, is not in namespace {service.metadata.namespace}: "
            "create it, with a client's name as each key and that client's API key as its value",
        )
    return Judgement(c.PREFLIGHT_PASSED, "True", c.CHECKS_PASSED)


def model_cached(service: WhisperService, observed: Observed, env: Env) -> Judgement:
    model = wanted_model(service.spec)
    if service.spec.cache.type == "Image":
        return Judgement(c.MODEL_CACHED, "True", c.IN_IMAGE, f"{model.name} is in the pods' image")
    if service.spec.cache.type == "EmptyDir":
        return Judgement(c.MODEL_CACHED, "True", c.FETCHED_BY_EACH_POD, f"each pod fetches {model.name} when it starts")
    if is_fetched(service, observed):
        message = f"{model.name} ({model.digest}) is in claim {claim_name(service)}"
        return Judgement(c.MODEL_CACHED, "True", c.CACHED, message)
    fetching = pods.of(observed, names.PREFETCH)
    for pod in fetching:
        if (report := pods.fetch_report(pod)) and report.model == model.name:
            return Judgement(c.MODEL_CACHED, "False", report.reason, report.message)
    if trouble := pods.trouble(fetching):
        return Judgement(c.MODEL_CACHED, "False", *trouble)
    claim = observed.get(CLAIM, claim_name(service))
    if claim and claim.get("status", {}).get("phase") == "Pending":
        message = f"{model.name} is fetched as soon as claim {claim_name(service)} has a volume"
        return Judgement(c.MODEL_CACHED, "False", c.WAITING_FOR_VOLUME, message)
    return Judgement(c.MODEL_CACHED, "False", c.FETCHING, f"{model.name} is being fetched")


def available(service: WhisperService, observed: Observed, env: Env) -> Judgement:
    deployment = observed.get(DEPLOYMENT, service.metadata.name)
    if deployment is None:
        reason = c.WAITING_FOR_SECRET if observed.missing_secrets else c.WAITING_FOR_MODEL
        return Judgement(c.AVAILABLE, "False", reason, "no pod has been started yet")
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    counts = {count: status.get(count, 0) for count in ("replicas", "updatedReplicas", "availableReplicas")}
    progress = f"{counts['availableReplicas']} of {wanted} replicas available, {counts['updatedReplicas']} up to date"
    if seen and all(count == wanted for count in counts.values()):
        return Judgement(c.AVAILABLE, "True", c.AS_SPECIFIED, progress)
    if failure := _condition(deployment, "ReplicaFailure"):
        return Judgement(c.AVAILABLE, "False", c.CREATE_FAILED, failure.get("message", ""))
    if trouble := pods.trouble(pods.of(observed, names.SERVER)):
        return Judgement(c.AVAILABLE, "False", trouble[0], f"{progress}; {trouble[1]}")
    return Judgement(c.AVAILABLE, "False", c.ROLLING_OUT, f"{progress} ({strategy_name(service)})")


def exposed(service: WhisperService, observed: Observed, env: Env) -> Judgement | None:
    if service.spec.ingress:
        kind, what = INGRESS, "no ingress controller has given it an address: is one running for its class?"
    elif service.spec.service.type == "LoadBalancer":
        kind, what = SERVICE, "no load balancer has given it an address"
    else:
        return None
    live = observed.get(kind, service.metadata.name)
    if live and live.get("status", {}).get("loadBalancer", {}).get("ingress"):
        return Judgement(c.EXPOSED, "True", c.ADDRESS_ASSIGNED)
    return Judgement(c.EXPOSED, "False", c.ADDRESS_PENDING, f"{kind.kind} {service.metadata.name}: {what}")


def monitored(service: WhisperService, observed: Observed, env: Env) -> Judgement | None:
    if service.spec.monitoring.service_monitor is None:
        return None
    if SERVICE_MONITOR not in env.kinds:
        message = "spec.monitoring.serviceMonitor: the cluster has no monitoring.coreos.com/v1; install the Prometheus "
        return Judgement(c.MONITORED, "False", c.API_MISSING, f"{message}operator, or scrape by the pods' annotations")
    return Judgement(c.MONITORED, "True", c.APPLIED)


def autoscaling_active(service: WhisperService, observed: Observed, env: Env) -> Judgement | None:
    if service.spec.autoscaling is None:
        return None
    live = observed.get(AUTOSCALER, service.metadata.name)
    active = _condition(live, "ScalingActive") if live else None
    if active is None:
        return Judgement(c.AUTOSCALING_ACTIVE, "Unknown", c.METRICS_PENDING, "the autoscaler has not judged yet")
    # While it works, its message names the metric that weighed most, which changes all the time.
    message = "" if active["status"] == "True" else active.get("message", "")
    return Judgement(c.AUTOSCALING_ACTIVE, active["status"], active["reason"], message)


def runtime_update(service: WhisperService, observed: Observed, env: Env) -> Judgement | None:
    """Only where the spec names no image: there the live one stays until somebody asks for the newer one."""
    image, live = service.spec.image, observed.get(DEPLOYMENT, service.metadata.name)
    if live is None or image.repository or image.tag or image.digest:
        return None
    running = live["spec"]["template"]["spec"]["containers"][0]["image"]
    if running == env.runtime_image:
        return None
    message = f"the pods run {running}, the operator's default is {env.runtime_image}: set spec.image.tag to take it"
    return Judgement(c.RUNTIME_UPDATE_AVAILABLE, "True", c.NEWER_DEFAULT_IMAGE, message)


BLOCKING: Final[tuple[Judge, ...]] = (preflight, model_cached, available)
"""What Ready rests on, in the order in which things go wrong."""

INFORMING: Final[tuple[Judge, ...]] = (exposed, monitored, autoscaling_active, runtime_update)


def _condition(live: Manifest, kind: str) -> dict[str, Any] | None:
    found = live.get("status", {}).get("conditions") or ()
    return next((condition for condition in found if condition["type"] == kind), None)
