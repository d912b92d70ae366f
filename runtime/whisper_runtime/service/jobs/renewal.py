"""Renews the lease of a job for as long as the engine goes on with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final, NoReturn, TypeVar

from whisper_runtime.engine.interface import Engine
from whisper_runtime.service.jobs.job import JobLease, JobLeaseLost
from whisper_runtime.service.jobs.running_job import RunningJob
from whisper_runtime.service.jobs.store import LEASE_SECONDS, JobStore
from whisper_runtime.service.leases import until_lost
from whisper_runtime.service.timed_wait import set_within

RENEW_SECONDS: Final = LEASE_SECONDS / 4
PROGRESS_SECONDS: Final = 1.0
"""Progress is noted no more often than this."""

log = logging.getLogger(__name__)

T = TypeVar("T")


async def while_renewed(
    store: JobStore, engine: Engine, lease: JobLease, running: RunningJob, work: Coroutine[Any, Any, T]
) -> T:
    """The result of `work`, which is cancelled where the lease is lost meanwhile; raises JobLeaseLost then."""
    return await until_lost(work, _renew(store, engine, lease, running))


async def _renew(store: JobStore, engine: Engine, lease: JobLease, running: RunningJob) -> NoReturn:
    """An engine that is stuck loses its lease. Raises JobLeaseLost."""
    while True:
        await set_within(running.changed, RENEW_SECONDS)
        running.changed.clear()
        if not engine.is_stuck:
            try:
                await store.renew(lease, running.done_seconds)
            except JobLeaseLost:
                raise
            except Exception as error:
                log.warning("the lease of job %s could not be renewed: %s", lease.job_id, error)
        await asyncio.sleep(PROGRESS_SECONDS)
