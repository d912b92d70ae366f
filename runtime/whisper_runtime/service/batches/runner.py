"""Works at the batches of a store, beside the jobs that their lines become."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Final, NoReturn

from whisper_runtime.service.batches.batch import BatchLease, BatchLeaseLost, BatchState, ClaimedBatch
from whisper_runtime.service.batches.line_jobs import BatchWorkplace
from whisper_runtime.service.batches.running_batch import RunningBatch
from whisper_runtime.service.jobs.job import JobStoreFull
from whisper_runtime.service.jobs.renewal import RENEW_SECONDS
from whisper_runtime.service.leases import taken, until_lost
from whisper_runtime.service.timed_wait import set_within

LOOK_SECONDS: Final = 1.0
"""Between two looks for a batch that can be claimed: another process may have taken it in."""
TIDY_SECONDS: Final = 5.0
"""Between two looks for files that have expired, and at the batches that have not ended."""
PAUSE_SECONDS: Final = 10.0
"""After a batch that could not be gone on with, before it is given back."""
MOST_AT_ONCE: Final = 32
"""Batches that a process works at together."""

log = logging.getLogger(__name__)


class BatchRunner:
    """Use it in the event loop's thread."""

    def __init__(self, workplace: BatchWorkplace) -> None:
        self._work, self._store = workplace, workplace.store
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self.live: Mapping[BatchState, int] = {}
        """Batches of the store that had not ended TIDY_SECONDS ago; read by the thread of the metrics, too."""
        self.looked: float | None = None
        """When the store was looked at for them, by time.monotonic; None: not yet."""

    def wake(self) -> None:
        """Looks for batches now, for one was taken in."""
        self._wake.set()

    async def run(self) -> None:
        """Works at batches until the task is cancelled; then hands those back that have not ended."""
        tidying = asyncio.create_task(self._tidy(), name="tidy files")
        try:
            while True:
                while len(self._running) < MOST_AT_ONCE and (claimed := await self._claim()):
                    task = asyncio.create_task(self._work_at(claimed), name=f"batch {claimed.batch.id}")
                    self._running.add(task)
                    task.add_done_callback(self._note_end)
                await set_within(self._wake, LOOK_SECONDS)
                self._wake.clear()
        finally:
            tasks = [tidying, *self._running]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self.wake()

    async def _claim(self) -> ClaimedBatch | None:
        """The next batch; one that is claimed while this task is cancelled is handed back."""
        try:
            return await taken(self._store.claim_batch(), lambda found: self._hand_back(found.lease))
        except Exception as error:
            log.warning("no batch can be claimed: %s", error)
            return None

    async def _work_at(self, claimed: ClaimedBatch) -> None:
        """Works at one batch while it is this process's; a process that stops hands it back."""
        try:
            await until_lost(self._end(claimed), self._renew(claimed.lease))
        except BatchLeaseLost:
            log.info("batch %s is another process's now", claimed.batch.id)
        except asyncio.CancelledError:
            await self._hand_back(claimed.lease)
            raise

    async def _end(self, claimed: ClaimedBatch) -> None:
        """Takes one batch to its end, or hands it back after a while. Raises BatchLeaseLost."""
        try:
            return await RunningBatch(self._work, claimed).run()
        except BatchLeaseLost:
            raise
        except JobStoreFull as full:
            log.warning("batch %s goes on in %d s: %s", claimed.batch.id, PAUSE_SECONDS, full)
        except Exception:
            log.exception("batch %s goes on in %d s", claimed.batch.id, PAUSE_SECONDS)
        await asyncio.sleep(PAUSE_SECONDS)
        await self._hand_back(claimed.lease)

    async def _renew(self, lease: BatchLease) -> NoReturn:
        """Raises BatchLeaseLost."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._store.renew_batch(lease)
            except BatchLeaseLost:
                raise
            except Exception as error:
                log.warning("the lease of batch %s could not be renewed: %s", lease.batch_id, error)

    async def _hand_back(self, lease: BatchLease) -> None:
        try:
            await self._store.hand_back_batch(lease)
        except BatchLeaseLost:
            pass
        except Exception as error:
            log.warning("batch %s could not be handed back, and its lease will run out: %s", lease.batch_id, error)

    async def _tidy(self) -> None:
        while True:
            try:
                await self._store.expire_files()
                looked = time.monotonic()
                self.live, self.looked = await self._store.live_batches(), looked
            except Exception as error:
                log.warning("the store of files cannot be tidied: %s", error)
            await asyncio.sleep(TIDY_SECONDS)
