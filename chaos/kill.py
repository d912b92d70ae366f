"""Kills the operator while its nth write is in flight, for every n, and compares the end states."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from chaos.environment import LIMIT_SECONDS, ChaosEnvironment, supervised
from chaos.proxy import ConnectionCut, Forward, ProxiedRequest, ProxiedResponse, pass_request
from chaos.snapshot import Snapshot, differences, extra_rollouts, without_generations

UserAction = Callable[[ChaosEnvironment], Awaitable[None]]
KillTiming = Literal["before", "after"]
"""Before the API server has seen the write; or after it has stored it, and before the operator has its answer."""
KILL_TIMINGS: Final[tuple[KillTiming, ...]] = ("before", "after")


@dataclass(frozen=True)
class Scenario:
    name: str
    setup: tuple[UserAction, ...]
    """Done one after another, each left to settle."""
    action: UserAction
    """The operator is killed while it reconciles this one."""
    during_kill: UserAction | None = None
    """Done at the moment of the kill."""


@dataclass(frozen=True)
class KillOutcome:
    scenario: str
    nth: int
    timing: KillTiming
    write: str
    """That it was killed at; empty: it wrote no such thing, and did not reach the end."""
    seconds: float
    """From the kill to the end state, the start of the next process included."""
    wrong: tuple[str, ...]
    """Differences between the end state and that of an undisturbed run; empty: they are equal, object for object."""


class KillOnWrite:
    """A request handler that kills at the nth write from its creation on, and passes everything else."""

    def __init__(self, nth: int, timing: KillTiming, kill: Callable[[], Awaitable[None]]) -> None:
        self.killed_at: ProxiedRequest | None = None
        self._left, self._timing, self._kill = nth, timing, kill

    async def __call__(self, call: ProxiedRequest, forward: Forward) -> ProxiedResponse:
        if call.is_write:
            self._left -= 1
        if not call.is_write or self._left != 0:
            return await forward()
        if self._timing == "after":
            await forward()
        await self._kill()
        self.killed_at = call
        raise ConnectionCut


async def run_undisturbed(env: ChaosEnvironment, scenario: Scenario) -> Snapshot:
    """The end state without a kill."""
    await _set_up(env, scenario)
    await scenario.action(env)
    if scenario.during_kill:
        await env.wait_settled()
        await scenario.during_kill(env)
    await env.wait_settled(quiet=2.0)
    await env.wait_until("deleted objects are gone", env.is_garbage_collected)
    return await env.snapshot()


async def run(
    env: ChaosEnvironment, scenario: Scenario, nths: range | None = None, timings: tuple[KillTiming, ...] = KILL_TIMINGS
) -> AsyncIterator[KillOutcome]:
    """One outcome for each kill at the writes `nths`; None: at every write, until the scenario has no more of them.

    The last outcome, too, where the end is not reached without a kill either.
    """
    async with supervised(env.operator):
        expected = await run_undisturbed(env, scenario)
    for nth in nths or itertools.count(1):
        for timing in timings:
            async with supervised(env.operator):
                await _set_up(env, scenario)
            outcome = await _kill(env, scenario, expected, nth, timing)
            if outcome is None:
                return
            yield outcome
            if not outcome.write:
                return


async def _set_up(env: ChaosEnvironment, scenario: Scenario) -> None:
    await env.clear()
    for action in scenario.setup:
        await action(env)
        await env.wait_settled()


async def _kill(
    env: ChaosEnvironment, scenario: Scenario, expected: Snapshot, nth: int, timing: KillTiming
) -> KillOutcome | None:
    """None when the scenario ends before its nth write."""

    async def kill() -> None:
        if scenario.during_kill:
            await scenario.during_kill(env)
        env.kill()

    handler = env.proxy.handle_request = KillOnWrite(nth, timing, kill)
    await scenario.action(env)
    try:
        async with supervised(env.operator):
            await env.wait_until("the kill, or the end", lambda: _killed_or_done(env, scenario, handler, expected))
    except TimeoutError:
        wrong = (*differences(expected, await env.snapshot()), env.operator.last_lines())
        return KillOutcome(scenario.name, nth, timing, "", LIMIT_SECONDS, wrong)
    finally:
        env.proxy.handle_request = pass_request
    if handler.killed_at is None:
        return None
    started = time.monotonic()
    await env.restart()
    async with supervised(env.operator):
        seconds, wrong = await wait_converged(env, expected, started)
    return KillOutcome(scenario.name, nth, timing, str(handler.killed_at), seconds, wrong)


async def wait_converged(env: ChaosEnvironment, expected: Snapshot, started: float) -> tuple[float, tuple[str, ...]]:
    """Seconds since `started` (monotonic) until the state is as expected and stays so; and the differences in the end.

    Gives up after LIMIT_SECONDS, with the differences of that moment.
    """
    while True:
        found = await env.snapshot()
        if is_same(expected, found):
            seconds = time.monotonic() - started
            await env.wait_until("it is quiet", env.is_quiet)
            found = await env.snapshot()
            if is_same(expected, found):
                return seconds, tuple(extra_rollouts(expected, found))
        elif time.monotonic() - started > LIMIT_SECONDS:
            wrong = differences(without_generations(expected), without_generations(found))
            return time.monotonic() - started, tuple(wrong)
        await asyncio.sleep(0.1)


def is_same(expected: Snapshot, found: Snapshot) -> bool:
    return without_generations(expected) == without_generations(found)


async def _killed_or_done(env: ChaosEnvironment, scenario: Scenario, handler: KillOnWrite, expected: Snapshot) -> bool:
    if handler.killed_at is not None or not await env.is_quiet():
        return handler.killed_at is not None
    # The expected state holds what is done during the kill, and without a kill it is not done.
    return await env.all_ready() if scenario.during_kill else is_same(expected, await env.snapshot())
