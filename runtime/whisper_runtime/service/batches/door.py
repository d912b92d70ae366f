"""Where requests become files and batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from whisper_runtime.service.batches.batch import BatchDraft, StoredBatch
from whisper_runtime.service.jobs.outbox import Delivery, DeliveryOutbox

if TYPE_CHECKING:  # every server imports the door, and few work at batches
    from whisper_runtime.service.batches.runner import BatchRunner
    from whisper_runtime.service.batches.store import BatchStore


@dataclass(frozen=True)
class BatchDoor:
    store: BatchStore
    runner: BatchRunner
    outbox: DeliveryOutbox
    keep_seconds: float
    """For so long answers are kept, unless the client says otherwise."""

    async def create(self, draft: BatchDraft) -> StoredBatch:
        """Raises NoSuchFile, JobStoreFull."""
        batch = await self.store.create(draft)
        self.runner.wake()
        return batch

    async def delivery(self, batch: StoredBatch) -> Delivery | None:
        """What became of the event of the batch's end; None: it has none, or none yet."""
        return await self.outbox.latest(batch.id) if batch.webhook_url and not batch.is_live else None
