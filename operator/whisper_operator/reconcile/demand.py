"""Asks the pods of fronts what clients want: while no pod serves each second, else where a pass needs it.

With each question of the former the front learns when a pod will serve, or why none can.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.demand import FrontDemand, demand_of
from whisper_operator.observe.records import Key
from whisper_operator.reconcile.pod_reports import PodReports
from whisper_operator.resolve import scaling
from whisper_operator.resolve.wake import WakeOutlook
from whisper_runtime.contract.front import DemandReport, WakeForecast
from whisper_runtime.contract.network import DEMAND_PATH

POLL_SECONDS: Final = 1.0
"""Between two questions to the front of a service of which no pod serves."""
ASK_SECONDS: Final = 0.5
SILENT_SECONDS: Final = 5.0
"""Until a pod is asked again that did not answer: each such question takes two seconds."""
AT_ONCE: Final = 64
"""Fronts that are asked at the same time."""


@dataclass(frozen=True)
class WaitingFront:
    """The front of a service of which no pod serves."""

    pods: Sequence[Manifest]
    """The ready ones."""
    outlook: WakeOutlook
    is_asleep: bool
    """Whether demand is to wake the service: no pod is wanted."""


class DemandReader:
    def __init__(self) -> None:
        self._pods = PodReports(DEMAND_PATH, DemandReport, ask_seconds=ASK_SECONDS, silent_seconds=SILENT_SECONDS)
        self._waiting: dict[Key, WaitingFront] = {}
        self._being_asked: set[Key] = set()
        self._silent_since: dict[Key, float] = {}
        """When no pod of a front answered for the first time."""

    async def read(self, key: Key, pods: Sequence[Manifest], forecast: WakeForecast | None = None) -> FrontDemand:
        """The demand on a service. `pods`: the ready ones of its front, which are handed the `forecast`."""
        reports = await self._pods.read_all(pods, forecast)
        now = time.monotonic()
        if any(reports.values()):
            self._silent_since.pop(key, None)
            return demand_of(reports)
        return demand_of(reports, now - self._silent_since.setdefault(key, now))

    def watch(self, key: Key, front: WaitingFront) -> None:
        """The service has no pod that serves: the pods of its front are asked each second from now on."""
        self._waiting[key] = front

    def leave(self, key: Key) -> None:
        """A pod of the service serves, or it has no front."""
        self._waiting.pop(key, None)

    def forget(self, key: Key) -> None:
        """The service is gone."""
        self.leave(key)
        self._silent_since.pop(key, None)

    async def run(self, wake: Callable[[Key], None]) -> None:
        """Asks for ever; calls `wake` with each service without a pod for which there is demand."""
        room = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while True:
                for key in self._waiting.keys() - self._being_asked:
                    self._being_asked.add(key)
                    group.create_task(self._ask(key, room, wake))
                await asyncio.sleep(POLL_SECONDS)

    async def _ask(self, key: Key, room: asyncio.Semaphore, wake: Callable[[Key], None]) -> None:
        try:
            async with room:
                if (front := self._waiting.get(key)) is None:
                    return
                demand = await self.read(key, front.pods, front.outlook.at(time.time()))
            is_silent = demand.silent_seconds >= scaling.SILENT_SECONDS
            front = self._waiting.get(key)
            if front is not None and front.is_asleep and (demand.is_there or is_silent):
                wake(key)
        finally:
            self._being_asked.discard(key)
