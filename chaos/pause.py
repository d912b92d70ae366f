"""The Lease's holder is stopped in the middle of its work, another replica takes over, and the first goes on."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp

from chaos.environment import Stage
from chaos.kill import compared
from chaos.proxy import Proxy
from chaos.state import State
from testbed import audit
from testbed import operator_process as bench
from testbed.operator_process import OperatorProcess
from whisper_operator.api.v1alpha1 import Manifest

NAMES: Final = tuple(f"busy-{number}" for number in range(8))
"""As many as the operator has workers."""
SPEC: Final = {"model": {"name": "base"}, "cache": {"type": "EmptyDir"}, "disruption": {"maxUnavailable": 1}}
ALLOWED: Final = 1
"""Writes after the successor's first: the one that was in flight."""


@dataclass(frozen=True)
class Result:
    seconds: float
    """From the stop to the successor's first write."""
    late: tuple[audit.Request, ...]
    """Writes of the stopped replica that came after its successor's first."""
    wrong: tuple[str, ...]
    """Where the end state is not the undisturbed one."""

    @property
    def is_right(self) -> bool:
        return len(self.late) <= ALLOWED and not self.wrong


@asynccontextmanager
async def standby(stage: Stage) -> AsyncGenerator[OperatorProcess]:
    """A second replica, known as `b` in the audit log."""
    async with Proxy(stage.plane, "b") as proxy:
        second = OperatorProcess(stage.plane, proxy.url, "b", settings=stage.operator.settings)
        second.start()
        try:
            yield second
        finally:
            await asyncio.to_thread(second.stop)


async def undisturbed(stage: Stage) -> State:
    await stage.cleared()
    await _create(stage)
    await _finish(stage)
    await stage.settled(quiet=2.0)
    return await stage.state()


async def run(stage: Stage, expected: State, seed: int, seconds: float) -> Result:
    """One pause of the holder, for `seconds` at least and until the other replica writes."""
    await stage.cleared()
    async with standby(stage) as second:
        await stage.until("the second replica is warm", lambda: answers(second, "readyz"))
        await _create(stage)
        working = asyncio.create_task(_keep_busy(stage))
        # Where in its work the holder is hit differs from one seed to the next.
        await asyncio.sleep(2 + random.Random(seed).uniform(0, 1))
        since = stage.plane.audit_log.stat().st_size
        os.kill(stage.operator.pid, signal.SIGSTOP)
        stopped = time.time()
        await asyncio.sleep(seconds)
        await stage.until("the second replica writes", lambda: stage.is_written_by("b", since))
        os.kill(stage.operator.pid, signal.SIGCONT)
        await stage.until("the first replica has ended", stage.has_ended)
        working.cancel()
        await _finish(stage)
        _, wrong = await compared(stage, expected, time.monotonic())
        found = bench.writes(stage.plane, since)
    await stage.restart()
    first = min(one.received for one in found if one.agent == "b")
    late = tuple(one for one in found if one.agent == "a" and one.received > first)
    return Result(first - stopped, late, wrong)


async def answers(operator: OperatorProcess, check: str, status: int = 200) -> bool:
    """Whether the replica's health port answers that check with that status."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{operator.health_port}/{check}") as response,
        ):
            return response.status == status
    except aiohttp.ClientError:
        return False


async def _create(stage: Stage) -> None:
    for name in NAMES:
        await stage.create(name, SPEC)


async def _keep_busy(stage: Stage) -> None:
    """Changes one service after another, so that every worker always has something to write."""
    for number in itertools.count():
        for name in NAMES:
            await stage.change(name, _budget(1 + number % 2))


async def _finish(stage: Stage) -> None:
    for name in NAMES:
        await stage.change(name, _budget(3))


def _budget(pods: int) -> Manifest:
    return {"disruption": {"maxUnavailable": pods}}
