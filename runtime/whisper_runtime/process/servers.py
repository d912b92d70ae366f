"""The two HTTP servers of a process, its engine between them, and its end: signals and draining."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import socket
import threading
import time

from whisper_runtime.engine.interface import State
from whisper_runtime.http.app import create_app, create_probes_app
from whisper_runtime.process.draining import POLL_SECONDS, beat, drain, stop_on_signals
from whisper_runtime.process.listening import CannotServe, listen, uvicorn_server
from whisper_runtime.service.batches.door import BatchDoor
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.parts import RuntimeParts

log = logging.getLogger(__name__)


def serve(parts: RuntimeParts, began: float, jobs: JobDoor | None = None, batches: BatchDoor | None = None) -> None:
    """Serves until SIGTERM or SIGINT; raises CannotServe where a port is taken or the engine fails.

    `began`: when the engine was started, by time.monotonic. `jobs`, `batches` None: it keeps none.
    """
    clients, cluster = listen(parts.config.port), listen(parts.config.metrics_port)
    probes = uvicorn_server(create_probes_app(parts, jobs, batches))
    thread = threading.Thread(target=probes.run, args=([cluster],), name="probes", daemon=True)
    thread.start()
    try:
        asyncio.run(_serve(parts, clients, began, jobs, batches))
    finally:
        parts.engine.stop()
        if parts.tracing is not None:
            parts.tracing.stop()
        probes.should_exit = True
        thread.join(timeout=5)


async def _serve(
    parts: RuntimeParts, listener: socket.socket, began: float, jobs: JobDoor | None, batches: BatchDoor | None
) -> None:
    stop = stop_on_signals()
    server = uvicorn_server(create_app(parts, jobs, batches), trusted_proxies=parts.config.trusted_proxies)
    running = [
        asyncio.create_task(server.serve(sockets=[listener]), name="server"),
        asyncio.create_task(beat(parts.lifecycle), name="heartbeat"),
        asyncio.create_task(_watch_engine(parts, began), name="engine"),
        asyncio.create_task(stop.wait(), name="stop"),
    ]
    if parts.store is not None:
        running.append(asyncio.create_task(parts.store.keep(), name="store"))
    working = _work_on(jobs) if jobs else []
    working += [asyncio.create_task(batches.runner.run(), name="batches")] if batches else []
    done, _ = await asyncio.wait([*running, *working], return_when=asyncio.FIRST_COMPLETED)
    for task in working:  # first of all: another process may go on with them while this one drains
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
    if stop.is_set():
        is_ready = parts.engine.state is State.READY
        await drain(parts.lifecycle, server, parts.config.drain_seconds, was_ready=is_ready)
    server.should_exit = True
    await running[0]
    for task in running[1:]:
        task.cancel()
    if batches:
        await batches.store.close()
    if jobs:
        await jobs.close()
    for task in done:
        task.result()  # raises what ended the process


def _work_on(jobs: JobDoor) -> list[asyncio.Task[None]]:
    working = [asyncio.create_task(jobs.worker.run(), name="jobs")]
    if jobs.deliverer:
        working.append(asyncio.create_task(jobs.deliverer.run(), name="webhooks"))
    return working


async def _watch_engine(parts: RuntimeParts, began: float) -> None:
    """Raises CannotServe as soon as the engine has failed, during its start or later, or hangs."""
    while parts.engine.state is State.LOADING:
        await asyncio.sleep(POLL_SECONDS)
    if parts.engine.state is State.READY:
        seconds = time.monotonic() - began
        parts.metrics.process.loaded(seconds)
        log.info("ready: %s was loaded and proven in %.1f s", parts.model.info.name, seconds)
    while parts.engine.state is State.READY:
        if parts.engine.is_stuck:
            faulthandler.dump_traceback()  # of all threads, to standard error
            raise CannotServe("the model's thread hangs: look for errors of the device in the node's kernel log")
        await asyncio.sleep(POLL_SECONDS)
    raise CannotServe(parts.engine.error or "the engine stopped by itself")
