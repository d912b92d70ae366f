"""The namespace's quotas and limit ranges."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.preflight.findings import FLOOR, GPU, QUOTA, RANGE, assert_found, checked
from tests.operator.samples import claim, deployment, fetched, observed, rolled_out, service, verifying
from whisper_operator.api.v1alpha1 import Manifest

LIMITS_CPU = {"metadata": {"name": "team"}, "spec": {"hard": {"limits.cpu": "8"}}, "status": {}}
FEW_PODS = {
    "metadata": {"name": "few"},
    "spec": {"hard": {"pods": "9"}},
    "status": {"hard": {"pods": "9"}, "used": {"pods": "8"}},
}
EMPTY_DIR = {"cache": {"type": "EmptyDir"}}
COVERED = {
    "resources": {"limits": {"cpu": "2"}},
    "prefetch": {"resources": {"limits": {"cpu": "1"}}},
    "verification": {"resources": {"limits": {"cpu": "1"}}},
}


@pytest.mark.parametrize(
    ("spec", "facts", "reason", "says", "holds"),
    [
        (GPU | {"replicas": 2}, {"quotas": (QUOTA,)},
         "QuotaExceeded", "2 more pods need 2 of requests.nvidia.com/gpu, and ResourceQuota team leaves 1", False),
        ({}, {"limit_ranges": (RANGE,)}, "LimitRangeViolated", "more memory than LimitRange small allows", False),
        ({}, {"limit_ranges": (FLOOR,)}, "LimitRangeViolated", "less cpu than LimitRange floor allows", False),
        ({}, {"quotas": (LIMITS_CPU,)}, "QuotaNeedsResources", "set spec.resources.limits.cpu and spec.pref", False),
        (EMPTY_DIR, {"quotas": (LIMITS_CPU,)}, "QuotaNeedsResources", "and fetch, server would have none", False),
        ({"front": {}}, {"quotas": (FEW_PODS,)},
         "QuotaExceeded", "the front needs 2 of pods, and ResourceQuota few leaves 1", False),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(
    spec: dict[str, Any], facts: dict[str, Any], reason: str, says: str, holds: bool
) -> None:
    assert_found(spec, facts, reason, says, holds)


def found(of: Any, *there: Manifest, **facts: Any) -> list[str]:
    return [one.message for one in checked(of, observed(*there, **facts)).findings]


def test_a_spec_that_sets_what_a_quota_wants_passes() -> None:
    assert found(service(**COVERED), quotas=(LIMITS_CPU,)) == []


def test_a_limit_range_may_set_it_instead() -> None:
    gives = {"metadata": {"name": "defaults"}, "spec": {"limits": [{"type": "Container", "default": {"cpu": "2"}}]}}
    assert found(service(verification={}), quotas=(LIMITS_CPU,), limit_ranges=(gives,)) == []


def test_a_template_that_keeps_pods_within_a_range_is_believed() -> None:
    container = {"name": "server", "resources": {"requests": {"memory": "512Mi"}, "limits": {"memory": "1Gi"}}}
    assert found(service(podTemplate={"spec": {"containers": [container]}}), limit_ranges=(RANGE,)) == []


def test_what_runs_has_shown_that_it_may() -> None:
    """A rule that is made later concerns no pod that has been admitted."""
    wanted = service(verification={})
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    rules = {"quotas": (LIMITS_CPU,), "limit_ranges": (FLOOR,)}
    deployed = deployment(wanted, *there)
    assert all("verif" in message for message in found(wanted, *there, deployed, **rules))
    baked = service(verification={}, cache={"type": "Image"})
    assert found(baked, rolled_out(baked), verifying(baked, rolled_out(baked), "Complete"), **rules) == []


def test_a_quota_without_room_for_a_jobs_pod_is_told() -> None:
    full = {"metadata": {"name": "team"}, "spec": {"hard": {"limits.memory": "9Gi"}},
            "status": {"hard": {"limits.memory": "9Gi"}, "used": {"limits.memory": "8704Mi"}}}  # fmt: skip
    suspended = service(suspend=True)
    (message,) = found(suspended, quotas=(full,))
    assert message == (
        "the pod that fetches needs 1073741824 of limits.memory, and ResourceQuota team leaves 536870912: "
        "raise the quota, or lower spec.prefetch.resources"
    )
