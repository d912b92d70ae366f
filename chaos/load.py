"""Injects faults into requests and watches while users go on working; the end state must be that without faults."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from chaos import api_faults
from chaos.api_faults import BookmarkLoss, ExpireOnDeletion, RandomFaults, after_commit
from chaos.environment import ChaosEnvironment, supervised
from chaos.kill import wait_converged
from chaos.proxy import pass_line, pass_request
from chaos.scenarios import EVERYTHING
from chaos.snapshot import Snapshot
from testbed.cluster import controlplane, process
from testbed.operator_plane import API_FLAGS
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import DISRUPTION_BUDGET, SERVICE

NAMES: Final = tuple(f"load-{number}" for number in range(4))
SCALED_BY_KEDA: Final = NAMES[::2]
"""The others have an autoscaler of Kubernetes' own: between them they have every kind of child."""
OPERATOR_SETTINGS: Final = {"RESYNC_SECONDS": "5", "DISCOVERY_SECONDS": "1"}
"""Repairs that come by the clock shall come within LIMIT_SECONDS."""

FaultInjection = Callable[[ChaosEnvironment, int, float], Awaitable[int]]
"""(environment, seed, seconds): injects faults for so long; returns how many."""


@dataclass(frozen=True)
class LoadCase:
    name: str
    inject: FaultInjection
    min_seconds: float = 0.0
    """Shortest time in which such a fault occurs at all."""


@dataclass(frozen=True)
class LoadResult:
    name: str
    injected: int
    seconds: float
    """From the last fault to the end state."""
    wrong: tuple[str, ...]


def request_faults(share: float, *faults: api_faults.RequestFault) -> FaultInjection:
    """Each request fails with the probability `share`, by one of `faults`."""

    async def inject(env: ChaosEnvironment, seed: int, seconds: float) -> int:
        injector = RandomFaults(seed, share, request_faults=faults)
        env.proxy.handle_request = injector.handle_request
        await asyncio.sleep(seconds)
        env.proxy.handle_request = pass_request
        return injector.injected

    return inject


def watch_faults(make: Callable[[int], RandomFaults | BookmarkLoss | ExpireOnDeletion]) -> FaultInjection:
    """Events of watches pass through the injector that `make` makes of the seed."""

    async def inject(env: ChaosEnvironment, seed: int, seconds: float) -> int:
        injector = make(seed)
        env.proxy.handle_watch_line = injector.handle_watch_line
        await asyncio.sleep(seconds)
        env.proxy.handle_watch_line = pass_line
        return injector.injected

    return inject


def random_watch_faults(share: float, *faults: api_faults.WatchFault) -> FaultInjection:
    return watch_faults(lambda seed: RandomFaults(seed, share, watch_faults=faults))


async def crash_api_server(env: ChaosEnvironment, seed: int, seconds: float) -> int:
    """Half-way, the API server is killed and etcd is stopped, and both are started again.

    etcd is not killed: without fsync, which tests do without, it would lose writes that it has acknowledged.
    """
    await asyncio.sleep(seconds / 2)
    os.kill(int((env.plane.directory / "pid/kube-apiserver").read_text().split()[0]), signal.SIGKILL)
    for component in ("kube-apiserver", "etcd"):
        await asyncio.to_thread(process.stop, env.plane.directory, component)
    await asyncio.to_thread(controlplane.launch, env.plane, API_FLAGS)
    await asyncio.sleep(seconds / 2)
    return 1


CONFLICT, THROTTLED, INTERNAL, UNAVAILABLE, TIMED_OUT = (
    api_faults.respond_with(409, "Conflict"),
    api_faults.respond_with(429, "TooManyRequests", {"Retry-After": "1"}),
    api_faults.respond_with(500, "InternalError"),
    api_faults.respond_with(503, "ServiceUnavailable"),
    api_faults.respond_with(504, "Timeout"),
)
REFUSALS: Final = (CONFLICT, THROTTLED, INTERNAL, UNAVAILABLE, TIMED_OUT)
WATCH_FAULTS: Final = (
    api_faults.cut_watch,
    api_faults.truncate_line,
    api_faults.expire_watch,
    api_faults.fail_watch,
)
EXPIRED_AT_DELETIONS: Final = LoadCase(
    "410 in the place of every deletion", watch_faults(lambda seed: ExpireOnDeletion()), 15
)
API_SERVER_CRASH: Final = LoadCase("API server killed, etcd restarted", crash_api_server)

