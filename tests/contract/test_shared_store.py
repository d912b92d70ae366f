"""Two runtime processes count requests as one and share results, by a real Valkey; without it each goes on alone."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from testbed.cluster.controlplane import free_ports
from testbed.paths import REPOSITORY
from testbed.store_server import StoreServer, running
from tests.runtime.conftest import speech
from tests.support.waiting import eventually
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.network import STORE_PATH
from whisper_runtime.contract.shared_store import SharedStoreReport

pytestmark = pytest.mark.slow
PER_MINUTE = 6


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    with running("valkey", tmp_path / "server") as found:
        yield found


@pytest.fixture
def pods(server: StoreServer, tmp_path: Path) -> Iterator[list[tuple[int, int]]]:
    """Ports of two processes, for clients and for the cluster."""
    (tmp_path / "url").write_text(server.url)
    ports = free_ports(4)
    found = [(ports[0], ports[1]), (ports[2], ports[3])]
    with ExitStack() as started:
        for port, metrics_port in found:
            config = RuntimeConfig(
                port=port,
                metrics_port=metrics_port,
                requests_per_minute=PER_MINUTE,
                result_cache_max_bytes=1_000_000,
                redis_url_file=str(tmp_path / "url"),
                redis_prefix="team/speech",
                trusted_proxies=("127.0.0.1",),
                drain_seconds=0,
            )
            process = started.enter_context(
                subprocess.Popen(
                    (sys.executable, "-m", "tests.fakes.sharing_process"),
                    cwd=REPOSITORY,
                    env={**os.environ, **config.to_env(), "PYTHONPATH": "operator:runtime:."},
                    stderr=started.enter_context((tmp_path / f"{port}.log").open("wb")),
                )
            )
            started.callback(process.terminate)
        yield found


def report(metrics_port: int) -> SharedStoreReport | None:
    """What the operator reads of a pod; None: it does not answer yet."""
    try:
        return SharedStoreReport.model_validate_json(httpx.get(f"http://127.0.0.1:{metrics_port}{STORE_PATH}").content)
    except httpx.TransportError:
        return None


def await_reports(pods: list[tuple[int, int]], reason: str) -> None:
    def holds() -> bool:
        return all((found := report(port)) is not None and found.reason == reason for _, port in pods)

    eventually(f"each pod's report is {reason}", holds)


async def burst(ports: list[int], count: int, client: str) -> list[int]:
    """The statuses of so many requests of one client's address at once, in turns to the ports."""
    headers = {"x-forwarded-for": client}
    async with httpx.AsyncClient(timeout=60, headers=headers) as http:
        asked = [
            http.post(f"http://127.0.0.1:{ports[number % len(ports)]}/transcribe", files=speech())
            for number in range(count)
        ]
        return sorted(answer.status_code for answer in await asyncio.gather(*asked))


async def test_a_limit_counts_once_for_both_and_for_each_while_the_store_is_away(
    pods: list[tuple[int, int]], server: StoreServer
) -> None:
    ports = [port for port, _ in pods]
    once = [200] * PER_MINUTE + [429] * (30 - PER_MINUTE)
    await_reports(pods, "StoreInUse")
    assert await burst(ports, 30, "192.0.2.1") == once
    server.kill()
    for port in ports:
        assert await burst([port], PER_MINUTE + 1, "192.0.2.2") == [200] * PER_MINUTE + [429]
    await_reports(pods, "StoreUnreachable")
    server.start()
    await_reports(pods, "StoreInUse")
    assert await burst(ports, 30, "192.0.2.3") == once


def test_a_result_of_one_is_the_others_too_and_a_store_that_is_away_is_no_error(
    pods: list[tuple[int, int]], server: StoreServer
) -> None:
    await_reports(pods, "StoreInUse")
    statuses = [cache_status(port) for port, _ in pods]
    assert statuses[0] == "whisper; fwd=miss; stored"
    assert statuses[1].startswith("whisper; hit; ttl=")
    server.kill()
    stored = ["whisper; fwd=miss; stored"] * 2
    assert [cache_status(port) for port, _ in pods] == stored
    assert all(cache_status(port).startswith("whisper; hit; ttl=") for port, _ in pods)


def cache_status(port: int) -> str:
    """What a process says of its results for the same recording."""
    answer = httpx.post(f"http://127.0.0.1:{port}/transcribe", files=speech(), timeout=60)
    assert answer.status_code == 200
    return answer.headers["cache-status"]
