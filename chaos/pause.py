"""Stops the Lease's holder in the middle of its work until another replica writes, and lets it go on."""

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

from chaos.environment import ChaosEnvironment, supervised
from chaos.kill import wait_converged
from chaos.proxy import Proxy
from chaos.snapshot import Snapshot
from testbed import audit
from testbed.operator_process import OperatorProcess
from whisper_operator.api.v1alpha1 import Manifest

NAMES: Final = tuple(f"busy-{number}" for number in range(8))
"""As many as the operator has workers."""
SPEC: Final = {"model": {"name": "base"}, "cache": {"type": "EmptyDir"}, "disruption": {"maxUnavailable": 1}}
ALLOWED_LATE_WRITES: Final = 1
"""After the successor's first write: the one that was in flight."""


@dataclass(frozen=True)
class PauseResult:
    seconds: float
    """From the stop to the successor's first write."""
    late: tuple[audit.AuditedRequest, ...]
    """Writes of the stopped replica that came after its successor's first."""
    wrong: tuple[str, ...]
    """Differences between the end state and the undisturbed one."""

    @property
    def is_right(self) -> bool:
        return len(self.late) <= ALLOWED_LATE_WRITES and not self.wrong


@asynccontextmanager
async def standby(env: ChaosEnvironment) -> AsyncGenerator[OperatorProcess]:
    """A second replica, whose user agent in the audit log is `b`."""
    async with Proxy(env.plane, "b") as proxy:
        second = OperatorProcess(env.plane, proxy.url, "b", settings=env.operator.settings)
        second.start()
        try:
            yield second
        finally:
            await asyncio.to_thread(second.stop)


async def run_undisturbed(env: ChaosEnvironment) -> Snapshot:
    """The end state without a pause."""
    await env.clear()
    await _create(env)
    await _apply_last_change(env)
    await env.wait_settled(quiet=2.0)
    return await env.snapshot()


async def run(env: ChaosEnvironment, expected: Snapshot, seed: int, seconds: float) -> PauseResult:
    """Pauses the holder once, for `seconds` at least and until the other replica writes."""
    await env.clear()
    async with standby(env) as second:
        await env.wait_until("the second replica is warm", lambda: health_is(second, "readyz"))
        await _create(env)
        working = asyncio.create_task(_keep_busy(env))
        # The seed decides at which point of its work the holder is stopped.
        await asyncio.sleep(2 + random.Random(seed).uniform(0, 1))
        since = env.plane.audit_log.stat().st_size
        os.kill(env.operator.pid, signal.SIGSTOP)
        stopped = time.time()
        await asyncio.sleep(seconds)
        await env.wait_until("the second replica writes", lambda: env.has_written("b", since))
        os.kill(env.operator.pid, signal.SIGCONT)
        await env.wait_until("the first replica has ended", env.operator_has_ended)
        working.cancel()
        await _apply_last_change(env)
        async with supervised(second):
            _, wrong = await wait_converged(env, expected, time.monotonic())
        found = env.writes(since)
    await env.restart()
    first = min(one.received for one in found if one.agent == "b")
    late = tuple(one for one in found if one.agent == "a" and one.received > first)
    return PauseResult(first - stopped, late, wrong)


async def health_is(operator: OperatorProcess, check: str, status: int = 200) -> bool:
    """Whether the replica's health port answers `/<check>` with that status; False while it does not answer."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{operator.health_port}/{check}") as response,
        ):
            return response.status == status
    except aiohttp.ClientError:
        return False


async def _create(env: ChaosEnvironment) -> None:
    for name in NAMES:
        await env.create(name, SPEC)


async def _keep_busy(env: ChaosEnvironment) -> None:
    """Changes one service after another, so that every worker always has something to write."""
    for number in itertools.count():
        for name in NAMES:
            await env.change(name, _budget(1 + number % 2))


async def _apply_last_change(env: ChaosEnvironment) -> None:
    for name in NAMES:
        await env.change(name, _budget(3))


def _budget(pods: int) -> Manifest:
    return {"disruption": {"maxUnavailable": pods}}
