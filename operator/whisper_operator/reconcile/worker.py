"""The workers: each takes a service from the queue, runs its pass, and decides when it comes up again."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final

from whisper_operator.kube.errors import ApiError, LeaseLost
from whisper_operator.observe.cache import Key
from whisper_operator.reconcile.queue import Queue
from whisper_operator.telemetry import logs, metrics

PASS_SECONDS: Final = 60
log = logging.getLogger(__name__)

Reconcile = Callable[[Key], Awaitable[float | None]]


async def work(queue: Queue, reconcile: Reconcile) -> None:
    """Works the queue for ever; raises LeaseLost."""
    while True:
        key = await queue.get()
        try:
            await run(key, queue, reconcile)
        finally:
            queue.done(key)
        # A pass with nothing to write waits for nothing, and a thousand in a row would hold up the Lease.
        await asyncio.sleep(0)


async def run(key: Key, queue: Queue, reconcile: Reconcile) -> None:
    """One pass; whatever it raises is logged, counted and tried again, a lost Lease excepted."""
    logs.PASS.set({"namespace": key[0], "service": key[1], "pass": secrets.token_hex(4)})
    started = time.monotonic()
    metrics.ACTIVE_WORKERS.inc()
    try:
        async with asyncio.timeout(PASS_SECONDS):
            again = await reconcile(key)
    except LeaseLost:
        raise
    except ApiError as error:
        log.warning("pass failed and is tried again: %s", error)
        _failed(error.reason or str(error.status))
        queue.retry(key, at_least=error.retry_after)
    except TimeoutError:
        log.warning("pass took longer than %d s and is tried again", PASS_SECONDS)
        _failed("Timeout")
        metrics.RECONCILE_TIMEOUTS.inc()
        queue.retry(key)
    except Exception as error:
        log.exception("pass failed by a bug and is tried again")
        _failed(type(error).__name__)
        metrics.RECONCILE_PANICS.inc()
        queue.retry(key)
    else:
        metrics.RECONCILES.labels(metrics.CONTROLLER, "success" if again is None else "requeue_after").inc()
        queue.succeeded(key)
        if again is not None:
            queue.add_after(key, again)
    finally:
        metrics.ACTIVE_WORKERS.dec()
        metrics.RECONCILE_SECONDS.observe(time.monotonic() - started)
        logs.PASS.set({})


def _failed(cause: str) -> None:
    metrics.RECONCILES.labels(metrics.CONTROLLER, "error").inc()
    metrics.RECONCILE_ERRORS.inc()
    metrics.ERRORS.labels(cause).inc()
