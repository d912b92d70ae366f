"""The lines of one batch as jobs, a few at a time, and the results of these as the lines' answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from whisper_runtime.errors import WORTH_A_RETRY, HttpError, internal_error
from whisper_runtime.service.admission import Admission
from whisper_runtime.service.batches.answer import NotDone, error_answer, missing_answer, response_answer
from whisper_runtime.service.batches.batch import ClaimedBatch, LineAnswer, LineOutcome
from whisper_runtime.service.batches.line import BatchLine
from whisper_runtime.service.batches.line_request import LineDialect, opened
from whisper_runtime.service.batches.store import BatchStore
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.intake import SubmittedForm
from whisper_runtime.service.jobs.job import (
    ABANDONED,
    MAX_ATTEMPTS,
    Job,
    JobGone,
    JobNotDone,
    JobQuotaReached,
    JobStoreFull,
    KeyInUse,
    KeyReused,
    NoSuchJob,
)

MOST_LIVE: Final = 128
"""Lines of one batch that are jobs at the same time: more than a model has rows."""
PREPARED_AT_ONCE: Final = 8
"""Lines of one batch whose recordings are fetched and decoded at the same time."""
LOOK_SECONDS: Final = 1.0
"""Between two looks at jobs that run: another process may end them."""
GATHER_SECONDS: Final = 0.05
"""For so long the ends of jobs are gathered before they are looked at."""
PAUSE_SECONDS: Final = 5.0
"""After a line for which the store has no room, or which failed for no fault of its own."""
LONGEST_PAUSE: Final = 60.0
ANSWERED_AT_ONCE: Final = 500
"""Lines whose jobs are found, and whose answers are kept, by one call of the store."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchWorkplace:
    store: BatchStore
    jobs: JobDoor
    admission: Admission
    dialect: LineDialect
    most_audio_seconds: float
    """While the jobs of one batch have so many seconds of audio together, no further line becomes one."""
    clock: Callable[[], float]
    """Unix time in seconds, as the store has it."""
    answered: Counter[LineOutcome] = field(default_factory=Counter[LineOutcome])
    """Lines that this process has answered; read by the thread of the metrics, too."""


