"""The operator's two ports."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from testbed.cluster.controlplane import free_ports
from whisper_operator.process import health


class ProcessState:
    """What the process answers about itself."""

    def __init__(self) -> None:
        self.standstill: str | None = None
        self.is_ready = False
        self.metrics_port, self.health_port = free_ports(2)

    async def get(self, port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}{path}") as response:
            return response.status, await response.text()


@asynccontextmanager
async def serving(host: str) -> AsyncGenerator[ProcessState]:
    found = ProcessState()
    ports = (found.metrics_port, found.health_port)
    runners = await health.serve(host, *ports, lambda: found.standstill, lambda: found.is_ready)
    yield found
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def state() -> AsyncIterator[ProcessState]:
    async with serving("127.0.0.1") as found:
        yield found


async def test_it_is_healthy_until_something_stands_still(state: ProcessState) -> None:
    assert await state.get(state.health_port, "/healthz") == (200, '{"status": "healthy"}')
    state.standstill = "the queue stands still"
    body = '{"status": "unhealthy", "cause": "the queue stands still"}'
    assert await state.get(state.health_port, "/healthz") == (503, body)


async def test_it_is_ready_once_everything_has_been_listed(state: ProcessState) -> None:
    assert await state.get(state.health_port, "/readyz") == (503, '{"status": "starting"}')
    state.is_ready = True
    assert await state.get(state.health_port, "/readyz") == (200, '{"status": "ready"}')


async def test_metrics_have_a_port_of_their_own(state: ProcessState) -> None:
    status, body = await state.get(state.metrics_port, "/metrics")
    assert status == 200
    assert "python_info" in body
    assert (await state.get(state.health_port, "/metrics"))[0] == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_without_a_host_it_answers_on_ipv4_and_on_ipv6(host: str) -> None:
    async with serving("") as state:
        assert (await state.get(state.health_port, "/healthz", host))[0] == 200
        assert (await state.get(state.metrics_port, "/metrics", host))[0] == 200


async def test_with_a_host_it_answers_there_alone(state: ProcessState) -> None:
    with pytest.raises(aiohttp.ClientConnectionError):
        await state.get(state.health_port, "/healthz", "[::1]")
