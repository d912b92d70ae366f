"""Each measurement, of a real front before a server of this tree without a model."""

from __future__ import annotations

import asyncio
import os
import statistics
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.front.uploads import answers, answers_on_kept_connections, connected, form_upload, upload
from testbed import store_server
from testbed.cluster.controlplane import free_ports
from tests.support import plain_http
from tests.support.running_process import FAKE_SERVER, FRONT, RunningProcess, running
from tests.support.waiting import eventually
from whisper_runtime.contract.metric_names import STORE_IN_USE_METRIC

SECONDS: Final = 180
NOWHERE: Final = "127.0.0.1:1"
"""Where no server is."""
SHARING_SERVER: Final = ("-m", "tests.fakes.sharing_process")
SHARING_FRONT: Final = ("-m", "tests.fakes.sharing_front")
"""Without the 50 ms after which a front takes its store for away: here all of them share its processors."""
LOCAL: Final = ("127.0.0.1",)
HITS: Final = 'whisper_result_cache_requests_total{outcome="hit"}'
REFUSED: Final = 503
RENEWED_SECONDS: Final = 1.0
"""After which the front is told anew that no server can come, as an operator does: what it knows lapses."""
ROOM: Final = 16 * 1024**2
"""Bytes for kept results."""


@dataclass(frozen=True)
class Overhead:
    """The median time of a request, in ms, round by round."""

    direct: tuple[float, ...]
    by_front: tuple[float, ...]

    @property
    def added(self) -> tuple[float, ...]:
        return tuple(front - direct for front, direct in zip(self.by_front, self.direct, strict=True))


@dataclass(frozen=True)
class RequestRate:
    a_second: float
    """As the clock went."""
    a_processor_second: float
    """Of the front's own time on a processor, whatever else that had to do."""


@dataclass(frozen=True)
class KeptThroughput:
    answers: RequestRate
    share: float
    """Of the requests that the front itself answered; the rest went to the server."""
    mib: float
    """In memory then."""


def starts(work: Path, count: int) -> list[float]:
    """Seconds from the start of a front until it is ready."""
    found: list[float] = []
    for number in range(count):
        began = time.perf_counter()
        with running(FRONT, work / f"start {number}", servers=NOWHERE):
            found.append(time.perf_counter() - began)
    return found


def overhead(work: Path, size: int, rounds: int, requests: int) -> Overhead:
    """The same uploads of `size` bytes, by turns to the server itself and by a front."""
    direct, by_front = list[float](), list[float]()
    with (
        running(FAKE_SERVER, work / "server", log_level="error") as server,
        running(FRONT, work / "front", servers=server.as_target, log_level="error") as front,
        httpx.Client(verify=plain_http.NO_AUTHORITIES, timeout=SECONDS) as client,
    ):
        for _ in range(rounds):
            times: dict[str, list[float]] = {server.clients: [], front.clients: []}
            for _ in range(requests):
                for url, taken in times.items():
                    taken.append(_seconds(client, url, size))
            direct.append(1000 * statistics.median(times[server.clients]))
            by_front.append(1000 * statistics.median(times[front.clients]))
    return Overhead(tuple(direct), tuple(by_front))


def refusals(work: Path, requests: int, clients: int) -> RequestRate:
    """Small uploads to a front that knows that no server can come."""
    with running(FRONT, work / "refusing", servers=NOWHERE, log_level="error") as front, _forbidden(front):
        asyncio.run(answers(front.clients_port, 100, clients, upload(20)))
        with _measured(front, requests) as found:
            statuses = asyncio.run(answers(front.clients_port, requests, clients, upload(20)))
        assert set(statuses) == {REFUSED}, statuses
    return found[0]


def kept_answers(work: Path, requests: int, clients: int) -> KeptThroughput:
    """One small upload again and again, whose result a server has left in a Valkey."""
    with store_server.running("valkey", work / "store") as store:
        (work / "url").write_text(store.url)
        shared: dict[str, Any] = {"redis_url_file": str(work / "url"), "result_cache_max_bytes": ROOM}
        with (
            running(SHARING_SERVER, work / "sharing", log_level="error", trusted_proxies=LOCAL, **shared) as server,
            running(SHARING_FRONT, work / "knowing", servers=server.as_target, log_level="error", **shared) as front,
        ):
            _until(front, STORE_IN_USE_METRIC, 1)
            again = form_upload(b"speech 0.0")
            while not front.metric(HITS):
                asyncio.run(answers_on_kept_connections(front.clients_port, clients, clients, again))
            before = front.metric(HITS)
            with _measured(front, requests) as found:
                statuses = asyncio.run(answers_on_kept_connections(front.clients_port, requests, clients, again))
            assert set(statuses) == {200}, statuses
            return KeptThroughput(found[0], (front.metric(HITS) - before) / requests, _mib(front, "VmRSS"))