class LineJobs:
    """Made in the event loop, for a batch that was claimed."""

    def __init__(self, workplace: BatchWorkplace, claimed: ClaimedBatch) -> None:
        self._work, self._lease, self._batch = workplace, claimed.lease, claimed.batch
        self._preparing: set[asyncio.Task[None]] = set()
        self._live: dict[str, tuple[BatchLine, float]] = {}
        """By the id of its job, each line that has one, without its body, and the seconds of audio."""
        self._again: deque[BatchLine] = deque()
        """Lines that found no room."""
        self._answers: list[LineAnswer] = []
        self._failures = Counter[int]()
        self._paused_until = 0.0
        self.lost = 0
        """Lines whose job or result was gone before they were answered: they have to be begun anew."""

    @property
    def is_idle(self) -> bool:
        """Whether each line that was begun has its answer."""
        return not (self._preparing or self._live or self._again or self._answers)

    async def delete_answered(self, numbers: Iterable[int]) -> None:
        """Deletes jobs of lines that have their answer: a process before this one ended between the two."""
        left = iter(numbers)
        while some := list(islice(left, ANSWERED_AT_ONCE)):
            for job in await self._jobs_of(some):
                await self._delete(job.id)

    async def begin(self, lines: AsyncIterator[BatchLine]) -> bool:
        """Begins with as many lines as there is room for; returns whether there may be more of them."""
        most = 1 if self._batch.losses else PREPARED_AT_ONCE
        while time.monotonic() >= self._paused_until and len(self._preparing) < most:
            seconds = sum(seconds for _, seconds in self._live.values())
            if len(self._live) + len(self._preparing) >= MOST_LIVE or seconds >= self._work.most_audio_seconds:
                return True
            line = await anext(lines, None) if len(self._again) < PREPARED_AT_ONCE else None
            if line is None and not self._again:
                return False
            task = asyncio.create_task(self._begin(line or self._again.popleft()))
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)
        return True

    async def gather(self) -> None:
        """Answers the lines whose jobs have ended, and deletes these."""
        asked = list(self._live)  # others may come meanwhile
        found = {job.id: job for job in await self._work.jobs.store.find(self._batch.client, asked)}
        ended = [job_id for job_id in asked if job_id not in found or not found[job_id].is_live]
        for job_id in ended:
            line, _ = self._live.pop(job_id)
            job = found.get(job_id)
            is_lost = job is None and await self._is_lost(job_id)
            if not is_lost and (answer := await self._answer_of(line, job)):
                self._answers.append(answer)
            else:
                self.lost += 1
        await self._keep_answers(ended)

    async def answer_rest(self, lines: AsyncIterator[BatchLine], code: NotDone) -> None:
        """Answers lines that have no answer: with their job's result where that is there, else with `code`.

        A job with a result is deleted once the answer is kept: until then nothing else has it.
        """
        async for some in _groups(lines):
            jobs = {job.idempotency_key: job for job in await self._jobs_of(line.number for line in some)}
            used: list[str] = []
            for line in some:
                job = jobs.get(self._key(line.number))
                answer = await self._answer_of(line, job) if job and job.state in ("completed", "failed") else None
                self._answers.append(answer or missing_answer(self._batch.id, line, code))
                if job and answer:
                    used.append(job.id)
                elif job:
                    await self._delete(job.id)
            await self._keep_answers(used)

    async def wait(self) -> None:
        """Waits until a line or a job may have ended, at most LOOK_SECONDS."""
        ended = asyncio.ensure_future(self._work.jobs.worker.until_a_job_ends(LOOK_SECONDS))
        try:
            await asyncio.wait({ended, *self._preparing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        await asyncio.sleep(GATHER_SECONDS)

    async def stop(self) -> None:
        """Lets go of recordings that are fetched or decoded now; the jobs go on."""
        tasks = list(self._preparing)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self, line: BatchLine) -> None:
        """Makes a job of the line, or answers it, or puts it back for later."""
        try:
            found = await self._jobs_of([line.number])
            if job := found[0] if found else await self._submit(line):
                self._live[job.id] = replace(line, body={}), job.audio_seconds
        except (JobStoreFull, JobQuotaReached, KeyInUse) as passing:
            self._put_back(line, PAUSE_SECONDS, passing)
        except HttpError as error:
            self._refuse(line, error)
        except KeyReused:
            message = f"A request of yours has the `Idempotency-Key` {self._key(line.number)}, which is this line's."
            self._refuse(line, HttpError(422, message, code="idempotency_key_reused"))
        except Exception:
            log.exception("line %d of batch %s cannot be begun", line.number, self._batch.id)
            self._refuse(line, internal_error())

    async def _submit(self, line: BatchLine) -> Job | None:
        """The line's job; None: it ended the process too often, and is answered with that."""
        batch, work = self._batch, self._work
        if batch.losses and await work.store.note_try(self._lease, line.number) >= MAX_ATTEMPTS:
            self._answers.append(error_answer(batch.id, line, 500, ABANDONED))
            return None
        request = work.dialect.request(line.body, batch.endpoint)
        form = SubmittedForm(
            request.options,
            request.audio_options,
            request.response,
            metadata={"batch_id": batch.id, "custom_id": line.custom_id},
            idempotency_key=self._key(line.number),
            body_digest=batch.id,
            webhook_url=None,
        )
        with work.admission.in_background(batch.client) as admitted:
            async with opened(work.store, request.source, admitted) as media:
                return await work.jobs.submit(media, admitted, form)

    def _key(self, number: int) -> str:
        """By which a line is one job, however often it is begun."""
        return f"{self._batch.id}/{number}"

    async def _jobs_of(self, numbers: Iterable[int]) -> list[Job]:
        """The jobs of these lines; a request of the client's own with such a key is none."""
        keys = [self._key(number) for number in numbers]
        return await self._work.jobs.store.made_by(self._batch.client, keys, self._batch.id)

    def _refuse(self, line: BatchLine, error: HttpError) -> None:
        """Answers the line with the error, unless it may go better later."""
        status = error.status_code
        if status in WORTH_A_RETRY:
            return self._put_back(line, float((error.headers or {}).get("Retry-After", PAUSE_SECONDS)), error)
        self._failures[line.number] += 1
        if status >= 500 and self._failures[line.number] < MAX_ATTEMPTS:
            return self._put_back(line, PAUSE_SECONDS, error)
        self._answers.append(error_answer(self._batch.id, line, status, error.body))

    def _put_back(self, line: BatchLine, seconds: float, why: Exception) -> None:
        log.info("line %d of batch %s is begun later: %s", line.number, self._batch.id, type(why).__name__)
        self._again.append(line)
        self._paused_until = max(self._paused_until, time.monotonic() + min(seconds, LONGEST_PAUSE))

    async def _answer_of(self, line: BatchLine, job: Job | None) -> LineAnswer | None:
        """The answer to a line by its job, which has ended; None: the result has expired."""
        batch_id = self._batch.id
        if job is None:
            gone = HttpError(410, "The job of this line was deleted.", code="job_gone")
            return error_answer(batch_id, line, 410, gone.body)
        if job.state == "failed":
            error = dict(job.error or {})
            status = 400 if error["type"] == "invalid_request_error" else 500
            return error_answer(batch_id, line, status, error, job.id)
        if job.state == "cancelled":
            cancelled = HttpError(409, "The job of this line was cancelled.", code="job_cancelled")
            return error_answer(batch_id, line, 409, cancelled.body, job.id)
        try:
            result = await self._work.jobs.store.result(job.client, job.id)
        except (JobGone, JobNotDone, NoSuchJob):
            return None
        body = await asyncio.to_thread(self._work.dialect.response, job, result)
        return response_answer(batch_id, line, job.id, body)

    async def _keep_answers(self, used: Iterable[str]) -> None:
        """Keeps the answers that there are, and deletes the jobs that were `used` for them, by their ids."""
        answers, self._answers = self._answers, []
        if answers:
            await self._work.store.answer(self._lease, answers)
            self._work.answered.update("failed" if one.is_error else "completed" for one in answers)
        for job_id in used:
            await self._delete(job_id)

    async def _is_lost(self, job_id: str) -> bool:
        """Whether the store knows nothing of a job that it had, as after a failover; a deleted one it remembers."""
        try:
            await self._work.jobs.store.get(self._batch.client, job_id)
        except NoSuchJob:
            return True
        except JobGone:
            pass
        return False

    async def _delete(self, job_id: str) -> None:
        """Deletes a job that is needed no more. What is known of its recording stays: its client did not delete it."""
        with suppress(NoSuchJob, JobGone):
            await self._work.jobs.store.delete(self._batch.client, job_id)
        self._work.jobs.worker.recheck(job_id)


async def _groups(lines: AsyncIterator[BatchLine]) -> AsyncGenerator[list[BatchLine]]:
    """The lines without their bodies, of which many may have a recording in them."""
    some: list[BatchLine] = []
    async for line in lines:
        some.append(replace(line, body={}))
        if len(some) == ANSWERED_AT_ONCE:
            yield some
            some = []
    if some:
        yield some
