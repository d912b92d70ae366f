"""How long a service says nothing of a child that is not as it should be."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import Final

from chaos.prerequisites import NAMESPACE
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import WHISPER_SERVICE

ALLOWED_SECONDS: Final = 120.0
POLL_SECONDS: Final = 0.5

WrongChildren = Callable[[Cluster], Awaitable[Collection[str]]]
"""Names, as Kind/name, the children that are not as their services want them."""


class Silence:
    """The longest time for which a child was wrong and no condition named it."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._since: dict[str, float] = {}

    def observe(self, now: float, wrong: Collection[str], told: str) -> None:
        """Takes in the state at `now` (seconds): the children that are wrong, as Kind/name, and all messages told."""
        silent = [child for child in wrong if not is_named(child, told)]
        self._since = {child: self._since.get(child, now) for child in silent}
        self.longest = max([self.longest, *(now - since for since in self._since.values())])


def is_named(child: str, text: str) -> bool:
    """Whether `text` names the child, not merely one whose name begins alike."""
    return re.search(rf"{re.escape(child)}(?![\w-])", text) is not None


@asynccontextmanager
async def measured(admin: Cluster, wrong: WrongChildren) -> AsyncGenerator[Silence]:
    """Observes the campaign's namespace while the block runs."""
    found = Silence()

    async def watch() -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                found.observe(time.monotonic(), await wrong(admin), await _told(admin))
            except ApiError:
                continue  # the API server is busy: the next look sees the longer time

    async with asyncio.TaskGroup() as group:  # an error of the watch ends the block
        task = group.create_task(watch())
        yield found
        task.cancel()


async def _told(admin: Cluster) -> str:
    """The messages of all conditions of all services."""
    services = await admin.list(WHISPER_SERVICE, NAMESPACE)
    conditions = (one for body in services for one in body.get("status", {}).get("conditions", ()))
    return "\n".join(one["message"] for one in conditions)