def idle_memory(work: Path) -> float:
    """MiB of a front that no request has come to, with all that it can be given: a store, and jobs in a bucket."""
    with store_server.running("valkey", work / "idle store") as store:
        (work / "url").write_text(store.url)
        bucket = {
            "jobs_s3_bucket": "jobs",
            "jobs_s3_endpoint": f"http://{NOWHERE}",
            "jobs_s3_credentials_dir": str(work),
        }
        settings: dict[str, Any] = {"redis_url_file": str(work / "url"), "jobs_store": "redis", **bucket}
        with running(FRONT, work / "idle", servers=NOWHERE, log_level="error", **settings) as front:
            _until(front, STORE_IN_USE_METRIC, 1)
            return _mib(front, "VmHWM")


def memory(work: Path, uploads: int, size: int) -> float:
    """The most MiB that a front has ever had in memory, with so many uploads of `size` bytes at once, none ended."""
    with running(FRONT, work / "many", servers=NOWHERE, log_level="error") as front:
        asyncio.run(_begin_uploads(front, uploads, size))
        return _mib(front, "VmHWM")


def seen_servers(work: Path, count: int) -> list[float]:
    """Seconds from the readiness of a server, as itself says, until a request that a front holds is answered."""
    found: list[float] = []
    for number in range(count):
        port, cluster_port = free_ports(2)
        with (
            ThreadPoolExecutor(1) as client,
            running(FRONT, work / f"waiting {number}", servers=f"127.0.0.1:{port}:{cluster_port}") as front,
        ):
            answered = client.submit(_answered_at, front)
            _until(front, "whisper_front_held_bytes", 1)
            with running(FAKE_SERVER, work / f"new {number}", port=port, metrics_port=cluster_port):
                ready = time.perf_counter()
                found.append(max(0.0, answered.result() - ready))
    return found


def _answered_at(front: RunningProcess) -> float:
    """The time at which a request is answered, by time.perf_counter."""
    assert front.transcribe(0.0).status_code == 200
    return time.perf_counter()


def _until(front: RunningProcess, metric: str, least: float) -> None:
    eventually(f"{metric} is {least:.0f}", lambda: front.metric(metric) >= least, SECONDS)


async def _begin_uploads(front: RunningProcess, uploads: int, size: int) -> None:
    async with connected(front.clients_port, uploads) as opened:
        for _, writer in opened:
            writer.write(upload(size, declared=size + 1))
        await asyncio.gather(*(writer.drain() for _, writer in opened))
        await asyncio.to_thread(_until, front, "whisper_front_held_bytes", uploads * size)


def _forbid(front: RunningProcess) -> None:
    known = {"cannotCome": "This is measured."}
    plain_http.post(f"{front.cluster}/demand", json=known, timeout=SECONDS).raise_for_status()


@contextmanager
def _forbidden(front: RunningProcess) -> Generator[None]:
    """For the block, the front knows that no server can come."""
    _forbid(front)
    over = threading.Event()

    def renew() -> None:
        while not over.wait(RENEWED_SECONDS):
            _forbid(front)

    renewing = threading.Thread(target=renew, name="operator")
    renewing.start()
    try:
        yield
    finally:
        over.set()
        renewing.join()


@contextmanager
def _measured(front: RunningProcess, requests: int) -> Generator[list[RequestRate]]:
    """Of the block, in which the front answers so many requests; what was found is there at its end."""
    found = list[RequestRate]()
    began, used = time.perf_counter(), _processor_seconds(front)
    yield found
    took, used = time.perf_counter() - began, _processor_seconds(front) - used
    found.append(RequestRate(requests / took, requests / used))


def _mib(process: RunningProcess, field: str) -> float:
    """`VmRSS`, what it has in memory, or `VmHWM`, the most that it ever had."""
    status = Path(f"/proc/{process.running.pid}/status").read_text()
    (kib,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{field}:"))
    return kib / 1024


def _seconds(client: httpx.Client, url: str, size: int) -> float:
    began = time.perf_counter()
    answer = client.post(f"{url}/transcribe", files={"file": b"speech 0.0" + b" " * size})
    assert answer.status_code == 200, answer.text
    return time.perf_counter() - began


def _processor_seconds(process: RunningProcess) -> float:
    fields = Path(f"/proc/{process.running.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
