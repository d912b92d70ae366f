"""One batch that this process works at, from its file to the files of its answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from itertools import islice
from typing import IO, Final

from whisper_runtime.errors import HttpError
from whisper_runtime.service.batches.answer import NotDone
from whisper_runtime.service.batches.batch import ClaimedBatch, LineFault
from whisper_runtime.service.batches.file import NoSuchFile
from whisper_runtime.service.batches.line import MOST_FAULTS, BatchLine, FileCheck, batch_lines
from whisper_runtime.service.batches.line_jobs import BatchWorkplace, LineJobs

READ_AT_ONCE: Final = 32
LOST_INPUT: Final = LineFault("file_lost", "The batch's file is missing from the server's disk: upload it again.")

log = logging.getLogger(__name__)


class RunningBatch:
    """Made in the event loop, for a batch that was claimed; `run` takes it to its end."""

    def __init__(self, workplace: BatchWorkplace, claimed: ClaimedBatch) -> None:
        self._work, self._claimed = workplace, claimed
        self._store, self._lease, self._batch = workplace.store, claimed.lease, claimed.batch

    async def run(self) -> None:
        """Raises BatchLeaseLost where the batch is another process's meanwhile."""
        try:
            file = await self._store.open_file(self._batch.client, self._batch.input_file)
        except NoSuchFile:
            await self._refuse([LOST_INPUT])
        else:
            with file:
                await self._answer(file)
        if self._batch.is_live:
            await self._store.finish_batch(self._lease)
        log.info("batch %s has ended", self._batch.id)

    async def _answer(self, file: IO[bytes]) -> None:
        if self._batch.state == "validating":
            await self._validate(file)
        else:
            jobs = LineJobs(self._work, self._claimed)
            await jobs.delete_answered(await self._store.answered(self._lease))
        if self._batch.state == "in_progress":
            await self._answer_lines(file)
        if self._batch.state == "in_progress":
            # Before what is missing is answered, or a process that goes on from there would find nothing missing.
            is_complete = len(await self._store.answered(self._lease)) == self._batch.total
            self._batch = await self._store.finalize(self._lease, "completed" if is_complete else "expired")
        match self._batch.state:
            case "finalizing":
                await self._rest(file, "batch_expired")
            case "cancelling":
                await self._rest(file, "batch_cancelled")
            case _:
                pass  # it was refused

    async def _validate(self, file: IO[bytes]) -> None:
        """Begins the batch where all of its file can be; else it has failed."""
        check = FileCheck(file, self._batch.endpoint, self._fault)
        while await asyncio.to_thread(check.step):
            pass
        if check.faults:
            await self._refuse(check.faults[:MOST_FAULTS])
        else:
            self._batch = await self._store.begin_batch(self._lease, check.total)

    async def _refuse(self, faults: list[LineFault]) -> None:
        self._batch = await self._store.refuse(self._lease, faults)

    def _fault(self, line: BatchLine) -> LineFault | None:
        try:
            self._work.dialect.request(line.body, self._batch.endpoint)
        except HttpError as error:
            message = f"Line {line.number}: {error.body['message']}"
            return LineFault(error.body["code"] or "invalid_value", message, error.body["param"], line.number)
        return None

    async def _answer_lines(self, file: IO[bytes]) -> None:
        """Answers lines until each has its answer, the window is over, or the batch is cancelled."""
        while True:
            jobs = LineJobs(self._work, self._claimed)
            try:
                await self._answer_by(jobs, file)
            finally:
                await jobs.stop()
            if not (jobs.lost and self._goes_on):
                return

    async def _answer_by(self, jobs: LineJobs, file: IO[bytes]) -> None:
        lines = self._unanswered(file, await self._store.answered(self._lease))
        has_more = True
        while self._goes_on and (has_more or not jobs.is_idle):
            has_more = await jobs.begin(lines)
            await jobs.wait()
            await jobs.gather()
            self._batch = await self._store.look(self._lease)

    @property
    def _goes_on(self) -> bool:
        return self._batch.state == "in_progress" and self._work.clock() < self._batch.expires

    async def _rest(self, file: IO[bytes], code: NotDone) -> None:
        """Answers the lines that have no answer, once no more of them are begun with."""
        answered = await self._store.answered(self._lease)
        if len(answered) < self._batch.total:
            rest = LineJobs(self._work, self._claimed)
            await rest.answer_rest(self._unanswered(file, answered), code)

    async def _unanswered(self, file: IO[bytes], answered: set[int]) -> AsyncIterator[BatchLine]:
        file.seek(0)
        lines = (line for line in batch_lines(file, self._batch.endpoint) if line.number not in answered)
        while found := await asyncio.to_thread(lambda: list(islice(lines, READ_AT_ONCE))):
            for line in found:
                yield line
