"""Kills the operator while its nth write is in flight, for every n, and compares what comes of it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from chaos.environment import LIMIT_SECONDS, Stage
from chaos.proxy import Answer, Call, Cut, Forward, passing
from chaos.state import State, differences, rollouts_too_many, without_generations

Deed = Callable[[Stage], Awaitable[None]]
"""What a user does."""
Moment = Literal["before", "after"]
"""The API server has not seen the write yet; or it has stored it, and the operator has no answer yet."""
MOMENTS: Final[tuple[Moment, ...]] = ("before", "after")


@dataclass(frozen=True)
class Scenario:
    name: str
    before: tuple[Deed, ...]
    """Done one after another, and left to settle."""
    deed: Deed
    """What the operator is killed in the middle of."""
    meanwhile: Deed | None = None
    """What the user does besides, at the very moment of the kill."""


@dataclass(frozen=True)
class Outcome:
    scenario: str
    nth: int
    moment: Moment
    write: str
    seconds: float
    """From the kill to the end state, the start of the next incarnation included."""
    wrong: tuple[str, ...]
    """Where the end state is not the undisturbed one; empty: it is, object for object."""


class Killer:
    """Kills at the nth write from its making on, and lets everything else through."""

    def __init__(self, nth: int, moment: Moment, kill: Callable[[], Awaitable[None]]) -> None:
        self.struck: Call | None = None
        self._left, self._moment, self._kill = nth, moment, kill

    async def __call__(self, call: Call, forward: Forward) -> Answer:
        if call.is_write:
            self._left -= 1
        if not call.is_write or self._left != 0:
            return await forward()
        if self._moment == "after":
            await forward()
        await self._kill()
        self.struck = call
        raise Cut


async def undisturbed(stage: Stage, scenario: Scenario) -> State:
    """The end state that every disturbed run must come to as well."""
    await _prepare(stage, scenario)
    await scenario.deed(stage)
    if scenario.meanwhile:
        await stage.settled()
        await scenario.meanwhile(stage)
    await stage.settled(quiet=2.0)
    await stage.until("what is deleted is gone", stage.is_swept)
    return await stage.state()


async def run(
    stage: Stage, scenario: Scenario, nths: range | None = None, moments: tuple[Moment, ...] = MOMENTS
) -> AsyncIterator[Outcome]:
    """Every kill (those at `nths` alone); ends with the first number that the scenario's writes do not reach."""
    expected = await undisturbed(stage, scenario)
    for nth in nths or itertools.count(1):
        for moment in moments:
            await _prepare(stage, scenario)
            outcome = await _kill(stage, scenario, expected, nth, moment)
            if outcome is None:
                return
            yield outcome


async def _prepare(stage: Stage, scenario: Scenario) -> None:
    await stage.cleared()
    for deed in scenario.before:
        await deed(stage)
        await stage.settled()


async def _kill(stage: Stage, scenario: Scenario, expected: State, nth: int, moment: Moment) -> Outcome | None:
    async def kill() -> None:
        if scenario.meanwhile:
            await scenario.meanwhile(stage)
        stage.kill()

    killer = stage.proxy.meddle = Killer(nth, moment, kill)
    await scenario.deed(stage)
    try:
        await stage.until("the kill, or the end", lambda: _struck_or_done(stage, scenario, killer, expected))
    except TimeoutError as error:
        wrong = "\n".join(differences(expected, await stage.state()))
        raise TimeoutError(f"{error}; without a kill there is, other than undisturbed:\n{wrong}") from error
    stage.proxy.meddle = passing
    if killer.struck is None:
        return None
    started = time.monotonic()
    await stage.restart()
    seconds, wrong = await compared(stage, expected, started)
    return Outcome(scenario.name, nth, moment, str(killer.struck), seconds, wrong)


async def compared(stage: Stage, expected: State, started: float) -> tuple[float, tuple[str, ...]]:
    """Seconds from `started` until the state is as expected and stays so; and where it is not in the end."""
    while True:
        found = await stage.state()
        if is_same(expected, found):
            seconds = time.monotonic() - started
            await stage.until("it is quiet", stage.is_quiet)
            found = await stage.state()
            if is_same(expected, found):
                return seconds, tuple(rollouts_too_many(expected, found))
        elif time.monotonic() - started > LIMIT_SECONDS:
            wrong = differences(without_generations(expected), without_generations(found))
            return time.monotonic() - started, tuple(wrong)
        await asyncio.sleep(0.1)


def is_same(expected: State, found: State) -> bool:
    return without_generations(expected) == without_generations(found)


async def _struck_or_done(stage: Stage, scenario: Scenario, killer: Killer, expected: State) -> bool:
    if killer.struck is not None or not await stage.is_quiet():
        return killer.struck is not None
    # Without a kill nobody does what is done meanwhile.
    return await stage.all_ready() if scenario.meanwhile else is_same(expected, await stage.state())
