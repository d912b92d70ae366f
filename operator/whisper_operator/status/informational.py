"""Conditions that inform and never block Ready: one pure function each; None where the spec asks for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.api.v1alpha1 import API_VERSION, Manifest
from whisper_operator.objects import names
from whisper_operator.objects.kinds import (
    HTTP_ROUTE,
    INGRESS,
    PROMETHEUS_RULE,
    SERVICE,
    SERVICE_MONITOR,
    Kind,
)
from whisper_operator.objects.manifest import status_of
from whisper_operator.observe import pod_status
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.status.autoscaling import autoscaling_active
from whisper_operator.status.blocking import ConditionRule
from whisper_operator.status.mutations import children_mutated, pods_edited
from whisper_operator.status.refused import not_served
from whisper_operator.status.shared_store import store_usable
from whisper_operator.status.verification import performance_status
from whisper_operator.status.volumes import cache_as_specified, job_storage_as_specified, jobs_volatile
from whisper_operator.status.zero import awake


def exposed(resolved: Resolved) -> ConditionUpdate | None:
    """False for the first route to the service that does not work yet; True when all do; None where there is none."""
    ways = [way for way in (_ingress(resolved), _route(resolved)) if way]
    if not ways and resolved.service.spec.service.type == "LoadBalancer":
        ways = [_address(resolved, SERVICE, "check that the cluster provides load balancers")]
    return next((way for way in ways if way.status != "True"), ways[0] if ways else None)


def _ingress(resolved: Resolved) -> ConditionUpdate | None:
    if resolved.service.spec.ingress is None:
        return None
    taken = next((one for one in resolved.preflight.findings if one.reason == c.HOST_TAKEN), None)
    if taken and resolved.live(INGRESS) is None:
        return ConditionUpdate(c.EXPOSED, "False", taken.reason, taken.message)
    return _address(resolved, INGRESS, "check that an ingress controller runs for its class")


def _address(resolved: Resolved, kind: Kind, remedy: str) -> ConditionUpdate:
    live = resolved.live(kind)
    if status_of(live).get("loadBalancer", {}).get("ingress"):
        return ConditionUpdate(c.EXPOSED, "True", c.ADDRESS_ASSIGNED)
    message = f"{kind.kind} {resolved.service.metadata.name} has no address: {remedy}"
    return ConditionUpdate(c.EXPOSED, "False", c.ADDRESS_PENDING, message)


def _route(resolved: Resolved) -> ConditionUpdate | None:
    if resolved.service.spec.gateway is None:
        return None
    if HTTP_ROUTE not in resolved.installation.kinds:
        return not_served("spec.gateway", HTTP_ROUTE, "install the Gateway API, or use spec.ingress")
    live = resolved.live(HTTP_ROUTE)
    parents: list[Manifest] = status_of(live).get("parents", [])
    by_parent = [{one["type"]: one for one in parent.get("conditions", ())} for parent in parents]
    for kind in ("Accepted", "ResolvedRefs"):
        for found in (of_parent[kind] for of_parent in by_parent if kind in of_parent):
            if found["status"] != "True":
                return ConditionUpdate(c.EXPOSED, "False", found["reason"], found.get("message", ""))
    if not by_parent or any("Accepted" not in of_parent for of_parent in by_parent):
        name = resolved.service.metadata.name
        message = f"no gateway has accepted HTTPRoute {name}: check spec.gateway.parentRefs"
        return ConditionUpdate(c.EXPOSED, "False", c.ROUTE_PENDING, message)
    return ConditionUpdate(c.EXPOSED, "True", c.ROUTE_ACCEPTED)


def monitored(resolved: Resolved) -> ConditionUpdate | None:
    wanted = resolved.service.spec.monitoring
    asked = [
        *([("spec.monitoring.serviceMonitor", SERVICE_MONITOR)] if wanted.service_monitor else []),
        *([("spec.monitoring.alerts", PROMETHEUS_RULE)] if wanted.alerts else []),
    ]
    for field, kind in asked:
        if kind not in resolved.installation.kinds:
            remedy = "install the Prometheus operator, or scrape by the pods' annotations"
            return not_served(field, kind, remedy)
    return ConditionUpdate(c.MONITORED, "True", c.APPLIED) if asked else None


def protected(resolved: Resolved) -> ConditionUpdate | None:
    """True once the PodDisruptionBudget and the NetworkPolicy are applied; None where neither is wanted."""
    if resolved.budget is None and resolved.service.spec.network_policy is None:
        return None
    return ConditionUpdate(c.PROTECTED, "True", c.APPLIED)


def accelerator_in_use(resolved: Resolved) -> ConditionUpdate | None:
    """A server with the device `cuda` becomes ready on nothing else, so a ready pod is on its GPU."""
    if resolved.service.spec.gpu is None:
        return None
    if resolved.service.spec.device == "cpu":
        message = (
            "spec.device is cpu: the GPU that spec.gpu asks for is reserved and unused; remove spec.gpu, or write cuda"
        )
        return ConditionUpdate(c.ACCELERATOR_IN_USE, "False", c.DEVICE_IS_CPU, message)
    ready = any(map(pod_status.is_ready, resolved.server_pods))
    if ready:
        return ConditionUpdate(c.ACCELERATOR_IN_USE, "True", c.PODS_ON_GPU, "every ready pod runs its model on CUDA")
    return ConditionUpdate(c.ACCELERATOR_IN_USE, "Unknown", c.NO_PODS, "no pod is ready")


def compute_type_fast(resolved: Resolved) -> ConditionUpdate | None:
    """Whether bfloat16 is of use on the pods' processors, by the last verification; None where it is not asked for."""
    spec = resolved.service.spec
    if spec.compute_type != "bfloat16" or spec.runs_on_gpu:
        return None
    measured = performance_status(resolved)
    if measured is None or measured.bfloat16_speed is None:
        return ConditionUpdate(c.COMPUTE_TYPE_FAST, "Unknown", c.NOT_MEASURED, "a verification measures it")
    found = f"{measured.processor} multiplies in bfloat16 at {measured.bfloat16_speed:g} of its speed in float32"
    if measured.bfloat16_speed >= 1:
        return ConditionUpdate(c.COMPUTE_TYPE_FAST, "True", c.FASTER_THAN_FLOAT32, found)
    remedy = "write auto, or name nodes whose processors have AMX in spec.scheduling.nodeSelector"
    message = f"spec.computeType is bfloat16, and {found}: {remedy}"
    return ConditionUpdate(c.COMPUTE_TYPE_FAST, "False", c.SLOWER_THAN_FLOAT32, message)


