"""The store as one process uses it: whether it may be used now, and calls that never hold a request up for long.

Requests never connect and never wait for a store that is away: a task of its own, `keep`, finds out whether the store
is as it must be, and a call that fails puts it out of use until that task has tried it again. A call that is late goes
on without the store, and has that task look; the store is out of use where no call is answered in time for a while.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from whisper_runtime.contract.shared_store import MESSAGE_LENGTH, SharedStoreReport
from whisper_runtime.service.shared.object_bucket import ObjectBucket
from whisper_runtime.service.shared.program_call import ProgramCall, needed_rights
from whisper_runtime.service.shared.store_checks import of_error, of_server
from whisper_runtime.service.shared.store_client import (
    Reply,
    check_authorities,
    open_client,
    read_url,
    run,
    server_info,
    try_to_wait,
)
from whisper_runtime.service.shared.store_location import located
from whisper_runtime.service.shared.store_metrics import StoreMetrics
from whisper_runtime.service.shared.store_pipeline import StorePipeline, is_ending
from whisper_runtime.service.shared.store_url import StoreUrl

WAITS_SECONDS: Final = (0.04, 0.01)
"""The longest that a call may hold a request up; a store in the same cluster takes a millisecond. Two parts: an event
loop that had no processor for the first finds the reply in the second."""
LATE_SECONDS: Final = 0.25
"""For so long calls may be late, one after the other, before the store is out of use: a server that forks to save its
data answers nothing for some 10 ms a GiB (https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency/)
and is well again."""
PERIOD_SECONDS: Final = 10.0
"""Between two looks at a store that is in use: rights, memory and roles change meanwhile."""
BUCKET_PERIOD_SECONDS: Final = 60.0
"""Between two looks at a bucket that is as it must be: each is paid for."""
LOST_SECONDS: Final = 24 * 3600.0
LOST: Final = (
    "the store has lost jobs that it had said to have, by a restart or a failover: set appendonly yes, and with "
    "replicas min-replicas-to-write 1"
)
PAUSES_SECONDS: Final = (0.5, 1.0, 2.0, 5.0)
"""Before each look at one that is not in use; the last one again and again."""

log = logging.getLogger(__name__)


class SharedStore:
    """In the event loop's thread; any thread may read `report`."""

    def __init__(
        self,
        url_file: str,
        ca_file: str | None,
        prefix: str,
        trials: Sequence[ProgramCall],
        metrics: StoreMetrics,
        *,
        has_jobs: bool = False,
        bucket: ObjectBucket | None = None,
        leaves: Callable[[], ProgramCall | None] = lambda: None,
        waits: Sequence[float] = WAITS_SECONDS,
        pauses: Sequence[float] = PAUSES_SECONDS,
    ) -> None:
        """`prefix`: namespace and name of the service, which its keys begin with.

        `trials`: calls that need every right that others need. `has_jobs`: whether jobs are there, too. `bucket`: what
        has their contents; None: the store has, or a directory. `leaves`: what is left there whenever the store is
        found to be as it must be; None: nothing yet.
        """
        self._url_file = Path(url_file)
        self._ca_file = ca_file
        self._trials = trials
        self._rights = needed_rights(prefix, trials) + (" +wait" if has_jobs else "")
        self._metrics, self._has_jobs, self._bucket = metrics, has_jobs, bucket
        self._leaves = leaves
        self._bucket_problem: str | None = None
        self._lost_until = 0.0
        self._late_since: float | None = None
        self._waits = waits
        self._pauses = pauses
        self._connected: Connected | None = None
        self._failed = asyncio.Event()
        self._found = SharedStoreReport(reason="StoreUntried", message="the pod has not tried the store yet")

    @property
    def report(self) -> SharedStoreReport:
        if self._found.reason == "StoreInUse" and self._bucket_problem:
            message = f"jobs wait: {self._bucket_problem}"[:MESSAGE_LENGTH]
            return SharedStoreReport(reason="StoreBucketUnusable", message=message)
        if self._found.reason == "StoreInUse" and time.monotonic() < self._lost_until:
            return SharedStoreReport(reason="StoreLostJobs", message=LOST)
        return self._found

    def note_lost_jobs(self, jobs: int) -> None:
        """Reports for a day that the store has lost so many jobs, which it had said to have."""
        self._lost_until = time.monotonic() + LOST_SECONDS
        log.error("the store has lost %d jobs that it had said to have: %s", jobs, LOST)

    @property
    def is_used(self) -> bool:
        return self._found.is_used

    async def keep(self) -> None:
        """Looks at the store, and at the bucket, again and again, until it is cancelled."""
        failures = 0
        watching = asyncio.create_task(self._watch_bucket(), name="bucket")
        try:
            while not is_ending():
                self._failed.clear()
                self._note(await self._look())
                if self.is_used:
                    failures, self._late_since = 0, None
                    await self._until_it_fails()
                if not self.is_used:
                    await self._close()  # what is opened next has the newest URL, authorities and address
                    await asyncio.sleep(self._pauses[min(failures, len(self._pauses) - 1)])
                    failures += 1
        finally:
            watching.cancel()
            await self._close()

    async def _watch_bucket(self) -> None:
        while self._bucket is not None:
            before, self._bucket_problem = self._bucket_problem, await self._bucket.problem()
            if self._bucket_problem and not before:
                log.warning("jobs wait until the bucket can be used: %s", self._bucket_problem)
            await asyncio.sleep(self._pauses[-1] if self._bucket_problem else BUCKET_PERIOD_SECONDS)

    async def call(self, call: ProgramCall) -> Reply | None:
        """The reply; None where the store is not in use, or gives none in time."""
        connected = self._connected
        if not self.is_used or connected is None:
            return None
        started = time.perf_counter()
        try:
            reply = await self._reply(connected, call)
        except Exception as error:  # whatever it is, the request goes on
            if self.is_used:  # else another call has failed before
                self._failed.set()
                if not (isinstance(error, TimeoutError) and self._may_be_late(started)):
                    self._note(of_error(error, connected.url, self._rights))
            return None
        self._late_since = None
        self._metrics.answered(time.perf_counter() - started)
        return reply

    def _may_be_late(self, started: float) -> bool:
        """Whether the store stays in use though it was late for a call that began then."""
        self._metrics.late()
        self._late_since = started if self._late_since is None else self._late_since
        return time.perf_counter() - self._late_since < LATE_SECONDS

    async def _reply(self, connected: Connected, call: ProgramCall) -> Reply:
        """Raises what the store does, and TimeoutError where it does not answer in time."""
        future = connected.pipeline.submit(call)
        for seconds in self._waits:
            if (await asyncio.wait([future], timeout=seconds))[0]:
                break
        if not future.done() or future.cancelled():
            raise TimeoutError
        return future.result()

    async def _until_it_fails(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PERIOD_SECONDS):
                await self._failed.wait()

    async def _look(self) -> SharedStoreReport:
        """The report on the store as it is now, with a connection to it where it may be used."""
        try:
            named = read_url(self._url_file)
        except OSError as error:
            return _of_url(f"cannot be read ({error.strerror}): mount the Secret there")
        except ValueError as problem:
            return _of_url(str(problem))
        try:
            check_authorities(named, self._ca_file)
        except OSError as error:
            return _of_authorities(error)
        url = named
        try:
            connected = await self._connect(named)
            url = connected.url
            found = of_server(await server_info(connected.client), connected.url, has_jobs=self._has_jobs)
            if found.is_used:
                await run(connected.client, self._trials)  # now the server knows the programs
                if self._has_jobs:
                    await try_to_wait(connected.client)
                for call in (*self._trials, self._leaves()):
                    if call is not None:
                        await self._reply(connected, call)  # no store is used that would hold requests up
        except Exception as error:  # whatever it is, the service goes on
            return of_error(error, url, self._rights)
        return found

    async def _connect(self, named: StoreUrl) -> Connected:
        """To the primary of now. Raises as `located`, and OSError as Connected.by.

        Sentinels are asked each time. A server, or a cluster's node, refuses what it has not, or has no more.
        """
        if self._connected and self._connected.named == named and not named.sentinels:
            return self._connected
        url = await located(named, self._ca_file, self._trials[0].keys[0])
        if self._connected and self._connected.url != url:
            await self._close()
        self._connected = self._connected or Connected.by(named, url, self._ca_file)
        return self._connected

    def _note(self, report: SharedStoreReport) -> None:
        before, self._found = self._found, report
        self._metrics.reported(report)
        if report.reason == before.reason:
            return
        if report.reason == "StoreInUse":
            log.info("the shared store is in use: its limits count for all pods of the service")
        elif report.is_used:
            log.warning("the shared store is in use, but %s", report.message)
        else:
            log.warning("%s: limits count for this pod alone until it is in use again", report.message)

    async def _close(self) -> None:
        if self._connected is not None:
            await self._connected.close()
            self._connected = None


