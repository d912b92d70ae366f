"""python -m benchmarks.against.passes MANIFEST: the processor time of a settled pass, of PYTHONPATH's first build.

One service with everything switched on, by that build's own example, is brought to rest on an API server in memory;
then passes over it, in which nothing is left to do, are timed. Prints milliseconds.
"""

from __future__ import annotations

import asyncio
import importlib
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import yaml

from tests.fakes.cluster import FakeCluster

PASSES: Final = 60
ROUNDS: Final = 5
SETTLING_PASSES: Final = 6
IMAGE: Final = "registry.example.com/whisper-runtime:1.0.0"
NODE: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "node", "labels": {"kubernetes.io/arch": "amd64"}},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}],
        "allocatable": {"cpu": "64", "memory": "256Gi", "nvidia.com/gpu": "8"},
    },
}
STORAGE_CLASS: Final[dict[str, Any]] = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "allowVolumeExpansion": True,
}


def main() -> None:
    print(asyncio.run(milliseconds(Path(sys.argv[1]))))


async def milliseconds(manifest: Path) -> float:
    """The median over rounds of the processor time of one pass; raises AssertionError where a pass still writes."""
    cluster = FakeCluster(secrets={"speech-keys": ["team-a"]})
    body = yaml.safe_load(manifest.read_text())
    body["metadata"] |= {"namespace": "team", "uid": "u1"}
    key = ("team", body["metadata"]["name"])
    observe, reconcile = _build(cluster)
    for one in (body, NODE, STORAGE_CLASS):
        observe(cluster.put(one))
    for _ in range(SETTLING_PASSES):
        await reconcile(key)
        cluster.play_controllers()
        for one in [*cluster.objects.values()]:
            if one["kind"] != "Event":
                observe(one)
    before = len(cluster.writes)
    rounds: list[float] = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(PASSES):
            await reconcile(key)
        rounds.append((time.process_time() - started) / PASSES * 1000)
    assert len(cluster.writes) == before, f"a settled pass wrote {cluster.writes[before:]}"
    return statistics.median(rounds)


def _build(cluster: FakeCluster) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """How the build takes an object in, and its pass: by this build's modules, or by those of before 0008."""
    try:
        cache = _module("observe.cache").ObjectCache(whole_cluster=True)
    except ModuleNotFoundError:
        return _build_before(cluster)
    installation = _module("observe.installation").Installation(IMAGE)
    recorder = _module("reconcile.events").Recorder(cluster, "bench")
    reconciler = _module("reconcile.reconciler").Reconciler(cluster, cache, recorder, lambda: installation)
    return cache.observe, reconciler.reconcile


def _build_before(cluster: FakeCluster) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """The same of a build of before docs/adr/0008-folders-are-the-pipeline.md: flat modules, and two caches."""
    store = _module("store").Store()
    survey = _module("survey").Survey(True, store.unready)
    recorder = _module("events").Recorder(cluster, "bench")
    env = _module("env").Env(IMAGE)
    reconciler = _module("reconcile").Reconciler(cluster, store, survey, recorder, lambda: env)

    def observe(body: Any) -> None:
        store.see(body)
        survey.see(body)

    return observe, reconciler.reconcile


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"whisper_operator.{name}")


if __name__ == "__main__":
    sys.exit(main())
