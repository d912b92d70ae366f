"""Faults that concern single children, while users go on working: each service must say what is wrong, and mend it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, Self

from chaos import load, silence, snapshot
from chaos.environment import ChaosEnvironment, supervised
from chaos.kill import wait_converged
from chaos.labels import LabelStripper
from chaos.snapshot import Snapshot
from chaos.webhook import RefusingWebhook
from whisper_operator.kube.client import Cluster
from whisper_operator.objects.kinds import CHILD_KINDS, INGRESS, Kind


class ChildFault(Protocol):
    """A fault that is set up while its block runs, and at work while `inject` runs."""

    @property
    def injected(self) -> int: ...
    async def inject(self, seconds: float) -> None: ...
    async def wrong(self, admin: Cluster) -> frozenset[str]: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *error: object) -> None: ...


@dataclass(frozen=True)
class ChildCase:
    name: str
    make: Callable[[ChaosEnvironment, int], ChildFault]
    """(environment, seed)"""
    seconds: float


@dataclass(frozen=True)
class ChildResult:
    name: str
    injected: int
    seconds: float
    """From the last fault to the end state."""
    silence: float
    """The longest time for which a child was wrong and its service said nothing of it."""
    orphans: tuple[str, ...]
    """Objects that no service wants, in the end."""
    wrong: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        return not self.wrong and not self.orphans and self.injected > 0 and self.silence <= silence.ALLOWED_SECONDS


def refused(kind: Kind, seconds: float = 60) -> ChildCase:
    name = f"a webhook answers 500 for {kind.plural}, for {seconds:.0f} s"
    return ChildCase(name, lambda env, seed: RefusingWebhook(env.plane, kind), seconds)


def stripped(seconds: float = 60) -> ChildCase:
    name = f"labels stripped at random, for {seconds:.0f} s"
    return ChildCase(name, lambda env, seed: LabelStripper(env.admin, seed), seconds)


def refused_by_turns(seconds: float) -> ChildCase:
    """Each seed has its kind, and seeds in a row have all of them."""
    name = f"a webhook answers 500 for the kind that the seed chooses, for {seconds:.0f} s"
    return ChildCase(name, lambda env, seed: RefusingWebhook(env.plane, CHILD_KINDS[seed % len(CHILD_KINDS)]), seconds)


CASES: Final = (stripped(), *map(refused, CHILD_KINDS))
"""With every kind that the operator writes."""
SAMPLE_CASES: Final = (stripped(9), refused(INGRESS, 9), refused_by_turns(9))


async def run(env: ChaosEnvironment, case: ChildCase, expected: Snapshot, seed: int) -> ChildResult:
    """`expected`: the end state without faults."""
    await env.clear()
    async with (
        supervised(env.operator),
        case.make(env, seed) as fault,
        silence.measured(env.admin, fault.wrong) as quiet,
    ):
        async with asyncio.TaskGroup() as group:
            group.create_task(load.user_load(env, case.seconds))
            group.create_task(fault.inject(case.seconds))
        took, wrong = await wait_converged(env, expected, time.monotonic())
        left = snapshot.orphans(expected, await env.snapshot())
    return ChildResult(case.name, fault.injected, took, quiet.longest, tuple(left), wrong)
