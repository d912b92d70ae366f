"""A pass asks the API server once more before it makes something anew that nothing would take away again."""

from __future__ import annotations

from typing import cast

import pytest

from tests.operator.objects import ENV
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.objects.kinds import CLAIM, WHISPER_SERVICE, Kind
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.reconcile.events import Recorder
from whisper_operator.reconcile.reconciler import Reconciler

KEY = ("team", "speech")


class Server:
    """Stands for the API server, which has the service, or another of that name, or none."""

    is_dry = False

    def __init__(self, has: Manifest | None) -> None:
        self._has = has
        self.reads: list[Kind] = []
        self.writes: list[Kind] = []

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        self.reads.append(kind)
        return self._has

    async def apply(self, kind: Kind, manifest: Manifest, *, subresource: str = "") -> Manifest:
        self.writes.append(kind)
        return {**manifest, "metadata": {**manifest["metadata"], "uid": "1", "resourceVersion": "2", "generation": 1}}

    async def create(self, kind: Kind, manifest: Manifest) -> None: ...


def service(uid: str, observed_generation: int | None) -> Manifest:
    return {
        "apiVersion": WHISPER_SERVICE.api_version,
        "kind": WHISPER_SERVICE.kind,
        "metadata": {"namespace": KEY[0], "name": KEY[1], "uid": uid, "resourceVersion": "1", "generation": 1},
        "spec": {"model": {"name": "base"}, "cache": {"retention": "Retain"}},
        "status": {} if observed_generation is None else {"observedGeneration": observed_generation},
    }


def empty() -> ObjectCache:
    """In one namespace nobody knows of classes, and preflight lets a claim without one pass."""
    return ObjectCache(whole_cluster=False)


async def reconciled(cache: ObjectCache, server: Server) -> None:
    cluster = cast(Cluster, server)
    await Reconciler(cluster, cache, Recorder(cluster, "one"), lambda: ENV).reconcile(KEY)


@pytest.mark.parametrize("live", [None, service("another", 1)], ids=["gone", "replaced"])
async def test_the_claim_of_a_service_that_is_gone_is_not_made_again(live: Manifest | None) -> None:
    cache, server = empty(), Server(live)
    cache.observe(service("1", 1))
    await reconciled(cache, server)
    assert CLAIM not in server.writes
    assert cache.service(KEY) is None


async def test_the_claim_of_a_service_that_is_there_is_made_again() -> None:
    cache, server = empty(), Server(service("1", 1))
    cache.observe(service("1", 1))
    await reconciled(cache, server)
    assert CLAIM in server.writes
    assert server.reads == [WHISPER_SERVICE]


async def test_a_new_service_costs_no_read() -> None:
    cache, server = empty(), Server(None)
    cache.observe(service("1", None))
    await reconciled(cache, server)
    assert CLAIM in server.writes
    assert server.reads == []