def replicas_contested(resolved: Resolved) -> ConditionUpdate | None:
    """True while another autoscaler scales a Deployment; else None."""
    facts, name = resolved.observed.facts, resolved.service.metadata.name
    of_servers = (
        f"let scaleTargetRef name the WhisperService {name} (apiVersion {API_VERSION}), or use spec.autoscaling instead"
    )
    messages = [
        *_contested(facts.rivals, name, "spec.replicas", of_servers),
        *_contested(facts.front_rivals, names.front(name), "spec.front.replicas", "delete it, and raise that number"),
    ]
    return ConditionUpdate(c.REPLICAS_CONTESTED, "True", c.OTHER_AUTOSCALER, "; ".join(messages)) if messages else None


def _contested(rivals: Sequence[str], deployment: str, field: str, remedy: str) -> list[str]:
    """A sentence about the rivals of a Deployment whose number of pods that field sets, if it has any."""
    verb = "scales" if len(rivals) == 1 else "scale"
    target = f"Deployment/{deployment}, whose number of pods {field} sets, so it is put back"
    return [f"{', '.join(rivals)} {verb} {target}: {remedy}"] if rivals else []


def paused(resolved: Resolved) -> ConditionUpdate | None:
    """True while the spec is paused; else None."""
    if not resolved.service.spec.paused:
        return None
    if not resolved.waiting:
        return ConditionUpdate(c.PAUSED, "True", c.NOTHING_WAITS, "spec.paused is true: no object is changed")
    return ConditionUpdate(c.PAUSED, "True", c.CHANGES_WAIT, f"spec.paused is true: {', '.join(resolved.waiting)}")


def clients_told_apart(resolved: Resolved) -> ConditionUpdate | None:
    """False where a rate limit counts every client as one, by the address of what they come through; else None."""
    spec = resolved.service.spec
    if spec.rate_limit is None or spec.auth is not None or spec.server.trusted_proxies:
        return None
    service = spec.service
    hides = service.type != "ClusterIP" and service.external_traffic_policy != "Local"
    ways = [
        *(["spec.ingress"] if spec.ingress else []),
        *(["spec.gateway"] if spec.gateway else []),
        *(["the front"] if spec.wanted_front else []),
        *([f"spec.service.type {service.type}"] if hides else []),
    ]
    if not ways:
        return None
    local = ", or write spec.service.externalTrafficPolicy: Local" if hides else ""
    message = (
        f"spec.rateLimit without spec.auth tells clients apart by address, and {' and '.join(ways)} may hide it, so "
        f"that all clients share {spec.rate_limit.requests_per_minute} requests a minute: name the networks of the "
        f"proxies in spec.server.trustedProxies, or give clients API keys by spec.auth{local}"
    )
    return ConditionUpdate(c.CLIENTS_TOLD_APART, "False", c.ONE_ADDRESS_FOR_ALL, message)


def runtime_update(resolved: Resolved) -> ConditionUpdate | None:
    """True where the spec leaves a part open whose default is another than was admitted; else None."""
    image = resolved.image
    if resolved.deployment is None or image.to_run == image.newest:
        return None
    field = "spec.image.repository" if image.is_pinned else "spec.image.tag"
    message = f"the pods run {image.to_run}, the operator's default is {image.newest}: set {field} to use it"
    return ConditionUpdate(c.RUNTIME_UPDATE_AVAILABLE, "True", c.NEWER_DEFAULT_IMAGE, message)


INFORMING: Final[tuple[ConditionRule, ...]] = (
    exposed,
    monitored,
    autoscaling_active,
    awake,
    protected,
    accelerator_in_use,
    compute_type_fast,
    cache_as_specified,
    job_storage_as_specified,
    jobs_volatile,
    store_usable,
    replicas_contested,
    children_mutated,
    pods_edited,
    paused,
    clients_told_apart,
    runtime_update,
)
