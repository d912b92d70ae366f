"""Requests and limits of a pod that serves: the spec's, completed from the table."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import service
from whisper_operator.resolve.model import ModelRef
from whisper_operator.resolve.sizing import (
    cache_bytes,
    family,
    fetch_resources,
    gpu_memory_mib,
    resources,
    verify_resources,
)

GPU = "nvidia.com/gpu"
BASE = {"cpu": "250m", "memory": "2304Mi"}


@pytest.mark.parametrize(
    ("model", "row"),
    [
        ("tiny.en", "tiny"),
        ("base", "base"),
        ("large-v3", "large"),
        ("large-v3-turbo", "turbo"),
        ("turbo", "turbo"),
        ("mine", "large"),
    ],
)
def test_the_table_has_a_row_for_each_model(model: str, row: str) -> None:
    assert family(model) == row


@pytest.mark.parametrize(
    ("spec", "requests", "limits"),
    [
        ({}, BASE, {"memory": "6400Mi"}),
        ({"gpu": {}}, {"cpu": "500m", "memory": "3Gi", GPU: "1"}, {"memory": "7Gi", GPU: "1"}),
        ({"resources": {"requests": {"memory": "9Gi"}}}, {"cpu": "250m", "memory": "9Gi"}, {}),
        ({"resources": {"limits": {"memory": "1Gi"}}}, {"cpu": "250m", "memory": "1Gi"}, {"memory": "1Gi"}),
        ({"resources": {"limits": {"cpu": "4"}}}, BASE, {"cpu": "4", "memory": "6400Mi"}),
        ({"resultCache": {}}, {"cpu": "250m", "memory": "2432Mi"}, {"memory": "6528Mi"}),
        ({"resultCache": {"size": "1048577"}}, {"cpu": "250m", "memory": "2306Mi"}, {"memory": "6402Mi"}),
        ({"resultCache": {}, "resources": {"requests": {"memory": "3Gi"}}}, {"cpu": "250m", "memory": "3Gi"}, {}),
        ({"diarization": {}}, {"cpu": "250m", "memory": "2560Mi"}, {"memory": "6656Mi"}),
    ],
    ids=["cpu", "gpu", "a request of one's own has no limit of ours", "a limit lowers the request", "a limit more",
         "results are kept", "in whole mebibytes", "within a request of one's own",
         "speakers are told apart"],
)  # fmt: skip
def test_requests_and_limits(spec: dict[str, Any], requests: dict[str, str], limits: dict[str, str]) -> None:
    found = resources(service(**spec).spec)
    assert found["requests"] == requests
    assert found.get("limits", {}) == limits


@pytest.mark.parametrize(
    ("given", "requests", "limits"),
    [
        (None, {"cpu": "100m", "memory": "256Mi"}, {"memory": "1Gi"}),
        ({"limits": {"cpu": "1"}}, {"cpu": "100m", "memory": "256Mi"}, {"cpu": "1", "memory": "1Gi"}),
        ({"limits": {"cpu": "50m"}}, {"cpu": "50m", "memory": "256Mi"}, {"cpu": "50m", "memory": "1Gi"}),
        ({"requests": {"memory": "2Gi"}}, {"cpu": "100m", "memory": "2Gi"}, {}),
    ],
    ids=["none", "a limit more", "a limit lowers the request", "a request of one's own has no limit of ours"],
)  # fmt: skip
def test_a_jobs_resources_are_completed_alike(given: Any, requests: dict[str, str], limits: dict[str, str]) -> None:
    found = fetch_resources(service(prefetch={"resources": given} if given else {}).spec)
    assert (found["requests"], found.get("limits", {})) == (requests, limits)


def test_a_verification_has_resources_of_its_own() -> None:
    assert verify_resources(service().spec)["limits"] == {"memory": "512Mi"}
    given = {"limits": {"cpu": "1", "ephemeral-storage": "1Gi"}}
    found = verify_resources(service(verification={"resources": given}).spec)
    assert found["limits"] == {"memory": "512Mi", "cpu": "1", "ephemeral-storage": "1Gi"}


def test_pods_that_do_not_tell_speakers_apart_yet_have_no_memory_for_it() -> None:
    spec = service(diarization={}).spec
    assert resources(spec, ModelRef("base", None)) == resources(service().spec)


def test_pods_of_the_live_model_are_sized_for_it() -> None:
    spec = service(model={"name": "large-v3"}).spec
    assert (
        resources(spec, ModelRef("tiny", None))["requests"]
        == resources(service(model={"name": "tiny"}).spec)["requests"]
    )


def test_the_checkpoint_and_its_precision() -> None:
    spec = service(model={"name": "large-v3"}, gpu={}).spec
    assert cache_bytes(spec) == 2945 * 1024**2
    assert gpu_memory_mib(spec) == 2945 + 3072
    assert gpu_memory_mib(service(model={"name": "large-v3"}, gpu={}, computeType="float32").spec) == 2 * 2945 + 3072
