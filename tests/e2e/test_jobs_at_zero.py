"""A job is accepted while no pod serves, and outlives every front: one that held it, and those that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from testbed import s3_server, store_server
from testbed.cluster.network import NODE_ADDRESS
from testbed.s3_server import KEYS, REGION, S3Server
from tests.support import plain_http
from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service, reason
from tests.support.waiting import awaited, eventually
from whisper_operator.api.v1alpha1 import Manifest

NAME: Final = "held"
BUCKET: Final = "speech"
SLEEPING: Final = {"minReplicas": 0, "maxReplicas": 1, "scaleToZeroAfter": "15s"}
JOB: Final = {"Prefer": "respond-async", "Idempotency-Key": "case 17"}
FORM: Final = {"model": "whisper-1", "language": "en"}


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server.running(tmp_path_factory.mktemp("bucket"), [BUCKET], NODE_ADDRESS) as found:
        yield found


@pytest.fixture(scope="module")
def asleep(namespace: Kubectl, bucket: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """A service with a store and a bucket that has served, and has no pod."""
    with store_server.running("valkey", tmp_path_factory.mktemp("store"), address=NODE_ADDRESS) as store:
        namespace.apply(_secret("store", {"url": store.url}), _secret("bucket", KEYS))
        s3 = {"bucket": BUCKET, "endpoint": bucket.endpoint, "region": REGION, "secretRef": {"name": "bucket"}}
        jobs = {"storage": {"type": "S3", "size": "1Gi", "s3": s3}}
        redis = {"secretKeyRef": {"name": "store", "key": "url"}}
        namespace.apply(mirrored_service(NAME, redis=redis, jobs=jobs, autoscaling=SLEEPING))
        namespace.wait_ready(NAME)
        eventually("it sleeps", lambda: reason(namespace, NAME, "Ready") == "ScaledToZero", 240)
        eventually("no pod serves", lambda: not namespace.pods_of(NAME), 120)
        yield namespace


def test_a_held_job_is_done_though_every_front_is_killed(asleep: Kubectl, bucket: S3Server, recordings: Path) -> None:
    sent = plain_http.post(
        path(asleep),
        files={"file": (recordings / "jfk.wav").read_bytes()},
        data=FORM,
        headers=JOB,
        timeout=120,
    )
    served_when_accepted = serving(asleep)
    assert sent.status_code == 202, sent.text
    assert served_when_accepted == []
    asleep("delete", "pod", *names(asleep.pods_of(NAME, "front")), "--grace-period=0", "--force")
    job: dict[str, Any] = awaited("it is done", lambda: completed(asleep, sent.json()["id"]), 300)
    assert (job["attempts"], job["audio_seconds"]) == (1, 11.0)
    content = plain_http.get(f"{path(asleep)}/{job['id']}/content").raise_for_status()
    assert "ask what you can do for your country" in content.json()["text"]


def serving(service: Kubectl) -> list[str]:
    """The pods that are ready."""
    conditions = {
        pod["metadata"]["name"]: {one["type"]: one["status"] for one in pod["status"].get("conditions", ())}
        for pod in service.pods_of(NAME)
    }
    return [name for name, of_pod in conditions.items() if of_pod.get("Ready") == "True"]


def completed(service: Kubectl, job_id: str) -> dict[str, Any] | None:
    """The job, as a client sees it that goes on asking; None: no front or pod answers, or it is not done."""
    try:
        answer = plain_http.get(f"{path(service)}/{job_id}", timeout=120)
    except httpx.TransportError:
        return None
    found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return found if found.get("status") == "completed" else None


def path(service: Kubectl) -> str:
    return f"{service.address(NAME)}/v1/audio/transcriptions"


def names(pods: list[Manifest]) -> list[str]:
    return [pod["metadata"]["name"] for pod in pods]


def _secret(name: str, data: dict[str, str]) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
