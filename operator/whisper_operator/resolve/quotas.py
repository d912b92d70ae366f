"""Demands of ResourceQuotas on a pod, and the room that they leave for it, as the API server's admission counts: pure.

Sources: https://kubernetes.io/docs/concepts/policy/resource-quotas/, pkg/quota/v1/evaluator/core/pods.go of
kubernetes/kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.manifest import part_of, status_of
from whisper_operator.observe.facts import amounts
from whisper_operator.resolve.asked_pods import SERVES, AskedContainer, AskedPod
from whisper_operator.resolve.limit_ranges import OF_CONTAINERS

MANDATORY: Final[Mapping[str, tuple[str, str]]] = {
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "requests.cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
}
"""Resources that every container has to set where a quota counts them; other resources may be left out."""


def shortage(pod: AskedPod, quotas: Iterable[Manifest], *, more: int) -> str | None:
    """A sentence about the quota that leaves no room for `more` such pods; None where all leave room."""
    each = _counted(pod) if more > 0 else {}
    for body in quotas:
        status = status_of(body)
        hard, used = amounts(status.get("hard", {})), amounts(status.get("used", {}))
        for name in sorted(hard.keys() & each.keys()) if counts(body, pod) else ():
            wanted, left = each[name] * more, hard[name] - used.get(name, Decimal(0))
            if wanted > left:
                where = f"ResourceQuota {body['metadata']['name']} leaves {left.normalize():f}"
                return f"{_subject(pod, more)} {wanted.normalize():f} of {name}, and {where}"
    return None


def lacking(pods: Sequence[AskedPod], quotas: Iterable[Manifest]) -> str | None:
    """A sentence, with its remedy, about the first quota that wants what containers do not set; else None."""
    for body in quotas:
        for name in sorted(part_of(body["spec"], "hard").keys() & MANDATORY.keys()):
            kind, resource = MANDATORY[name]
            without = [
                one for pod in pods if counts(body, pod) for one in pod.containers if not _has(one, kind, resource)
            ]
            if without:
                who = ", ".join(dict.fromkeys(one.name for one in without))
                fields = " and ".join(dict.fromkeys(f"{one.field}.{kind}.{resource}" for one in without))
                rule = f"ResourceQuota {body['metadata']['name']} wants {name} of every container"
                return f"{rule}, and {who} would have none: set {fields}"
    return None


def counts(body: Manifest, pod: AskedPod) -> bool:
    """Whether the quota's scopes include `pod`, which has requests and no deadline."""
    selector: list[Manifest] = part_of(body["spec"], "scopeSelector").get("matchExpressions") or []
    named: list[Manifest] = [{"scopeName": name, "operator": "Exists"} for name in body["spec"].get("scopes") or ()]
    return all(_in_scope(one, pod) for one in [*named, *selector])


def _in_scope(expression: Manifest, pod: AskedPod) -> bool:
    scope, operator, values = expression["scopeName"], expression["operator"], expression.get("values") or ()
    if scope in ("NotTerminating", "NotBestEffort"):
        return True
    if scope != "PriorityClass":
        return False
    match operator:
        case "In":
            return pod.priority_class in values
        case "NotIn":
            return pod.priority_class not in values
        case _:
            return (pod.priority_class is None) is (operator == "DoesNotExist")


def _subject(pod: AskedPod, more: int) -> str:
    if pod.what != SERVES:
        return f"{pod.what} needs"
    return "1 more pod needs" if more == 1 else f"{more} more pods need"


def _has(one: AskedContainer, kind: str, resource: str) -> bool:
    return resource in (one.requests if kind == "requests" else one.limits)


def _counted(pod: AskedPod) -> dict[str, Decimal]:
    """The amounts that one pod takes of a quota, by the quota's own names."""

    def pairs() -> Iterator[tuple[str, Decimal]]:
        yield "pods", Decimal(1)
        yield "count/pods", Decimal(1)
        for name, value in pod.requests.items():
            yield f"requests.{name}", value
            if name in OF_CONTAINERS:  # whose requests a quota counts under their bare name, too
                yield name, value
        for name, value in pod.limits.items():
            yield f"limits.{name}", value

    return dict(pairs())
