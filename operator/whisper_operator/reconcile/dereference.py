"""Reads from the API server what no watch shows: the objects that a spec names, and what the cluster's pods request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.kube.client import Cluster
from whisper_operator.objects.kinds import CLAIM, POD
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.pod_requests import NodeRequests, add_requests
from whisper_operator.resolve.references import references

T = TypeVar("T")


async def with_references(facts: Facts, service: WhisperService, cluster: Cluster) -> Facts:
    """`facts` with the Secrets, ConfigMaps and claims that the spec names, each read once; raises ApiError."""
    namespace, named = service.metadata.namespace, references(service.spec)
    secrets, config_maps, claims = await asyncio.gather(
        _each(named.secrets, lambda name: cluster.secret_keys(namespace, name)),
        _each(named.config_maps, lambda name: cluster.config_map_keys(namespace, name)),
        _each(named.claims, lambda name: cluster.get(CLAIM, namespace, name)),
    )
    return replace(facts, secrets=secrets, config_maps=config_maps, claims=claims)


async def requests_by_node(cluster: Cluster) -> NodeRequests:
    """The requests of all pods of the cluster, summed by node; raises ApiError.

    A page of pods at a time is in memory: kept whole, 5,000 pods took 236 MiB for each worker.
    """
    total: dict[str, dict[str, Decimal]] = {}
    async for page, _ in cluster.pages(POD, None):
        add_requests(total, page)
    return total


async def _each(names: Iterable[str], read: Callable[[str], Awaitable[T]]) -> dict[str, T]:
    """The result of `read` for each name, all read at the same time."""
    order = sorted(names)
    return dict(zip(order, await asyncio.gather(*map(read, order)), strict=True))
