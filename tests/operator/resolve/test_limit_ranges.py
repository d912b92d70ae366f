"""What LimitRanges give to a pod, and what they refuse of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.facts import amounts
from whisper_operator.resolve.asked_pods import AskedContainer, AskedPod
from whisper_operator.resolve.limit_ranges import defaulted, refusals


def pod(requests: dict[str, str], limits: dict[str, str]) -> AskedPod:
    container = AskedContainer("fetch", "spec.prefetch.resources", amounts(requests), amounts(limits))
    return AskedPod("the pod that fetches", "spec.prefetch.resources", (container,))


def limits(of: str = "Container", **item: Any) -> Manifest:
    return {"metadata": {"name": "team"}, "spec": {"limits": [{"type": of, **item}]}}


def test_a_container_without_gets_the_defaults_and_keeps_its_own() -> None:
    ranges = [limits(default={"cpu": "1", "memory": "9Gi"}, defaultRequest={"cpu": "500m"})]
    (found,) = defaulted(pod({"memory": "1Gi"}, {"memory": "2Gi"}), ranges).containers
    assert found.requests == {"cpu": Decimal("0.5"), "memory": 2**30}
    assert found.limits == {"cpu": 1, "memory": 2**31}


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (limits(max={"memory": "512Mi"}), "container fetch of the pod that fetches asks for more memory than "
         "LimitRange team allows (512Mi): set spec.prefetch.resources.requests.memory and "
         "spec.prefetch.resources.limits.memory within that bound"),
        (limits(min={"memory": "512Mi"}), "asks for less memory than LimitRange team allows (512Mi)"),
        (limits(min={"cpu": "200m"}), "asks for less cpu than LimitRange team allows (200m)"),
        (limits(max={"cpu": "2"}), "has no limit of cpu, and LimitRange team wants one of at most 2: "
         "set spec.prefetch.resources.limits.cpu"),
        (limits(min={"ephemeral-storage": "1Gi"}), "has no request of ephemeral-storage, and LimitRange team wants one "
         "of at least 1Gi: set spec.prefetch.resources.requests.ephemeral-storage"),
        (limits(maxLimitRequestRatio={"memory": "2"}), "has a limit of memory too far above its request, and "
         "LimitRange team wants a limit of at most 2 times the request"),
        (limits(maxLimitRequestRatio={"cpu": "2"}), "has no limit of cpu, and LimitRange team wants a limit of at"),
        (limits("Pod", max={"memory": "512Mi"}), "the pod that fetches asks for more memory than LimitRange team"),
        (limits("Pod", max={"cpu": "1"}), "the pod that fetches has no limit of cpu"),
        (limits(default={"cpu": "50m"}), "requests more cpu than the limit that LimitRange team gives to containers "
         "without one (0.05): set spec.prefetch.resources.limits.cpu"),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken_is_told_with_the_field_that_mends_it(rule: Manifest, says: str) -> None:
    (found,) = refusals(pod({"cpu": "100m", "memory": "256Mi"}, {"memory": "1Gi"}), [rule])
    assert says in found


@pytest.mark.parametrize(
    "rule",
    [
        limits(max={"memory": "1Gi"}, min={"memory": "256Mi"}),
        limits(max={"cpu": "2"}, default={"cpu": "2"}),
        limits(maxLimitRequestRatio={"memory": "4"}),
        limits("PersistentVolumeClaim", max={"storage": "1Gi"}),
    ],
    ids=["at its bounds", "by its default", "a ratio of four", "of another type"],
)
def test_what_keeps_the_rules_is_right(rule: Manifest) -> None:
    assert list(refusals(pod({"cpu": "100m", "memory": "256Mi"}, {"memory": "1Gi"}), [rule])) == []


def test_a_bound_on_gpus_is_no_matter_of_the_containers_resources() -> None:
    gpu = {"nvidia.com/gpu": "1"}
    (found,) = refusals(pod(gpu, gpu), [limits(max={"nvidia.com/gpu": "0"})])
    assert found.endswith("allows (0): change that range, or spec.gpu")
