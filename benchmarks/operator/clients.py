"""Concurrent requests of an administrator: the load that the benchmarks put on the API server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar

from kubernetes import client, config

from testbed.cluster.controlplane import ControlPlane
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.objects.kinds import SERVICE, WHISPER_SERVICE
from whisper_operator.observe.records import Key

T = TypeVar("T")

CONCURRENCY: Final = 16


async def each(plane: ControlPlane, items: Iterable[T], do: Callable[[Cluster, T], Awaitable[Any]]) -> None:
    """Runs `do` for every item, `CONCURRENCY` at a time."""
    configuration = client.Configuration()
    config.load_kube_config(str(plane.kubeconfig), client_configuration=configuration)  # pyright: ignore[reportUnknownMemberType]
    cluster = Cluster(configuration)
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await do(cluster, item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(worker())
    finally:
        await cluster.close()


async def create_all(plane: ControlPlane, services: Iterable[Manifest]) -> None:
    await each(plane, services, lambda cluster, service: cluster.create(WHISPER_SERVICE, service))


async def patch_all(plane: ControlPlane, keys: Iterable[Key], spec: Callable[[str], dict[str, Any]]) -> None:
    """Merges `spec(name)` into the spec of each WhisperService."""

    async def patch(cluster: Cluster, key: Key) -> None:
        namespace, name = key
        await cluster.merge(WHISPER_SERVICE, {"metadata": {"name": name, "namespace": namespace}, "spec": spec(name)})

    await each(plane, keys, patch)


async def delete_services(plane: ControlPlane, keys: Iterable[Key]) -> None:
    """Deletes the Service of each WhisperService, which the operator has to repair."""

    async def delete(cluster: Cluster, key: Key) -> None:
        live = await cluster.get(SERVICE, *key)
        assert live is not None
        await cluster.delete(SERVICE, live)

    await each(plane, keys, delete)