@dataclass(frozen=True)
class Connected:
    """A client of one URL, and the task of its calls."""

    named: StoreUrl
    """As the Secret has it."""
    url: StoreUrl
    """With the host and port of the server."""
    client: Redis
    pipeline: StorePipeline
    task: asyncio.Task[None]

    @classmethod
    def by(cls, named: StoreUrl, url: StoreUrl, ca_file: str | None) -> Self:
        """Raises OSError where the file has no authority; nothing is connected yet."""
        client = open_client(url, ca_file)
        pipeline = StorePipeline(client)
        return cls(named, url, client, pipeline, asyncio.create_task(pipeline.run(), name="store pipeline"))

    async def close(self) -> None:
        """Once more where it was cancelled."""
        self.task.cancel()
        await asyncio.wait([self.task])
        with suppress(RedisError, OSError):
            await self.client.aclose()


def _of_url(problem: str) -> SharedStoreReport:
    message = f"the URL in WHISPER_REDIS_URL_FILE, the Secret of spec.redis.secretKeyRef, {problem}"
    return SharedStoreReport(reason="StoreUrlInvalid", message=message)


def _of_authorities(error: OSError) -> SharedStoreReport:
    why = error.strerror or "no certificate in PEM"
    message = (
        f"WHISPER_REDIS_CA_FILE, the ConfigMap of spec.redis.caConfigMapKeyRef, cannot be used ({why}): correct it"
    )
    return SharedStoreReport(reason="StoreTlsFailed", message=message[:MESSAGE_LENGTH])
