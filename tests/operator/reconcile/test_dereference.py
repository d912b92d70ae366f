"""What no watch shows is read once for each name, all at the same time."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from tests.fakes.cluster import FakeCluster
from tests.operator.samples import service
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.observe.facts import Facts
from whisper_operator.reconcile.dereference import requests_by_node, with_references

CLAIM = {"kind": "PersistentVolumeClaim", "metadata": {"name": "shared", "namespace": "team"}, "spec": {}}
SPEC = {
    "auth": {"secretRef": {"name": "keys"}},
    "image": {"pullSecrets": [{"name": "keys"}, {"name": "pull"}]},
    "cache": {"existingClaim": "shared"},
    "model": {"name": "mine", "source": {"url": "pvc://shared/a.pt", "caRef": {"name": "ca", "key": "root.pem"}}},
}


async def test_each_named_object_is_read_once() -> None:
    cluster = FakeCluster(CLAIM, secrets={"keys": ["team-a"]})
    found = await with_references(Facts(), service(**SPEC), cast(Cluster, cluster))
    assert found.secrets == {"keys": {"team-a"}, "pull": None}
    assert found.config_maps == {"ca": None}
    assert list(found.claims) == ["shared"]
    assert sorted(name for _, _, name in cluster.requests) == ["ca", "keys", "pull", "shared"]


class Gathering(FakeCluster):
    """Answers no read of a Secret before as many are open as it waits for."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._all_are_open = asyncio.Barrier(count)

    async def secret_keys(self, namespace: str, name: str) -> frozenset[str] | None:
        await self._all_are_open.wait()
        return await super().secret_keys(namespace, name)


async def test_all_are_asked_for_at_the_same_time() -> None:
    async with asyncio.timeout(5):
        await with_references(Facts(), service(**SPEC), cast(Cluster, Gathering(2)))


class Refusing(FakeCluster):
    async def secret_keys(self, namespace: str, name: str) -> frozenset[str] | None:
        raise ApiError("GET secrets", 403, "Forbidden", "no")


async def test_a_read_that_fails_fails_the_pass() -> None:
    with pytest.raises(ApiError):
        await with_references(Facts(), service(**SPEC), cast(Cluster, Refusing()))


async def test_the_requests_of_pods_are_summed_over_all_pages() -> None:
    """Given more pods than a page holds."""
    container = {"resources": {"requests": {"nvidia.com/gpu": "1"}}}
    pods = [
        {"kind": "Pod", "metadata": {"name": f"pod-{number}"}, "spec": {"nodeName": "a", "containers": [container]}}
        for number in range(250)
    ]
    assert await requests_by_node(cast(Cluster, FakeCluster(*pods))) == {"a": {"nvidia.com/gpu": 250}}
