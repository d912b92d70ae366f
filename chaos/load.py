"""Storms: users go on working while the API server's answers and watches fail; afterwards all must be as it should."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from chaos import api_faults
from chaos.api_faults import Gap, Unmarked, Weather
from chaos.environment import EVERYTHING, Stage
from chaos.kill import compared
from chaos.proxy import passing, unedited
from chaos.state import State
from testbed import operator_process as bench
from testbed.cluster import controlplane, process
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import DISRUPTION_BUDGET, SERVICE

NAMES: Final = tuple(f"storm-{number}" for number in range(4))
SETTINGS: Final = {"RESYNC_SECONDS": "5", "DISCOVERY_SECONDS": "1"}
"""What heals by the clock shall do so within the campaign's patience."""

Blow = Callable[[Stage, int, float], Awaitable[int]]
"""Makes weather for so many seconds, from a seed; how many faults there were."""


@dataclass(frozen=True)
class Storm:
    name: str
    blow: Blow
    seconds: float = 0.0
    """That it has to last at least for anything to happen."""


@dataclass(frozen=True)
class Result:
    name: str
    injected: int
    seconds: float
    """From the storm's end to the end state."""
    wrong: tuple[str, ...]


def blowing(share: float, *faults: api_faults.Fault) -> Blow:
    async def blow(stage: Stage, seed: int, seconds: float) -> int:
        found = Weather(seed, share, faults=faults)
        stage.proxy.meddle = found.meddle
        await asyncio.sleep(seconds)
        stage.proxy.meddle = passing
        return found.injected

    return blow


def watching(make: Callable[[int], Weather | Unmarked | Gap]) -> Blow:
    async def blow(stage: Stage, seed: int, seconds: float) -> int:
        found = make(seed)
        stage.proxy.edit = found.edit
        await asyncio.sleep(seconds)
        stage.proxy.edit = unedited
        return found.injected

    return blow


async def crash(stage: Stage, seed: int, seconds: float) -> int:
    """The API server is killed, etcd ends, and both come back, half-way.

    etcd is not killed: without fsync, which tests do without, it would lose what it has answered for.
    """
    await asyncio.sleep(seconds / 2)
    os.kill(int((stage.plane.directory / "pid/kube-apiserver").read_text().split()[0]), signal.SIGKILL)
    for component in ("kube-apiserver", "etcd"):
        await asyncio.to_thread(process.stop, stage.plane.directory, component)
    await asyncio.to_thread(controlplane.launch, stage.plane, bench.API_FLAGS)
    await asyncio.sleep(seconds / 2)
    return 1


CONFLICT, THROTTLED, INTERNAL, UNAVAILABLE, TIMED_OUT = (
    api_faults.answering(409, "Conflict"),
    api_faults.answering(429, "TooManyRequests", {"Retry-After": "1"}),
    api_faults.answering(500, "InternalError"),
    api_faults.answering(503, "ServiceUnavailable"),
    api_faults.answering(504, "Timeout"),
)
REFUSALS: Final = (CONFLICT, THROTTLED, INTERNAL, UNAVAILABLE, TIMED_OUT)
WATCH_FAULTS: Final = (api_faults.cut, api_faults.half, api_faults.gone, api_faults.broken)
GAP: Final = Storm("410 in the place of every deletion", watching(lambda seed: Gap()), 15)
CRASH: Final = Storm("API server killed, etcd restarted", crash)

STORMS: Final = (
    Storm("409, carried out or not", blowing(0.2, CONFLICT, api_faults.too_late(CONFLICT))),
    Storm("429 with Retry-After", blowing(0.3, THROTTLED)),
    Storm("500, carried out or not", blowing(0.3, INTERNAL, api_faults.too_late(INTERNAL))),
    Storm("503", blowing(0.3, UNAVAILABLE)),
    Storm("504, carried out or not", blowing(0.3, TIMED_OUT, api_faults.too_late(TIMED_OUT))),
    Storm("no answer, carried out or not", blowing(0.1, api_faults.silent, api_faults.too_late(api_faults.silent)), 45),
    Storm(
        "connection reset, carried out or not", blowing(0.3, api_faults.reset, api_faults.too_late(api_faults.reset))
    ),
    Storm("truncated JSON", blowing(0.3, api_faults.truncated)),
    Storm("latency up to 2 s", blowing(0.5, api_faults.late)),
    Storm("watches cut", watching(lambda seed: Weather(seed, 0.2, watch_faults=[api_faults.cut, api_faults.half]))),
    Storm("watches ended by 410", watching(lambda seed: Weather(seed, 0.2, watch_faults=[api_faults.gone]))),
    Storm(
        "watches ended by another error", watching(lambda seed: Weather(seed, 0.05, watch_faults=[api_faults.broken]))
    ),
    # An API server sends a bookmark a minute, and kopf waits 70 seconds for one.
    Storm("bookmarks lost", watching(lambda seed: Unmarked()), 90),
    GAP,
    CRASH,
)
SAMPLE: Final = (
    Storm("any refusal", blowing(0.3, *REFUSALS, *map(api_faults.too_late, REFUSALS))),
    Storm("any fault of the network", blowing(0.3, api_faults.reset, api_faults.late, api_faults.truncated)),
    Storm("any fault of a watch", watching(lambda seed: Weather(seed, 0.1, watch_faults=WATCH_FAULTS))),
    GAP,
    CRASH,
)
"""One of each sort."""


async def undisturbed(stage: Stage) -> State:
    await stage.cleared()
    await _work(stage, 6)
    await stage.settled(quiet=2.0)
    return await stage.state()


async def run(stage: Stage, storm: Storm, expected: State, seed: int, seconds: float) -> Result:
    await stage.cleared()
    async with _supervised(stage):
        async with asyncio.TaskGroup() as group:
            group.create_task(_work(stage, seconds))
            injected = await storm.blow(stage, seed, seconds)
        took, wrong = await compared(stage, expected, time.monotonic())
    return Result(storm.name, injected, took, wrong)


async def _work(stage: Stage, seconds: float) -> None:
    """Users create services, change them, and delete children, while the weather lasts."""
    for name in NAMES:
        await stage.create(name, _spec(name))
    await asyncio.sleep(seconds / 3)
    for name in NAMES:
        await stage.insist(lambda name=name: stage.change(name, {"disruption": {"maxUnavailable": 2}, "gateway": None}))
    await asyncio.sleep(seconds / 3)
    for name in NAMES:
        for kind in (SERVICE, DISRUPTION_BUDGET):
            await stage.insist(lambda name=name, kind=kind: stage.remove(kind, name))


def _spec(name: str) -> Manifest:
    return {**EVERYTHING, "ingress": {**EVERYTHING["ingress"], "host": f"{name}.example.com"}}


@asynccontextmanager
async def _supervised(stage: Stage) -> AsyncGenerator[None]:
    """Starts the operator again where it ends, as the kubelet does."""

    async def supervise() -> None:
        while True:
            await asyncio.sleep(0.5)
            if not stage.operator.is_running:
                stage.operator.start()

    task = asyncio.create_task(supervise())
    try:
        yield
    finally:
        task.cancel()
