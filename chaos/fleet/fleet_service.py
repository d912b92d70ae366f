"""A service of two pods behind two fronts, whose queue is in a store with a replica and its recordings in a bucket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chaos.jobs.pod_service import SECONDS
from testbed import s3_server, sentinels
from testbed.cluster.network import NODE_ADDRESS
from testbed.s3_server import KEYS, REGION, S3Server
from testbed.sentinels import WatchedStore
from tests.support.kubectl import Kubectl
from tests.support.plain_http import get
from tests.support.services import mirrored_service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.network import METRICS_PORT
from whisper_runtime.service.jobs.open_shared import open_shared

NAME: Final = "fleet"
BUCKET: Final = "speech"
AWAKE: Final[dict[str, Any]] = {"autoscaling": None, "replicas": 2}
ASLEEP: Final[dict[str, Any]] = {
    "autoscaling": {"minReplicas": 0, "maxReplicas": 1, "scaleToZeroAfter": "15s"},
    "replicas": None,
}


@dataclass(frozen=True)
class FleetService:
    kubectl: Kubectl
    """In the service's namespace."""
    store: WatchedStore
    bucket: S3Server

    @property
    def url(self) -> str:
        return self.kubectl.address(NAME)

    @property
    def model(self) -> str:
        return (self.kubectl.get("wsvc", NAME) or {})["spec"]["model"]["name"]

    def pods(self, component: str = "server") -> list[Manifest]:
        """Those that run, and do not leave."""
        found = self.kubectl.pods_of(NAME, component)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"] and _runs(pod)]

    def wait_ready(self) -> None:
        self.kubectl.wait_ready(NAME, SECONDS)

    def measured(self, component: str, metric: str) -> float:
        """The sum of a metric over the component's pods."""
        lines = [line for pod in self.pods(component) for line in _metrics(pod).splitlines()]
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == metric)

    def objects(self) -> list[str]:
        """The names of all that is in the bucket."""
        folder = self.bucket.root / BUCKET
        return [str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()]

    def sweep(self, directory: Path) -> None:
        """Deletes what no job needs of the bucket, as a server does each hour with what has lain there for as long."""
        (directory / "url").write_text(self.store.url)
        config = RuntimeConfig(
            redis_url_file=str(directory / "url"),
            redis_prefix=f"{self.kubectl.namespace}/{NAME}",
            jobs_store="redis",
            jobs_s3_bucket=BUCKET,
            jobs_s3_endpoint=self.bucket.endpoint,
            jobs_s3_region=REGION,
            jobs_s3_credentials_dir=self.bucket.secret(directory / "credentials"),
        )
        asyncio.run(_sweep(config))


async def _sweep(config: RuntimeConfig) -> None:
    store = open_shared(None, config, lambda _: None)
    await store.sweep(0.0)
    await store.close()


def main_process(pod: Manifest) -> int | None:
    """The first process of the pod's program, by its number on the node; None while none runs."""
    uid = pod["metadata"]["uid"]
    found = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit() and _is_of(one, uid)]
    return min(found, default=None)


def _is_of(process: Path, uid: str) -> bool:
    """Whether the process is a Python program of that pod."""
    try:
        groups = (process / "cgroup").read_text().replace("_", "-")
        return uid in groups and "python" in os.readlink(process / "exe")
    except OSError:  # it has ended meanwhile
        return False


def _runs(pod: Manifest) -> bool:
    return any("running" in one["state"] for one in pod["status"].get("containerStatuses", ()))


def _metrics(pod: Manifest) -> str:
    return get(f"http://{pod['status']['podIP']}:{METRICS_PORT}/metrics", timeout=30).text


@contextmanager
def serving(kubectl: Kubectl, directory: Path) -> Generator[FleetService]:
    """The service, ready, until the block ends."""
    with (
        sentinels.watched("valkey", directory / "store", NODE_ADDRESS) as store,
        s3_server.running(directory / "bucket", [BUCKET], NODE_ADDRESS) as bucket,
    ):
        kubectl.apply(_secret("store", {"url": store.url}), _secret("bucket", KEYS))
        s3 = {"bucket": BUCKET, "endpoint": bucket.endpoint, "region": REGION, "secretRef": {"name": "bucket"}}
        jobs = {"storage": {"type": "S3", "size": "1Gi", "s3": s3}}
        redis = {"secretKeyRef": {"name": "store", "key": "url"}}
        kubectl.apply(mirrored_service(NAME, front={}, redis=redis, jobs=jobs, replicas=AWAKE["replicas"]))
        found = FleetService(kubectl, store, bucket)
        found.wait_ready()
        eventually("both pods serve", lambda: len(found.pods()) == AWAKE["replicas"], SECONDS)
        yield found


def _secret(name: str, data: dict[str, str]) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
