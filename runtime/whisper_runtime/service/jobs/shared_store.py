"""A store of jobs in the Valkey or Redis that pods share (ADR 57).

Each verb is one program there, by its clock, so that pods of any number of machines take turns. As in a directory, a
file is whole before the job that needs it is there, and is deleted after the job that does not.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import IO, Any, Final, get_args

from whisper_runtime.service.jobs.job import (
    ABANDONED,
    LOST,
    MAX_ATTEMPTS,
    AttemptOutcome,
    ClaimedJob,
    Job,
    JobDraft,
    JobError,
    JobGone,
    JobLease,
    JobLeaseLost,
    JobPage,
    JobsAhead,
    JobState,
    JobStatistics,
    JobStoreAway,
    JobTally,
    PlacedJob,
    new_job_id,
)
from whisper_runtime.service.jobs.kept_contents import FILE_ENDING, KeptContents
from whisper_runtime.service.jobs.rows import ROW_BYTES, audio_name, result_name, size_of, values_of
from whisper_runtime.service.jobs.shared_verbs import SharedVerbs, job_of, table_of
from whisper_runtime.service.jobs.store import LEASE_SECONDS
from whisper_runtime.service.settled import settled

EXPIRED_AT_ONCE: Final = "500"
NEEDS_AUDIO: Final = 1
"""What the verb `needs` says of a job that has not ended."""
SWEEP_SECONDS: Final = 3600.0
"""Between two looks for files that no job needs, and the age of those: a put that takes longer has ended."""


class SharedJobStore:
    """See store.JobStore; each verb may raise JobStoreAway, too. In the event loop's thread."""

    def __init__(
        self,
        verbs: SharedVerbs,
        contents: KeptContents,
        *,
        keep_seconds: float,
        lease_seconds: float = LEASE_SECONDS,
        on_lost: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Results are kept for `keep_seconds`.

        `on_lost`: gets how many jobs the store has lost that it had said to have, as in a failover.
        """
        self.verbs, self.contents = verbs, contents
        self._keep_seconds, self._lease_seconds = keep_seconds, lease_seconds
        self._limit: str | float = "" if verbs.max_queued_seconds is None else verbs.max_queued_seconds
        self._on_lost = on_lost
        self._last = 0
        """The highest number of a job that the store has said to have."""
        self._swept = 0.0
        self._attempts, self._failures, self._expired = Counter[AttemptOutcome](), Counter[str](), 0

    async def put(self, draft: JobDraft, audio: IO[bytes]) -> Job:
        return await settled(self._put(draft, audio))

    async def check_quota(self, client: str) -> None:
        await self.verbs.call("check_quota", client, self._limit)

    async def with_key(self, client: str, key: str, body_digest: str) -> Job | None:
        found = await self.verbs.call("with_key", client, key, body_digest)
        return job_of(found[0]) if found else None

    async def made_by(self, client: str, keys: Collection[str], body_digest: str) -> list[Job]:
        return list(map(job_of, await self.verbs.call("made_by", client, body_digest, *keys)))

    async def get(self, client: str, job_id: str) -> Job:
        return job_of((await self.verbs.call("get", client, job_id))[0])

    async def find(self, client: str, job_ids: Collection[str]) -> list[Job]:
        return list(map(job_of, await self.verbs.call("find", client, *job_ids)))

    async def page(self, client: str, *, after: str | None, limit: int, state: JobState | None) -> JobPage:
        found = await self.verbs.call("page", client, after or "", limit + 1, state or "")
        return JobPage(tuple(map(job_of, found[:limit])), has_more=len(found) > limit)

    async def placed(self, client: str, job_id: str) -> PlacedJob:
        flat, jobs, seconds = await self.verbs.call("placed", client, job_id)
        return PlacedJob(job_of(flat), JobsAhead(jobs, float(seconds)))

    async def result(self, client: str, job_id: str) -> bytes:
        token, beside = await self.verbs.call("result", client, job_id)
        try:
            with await self.contents.open(result_name(JobLease(job_id, int(token))), beside) as file:
                return await asyncio.to_thread(file.read)
        except FileNotFoundError:
            raise JobGone("its result was deleted") from None

    async def cancel(self, client: str, job_id: str) -> Job:
        flat, is_cancelled = await self.verbs.call("cancel", client, job_id, self._keep_seconds)
        if is_cancelled:
            await self.contents.delete([audio_name(job_id)])
        return job_of(flat)

    async def delete(self, client: str, job_id: str) -> None:
        (token,) = await self.verbs.call("delete", client, job_id, self._keep_seconds, ROW_BYTES)
        await self.contents.delete([audio_name(job_id), result_name(JobLease(job_id, int(token)))])

    async def claim(self, model: str | None = None) -> ClaimedJob | None:
        words = (self._lease_seconds, model or "", json.dumps(dict(ABANDONED)), MAX_ATTEMPTS, self._keep_seconds)
        lost, failed, flat = await self.verbs.call("claim", *words)
        if lost:
            self._attempts["lease_lost"] += lost
        if failed:
            self._failures["job_abandoned"] += len(failed)
            await self._drop_audio([job_id.decode() for job_id in failed])
        if not flat:
            return None
        job = job_of(flat)
        return ClaimedJob(JobLease(job.id, job.token), job)

    async def audio(self, lease: JobLease) -> IO[bytes]:
        (beside,) = await self._of_lease("audio", lease)
        try:
            return await self.contents.open(audio_name(lease.job_id), beside)
        except FileNotFoundError:
            await self.fail(lease, LOST)
            raise JobLeaseLost("the job's audio is missing") from None

    async def renew(self, lease: JobLease, done_seconds: float) -> None:
        await self._of_lease("renew", lease, done_seconds, self._lease_seconds)

    async def finish(self, lease: JobLease, result: bytes) -> None:
        await self._of_lease("check", lease)
        name = result_name(lease)
        beside = await self.contents.keep(name, io.BytesIO(result))
        try:
            await self._of_lease("finish", lease, beside, len(result), self._keep_seconds)
        except JobLeaseLost:
            await self.contents.delete([name])
            raise
        self._attempts["completed"] += 1
        await self._drop_audio([lease.job_id])

    async def retry(self, lease: JobLease, error: JobError) -> None:
        text = json.dumps(dict(error))
        (is_queued,) = await self._of_lease("retry", lease, text, MAX_ATTEMPTS, self._keep_seconds)
        self._attempts["failed"] += 1
        if not is_queued:
            await self._note_failure(lease, error)

    async def fail(self, lease: JobLease, error: JobError) -> None:
        await self._of_lease("fail", lease, json.dumps(dict(error)), self._keep_seconds)
        self._attempts["failed"] += 1
        await self._note_failure(lease, error)

    async def hand_back(self, lease: JobLease) -> None:
        await self._of_lease("hand_back", lease)
        self._attempts["handed_back"] += 1

    async def expire(self) -> None:
        (expired,) = await self.verbs.call("expire", self._keep_seconds, ROW_BYTES, EXPIRED_AT_ONCE)
        leases = [JobLease(i.decode(), int(token)) for i, token in zip(expired[::2], expired[1::2], strict=True)]
        self._expired += len(leases)
        if leases:
            await self.contents.delete(list(map(result_name, leases)))
        if time.monotonic() - self._swept > SWEEP_SECONDS or not self._swept:
            self._swept = time.monotonic()
            await self.sweep(SWEEP_SECONDS)

    async def sweep(self, seconds: float) -> None:
        """Deletes what nobody needs of the contents, and has written for so long: of a process that was killed."""
        names = sorted(await self.contents.unchanged_for(seconds))
        for some in (names[at : at + 500] for at in range(0, len(names), 500)):
            needs = await self.verbs.call("needs", *(name.partition(".")[0] for name in some))
            wanted = {NEEDS_AUDIO: ".audio", 2: ".json", 3: FILE_ENDING}
            unneeded = [name for name, need in zip(some, needs, strict=True) if not _is(name, wanted.get(need))]
            await self.contents.delete(unneeded)

    async def statistics(self) -> JobStatistics:
        told = self._last
        flat, oldest, last = await self.verbs.call("statistics")
        if (lost := told - int(float(last))) > 0:
            self._last = int(float(last))
            self._on_lost(lost)
        totals = {name: float(value) for name, value in table_of(flat).items()}
        jobs: dict[JobState, int] = {state: int(totals.get(f"{state} jobs", 0)) for state in get_args(JobState)}
        tally = JobTally(dict(self._attempts), dict(self._failures), self._expired)
        used, queued = int(totals.get("bytes", 0)), totals.get("queued seconds", 0.0)
        return JobStatistics(jobs, queued, float(oldest) if oldest else None, used, tally)

    async def close(self) -> None:
        await self.verbs.close()

    async def _put(self, draft: JobDraft, audio: IO[bytes]) -> Job:
        size, job_id = audio.seek(0, os.SEEK_END), new_job_id()
        audio.seek(0)
        name = audio_name(job_id)
        beside = await self.contents.keep(name, audio)
        added = {"row_bytes": size_of(draft, 0, 0), "done_seconds": 0.0}
        pairs = [(key, value) for key, value in (values_of(draft) | added).items() if value is not None]
        words = (job_id, size_of(draft, size), self.verbs.max_bytes, self._limit, beside)
        try:
            flat = (await self.verbs.call("put", *words, *(word for pair in pairs for word in pair)))[0]
            self._last = max(self._last, int(float(table_of(flat)["seq"])))
        except JobStoreAway:
            raise  # the job may be there, and need its file
        except BaseException:
            await self.contents.delete([name])
            raise
        job = job_of(flat)
        if job.id != job_id:
            await self.contents.delete([name])
        return job

    async def _note_failure(self, lease: JobLease, error: JobError) -> None:
        self._failures[error["code"] or "unknown"] += 1
        await self._drop_audio([lease.job_id])

    async def _drop_audio(self, job_ids: Sequence[str]) -> None:
        """Deletes the audio of jobs that have ended, once a replica knows that they have.

        After a failover that loses their end they are done again, and need it. What is left here `sweep` deletes.
        """
        try:
            needs = await self.verbs.call("needs", *job_ids)
        except JobStoreAway:
            return
        unneeded = [job_id for job_id, need in zip(job_ids, needs, strict=True) if need != NEEDS_AUDIO]
        await self.contents.delete(list(map(audio_name, unneeded)))

    async def _of_lease(self, verb: str, lease: JobLease, *words: str | bytes | float) -> list[Any]:
        return await self.verbs.call(verb, lease.job_id, str(lease.token), *words)


def _is(name: str, ending: str | None) -> bool:
    return ending is not None and name.endswith(ending)
