"""What each call costs a real Valkey: seconds of its processor, the network's part with it."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from testbed.store_server import StoreServer
from whisper_runtime.service.jobs.job import ClaimedJob, Job, JobDraft
from whisper_runtime.service.jobs.kept_contents import BesideJobs
from whisper_runtime.service.jobs.shared_store import SharedJobStore
from whisper_runtime.service.jobs.shared_verbs import SharedVerbs
from whisper_runtime.service.rate_limits import RateLimits
from whisper_runtime.service.shared.bucket_program import key_of, taking
from whisper_runtime.service.shared.program_call import ProgramCall
from whisper_runtime.service.shared.result_program import finding, keeping
from whisper_runtime.service.shared.shared_flights import turn_call
from whisper_runtime.service.shared.store_caller import StoreCaller
from whisper_runtime.service.shared.store_client import open_client, read_url, server_info

PREFIX: Final = "team/speech"
AT_ONCE: Final = 8
"""Calls that are under way, each on a connection of its own, as those of so many pods are."""
CLIENTS: Final = 100
RESULT: Final = os.urandom(1200)
"""A result of a minute of speech, as it is packed."""
LIMITS: Final = RateLimits(10**9, 10**9)
KEEP_SECONDS: Final = 3600

Costs = Mapping[str, float]
"""Seconds of the server's processor for each call, by its verb."""


class ServerClock:
    """The time that a server has had on processors."""

    def __init__(self, server: StoreServer) -> None:
        self._tasks = Path(f"/proc/{server.ask('INFO', 'server')['process_id']}/task")

    def seconds(self) -> float:
        """Of all its threads (proc(5), schedstat)."""
        found = (int((task / "schedstat").read_text().split()[0]) for task in self._tasks.iterdir())
        return sum(found) / 1e9


class CostMeter:
    def __init__(self, clock: ServerClock) -> None:
        self._clock = clock
        self.costs: dict[str, float] = {}

    async def measure(self, verb: str, calls: Iterable[Callable[[], Awaitable[object]]]) -> list[object]:
        """Makes all calls, AT_ONCE at a time, and notes what one costs; returns what they came to."""
        left, found = iter(calls), list[object]()

        async def make() -> None:
            for call in left:
                found.append(await call())

        before = self._clock.seconds()
        await asyncio.gather(*(make() for _ in range(AT_ONCE)))
        self.costs[verb] = (self._clock.seconds() - before) / len(found)
        return found


async def costs(server: StoreServer, url_file: Path, calls: int) -> Costs:
    """Of each verb, by so many calls of it; as many jobs wait at most."""
    url_file.write_text(server.url)
    meter, caller = CostMeter(ServerClock(server)), StoreCaller(str(url_file), None)
    try:
        await _of_requests(meter, caller, calls)
        await _of_jobs(meter, caller, calls)
        await _of_looks(meter, url_file, calls // 10)
    finally:
        await caller.close()
    return meter.costs


async def _of_requests(meter: CostMeter, caller: StoreCaller, calls: int) -> None:
    def each(make: Callable[[int], ProgramCall]) -> list[Callable[[], Awaitable[object]]]:
        return [lambda number=number: caller.call(make(number)) for number in range(calls)]

    await meter.measure(
        "rate", each(lambda n: taking(key_of(PREFIX, f"key {n % CLIENTS}"), LIMITS, requests=1, decides=True))
    )
    await meter.measure("keep", each(lambda n: keeping(PREFIX, f"{n:064x}", RESULT, KEEP_SECONDS, 10**9)))
    await meter.measure("find", each(lambda n: finding(PREFIX, f"{n:064x}")))
    await meter.measure("turn", each(lambda n: turn_call(PREFIX, f"{n:064x}", "run", 10.0)))


async def _of_jobs(meter: CostMeter, caller: StoreCaller, calls: int) -> None:
    verbs = SharedVerbs(caller, PREFIX, max_bytes=10**12, max_queued_seconds=None)
    store = SharedJobStore(verbs, BesideJobs(), keep_seconds=KEEP_SECONDS)

    def draft(number: int) -> JobDraft:
        return JobDraft(f"key {number % CLIENTS}", '{"options": {}}' * 20, 60.0)

    numbers = range(calls)
    await meter.measure("look", [store.claim for _ in numbers])
    put = await meter.measure("put", [lambda n=n: store.put(draft(n), io.BytesIO(b"audio")) for n in numbers])
    jobs = [one for one in put if isinstance(one, Job)]
    await meter.measure("placed", [lambda job=job: store.placed(job.client, job.id) for job in jobs])
    await meter.measure("get", [lambda job=job: store.get(job.client, job.id) for job in jobs])
    claimed = await meter.measure("claim", [store.claim for _ in numbers])
    leases = [one.lease for one in claimed if isinstance(one, ClaimedJob)]
    await meter.measure("renew", [lambda lease=lease: store.renew(lease, 30.0) for lease in leases])
    await meter.measure("finish", [lambda lease=lease: store.finish(lease, RESULT) for lease in leases])
    await meter.measure("result", [lambda job=job: store.result(job.client, job.id) for job in jobs])
    await meter.measure("statistics", [store.statistics for _ in numbers])
    await meter.measure("expire", [store.expire for _ in numbers])


async def _of_looks(meter: CostMeter, url_file: Path, looks: int) -> None:
    client = open_client(read_url(url_file), None, AT_ONCE)
    try:
        await meter.measure("info", [lambda: server_info(client) for _ in range(looks)])
    finally:
        await client.aclose()
