"""What decides texts and keeps jobs goes to a front only where it can use it, and is then what the pods have."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.operator.samples import children, one, service
from whisper_runtime.contract.config import RuntimeConfig

REDIS: Final[dict[str, Any]] = {"redis": {"secretKeyRef": {"name": "valkey", "key": "url"}}}
KEEPING: Final[dict[str, Any]] = {**REDIS, "resultCache": {"ttl": "1h"}}
BUCKET: Final[dict[str, Any]] = {"type": "S3", "s3": {"bucket": "jobs", "secretRef": {"name": "bucket"}}}
BAKED: Final[dict[str, Any]] = {"cache": {"type": "Image"}, "front": {}}
OF_JOBS: Final = (
    "jobs_store",
    "jobs_max_bytes",
    "jobs_result_seconds",
    "jobs_max_queued_audio_seconds",
    "jobs_s3_bucket",
    "jobs_s3_credentials_dir",
    "max_audio_seconds",
    "model_sha256",
)


def pods(**spec: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of the front, and of the servers."""
    found = children(service(**BAKED, **spec))
    front, server = (one(found, "Deployment", name)["spec"]["template"]["spec"] for name in ("speech-front", "speech"))
    return front, server


def config(pod: dict[str, Any]) -> RuntimeConfig:
    return RuntimeConfig.from_env({one["name"]: one["value"] for one in pod["containers"][0]["env"]})


@pytest.mark.parametrize("storage", [BUCKET, {"type": "Redis"}], ids=["bucket", "store"])
def test_a_front_has_what_the_pods_have_of_jobs_that_it_reaches(storage: dict[str, Any]) -> None:
    limits = {"maxQueuedAudioPerClient": "2h", "resultTTL": "3h", "storage": storage}
    front, server = pods(**REDIS, jobs=limits, server={"maxAudioDuration": "90m"})
    for field in OF_JOBS:
        assert getattr(config(front), field) == getattr(config(server), field)
    assert config(front).jobs_store == "redis"


def test_it_has_the_secret_of_the_bucket() -> None:
    front, server = pods(**REDIS, jobs={"storage": BUCKET})
    for of_pod in (front["volumes"], front["containers"][0]["volumeMounts"]):
        assert "job-bucket" in [volume["name"] for volume in of_pod]
    mounts = (
        [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "job-bucket"] for pod in (front, server)
    )
    assert next(mounts) == next(mounts)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        REDIS,
        {"resultCache": {}},
        {"jobs": {"storage": {"type": "PersistentVolumeClaim", "size": "1Gi"}}},
        {**REDIS, "jobs": {"storage": {"accessMode": "ReadWriteMany", "storageClassName": "nfs"}}},
    ],
    ids=["nothing", "no jobs and no results", "no store", "a volume", "a volume beside the store"],
)
def test_a_front_that_can_answer_nothing_knows_no_model(spec: dict[str, Any]) -> None:
    front, _ = pods(**spec)
    assert {one["name"] for one in front["containers"][0]["env"]}.isdisjoint({"WHISPER_MODEL", "WHISPER_JOBS_STORE"})


@pytest.mark.parametrize(
    ("scaling", "takes"),
    [
        ({"minReplicas": 0}, True),
        ({"minReplicas": 1}, True),
        ({"minReplicas": 0, "keda": {"onDemand": True}}, False),
        (
            {
                "minReplicas": 0,
                "metrics": [{"type": "External", "external": {"metricName": "backlog", "averageValue": 20}}],
            },
            False,
        ),
    ],
    ids=["operator", "never at zero", "KEDA", "a metric"],
)
def test_it_takes_none_where_nobody_would_start_a_pod_for_it(scaling: dict[str, Any], takes: bool) -> None:
    """KEDA and an HPA see the requests that wait, and not one that was answered."""
    front, _ = pods(**REDIS, jobs={"storage": BUCKET}, autoscaling={"maxReplicas": 3, **scaling})
    assert ("WHISPER_JOBS_STORE" in {one["name"] for one in front["containers"][0]["env"]}) is takes
    assert ("job-bucket" in [volume["name"] for volume in front["volumes"]]) is takes


def test_results_alone_bring_no_jobs() -> None:
    front, _ = pods(**KEEPING)
    assert (config(front).jobs_store, config(front).result_cache_seconds) == ("directory", 3600)
