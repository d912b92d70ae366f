"""The campaign of faults, on three control planes side by side: kills, faults under load, of children, and pauses."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from chaos import children, environment, kill, load, pause, report, scenarios
from chaos.children import ChildCase
from chaos.environment import ChaosEnvironment
from chaos.kill import KillOutcome, Scenario
from chaos.load import LoadCase
from chaos.report import ChildFaultRow, FaultRow


@dataclass(frozen=True)
class CampaignPlan:
    scenarios: Sequence[Scenario]
    nths: range | None
    """Writes to kill at; None: every one."""
    load_seconds: float
    load_cases: Sequence[LoadCase]
    child_cases: Sequence[ChildCase]
    pauses: int
    pause_seconds: float


LONG = CampaignPlan(scenarios.SCENARIOS, None, 20, load.LOAD_CASES, children.CASES, 3, 60)
SHORT = CampaignPlan(
    (scenarios.CREATE, scenarios.UPDATE, scenarios.DELETE),
    range(3, 4),
    6,
    load.SAMPLE_CASES,
    children.SAMPLE_CASES,
    1,
    16,
)


async def run(plan: CampaignPlan, seed: int, command: str) -> bool:
    """Writes the report; returns whether every fault was survived.

    Three control planes run side by side, because most of the time is waiting. `command` is named in the report.
    """
    async with AsyncExitStack() as stack:
        first, second, third = [await stack.enter_async_context(environment.running()) for _ in range(3)]
        async with asyncio.TaskGroup() as group:
            kills = [
                group.create_task(_kill_rows(env, plan.scenarios[number::2], plan.nths))
                for number, env in enumerate((first, second))
            ]
            rest = group.create_task(_other_rows(third, plan, seed))
    killed = [row for task in kills for row in task.result()]
    of_children, loaded, paused = rest.result()
    print(f"written: {report.write(killed, loaded, of_children, [paused], command, seed)}")
    whole = all(row.injected == row.survived for row in (*killed, paused))
    return whole and all(row.survived for row in (*loaded, *of_children))


async def _kill_rows(env: ChaosEnvironment, some: Sequence[Scenario], nths: range | None) -> list[FaultRow]:
    return [await kill_row(env, scenario, nths) for scenario in some]


async def _other_rows(
    env: ChaosEnvironment, plan: CampaignPlan, seed: int
) -> tuple[list[ChildFaultRow], list[FaultRow], FaultRow]:
    of_children = await child_rows(env, plan.child_cases, seed)
    env.operator.settings = {**env.operator.settings, **load.OPERATOR_SETTINGS}
    await env.restart()
    loaded = await load_rows(env, plan.load_cases, seed, plan.load_seconds)
    return of_children, loaded, await pause_row(env, seed, plan.pauses, plan.pause_seconds)


async def kill_row(env: ChaosEnvironment, scenario: Scenario, nths: range | None) -> FaultRow:
    outcomes: list[KillOutcome] = []
    async for outcome in kill.run(env, scenario, nths):
        outcomes.append(outcome)
        where = f"{outcome.scenario}: write {outcome.nth}, {outcome.timing} {outcome.write}"
        print(f"{where}: {outcome.seconds:.1f} s", *outcome.wrong, sep="\n    ", flush=True)
    right = [outcome for outcome in outcomes if not outcome.wrong]
    return FaultRow(scenario.name, len(outcomes), len(right), [outcome.seconds for outcome in right])


async def load_rows(env: ChaosEnvironment, cases: Sequence[LoadCase], seed: int, seconds: float) -> list[FaultRow]:
    """One row for each case; a case is survived with all of its faults, or not at all."""
    print(f"seed {seed}")
    rows: list[FaultRow] = []
    expected = await load.run_undisturbed(env)
    for case in cases:
        found = await load.run(env, case, expected, seed, max(seconds, case.min_seconds))
        print(f"{found.name}: {found.injected} faults, {found.seconds:.1f} s", *found.wrong, sep="\n    ", flush=True)
        rows.append(FaultRow(found.name, found.injected, 0 if found.wrong else found.injected, [found.seconds]))
    return rows


async def child_rows(env: ChaosEnvironment, cases: Sequence[ChildCase], seed: int) -> list[ChildFaultRow]:
    print(f"seed {seed}")
    rows: list[ChildFaultRow] = []
    expected = await load.run_undisturbed(env)
    for case in cases:
        found = await children.run(env, case, expected, seed)
        wrong = [*found.wrong, *(f"{name} is an orphan" for name in found.orphans)]
        head = f"{found.name}: {found.injected} faults, silent for {found.silence:.1f} s, {found.seconds:.1f} s"
        print(head, *wrong, sep="\n    ", flush=True)
        rows.append(
            ChildFaultRow(found.name, found.injected, found.is_right, len(found.orphans), found.silence, found.seconds)
        )
    return rows


async def pause_row(env: ChaosEnvironment, seed: int, times: int, seconds: float) -> FaultRow:
    expected = await pause.run_undisturbed(env)
    results = [await pause.run(env, expected, seed + number, seconds) for number in range(times)]
    for result in results:
        late = [f"late: {request}" for request in result.late]
        head = f"stopped: {result.seconds:.1f} s, late writes: {len(late)}"
        print(head, *late, *result.wrong, sep="\n    ", flush=True)
    right = [result for result in results if result.is_right]
    return FaultRow(f"SIGSTOP for {seconds:.0f} s", times, len(right), [result.seconds for result in right])
