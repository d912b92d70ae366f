"""The workers: each takes a service from the queue, runs its pass, and decides when it is added again."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable

from whisper_operator.kube.errors import ApiError, LeaseLost
from whisper_operator.observe.records import Key
from whisper_operator.reconcile.queue import Queue
from whisper_operator.telemetry import logs, metrics
from whisper_operator.telemetry.tracing import SPANS

log = logging.getLogger(__name__)

Reconcile = Callable[[Key], Awaitable[float | None]]
"""Runs one pass, which ends itself by TimeoutError where it takes too long; seconds after which to run the next one,
None: when something changes."""


async def work(queue: Queue, reconcile: Reconcile) -> None:
    """Processes the queue's keys for ever; raises LeaseLost."""
    while True:
        key = await queue.get()
        try:
            await run(key, queue, reconcile)
        finally:
            queue.done(key)
        # A pass with nothing to write waits for nothing, and a thousand in a row would hold up the Lease.
        await asyncio.sleep(0)


async def run(key: Key, queue: Queue, reconcile: Reconcile) -> None:
    """Runs one pass; whatever it raises is logged, counted and retried, but for LeaseLost, which it raises."""
    logs.PASS.set({"namespace": key[0], "service": key[1], "pass": secrets.token_hex(4)})
    started = time.monotonic()
    metrics.ACTIVE_WORKERS.inc()
    try:
        attributes = {"k8s.namespace.name": key[0], "whisper.service": key[1], "whisper.pass": logs.PASS.get()["pass"]}
        with SPANS.span("pass", attributes) as trace_id:
            if trace_id is not None:
                logs.PASS.set({**logs.PASS.get(), "trace_id": trace_id})
            requeue_after = await reconcile(key)
    except LeaseLost:
        raise
    except ApiError as error:
        log.warning("the pass failed and is retried: %s", error)
        _count_failure(error.reason or str(error.status))
        queue.add_rate_limited(key, at_least=error.retry_after)
    except TimeoutError:
        log.warning("the pass took too long and is retried")
        _count_failure("Timeout")
        metrics.RECONCILE_TIMEOUTS.inc()
        queue.add_rate_limited(key)
    except Exception as error:
        log.exception("the pass failed by a bug and is retried")
        _count_failure(type(error).__name__)
        metrics.RECONCILE_PANICS.inc()
        queue.add_rate_limited(key)
    else:
        metrics.RECONCILES.labels(metrics.CONTROLLER, "success" if requeue_after is None else "requeue_after").inc()
        queue.forget(key)
        if requeue_after is not None:
            queue.add_after(key, requeue_after)
    finally:
        metrics.ACTIVE_WORKERS.dec()
        metrics.RECONCILE_SECONDS.observe(time.monotonic() - started)
        logs.PASS.set({})


def _count_failure(cause: str) -> None:
    metrics.RECONCILES.labels(metrics.CONTROLLER, "error").inc()
    metrics.RECONCILE_ERRORS.inc()
    metrics.ERRORS.labels(cause).inc()
