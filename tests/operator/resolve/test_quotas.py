"""What ResourceQuotas want of every container, and what they leave."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.resolve.asked_pods import fetching, serving, verifying
from whisper_operator.resolve.quotas import counts, lacking, shortage


def quota(used: dict[str, str] | None = None, **spec: Any) -> Manifest:
    hard = spec.get("hard", {})
    return {"metadata": {"name": "team"}, "spec": spec, "status": {"hard": hard, "used": used or {}}}


@pytest.mark.parametrize(
    ("hard", "says"),
    [
        ({"limits.cpu": "8"}, "ResourceQuota team wants limits.cpu of every container, and server, fetch, verify would "
         "have none: set spec.resources.limits.cpu and spec.prefetch.resources.limits.cpu and "
         "spec.verification.resources.limits.cpu"),
        ({"limits.memory": "8Gi", "requests.cpu": "8", "memory": "8Gi"}, None),
        ({"limits.ephemeral-storage": "8Gi", "requests.nvidia.com/gpu": "1", "count/jobs.batch": "1"}, None),
    ],
    ids=["a limit that none has", "what all have", "what may be left out"],
)  # fmt: skip
def test_what_every_container_must_set(hard: dict[str, str], says: str | None) -> None:
    spec = service(verification={}).spec
    assert lacking([serving(spec), fetching(spec), verifying(spec)], [quota(hard=hard)]) == says


def test_the_users_own_containers_must_set_it_too() -> None:
    sidecar = {"spec": {"initContainers": [{"name": "proxy"}]}}
    spec = service(resources={"limits": {"cpu": "1"}}, podTemplate=sidecar).spec
    found = lacking([serving(spec)], [quota(hard={"limits.cpu": "8"})])
    assert found is not None
    assert found.endswith("proxy would have none: set spec.podTemplate.spec.initContainers[proxy].resources.limits.cpu")


@pytest.mark.parametrize(
    ("hard", "more", "says"),
    [
        ({"requests.cpu": "1"}, 5, "5 more pods need 1.25 of requests.cpu, and ResourceQuota team leaves 1"),
        ({"requests.cpu": "1"}, 1, None),
        ({"cpu": "100m"}, 1, "1 more pod needs 0.25 of cpu, and ResourceQuota team leaves 0.1"),
        ({"limits.memory": "1Gi"}, 1, "of limits.memory"),
        ({"count/pods": "0"}, 1, "1 more pod needs 1 of count/pods"),
        ({"pods": "0"}, 0, None),
    ],
)
def test_a_quota_that_leaves_too_little(hard: dict[str, str], more: int, says: str | None) -> None:
    found = shortage(serving(service().spec), [quota(hard=hard)], more=more)
    assert found is None if says is None else found is not None and says in found


def test_a_job_is_told_from_the_pods_that_serve() -> None:
    found = shortage(fetching(service().spec), [quota({"pods": "2"}, hard={"pods": "2"})], more=1)
    assert found == "the pod that fetches needs 1 of pods, and ResourceQuota team leaves 0"


def priority(operator: str, *values: str) -> dict[str, Any]:
    expression = {"scopeName": "PriorityClass", "operator": operator, "values": list(values)}
    return {"scopeSelector": {"matchExpressions": [expression]}}


@pytest.mark.parametrize(
    ("scopes", "includes"),
    [
        ({"scopes": ["NotTerminating", "NotBestEffort"]}, True),
        ({"scopes": ["Terminating"]}, False),
        ({"scopes": ["BestEffort"]}, False),
        (priority("In", "high"), True),
        (priority("In", "low"), False),
        (priority("NotIn", "low"), True),
        (priority("Exists"), True),
        (priority("DoesNotExist"), False),
        ({"scopes": ["CrossNamespacePodAffinity"]}, False),
        ({}, True),
    ],
)  # fmt: skip
def test_a_quota_counts_the_pods_of_its_scopes(scopes: dict[str, Any], includes: bool) -> None:
    spec = service(scheduling={"priorityClassName": "high"}).spec
    assert all(counts(quota(**scopes), pod(spec)) is includes for pod in (serving, fetching, verifying))
