"""The two HTTP servers of a process, its engine between them, and its end: signals and draining."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import signal
import socket
import threading
import time
from collections.abc import Generator, Iterable
from typing import Final

import uvicorn
from fastapi import FastAPI

from whisper_runtime.contract.network import READY_FAILURES, READY_PERIOD_SECONDS
from whisper_runtime.engine.interface import State
from whisper_runtime.http.app import create_app, create_probes_app
from whisper_runtime.process.http_protocol import Connection
from whisper_runtime.service.batches.door import BatchDoor
from whisper_runtime.service.client_identity import as_connected
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.lifecycle import HEARTBEAT_SECONDS, Phase
from whisper_runtime.service.parts import RuntimeParts

log = logging.getLogger(__name__)

ENDPOINT_LAG_SECONDS: Final = 5.0
"""For how long a Service may go on sending clients to a pod that is not ready any more: those still get an answer.

The operator's constant of this name is the same lag in the other direction: until a Service sends clients to a pod that
has become ready. It is shorter, for its error only slows a rollout down; an error here loses requests.
"""
UNROUTED_SECONDS: Final = READY_PERIOD_SECONDS * READY_FAILURES + 2.0
"""Until no Service has this pod for its last resort (KEP-1669): its readiness probes must fail, and every node must
learn of it. A client that is sent to a pod that has ended waits for a minute in vain; until then all get a 503."""

POLL_SECONDS: Final = 0.1
BACKLOG: Final = 2048
KEEP_ALIVE_SECONDS: Final = 75
"""Longer than the 60 s for which proxies keep an idle connection: a proxy must not find it closed when it sends."""


class CannotServe(Exception):
    """A port is taken, or the engine has failed; the message says which, and the remedy."""


class UvicornServer(uvicorn.Server):
    """uvicorn without its signal handling, which would close the listeners at once."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    @property
    def busy(self) -> bool:
        """Whether a request has not been answered yet."""
        return bool(self.server_state.tasks)


def serve(parts: RuntimeParts, began: float, jobs: JobDoor | None = None, batches: BatchDoor | None = None) -> None:
    """Serves until SIGTERM or SIGINT; raises CannotServe where a port is taken or the engine fails.

    `began`: when the engine was started, by time.monotonic. `jobs`, `batches` None: it keeps none.
    """
    clients, cluster = listen(parts.config.port), listen(parts.config.metrics_port)
    probes = uvicorn_server(create_probes_app(parts, jobs))
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


def listen(port: int) -> socket.socket:
    """A listening socket, for IPv6 and IPv4 where the machine has both; raises CannotServe where the port is taken."""
    is_dual = socket.has_dualstack_ipv6()
    address, family = ("::", socket.AF_INET6) if is_dual else ("0.0.0.0", socket.AF_INET)
    try:
        listener = socket.create_server((address, port), family=family, backlog=BACKLOG, dualstack_ipv6=is_dual)
    except OSError as error:
        raise CannotServe(f"port {port} cannot be opened: {error.strerror}; free it or choose another") from None
    # Accepted sockets inherit it on Linux. asyncio sets it only where a socket's `proto` is TCP's, and create_server's
    # is 0. Without it the body of an answer waits until the client acknowledges its head: 40 ms on a kept connection.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def uvicorn_server(
    app: FastAPI,
    connection: type[Connection] = Connection,
    keep_alive_seconds: int = KEEP_ALIVE_SECONDS,
    trusted_proxies: Iterable[str] = (),
) -> UvicornServer:
    """A server for `app`, whose sockets `serve` or `run` take; a connection may be idle for `keep_alive_seconds`.

    `trusted_proxies`: whose X-Forwarded-For is believed, instead of what uvicorn reads from FORWARDED_ALLOW_IPS.
    """
    return UvicornServer(
        uvicorn.Config(
            app,
            http=connection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=as_connected(trusted_proxies),
            timeout_keep_alive=keep_alive_seconds,
            timeout_graceful_shutdown=1,
        )
    )


async def _serve(
    parts: RuntimeParts, listener: socket.socket, began: float, jobs: JobDoor | None, batches: BatchDoor | None
) -> None:
    stop = _stop_on_signals()
    server = uvicorn_server(create_app(parts, jobs, batches), trusted_proxies=parts.config.trusted_proxies)
    running = [
        asyncio.create_task(server.serve(sockets=[listener]), name="server"),
        asyncio.create_task(_beat(parts), name="heartbeat"),
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
        await _drain(parts, server)
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


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _beat(parts: RuntimeParts) -> None:
    while True:
        parts.lifecycle.beat()
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _watch_engine(parts: RuntimeParts, began: float) -> None:
    """Raises CannotServe as soon as the engine has failed, during its start or later, or hangs."""
    while parts.engine.state is State.LOADING:
        await asyncio.sleep(POLL_SECONDS)
    if parts.engine.state is State.READY:
        seconds = time.monotonic() - began
        parts.metrics.loaded(seconds)
        log.info("ready: %s was loaded and proven in %.1f s", parts.model.info.name, seconds)
    while parts.engine.state is State.READY:
        if parts.engine.is_stuck:
            faulthandler.dump_traceback()  # of all threads, to standard error
            raise CannotServe("the model's thread hangs: look for errors of the device in the node's kernel log")
        await asyncio.sleep(POLL_SECONDS)
    raise CannotServe(parts.engine.error or "the engine stopped by itself")


async def _drain(parts: RuntimeParts, server: UvicornServer) -> None:
    """Ends without losing a request: first not ready, then closed to new work, then out of work."""
    limit = parts.config.drain_seconds
    unrouted = time.monotonic()
    ends = unrouted + limit
    log.info("stopping: not ready from now on, at most %d s for the requests that are here", limit)
    parts.lifecycle.phase = Phase.LEAVING
    if parts.engine.state is State.READY:  # else no client was ever sent here
        unrouted += UNROUTED_SECONDS
        await asyncio.sleep(min(ENDPOINT_LAG_SECONDS, limit))
    parts.lifecycle.phase = Phase.REFUSING
    while (server.busy or time.monotonic() < unrouted) and time.monotonic() < ends:
        await asyncio.sleep(POLL_SECONDS)
    if server.busy:
        log.warning("stopping: %d requests were not finished in %d s", len(server.server_state.tasks), limit)
    log.info("stopped")
