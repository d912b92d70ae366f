"""Asks the pods of fronts what clients want: of services without a pod each second, of others where a pass needs it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.demand import FrontDemand, demand_of
from whisper_operator.observe.records import Key
from whisper_operator.reconcile.pod_reports import PodReports
from whisper_operator.resolve import scaling
from whisper_runtime.contract.front import DemandReport
from whisper_runtime.contract.network import DEMAND_PATH

POLL_SECONDS: Final = 1.0
"""Between two questions to the front of a service that has no pod."""
ASK_SECONDS: Final = 0.5
SILENT_SECONDS: Final = 5.0
"""Until a pod is asked again that did not answer: each such question takes two seconds."""
AT_ONCE: Final = 64
"""Fronts that are asked at the same time."""


class DemandReader:
    def __init__(self) -> None:
        self._pods = PodReports(DEMAND_PATH, DemandReport, ask_seconds=ASK_SECONDS, silent_seconds=SILENT_SECONDS)
        self._asleep: dict[Key, Sequence[Manifest]] = {}
        """The ready pods of the front of each service that has no other pod."""
        self._being_asked: set[Key] = set()
        self._silent_since: dict[Key, float] = {}
        """When no pod of a front answered for the first time."""

    async def read(self, key: Key, pods: Sequence[Manifest]) -> FrontDemand:
        """The demand on a service. `pods`: the ready ones of its front."""
        reports = await self._pods.read_all(pods)
        now = time.monotonic()
        if any(reports.values()):
            self._silent_since.pop(key, None)
            return demand_of(reports)
        return demand_of(reports, now - self._silent_since.setdefault(key, now))

    def watch(self, key: Key, pods: Sequence[Manifest]) -> None:
        """The service has no pod that serves: the `pods` of its front are asked each second from now on."""
        self._asleep[key] = pods

    def leave(self, key: Key) -> None:
        """The service has pods, or is none that the operator wakes."""
        self._asleep.pop(key, None)

    def forget(self, key: Key) -> None:
        """The service is gone."""
        self.leave(key)
        self._silent_since.pop(key, None)

    async def run(self, wake: Callable[[Key], None]) -> None:
        """Asks for ever; calls `wake` with each service without a pod for which there is demand."""
        room = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while True:
                for key in self._asleep.keys() - self._being_asked:
                    self._being_asked.add(key)
                    group.create_task(self._ask(key, room, wake))
                await asyncio.sleep(POLL_SECONDS)

    async def _ask(self, key: Key, room: asyncio.Semaphore, wake: Callable[[Key], None]) -> None:
        try:
            async with room:
                demand = await self.read(key, self._asleep.get(key, ()))
            is_silent = demand.silent_seconds >= scaling.SILENT_SECONDS
            if key in self._asleep and (demand.is_there or is_silent):
                wake(key)
        finally:
            self._being_asked.discard(key)