LOAD_CASES: Final = (
    LoadCase("409, carried out or not", request_faults(0.2, CONFLICT, after_commit(CONFLICT))),
    LoadCase("429 with Retry-After", request_faults(0.3, THROTTLED)),
    LoadCase("500, carried out or not", request_faults(0.3, INTERNAL, after_commit(INTERNAL))),
    LoadCase("503", request_faults(0.3, UNAVAILABLE)),
    LoadCase("504, carried out or not", request_faults(0.3, TIMED_OUT, after_commit(TIMED_OUT))),
    LoadCase(
        "no answer, carried out or not",
        request_faults(0.1, api_faults.never_answer, after_commit(api_faults.never_answer)),
        45,
    ),
    LoadCase(
        "connection reset, carried out or not",
        request_faults(0.3, api_faults.reset_connection, after_commit(api_faults.reset_connection)),
    ),
    LoadCase("truncated JSON", request_faults(0.3, api_faults.truncate_body)),
    LoadCase("latency up to 2 s", request_faults(0.5, api_faults.delay)),
    LoadCase("watches cut", random_watch_faults(0.2, api_faults.cut_watch, api_faults.truncate_line)),
    LoadCase("watches ended by 410", random_watch_faults(0.2, api_faults.expire_watch)),
    LoadCase("watches ended by another error", random_watch_faults(0.05, api_faults.fail_watch)),
    # An API server sends a bookmark a minute, and kopf waits 70 seconds for one.
    LoadCase("bookmarks lost", watch_faults(lambda seed: BookmarkLoss()), 90),
    EXPIRED_AT_DELETIONS,
    API_SERVER_CRASH,
)
SAMPLE_CASES: Final = (
    LoadCase("any refusal", request_faults(0.3, *REFUSALS, *map(after_commit, REFUSALS))),
    LoadCase(
        "any fault of the network",
        request_faults(0.3, api_faults.reset_connection, api_faults.delay, api_faults.truncate_body),
    ),
    LoadCase("any fault of a watch", random_watch_faults(0.1, *WATCH_FAULTS)),
    EXPIRED_AT_DELETIONS,
    API_SERVER_CRASH,
)
"""One of each kind."""


async def run_undisturbed(env: ChaosEnvironment) -> Snapshot:
    """The end state without faults."""
    await env.clear()
    await user_load(env, 6)
    await env.wait_settled(quiet=2.0)
    return await env.snapshot()


async def run(env: ChaosEnvironment, case: LoadCase, expected: Snapshot, seed: int, seconds: float) -> LoadResult:
    await env.clear()
    async with supervised(env.operator):
        async with asyncio.TaskGroup() as group:
            group.create_task(user_load(env, seconds))
            injected = await case.inject(env, seed, seconds)
        took, wrong = await wait_converged(env, expected, time.monotonic())
    return LoadResult(case.name, injected, took, wrong)


async def user_load(env: ChaosEnvironment, seconds: float) -> None:
    """Creates services, changes them and deletes children, spread over `seconds`."""
    for name in NAMES:
        await env.create(name, _spec(name))
    await asyncio.sleep(seconds / 3)
    for name in NAMES:
        change: Manifest = {"disruption": {"maxUnavailable": 2}, "gateway": None}
        await env.retry_until_accepted(lambda name=name, change=change: env.change(name, change))
    await asyncio.sleep(seconds / 3)
    for name in NAMES:
        for kind in (SERVICE, DISRUPTION_BUDGET):
            await env.retry_until_accepted(lambda name=name, kind=kind: env.delete_child(kind, name))


def _spec(name: str) -> Manifest:
    hosts = {"host": f"{name}.example.com", "additionalHosts": [f"asr.{name}.example.com"]}
    spec = {**EVERYTHING, "ingress": {**EVERYTHING["ingress"], **hosts}}
    return spec if name in SCALED_BY_KEDA else {**spec, "autoscaling": {**EVERYTHING["autoscaling"], "keda": None}}
