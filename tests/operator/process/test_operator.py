"""The whole process against an API server of ours: it leads once everything has been listed, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
from kubernetes import client

from testbed.cluster.controlplane import free_ports
from tests.fakes import api_server
from tests.fakes.api_server import ApiServer
from whisper_operator.kube.client import Cluster
from whisper_operator.objects.kinds import (
    CHILD_KINDS,
    EVENT,
    LIMIT_RANGE,
    NODE,
    POD,
    QUOTA,
    STORAGE_CLASS,
    WHISPER_SERVICE,
)
from whisper_operator.process.operator import Operator
from whisper_operator.process.settings import Settings

KINDS = (WHISPER_SERVICE, POD, EVENT, NODE, STORAGE_CLASS, QUOTA, LIMIT_RANGE, *CHILD_KINDS)


class RecordingLease:
    """A Lease that this replica gets as soon as it asks for it."""

    def __init__(self) -> None:
        self.acquired = asyncio.Event()

    def check(self) -> None: ...

    async def acquire(self) -> None:
        self.acquired.set()

    async def renew(self) -> None:
        await asyncio.Event().wait()

    async def release(self) -> None: ...


@asynccontextmanager
async def running(server: ApiServer, lease: RecordingLease) -> AsyncGenerator[Settings]:
    """The operator, and its settings."""
    metrics_port, health_port = free_ports(2)
    settings = Settings(
        runtime_image="runtime:1",
        namespace="system",
        host="127.0.0.1",
        metrics_port=metrics_port,
        health_port=health_port,
    )
    cluster = Cluster(client.Configuration(host=server.url))
    task = asyncio.create_task(Operator(settings, cluster, lease).run())
    try:
        yield settings
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await cluster.close()


async def is_ready(settings: Settings) -> bool:
    url = f"http://127.0.0.1:{settings.health_port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status == 200


async def test_it_leads_and_is_ready_once_everything_has_been_listed() -> None:
    lease = RecordingLease()
    async with api_server.serving(*KINDS) as server:
        server.answers_lists.clear()
        async with running(server, lease) as settings, asyncio.timeout(30):
            await server.is_listed.wait()
            assert not lease.acquired.is_set()
            assert not await is_ready(settings)
            server.answers_lists.set()
            await lease.acquired.wait()
            assert await is_ready(settings)
