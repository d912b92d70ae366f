"""A service on the real cluster whose jobs are in a store and a bucket on the node, and which may have no pod."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from testbed import s3_server, store_server
from testbed.cluster.network import NODE_ADDRESS
from testbed.s3_server import KEYS, REGION
from tests.support import plain_http
from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service, reason
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

NAME: Final = "sleeper"
BUCKET: Final = "speech"
SLEEPING: Final = {"minReplicas": 0, "maxReplicas": 1, "scaleToZeroAfter": "15s"}
JOB: Final = {"Prefer": "respond-async", "Idempotency-Key": "case 17"}
FORM: Final = {"model": "whisper-1", "language": "en"}
SECONDS: Final = 300


@contextmanager
def asleep(kubectl: Kubectl, directory: Path) -> Generator[Kubectl]:
    """The service once it has served and sleeps, until the block ends."""
    with (
        store_server.running("valkey", directory / "store", address=NODE_ADDRESS) as store,
        s3_server.running(directory / "bucket", [BUCKET], NODE_ADDRESS) as bucket,
    ):
        kubectl.apply(_secret("store", {"url": store.url}), _secret("bucket", KEYS))
        s3 = {"bucket": BUCKET, "endpoint": bucket.endpoint, "region": REGION, "secretRef": {"name": "bucket"}}
        jobs = {"storage": {"type": "S3", "size": "1Gi", "s3": s3}}
        redis = {"secretKeyRef": {"name": "store", "key": "url"}}
        kubectl.apply(mirrored_service(NAME, redis=redis, jobs=jobs, autoscaling=SLEEPING))
        kubectl.wait_ready(NAME, SECONDS)
        eventually("it sleeps", lambda: reason(kubectl, NAME, "Ready") == "ScaledToZero", SECONDS)
        eventually("no pod serves", lambda: not kubectl.pods_of(NAME), SECONDS)
        yield kubectl


def submitted(service: Kubectl, recording: bytes) -> dict[str, Any]:
    """The job of the recording, as it was accepted."""
    answer = plain_http.post(path(service), files={"file": recording}, data=FORM, headers=JOB, timeout=SECONDS)
    assert answer.status_code == 202, answer.text
    return answer.json()


def fronts(service: Kubectl) -> list[str]:
    """The names of the front's pods."""
    return [pod["metadata"]["name"] for pod in service.pods_of(NAME, "front")]


def kill_fronts(service: Kubectl) -> None:
    """Ends all of them at once, without a warning."""
    service("delete", "pod", *fronts(service), "--grace-period=0", "--force")


def completed(service: Kubectl, job_id: str) -> dict[str, Any] | None:
    """The job, as a client sees it that goes on asking; None: no front or pod answers, or it is not done."""
    try:
        answer = plain_http.get(f"{path(service)}/{job_id}", timeout=120)
    except httpx.TransportError:
        return None
    found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return found if found.get("status") == "completed" else None


def text(service: Kubectl, job_id: str) -> str:
    return plain_http.get(f"{path(service)}/{job_id}/content", timeout=120).raise_for_status().json()["text"]


def path(service: Kubectl) -> str:
    return f"{service.address(NAME)}/v1/audio/transcriptions"


def _secret(name: str, data: dict[str, str]) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
