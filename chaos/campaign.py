"""The campaign of faults: kills, storms and pauses, one after another on one control plane."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from chaos import environment, kill, load, pause, report, scenarios
from chaos.environment import Stage
from chaos.kill import Outcome, Scenario
from chaos.load import Storm
from chaos.report import Row


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    scenarios: Sequence[Scenario]
    nths: range | None
    """Writes to kill at; None: every one."""
    storm_seconds: float
    storms: Sequence[Storm]
    pauses: int
    pause_seconds: float


LONG = Plan(scenarios.SCENARIOS, None, 20, load.STORMS, 3, 60)
SHORT = Plan((scenarios.CREATE, scenarios.UPDATE, scenarios.DELETE), range(3, 4), 6, load.SAMPLE, 1, 16)


async def campaign(plan: Plan, seed: int, command: str) -> bool:
    """Writes the report; whether everything was survived. Three control planes, for most of the time is waiting."""
    async with AsyncExitStack() as stack:
        first, second, third = [await stack.enter_async_context(environment.opened()) for _ in range(3)]
        async with asyncio.TaskGroup() as group:
            kills = [
                group.create_task(_kills(opened, plan.scenarios[number::2], plan.nths))
                for number, opened in enumerate((first, second))
            ]
            rest = group.create_task(_storms_and_pauses(third, plan, seed))
    killed = [row for task in kills for row in task.result()]
    storms, paused = rest.result()
    print(f"written: {report.write(killed, storms, [paused], command, seed)}")
    return all(row.injected == row.survived for row in (*killed, paused)) and all(row.survived for row in storms)


async def _kills(opened: Stage, some: Sequence[Scenario], nths: range | None) -> list[Row]:
    return [await killed(opened, scenario, nths) for scenario in some]


async def _storms_and_pauses(opened: Stage, plan: Plan, seed: int) -> tuple[list[Row], Row]:
    opened.operator.settings = load.SETTINGS
    await opened.restart()
    storms = await stormed(opened, plan.storms, seed, plan.storm_seconds)
    return storms, await stopped(opened, seed, plan.pauses, plan.pause_seconds)


async def killed(opened: Stage, scenario: Scenario, nths: range | None) -> Row:
    outcomes: list[Outcome] = []
    async for outcome in kill.run(opened, scenario, nths):
        outcomes.append(outcome)
        told = f"{outcome.scenario}: write {outcome.nth}, {outcome.moment} {outcome.write}"
        print(f"{told}: {outcome.seconds:.1f} s", *outcome.wrong, sep="\n    ", flush=True)
    right = [outcome for outcome in outcomes if not outcome.wrong]
    return Row(scenario.name, len(outcomes), len(right), [outcome.seconds for outcome in right])


async def stormed(opened: Stage, storms: Sequence[Storm], seed: int, seconds: float) -> list[Row]:
    """A storm is survived with all of its faults, or not at all."""
    rows: list[Row] = []
    expected = await load.undisturbed(opened)
    for one in storms:
        found = await load.run(opened, one, expected, seed, max(seconds, one.seconds))
        print(f"{found.name}: {found.injected} faults, {found.seconds:.1f} s", *found.wrong, sep="\n    ", flush=True)
        rows.append(Row(found.name, found.injected, 0 if found.wrong else found.injected, [found.seconds]))
    return rows


async def stopped(opened: Stage, seed: int, times: int, seconds: float) -> Row:
    expected = await pause.undisturbed(opened)
    results = [await pause.run(opened, expected, seed + number, seconds) for number in range(times)]
    for result in results:
        late = [f"late: {request}" for request in result.late]
        print(
            f"stopped: {result.seconds:.1f} s, late writes: {len(late)}", *late, *result.wrong, sep="\n    ", flush=True
        )
    right = [result for result in results if result.is_right]
    return Row(f"SIGSTOP for {seconds:.0f} s", times, len(right), [result.seconds for result in right])
