"""Sends the events of an outbox, a few at once, until each has arrived or a day is over."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from whisper_runtime.metrics.requests import RequestMetrics
from whisper_runtime.service.jobs.outbox import Delivery, DeliveryOutbox
from whisper_runtime.service.timed_wait import set_within
from whisper_runtime.service.webhooks.attempt import DeliveryAttempt, attempt
from whisper_runtime.service.webhooks.schedule import wait_after

if TYPE_CHECKING:
    from whisper_runtime.service.outbound.transport import GuardedTransport

LOOK_SECONDS: Final = 0.5
"""Between two looks for an event that is due: another process may have written it."""
PAUSE_SECONDS: Final = 10.0
"""After the outbox could not be read or written."""
MOST_AT_ONCE: Final = 16
MOST_OF_ONE_CLIENT: Final = 4
"""A receiver that does not answer holds up its own client's events alone."""

log = logging.getLogger(__name__)


class WebhookDeliverer:
    """Use it in the event loop's thread."""

    def __init__(
        self, outbox: DeliveryOutbox, transport: GuardedTransport, secrets_dir: Path, metrics: RequestMetrics
    ) -> None:
        """`secrets_dir` is a mounted Secret, each file of which is a secret to sign by."""
        self._outbox, self._transport, self._secrets_dir = outbox, transport, secrets_dir
        self._metrics = metrics
        self._running: dict[asyncio.Task[None], str] = {}
        """The tasks of attempts, each with its event's client."""
        self._wake = asyncio.Event()

    async def check(self, url: str) -> None:
        """Raises OutboundError where no event could be sent there now; the name is looked up, nothing connected to."""
        from whisper_runtime.service.outbound.destination import parsed

        await self._transport.judged(parsed(url))

    async def run(self) -> None:
        """Sends what is due until the task is cancelled; an attempt that this breaks off is made again later."""
        try:
            while True:
                pause = LOOK_SECONDS
                try:
                    await self._begin_attempts()
                except Exception as error:
                    log.warning("no event can be taken from the outbox: %s", error)
                    pause = PAUSE_SECONDS
                await set_within(self._wake, pause)
                self._wake.clear()
        finally:
            tasks = list(self._running)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._transport.aclose()

    async def _begin_attempts(self) -> None:
        while len(self._running) < MOST_AT_ONCE:
            busy = {name for name, count in Counter(self._running.values()).items() if count >= MOST_OF_ONE_CLIENT}
            delivery = await self._outbox.claim(busy)
            if delivery is None:
                return
            task = asyncio.create_task(self._deliver(delivery), name=f"event {delivery.event_id}")
            self._running[task] = delivery.client
            task.add_done_callback(self._note_end)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._wake.set()

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            tried = await attempt(self._transport, self._secrets_dir, delivery)
            await self._note(delivery, tried)
        except Exception:
            log.exception("event %s is tried again when its claim is over", delivery.event_id)

    async def _note(self, delivery: Delivery, tried: DeliveryAttempt) -> None:
        wait = wait_after(delivery.attempt, random.random(), tried.retry_after)
        if tried.outcome == "delivered":
            await self._outbox.delivered(delivery)
            return self._metrics.webhook_tried("delivered")
        log.warning(
            "event %s of %s, attempt %d: %s", delivery.event_id, delivery.job_id, delivery.attempt, tried.failure
        )
        if tried.outcome == "gone" or wait is None:
            await self._outbox.abandon(delivery, tried.failure)
            return self._metrics.webhook_tried("abandoned")
        await self._outbox.postpone(delivery, tried.failure, wait)
        self._metrics.webhook_tried("failed")
