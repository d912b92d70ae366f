"""Defaults that LimitRanges give a pod, and bounds by which they refuse it, as the API server's admission does: pure.

Source: plugin/pkg/admission/limitranger/admission.go of kubernetes/kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.manifest import part_of
from whisper_operator.observe.facts import ResourceAmounts, amounts
from whisper_operator.resolve.asked_pods import AskedContainer, AskedPod

OF_CONTAINERS: Final = ("cpu", "memory", "ephemeral-storage")
"""The resources that a container's field of the spec takes."""


@dataclass(frozen=True)
class Bounded:
    """A container, or a pod as a whole, and the field that sets its resources."""

    who: str
    field: str
    requests: ResourceAmounts
    limits: ResourceAmounts


def defaulted(pod: AskedPod, ranges: Iterable[Manifest]) -> AskedPod:
    """`pod` with the requests and limits that LimitRanges give to containers that have none."""
    containers = list(pod.containers)
    for item in (item for body in ranges for item in _items(body, "Container")):
        limits, requests = amounts(part_of(item, "default")), amounts(part_of(item, "defaultRequest"))
        containers = [
            replace(one, requests={**requests, **one.requests}, limits={**limits, **one.limits}) for one in containers
        ]
    return replace(pod, containers=tuple(containers))


def refusals(pod: AskedPod, ranges: Sequence[Manifest]) -> Iterator[str]:
    """A sentence with its remedy for each rule that refuses `pod`, which LimitRanges have not defaulted yet."""
    whole = defaulted(pod, ranges)
    for before, after in zip(pod.containers, whole.containers, strict=True):
        yield from _above_default(pod, before, after, ranges)
    for body in ranges:
        for item in _items(body, "Container"):
            for one in whole.containers:
                who = f"container {one.name} of {pod.what}"
                yield from _broken(Bounded(who, one.field, one.requests, one.limits), body, item)
        for item in _items(body, "Pod"):
            yield from _broken(Bounded(pod.what, pod.field, whole.requests, whole.limits), body, item)


def _items(body: Manifest, of: str) -> list[Manifest]:
    return [item for item in body["spec"].get("limits") or () if item["type"] == of]


def _above_default(
    pod: AskedPod, before: AskedContainer, after: AskedContainer, ranges: Iterable[Manifest]
) -> Iterator[str]:
    """A default limit below the container's own request makes the pod invalid."""
    for name, limit in after.limits.items():
        if name in before.limits or after.requests.get(name, Decimal(0)) <= limit:
            continue
        given_by = next(one for one in ranges if _gives_limit(one, name))["metadata"]["name"]
        yield (
            f"container {before.name} of {pod.what} requests more {name} than the limit that LimitRange {given_by} "
            f"gives to containers without one ({limit.normalize():f}): set {before.field}.limits.{name}"
        )


def _gives_limit(body: Manifest, name: str) -> bool:
    return any(name in part_of(item, "default") for item in _items(body, "Container"))


def _broken(one: Bounded, body: Manifest, item: Manifest) -> Iterator[str]:
    where = f"LimitRange {body['metadata']['name']}"
    yield from _above(one, where, part_of(item, "max"))
    yield from _below(one, where, part_of(item, "min"))
    yield from _too_far_apart(one, where, part_of(item, "maxLimitRequestRatio"))


def _above(one: Bounded, where: str, bounds: Mapping[str, Any]) -> Iterator[str]:
    for name, most in amounts(bounds).items():
        if name not in one.limits:
            rule = f"{where} wants one of at most {bounds[name]}"
            yield f"{one.who} has no limit of {name}, and {rule}: {_set_limit(one, name)}"
        elif max(one.limits[name], one.requests.get(name, Decimal(0))) > most:
            yield f"{one.who} asks for more {name} than {where} allows ({bounds[name]}): {_set_both(one, name)}"


def _below(one: Bounded, where: str, bounds: Mapping[str, Any]) -> Iterator[str]:
    for name, least in amounts(bounds).items():
        if name not in one.requests:
            yield (
                f"{one.who} has no request of {name}, and {where} wants one of at least {bounds[name]}: "
                f"set {one.field}.requests.{name}"
            )
        elif min(one.requests[name], one.limits.get(name, least)) < least:
            yield f"{one.who} asks for less {name} than {where} allows ({bounds[name]}): {_set_both(one, name)}"


def _too_far_apart(one: Bounded, where: str, bounds: Mapping[str, Any]) -> Iterator[str]:
    for name, most in amounts(bounds).items():
        request, limit = one.requests.get(name, Decimal(0)), one.limits.get(name)
        rule = f"{where} wants a limit of at most {bounds[name]} times the request"
        if not limit:
            yield f"{one.who} has no limit of {name}, and {rule}: {_set_limit(one, name)}"
        elif not request or limit / request > most:
            yield f"{one.who} has a limit of {name} too far above its request, and {rule}: {_set_both(one, name)}"


def _set_limit(one: Bounded, name: str) -> str:
    return f"set {one.field}.limits.{name}"


def _set_both(one: Bounded, name: str) -> str:
    if name not in OF_CONTAINERS:
        return "change that range, or spec.gpu"
    return f"set {one.field}.requests.{name} and {one.field}.limits.{name} within that bound"
